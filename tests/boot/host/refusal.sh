#!/bin/sh
# On a host that cannot run guests the module does not load, and module, doctor
# and launcher each say why, or what to do.
#
# WHY is what the kernel's log must say, ADVICE what doctor must.
. /lib/rf.sh
plan 5

insmod /ringfence.ko 2>/tmp/err
check "the module does not load" [ $? != 0 ]
cat /tmp/err
dmesg | grep -iE "ringfence|lockdown: insmod" >/tmp/log
cat /tmp/log
check "the log says why" grep -qE "$WHY" /tmp/log
check "nothing of it is left" eval "[ ! -e /dev/ringfence ] && ! grep -q ringfence /proc/modules"

mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
ringfence doctor >/tmp/out
status=$?
cat /tmp/out
check "doctor says what to do" \
	eval "[ $status = 1 ] && grep -A1 '^fix ' /tmp/out | grep -qE -e '$ADVICE'"
ringfence run -k /bin/busybox 2>/tmp/err
check "a guest is not started, in one line" \
	eval "[ $? = 1 ] && [ \$(wc -l </tmp/err) = 1 ] && grep -q 'ringfence doctor' /tmp/err"
cat /tmp/err
done_testing
