#!/bin/sh
# A launcher is stopped and goes on: by signals, a debugger, a freezer.  Its guest
# takes up where it was.  And its threads do what the host leaves to them.  Needs
# --bin build/host/prod and --bin build/host/errands.
. /lib/rf.sh
kernel=${GUESTS%% *}
rounds=${ROUNDS:-20}
seconds=${SECONDS_IN:-10}
plan 9

# begin NAME: a guest that works, in the background, in a cgroup of that name
begin() {
	mkdir -p "/sys/fs/cgroup/$1"
	rm -f "/tmp/$1.log" "/tmp/$1.status"
	{
		ringfence run --name "$1" -k "/guests/$kernel/vmlinuz" -i /guests/initrd.cpio.gz \
			-m 256M -c 2 -p "console=hvc0 panic=-1 rf.test=busy rf.cpus=2 rf.seconds=$seconds" \
			>"/tmp/$1.log" 2>&1 </dev/null &
		echo $! >"/tmp/$1.pid"
		echo $! >"/sys/fs/cgroup/$1/cgroup.procs"
		wait $!
		echo $? >"/tmp/$1.status"
	} &
	left=120
	while ! grep -q RFGUEST-INIT "/tmp/$1.log" 2>/dev/null; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 1
	done
	pid=$(cat "/tmp/$1.pid")
}

worked() {
	wait
	show "/tmp/$1.log"
	[ "$(cat "/tmp/$1.status")" = 0 ] && [ "$(guest_verdict "/tmp/$1.log")" = 0 ]
}

switches() {
	awk '$2 == "switches" { sum += $3 } END { print sum + 0 }' \
		/sys/kernel/debug/ringfence/*-"$1"/counters
}

# stands_still NAME: it does nothing at all
stands_still() {
	before=$(switches "$1")
	sleep 1
	[ "$(switches "$1")" = "$before" ]
}

if errands >/tmp/errands.log 2>&1; then ok "work on the way to user mode"; else not_ok "work on the way to user mode"; fi
sed 's/^/    /' /tmp/errands.log

# Whatever it is in the middle of, from its first instruction on.
starts_stopped() {
	n=0
	while [ $n -lt "$rounds" ]; do
		ringfence run -k /guest/hello.elf -m 32M >/tmp/log 2>&1 </dev/null &
		pid=$!
		while kill -STOP $pid 2>/dev/null; do
			usleep 1000
			kill -CONT $pid
			usleep $((1000 + n * 100))
		done
		wait $pid || { show /tmp/log; return 1; }
		n=$((n + 1))
	done
}
check "launchers start though stopped again and again" starts_stopped

stop_often() {
	n=0
	while [ $n -lt "$rounds" ]; do
		kill -STOP "$pid" || return 1
		usleep 100000
		[ $n != 3 ] || stands_still stopped || return 1
		kill -CONT "$pid" || return 1
		usleep 100000
		n=$((n + 1))
	done
}
begin stopped
check "SIGSTOP stops a guest, SIGCONT lets it go on" stop_often
check "it worked on between" worked stopped

begin prodded
check "a debugger looks at every thread" prod "$pid" "$rounds"
check "the guest worked on" worked prodded

freeze_often() {
	n=0
	while [ $n -lt "$rounds" ]; do
		echo 1 >/sys/fs/cgroup/frozen/cgroup.freeze
		left=50
		until grep -q "frozen 1" /sys/fs/cgroup/frozen/cgroup.events; do
			left=$((left - 1))
			[ $left -gt 0 ] || return 1
			usleep 100000
		done
		[ $n != 3 ] || stands_still frozen || return 1
		echo 0 >/sys/fs/cgroup/frozen/cgroup.freeze
		usleep 100000
		n=$((n + 1))
	done
}
begin frozen
check "a cgroup freezes a guest and thaws it" freeze_often
check "it worked on after" worked frozen

# A frozen one can be killed all the same.
kill_frozen() {
	echo 1 >/sys/fs/cgroup/killed/cgroup.freeze
	sleep 1
	kill -9 "$pid"
	wait
	[ -z "$(ringfence list | grep killed)" ]
}
begin killed
check "a frozen launcher can be killed" kill_frozen
done_testing
