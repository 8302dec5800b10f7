#!/bin/sh
# A guest is saved, its VM taken away and another one given what was saved, again
# and again; it does not notice.  Needs --bin build/state/carry, and for a guest
# of Linux TEST and a --guest.
. /lib/rf.sh
times=${TIMES:-20}
seed=${SEED:-1}
apart=${APART:-60}

# carried VCPUS CMDLINE: the one-file guest that looks at everything
carried() {
	log=/tmp/carried.$RF_N.log
	watch "$log" timeout "${GUEST_TIMEOUT:-300}" carry "$times" "$seed" "$apart" \
		run -k /guest/carried.elf -m 64M -c "$1" -p "$2"
	status=$?
	[ "$status" = 0 ] && grep -q '^ok 1 ' "$log" && ! grep -q '^not ok' "$log"
}

# booted KERNEL VCPUS: a guest of Linux at work
booted() {
	log=/tmp/booted.$RF_N.log
	watch "$log" timeout "${GUEST_TIMEOUT:-600}" carry "$times" "$seed" "$apart" \
		run -k "/guests/$1/vmlinuz" -i /guests/initrd.cpio.gz -m 256M -c "$2" \
		-p "console=hvc0 panic=-1 rf.test=$TEST rf.cpus=$2 $CMDLINE"
	status=$?
	tr -d '\r' <"$log" | sed -n 's/^.*RFTEST \(not ok\|ok\) /    \1 /p'
	[ "$status" = 0 ] && [ "$(guest_verdict "$log")" = 0 ]
}

if [ -z "$TEST" ]; then
	plan 4
	# Twice as long as that should take, for the guest's time stands still only
	# while it is nowhere.
	ms=$((times * apart * 2))
	check "1 vCPU, 2-level events" carried 1 "ms=$ms"
	check "1 vCPU, FIFO events" carried 1 "ms=$ms fifo=1"
	check "2 vCPUs, 2-level events" carried 2 "ms=$ms"
	check "2 vCPUs, FIFO events" carried 2 "ms=$ms fifo=1"
	done_testing
fi

# shellcheck disable=SC2086
set -- ${VCPUS:-1 2}
plan $#
for n in "$@"; do
	check "${GUESTS%% *} with $n vCPUs: $TEST" booted "${GUESTS%% *}" "$n"
done
done_testing
