#!/bin/sh
# Launchers are killed while their guests write; what fsync() promised is there when the
# next one starts.  Needs --module brd, --module loop, --bin for mkfs.ext4, mkfs.xfs and
# mkfs.btrfs, and to look at the end for e2fsck, xfs_repair and btrfs.
. /lib/rf.sh
kernel=${GUESTS%% *}
rounds=${ROUNDS:-2}
LOG=/tmp/powercut.log
plan $((rounds * 2 + 8))

modprobe brd rd_nr=1 rd_size=$((320 << 10))
modprobe loop
truncate -s 64M /ext4.img
truncate -s 128M /btrfs.img
loop=$(losetup -f) && losetup "$loop" /btrfs.img
mkfs_all() { mkfs.ext4 -q /ext4.img && mkfs.xfs -q /dev/ram0 && mkfs.btrfs -q "$loop"; }
check "there are file systems" mkfs_all

# start [WORD]: in the background; words for its command line
start() {
	: >$LOG
	rm -f $LOG.status
	words="$*"
	for fs in ext4 xfs btrfs; do
		eval "range=\$$fs"
		words="$words${range:+ rf.$fs=$range}"
	done
	watch $LOG timeout "${GUEST_TIMEOUT:-600}" ringfence run -k "/guests/$kernel/vmlinuz" \
		-i /guests/initrd.cpio.gz --name powercut -m 512M -c 2 \
		-p "console=hvc0 panic=-1 loglevel=1 rf.test=powercut $words" \
		--disk /ext4.img,serial=ext4 --disk /dev/ram0,serial=xfs \
		--disk "$loop,serial=btrfs" &
}

cr=$(printf '\r')
# heard WORD FS: the last number it said, in a line that it said all of
heard() { sed -n "s/^$1 $2 \([0-9]*\)$cr.*/\1/p" $LOG | tail -n 1; }

all_write() {
	for fs in ext4 xfs btrfs; do
		eval "before=\${$fs#*-}"
		kept=$(heard KEPT $fs)
		[ "${kept:-0}" -ge $((${before:-0} + 3)) ] || return 1
	done
}
all_found() {
	for fs in ext4 xfs btrfs; do
		eval "before=\${$fs#*-}"
		[ -z "$before" ] || [ "$(heard FOUND $fs)" = "$before" ] || return 1
	done
}

pid() { ringfence info powercut --json | sed -n 's/.*"pid":\([0-9]*\).*/\1/p'; }

cut_power() {
	sleep "$((RANDOM % 3)).$((RANDOM % 10))"
	kill -9 "$(pid)"
	wait
}

# What it has promised now is what the next one looks for.
remember() {
	for fs in ext4 xfs btrfs; do
		eval "before=\${$fs#*-}"
		eval "$fs=$((${before:-0} + 1))-$(heard KEPT $fs)"
	done
	note "ext4 $ext4, xfs $xfs, btrfs $btrfs"
}

for round in $(seq "$rounds"); do
	start
	check "round $round: all write" await "${GUEST_TIMEOUT:-600}" all_write
	check "and what was promised before is there" all_found
	cut_power
	remember
done

start rf.last=1
wait
check "an orderly end" [ "$(guest_verdict $LOG)" = 0 ]
check "all that was promised is there" all_found
check "ext4 is whole" e2fsck -fn /ext4.img
check "XFS is whole" xfs_repair -n /dev/ram0
check "Btrfs is whole" btrfs check --readonly "$loop"

# The guest can tell.
dd if=/dev/zero of=/ext4.img bs=1M conv=notrunc count=64 2>/dev/null
mkfs.ext4 -q -F /ext4.img
start rf.last=1
wait
check "what is lost is missed" grep -q "^LOST ext4" $LOG
check "and the guest says so" [ "$(guest_verdict $LOG)" = 1 ]
losetup -d "$loop"
done_testing
