#!/bin/sh
# What orderly.sh's init runs: has the boot gone as without a store, and quickly?
. /lib/guest.sh
check "nothing in the log looks like trouble" clean_log
check "no driver waits for devices" eval "! grep -i waiting /tmp/log"
echo "RFGUEST-INIT orderly"
