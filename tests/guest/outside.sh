#!/bin/sh
# What a guest has from outside: how its end is told, the one CPU its vCPUs share,
# and the ports whose other end is an eventfd.  Needs --bin build/host/ports.
. /lib/rf.sh

# The watchdog bites not before its second is over, and then at once.
bitten() {
	timeout 60 ringfence run -k /guest/watchdog.elf -m 32M -p bite=1 >/tmp/bite.log 2>&1 </dev/null
	status=$?
	show /tmp/bite.log
	[ $status = 4 ] && grep -q "watchdog bit" /tmp/bite.log &&
		grep -q "not yet" /tmp/bite.log && ! grep -q "^not ok" /tmp/bite.log
}

# ends N STATUS: it ends so, and that is told
ends() {
	timeout 60 ringfence run -k /guest/shutdown.elf -m 32M -p "end=$1" >/tmp/end.log 2>&1 </dev/null
	status=$?
	show /tmp/end.log
	[ $status = "$2" ] && ! grep -q "^not ok" /tmp/end.log
}

# An emulator that reads the stack of IRETQ in ring 3 as if in ring 0 is named
# as soon as a guest has met it, and no other is.
quirk_is_told() {
	timeout 60 ringfence run -k /guest/hostile-selectors.elf -m 32M >/dev/null 2>&1 </dev/null
	qemu=$(sed -n 's/.*-\([0-9]*\)\.\([0-9]*\)$/\1 \2/p' /sys/class/dmi/id/product_version)
	# shellcheck disable=SC2086
	set -- ${qemu:-99 0}
	want=0
	if grep -qw smap /proc/cpuinfo && { [ "$1" -lt 9 ] || { [ "$1" = 9 ] && [ "$2" -lt 1 ]; }; }; then
		want=1
	fi
	note "QEMU ${qemu:-unknown}: quirk expected $want"
	[ "$(ringfence doctor | grep -c '^note  emulator')" = $want ]
}

plan 8
check "a watchdog that bites ends the guest, and the launcher says so" bitten
check "a code latched before says how it ended" ends 1 4
check "the first of two codes does" ends 2 0
check "the older form of the call says that it crashed" ends 3 4
check "and that it powered off" ends 4 0
check "vCPUs that share a CPU steal time from each other" \
	taskset 1 sh -c '. /lib/rf.sh; guest_elf runstate -c 2 -m 64M -p one-cpu=1'
if ports >/tmp/ports.log 2>&1; then ok "ports of the launcher"; else not_ok "ports of the launcher"; fi
sed 's/^/    /' /tmp/ports.log
check "what is wrong with the CPU is told" quirk_is_told
done_testing
