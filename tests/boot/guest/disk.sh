#!/bin/sh
# A disk of the host's by a driver: rf.disk=NAME, e.g. rfa (ours) or vda (the
# kernel's own).  It has 64 MiB, all of it to be written over.
. /lib/guest.sh

name=$(option disk)
disk=/dev/$name
sys=/sys/block/$name
cpus=$(option cpus)
case $name in
rf*)	arg= driver=rf_block ;;
*)	arg=stock=block driver=virtio_blk ;;
esac

found() {
	modprobe rf_bus $arg && modprobe $driver || return 1
	for second in 1 2 3 4 5 6 7 8 9 10; do
		[ -b $disk ] && return 0
		sleep 1
	done
	return 1
}
check "$driver finds the disk" found
check "of the right size" [ "$(cat $sys/size)" = 131072 ]
check "with its serial number" [ "$(cat $sys/serial)" = boot-test ]
check "a queue for each of $cpus vCPUs" [ "$(ls $sys/mq | wc -l)" = "$cpus" ]
check "its cache is to be flushed" grep -q 'write back' $sys/queue/write_cache

# What is written is read back, by the cache and around it.
dd if=/dev/urandom of=/dev/shm/data bs=1M count=16 2>/dev/null
sum=$(md5sum </dev/shm/data)
drop() { echo 3 >/proc/sys/vm/drop_caches; }
back() { [ "$(dd if=$disk bs=1M skip="$1" count=16 2>/dev/null | md5sum)" = "$sum" ]; }
buffered() { dd if=/dev/shm/data of=$disk bs=1M conv=fsync 2>/dev/null && drop && back 0; }
small() { dd if=/dev/shm/data of=$disk bs=4k count=1024 seek=4096 oflag=direct 2>/dev/null &&
	drop && dd if=$disk bs=4k skip=4096 count=1024 iflag=direct 2>/dev/null |
	cmp -n 4194304 - /dev/shm/data; }
check "what is written is read back" buffered
check "in small pieces, around the cache" small

# Every vCPU at once, each at a place of its own.
one() { taskset "$(printf %x $((1 << $1)))" sh -c "
	dd if=/dev/shm/data of=$disk bs=64k count=64 seek=$((256 + $1 * 64)) oflag=direct 2>/dev/null &&
	dd if=$disk bs=64k count=64 skip=$((256 + $1 * 64)) iflag=direct 2>/dev/null | md5sum >/tmp/sum.$1"; }
every() {
	want=$(dd if=/dev/shm/data bs=64k count=64 2>/dev/null | md5sum)
	pids=
	for cpu in $(seq 0 $((cpus - 1))); do one "$cpu" & pids="$pids $!"; done
	for pid in $pids; do wait "$pid" || return 1; done
	for cpu in $(seq 0 $((cpus - 1))); do [ "$(cat /tmp/sum.$cpu)" = "$want" ] || return 1; done
}
check "by every vCPU at once" every
goes_and_returns() { rmmod $driver && [ ! -b $disk ] && found && drop && back 0; }
check "its driver goes and returns" goes_and_returns
check "its log is clean" clean_log
grep -E "requests|virtio" /proc/interrupts
end
