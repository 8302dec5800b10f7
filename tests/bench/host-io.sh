#!/bin/sh
# In the host VM: what requests cost on a RAM disk natively, and in a guest by
# each kind of disk there is, with the module's counters read before and after.
# Lines that begin with BENCH are for the combiner (tests/bench/bench-io).
. /lib/rf.sh
. /lib/follow.sh
plan 3

# One for each device: two writers would be refused.
check "there are RAM disks" modprobe brd rd_nr=4 rd_size=32768

native() {
	# shellcheck disable=SC2086
	io native /dev/ram0 $OPS >/tmp/native || return 1
	sed 's/^{/BENCH native {/' /tmp/native
}
case " $DEVICES " in
*" native "*) check "requests natively" native ;;
*) skip "requests natively" "not asked for" ;;
esac
symbols

in_guest() {
	mkfifo /tmp/keys
	exec 3<>/tmp/keys
	{
		timeout "${GUEST_TIMEOUT:-2000}" ringfence run --name bench \
			-k "/guests/$GUESTS/vmlinuz" -i /guests/initrd.cpio.gz -m 512M -c 1 \
			--disk /dev/ram1,serial=ours --disk /dev/ram2,serial=stock --ata /dev/ram3 \
			-p "console=hvc0 panic=-1 rf.test=bench-io rf.devices=$(echo $DEVICES | tr ' ' ,) rf.ops=$(echo $OPS | tr ' ' ,) rf.scheduler=$SCHEDULER $GUEST_CMDLINE" \
			<&3 2>&1
		echo "$?" >/tmp/status
	} | tr -d '\r' | tee /tmp/console | follow
	[ "$(cat /tmp/status)" = 0 ] && [ "$(guest_verdict /tmp/console)" = 0 ]
}
check "requests in a guest" in_guest
done_testing
