#!/bin/sh
# Many idle guests: all start, all are listed, all go.
. /lib/rf.sh
kernel=${GUESTS%% *}
count=${COUNT:-32}
plan 3

start() {
	for n in $(seq "$count"); do
		ringfence run --name "g$n" -k "/guests/$kernel/vmlinuz" \
			-i /guests/initrd.cpio.gz -m "${GUEST_MEM:-64M}" -c 1 \
			-p "console=hvc0 panic=-1 quiet rf.test=idle rf.seconds=9999" \
			>/tmp/g$n.log 2>&1 </dev/null &
	done
	left=${LIMIT:-600}
	while [ "$(grep -l RFGUEST-INIT /tmp/g*.log | wc -l)" -lt "$count" ]; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 1
	done
	note "started within $((${LIMIT:-600} - left)) s"
}
check "$count guests start" start
check "all are listed" test "$(ringfence list | grep -c 'g[0-9]')" = "$count"
all_end() {
	for n in $(seq "$count"); do ringfence kill "g$n" || return 1; done
	wait
	[ -z "$(ringfence list | grep 'g[0-9]')" ]
}
check "all can be ended" all_end
done_testing
