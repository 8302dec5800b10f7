#!/bin/sh
# Make a Debian package of the drivers: build.sh VERSION FILE.  Run by make guest-drivers-deb.
set -eu

version=$1 file=$2
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
name=ringfence-guest
modules=$(sed -n 's/^obj-m += //p' "$top/guest-drivers/Kbuild" | sed -E 's|([a-z-]+)/|rf_\1|g')
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# fill TEMPLATE MODE DESTINATION
fill() {
	install -D -m "$2" /dev/null "$3"
	sed "s/@NAME@/$name/g; s/@VERSION@/$version/g; s/@MODULES@/$modules/g" "$here/$1" >"$3"
}

source=$root/usr/src/$name-$version
fill dkms.conf.in 644 "$source/dkms.conf"
for module in $modules; do
	mkdir -p "$source/guest-drivers"
	cp -R "$top/guest-drivers/${module#rf_}" "$source/guest-drivers/"
done
cp "$top"/guest-drivers/*.h "$top/guest-drivers/Kbuild" "$source/guest-drivers/"
cp -R "$top/uapi" "$source/"
fill initramfs-hook.in 755 "$root/usr/share/initramfs-tools/hooks/$name"
fill control.in 644 "$root/DEBIAN/control"
for script in postinst prerm postrm; do
	fill $script.in 755 "$root/DEBIAN/$script"
done
chmod -R u=rwX,go=rX "$root"
mkdir -p "$(dirname "$file")"
dpkg-deb --root-owner-group --build "$root" "$file" >/dev/null
echo "made $file of $modules"
