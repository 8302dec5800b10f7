#!/bin/sh
# What a visitor looks at first: rf.seconds=N long, or until it loses its disk.
. /lib/guest.sh
echo "TOUR"
uname -a
echo "hypervisor: $(cat /sys/hypervisor/type), $(nproc) CPUs, clock $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
free -m
ps | head -n 5
seconds=$(option seconds)
[ -z "$seconds" ] || { sleep "$seconds"; exit 0; }

modprobe -a rf_bus rf_block rf_balloon
mkdir -p /mnt
mount -t ext4 /dev/rfa /mnt || exit 1
echo "hello" >/mnt/greeting
df -h /mnt
umount /mnt
echo "Here until its disk goes"
while [ -b /dev/rfa ]; do sleep 1; done
exit 0
