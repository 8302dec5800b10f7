#!/bin/sh
# Disks that come and go: each is used as its serial number says, and what came
# of it is printed for the host to judge.  The disk "end" ends it.
#
#	read...		SUM SERIAL its md5sum; nothing can be written to it
#	write...	all of it written over; SUM SERIAL what is read back
#	time...		TIME SERIAL ms for 2 MiB in pieces of 16 KiB, one by one
#	doomed...	read until that fails; FAILED SERIAL
. /lib/guest.sh

modprobe rf_bus && modprobe rf_block || exit 1

sum() { echo 3 >/proc/sys/vm/drop_caches; md5sum <"/dev/$1" | cut -d' ' -f1; }

do_read() {
	if [ "$(cat "/sys/block/$1/ro")" = 1 ] && dd if=/dev/zero "of=/dev/$1" bs=4k count=1 \
	   oflag=direct 2>/dev/null; then
		echo "SUM $2 was-written"
	else
		echo "SUM $2 $(sum "$1")"
	fi
}

do_write() {
	dd if=/dev/urandom "of=/dev/$1" bs=64k count="$(($(cat "/sys/block/$1/size") / 128))" \
		conv=fsync 2>/dev/null || return
	echo "SUM $2 $(sum "$1")"
}

# In hundredths of a second since the boot.
now() { cut -d' ' -f1 /proc/uptime | tr -d .; }

do_time() {
	begin=$(now)
	dd "if=/dev/$1" of=/dev/null bs=16k count=128 iflag=direct 2>/dev/null || return
	echo "TIME $2 $((($(now) - begin) * 10))"
}

do_doomed() {
	while dd "if=/dev/$1" of=/dev/null bs=16k count=4 iflag=direct 2>/dev/null; do
		echo "LIVES $2"
		sleep 0.5
	done
	echo "FAILED $2"
}

seen=" "
while :; do
	for sys in /sys/block/rf*; do
		name=${sys##*/}
		serial=$(cat "$sys/serial" 2>/dev/null)
		[ -b "/dev/$name" ] && [ -n "$serial" ] || continue
		case $seen in *" $serial "*) continue ;; esac
		seen="$seen$serial "
		case $serial in
		read*)	do_read "$name" "$serial" ;;
		write*)	do_write "$name" "$serial" ;;
		time*)	do_time "$name" "$serial" ;;
		doomed*) do_doomed "$name" "$serial" & ;;
		end)	exit 0 ;;
		esac
	done
	sleep 0.2
done
