#!/bin/sh
# The host takes a working guest's memory away: by swapping, merging, huge
# pages and compaction.  The guest must not notice.
. /lib/rf.sh
kernel=${GUESTS%% *}
plan 3

modprobe zram 2>/dev/null
echo 1G >/sys/block/zram0/disksize
mkswap /dev/zram0 >/dev/null
swapon /dev/zram0
cg=/sys/fs/cgroup/rf
mkdir $cg
echo +memory >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null
[ -d $cg ] && echo 1 >/sys/kernel/mm/ksm/run 2>/dev/null
echo 1000 >/sys/kernel/mm/ksm/pages_to_scan 2>/dev/null

run_in() {
	sh -c "echo \$\$ >$cg/cgroup.procs; exec sh -c '. /lib/rf.sh; GUEST_CMDLINE=\"rf.cpus=2 rf.seconds=${SECONDS_IN:-30}\" guest_run $kernel busy -m 256M -c 2'"
}

squeeze() {
	run_in >/tmp/squeeze.log &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		echo 64M >$cg/memory.reclaim 2>/dev/null
		echo 1 >/proc/sys/vm/compact_memory
		sleep 1
	done
	wait $pid
	status=$?
	cat /tmp/squeeze.log
	return $status
}
before=$(sed -n 's/^pswpout //p' /proc/vmstat)
check "a guest works while its memory is taken" squeeze
note "swapped out: $(($(sed -n 's/^pswpout //p' /proc/vmstat) - before)) pages"
check "memory was taken" test "$(sed -n 's/^pswpout //p' /proc/vmstat)" -gt "$before"

limited() {
	echo 160M >$cg/memory.high
	run_in
}
check "a guest works in less memory than it has" limited
swapoff /dev/zram0
done_testing
