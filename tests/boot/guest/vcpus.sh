#!/bin/sh
# vCPUs that host/vcpus.sh takes and gives back.  What comes is switched on, as a
# rule of udev would.
. /lib/guest.sh

at() { echo "RFGUEST-AT $1"; }
switch_on() {
	for cpu in /sys/devices/system/cpu/cpu[1-9]*; do
		[ "$(cat "$cpu/online" 2>/dev/null)" != 0 ] || echo 1 >"$cpu/online" 2>/dev/null
	done
}
has() {	# has N: until it has so many
	left=300
	until [ "$(nproc)" = "$1" ]; do
		switch_on
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 1
	done
}
busy() {
	yes >/dev/null &
	yes | sha256sum >/dev/null &
}
runs_on() {
	for cpu in $(seq 0 $(($1 - 1))); do
		taskset "$(printf %x $((1 << cpu)))" true || return 1
	done
}

busy
at four
check "it goes down to two" has 2
check "both run programs" runs_on 2
at two
check "it goes down to one" has 1
at one
check "it gets all back" has 4
check "all run programs" runs_on 4
kill %1 %2
check "its log is clean" clean_log
at end
end
