#!/bin/sh
# The host sleeps (S3) and wakes while a guest works; before that, it rehearses as
# far as each of the kernel's rehearsals goes, and s2idle as far as one can without
# anything to wake it: QEMU's alarm does not.
. /lib/rf.sh
kernel=${GUESTS%% *}
rounds=${ROUNDS:-2}
alarm=/sys/class/rtc/rtc0/wakealarm
plan 5

begin() {
	rm -f /tmp/log /tmp/status
	{
		ringfence run --name sleeper -k "/guests/$kernel/vmlinuz" -i /guests/initrd.cpio.gz \
			-m 256M -c 2 -p "console=hvc0 panic=-1 rf.test=busy rf.cpus=2 rf.seconds=${SECONDS_IN:-15}" \
			>/tmp/log 2>&1 </dev/null
		echo $? >/tmp/status
	} &
	left=120
	while ! grep -q RFGUEST-INIT /tmp/log; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 1
	done
}

worked() {
	wait
	show /tmp/log
	[ "$(cat /tmp/status)" = 0 ]
}

# rehearse STATE LEVEL: everything up to there, and back
rehearse() {
	echo "$2" >/sys/power/pm_test
	echo "$1" >/sys/power/state
	status=$?
	echo none >/sys/power/pm_test
	return $status
}

# rehearses STATE LEVEL...: each while the same guest works
rehearses() {
	state=$1 bad=0
	shift
	for level; do
		rehearse $state $level || { note "no $level of $state"; bad=1; }
	done
	return $bad
}

begin
if [ -w /sys/power/pm_test ]; then
	echo 1 >/sys/module/suspend/parameters/pm_test_delay
	check "the host rehearses sleep" rehearses mem freezer devices platform processors core
	check "and s2idle" rehearses freeze freezer devices platform
else
	skip "the host rehearses sleep" "no pm_test"
	skip "and s2idle" "no pm_test"
fi
check "the guest works on" worked

can_sleep() { [ -w $alarm ] && grep -qw deep /sys/power/mem_sleep; }

sleep_often() {
	n=0
	while [ $n -lt "$rounds" ]; do
		echo 0 >$alarm
		echo +4 >$alarm
		echo mem >/sys/power/state || return 1
		sleep 2
		n=$((n + 1))
	done
}

if can_sleep; then
	echo deep >/sys/power/mem_sleep
	begin
	check "it sleeps and wakes" sleep_often
	check "the guest works on after that" worked
else
	skip "it sleeps and wakes" "no alarm, or no such state"
	skip "the guest works on after that" "no alarm, or no such state"
fi
done_testing
