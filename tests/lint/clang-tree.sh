#!/bin/sh
# Print a kernel tree configured for clang, fit to compile modules against.
# Debian's headers are configured for gcc.  Nothing of it is linked or run.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
source=${RF_LINUX_SOURCE:-linux-source-6.1}
cache=${RF_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ringfence}
fragment=$top/tests/boot/debug.config
version=$(dpkg-query -W -f '${Version}' "$source")
sum=$( (echo "$source $version clang virtio"; clang --version; cat "$fragment") | sha256sum | cut -c1-16)
dir=$cache/clang-tree-$sum

mkdir -p "$cache"
exec 9>"$dir.lock"
flock 9
if [ ! -e "$dir/.complete" ]; then
	rm -rf "$dir"
	mkdir -p "$dir"
	tar -xf "/usr/src/$source.tar.xz" -C "$dir" --strip-components=1
	cd "$dir"
	{
		make -s CC=clang KCONFIG_ALLCONFIG="$fragment" allnoconfig
		# Frames under KASAN say nothing about ours.
		scripts/config -d KASAN -d UBSAN -d WERROR --set-val FRAME_WARN 2048
		# What the guest's drivers ask for.
		scripts/config -e BLK_DEV -e VIRTIO_MENU -e VIRTIO_MMIO -e VIRTIO_BLK
		make -s CC=clang olddefconfig
		nice make -s -j"$(nproc)" CC=clang modules_prepare
	} >prepare.log 2>&1 9>&- || { tail -20 prepare.log >&2; exit 1; }
	touch Module.symvers .complete
fi
echo "$dir"
