#!/bin/sh
# What a visitor looks at first.
echo "TOUR"
uname -a
echo "hypervisor: $(cat /sys/hypervisor/type), $(nproc) CPUs, clock $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
free -m
ps | head -n 5
sleep "$(sed -n 's/.*\brf\.seconds=\([^ ]*\).*/\1/p' /proc/cmdline)"
exit 0
