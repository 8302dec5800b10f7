#!/bin/sh
# Make build/debian-disk/GUEST/: disk.img, the Debian of debian.sh with the
# guest's kernel as an ext4 file system, and initrd.img, what initramfs-tools
# made there for it.  Cached by what they are made from.
#
#	debian-disk.sh 6.1-cloud
set -eu

guest=$1
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cache=${RF_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ringfence}
build=${RF_BUILD:-$top/build}
kernel=$top/build/kernels/$guest

die() { echo "debian-disk: $*" >&2; exit 1; }
[ -e "$kernel/package" ] || die "there is no kernel $guest; run tests/setup.sh"
"$here/debian.sh"
version=$(cat "$kernel/version")
image=$(realpath "$build/debian.cpio.gz")
sum=$(cat "$0" "$kernel/package" "$image" | sha256sum | cut -c1-16)
made=$cache/debian-disk-$sum
exec 9>"$cache/debian-disk.lock"
flock 9

# On every boot: is what the last one wrote still there?  Then write more.
add_diary() {
	cat >"$1/etc/systemd/system/rf-diary.service" <<'END'
[Unit]
Description=Read what the last boot wrote, and write more
Before=rf-report.service

[Service]
Type=oneshot
StandardOutput=tty
TTYPath=/dev/console
ExecStart=/rf-diary
END
	cat >"$1/rf-diary" <<'END'
#!/bin/sh
cd /var/lib/rf-diary || exit 1
echo "DIARY root $(findmnt -n -o SOURCE,FSTYPE,OPTIONS / | cut -d, -f1 | tr -s ' ')"
pages=$(ls | grep -c '^page')
bad=0
[ $pages = 0 ] || bad=$(sha256sum --check --quiet sums 2>&1 | wc -l)
echo "DIARY pages $pages sums $(wc -l <sums) bad $bad"
page=page$pages
dd if=/dev/urandom of="$page" bs=64k count=64 2>/dev/null && sha256sum "$page" >>sums
END
	chmod +x "$1/rf-diary"
	mkdir "$1/var/lib/rf-diary"
	: >"$1/var/lib/rf-diary/sums"
	ln -s ../rf-diary.service "$1/etc/systemd/system/multi-user.target.wants/"
	echo '/dev/rfa / ext4 errors=remount-ro 0 1' >"$1/etc/fstab"
}

add_kernel() {
	mkdir -p "$1/lib/modules" "$1/boot"
	cp -R "$(realpath "$kernel/modules")" "$1/lib/modules/"
	cp "$kernel/config" "$1/boot/config-$version"
	unshare --mount --pid --fork sh -c '
		mount -t proc proc "$1/proc"
		exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			update-initramfs -c -k "$2"' sh "$1" "$version"
	[ -s "$1/boot/initrd.img-$version" ]
}

if [ ! -e "$made" ]; then
	tmp=$(mktemp -d "$cache/debian-disk.XXXXXX")
	trap 'rm -rf --one-file-system "$tmp"' EXIT
	echo "debian-disk: making a disk with $version"
	mkdir "$tmp/root" "$tmp/made"
	(cd "$tmp/root" && zcat "$image" | cpio -i --quiet -m)
	add_kernel "$tmp/root" >"$tmp/log" 2>&1 ||
		{ tail -n 20 "$tmp/log" >&2; die "initramfs-tools failed"; }
	mv "$tmp/root/boot/initrd.img-$version" "$tmp/made/initrd.img"
	add_diary "$tmp/root"
	truncate -s 1G "$tmp/made/disk.img"
	/sbin/mke2fs -q -t ext4 -L guest -d "$tmp/root" "$tmp/made/disk.img"
	mv "$tmp/made" "$made"
fi
mkdir -p "$build/debian-disk"
ln -sfn "$made" "$build/debian-disk/$guest"
echo "debian-disk: $(du -h "$made/disk.img" | cut -f1) in build/debian-disk/$guest"
