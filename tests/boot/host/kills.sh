#!/bin/sh
# Launchers killed hard at any moment leave nothing behind, $ROUNDS times; nor do
# those whose child still holds the descriptors.  Needs --bin build/host/churn.
. /lib/rf.sh
kernel=${GUESTS%% *}
rounds=${ROUNDS:-200}
plan 6

available() { sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo; }
random() { echo $(($(hexdump -n 4 -e '"%u"' /dev/urandom) % $1)); }

# What is freed late is freed before one looks: RCU, lazy unmapping, caches.
settle() {
	wait
	sleep 2
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
}

start() {	# start OPTION...: in the background, killed when $pid says so
	ringfence run "$@" >/tmp/log 2>&1 </dev/null &
	pid=$!
}

linux() {
	start -k "/guests/$kernel/vmlinuz" -i /guests/initrd.cpio.gz -m 128M -c 2 \
		-p "console=hvc0 panic=-1 rf.test=busy rf.seconds=600 rf.cpus=2" "$@"
}

kill_randomly() {	# kill_randomly TIMES
	n=0
	while [ $n -lt "$1" ]; do
		case $((n % 4)) in
		0) start -k /guest/smp.elf -c 2 -m 32M; most=300000 ;;
		1) start -k /guest/fuzz-pages.elf -c 2 -m 32M; most=300000 ;;
		2) linux; most=700000 ;;
		3) linux; most=${LONGEST_US:-4000000} ;;
		esac
		usleep "$(random $most)"
		kill -9 $pid 2>/dev/null
		wait $pid
		n=$((n + 1))
	done
}

# Caches of the host fill at the first ones.
kill_randomly 8
settle
before=$(available)
check "launchers are killed at $rounds moments" kill_randomly "$rounds"
settle
used=$((before - $(available)))
note "memory: $used kB less than before"
check "their memory came back" test $used -lt "${MOST_KB:-8192}"

# A child of the launcher outlives it, with all it had open.
orphan_holds() {
	churn orphan >/tmp/orphan || return 1
	! rmmod ringfence 2>/dev/null || return 1
	left=20
	while ! rmmod ringfence 2>/dev/null; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 1
	done
	insmod /ringfence.ko
	grep -qx "orphan: refused" /tmp/orphan
}
check "a child holds what its launcher had, and can do nothing" orphan_holds
check "nothing is listed" test -z "$(ringfence list | sed 1d)"
check "the module has no user" eval "rmmod ringfence && insmod /ringfence.ko"
check "the host runs guests as before" guest_elf hello -m 32M
done_testing
