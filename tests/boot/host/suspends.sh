#!/bin/sh
# The host sleeps (S3) and wakes while a guest works; before that, it rehearses as
# far as each of the kernel's rehearsals goes.
. /lib/rf.sh
kernel=${GUESTS%% *}
rounds=${ROUNDS:-2}
alarm=/sys/class/rtc/rtc0/wakealarm
plan 4

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

# rehearse LEVEL: everything up to there, and back
rehearse() {
	echo "$1" >/sys/power/pm_test
	echo mem >/sys/power/state
	status=$?
	echo none >/sys/power/pm_test
	return $status
}

can_sleep() { [ -w $alarm ] && grep -qw deep /sys/power/mem_sleep; }

begin
if [ -w /sys/power/pm_test ]; then
	echo 1 >/sys/module/suspend/parameters/pm_test_delay
	for level in freezer devices platform processors core; do
		rehearse $level || { echo "# no $level"; touch /tmp/failed; }
	done
	check "the host rehearses sleep" test ! -e /tmp/failed
else
	skip "the host rehearses sleep" "no pm_test"
fi

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
check "the guest works on" worked

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
