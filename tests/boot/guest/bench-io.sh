#!/bin/sh
# Requests to each kind of disk (tests/bench/io.c), in step with the host.  Of
# the disks on the bus, the one that says it is "stock" is for the kernel's own
# virtio driver.
. /lib/guest.sh
stty -echo 2>/dev/null

ops=$(option ops | tr , ' ')
devices=$(option devices | tr , ' ')

# Those of the emulated disk first: for the profiler, which tells modules of the
# host and of the guest apart by where they are.
for module in libata sd_mod; do
	modprobe $module
done
insmod /lib/rf_legacy_ata.ko

# slot_of SERIAL: where the disk is that has this serial number
slot_of() {
	for disk in /sys/block/rf*; do
		[ "$(cat "$disk/serial")" = "$1" ] || continue
		device=$(dirname "$(readlink -f "$disk/device")")
		echo "${device##*.}"
	done
}
modprobe rf_bus
modprobe rf_block
slot=$(slot_of stock)
rmmod rf_block
rmmod rf_bus
modprobe rf_bus "stock=$slot"
modprobe rf_block
modprobe virtio_blk

is_disk() {
	[ -b "/dev/$1" ] || return 1
	[ -n "$2" ] || return 0
	serial=$(cat "/sys/block/$1/serial")
	[ "$serial" = "$2" ] || { echo "its serial number is '$serial'"; return 1; }
}
check "our disk is there" is_disk rfa ours
check "the disk for virtio is there" is_disk vda stock
check "the emulated disk is there" is_disk sda

scheduler=$(option scheduler)
for disk in rfa vda sda; do
	[ -z "$scheduler" ] || echo "$scheduler" >/sys/block/$disk/queue/scheduler
	grep -H . /sys/block/$disk/queue/scheduler
done

if grep -q 'rf\.symbols' /proc/cmdline; then
	grep ' [tTwW] ' /proc/kallsyms | gzip -c | base64 -w 1000 | sed 's/^/SYMBOLS /'
fi

# measure NAME DISK [OPTION...]: if it is wanted
measure() {
	name=$1 disk=$2
	shift 2
	case " $devices " in
	*" $name "*)
		# shellcheck disable=SC2086
		check "requests to $disk" io --step "$@" "$name" "/dev/$disk" $ops ;;
	esac
}
measure ours rfa
measure virtio vda
measure emulated sda --share 20
end
