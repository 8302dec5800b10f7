#!/bin/sh
# Each way in which a guest can be beyond help ends that guest, at once, with a
# reason; the next one starts as if nothing had been.
. /lib/rf.sh

count=$(ringfence run -k /guest/deaths.elf -m 32M </dev/null 2>&1 | tr -d '\r' |
	sed -n 's/^# deaths: //p')
plan $((${count:-0} + 1))

# death N: killed by the module within 20 seconds, and it says why
death() {
	timeout 20 ringfence run -k /guest/deaths.elf -m 32M -p "death=$1" \
		>/tmp/death.log 2>&1 </dev/null
	status=$?
	show /tmp/death.log
	[ $status = 5 ] && grep -q 'killed by the module: ..*' /tmp/death.log
}

n=0
while [ $n -lt "${count:-0}" ]; do
	n=$((n + 1))
	death $n
	status=$?
	name=$(tr -d '\r' </tmp/death.log | sed -n 's/^# dying by //p')
	check "${name:-death $n}" test $status = 0
done
check "the host runs guests as before" guest_elf hello -m 32M
done_testing
