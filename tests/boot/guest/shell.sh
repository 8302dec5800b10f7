#!/bin/sh
# A shell for a person at the guest's console, with the disk at /mnt if there is one.
if modprobe -a rf_bus rf_block rf_balloon 2>/dev/null && [ -b /dev/rfa ]; then
	mkdir -p /mnt
	mount -t ext4 /dev/rfa /mnt && echo "The disk /dev/rfa is mounted on /mnt."
fi
PS1='guest# ' setsid cttyhack sh
exit 0
