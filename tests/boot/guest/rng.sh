#!/bin/sh
# Random numbers from the host: the kernel's own driver on our bus.
. /lib/guest.sh

device=/sys/bus/virtio/devices/virtio0
rng=/sys/class/misc/hw_random

# A kilobyte of the device's; an empty one or zeros would not do.
kilobyte() { dd if=/dev/hwrng bs=256 count=4 2>/dev/null; }
numbers() {
	kilobyte >/tmp/a
	kilobyte >/tmp/b
	[ "$(wc -c </tmp/a)" = 1024 ] && [ "$(gzip -c /tmp/a | wc -c)" -ge 1000 ] &&
		! cmp -s /tmp/a /tmp/b
}

check "the bus is found" modprobe rf_bus
check "it has a source of random numbers" grep -q 0x0004 $device/device
check "no driver of ours is needed for it" modprobe virtio_rng
check "which the kernel uses" grep -q virtio_rng $rng/rng_current
check "it gives random numbers" numbers
check "its driver goes and returns" \
	eval "rmmod virtio_rng && modprobe virtio_rng && numbers"
check "the bus goes and returns" \
	eval "rmmod virtio_rng && rmmod rf_bus && [ ! -e $device ] &&
	      modprobe rf_bus && modprobe virtio_rng && numbers"
check "its log is clean" clean_log
end
