#!/bin/sh
# What a guest gives back is the host's: by ringfence balloon, and of itself.
# DRIVERS (default both): ours, and the kernel's own.
. /lib/rf.sh
DRIVERS=${DRIVERS:-rf_balloon virtio_balloon}
# shellcheck disable=SC2086
set -- $GUESTS
plan $(($# * $(echo "$DRIVERS" | wc -w) * 18 + 4))
cd /tmp || exit 1
truncate -s 320M cache.img
truncate -s 1M signal.img

run() {	# run KERNEL OPTION...
	kernel=$1
	shift
	rm -f status
	{
		ringfence run --name g -k "/guests/$kernel/vmlinuz" -i /guests/initrd.cpio.gz \
			-m 512M -c 2 "$@" >log 2>&1 </dev/null
		echo $? >status
	} &
}

in_time() {	# in_time COMMAND...; not longer than the guest is there
	left=${GUEST_TIMEOUT:-300}
	until "$@" 2>/dev/null; do
		left=$((left - 1))
		[ $left -gt 0 ] && [ ! -s status ] || return 1
		sleep 1
	done
}
at() { tr -d '\r' <log | grep -q "^RFGUEST-AT $1$"; }
await_at() { in_time at "$1"; }

# A guest that waits loses its other disk, and gets one again.
signal() { ringfence detach-disk g signal >/dev/null; }
unsignal() { ringfence attach-disk g /tmp/signal.img,serial=signal >/dev/null; }

# MiB of the guest's memory that the host has pages for.
resident() {
	pid=$(ringfence info g --json | sed 's/.*"pid":\([0-9]*\).*/\1/')
	echo $(($(sed -n 's/^RssShmem:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status") / 1024))
}
host_free() { echo $(($(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1024)); }
below() { [ "$(resident)" -lt "$1" ]; }

# says NAME: a number of ringfence balloon, in MiB
says() {
	ringfence balloon g --json | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" |
		awk '{ printf "%d\n", $1 / 1048576 }'
}
close_to() { [ $(($1 - $2)) -le "${3:-1}" ] && [ $(($2 - $1)) -le "${3:-1}" ]; }

# The count follows when a whole request is done.
reported_since() { [ $(($(says reported_free) - $1)) -ge 150 ]; }
gives_unasked() {
	full=$(resident)
	reported=$(says reported_free)
	signal
	await_at freed && in_time below $((full - 150)) && in_time reported_since "$reported"
	status=$?
	note "resident: $full MiB, then $(resident); reported: $(($(says reported_free) - reported))"
	return $status
}

gives_when_asked() {
	await_at cached || return 1
	full=$(resident)
	free=$(host_free)
	ringfence balloon g 200M --timeout 300 >asked && await_at small || return 1
	note "resident: $full MiB, then $(resident); free in the host: $free, then $(host_free)"
	below $((full - 150)) && [ "$(host_free)" -ge $((free + 150)) ]
}

told() { close_to "$(says target)" 200 && close_to "$(says kept)" 200; }

# What it says of its memory: newer figures come with the next request.
tells() {
	ringfence balloon g 200M --timeout 300 >/dev/null
	in_time eval "ringfence balloon g --json | grep -q '\"available\":'" &&
		[ "$(says available)" -lt 190 ] && [ "$(says total)" -gt 100 ]
}

# A guest that cannot: it has taken back what it needs.
cannot() {
	await_at out || return 1
	[ "$(says kept)" -gt 250 ] || return 1
	ringfence balloon g 200M --timeout 3 2>err
	[ $? = 1 ] && grep -q 'the guest keeps [0-9]*M and not 200M' err
}

gets_back() {
	signal
	await_at asked && ringfence balloon g 512M --timeout 300 >asked && await_at whole || return 1
	[ "$(says kept)" = 512 ]
}

unloaded() {
	ringfence balloon g 300M --timeout 0 >asked
	await_at unloaded && [ "$(says kept)" = 512 ] &&
		ringfence balloon g --json | grep -q '"driver":false'
}

one() {	# one KERNEL DRIVER
	run "$1" --disk /tmp/cache.img --disk /tmp/signal.img,serial=signal \
		-p "console=hvc0 panic=-1 rf.test=balloon rf.driver=$2"
	check "$1: $2 is there" await_at full
	check "$1: what $2 reports free is free" gives_unasked
	unsignal
	check "$1: what $2 gives back is free" gives_when_asked
	check "$1: the host is told of it" told
	check "$1: and of the guest's memory" tells
	check "$1: a guest that cannot is complained of" cannot
	cat err
	check "$1: it gets memory back" gets_back
	check "$1: and all without its driver" unloaded
	unsignal
	wait
	show log
	tr -d '\r' <log | sed -n 's/^.*RFTEST \(not ok\|ok\) [0-9]* /\1 /p' >cases
	while read -r verdict; do
		case $verdict in
		ok*)	ok "$1: ${verdict#ok }" ;;
		*)	not_ok "$1: ${verdict#not ok }" ;;
		esac
	done <cases
	check "$1: $2: it ends well" eval '[ "$(cat status)" = 0 ] && [ "$(guest_verdict log)" = 0 ]'
}

for kernel; do
	for driver in $DRIVERS; do
		one "$kernel" "$driver"
	done
done

# Nobody there to ask.
run "$1" -p "console=hvc0 panic=-1 rf.test=tour rf.seconds=1000"
check "a guest without a driver boots" in_time grep -q TOUR log
ringfence balloon g 200M --timeout 2 >out 2>err
check "and is told from one that has" \
	eval "[ $? = 1 ] && grep -q 'no balloon driver that works' err"
cat err
check "its size is set all the same" close_to "$(says target)" 200
ringfence balloon g 600M >out 2>err
check "more than it was started with is refused" \
	eval "[ $? = 1 ] && grep -q 'was started with 512M' err"
ringfence kill g >/dev/null
wait
done_testing
