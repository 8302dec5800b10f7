#!/bin/sh
# Make build/debian-disk/GUEST.packaged: the initial RAM disk of debian-disk.sh as it
# is in a guest that has the package of drivers.  They are among the kernel's own
# modules, and nothing but udev loads them.
set -eu

guest=$1
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${RF_BUILD:-$top/build}
version=$(cat "$top/build/kernels/$guest/version")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

mkdir "$tmp/image"
zcat "$build/debian-disk/$guest/initrd.img" | (cd "$tmp/image" && cpio -idm --quiet)
updates=$tmp/image/usr/lib/modules/$version/updates/dkms
mkdir -p "$updates"
cp "$build/guest-drivers/$guest"/rf_*.ko "$updates/"
/sbin/depmod -b "$tmp/image" "$version" 2>/dev/null
(cd "$tmp/image" && find . | cpio -o -H newc --quiet -R 0:0 | gzip -1) >"$tmp/packed"
mv "$tmp/packed" "$build/debian-disk/$guest.packaged"
