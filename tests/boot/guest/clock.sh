#!/bin/sh
# Print the clock now and rf.seconds later, for the host to compare with its
# own, and look for steps backwards meanwhile.
. /lib/guest.sh
echo "CLOCK $(/bin/ops --now)"
check "time never goes back" /progs/monotonic "$(option seconds)"
echo "CLOCK $(/bin/ops --now)"
check "its clock is Xen's" grep -qx xen /sys/devices/system/clocksource/clocksource0/current_clocksource
check "its log is clean" clean_log
end
