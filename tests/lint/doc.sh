#!/bin/sh
# The kernel-doc of every header parses and is complete.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
scripts=$(tests/lint/linux-scripts.sh)
files=$(find host-module guest-drivers uapi \( -name '*.c' -o -name '*.h' \) \
	! -name asm-offsets.h 2>/dev/null | sort)

# In uapi every member is described; inside the module a comment beside the
# member will do.
# shellcheck disable=SC2086
out=$("$scripts/kernel-doc" -none $files 2>&1 |
	grep -vE '^(host-module|guest-drivers)/.* not described in ' || true)
[ -z "$out" ] || { echo "$out"; exit 1; }
