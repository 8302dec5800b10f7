#!/bin/sh
# The slower static checks, one a call: static.sh sparse|gcc|clang [HOST]
#
#	sparse	C=2 with endianness checks
#	gcc	W=1
#	clang	W=1 with clang, against a tree configured for clang
set -eu

what=$1 host=${2:-6.1}
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${RF_BUILD:-$top/build}
cd "$top"
kdir=$top/build/kernels/$host/build
dir=$build/lint/$what-$host
flags="W=1 KBUILD_MODPOST_WARN=1"

case $what in
sparse)	flags="C=2 CF=-D__CHECK_ENDIAN__" ;;
gcc)	;;
clang)	kdir=$(tests/lint/clang-tree.sh)
	flags="$flags CC=clang HOSTCC=gcc" ;;
*)	echo "static.sh: what is $what?" >&2; exit 2 ;;
esac

mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9
rsync -a --delete --exclude='.*.cmd' --exclude='*.o' --exclude='*.mod*' --exclude='*.ko' \
	--exclude='asm-offsets.[hs]' -R Kbuild host-module guest-drivers uapi "$dir/src/"
# All warnings, every time: an object that is up to date would hide its own.
find "$dir/src" -name '*.o' -delete
: >"$dir/log"
for m in "$dir/src" "$dir/src/guest-drivers"; do
	make -s -C "$kdir" M="$m" -j"$(nproc)" $flags modules 9>&- >>"$dir/log" 2>&1 || {
		sed "s|$dir/src/||" "$dir/log" | tail -40
		exit 1
	}
done
grep -E '(warning|error):' "$dir/log" | grep "host-module/\|guest-drivers/\|uapi/" |
	sed "s|$dir/src/||" | sort -u >"$dir/warnings" || true
cat "$dir/warnings"
[ ! -s "$dir/warnings" ]
