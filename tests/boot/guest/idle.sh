#!/bin/sh
# Do nothing for rf.seconds.
sleep "$(sed -n 's/.*\brf\.seconds=\([^ ]*\).*/\1/p' /proc/cmdline)"
