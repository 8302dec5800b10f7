#!/bin/sh
# All of Debian, with the initial RAM disk that initramfs-tools made and our
# drivers put in, boots from a disk, writes to it, and finds it all the next time.
#
# With BOOTS=1 only the host looks for it.  With COMPARE=1, how long the last boot
# took next to the same Debian as an initramfs.
. /lib/rf.sh
kernel=${GUESTS%% *}
BOOTS=${BOOTS:-2}
plan $((BOOTS * 6 + 3))

boot() {
	watch "$1" timeout "${GUEST_TIMEOUT:-800}" ringfence run -k "/guests/$kernel/vmlinuz" \
		--name debian -m 1G -c "${VCPUS:-2}" --no-reboot \
		-p "console=hvc0 panic=-1 systemd.show_status=1 $2" -i "$3" ${4:+--disk "$4"}
}

log=/tmp/none
said() { tr -d '\r' <$log | grep -q "$@"; }
clean() { ! grep -E 'BUG:|WARNING:|Oops|Call Trace|general protection|detected stall|EXT4-fs.*error' $log; }
up() { tr -d '\r' <"$1" | sed -n 's/^.*RFGUEST-INIT .* up=\([0-9.]*\).*/\1/p'; }
ends_well() { boot $log "root=/dev/rfa" /initrd.img /dev/vda; }
nothing_failed() { [ "$(guest_verdict $log)" = 0 ]; }

# Some host kernels have one of them built in.
has_disk() { modprobe virtio_pci 2>/dev/null; modprobe virtio_blk 2>/dev/null; [ -b /dev/vda ]; }
check "the host has the disk" has_disk
for n in $(seq 0 $((BOOTS - 1))); do
	log=/tmp/boot.$n
	check "boot $n: Debian boots and powers off" ends_well
	check "boot $n: it is running, nothing failed" nothing_failed
	check "boot $n: its root is our disk" said 'DIARY root /dev/rfa ext4 rw'
	check "boot $n: all that was written before is there" said "DIARY pages $n sums $n bad 0"
	check "boot $n: the file system had been unmounted" eval "! said -E 'recovering journal|recovery complete'"
	check "boot $n: its log is clean" clean
done

# The host's own driver and file system read what the guest's wrote.
host_finds() {
	modprobe crc32c_generic 2>/dev/null
	modprobe ext4 && mkdir -p /mnt && mount -t ext4 -o ro /dev/vda /mnt || return 1
	(cd /mnt/var/lib/rf-diary && [ "$(wc -l <sums)" = "$BOOTS" ] && sha256sum -c sums)
	found=$?
	umount /mnt
	return $found
}
check "the host finds all of it, too" host_finds

compare() {
	boot /tmp/ram "" /debian.cpio.gz || return 1
	disk=$(up $log) ram=$(up /tmp/ram)
	note "up after $disk s from the disk, $ram s as an initramfs:" \
		"$(awk "BEGIN { printf \"%.2f\", $disk / $ram }") times"
}
if [ "$COMPARE" = 1 ]; then
	check "the same Debian boots as an initramfs" compare
else
	skip "the same Debian boots as an initramfs" "COMPARE=1 does it"
fi
done_testing
