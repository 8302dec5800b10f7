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

# Lines in pairs: the guest's time, then the host's when that line came.
drift() {
	awk -v limit="${PPM:-50}" '
		/^CLOCK STAMP/ { guest[++n] = $3; next }
		/^STAMP/ { host[n] = $2 }
		END {
			if (n != 2) exit 1
			g = guest[2] - guest[1]; h = host[2] - host[1]
			ppm = (g - h) / h * 1e6
			printf "# guest %.6f s, host %.6f s, difference %.1f ppm\n", g / 1e9, h / 1e9, ppm
			# A line can come 2 ms late on either end.
			limit += 4e6 / h * 1e6
			exit ppm > limit || ppm < -limit
		}' /tmp/clock
}
check "its clock differs by less than ${PPM:-50} ppm" drift
done_testing
