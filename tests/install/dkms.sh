#!/bin/sh
# On a Debian of its own, in a chroot: "make install" with DKMS and without,
# for the oldest and the newest kernel, and "make uninstall" leaves nothing.
# Likewise the package of the guests' drivers, and the images with them.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
build=${RF_BUILD:-$top/build}
[ "$(id -u)" = 0 ] || { echo "dkms: run as root: a root file system is made" >&2; exit 1; }

headers=
for host in 6.1 6.12; do
	headers=$headers,linux-headers-$(cat "$top/build/kernels/$host/version")
done
mkdir -p "$build/install"
work=$(mktemp -d "$build/install/XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' INT TERM

echo "# making a Debian with DKMS and headers"
"$top/tests/harness/apt-sources.sh" >"$work/sources.list"
# The packages that setup.sh installs for the launcher, and what DKMS takes.
libs=$(sed -n '/^libs="/,/"$/p' "$top/tests/setup.sh" | tr '\n' ' ' |
	sed 's/^libs=//; s/"//g; s/ \+/,/g')
unshare --mount mmdebstrap --quiet --variant=minbase --mode=root \
	--include="make,gcc,libc6-dev,dkms,initramfs-tools,kmod,rsync,pkg-config,$libs${headers#,}" \
	--aptopt='Acquire::Retries "5"' --aptopt='APT::Install-Recommends "false"' \
	"$(. /etc/os-release && echo "$VERSION_CODENAME")" \
	"$work/root" "$work/sources.list" >"$work/log" 2>&1 ||
	{ tail -n 20 "$work/log" >&2; exit 1; }

# What a kernel's own package would bring: modules that images are made of.
for host in 6.1 6.12; do
	version=$(cat "$top/build/kernels/$host/version")
	modules=$work/root/lib/modules/$version
	cp "$top/build/kernels/$host/modules/"modules.builtin* "$modules/"
	for file in config vmlinuz; do
		cp "$top/build/kernels/$host/$file" "$work/root/boot/$file-$version"
	done
	(cd "$top/build/kernels/$host/modules" && cp -R --parents kernel/drivers/virtio "$modules/")
done

mkdir "$work/root/src"
(cd "$top" && git ls-files -coz --exclude-standard | xargs -0 cp --parents -t "$work/root/src")
cp "$top/tests/install/inside.sh" "$work/root/"
unshare --mount --pid --fork --kill-child sh -c '
	mount -t proc proc "$1/proc"
	mount -t tmpfs tmpfs "$1/tmp"
	mount --bind /dev "$1/dev"
	exec chroot "$1" env -i HOME=/root LANG=C \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /inside.sh' \
	sh "$work/root"
