#!/bin/sh
# Every kernel in $GUESTS boots with every number of vCPUs in $VCPUS and passes
# the guest test $TEST.
. /lib/rf.sh
TEST=${TEST:-basic}
VCPUS=${VCPUS:-1 2 4}
MEM=${GUEST_MEM:-512M}

# shellcheck disable=SC2086
set -- $GUESTS
kernels=$#
# shellcheck disable=SC2086
set -- $VCPUS
plan $((kernels * $#))

for kernel in $GUESTS; do
	for n in $VCPUS; do
		GUEST_CMDLINE="rf.cpus=$n $CMDLINE" \
		check "$kernel with $n vCPUs: $TEST${CMDLINE:+ $CMDLINE}" \
			guest_run "$kernel" "$TEST" -m "$MEM" -c "$n"
	done
done
done_testing
