#!/bin/sh
# Guests of stock Linux are asked to shut down, and do so in good order.
. /lib/rf.sh
# shellcheck disable=SC2086
set -- $GUESTS
plan $(($# * 8 + 6))

# run_as NAME KERNEL RDINIT [WORD]: a guest in the background; its status ends up
# in /tmp/NAME.status
run_as() {
	name=$1 kernel=$2 init=$3 word=$4
	rm -f /tmp/$name.status
	{
		ringfence run --name "$name" -k "/guests/$kernel/vmlinuz" \
			-i /guests/initrd.cpio.gz -m 256M -c 2 \
			-p "console=hvc0 panic=-1 rdinit=$init $word" \
			>/tmp/$name.log 2>&1 </dev/null
		echo $? >/tmp/$name.status
	} &
}

# count NAME TEXT: lines of the guest's console with TEXT in it
count() { tr -d '\r' <"/tmp/$1.log" | grep -c "$2"; }
booted() { [ "$(count "$1" RFGUEST-INIT)" = "${2:-1}" ]; }
ended_with() { await 120 test -s "/tmp/$1.status" && [ "$(cat "/tmp/$1.status")" = "$2" ]; }
listens() { ringfence info "$1" --json | grep -q '"listens":true'; }

# An orderly guest, from its boot by way of a reboot to its end.
orderly() {
	run_as a "$1" /tests/orderly.sh
	check "$1: boots" await 400 booted a
	check "$1: nothing in its boot waits or complains" [ "$(count a 'RFTEST not ok')" = 0 ]
	check "$1: listens for requests" listens a
	ringfence reboot a >/tmp/reboot 2>&1
	check "$1: reboots when asked to" [ $? = 0 ]
	check "$1: its programs have seen it" [ "$(count a RFGUEST-SHUTDOWN)" = 1 ]
	check "$1: is there again" await 400 booted a 2
	ringfence stop a --json >/tmp/stop 2>&1
	status=$?
	check "$1: powers off when asked to" \
		[ "$status $(cat /tmp/stop)" = '0 {"name":"a","asked":"poweroff","listens":true,"result":"poweroff"}' ]
	check "$1: in good order, with status 0" \
		eval "ended_with a 0 && [ \$(count a RFGUEST-SHUTDOWN) = 2 ]"
	show /tmp/a.log
	cat /tmp/stop
}

for kernel; do
	orderly "$kernel"
done

# A guest whose poweroff program does nothing takes note, and that is all.
run_as b "$1" /tests/deaf.sh
await 400 booted b
ringfence stop b --timeout 3 2>/tmp/err
check "a guest that goes on is complained about" \
	eval "[ $? = 1 ] && grep -q 'took note but still runs' /tmp/err"
cat /tmp/err
check "info says how far it got" eval "ringfence info b | grep -q 'shutdown.*taken'"
check "and --force ends it" ringfence stop b --timeout 1 --force
check "which is a kill for its launcher" ended_with b 6

# A kernel without the driver.
run_as c "$1" /tests/deaf.sh initcall_blacklist=xen_setup_shutdown_event
await 400 booted c
ringfence stop c --timeout 2 2>/tmp/err
check "a guest that cannot hear is told from others" \
	eval "[ $? = 1 ] && grep -q 'nobody in the guest has listened' /tmp/err"
cat /tmp/err
ringfence kill c
check "nothing is left behind" eval "[ -z \"\$(ls /run/ringfence 2>/dev/null)\" ]"
done_testing
