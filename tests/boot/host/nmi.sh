#!/bin/sh
# The host's life goes on while guests boot and work: NMIs, and CPUs that leave and
# return.
. /lib/rf.sh
kernel=${GUESTS%% *}
seconds=${SECONDS_IN:-30}
toggles=${TOGGLES:-20}
plan 3

nmis() { awk '/NMI:/ { n = 0; for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) n += $i; print n }' /proc/interrupts; }

# busy: a guest from its first instruction, in the foreground
busy() {
	GUEST_CMDLINE="rf.seconds=$seconds rf.cpus=2" guest_run "$kernel" busy -c 2 -m 256M
}

# 50 a second, but for what the monitor makes of it.
storm() {
	while :; do
		echo "RFVM-MONITOR nmi"
		usleep 20000
	done
}

before=$(nmis)
storm &
storm=$!
check "a guest boots and works under NMIs" busy
kill $storm
# The last ones are on their way.
sleep 1
note "NMIs: $(($(nmis) - before))"
check "the NMIs reached the host" test "$(nmis)" -gt $((before + seconds * 10))

cpu1=/sys/devices/system/cpu/cpu1/online
toggle() {
	n=0
	while [ $n -lt "$toggles" ]; do
		echo 0 >$cpu1 || return 1
		usleep 300000
		echo 1 >$cpu1 || return 1
		usleep 300000
		n=$((n + 1))
	done
}
both() {
	toggle >/tmp/toggle 2>&1 &
	toggler=$!
	busy || return 1
	wait $toggler
}
if [ -w $cpu1 ]; then
	check "a guest works while a host CPU leaves and returns, $toggles times" both
else
	skip "a guest works while a host CPU leaves and returns" "one CPU"
fi
done_testing
