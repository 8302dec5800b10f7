#!/bin/sh
# Each header compiles alone, and twice: the module's with the kernel's flags,
# uapi as C and C++, the launcher's as C.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
build=${RF_BUILD:-$top/build}
cd "$top"
bad=0

for h in uapi/*.h; do
	[ -e "$h" ] || continue
	for lang in c c++; do
		std=$([ $lang = c ] && echo gnu99 || echo c++11)
		echo "" | gcc -fsyntax-only -Wall -Wextra -Wpadded -Werror \
			-std=$std -x $lang -include "$h" -include "$h" - || bad=1
	done
done
for h in userland/*.h; do
	[ -e "$h" ] || continue
	echo "" | gcc -fsyntax-only -Wall -Wextra -Werror -D_GNU_SOURCE -std=gnu11 -I. -Iuapi \
		-x c -include "$h" -include "$h" - || bad=1
done

kdir=$top/build/kernels/6.1/build
[ -e "$kdir/Makefile" ] || { echo "no kernel headers; run tests/setup.sh"; exit 1; }
dir=$build/lint/headers
mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9
rsync -a --delete --include='*/' --include='*.h' --exclude='*' host-module uapi "$dir/"
objs=
for h in $(find host-module -name '*.h' ! -name trace.h ! -name asm-offsets.h | sort); do
	# A header of the assembly's is tried by the assembly.
	! grep -q '"asm-offsets.h"' "$h" || continue
	c=$(echo "${h%.h}" | tr / _).c
	printf '#include "%s"\n#include "%s"\n' "$h" "$h" >"$dir/$c.new"
	cmp -s "$dir/$c.new" "$dir/$c" || mv "$dir/$c.new" "$dir/$c"
	rm -f "$dir/$c.new"
	objs="$objs ${c%.c}.o"
done
printf 'always-y :=%s\nccflags-y := -Wall -Werror -I$(src)\n' "$objs" >"$dir/Kbuild"
make -s -C "$kdir" M="$dir" 9>&- -k -j2 modules KBUILD_MODPOST_WARN=1 >"$dir/log" 2>&1 || {
	grep -E "error|warning" "$dir/log" | sed "s|^$dir/||" | head -40
	bad=1
}
exit $bad
