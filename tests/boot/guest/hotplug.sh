#!/bin/sh
# Take every CPU but the first offline and online again, under load.
. /lib/guest.sh

want=$(option cpus)
yes >/dev/null &
yes | sha256sum >/dev/null &

cycle() {
	for cpu in $(seq 1 $((want - 1))); do
		echo 0 >/sys/devices/system/cpu/cpu$cpu/online || return 1
		[ "$(nproc)" -lt "$want" ] || return 1
		echo 1 >/sys/devices/system/cpu/cpu$cpu/online || return 1
	done
	[ "$(nproc)" = "$want" ]
}
for round in 1 2 3; do
	check "CPUs leave and return, round $round" cycle
done
runs_there() {
	for cpu in $(seq 1 $((want - 1))); do
		taskset "$(printf '%x' $((1 << cpu)))" true || return 1
	done
}
check "returned CPUs run programs" runs_there
kill %1 %2
check "its log is clean" clean_log
end
