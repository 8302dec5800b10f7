#!/bin/sh
# Install what building and testing need on Debian 12, and fetch the kernels
# the tests boot.  Run as root (or with sudo at hand).
#
#	setup.sh	all of it
#	setup.sh demo	what one guest in one host VM takes
#
# Safe to run again: quick when everything is there.  Kernels are whatever the
# archive has that day; they and their headers are unpacked under build/kernels
# and never installed.  RF_REFRESH=1 looks for newer ones now; otherwise once a day.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
what=${1:-all}

tools="build-essential busybox-static e2fsprogs git kmod pkg-config python3 rsync util-linux
xz-utils"
libs="libbz2-dev libcap-ng-dev libcjson-dev libelf-dev liblz4-dev liblzma-dev
liblzo2-dev libmnl-dev libseccomp-dev libzstd-dev zlib1g-dev"
hosts=6.1
kernels="6.1 6.1-cloud"
case $what in
demo)	;;
all)	tools="$tools bc bison btrfs-progs clang cpio dwarves fio flex libclang-rt-dev
		mmdebstrap qemu-utils sparse stress-ng xfsprogs
		${RF_LINUX_SOURCE:-linux-source-6.1}"
	libs="$libs libssl-dev"
	hosts="6.1 6.12"
	kernels="6.1 6.1-cloud 6.12 6.12-cloud" ;;
*)	echo "setup: what is '$what'? Say demo, or nothing" >&2; exit 2 ;;
esac
stamps=$top/build/kernels/.checked

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "run as root: installing packages needs it"
	fi
}

# Mirrors have bad minutes: try a few times before giving up.
retry() {
	for pause in 2 10 30 0; do
		"$@" && return 0
		[ $pause = 0 ] || { say "'$1 $2' failed; again in $pause s"; sleep $pause; }
	done
	return 1
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

apt_update() { apt_get update >/dev/null; }

installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }

# The suite's own entry, with the name of the suite changed.
backports_entry_deb822() {
	awk -v RS= -v suite="$1" '
		$0 !~ /(^|\n)Types:[^\n]*deb( |\n|$)/ { next }
		/(^|\n)Enabled: *no/ { next }
		match($0, /(^|\n)Suites:[^\n]*/) {
			line = substr($0, RSTART, RLENGTH)
			n = split(line, word, /[ \t]+/)
			for (i = 2; i <= n; i++)
				if (word[i] == suite) {
					sub(/(^|\n)Suites:[^\n]*/, "\nSuites: " suite "-backports")
					sub(/^\n/, "")
					print
					exit
				}
		}' "$2" | grep -v '^#'
}

backports_entry_line() {
	sed -nE "s/^(deb( +\[[^]]*\])? +[^ ]+) +$1 +/\1 $1-backports /p" "$2" |
		grep -v -- '-security' | head -n 1
}

have_suite() { apt-get indextargets --format '$(RELEASE)' 2>/dev/null | grep -qx "$1"; }

add_backports() {
	# shellcheck source=/dev/null
	suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
	have_suite "$suite-backports" && return
	for file in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list \
		    /etc/apt/sources.list.d/*.list; do
		[ -f "$file" ] || continue
		case $file in
		*.sources) entry=$(backports_entry_deb822 "$suite" "$file" || true) ;;
		*) entry=$(backports_entry_line "$suite" "$file" || true) ;;
		esac
		[ -n "$entry" ] || continue
		case $file in *.sources) kind=sources ;; *) kind=list ;; esac
		added=/etc/apt/sources.list.d/ringfence-backports.$kind
		say "adding the suite $suite-backports"
		echo "$entry" | as_root tee "$added" >/dev/null
		if ! retry apt_update || ! have_suite "$suite-backports"; then
			say "$suite-backports cannot be used; going on without"
			as_root rm -f "$added"
			retry apt_update || true
		fi
		return
	done
	say "no apt entry for $suite found; going on without its backports"
}

install_qemu() {
	installed qemu-system-x86 &&
		dpkg --compare-versions "$(dpkg-query -W -f '${Version}' qemu-system-x86)" ge 1:9.1 &&
		return
	add_backports
	suite=$(. /etc/os-release && echo "$VERSION_CODENAME")-backports
	if have_suite "$suite" &&
	   retry apt_get install --no-install-recommends -t "$suite" qemu-system-x86; then
		return
	fi
	installed qemu-system-x86 && return
	say "QEMU from backports is not to be had; using the suite's own (no SMAP)"
	retry apt_get install --no-install-recommends qemu-system-x86
}

# Newest package called linux-image-SERIES...-FLAVOUR, without "linux-image-".
newest_abi() {
	apt-cache search --names-only "^linux-image-$1\.[0-9][^-]*(-[0-9]+)?-$2\$" |
		sed -n "s/^linux-image-\([^ ]*\) .*/\1/p" | sort -V | tail -n 1
}

