// SPDX-License-Identifier: GPL-2.0
/*
 * file.c - whole files as memory
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

int rf_file_map(struct rf_file *file, const char *what, const char *path,
		struct rf_error *err)
{
	struct stat st;
	void *data;
	int fd;

	/* A FIFO without a writer would keep open() waiting. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st)) {
		rf_error_set(err, "cannot read the %s %s: %s", what, path,
			     strerror(errno));
		goto err_close;
	}
	if (!S_ISREG(st.st_mode) || !st.st_size) {
		rf_error_set(err, "cannot use the %s %s: %s", what, path,
			     S_ISREG(st.st_mode) ? "it is empty" :
						   "it is not a regular file");
		goto err_close;
	}
	data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED) {
		rf_error_set(err, "cannot map the %s %s: %s", what, path,
			     strerror(errno));
		goto err_close;
	}
	close(fd);
	file->data = data;
	file->len = st.st_size;
	return 0;

err_close:
	if (fd >= 0)
		close(fd);
	return -1;
}

void rf_file_unmap(struct rf_file *file)
{
	if (file->data)
		munmap((void *)file->data, file->len);
	*file = (struct rf_file){ NULL, 0 };
}
