#!/bin/sh
# The host wants its memory back from the shadows of a working guest.
. /lib/rf.sh
kernel=${GUESTS%% *}
plan 3
debug=/sys/kernel/debug/ringfence

{
	GUEST_CMDLINE="rf.cpus=2 rf.seconds=${SECONDS_IN:-30}" \
		guest_run "$kernel" busy -m 256M -c 2 --name shrink >/tmp/shrink.log
	echo $? >/tmp/shrink.status
} &

working() { grep -q RFGUEST-INIT /tmp/shrink.log; }
shadows() { sed -n 's/^shadow_pages: \([0-9]*\) .*/\1/p' $debug/*-shrink/state; }
counter() { sed -n "s/^vcpu0 $1 //p" $debug/*-shrink/counters; }

await_work() {
	left=120
	while ! working; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 1
	done
	sleep 5
}
check "a guest works" await_work

# It builds new shadows meanwhile, and a lock it holds is not waited for.
taken() {
	least=$(shadows)
	before=$least
	dropped=$(counter shadow_drop)
	for try in 1 2 3 4 5 6 7 8 9 10; do
		echo 2 >/proc/sys/vm/drop_caches
		now=$(shadows)
		[ "$now" -ge "$least" ] || least=$now
	done
	note "shadows: $before, at least $least; dropped $(($(counter shadow_drop) - dropped))"
	[ "$least" -lt "$before" ] && [ "$(counter shadow_drop)" -ge $((dropped + before)) ]
}
check "the host takes its shadows away" taken

wait
cat /tmp/shrink.log
check "and the guest does not notice" test "$(cat /tmp/shrink.status)" = 0
done_testing
