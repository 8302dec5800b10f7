#!/bin/sh
# Print the folder that has the kernel's own checkers, unpacking them from
# Debian's source package the first time.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
source=${RF_LINUX_SOURCE:-linux-source-6.1}
cache=${RF_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ringfence}
version=$(dpkg-query -W -f '${Version}' "$source" 2>/dev/null) ||
	{ echo "$source is not installed; run tests/setup.sh" >&2; exit 1; }
dir=$cache/linux-scripts-$version

if [ ! -e "$dir/.complete" ]; then
	mkdir -p "$dir"
	tar -xf "/usr/src/$source.tar.xz" -C "$dir" --strip-components=1 --wildcards \
		'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
		'*/scripts/const_structs.checkpatch' '*/scripts/kernel-doc' \
		'*/scripts/cleanfile' '*/scripts/cleanpatch' '*/scripts/coccicheck' \
		'*/scripts/coccinelle'
	touch "$dir/.complete"
fi
echo "$dir/scripts"
