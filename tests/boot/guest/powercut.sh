#!/bin/sh
# File systems keep what fsync() said that they have: a writer on each disk, whose serial
# number says of which kind it is, until somebody cuts the power.
#
#	KEPT FS N	its files up to number N are to be there after that
#	FOUND FS N	all of them are: rf.FS=FIRST-LAST
#	LOST FS WHAT
#
# With rf.last=1 nothing more is written, and the file systems are unmounted.
. /lib/guest.sh

content() { yes "$1 keeps number $2" | head -c "$3"; }
size() { echo $(($1 * 7919 % 61 * 1021 + 1)); }

# One sector, overwritten in place: no disk tears it.
mark() { content "$1" "$2" 512; }

# found FS FIRST LAST: the files, and a mark that is not older than they are
found() {
	n=$2
	while [ "$n" -le "$3" ]; do
		content "$1" "$n" "$(size "$n")" | cmp -s - "/mnt/$1/file.$n" ||
			{ echo "LOST $1 file.$n"; return 1; }
		n=$((n + 1))
	done
	n=$(head -n 1 "/mnt/$1/mark" | sed 's/.* //')
	if mark "$1" "$n" | cmp -s - "/mnt/$1/mark" && [ "$n" -ge "$3" ]; then
		echo "FOUND $1 $3"
	else
		echo "LOST $1 mark: $n"
		return 1
	fi
}

# Never waited for: what the power takes.
noise() {
	while dd if=/dev/urandom of="/mnt/$1/noise" bs=64k count=8 2>/dev/null; do
		mv "/mnt/$1/noise" "/mnt/$1/heard"
	done
}

writes() {
	rm -f "/mnt/$1"/file.*
	noise "$1" &
	n=$2
	while :; do
		n=$((n + 1))
		content "$1" "$n" "$(size "$n")" | dd of="/mnt/$1/file.$n" conv=fsync 2>/dev/null &&
		mark "$1" "$n" | dd of="/mnt/$1/mark" conv=notrunc,fsync 2>/dev/null || return
		echo "KEPT $1 $n"
	done
}

modprobe -a rf_bus rf_block crc32c_generic ext4 xfs btrfs
sleep 1
status=0
for sys in /sys/block/rf*; do
	fs=$(cat "$sys/serial")
	mkdir -p "/mnt/$fs"
	if ! mount -t "$fs" "/dev/${sys##*/}" "/mnt/$fs"; then
		echo "LOST $fs all"
		status=1
		continue
	fi
	range=$(option "$fs")
	last=${range#*-}
	[ -z "$range" ] || found "$fs" "${range%-*}" "$last" || status=1
	[ "$(option last)" = 1 ] || writes "$fs" "${last:-0}" &
done
wait
for dir in /mnt/*; do umount "$dir" || status=1; done
dmesg | grep -E 'EXT4-fs (error|warning)|XFS.*(orrupt|rror)|BTRFS (error|critical|warning)' && status=1
exit $status
