#!/bin/sh
# Work on every CPU for rf.seconds, and check the work.
. /lib/guest.sh
seconds=$(option seconds)
dd if=/dev/urandom of=/dev/shm/data bs=1M count=8 2>/dev/null
right=$(sha256sum </dev/shm/data)
until=$(($(cut -d. -f1 /proc/uptime) + seconds))
work() {
	while [ "$(cut -d. -f1 /proc/uptime)" -lt $until ]; do
		cp /dev/shm/data /dev/shm/copy.$1
		[ "$(sha256sum </dev/shm/copy.$1)" = "$right" ] || return 1
	done
}
all() {
	pids=
	for cpu in $(seq 1 "$(nproc)"); do
		work $cpu &
		pids="$pids $!"
	done
	bad=0
	for pid in $pids; do wait $pid || bad=1; done
	return $bad
}
check "$seconds seconds of work on $(nproc) CPUs" all
check "its log is clean" clean_log
end
