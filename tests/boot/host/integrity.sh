#!/bin/sh
# What guests write to disks is what they read, and what the host finds: random writes
# checked by fio, under our driver and the kernel's own, by each way to a disk's bytes.
# Needs --module brd, --module loop, --guest-bin for fio.
. /lib/rf.sh
size=${MIB:-16}
seed=${SEED:-$RANDOM}
export GUEST_TIMEOUT="${GUEST_TIMEOUT:-900}"
# shellcheck disable=SC2086
set -- $GUESTS
plan $(($# * 8))
note "seed $seed"

modprobe brd rd_nr=1 rd_size=$((size << 10))
modprobe loop
for name in file looped; do dd if=/dev/zero of=/$name bs=1M count="$size" 2>/dev/null; done
loop=$(losetup -f) && losetup "$loop" /looped

# The host's own cache of a device knows nothing of it yet, or no more.
sum() { echo 3 >/proc/sys/vm/drop_caches; md5sum <"$1" | cut -d' ' -f1; }
arrived() {
	told=$(tr -d '\r' <"$GUEST_LOG" | sed -n "s/^SUM $1 //p")
	[ -n "$told" ] && [ "$told" = "$(sum "$2")" ]
}

for kernel; do
	for driver in block virtio_blk; do
		GUEST_CMDLINE="rf.driver=$driver rf.size=$size rf.seed=$seed" \
		check "$kernel with $driver reads what it wrote" guest_run "$kernel" integrity \
			-m 768M -c 2 --disk /file,serial=file,queues=2 \
			--disk /dev/ram0,serial=device,queues=2 --disk "$loop,serial=loop"
		check "all of it is in the file" arrived file /file
		check "on the device" arrived device /dev/ram0
		check "behind the loop device" arrived loop "$loop"
		seed=$((seed + 1))
	done
done
losetup -d "$loop"
done_testing
