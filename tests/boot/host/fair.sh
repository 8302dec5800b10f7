#!/bin/sh
# More busy guests than CPUs: each gets its share, knows what it did not get, and
# together they do as much as if they were just enough.
. /lib/rf.sh
cpus=$(nproc)
ms=${MS_IN:-4000}
percent=${PERCENT:-10}
# An emulator does not give its CPUs equal time: only what is counted can be exact.
work_percent=${WORK_PERCENT:-$([ "$ICOUNT" = 1 ] && echo 10 || echo 30)}
plan 4

spin() {	# spin COUNT: so many guests at once
	for n in $(seq "$1"); do
		ringfence run -k /guest/spin.elf -m 16M -p "ms=$ms" >/tmp/spin.$n 2>&1 </dev/null &
	done
	wait
	for n in $(seq "$1"); do
		tr -d '\r' </tmp/spin.$n | sed -n 's/^# spun //p'
		grep -q '^not ok' /tmp/spin.$n && show /tmp/spin.$n
	done >/tmp/spun
	sed 's/^/# spun /' /tmp/spun
	[ "$(wc -l </tmp/spun)" = "$1" ]
}
total() { awk '{ sum += $1 } END { printf "%d\n", sum }' /tmp/spun; }

check "$cpus guests on $cpus CPUs" spin "$cpus"
enough=$(total)
check "$((2 * cpus)) guests on $cpus CPUs" spin "$((2 * cpus))"

# Each got half, and knows it: its time running is half of what passed.
fair() {
	awk -v p="$percent" -v w="$work_percent" '
		{ sum += $1; n++; done[n] = $1; ran[n] = $6; all[n] = $3 }
		END {
			for (i = 1; i <= n; i++) {
				share = done[i] / (sum / n) * 100
				time = ran[i] / all[i] * 100
				printf "# guest %d: %.0f %% of the mean, ran %.0f %% of the time\n", i, share, time
				if (share < 100 - w || share > 100 + w) bad = 1
				if (time < 50 - p || time > 50 + p) bad = 1
			}
			exit bad
		}' /tmp/spun
}
check "each has its share, and is told so" fair

as_much() {
	note "$(total) with too many, $enough with just enough"
	[ $(($(total) * 100)) -ge $((enough * (100 - work_percent))) ]
}
check "nothing is lost between them" as_much
done_testing