download() {
	retry apt-get -q -o Acquire::Retries=3 -o APT::Sandbox::User=root download "$@" >/dev/null ||
		die "cannot download" "$@"
}

# What linux-headers-ABI is made of.  Its package of 6.12 would have apt install
# the kernel itself, and make it the next one this machine boots.
header_packages() {
	echo "linux-headers-$1"
	apt-cache show --no-all-versions "linux-headers-$1" | sed -n 's/^Depends: //p' |
		tr ',' '\n' | sed -nE 's/^ *(linux-(headers|kbuild)-[^ ]+).*/\1/p'
}

# Their one absolute path: where the Makefile has the rest of itself.
relocate_headers() {
	makefile=$1/Makefile
	sed -i 's|^include /usr/src/|include $(dir $(realpath $(lastword $(MAKEFILE_LIST))))../|' "$makefile"
	! grep -q '^include /' "$makefile" || die "cannot use $makefile where it is"
}

fetch_kernel() {
	name=$1 abi=$2
	dir=$top/build/kernels/$name
	[ -n "$abi" ] || die "the archive has no kernel for $name"
	deb=linux-image-$abi
	version=$(apt-cache show --no-all-versions "$deb" | sed -n 's/^Version: //p')
	package="$deb $version with headers"
	[ "$(cat "$dir/package" 2>/dev/null)" = "$package" ] && return
	say "fetching $deb $version"
	rm -rf "$dir.new"
	mkdir -p "$dir.new"
	# shellcheck disable=SC2046	# several words
	(cd "$dir.new" && download "$deb" $(header_packages "$abi"))
	for file in "$dir.new"/*.deb; do
		dpkg-deb -x "$file" "$dir.new/root"
		rm "$file"
	done
	relocate_headers "$dir.new/root/usr/src/linux-headers-$abi"
	if [ -d "$dir.new/root/usr/lib/modules" ]; then
		modules=root/usr/lib/modules/$abi
	else
		modules=root/lib/modules/$abi
	fi
	/sbin/depmod -b "$dir.new/${modules%/lib/modules/*}" "$abi"
	ln -s "root/boot/vmlinuz-$abi" "$dir.new/vmlinuz"
	ln -s "root/boot/config-$abi" "$dir.new/config"
	ln -s "$modules" "$dir.new/modules"
	ln -s "root/usr/src/linux-headers-$abi" "$dir.new/build"
	echo "$abi" >"$dir.new/version"
	echo "$package" >"$dir.new/package"
	rm -rf "$dir"
	mv "$dir.new" "$dir"
}

missing() { for p in "$@"; do installed "$p" || echo "$p"; done; }

all_here() {
	[ -z "$(missing $tools $libs qemu-system-x86)" ] || return 1
	for k in $kernels; do
		[ -e "$top/build/kernels/$k/vmlinuz" ] || return 1
		[ -e "$top/build/kernels/$k/build/Makefile" ] || return 1
	done
}

mkdir -p "$top/build/kernels"
exec 9>"$top/build/kernels/.lock"
flock 9

if all_here && [ "${RF_REFRESH:-0}" = 0 ] &&
   [ -n "$(find "$stamps-all" "$stamps-$what" -mtime -1 2>/dev/null)" ]; then
	exit 0
fi

say "reading the package lists"
retry apt_update || say "apt-get update failed; going on with the lists at hand"

want=$(missing $tools $libs)
if [ -n "$want" ]; then
	say "installing" $want
	retry apt_get install --no-install-recommends $want >/dev/null ||
		die "apt-get could not install:" $want
fi
install_qemu

for series in $hosts; do
	[ -n "$(newest_abi $series amd64)" ] || die "the archive has no $series kernel; is this Debian 12?"
	fetch_kernel $series "$(newest_abi $series amd64)"
	fetch_kernel $series-cloud "$(newest_abi $series cloud-amd64)"
done
touch "$stamps-$what"
say "kernels: $(cd "$top/build/kernels" && for k in $kernels; do printf '%s=%s ' $k "$(cat $k/version)"; done)"
