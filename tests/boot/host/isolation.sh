#!/bin/sh
# A guest that minds its own business, next to others that do anything: its
# memory, time and events are its own.
. /lib/rf.sh
seconds=${SECONDS_IN:-20}
plan 4

storm() {
	seed=1
	while [ ! -e /tmp/calm ]; do
		timeout -s TERM 20 ringfence run -k /guest/fuzz-hypercalls.elf -m 64M -c 2 \
			-p "wild=1 seed=$seed calls=20000" >/dev/null 2>&1 </dev/null
		timeout -s TERM 20 ringfence run -k /guest/shadow-budget.elf -m 64M -c 2 \
			>/dev/null 2>&1 </dev/null
		seed=$((seed + 1))
		echo $seed >/tmp/storms
	done
}
storm &

GUEST_TIMEOUT=$((seconds * 20 + 60))
check "a quiet guest beside them" guest_elf neighbour -m 64M -p "seconds=$seconds seed=7"
check "and another" guest_elf neighbour -m 64M -p "seconds=$((seconds / 2)) seed=8"
: >/tmp/calm
wait
note "$(cat /tmp/storms) storms"
check "it stormed meanwhile" test "$(cat /tmp/storms)" -ge 2
check "and alone as before" guest_elf neighbour -m 64M -p "seconds=2"
done_testing
