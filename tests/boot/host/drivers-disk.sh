#!/bin/sh
# A disk by the guest kernel's own driver, and by ours, on every guest kernel.
. /lib/rf.sh
VCPUS=${VCPUS:-4}
# shellcheck disable=SC2086
set -- $GUESTS
plan $(($# * 2))
dd if=/dev/zero of=/disk.img bs=1M count=64 2>/dev/null
for kernel; do
	for name in rfa vda; do
		GUEST_CMDLINE="rf.cpus=$VCPUS rf.disk=$name" \
		check "$kernel with $VCPUS vCPUs: $name" guest_run "$kernel" disk -m 512M \
			-c "$VCPUS" --disk "/disk.img,serial=boot-test,queues=$VCPUS"
	done
done
done_testing
