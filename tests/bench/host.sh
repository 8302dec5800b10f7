#!/bin/sh
# In the host VM: every operation natively, then in a guest, with the module's
# counters read before and after each.  Lines that begin with BENCH are for
# the combiner (tests/bench/bench).
. /lib/rf.sh
. /lib/follow.sh
plan 3

echo "BENCH native-boot $(dmesg | sed -n 's/^\[ *\([0-9.]*\)\] Run .* as init process.*/\1/p')"
native() {
	# shellcheck disable=SC2086
	ops $OPS >/tmp/native || return 1
	sed 's/^{/BENCH native {/' /tmp/native
}
check "operations run natively" native

symbols

in_guest() {
	mkfifo /tmp/keys
	exec 3<>/tmp/keys
	began=$(ops --now | cut -d' ' -f2)
	{
		timeout "${GUEST_TIMEOUT:-1500}" ringfence run --name bench \
			-k "/guests/$GUESTS/vmlinuz" -i /guests/initrd.cpio.gz \
			-p "console=hvc0 panic=-1 rf.test=ops ops=$(echo $OPS | tr ' ' ,) $GUEST_CMDLINE" \
			-m 512M -c 1 <&3 2>&1
		echo "$?" >/tmp/status
	} | ops --stamp "Run /init as init process" | follow
	[ "$(cat /tmp/status)" = 0 ]
}
check "operations run in a guest" in_guest

# One-file guests that measure something print the same JSON lines.
one_file() {
	for elf in /guest/bench-*.elf; do
		[ -e "$elf" ] || return 0
		timeout 300 ringfence run --name bench -k "$elf" -m 64M -c 1 </dev/null 2>&1 |
			tr -d '\r' | sed 's/^/guest: /; s/^guest: {"op"/BENCH guest {"op"/'
	done
}
check "hypercalls are timed" one_file
done_testing
