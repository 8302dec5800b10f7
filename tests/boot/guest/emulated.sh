#!/bin/sh
# A serial port, two disks and a CD-ROM that are emulated port by port, driven by
# the kernel's own drivers.  The host is at the other end of the serial port: it
# hears "at WHERE" and says "go".
. /lib/guest.sh

say() { echo "$*" >/dev/ttyS0; }
hear() { read -r line <&3; }
meet() { say "at $1" && hear && [ "$line" = go ]; }
sum() { sha256sum | cut -d' ' -f1; }
forget() { sync; echo 3 >/proc/sys/vm/drop_caches; }

# --- serial
is_16550a() { grep -q '^0: uart:16550A port:000003F8' /proc/tty/driver/serial; }
check "ttyS0 is a 16550A" is_16550a
check "and others are not there" [ "$(grep -c 'uart:unknown' /proc/tty/driver/serial)" = 3 ]
check "it works without an interrupt" polled /dev/ttyS0
stty -F /dev/ttyS0 115200 raw -echo
exec 3</dev/ttyS0
check "the other end is heard" meet start
check "long lines arrive whole" [ ${#line} = 2 ]
long=$(head -c 3000 /dev/zero | tr '\0' x)
say "$long"
hear
check "in both directions" [ "$line" = "$long" ]

# --- disks
modprobe libata
modprobe sd_mod
modprobe sr_mod
check "libata is told of the channels" insmod /lib/rf_legacy_ata.ko
dmesg | grep -E 'ata[0-9]|sd |sr |scsi'

# The kernel looks at both at once: which of them is sda is a matter of luck.
disk() { basename /sys/bus/scsi/devices/*:0:"$1":0/block/sd*; }
first=$(disk 0)
second=$(disk 1)
check "there is a disk of the right size" \
	[ -b "/dev/$first" -a "$(cat "/sys/block/$first/size")" = "$(option sectors)" ]
check "what the host has put there is read" \
	[ "$(dd if="/dev/$first" bs=1M 2>/dev/null | sum)" = "$(option sum)" ]

writes() {
	dd if=/dev/urandom of=/tmp/random bs=1k count=3000 2>/dev/null
	dd if=/tmp/random of="/dev/$first" bs=512 seek=1001 conv=fsync 2>/dev/null || return 1
	forget
	dd if="/dev/$first" bs=512 skip=1001 count=6000 2>/dev/null | cmp - /tmp/random
}
check "what is written is read back" writes
forget
check "the rest is what it was" \
	[ "$(dd if="/dev/$first" bs=512 count=1001 2>/dev/null | sum)" = "$(option head)" ]

small() {
	echo 0 >"/sys/block/$first/queue/read_ahead_kb"
	n=0
	while [ $n -lt 64 ]; do
		dd if="/dev/$first" of=/dev/null bs=4k skip=$((n * 17)) count=1 2>/dev/null || return 1
		n=$((n + 1))
	done
}
large() {
	echo 128 >"/sys/block/$first/queue/read_ahead_kb"
	dd if="/dev/$first" of=/dev/null bs=64k count=64 2>/dev/null
}
forget
meet small
check "4 KiB at a time" small
forget
meet large
check "4 MiB in one go" large
meet written
check "4 MiB are written" dd if=/dev/zero of="/dev/$first" bs=64k seek=64 count=64 conv=fsync
meet end

read_only() {
	[ "$(dd if="/dev/$second" bs=1M 2>/dev/null | sum)" = "$(option fixed)" ] || return 1
	! dd if=/dev/zero of="/dev/$second" bs=4k count=1 conv=fsync 2>/dev/null || return 1
	forget
	[ "$(dd if="/dev/$second" bs=1M 2>/dev/null | sum)" = "$(option fixed)" ]
}
check "a disk that is read-only stays what it is" read_only

# --- CD-ROM
check "there is a CD-ROM" [ "$(cat /sys/block/sr0/device/type)" = 5 ]
check "it is what the host has put there" [ "$(dd if=/dev/sr0 bs=64k 2>/dev/null | sum)" = "$(option disc)" ]
check "all of its drivers go away" rmmod rf_legacy_ata
check "and come back" insmod /lib/rf_legacy_ata.ko
first=$(disk 0)
check "to what has been written" cmp -n 3072000 -s /tmp/random "/dev/$first" 0 512512
say "sum $(dd if="/dev/$first" bs=1M 2>/dev/null | sum)"
end
