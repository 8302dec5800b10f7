#!/bin/sh
# What a launcher and its host may do to the memory of a guest that works: the
# guest must not notice.  The things to do come from torment.c; each set in
# $SETS, its words joined by "+", has a guest of its own.
. /lib/rf.sh
kernel=${GUESTS%% *}
seconds=${SECONDS_IN:-12}
all="dontneed+pageout+cold+willneed fork dontneed+huge+nohuge+collapse dontneed+migrate"
all="$all anon+fork+pageout anon+merge+pageout anon+huge+nohuge+collapse+pageout"
SETS=${SETS:-$all}
# shellcheck disable=SC2086
set -- $SETS
plan $((2 * $#))

modprobe zram 2>/dev/null
echo 1G >/sys/block/zram0/disksize
mkswap /dev/zram0 >/dev/null
swapon /dev/zram0
echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled
echo 2000 >/sys/kernel/mm/ksm/pages_to_scan
echo 5 >/sys/kernel/mm/ksm/sleep_millisecs
echo 1 >/sys/kernel/mm/ksm/run

# Compaction moves whatever can be moved.
while sleep 1; do echo 1 >/proc/sys/vm/compact_memory; done &
compactor=$!

works() {	# works WORDS
	LD_PRELOAD=/lib/torment.so TORMENT=$1 TORMENT_LOG=/tmp/torment.log \
		GUEST_CMDLINE="rf.cpus=2 rf.seconds=$seconds" \
		guest_run "$kernel" busy -m 256M -c 2 --seccomp off
}

# Each thing was done at least once, and what is merged was merged.
done_to_it() {	# done_to_it WORDS
	sed 's/^/# /' /tmp/torment.log
	for word in $1; do
		case $word in
		anon) ;;
		merge)
			note "pages merged at most: $most_merged"
			[ "$most_merged" -gt 0 ] || return 1 ;;
		*)
			grep -q "^$word [1-9]" /tmp/torment.log || return 1 ;;
		esac
	done
}

for set in "$@"; do
	words=$(echo "$set" | tr + ' ')
	case $set in
	*migrate*)
		if [ ! -d /sys/devices/system/node/node1 ]; then
			skip "a guest works under $words" "one memory node"
			skip "$words: done" "one memory node"
			continue
		fi ;;
	esac
	rm -f /tmp/torment.log /tmp/merged
	while sleep 1; do cat /sys/kernel/mm/ksm/pages_sharing >>/tmp/merged; done &
	watcher=$!
	check "a guest works under $words" works "$words"
	kill $watcher
	most_merged=$(sort -n /tmp/merged | tail -n 1)
	check "$words: done" done_to_it "$words"
done
kill $compactor
swapoff /dev/zram0
done_testing
