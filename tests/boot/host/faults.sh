#!/bin/sh
# Whatever the host has too little of: nothing breaks but the VM that wanted it.
# For a host with fault injection; needs --bin build/host/churn.
. /lib/rf.sh
kernel=${GUESTS%% *}
rounds=${ROUNDS:-20}
plan 6
debug=/sys/kernel/debug
kinds="failslab fail_page_alloc fail_usercopy"

for kind in $kinds; do
	echo Y >$debug/$kind/task-filter
	echo -1 >$debug/$kind/times
	echo 0 >$debug/$kind/verbose
	echo 0 >$debug/$kind/probability
done
# Allocations that may wait, of any size and from anywhere, fail too.
echo N >$debug/failslab/ignore-gfp-wait
echo N >$debug/fail_page_alloc/ignore-gfp-wait
echo N >$debug/fail_page_alloc/ignore-gfp-highmem
echo 0 >$debug/fail_page_alloc/min-order

check "each step of a VM's life fails at each place it can" churn nth

# fail SECONDS PERMILLE KIND COMMAND...: some of its requests fail, by chance
fail() {
	limit=$1 interval=$((1000 / $2)) kind=$3
	shift 3
	echo $interval >$debug/$kind/interval
	echo 100 >$debug/$kind/probability
	timeout -s KILL $limit sh -c 'echo 1 >/proc/self/make-it-fail; exec "$@"' sh "$@"
	status=$?
	echo 0 >$debug/$kind/probability
	return $status
}

# How it ends is of no interest, but that it does.
ends() {	# ends KIND PERMILLE...
	kind=$1
	shift
	for permille in "$@"; do
		n=0
		while [ $n -lt "$rounds" ]; do
			fail 60 "$permille" "$kind" ringfence run --no-reboot \
				-k /guest/smp.elf -c 2 -m 32M >/tmp/log 2>&1 </dev/null
			status=$?
			echo $status >>/tmp/statuses
			[ $status != 137 ] || { show /tmp/log; return 1; }
			n=$((n + 1))
		done
		note "$kind $permille in 1000: $(sort /tmp/statuses | uniq -c | tr -s ' \n' ' ')"
		rm /tmp/statuses
	done
}
for kind in $kinds; do
	check "guests end, however, under $kind" ends $kind 1 5
done
boots() {
	fail 200 1 fail_page_alloc ringfence run --no-reboot \
		-k "/guests/$kernel/vmlinuz" -i /guests/initrd.cpio.gz -m 256M -c 2 \
		-p "console=hvc0 panic=-1 rf.test=uname" >/tmp/log 2>&1 </dev/null
	status=$?
	show /tmp/log
	note "a guest of Linux: status $status"
	[ $status != 137 ]
}
check "so does a guest of Linux" boots
check "the host runs guests as before" guest_elf smp -c 2 -m 32M
done_testing
