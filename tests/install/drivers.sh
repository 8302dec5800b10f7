#!/bin/sh
# ringfence-drivers: what it puts in front of an image, what it takes out again,
# and what it refuses.  Whether a guest starts with it is boot/host/debian-disk.sh.
#
#	drivers.sh GUEST...
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
build=${RF_BUILD:-$top/build}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM
cd "$tmp" || exit 1
N=0
FAILED=0

check() {
	name=$1
	shift
	N=$((N + 1))
	if "$@" >log 2>&1; then
		echo "ok $N $name"
	else
		FAILED=1
		echo "not ok $N $name"
		tail -n 20 log | sed 's/^/# /'
	fi
}

put() { "$top/userland/ringfence-drivers" "$@"; }
kernel() { echo "$top/build/kernels/$guest"; }
drivers() { echo "$build/guest-drivers/$guest"; }
prebuilt() { put --kernel-file "$(kernel)/vmlinuz" --modules "$(kernel)/modules" \
	--drivers "$(drivers)" "$@"; }

# An image that looks as those do whose folders are links, packed and of odd length.
mkdir -p image/usr/lib image/conf/conf.d
ln -s usr/lib image/lib
echo theirs >image/conf/conf.d/theirs
(cd image && find . | cpio --quiet -o -H newc | gzip) >initrd
printf x >>initrd
cp initrd before

unpack() {
	rm -rf out
	mkdir out
	(cd out && cpio -idm --quiet <"../$1")
}
tree=out/usr/lib/ringfence
loads() { modprobe -d "$PWD/$tree" -S "$version" -a --show-depends rf_bus rf_block | grep -c "/$1.ko"; }
same_end() { tail -c "$(stat -c %s before)" "$1" | cmp - before; }
only_ours() { ! find out -mindepth 1 | grep -vE '^out/(usr|usr/lib|usr/lib/ringfence.*|conf|conf/conf\.d|conf/conf\.d/ringfence)$'; }
refused() {
	want=$1 text=$2
	shift 2
	"$@" 2>said && return 1
	[ $? = "$want" ] && grep -q "^ringfence-drivers: .*$text" said && cmp initrd before &&
		[ -z "$(find . -name '.ringfence*')" ]
}

echo "KTAP version 1"
echo "1..$(($# * 10 + 9))"
for guest; do
	version=$(cat "$(kernel)/version")
	rm -f new
	check "$guest: drivers are put into a copy" prebuilt -o new initrd
	check "$guest: the image follows as it was" same_end new
	unpack new
	check "$guest: there are no folders but ours" only_ours
	check "$guest: modprobe finds the bus and the disk" \
		[ "$(loads 'rf_\(bus\|block\)')" = "$(ls "$(drivers)" | grep -c '^rf_\(bus\|block\)')" ]
	check "$guest: and what they need, unless it is built in" \
		[ "$(loads virtio)" -gt 0 -o -n "$(grep '/virtio\.ko' "$(kernel)/modules/modules.builtin")" ]
	check "$guest: it is for this kernel" grep -qF "= $version ]" out/conf/conf.d/ringfence
	cp new once
	check "$guest: once more" prebuilt new
	check "$guest: makes it no longer" [ "$(stat -c %s new)" = "$(stat -c %s once)" ]
	check "$guest: taken out" put --remove new
	check "$guest: it is what it was" cmp new before
done

guest=$1
version=$(cat "$(kernel)/version")
built() { put -k "$version" --modules "$(kernel)/modules" --headers "$(kernel)/build" \
	--json -o built initrd && same_end built; }
check "drivers are built for it" built
for name in $(ls "$(drivers)" | sed -n 's/\.ko$//p'); do echo "$name"; done >want
check "all of them" [ "$(unpack built; find $tree -name 'rf_*.ko' | wc -l)" = "$(wc -l <want)" ]
check "another kernel's drivers are refused" refused 1 "was built for" \
	put -k 5.10.0-1-amd64 --modules "$(kernel)/modules" --drivers "$(drivers)" initrd
check "a folder without drivers" refused 1 "there are no drivers" prebuilt --drivers /usr/lib initrd
check "what is no kernel" refused 1 "not a bzImage" put --kernel-file before initrd
check "a kernel without headers" refused 1 "no headers for 1.2.3.*install linux-headers-1.2.3" \
	put -k 1.2.3 initrd
check "an image that is not there" refused 1 "cannot read /nowhere" put -k 1.2.3 /nowhere
check "no kernel at all" refused 2 "for which kernel" put initrd
check "a version that is a path" refused 2 "is no version" put -k ../../etc initrd
exit $FAILED
