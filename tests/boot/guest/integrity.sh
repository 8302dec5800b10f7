#!/bin/sh
# Disks written and read back by fio, which knows what it wrote: rf.driver=block is ours,
# virtio_blk the kernel's own; rf.size=N MiB of each.  "SUM SERIAL MD5" is for the host
# to compare with what arrived.
. /lib/guest.sh

driver=$(option driver)
size=$(option size)
case $driver in
block)	modprobe rf_bus; modprobe rf_block; disks=rf ;;
*)	modprobe rf_bus stock=block; modprobe "$driver"; disks=vd ;;
esac
sleep 1

# write NAME OPTION...: random pieces at random places, read back when all are written
write() {
	name=$1
	shift
	fio --name=verify --filename="/dev/$name" --size="${size}M" --rw=randwrite \
		--bsrange=512-64k --verify=crc32c --verify_fatal=1 --verify_backlog=64 \
		--randseed="$(option seed)" --thread --group_reporting "$@" >/tmp/fio 2>&1 &&
		grep -q 'err= 0' /tmp/fio && return
	tail -n 30 /tmp/fio
	return 1
}

sum() { echo 3 >/proc/sys/vm/drop_caches; md5sum <"/dev/$1" | cut -d' ' -f1; }

for sys in /sys/block/$disks*; do
	name=${sys##*/}
	serial=$(cat "$sys/serial")
	check "$serial, around the cache" write "$name" --direct=1 --ioengine=libaio --iodepth=16
	check "$serial, through the cache" write "$name" --ioengine=psync --bs_unaligned \
		--fsync=64 --end_fsync=1
	echo "SUM $serial $(sum "$name")"
done
check "there are disks" [ -n "$serial" ]
check "its log is clean" clean_log
end
