#!/bin/sh
# Images in a format of QEMU's, by qemu-nbd and the kernel's nbd: what a guest reads and
# writes, whose server goes away, and that nothing stays.  Needs --module nbd and --bin
# for qemu-nbd and qemu-img.
. /lib/rf.sh
kernel=${GUESTS%% *}
T=/media
plan 17

# qemu-nbd has a socket there.
mkdir -p $T /var/lock
cd $T || exit 1

sum() { md5sum <"$1" | cut -d' ' -f1; }
# overlay NAME: an image that has the bytes of "base" until they are written over
overlay() { qemu-img create -q -f qcow2 -b base -F raw "$1"; }
content() { qemu-img convert -O raw "$1" content && sum content; }
all_free() { ! ls /sys/block/nbd*/pid && ! pidof qemu-nbd; }

refused() {
	why=$1
	shift
	ringfence run -k "/guests/$kernel/vmlinuz" --console none --disk "$@" >/tmp/refused 2>&1
	status=$?
	cat /tmp/refused
	[ $status = 1 ] && grep -q "$why" /tmp/refused
}

dd if=/dev/urandom of=base bs=1M count=4 2>/dev/null
base_was=$(sum base)
for name in old new doomed next held; do overlay $name || exit 1; done

check "without nbd it is refused" refused "modprobe nbd" "$T/old,format=qcow2"
modprobe nbd
check "an image of another format is refused" refused "does not open it" "$T/base,format=qcow2"
check "and nothing is left of that" await 60 all_free

media_run --disk "$T/old,format=qcow2,readonly,serial=read-old" \
	--disk "$T/new,format=qcow2,serial=write-new" &
check "a guest reads an image" media_says "SUM read-old"
check "and sees what is under it" [ "$(media_told "SUM read-old")" = "$base_was" ]
check "it writes to an image" media_says "SUM write-new"
new_is=$(media_told "SUM write-new")

# A server that goes takes nothing with it but its disk.
attach() { ringfence attach-disk media "$1" >/tmp/attached; }
check "another one comes while it runs" attach "$T/doomed,format=qcow2,serial=doomed-nbd"
check "and is read" media_says "LIVES doomed-nbd"
server_of() { for p in $(pidof qemu-nbd); do grep -q "$T/$1" /proc/$p/cmdline && echo $p; done; }
kill -9 "$(server_of doomed)"
check "its server goes, and the guest is told" media_says "FAILED doomed-nbd"
check "its device is nobody else's yet" guest_elf hello --disk "$T/next,format=qcow2"
dd if=/dev/zero of=last bs=1M count=2 2>/dev/null
check "the guest ends" attach "$T/last,serial=end"
wait
check "with status 0" [ "$(cat $MEDIA_LOG.status)" = 0 ]
check "nothing is left of its images" await 60 all_free
check "what it wrote is in the image" [ "$(content new)" = "$new_is" ]
check "and not under it" [ "$(sum base)" = "$base_was" ]

# Nor of those of a launcher that could not say that it ended.
ringfence run -k /guest/spin.elf --name held -m 32M -p ms=900000 \
	--disk "$T/held,format=qcow2" >/tmp/held.log 2>&1 </dev/null &
launcher=$!
check "a launcher is killed" eval 'await 60 ringfence info held && kill -9 $launcher'
check "and nothing is left of its image" await 60 all_free
done_testing
