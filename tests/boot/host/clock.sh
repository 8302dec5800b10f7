#!/bin/sh
# A guest's clock runs as its host's does: below $PPM over $SECONDS_IN, and nowhere
# further off than $MOST_NS.  $DISTURB is what happens to the host's meanwhile:
#
#	jumps	the wall clock is set, forth and back
#	slews	the clock is made faster and slower
#
# Needs --bin and --guest-bin build/host/clocks.
. /lib/rf.sh
kernel=${GUESTS%% *}
seconds=${SECONDS_IN:-60}
plan 4

disturb() {
	for n in 1 2 3; do
		sleep $((seconds / 8 + 1))
		case $1 in
		jumps)
			date -s "@$(($(date +%s) + 86400))" >/dev/null
			sleep $((seconds / 8 + 1))
			date -s "@$(($(date +%s) - 2 * 86400))" >/dev/null ;;
		slews)
			adjtimex -q -f 32768000 >/dev/null
			sleep $((seconds / 8 + 1))
			adjtimex -q -f -32768000 -t 9990 >/dev/null ;;
		esac
	done
	[ "$1" != slews ] || adjtimex -q -f 0 -t 10000 >/dev/null
}

# Stamps of the host's while the guest makes its own.
keeps_time() {
	clocks every "${STEP_MS:-50}" 999999999 >/tmp/host &
	logger=$!
	[ -z "$DISTURB" ] || disturb "$DISTURB" &
	GUEST_TIMEOUT=99999999 GUEST_CMDLINE="rf.seconds=$seconds rf.busy=${BUSY:-0}" \
		guest_run "$kernel" clock -m 256M -c "${VCPUS:-2}"
	status=$?
	usleep $((${STEP_MS:-50} * 4000))
	kill $logger
	return $status
}
check "a guest runs for $seconds s" keeps_time

# Where the host's clock was at the guest's TSC: on the line between two stamps.
tr -d '\r' <"$GUEST_LOG" | grep '^CLOCK [0-9]* [0-9]*$' >/tmp/guest
awk '
	BEGIN { n = 0 }
	NR == FNR { tsc[n] = $2; ns[n++] = $3; next }
	{
		while (i < n - 2 && tsc[i + 1] < $2) i++
		host = ns[i] + ($2 - tsc[i]) * (ns[i + 1] - ns[i]) / (tsc[i + 1] - tsc[i])
		off = $3 - host
		if (!m++) { first = off; start = host }
		late = off - first
		if (late > most) most = late
		if (late < least) least = late
		last = late; end = host
	}
	END {
		if (m < 10 || end <= start) exit 1
		printf "%.3f %.3f %.0f %.0f %d\n", (end - start) / 1e9, last / (end - start) * 1e6, least, most, m
	}' /tmp/host /tmp/guest >/tmp/drift
read -r over ppm least most stamps </tmp/drift
note "over $over s: $ppm ppm; off by $least to $most ns at $stamps looks"

# How much the host's own speed changed meanwhile, second by second.
spread=$(awk -v k="$((1000 / ${STEP_MS:-50} + 1))" '
	{ tsc[NR] = $2; ns[NR] = $3 }
	END {
		for (i = 1; i + k <= NR; i += k) {
			slope = (ns[i + k] - ns[i]) / (tsc[i + k] - tsc[i])
			if (!least || slope < least) least = slope
			if (slope > most) most = slope
		}
		printf "%d\n", (most / least - 1) * 1e6
	}' /tmp/host)
note "the host's clock ran at speeds $spread ppm apart"
case $DISTURB in
slews)	check "the host's clock was slewed" test "$spread" -gt 500 ;;
*)	check "the host's clock was not slewed" test "$spread" -lt 50 ;;
esac
check "its clock differs by less than ${PPM:-50} ppm" \
	awk "BEGIN { exit !(\"$ppm\" != \"\" && $ppm < ${PPM:-50} && $ppm > -${PPM:-50}) }"
check "and is never off by more than ${MOST_NS:-100000} ns" \
	test "${most:-999999999}" -lt "${MOST_NS:-100000}" -a "${least:--999999999}" -gt "-${MOST_NS:-100000}"
done_testing
