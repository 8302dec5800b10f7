#!/bin/sh
# Whole devices of the host given to a guest: a block device, a part of one, a
# CD-ROM.  Nobody gets one that is in use, and the host gets it back as it was left.
. /lib/rf.sh
kernel=${GUESTS%% *}
T=/media
plan 28

modprobe -a loop crc32c_intel ext4 sr_mod ata_piix
mkdir -p $T/mnt $T/cd
cd $T || exit 1

# disk NAME MIB: a device of something; the loop device's name is in $device
disk() {
	dd if=/dev/urandom of="$T/$1" bs=1M count="$2" 2>/dev/null
	device=$(losetup -f) && losetup -P "$device" "$T/$1"
}

sum() { md5sum <"$1" | cut -d' ' -f1; }

has_told() { [ "$(media_told "SUM $1")" = "$2" ]; }

disk whole 8 && whole=$device
disk mounted 16 && mounted=$device
disk limited 4 && limited=$device
disk other 4 && other=$device
mkfs.ext4 -q "$mounted" && mount -t ext4 "$mounted" mnt && echo "the host's" >mnt/file
# A table with two partitions of 2 MiB.
disk parts 5 && parts=$device
printf '\000\000\000\000\203\000\000\000\000\010\000\000\000\020\000\000' >table
printf '\000\000\000\000\203\000\000\000\000\030\000\000\000\020\000\000' >>table
dd if=/dev/zero of="$parts" bs=512 count=1 conv=notrunc 2>/dev/null
dd if=table of="$parts" bs=1 seek=446 conv=notrunc 2>/dev/null
printf '\125\252' | dd of="$parts" bs=1 seek=510 conv=notrunc 2>/dev/null
losetup -d "$parts" && losetup -P "$parts" parts
check "there is a device with two partitions" test -b "${parts}p1" -a -b "${parts}p2"
check "there is a CD-ROM" test -b /dev/sr0

# --- while a guest has them ------------------------------------------------------

neighbour_was=$(sum "${parts}p1")
around() { (dd if="$whole" bs=1M count=2; dd if="$whole" bs=1M skip=5) 2>/dev/null | md5sum; }
around_was=$(around)

media_run --disk "$whole,offset=2M,size=3M,serial=write-range" \
	--disk "/dev/sr0,readonly,serial=read-cd" \
	--disk "${parts}p2,serial=write-part" \
	--disk "$other,readonly,serial=read-only" \
	--disk "$limited,bps=1M,readonly,serial=time-bytes" &
check "a guest writes to its range" media_says "SUM write-range"
range() { dd if="$whole" bs=1M skip=2 count=3 2>/dev/null | md5sum | cut -d' ' -f1; }
check "and reads what it wrote" has_told write-range "$(range)"
check "and nothing around it has changed" [ "$(around)" = "$around_was" ]
check "it reads a CD-ROM" media_says "SUM read-cd"
check "and sees what is on it" has_told read-cd "$(sum /dev/sr0)"
check "it writes to a partition" media_says "SUM write-part"
check "and reads what it wrote" has_told write-part "$(sum "${parts}p2")"
check "it reads what it may only read" media_says "SUM read-only"
check "and nothing was written" has_told read-only "$(sum other)"
check "it is done" media_says "TIME time-bytes"

refused() {
	why=$1
	shift
	ringfence run -k "/guests/$kernel/vmlinuz" --console none --disk "$@" >/tmp/refused 2>&1
	status=$?
	cat /tmp/refused
	[ $status = 1 ] && grep -q "$why" /tmp/refused
}
check "no other guest gets it" refused "in use on this host" "$whole,readonly"
check "nor the host's own mount" eval '! mount -t ext4 "$whole" cd 2>/dev/null'
check "nor does a guest get what is mounted" refused "in use on this host" "$mounted"
check "nor another part of a device that another guest has a part of" \
	refused "in use on this host" "$parts"

# 2 MiB at 1 MiB a second, of which a tenth comes at once.
taken=$(media_told "TIME time-bytes")
note "2 MiB at 1 MiB a second took $taken ms"
check "bytes are limited" [ "${taken:-0}" -ge 1700 ]
check "and come" [ "${taken:-99999}" -lt 60000 ]

# 128 requests at 50 a second, of which 5 come at once.
mkimage() { dd if=/dev/urandom of="$1" bs=1M count=2 2>/dev/null; }
mkimage slow
attach() { ringfence attach-disk media "$1" >/tmp/attached; }
check "another one comes while it runs" attach "$T/slow,iops=50,serial=time-requests"
check "and is used" media_says "TIME time-requests"
taken=$(media_told "TIME time-requests")
note "128 requests at 50 a second took $taken ms"
check "requests are limited" [ "${taken:-0}" -ge 2200 ]

# --- and after ---------------------------------------------------------------------

check "the guest lets go of the device" ringfence detach-disk media write-range
check "the host has it back" mkfs.ext4 -q "$whole"
check "and so has the next guest" guest_elf hello --disk "$whole"
mkimage last
check "the guest ends" attach "$T/last,serial=end"
wait
check "with status 0" [ "$(cat $MEDIA_LOG.status)" = 0 ]
check "another's partition was out of reach" [ "$(sum "${parts}p1")" = "$neighbour_was" ]
umount mnt
for d in "$whole" "$mounted" "$limited" "$other" "$parts"; do losetup -d "$d"; done
check "nothing holds a device" eval '[ -z "$(losetup -a)" ]'
done_testing
