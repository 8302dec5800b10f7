#!/bin/sh
# Emulated devices under stock drivers: --serial, --ata and --cdrom.  Needs
# --guest-bin build/host/polled, --guest-module libata, sd_mod and sr_mod, and
# rf_legacy_ata.ko in the guest's /lib.
. /lib/rf.sh
kernel=${GUESTS%% *}
plan 5

cd /tmp || exit 1
sum() { sha256sum | cut -d' ' -f1; }
dd if=/dev/urandom of=disk bs=1M count=9 2>/dev/null
dd if=/dev/urandom of=fixed bs=4k count=100 2>/dev/null
dd if=/dev/urandom of=disc bs=2k count=777 2>/dev/null
mkfifo in

count() { awk -v c="$1" '$2 == c { sum += $3 } END { print sum + 0 }' /sys/kernel/debug/ringfence/*-emulated/counters; }

# told TEXT: until the guest has said it over the serial port
told() {
	left=${GUEST_TIMEOUT:-300}
	while ! tr -d '\r' <out 2>/dev/null | grep -q "^$1"; do
		left=$((left - 1))
		[ $left -gt 0 ] && [ ! -s status ] || return 1
		sleep 1
	done
}

# at WHERE: the guest waits there; note the counters and let it go on
at() {
	told "at $1$" || return 1
	for c in switches io_exits exit_gp; do
		eval "$1_$c=$(count $c)"
	done
	echo go >&3
}

{
	ringfence run --name emulated -k "/guests/$kernel/vmlinuz" -i /guests/initrd.cpio.gz \
		-m 512M --console file:console --serial stdio \
		--ata disk --ata fixed,readonly --cdrom disc \
		-p "console=hvc0 panic=-1 rf.test=emulated rf.sectors=18432 rf.sum=$(sum <disk) rf.head=$(head -c 512512 disk | sum) rf.fixed=$(sum <fixed) rf.disc=$(sum <disc)" \
		<in >out 2>err
	echo $? >status
} &
exec 3>in

talk() {
	at start || return 1
	long=$(head -c 3000 /dev/zero | tr '\0' x)
	told "$long$" || return 1
	echo "$long" >&3
	at small && at large && at written || return 1
	told "at end$"
	ringfence run -k "/guests/$kernel/vmlinuz" --ata disk >taken 2>&1 </dev/null
	at end
}
check "the guest and the host talk" talk

# figure WHAT FROM TO UNITS: of each unit of 4 KiB
figure() {
	for c in switches io_exits exit_gp; do
		eval "n=\$(((\$$3_$c - \$$2_$c) * 10 / $4))"
		note "$1: $c for each 4 KiB: $((n / 10)).$((n % 10))"
	done
}
figure "read, 4 KiB at a time" small large 64
figure "read, 4 MiB at once" large written 1024
figure "written, 4 MiB at once" written end 1024

# 8 sectors and a command: what a device like this can do with.
check "a sector is one exit" [ $(((written_io_exits - large_io_exits) * 10 / 1024)) -le 250 ]

told "sum " || ringfence kill emulated
wait
show console
show err
tr -d '\r' <console | sed -n 's/^.*RFTEST \(not ok\|ok\) /    \1 /p'
check "the guest finds all as it should be" \
	eval '[ "$(cat status)" = 0 ] && [ "$(guest_verdict console)" = 0 ]'
check "the file is what the guest has made of it" \
	[ "$(tr -d '\r' <out | sed -n 's/^sum //p')" = "$(sum <disk)" ]
check "nobody else can have a disk that is in use" grep -q "another guest has it" taken
done_testing
