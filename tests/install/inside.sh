#!/bin/sh
# Run by dkms.sh in its chroot: the source is in /src, headers are installed.
cd /src || exit 1
N=0
FAILED=0

check() {
	name=$1
	shift
	N=$((N + 1))
	if "$@" >/tmp/log 2>&1; then
		echo "ok $N $name"
	else
		FAILED=1
		echo "not ok $N $name"
		tail -n 20 /tmp/log | sed 's/^/# /'
	fi
}

kernels=$(ls /lib/modules)
mk() { make RF_BUILD=/tmp/build KDIR="/lib/modules/$kernel/build" HOST="$kernel" "$@"; }

# Everything there is, but for what depmod writes anew each time.
files() {
	find / -xdev \( -path /proc -o -path /dev -o -path /tmp \) -prune -o -print |
		grep -vE '^/lib/modules/[^/]*/modules\.|^/usr/lib/modules/[^/]*/modules\.' | sort
}

# The module of $kernel is the one in directory $1 and was built for it.
module_is_in() {
	path=$(modinfo -k "$kernel" -F filename ringfence) || return 1
	echo "$path"
	case $path in */$1/ringfence.ko*) ;; *) return 1 ;; esac
	[ "$(modinfo -k "$kernel" -F vermagic ringfence | cut -d' ' -f1)" = "$kernel" ]
}

dkms_says() { dkms status ringfence -k "$kernel" | grep "$1"; }
gone() { files >/tmp/after; diff /tmp/before /tmp/after; }

echo "KTAP version 1"
echo "1..$(($(echo "$kernels" | wc -l) * 8 + 5))"
files >/tmp/before

for kernel in $kernels; do
	check "$kernel: make install" mk install
	check "$kernel: DKMS has it" dkms_says installed
	check "$kernel: modprobe finds DKMS's module" module_is_in updates/dkms
	check "$kernel: and again, over what is there" mk install
	check "$kernel: one module is there" \
		[ "$(find "/lib/modules/$kernel/" -name 'ringfence.ko*' | wc -l)" = 1 ]
done
check "the launcher runs" sh -c 'ringfence version | grep "not loaded"'
check "its manual page is there" test -s /usr/local/share/man/man1/ringfence.1
check "make uninstall" mk uninstall
check "leaves nothing behind" gone

for kernel in $kernels; do
	check "$kernel: make install without DKMS" mk install DKMS=
	check "$kernel: modprobe finds the module" module_is_in host-module
	check "$kernel: make uninstall" mk uninstall DKMS=
done
check "leaves nothing behind either" gone
exit $FAILED
