#!/bin/sh
# States that nobody saved are loaded by a launcher without privileges.  Needs
# --bin build/state/mutate.
mutate "${SEED:-1}" "${SECONDS_IN:-10}" run -k /guest/carried.elf -m 16M -c 2 -p "ms=1000000 fifo=1"
