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

# Everything there is, but for what depmod and dpkg write anew each time.
files() {
	find / -xdev \( -path /proc -o -path /dev -o -path /tmp -o -path /var/log \
		-o -path /var/lib/dpkg \) -prune -o -print |
		grep -vE '^/lib/modules/[^/]*/modules\.|^/usr/lib/modules/[^/]*/modules\.' | sort
}

# The module of $kernel, or $2, is the one in directory $1 and was built for it.
module_is_in() {
	module=${2:-ringfence}
	path=$(modinfo -k "$kernel" -F filename "$module") || return 1
	echo "$path"
	case $path in */$1/$module.ko*) ;; *) return 1 ;; esac
	[ "$(modinfo -k "$kernel" -F vermagic "$module" | cut -d' ' -f1)" = "$kernel" ]
}

dkms_says() { dkms status "${2:-ringfence}" -k "$kernel" | grep "$1"; }

# What udev would load by an alias.
loads() { modprobe -S "$kernel" -R "$1" | grep -x "$2"; }
image_has() { lsinitramfs "/boot/initrd.img-$kernel" | grep "/updates/dkms/$1\.ko"; }
image_has_none() { ! lsinitramfs "/boot/initrd.img-$kernel" | grep '/rf_'; }
package() { make RF_BUILD=/tmp/build guest-drivers-deb && dpkg -i /tmp/build/*.deb; }
CPU_OF_XEN_PV=cpu:type:x86,ven0000fam0006mod0055:feature:,0000,0016,0110,0112,
OTHER_CPU=cpu:type:x86,ven0000fam0006mod0055:feature:,0000,0016,0112,
gone() { files >/tmp/after; diff /tmp/before /tmp/after; }

echo "KTAP version 1"
echo "1..$(($(echo "$kernels" | wc -l) * 17 + 9))"
for kernel in $kernels; do
	check "$kernel: an image is made" update-initramfs -c -k "$kernel"
done
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

drivers=$(sed -n 's/^obj-m += //p' guest-drivers/Kbuild | sed -E 's|([a-z-]+)/|rf_\1|g')
all() { for driver in $drivers; do "$1" ${2:+"$2"} "$driver" || return 1; done; }
check "the package of the guests' drivers is made and installed" package
for kernel in $kernels; do
	check "$kernel: DKMS has them" dkms_says installed ringfence-guest
	check "$kernel: modprobe finds all of them" all module_is_in updates/dkms
	check "$kernel: CPUs of a guest load the bus" loads $CPU_OF_XEN_PV rf_bus
	check "$kernel: others do not" eval "! loads $OTHER_CPU rf_bus"
	check "$kernel: a disk on the bus loads its driver" loads virtio:d000052F2v00005246 rf_block
	check "$kernel: all of them are in the image" all image_has
done
check "it is installed over what is there" package
check "it is removed" dpkg --purge ringfence-guest-dkms
for kernel in $kernels; do
	check "$kernel: and is in the image no more" image_has_none
	check "$kernel: DKMS has forgotten it" eval "! dkms_says . ringfence-guest"
done
check "it leaves nothing behind" gone
exit $FAILED
