#!/bin/sh
# Many idle guests: all start, all are listed, none costs much beyond its own
# memory, all go.
. /lib/rf.sh
kernel=${GUESTS%% *}
count=${COUNT:-32}
plan 5

# Which have not started, how they ended if they did, and what they said.
missing() {
	for n in $(seq "$count"); do
		grep -q RFGUEST-INIT /tmp/g$n.log && continue
		note "g$n has not started: status $(cat /tmp/g$n.status 2>/dev/null || echo none yet)"
		show /tmp/g$n.log
	done
}

# By the clock: on a host this busy a look takes longer than the sleep after it.
now() { cut -d . -f 1 /proc/uptime; }

start() {
	begun=$(now)
	for n in $(seq "$count"); do
		{
			ringfence run --name "g$n" -k "/guests/$kernel/vmlinuz" \
				-i /guests/initrd.cpio.gz -m "${GUEST_MEM:-128M}" -c 1 \
				-p "console=hvc0 panic=-1 quiet rf.test=idle rf.seconds=9999" \
				>/tmp/g$n.log 2>&1 </dev/null
			echo $? >/tmp/g$n.status
		} &
	done
	while [ "$(grep -l RFGUEST-INIT /tmp/g*.log | wc -l)" -lt "$count" ]; do
		[ $(($(now) - begun)) -lt "${LIMIT:-1500}" ] &&
			[ -z "$(ls /tmp/g*.status 2>/dev/null)" ] || { missing; return 1; }
		sleep 1
	done
	note "started within $(($(now) - begun)) s"
}

# What is in use, but for the guests' memory, which is the page cache's.
used() {
	awk '{ kb[$1] = $2 }
	     END { print kb["MemTotal:"] - kb["MemFree:"] - kb["Buffers:"] - kb["Cached:"] }' /proc/meminfo
}
before=$(used)
shmem=$(sed -n 's/^Shmem: *\([0-9]*\) kB/\1/p' /proc/meminfo)
check "$count guests start" start
sleep "${SETTLE:-5}"
each=$((($(used) - before) / count))
shmem=$((($(sed -n 's/^Shmem: *\([0-9]*\) kB/\1/p' /proc/meminfo) - shmem) / count))
note "a guest: $each kB, and $shmem kB of its own memory"
check "each costs less than ${MOST_KB:-5120} kB of the host's" test $each -lt "${MOST_KB:-5120}"

switches() { cat /sys/kernel/debug/ringfence/*/counters | awk '$2 == "switches" { n += $3 } END { print n }'; }
idle() {
	first=$(switches)
	sleep 10
	rate=$((($(switches) - first) / 10 / count))
	note "$rate world switches a second and guest"
	[ $rate -lt "${MOST_SWITCHES:-300}" ]
}
check "and little of its time" idle
check "all are listed" test "$(ringfence list | grep -c 'g[0-9]')" = "$count"
all_end() {
	for n in $(seq "$count"); do ringfence kill "g$n" || return 1; done
	wait
	[ -z "$(ringfence list | grep 'g[0-9]')" ]
}
check "all can be ended" all_end
done_testing
