#!/bin/sh
# VMs are made and dropped $COUNT times, the module is loaded and unloaded $LOADS
# times, and what the host has is as much as before.  Needs --bin
# build/host/churn.
. /lib/rf.sh
count=${COUNT:-2000}
loads=${LOADS:-100}
plan 6

kb() { sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo; }
files() { cut -f 1 /proc/sys/fs/file-nr; }

settle() {
	sleep 2
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
}

# keep: what there is now; grown NAME LIMIT: less than LIMIT has been added
keep() {
	settle
	for name in Slab SUnreclaim PageTables KernelStack VmallocUsed Percpu AnonPages; do
		eval "$name=$(kb $name)"
	done
	MemFree=$(kb MemFree)
}
flat() {
	settle
	for name in Slab SUnreclaim PageTables KernelStack VmallocUsed Percpu AnonPages; do
		eval "grown=\$(($(kb $name) - $name))"
		note "$name: $grown kB more"
		[ $grown -lt "${MOST_KB:-1536}" ] || return 1
	done
	grown=$((MemFree - $(kb MemFree)))
	note "memory in use: $grown kB more"
	[ $grown -lt "$((2 * ${MOST_KB:-1536}))" ]
}

churn 100
keep
open_before=$(files)
check "$count VMs come and go" churn "$count"
check "memory in use is what it was" flat
check "no file is left open" test "$(files)" -le $((open_before + 8))

busy() {
	ringfence run --name busy -k /guest/fuzz-pages.elf -m 32M -p seconds=5 >/tmp/log 2>&1 </dev/null &
	n=0
	while ! ringfence list | grep -q busy && [ $n -lt 50 ]; do
		usleep 100000
		n=$((n + 1))
	done
	! rmmod ringfence 2>/dev/null
	refused=$?
	kill -9 $!
	wait
	return $refused
}
check "it cannot be unloaded under a guest" busy

reload() {
	n=0
	while [ $n -lt "$1" ]; do
		left=20
		while ! rmmod ringfence; do
			left=$((left - 1))
			[ $left -gt 0 ] || return 1
			usleep 200000
		done
		insmod /ringfence.ko || return 1
		[ $((n % 10)) != 0 ] || churn 1 || return 1
		n=$((n + 1))
	done
}
reload 5 2>/dev/null
keep
check "the module comes and goes $loads times" reload "$loads"
check "and leaves nothing" flat
done_testing
