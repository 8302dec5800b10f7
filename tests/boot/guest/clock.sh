#!/bin/sh
# Say what the clock is again and again for rf.seconds, for the host to compare
# with its own, and look for steps backwards for a part of that.
. /lib/guest.sh
seconds=$(option seconds)
busy=$(option busy)

stamps() {	# stamps SECONDS: one to begin with, and then every few
	step=$(($1 / 30 + 1))
	for n in $(seq $(($1 / step + 1))); do
		/bin/clocks now
		sleep $step
	done
	/bin/clocks now
}
/bin/clocks now
[ "${busy:-0}" = 0 ] || check "time never goes back" /progs/monotonic "$busy"
stamps $((seconds - ${busy:-0}))
check "its clock is Xen's" grep -qx xen /sys/devices/system/clocksource/clocksource0/current_clocksource
check "its log is clean" clean_log
end
