#!/bin/sh
# Run every program of tests/boot/progs and print what it says, for the host
# to compare with what it says there.
for prog in /progs/*; do
	name=${prog##*/}
	echo "PROG-BEGIN $name"
	timeout 120 "$prog" </dev/null >/tmp/out 2>/tmp/err
	status=$?
	sed 's/^/PROG /' /tmp/out
	sed 's/^/stderr: /' /tmp/err
	echo "PROG exit status $status"
	echo "PROG-END $name"
done
