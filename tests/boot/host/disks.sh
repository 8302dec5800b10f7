#!/bin/sh
# A disk driven by hand (guest/disk), by each way there is to its bytes: what the
# guest was not given stays as it was.
. /lib/rf.sh
plan 13

T=/disks
mkdir -p $T
modprobe brd rd_nr=1 rd_size=4096 2>/dev/null

# 4 MiB of something; the guest gets the second of them.
dd if=/dev/urandom of=$T/before bs=1M count=4 2>/dev/null
EXTENT=offset=1M,size=1M,serial=hand-driven

around() { (dd if="$1" bs=1M count=1; dd if="$1" bs=1M skip=2) 2>/dev/null | md5sum; }
middle() { dd if="$1" bs=1M skip=1 count=1 2>/dev/null | md5sum; }

untouched() { [ "$(around "$1")" = "$(around $T/before)" ]; }
written() { [ "$(middle "$1")" != "$(middle $T/before)" ]; }

# drive NAME PATH OPTIONS: run the guest on a copy
drive() {
	cat $T/before >"$2"
	check "$1" guest_elf disk -c 2 -m 64M --disk "$2,$EXTENT$3"
	check "$1: only what it was given" untouched "$2"
}

drive "a file" $T/file ,discard
check "a file: it was written" written $T/file
drive "a file, limited" $T/file ,discard,iops=2000,bps=20M
drive "a device, direct" /dev/ram0 ,discard
check "a device, direct: it was written" written /dev/ram0
drive "a device, buffered" /dev/ram0 ,discard,buffered,queues=2
drive "a file, read-only" $T/file ,readonly
untouched_all() { cmp -s $T/file $T/before; }
check "a file, read-only: nothing was written" untouched_all
done_testing
