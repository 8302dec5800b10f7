#!/bin/sh
# All of Debian, with systemd, boots to multi-user in a guest.
. /lib/rf.sh
kernel=${GUESTS%% *}
plan 3

boots() {
	watch /tmp/debian.log timeout "${GUEST_TIMEOUT:-800}" ringfence run -k "/guests/$kernel/vmlinuz" \
		-i /debian.cpio.gz -m 1G -c "${VCPUS:-2}" \
		-p "console=hvc0 panic=-1 systemd.show_status=1"
}
check "Debian boots, reports and powers off" boots
check "it is running, nothing failed" test "$(guest_verdict /tmp/debian.log)" = 0
check "its log is clean" eval "! grep -E 'BUG:|WARNING:|Oops|Call Trace|general protection|detected stall' /tmp/debian.log"
done_testing
