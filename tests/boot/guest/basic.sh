#!/bin/sh
# What every guest must do: the CPUs it was given, Xen's clock, processes,
# pipes, and a clean log.
. /lib/guest.sh

want=$(option cpus)
check "it has $want CPUs" test "$(nproc)" = "$want"
check "its clock is Xen's" grep -qx xen /sys/devices/system/clocksource/clocksource0/current_clocksource
check "it knows where it runs" grep -q xen /sys/hypervisor/type

processes() {
	n=0
	while [ $n -lt 50 ]; do
		(exit 7)
		[ $? = 7 ] || return 1
		n=$((n + 1))
	done
}
check "processes come and go" processes

pipes() {
	sum=$(dd if=/dev/zero bs=64k count=64 2>/dev/null | gzip -1 | gunzip | sha256sum)
	[ "$sum" = "$(dd if=/dev/zero bs=64k count=64 2>/dev/null | sha256sum)" ]
}
check "data survives pipes" pipes

memory() {
	dd if=/dev/urandom of=/dev/shm/a bs=1M count=32 2>/dev/null
	cp /dev/shm/a /dev/shm/b
	cmp /dev/shm/a /dev/shm/b
	status=$?
	rm /dev/shm/a /dev/shm/b
	return $status
}
check "data survives in memory" memory

every_cpu() {
	for cpu in $(seq 0 $((want - 1))); do
		taskset "$(printf '%x' $((1 << cpu)))" sha256sum /bin/busybox
	done | sort -u | wc -l | grep -qx 1
}
check "every CPU computes the same" every_cpu

# A sleep lasts as long as it says, by the clock and by the timer.
sleeps() {
	start=$(cut -d. -f1 /proc/uptime)
	sleep 2
	end=$(cut -d. -f1 /proc/uptime)
	[ $((end - start)) -ge 2 ] && [ $((end - start)) -le 6 ]
}
check "timers fire" sleeps
check "its log is clean" clean_log
end
