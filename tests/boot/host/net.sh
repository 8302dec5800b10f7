#!/bin/sh
# A network by the guest kernel's own driver, on every guest kernel: by an
# interface of the host's alone, with short frames and long ones, and by a bridge
# that two guests are on.
. /lib/rf.sh
VCPUS=${VCPUS:-2}
MTUS=${MTUS:-1500 9000}
MAC=02:00:00:00:00
# shellcheck disable=SC2086
set -- $GUESTS
plan $(($# * $(echo $MTUS | wc -w) * 2 + $# * 4))

modprobe bridge 2>/dev/null
ip link set lo up

# The host's end of it: something to be had, and something that takes.
dd if=/dev/urandom of=/tmp/data bs=1M count=8 2>/dev/null
md5sum </tmp/data | cut -c1-32 >/tmp/data.sum
printf '#!/bin/sh\ncat /tmp/data.sum /tmp/data\n' >/tmp/give
printf '#!/bin/sh\nmd5sum\n' >/tmp/take
chmod +x /tmp/give /tmp/take
nc -ll -p 7001 -e /tmp/give &
nc -ll -p 7002 -e /tmp/take &

# host_end INTERFACE: when it is there, its address; and who is at the other end?
host_end() {
	rm -f /tmp/pinged
	await 120 test -e "/sys/class/net/$1" && ip addr add 10.8.0.1/24 dev "$1" &&
		await 200 ping -c 1 -W 1 10.8.0.2 && ping -c 3 -s 20000 10.8.0.2 >/dev/null &&
		touch /tmp/pinged
}

alone() {
	host_end rf0 &
	end=$!
	GUEST_CMDLINE="rf.net=10.8.0.2 rf.peer=10.8.0.1 rf.mtu=$2 rf.pairs=$VCPUS rf.mac=$MAC:01 rf.talk=1 rf.stay=3" \
	guest_run "$1" net -m 256M -c "$VCPUS" --net "if=rf0,mac=$MAC:01,lockmac,queues=$VCPUS,mtu=$2"
	alone=$?
	kill $end 2>/dev/null
	wait $end
	return $alone
}

# The first of two is there until the other one is done.
first() {
	GUEST_CMDLINE="rf.net=10.8.1.2 rf.peer=10.8.1.1 rf.mtu=1500 rf.pairs=1 rf.mac=$MAC:02 rf.talk=1 rf.stay=600" \
	guest_run "$1" net -m 256M --name first --net "if=rf-first,bridge=br0,mac=$MAC:02"
}
second() {
	GUEST_CMDLINE="rf.net=10.8.1.3 rf.peer=10.8.1.2 rf.mtu=1500 rf.pairs=1 rf.mac=$MAC:03" \
	guest_run "$1" net -m 256M --name second --net "if=rf-second,bridge=br0,mac=$MAC:03"
}
told() {
	ringfence info first >/tmp/info && grep -q "interface *rf-first" /tmp/info &&
		grep -q "mac *$MAC:02" /tmp/info && grep -q "driver *yes" /tmp/info
}
last_case() { grep -q "its log is clean" /tmp/first; }
leaves_none() {
	kill -9 "$(ringfence info first | sed -n 's/^pid *//p')" || return 1
	wait $first
	[ ! -e /sys/class/net/rf-first ] && [ ! -e /sys/class/net/rf-second ]
}

for kernel; do
	for mtu in $MTUS; do
		check "$kernel, frames of $mtu" alone "$kernel" "$mtu"
		check "$kernel, frames of $mtu: the host reached it" test -e /tmp/pinged
	done

	ip link add br0 type bridge && ip addr add 10.8.1.1/24 dev br0 && ip link set br0 up
	first "$kernel" >/tmp/first 2>&1 &
	first=$!
	await 300 last_case
	check "$kernel, on a bridge, by its driver" told
	check "$kernel, on a bridge, with another guest" second "$kernel"
	cat /tmp/first
	all_was_well() { last_case && ! grep -q "RFTEST not ok" /tmp/first; }
	check "$kernel, on a bridge" all_was_well
	check "$kernel: a launcher that is killed leaves no interface" leaves_none
	ip link del br0
done
done_testing
