#!/bin/sh
# How guests end, and what the host is left with.
. /lib/rf.sh
kernel=${GUESTS%% *}
plan 12

# run_as NAME TEST [OPTION...]: a guest in the background; /tmp/NAME.pid is its
# launcher, and its status ends up in /tmp/NAME.status
run_as() {
	name=$1 test=$2
	shift 2
	{
		ringfence run --name "$name" -k "/guests/$kernel/vmlinuz" \
			-i /guests/initrd.cpio.gz -m 256M -c 2 \
			-p "console=hvc0 panic=-1 rf.test=$test rf.seconds=${SECONDS_IN:-600} rf.cpus=2" \
			"$@" >/tmp/$name.log 2>&1 </dev/null &
		echo $! >/tmp/$name.pid
		wait $!
		echo $? >/tmp/$name.status
	} &
}

booted() { grep -q RFGUEST-INIT /tmp/$1.log; }
ended() { [ -s /tmp/$1.status ]; }
ended_with() { await 300 ended "$1" && [ "$(cat /tmp/$1.status)" = "$2" ]; }
pid_of() { cat "/tmp/$1.pid"; }
gone() { ! ringfence list --json | grep -q "\"$1\""; }

run_as off uname
check "power-off is status 0" ended_with off 0
run_as again reboot --no-reboot
check "reboot is status 3" ended_with again 3
run_as crash panic
check "a panic is status 4" ended_with crash 4
for name in off again crash; do show /tmp/$name.log; done

run_as one idle
run_as two busy
check "two guests run at once" await 300 eval "booted one && booted two"
check "both are listed" eval "ringfence list --json | grep -q one && ringfence list --json | grep -q two"
check "the module stays while a guest lives" eval "! rmmod ringfence 2>/dev/null"

pause_stops() {
	ringfence pause two || return 1
	before=$(ringfence stats two --json)
	sleep 2
	[ "$(ringfence stats two --json)" = "$before" ] || return 1
	ringfence resume two || return 1
	sleep 1
	[ "$(ringfence stats two --json)" != "$before" ]
}
check "pause stops a guest and resume lets it go on" pause_stops

ringfence kill one
check "kill is status 6" ended_with one 6
kill -9 "$(pid_of two)"
check "a launcher killed hard is gone from the list" await 30 gone two
show /tmp/two.log

run_as three busy
await 300 booted three
kill -TERM "$(pid_of three)"
check "a launcher asked to end does" await 60 ended three

# Ten launchers killed at a random moment of their guest's boot.
killed_early() {
	for n in 1 2 3 4 5 6 7 8 9 10; do
		run_as early$n uname
		usleep $((n * 200000))
		kill -9 "$(pid_of early$n)" 2>/dev/null
	done
	await 60 ended early10
	[ -z "$(ringfence list --json | grep early)" ]
}
check "launchers killed during a boot leave nothing" killed_early
check "the run directory is empty" eval "[ -z \"\$(ls /run/ringfence 2>/dev/null)\" ]"
done_testing
