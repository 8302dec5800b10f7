#!/bin/sh
# Every one-file guest passes.
. /lib/rf.sh
# shellcheck disable=SC2046
set -- $(ls /guest | sed -n 's/\.elf$//p' | grep -v '^bench-')
plan $#
for elf in "$@"; do
	check "$elf" guest_elf "$elf" -c "${VCPUS:-2}" -m 64M
done
done_testing
