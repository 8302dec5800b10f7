#!/bin/sh
# The operations of tests/bench/ops.c, in step with the host.
stty -echo 2>/dev/null
# For tests/bench/profile: what is where in this kernel.
if grep -q 'rf\.symbols' /proc/cmdline; then
	grep ' [tTwW] ' /proc/kallsyms | gzip -c | base64 -w 1000 | sed 's/^/SYMBOLS /'
fi
# shellcheck disable=SC2046
exec /bin/ops --step $(sed -n 's/.*\bops=\([^ ]*\).*/\1/p' /proc/cmdline | tr , ' ')
