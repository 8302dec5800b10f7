#!/bin/sh
# The module comes, goes, and leaves nothing behind; the launcher agrees that
# this host can run guests.
. /lib/rf.sh
plan 4

check "there is a device" test -c /dev/ringfence
check "doctor is content" ringfence doctor
version_agrees() { ringfence version --json; }
check "versions can be read" version_agrees

reload() {
	for n in 1 2 3 4 5 6 7 8; do
		rmmod ringfence || return 1
		[ ! -e /dev/ringfence ] || return 1
		insmod /ringfence.ko || return 1
		[ -c /dev/ringfence ] || return 1
	done
}
check "the module can be loaded again" reload
done_testing
