#!/bin/sh
# The host's life goes on while a guest works: NMIs, CPUs that leave and
# return, probes.
. /lib/rf.sh
kernel=${GUESTS%% *}
plan 4

work() {	# work SECONDS: a busy guest in the background
	rm -f /tmp/work.status
	{
		GUEST_CMDLINE="rf.seconds=$1 rf.cpus=2" guest_run "$kernel" busy -c 2 -m 256M >/tmp/work.log
		echo $? >/tmp/work.status
	} &
	# Past the start.
	sleep 3
}

worked() {
	wait
	cat /tmp/work.log
	[ "$(cat /tmp/work.status)" = 0 ]
}

nmis() { awk '/NMI:/ { n = 0; for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) n += $i; print n }' /proc/interrupts; }

work 30
before=$(nmis)
n=0
while [ $n -lt 400 ]; do
	echo "RFVM-MONITOR nmi"
	usleep 50000
	n=$((n + 1))
done
check "a guest works under NMIs" worked
check "the NMIs reached the host" test "$(nmis)" -gt $((before + 200))

if [ -w /sys/devices/system/cpu/cpu1/online ]; then
	work 30
	for n in 1 2 3 4 5; do
		echo 0 >/sys/devices/system/cpu/cpu1/online
		sleep 1
		echo 1 >/sys/devices/system/cpu/cpu1/online
		sleep 1
	done
	check "a guest works while host CPUs leave and return" worked
else
	skip "a guest works while host CPUs leave and return" "one CPU"
fi

if [ -w /sys/kernel/tracing/kprobe_events ]; then
	work 20
	cd /sys/kernel/tracing || exit 1
	echo 'p:rf vfs_write' >kprobe_events
	echo 1 >events/kprobes/enable
	[ ! -d events/ringfence ] || echo 1 >events/ringfence/enable
	sleep 10
	[ ! -d events/ringfence ] || echo 0 >events/ringfence/enable
	echo 0 >events/kprobes/enable
	echo >kprobe_events
	cd /tmp || exit 1
	check "a guest works under probes and tracing" worked
else
	skip "a guest works under probes and tracing" "no kprobes"
fi
done_testing
