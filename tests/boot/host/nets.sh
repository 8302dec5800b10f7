#!/bin/sh
# A network device driven by hand (guest/net), on a bridge that answers it; what
# interfaces there are afterwards; who may make one.  Needs --bin build/host/nics.
. /lib/rf.sh
plan 11

modprobe bridge 2>/dev/null
# Nobody says anything unasked.
if cd /proc/sys/net/ipv6/conf 2>/dev/null; then echo 1 >default/disable_ipv6; cd /; fi
ip link add br0 type bridge
ip addr add 10.9.0.1/24 dev br0
ip link set br0 up

gone() { [ ! -e /sys/class/net/rf0 ]; }
drive() { guest_elf net -c 2 -m 64M --net "if=rf0,bridge=br0,mac=02:00:00:00:00:01,lockmac$1"; }

check "one pair of queues" drive
check "the interface is gone" gone
check "two pairs of queues" drive ,queues=2

nics >/tmp/nics.log 2>&1
status=$?
sed 's/^/    /' /tmp/nics.log
check "by ioctl alone" [ $status = 0 ]

# refused WORDS OPTION: not a guest, and why
refused() {
	ringfence run -k /guest/hello.elf -m 32M --net "$2" >/tmp/refused 2>&1 </dev/null
	[ $? = 1 ] && grep -q "$1" /tmp/refused && gone
}
ip link add rf1 type bridge
check "a name that is taken" refused "there is an interface of that name" if=rf1
check "a bridge that is none" refused "there is no bridge br9" if=rf0,bridge=br9
check "what cannot have ports" refused "cannot make it a port of lo" if=rf0,bridge=lo
# In a user namespace of its own it has no rights over the network it is in.
without_rights() {
	unshare -U ringfence run -k /guest/hello.elf -m 32M --net if=rf0 >/tmp/refused 2>&1 </dev/null
	[ $? = 1 ] && grep -q "takes CAP_NET_ADMIN" /tmp/refused && gone
}
check "without CAP_NET_ADMIN" without_rights

# Somebody deletes it, or its namespace ends, under a guest that uses it.
spinning() {
	ringfence run -k /guest/spin.elf -m 32M -p ms=600000 --name spin --net if=rf0 "$@" >/tmp/spin.log 2>&1 </dev/null &
	spin=$!
	await 60 test -e /sys/class/net/rf0 && await 60 ringfence info spin
}
deleted() {
	spinning && ip link del rf0 && gone && ringfence info spin >/dev/null &&
		ringfence kill spin && { wait $spin; [ ! -e /run/ringfence/spin ]; }
}
check "an interface may be deleted while a guest has it" deleted
# What is for a guest that takes nothing is lost, and not kept for ever.
lost() { [ "$(cat /sys/class/net/rf0/statistics/tx_dropped)" -gt 0 ]; }
deaf() {
	ringfence run -k /guest/net.elf -m 64M -p deaf=600000 --name deaf \
		--net if=rf0,bridge=br0 >/tmp/deaf.log 2>&1 </dev/null &
	deaf=$!
	await 60 grep -q 1 /sys/class/net/rf0/carrier || return 1
	# Who is 10.9.0.9?  Everybody on the bridge is asked.
	ping -w 60 10.9.0.9 >/dev/null 2>&1 &
	ping=$!
	await 60 lost
	was=$?
	kill $ping
	ringfence kill deaf
	wait $deaf $ping
	return $was
}
check "a deaf guest" deaf
killed() {
	spinning || return 1
	kill -9 $spin
	wait $spin
	await 30 gone
}
check "a launcher that is killed leaves none" killed
done_testing
