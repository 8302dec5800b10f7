#!/bin/sh
# Print the clock now and rf.seconds later, for the host to compare with its
# own, and look for steps backwards meanwhile.
. /lib/guest.sh
# Many times, for a line can come late.
clock() {
	for n in 1 2 3 4 5 6 7 8 9 10; do
		echo "CLOCK $(/bin/ops --now)"
		usleep 20000
	done
}
clock
check "time never goes back" /progs/monotonic "$(option seconds)"
clock
check "its clock is Xen's" grep -qx xen /sys/devices/system/clocksource/clocksource0/current_clocksource
check "its log is clean" clean_log
end
