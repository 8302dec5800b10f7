#!/bin/sh
# A network by the kernel's own virtio_net: rf.net=ADDRESS is this guest's, rf.peer=
# that of who answers at ports 7001 (sends), 7002 (takes, and says the sum at
# 7003); rf.mtu= and rf.pairs= what there should be.
. /lib/guest.sh

address=$(option net)
peer=$(option peer)
mtu=$(option mtu)
pairs=$(option pairs)
sys=/sys/class/net/eth0

found() {
	modprobe rf_bus && modprobe virtio_net || return 1
	for second in 1 2 3 4 5 6 7 8 9 10; do
		[ -e $sys ] && return 0
		sleep 1
	done
	return 1
}
goes_up() {
	ip addr add "$address/24" dev eth0 && ip link set eth0 up || return 1
	for second in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(cat $sys/carrier)" = 1 ] && return 0
		sleep 1
	done
	return 1
}
# A bridge takes a while to hear of a link.
pinged() {
	for try in 1 2 3 4 5 6 7 8 9 10; do
		ping -c 3 -W 2 "$@" "$peer" >/tmp/ping && return 0
	done
	cat /tmp/ping
	return 1
}
check "virtio_net finds the interface" found
check "with the address it was given" [ "$(cat $sys/address)" = "$(option mac)" ]
check "and its MTU" [ "$(cat $sys/mtu)" = "$mtu" ]
check "$pairs pairs of queues" [ "$(find $sys/queues/ -name 'tx-*' | wc -l)" = "$pairs" ]
check "it goes up" goes_up
check "the peer answers" pinged
check "in frames as long as may be" pinged -s $((mtu - 28))
check "in many pieces" pinged -s 30000

# fetch PORT: what comes from there; it may not listen yet.
fetch() {
	for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		nc -w 60 "$peer" "$1" </dev/null >/tmp/came && [ -s /tmp/came ] && return 0
		sleep 1
	done
	return 1
}
receives() {
	fetch 7001 && head -c 33 /tmp/came >/tmp/sum && tail -c +34 /tmp/came | md5sum |
		cut -c1-32 | cmp - /tmp/sum
}
sends() {
	dd if=/dev/urandom of=/dev/shm/data bs=1M count=8 2>/dev/null
	nc -w 60 "$peer" 7002 </dev/shm/data >/tmp/sum &&
		[ "$(cut -c1-32 /tmp/sum)" = "$(md5sum </dev/shm/data | cut -c1-32)" ]
}
if [ "$(option talk)" = 1 ]; then
	check "what is received is what was sent" receives
	check "what is sent is what is received" sends
fi
comes_back() {
	ip link set eth0 down && rmmod virtio_net && [ ! -e $sys ] && found && goes_up && pinged
}
check "its driver goes and returns" comes_back
check "its log is clean" clean_log
grep virtio /proc/interrupts
cat $sys/statistics/*_dropped $sys/statistics/*_errors | tr '\n' ' '
echo
# Another guest may still ask.
if [ -n "$(option stay)" ]; then sleep "$(option stay)"; fi
end
