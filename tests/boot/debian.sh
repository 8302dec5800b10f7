#!/bin/sh
# Make build/debian.cpio.gz: Debian with systemd, as an initramfs that boots to
# multi-user and says so.  Cached by the list of what it is made from.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cache=${RF_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ringfence}
build=${RF_BUILD:-$top/build}
packages=systemd-sysv,udev,dbus,kmod,procps,login,initramfs-tools

die() { echo "debian: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "run as root: a root file system is made"

suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
sources=$("$top/tests/harness/apt-sources.sh")

mkdir -p "$cache" "$build"
sum=$( (cat "$0"; apt-cache show --no-all-versions $(echo $packages | tr , ' ') |
	grep -E '^(Package|Version):') | sha256sum | cut -c1-16)
image=$cache/debian-$sum.cpio.gz
exec 9>"$cache/debian.lock"
flock 9

if [ ! -e "$image" ]; then
	tmp=$(mktemp -d "$cache/debian.XXXXXX")
	trap 'rm -rf --one-file-system "$tmp"' EXIT
	echo "debian: installing $suite with systemd into an image"
	echo "$sources" >"$tmp/sources.list"
	unshare --mount mmdebstrap --quiet --variant=minbase --mode=root --include="$packages" \
		--aptopt='Acquire::Retries "5"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$suite" "$tmp/root" "$tmp/sources.list" >"$tmp/log" 2>&1 9>&- ||
		{ tail -n 20 "$tmp/log" >&2; die "mmdebstrap failed"; }
	root=$tmp/root
	rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
	ln -sf /sbin/init "$root/init"
	echo guest >"$root/etc/hostname"
	: >"$root/etc/fstab"
	# Says how far it got, then leaves; see tests/boot/host/debian.sh.
	cat >"$root/etc/systemd/system/rf-report.service" <<'END'
[Unit]
Description=Report and power off
After=multi-user.target

[Service]
Type=idle
StandardOutput=tty
TTYPath=/dev/console
ExecStart=/rf-report
END
	cat >"$root/rf-report" <<'END'
#!/bin/sh
state=$(systemctl is-system-running)
echo "RFGUEST-INIT $(uname -r) cpus=$(nproc) clocksource=$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource) up=$(cut -d' ' -f1 /proc/uptime)"
echo "STATE $state"
systemctl --failed --no-legend --plain | sed 's/^/FAILED /'
journalctl -k -p warning --no-pager -o cat | sed 's/^/WARNING /'
case $state in
running|starting) echo "RFGUEST-EXIT 0" ;;
*) echo "RFGUEST-EXIT 1" ;;
esac
# rf.stay: until it is asked to.
grep -q rf.stay /proc/cmdline || systemctl poweroff
END
	chmod +x "$root/rf-report"
	mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
	ln -s ../rf-report.service "$root/etc/systemd/system/multi-user.target.wants/"
	ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
	(cd "$root" && find . | cpio -o -H newc --quiet -R 0:0 | gzip -1) >"$tmp/image"
	mv "$tmp/image" "$image"
fi
ln -sfn "$image" "$build/debian.cpio.gz"
echo "debian: $(du -Lh "$build/debian.cpio.gz" | cut -f1) in build/debian.cpio.gz"
