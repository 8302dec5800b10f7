#!/bin/sh
# All of Debian, with systemd, boots to multi-user in a guest.
. /lib/rf.sh
kernel=${GUESTS%% *}
plan 5

run() {
	watch /tmp/debian.log timeout "${GUEST_TIMEOUT:-800}" ringfence run -k "/guests/$kernel/vmlinuz" \
		--name debian -i /debian.cpio.gz -m 1G -c "${VCPUS:-2}" \
		-p "console=hvc0 panic=-1 systemd.show_status=1 rf.stay"
}

reports() {
	while [ -z "$(guest_verdict /tmp/debian.log)" ]; do
		[ ! -e /tmp/debian.log.status ] || return 1
		sleep 1
	done
}

: >/tmp/debian.log
run &
check "Debian boots and reports" reports
check "it powers off when asked to" ringfence stop debian --timeout 300
wait
check "with status 0" [ "$(cat /tmp/debian.log.status)" = 0 ]
check "it is running, nothing failed" test "$(guest_verdict /tmp/debian.log)" = 0
check "its log is clean" eval "! grep -E 'BUG:|WARNING:|Oops|Call Trace|general protection|detected stall' /tmp/debian.log"
done_testing
