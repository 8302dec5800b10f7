#!/bin/sh
# A balloon that host/balloon.sh asks for its size: rf.driver=rf_balloon, or
# virtio_balloon.  Needs 512 MiB and a disk of 320 MiB.  "RFGUEST-AT WORD" on the
# console says how far it is; what the host does then shows in MemAvailable, or in
# another disk that comes or goes.
. /lib/guest.sh

driver=$(option driver)
case $driver in
rf*)	arg= ;;
*)	arg=stock=balloon ;;
esac

at() { echo "RFGUEST-AT $1"; }
meminfo() { sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo; }

# await COMMAND...: the host may take its time
await() {
	left=300
	until "$@"; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 1
	done
}
# Less than all, by so many MiB; and nearly all.
lacks() { [ "$(meminfo MemAvailable)" -le $((all - $1 * 1024)) ]; }
has_all() { [ "$(meminfo MemAvailable)" -ge $((all - 40 * 1024)) ]; }

load() { modprobe rf_bus $arg && modprobe $driver; }
check "its driver loads" load
modprobe rf_block
await [ -b /dev/rfa ]
all=$(meminfo MemAvailable)

# Free memory is the host's without a word.
dd if=/dev/urandom of=/dev/shm/data bs=1M count=192 2>/dev/null
at full
await [ ! -e /sys/block/rfb ]
rm /dev/shm/data
at freed

# What is in use for a cache is there to be had.
await [ -e /sys/block/rfb ]
dd if=/dev/rfa of=/dev/null bs=1M 2>/dev/null
at cached
check "the host has memory back" await lacks 270
at small

# More than is left now: some of it has to come back, and nobody dies.
mount -o remount,size=400M /dev/shm
check "it deflates when memory is out" \
	dd if=/dev/zero of=/dev/shm/data bs=1M count=224
check "nobody was killed for it" [ "$(sed -n 's/^oom_kill //p' /proc/vmstat)" = 0 ]
at out
await [ ! -e /sys/block/rfb ]
rm /dev/shm/data
at asked

check "it gets it back" await has_all
at whole
check "and gives some again" await lacks 170
rmmod $driver
check "all is back without the driver" has_all
at unloaded
await [ -e /sys/block/rfb ]
check "it loads again, and does as it was asked" \
	eval 'modprobe $driver && await lacks 170'
check "its log is clean" clean_log
at end
end
