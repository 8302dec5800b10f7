#!/bin/sh
# Build the debug kernel from Debian's linux-source-6.1 and debug.config.
#
# The result is cached by content under ${RF_CACHE:-~/.cache/ringfence}: the same
# source and fragment are never built twice.  build/kernels/debug/build is a
# KDIR to build modules against, build/kernels/debug/vmlinuz boots.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cache=${RF_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ringfence}
source=${RF_LINUX_SOURCE:-linux-source-6.1}
out=$top/build/kernels/debug

die() { echo "debug-kernel: $*" >&2; exit 1; }

# A line of the fragment that Kconfig dropped is a typo or a lost dependency.
check_config() {
	missing=$(grep -E '^CONFIG_[A-Z0-9_]+=[ym]$' "$here/debug.config" |
		grep -vxFf .config || true)
	[ -z "$missing" ] || die "Kconfig did not take: $(echo $missing)"
}

# An interrupted build is taken up again where it stopped.
build() {
	tarball=/usr/src/$source.tar.xz
	[ -f "$tarball" ] || die "$tarball is missing; run tests/setup.sh"
	if [ ! -e "$kdir/.unpacked" ]; then
		echo "debug-kernel: unpacking $source $version"
		rm -rf "$kdir"
		mkdir -p "$kdir"
		tar -xf "$tarball" -C "$kdir" --strip-components=1
		touch "$kdir/.unpacked"
	fi
	cd "$kdir"
	make -s KCONFIG_ALLCONFIG="$here/debug.config" allnoconfig
	check_config
	echo "debug-kernel: building (about 15 minutes on two cores)"
	nice -n "${RF_NICE:-10}" make -s -j"${RF_JOBS:-$(nproc)}" bzImage modules
	# Modules need scripts, headers and Module.symvers, not vmlinux's objects.
	find . -name '*.[oa]' ! -path './scripts/*' ! -path './tools/*' -delete
	touch .complete
	cd "$top"
}

version=$(dpkg-query -W -f '${Version}' "$source" 2>/dev/null) ||
	die "$source is not installed; run tests/setup.sh"
sum=$( (echo "$source $version"; cat "$here/debug.config") |
	sha256sum | cut -c1-16)
name=debug-kernel-$sum

mkdir -p "$cache" "$out"
cache=$(cd "$cache" && pwd)
kdir=$cache/$name
exec 9>"$cache/$name.lock"
if ! flock -n 9; then
	echo "debug-kernel: someone else is building it; waiting"
	flock 9
fi
[ -e "$kdir/.complete" ] || build

ln -sfn "$kdir" "$out/build"
ln -sfn "$kdir/arch/x86/boot/bzImage" "$out/vmlinuz"
ln -sfn "$kdir/.config" "$out/config"
cat "$kdir/include/config/kernel.release" >"$out/version"
echo "debug-kernel: $(cat "$out/version") is in build/kernels/debug"
