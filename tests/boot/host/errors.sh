#!/bin/sh
# Each wrong thing gives one clear line, a non-zero status, and leaves nothing
# behind.
. /lib/rf.sh
kernel=/guests/${GUESTS%% *}/vmlinuz
initrd=/guests/initrd.cpio.gz

# wrong NAME REGEX COMMAND...: fails with one line on stderr that matches
wrong() {
	name=$1 regex=$2
	shift 2
	timeout 60 "$@" >/tmp/out 2>/tmp/err </dev/null
	status=$?
	if [ $status = 0 ] || [ $status = 124 ] || [ $status -ge 128 ]; then
		not_ok "$name"
		note "status $status"
	elif [ "$(wc -l </tmp/err)" != 1 ] || ! grep -qiE -e "$regex" /tmp/err; then
		not_ok "$name"
	else
		ok "$name"
	fi
	sed 's/^/# /' /tmp/err
}

plan 25
wrong "no kernel named" "kernel|-k" ringfence run
wrong "no such kernel" "/nowhere" ringfence run -k /nowhere
wrong "no such initrd" "/nowhere" ringfence run -k "$kernel" -i /nowhere
head -c 100000 /dev/urandom >/tmp/noise
wrong "noise for a kernel" "noise" ringfence run -k /tmp/noise
head -c 3000000 "$kernel" >/tmp/cut
wrong "half a kernel" "cut" ringfence run -k /tmp/cut
: >/tmp/empty
wrong "an empty kernel" "empty" ringfence run -k /tmp/empty
{ head -c 2000000 "$kernel"; head -c 100000 /dev/urandom; tail -c +2100001 "$kernel"; } >/tmp/bent
wrong "a damaged kernel" "bent" ringfence run -k /tmp/bent
wrong "a kernel that is no Xen guest" "xen" ringfence run -k /bin/busybox
wrong "too little memory" "memory|-m" ringfence run -k "$kernel" -i "$initrd" -m 8M
wrong "more memory than there is" "memory|-m" ringfence run -k "$kernel" -m 900G
wrong "an address space that is too small" "memory" \
	sh -c "ulimit -v 300000; exec ringfence run -k $kernel -m 512M"
wrong "an initrd that does not fit" "memory|-m" ringfence run -k "$kernel" -i "$kernel" -m 40M
wrong "no vCPUs" "-c|cpu" ringfence run -k "$kernel" -c 0
wrong "too many vCPUs" "-c|cpu" ringfence run -k "$kernel" -c 1000
wrong "an unknown verb" "frobnicate" ringfence frobnicate
wrong "an unknown guest" "nobody" ringfence info nobody
wrong "nobody to stop" "nobody" ringfence stop nobody
wrong "no place for a socket" "run-dir" ringfence run -k "$kernel" --run-dir /proc/x
chmod 0600 /dev/ringfence
chmod 0755 /guests /guests/* 2>/dev/null
wrong "no permission" "permission|/dev/ringfence" \
	su nobody -s /bin/sh -c "ringfence run -k $kernel --run-dir /tmp/nobody"

# doctor_says REGEX: it finds something to be fixed, and says what to do
doctor_says() {
	ringfence doctor >/tmp/out 2>&1
	[ $? = 1 ] && grep -A1 '^fix ' /tmp/out | tr '\n' ' ' | grep -qE -e "$1"
}

mv /dev/ringfence /dev/ringfence.away
mknod /dev/ringfence c 1 3
wrong "a device that knows no such ioctl" "another version" ringfence run -k "$kernel"
check "doctor says so" doctor_says 'does not answer as it should.*-> unload it'
mv -f /dev/ringfence.away /dev/ringfence

rmmod ringfence
wrong "no module" "module|/dev/ringfence" ringfence run -k "$kernel"
check "doctor says how to get one" doctor_says 'module.*not loaded.*-> modprobe ringfence'
insmod /ringfence.ko
check "doctor has nothing to be fixed" ringfence doctor
check "nothing is left behind" eval "[ -z \"\$(ls /run/ringfence 2>/dev/null)\" ] && [ -z \"\$(pidof ringfence)\" ]"
done_testing
