#!/bin/sh
# An unprivileged launcher makes any ioctl in any order; then the module still
# goes, comes and runs a guest.  Needs --bin build/fuzz/ioctl-storm.
. /lib/rf.sh
first=${FIRST:-1}
seeds=${SEEDS:-3}
plan $((seeds + 2))

seed=$first
while [ "$seed" -lt $((first + seeds)) ]; do
	check "ioctls, seed $seed" ioctl-storm "$seed" "${SECONDS_IN:-8}" "${WORKERS:-2}"
	seed=$((seed + 1))
done

reload() {
	left=20
	while ! rmmod ringfence 2>/tmp/rmmod; do
		left=$((left - 1))
		[ $left -gt 0 ] || { sed 's/^/# /' /tmp/rmmod; return 1; }
		sleep 1
	done
	insmod /ringfence.ko
}
check "nothing is left of it" reload
check "the host runs guests as before" guest_elf hello -m 32M
done_testing
