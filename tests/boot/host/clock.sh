#!/bin/sh
# A guest's clock runs as fast as the host's: below 50 ppm over ${SECONDS_IN}.
. /lib/rf.sh
kernel=${GUESTS%% *}
seconds=${SECONDS_IN:-60}
plan 2

keeps_time() {
	ringfence run -k "/guests/$kernel/vmlinuz" -i /guests/initrd.cpio.gz \
		-p "console=hvc0 panic=-1 rf.test=clock rf.seconds=$seconds" -m 256M \
		-c "${VCPUS:-2}" </dev/null 2>&1 | tr -d '\r' | ops --stamp "CLOCK STAMP" >/tmp/clock
	show /tmp/clock
	[ "$(guest_verdict /tmp/clock)" = 0 ]
}
check "a guest runs for $seconds s" keeps_time

# Lines in pairs: the guest's time, then the host's when that line came.  Ten
# at each end; the one that came soonest counts, as with NTP.
drift() {
	awk -v limit="${PPM:-50}" '
		/^CLOCK STAMP/ { guest = $3; n++; next }
		/^STAMP/ {
			late = $2 - guest
			end = n <= 10 ? 1 : 2
			if (!(end in best) || late < best[end]) { best[end] = late; at[end] = $2 }
		}
		END {
			if (n != 20) exit 1
			ppm = -(best[2] - best[1]) / (at[2] - at[1]) * 1e6
			printf "# over %.3f s: %.1f ppm\n", (at[2] - at[1]) / 1e9, ppm
			# Even the soonest can be 1 ms late.
			limit += 1e6 / (at[2] - at[1]) * 1e6
			exit ppm > limit || ppm < -limit
		}' /tmp/clock
}
check "its clock differs by less than ${PPM:-50} ppm" drift
done_testing
