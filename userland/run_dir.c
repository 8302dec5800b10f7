// SPDX-License-Identifier: GPL-2.0
/*
 * run_dir.c - RUN_DIR/NAME.sock, one a guest; RUN_DIR/UID/NAME.sock for guests
 * that root started and that run as somebody else
 *
 * A launcher that dies by SIGKILL leaves its socket.  Nobody listens at it, so
 * connecting tells; it is removed under a lock on the directory, lest two
 * launchers clean up and take the same name at once.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "run_dir.h"

#define ROOT_DIR	"/run/ringfence"
#define SUFFIX		".sock"
#define BACKLOG		16
#define CONNECT_SECONDS	5	/* somebody who never accepts */

int rf_run_dir_find(const char *wanted, char *path, struct rf_error *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int len;

	if (wanted)
		len = snprintf(path, RF_SOCKET_PATH, "%s", wanted);
	else if (!geteuid())
		len = snprintf(path, RF_SOCKET_PATH, ROOT_DIR);
	else if (runtime && *runtime == '/')
		len = snprintf(path, RF_SOCKET_PATH, "%s/ringfence", runtime);
	else
		return rf_error_set(err, "XDG_RUNTIME_DIR is not set: use "
					 "--run-dir DIR");
	if (len >= RF_SOCKET_PATH)
		return rf_error_set(err, "--run-dir: the path is too long");
	return 0;
}

static int socket_path(char *path, const char *dir, const char *name,
		       struct rf_error *err)
{
	int len = snprintf(path, RF_SOCKET_PATH, "%s/%s" SUFFIX, dir, name);

	if (len >= RF_SOCKET_PATH)
		return rf_error_set(err, "the path of the socket in %s is too "
					 "long: use a shorter --run-dir or "
					 "--name", dir);
	return 0;
}

static int make_dir(const char *path, uid_t owner, struct rf_error *err)
{
	char part[RF_SOCKET_PATH];
	struct stat st;

	snprintf(part, sizeof(part), "%s", path);
	for (char *slash = part + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		mkdir(part, 0755);
		*slash = '/';
	}
	if (!mkdir(path, 0755)) {
		if (owner != geteuid() && lchown(path, owner, -1))
			return rf_error_set(err, "cannot hand %s over: %s",
					    path, strerror(errno));
		return 0;
	}
	if (errno != EEXIST || stat(path, &st))
		return rf_error_set(err, "cannot make the directory %s: %s; "
					 "use another --run-dir",
				    path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return rf_error_set(err, "%s is not a directory; use another "
					 "--run-dir", path);
	return 0;
}

/* Return: a descriptor that holds the lock, or -1. */
static int lock_dir(const char *dir, int how)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, how)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void address_of(struct sockaddr_un *address, const char *path)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
}

/*
 * What root finds in the directory of somebody else may be a link to a socket of
 * a third's.  Return: a descriptor of a socket that belongs to the owner of its
 * directory, or to the caller, or -errno.
 */
static int find_socket(const char *path)
{
	char dir[RF_SOCKET_PATH];
	struct stat st, dir_st;
	int fd;

	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = 0;
	if (stat(*dir ? dir : "/", &dir_st))
		return -errno;
	fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && S_ISSOCK(st.st_mode) &&
	    (st.st_uid == dir_st.st_uid || st.st_uid == geteuid()))
		return fd;
	close(fd);
	return -ENOTSOCK;
}

/* Return: a socket, or -errno. */
static int connect_to(const char *path)
{
	struct timeval patience = { .tv_sec = CONNECT_SECONDS }, none = { 0 };
	struct sockaddr_un address;
	char found_path[32];
	int found = find_socket(path), fd, ret;

	if (found < 0)
		return found;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		ret = -errno;
		close(found);
		return ret;
	}
	/* This one, whatever has its name by now. */
	snprintf(found_path, sizeof(found_path), "/proc/self/fd/%d", found);
	address_of(&address, found_path);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	ret = connect(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : fd;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
	close(found);
	if (ret < 0)
		close(fd);
	return ret;
}

static bool is_stale(const char *path)
{
	int fd = connect_to(path);

	if (fd >= 0)
		close(fd);
	return fd == -ECONNREFUSED;
}

/* Called with the directory locked. */
static int bind_at(const char *path, const char *name, struct rf_error *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	mode_t mask;
	int ret;

	if (fd < 0)
		return rf_error_set(err, "cannot make a socket: %s",
				    strerror(errno));
	if (is_stale(path))
		unlink(path);
	address_of(&address, path);
	mask = umask(0077);
	ret = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (!ret && !listen(fd, BACKLOG))
		return fd;

	if (errno == EADDRINUSE)
		rf_error_set(err, "a guest named '%s' runs already; use "
				  "another --name", name);
	else
		rf_error_set(err, "cannot make the socket %s: %s", path,
			     strerror(errno));
	close(fd);
	return -1;
}

