#!/bin/sh
# First process of a guest that is told to shut down, by rdinit=: busybox's
# init, as a small system has it.
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
cat >/etc/inittab <<'END'
::sysinit:/tests/orderly-boot.sh
::shutdown:/bin/echo RFGUEST-SHUTDOWN
END
exec /sbin/init
