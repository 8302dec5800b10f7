#!/bin/sh
# A guest that has nothing to do costs nothing.
. /lib/rf.sh
kernel=${GUESTS%% *}
seconds=${SECONDS_IN:-10}
plan 6

# count NAME COUNTER: of all its vCPUs
count() {
	awk -v c="$2" '$2 == c { sum += $3 } END { print sum + 0 }' \
		/sys/kernel/debug/ringfence/*-"$1"/counters
}

# watch_it NAME: what it does in ${seconds}
watch_it() {
	for c in switches halts events kicks exit_interrupt exit_hypercall exit_page_fault; do
		eval "$c=$(count "$1" $c)"
	done
	sleep "$seconds"
	for c in switches halts events kicks exit_interrupt exit_hypercall exit_page_fault; do
		eval "$c=\$(($(count "$1" $c) - $c))"
		eval "note \"$1 in $seconds s: $c \$$c\""
	done
}

# rest NAME: how often its launcher's other threads were on a CPU
rest() {
	pid=$(cat "/tmp/$1.pid")
	for t in /proc/"$pid"/task/*; do
		grep -q '^vcpu' "$t/comm" || sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' "$t/status"
	done | awk '{ sum += $1 } END { print sum + 0 }'
}

begin() {	# begin NAME MARK OPTION...: until MARK is printed
	name=$1 mark=$2
	shift 2
	ringfence run --name "$name" "$@" >"/tmp/$name.log" 2>&1 </dev/null &
	echo $! >"/tmp/$name.pid"
	left=200
	while ! grep -q "$mark" "/tmp/$name.log"; do
		left=$((left - 1))
		[ $left -gt 0 ] || { show "/tmp/$name.log"; return 1; }
		sleep 1
	done
}

check "a guest falls asleep" begin asleep "# asleep" -k /guest/asleep.elf -m 16M -p forever=1
before=$(rest asleep)
watch_it asleep
check "asleep, it never runs" test "$switches/$halts/$kicks" = 0/0/0
check "nor does its launcher" test "$(rest asleep)" = "$before"
ringfence kill asleep

check "a guest of Linux idles" begin linux RFGUEST-INIT -k "/guests/$kernel/vmlinuz" \
	-i /guests/initrd.cpio.gz -m 256M -c 2 -p "console=hvc0 panic=-1 quiet rf.test=idle rf.seconds=9999"
# Its boot has things to finish.
sleep "${SETTLE:-20}"
watch_it linux
show /tmp/linux.log
# A wake-up is the timer's, told by one event, and ends in a block.
check "it wakes for its own timers only" test "$halts" -gt 0 -a $((events - halts)) -le $((halts / 4 + 4))
check "which are few" test $halts -lt $((seconds * ${MOST_PER_SECOND:-30}))
note "world switches for each: $((switches / (halts + 1)))"
ringfence kill linux
wait
done_testing
