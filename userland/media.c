// SPDX-License-Identifier: GPL-2.0
/*
 * media.c - files as media of emulated drives
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media.h"

static int file_read(void *ctx, uint64_t offset, void *buf, size_t len)
{
	const struct rf_media_file *file = ctx;
	char *to = buf;

	while (len) {
		ssize_t done = pread(file->fd, to, len, offset);

		if (done < 0 && errno == EINTR)
			continue;
		/* Shorter than it was: somebody has cut it. */
		if (done <= 0)
			return done ? errno : EIO;
		to += done;
		offset += done;
		len -= done;
	}
	return 0;
}

static int file_write(void *ctx, uint64_t offset, const void *buf, size_t len)
{
	const struct rf_media_file *file = ctx;
	const char *from = buf;

	while (len) {
		ssize_t done = pwrite(file->fd, from, len, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done ? errno : EIO;
		from += done;
		offset += done;
		len -= done;
	}
	return 0;
}

static int file_flush(void *ctx)
{
	const struct rf_media_file *file = ctx;

	return fdatasync(file->fd) ? errno : 0;
}

static int check_kind(int fd, const char *what, const char *path, struct rf_error *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return rf_error_set(err, "cannot use the %s %s: %s", what, path,
				    strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return rf_error_set(err, "cannot use the %s %s: it is neither a "
					 "file nor a block device", what, path);
	return 0;
}

static int check_size(const struct rf_media_file *file, const char *what, const char *path,
		      unsigned int sector, struct rf_error *err)
{
	if (!file->media.len || file->media.len % sector)
		return rf_error_set(err, "cannot use the %s %s: its size, %llu, is "
					 "not a multiple of %u", what, path,
				    (unsigned long long)file->media.len, sector);
	return 0;
}

int rf_media_open(struct rf_media_file *file, const char *what, const char *path,
		  bool read_only, unsigned int sector, struct rf_error *err)
{
	off_t len;

	/* A FIFO without a writer would keep open() waiting. */
	file->fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0)
		return rf_error_set(err, "cannot open the %s %s: %s", what, path,
				    strerror(errno));
	if (check_kind(file->fd, what, path, err))
		goto err_close;
	if (flock(file->fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB)) {
		rf_error_set(err, "cannot use the %s %s: %s", what, path,
			     errno == EWOULDBLOCK ? "another guest has it" :
						    strerror(errno));
		goto err_close;
	}
	len = lseek(file->fd, 0, SEEK_END);
	file->media = (struct rf_ata_media){
		.read = file_read,
		.write = file_write,
		.flush = file_flush,
		.ctx = file,
		.len = len < 0 ? 0 : len,
		.read_only = read_only,
	};
	if (check_size(file, what, path, sector, err))
		goto err_close;
	return 0;

err_close:
	rf_media_close(file);
	return -1;
}

void rf_media_close(struct rf_media_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}
