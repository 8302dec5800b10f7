#!/bin/sh
# Guests that do what they like: SEEDS runs of each fuzzer, from seed FIRST on.
#
# The wild ones may die of it, or never end and be killed; the host goes on, as
# its log and the last, ordinary guest show.
. /lib/rf.sh
first=${FIRST:-1}
seeds=${SEEDS:-5}
vcpus=${VCPUS:-2}
plan $((seeds * 4 + 1))

# wild SEED: any end but the launcher's own error
wild() {
	timeout -s TERM 20 ringfence run -k /guest/fuzz-hypercalls.elf -m 64M -c "$vcpus" \
		-p "wild=1 seed=$1 calls=${CALLS:-20000}" >/tmp/wild.log 2>&1 </dev/null
	status=$?
	show /tmp/wild.log | head -c 4000 | head -n 20
	case $status in
	1|2)	note "launcher exit status $status"; return 1 ;;
	*)	return 0 ;;
	esac
}

seed=$first
while [ "$seed" -lt $((first + seeds)) ]; do
	check "pages, seed $seed" guest_elf fuzz-pages -m 64M -p "seed=$seed rounds=${ROUNDS:-3000}"
	check "instructions, seed $seed" guest_elf fuzz-instructions -m 64M \
		-p "seed=$seed tries=${TRIES:-3000}"
	check "hypercalls, seed $seed" guest_elf fuzz-hypercalls -m 64M -c "$vcpus" \
		-p "seed=$seed calls=${CALLS:-20000}"
	check "wild hypercalls, seed $seed" wild "$seed"
	seed=$((seed + 1))
done
check "the host runs guests as before" guest_elf hello -m 32M
done_testing