int rf_run_dir_listen(const char *wanted, const char *name, uid_t owner,
		      char *path, struct rf_error *err)
{
	char dir[RF_SOCKET_PATH];
	size_t len;
	int lock, fd;

	if (rf_run_dir_find(wanted, dir, err))
		return -1;
	len = strlen(dir);
	if (make_dir(dir, geteuid(), err))
		return -1;
	if (owner != geteuid()) {
		snprintf(dir + len, sizeof(dir) - len, "/%u", owner);
		if (make_dir(dir, owner, err))
			return -1;
	}
	if (socket_path(path, dir, name, err))
		return -1;

	/* The owner's to change under our feet: no more than they could do there. */
	setfsuid(owner);
	lock = lock_dir(dir, LOCK_EX);
	fd = bind_at(path, name, err);
	if (lock >= 0)
		close(lock);
	setfsuid(geteuid());
	return fd;
}

/* The directory itself, then those that root made for others. */
static int each_below(const char *top,
		      int (*visit)(void *ctx, const char *dir), void *ctx)
{
	char dir[RF_SOCKET_PATH];
	struct dirent *entry;
	int ret = visit(ctx, top);
	DIR *stream;

	stream = ret ? NULL : opendir(top);
	if (!stream)
		return ret;
	while (!ret && (entry = readdir(stream))) {
		if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name))
			continue;
		if (snprintf(dir, sizeof(dir), "%s/%s", top, entry->d_name) <
		    (int)sizeof(dir))
			ret = visit(ctx, dir);
	}
	closedir(stream);
	return ret;
}

/* Every directory the caller's guests may be in, until @visit is not 0. */
static int each_dir(const char *wanted, const char *top,
		    int (*visit)(void *ctx, const char *dir), void *ctx)
{
	char dir[RF_SOCKET_PATH];
	int ret = each_below(top, visit, ctx);

	if (ret || wanted || !geteuid())
		return ret;
	/* Guests that root started with --user. */
	snprintf(dir, sizeof(dir), ROOT_DIR "/%u", geteuid());
	return visit(ctx, dir);
}

struct search {
	const char *name;
	int fd;
	int denied;
};

/* Return: 1 when found. */
static int search_dir(void *ctx, const char *dir)
{
	struct search *search = ctx;
	char path[RF_SOCKET_PATH];
	struct rf_error ignored;

	if (socket_path(path, dir, search->name, &ignored))
		return 0;
	search->fd = connect_to(path);
	if (search->fd == -EACCES)
		search->denied = 1;
	return search->fd >= 0;
}

int rf_run_dir_connect(const char *wanted, const char *name,
		       struct rf_error *err)
{
	struct search search = { .name = name };
	char dir[RF_SOCKET_PATH];

	if (rf_run_dir_find(wanted, dir, err))
		return -1;
	if (each_dir(wanted, dir, search_dir, &search))
		return search.fd;
	if (search.denied)
		return rf_error_set(err, "guest '%s' is somebody else's", name);
	return rf_error_set(err, "no guest '%s' runs (looked in %s); see "
				 "'ringfence list'", name, dir);
}

struct walk {
	void (*each)(void *ctx, const char *name, int fd);
	void *ctx;
};

static int walk_dir(void *ctx, const char *dir)
{
	struct walk *walk = ctx;
	char path[RF_SOCKET_PATH];
	struct rf_error ignored;
	struct dirent *entry;
	DIR *stream = opendir(dir);
	int lock, fd;

	if (!stream)
		return 0;
	while ((entry = readdir(stream))) {
		char *suffix = strstr(entry->d_name, SUFFIX);

		if (!suffix || suffix[strlen(SUFFIX)])
			continue;
		*suffix = 0;
		if (socket_path(path, dir, entry->d_name, &ignored))
			continue;
		fd = connect_to(path);
		if (fd >= 0) {
			walk->each(walk->ctx, entry->d_name, fd);
			close(fd);
			continue;
		}
		/* Its owner may hold the lock for ever. */
		lock = lock_dir(dir, LOCK_EX | LOCK_NB);
		if (lock < 0)
			continue;
		if (is_stale(path))
			unlink(path);
		close(lock);
	}
	closedir(stream);
	return 0;
}

int rf_run_dir_each(const char *wanted,
		    void (*each)(void *ctx, const char *name, int fd),
		    void *ctx, struct rf_error *err)
{
	struct walk walk = { each, ctx };
	char dir[RF_SOCKET_PATH];

	if (rf_run_dir_find(wanted, dir, err))
		return -1;
	return each_dir(wanted, dir, walk_dir, &walk);
}
