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

if [ "$RF_INTERACTIVE" = 1 ]; then
	say "ringfence run -k vmlinuz -i initrd.cpio.gz -m 512M -c 2"
	ringfence run --name demo -k "/guests/$kernel/vmlinuz" -i /guests/initrd.cpio.gz \
		-p "console=hvc0 panic=-1 loglevel=5 rf.test=shell" -m 512M -c 2
	exit
fi

say "ringfence run -k vmlinuz -i initrd.cpio.gz -m 512M -c 2"
(GUEST_CMDLINE="rf.seconds=8" guest_run "$kernel" tour --name demo -m 512M -c 2; echo $? >/tmp/status) &
left=90
until ringfence info demo >/dev/null 2>&1 && grep -q TOUR /tmp/guest-*.log 2>/dev/null; do
	left=$((left - 1))
	[ $left -gt 0 ] || break
	[ ! -e /tmp/status ] || break
	sleep 1
done
say "ringfence list"
ringfence list
say "ringfence info demo"
ringfence info demo
say "ringfence stats demo"
ringfence stats demo
wait
say "The guest powered off; the module unloads"
exit "$(cat /tmp/status)"
