// SPDX-License-Identifier: GPL-2.0
/*
 * polled.c - tell a serial port that it has no interrupt: polled /dev/ttyS0
 *
 * What "setserial /dev/ttyS0 irq 0" does, for guests that do not have that.
 */
#include <fcntl.h>
#include <linux/serial.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct serial_struct port;
	int fd = argc == 2 ? open(argv[1], O_RDWR | O_NONBLOCK | O_NOCTTY) : -1;

	if (fd < 0 || ioctl(fd, TIOCGSERIAL, &port)) {
		perror("polled");
		return 1;
	}
	port.irq = 0;
	if (ioctl(fd, TIOCSSERIAL, &port)) {
		perror("polled: TIOCSSERIAL");
		return 1;
	}
	close(fd);
	return 0;
}
