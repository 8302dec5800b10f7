#!/bin/sh
# The programs of tests/boot/progs say in a guest what they say natively.
. /lib/rf.sh
kernel=${GUESTS%% *}

cat >/tmp/native.sh <<'END'
for prog in /progs/*; do
	timeout 120 "$prog" </dev/null >/tmp/out 2>/dev/null
	status=$?
	{ cat /tmp/out; echo "exit status $status"; } >/tmp/native.${prog##*/}
done
END
plan $(($(ls /progs | wc -l) + 1))
sh /tmp/native.sh
check "the guest runs them" guest_run "$kernel" progs -c "${VCPUS:-2}" -m 512M

for prog in /progs/*; do
	name=${prog##*/}
	tr -d '\r' <"$GUEST_LOG" |
		sed -n "/^PROG-BEGIN $name\$/,/^PROG-END $name\$/p" |
		sed -n 's/^PROG //p' >/tmp/guest.$name
	if diff /tmp/native.$name /tmp/guest.$name >/tmp/diff.$name; then
		ok "$name"
	else
		not_ok "$name"
		sed 's/^/# /' /tmp/diff.$name
	fi
done
done_testing
