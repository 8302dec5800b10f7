#!/bin/sh
# Shown by make demo; see tests/harness/demo.
. /lib/rf.sh
kernel=${GUESTS%% *}

say() { printf '\n--- %s\n' "$*"; }

say "In the host VM: $(uname -r), $(nproc) CPUs"
if grep -qE '^flags.*\b(vmx|svm)\b' /proc/cpuinfo; then
	# The emulator offers it; nothing here uses it.
	echo "kvm is $([ -e /dev/kvm ] && echo in use || echo not loaded)"
else
	echo "the CPU has no hardware virtualization"
fi
lsmod | grep ringfence
ringfence doctor

say "A file system for the guest: mkfs.ext4 /disk.img"
truncate -s 64M /disk.img
mkfs.ext4 -q /disk.img || exit

disk=/disk.img,serial=demo
if [ "$RF_INTERACTIVE" = 1 ]; then
	say "ringfence run -k vmlinuz -i initrd.cpio.gz -m 512M -c 2 --disk $disk"
	ringfence run --name demo -k "/guests/$kernel/vmlinuz" -i /guests/initrd.cpio.gz \
		-p "console=hvc0 panic=-1 loglevel=5 rf.test=shell" -m 512M -c 2 --disk $disk
	exit
fi

say "ringfence run -k vmlinuz -i initrd.cpio.gz -m 512M -c 2 --disk $disk"
(guest_run "$kernel" tour --name demo -m 512M -c 2 --disk $disk; echo $? >/tmp/status) &
toured() { [ -e /tmp/status ] || grep -q 'Here until its disk' /tmp/guest-*.log; }
await 120 toured
say "ringfence list"
ringfence list
say "ringfence info demo"
ringfence info demo
say "ringfence stats demo"
ringfence stats demo

say "ringfence balloon demo 128M: it keeps no more than that, the host has the rest"
ringfence balloon demo 128M
say "ringfence detach-disk demo demo: it loses its disk while it runs, and powers off"
ringfence detach-disk demo demo
wait
say "The guest powered off; the module unloads"
exit "$(cat /tmp/status)"
