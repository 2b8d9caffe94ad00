/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"

char *path_join(const char *a, const char *b)
{
	size_t n = a ? strlen(a) : 0;

	if (n == 0)
		return xstrdup(b);
	return xasprintf(a[n - 1] == '/' ? "%s%s" : "%s/%s", a, b);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *path_dir(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static int read_all(int fd, size_t max, struct buf *b)
{
	char chunk[65536];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if ((size_t)n > max - b->n)
			return -EFBIG;
		r = buf_add(b, chunk, (size_t)n);
		if (r < 0)
			return r;
	}
}

int file_read(const char *path, size_t max, struct buf *b, struct err *err)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "read '%s'", path);
	if (!max)
		max = FILE_MAX_DEFAULT;
	if (max > b->max)
		b->max = max;
	r = read_all(fd, max, b);
	if (r == -EFBIG)
		return err_set(err, EFBIG, "'%s' is larger than %zu bytes", path, max);
	if (r < 0)
		return err_sys(err, -r, "read '%s'", path);
	return buf_add(b, "", 0);
}

int file_read_line(const char *path, char **ret, struct err *err)
{
	_cleanup_(buf_done) struct buf b = {};
	struct str rest, line;
	int r = file_read(path, 0, &b, err);

	if (r < 0)
		return r;
	rest = buf_str(&b);
	line = str_cut(&rest, '\n');
	*ret = xstrndup(line.p, line.n);
	return 0;
}

int file_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t w = write(fd, at, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		at += w;
		n -= (size_t)w;
	}
	return 0;
}

int file_write(const char *path, struct str data, mode_t mode, struct err *err)
{
	_free_ char *temp = xasprintf("%s.XXXXXX", path);
	_cleanup_(closep) int fd = mkostemp(temp, O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "write '%s'", path);
	r = file_write_all(fd, data.p, data.n);
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(temp, path) < 0))
		r = -errno;
	if (r < 0) {
		unlink(temp);
		return err_sys(err, -r, "write '%s'", path);
	}
	return 0;
}

int file_lock(const char *path, bool wait, int *ret_fd, struct err *err)
{
	_free_ char *dir = path_dir(path);
	_cleanup_(closep) int fd = -1;
	int r = dir_make(dir, err);

	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_sys(err, errno, "open '%s'", path);
	do
		r = flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
	while (r < 0 && errno == EINTR);
	if (r < 0 && errno == EWOULDBLOCK)
		return 0;
	if (r < 0)
		return err_sys(err, errno, "lock '%s'", path);
	*ret_fd = fd;
	fd = -1;
	return 1;
}

int dir_make(const char *path, struct err *err)
{
	_free_ char *p = xstrdup(path);

	for (char *at = p + 1; *p; at++) {
		char c = *at;

		if (c != '/' && c != '\0')
			continue;
		*at = '\0';
		if (mkdir(p, 0777) < 0 && errno != EEXIST)
			return err_sys(err, errno, "make directory '%s'", p);
		*at = c;
		if (c == '\0')
			break;
	}
	return 0;
}

static int remove_at(int parent, const char *name, dev_t dev)
{
	_cleanup_(closep) int fd = -1;
	struct dirent *e;
	struct stat st;
	DIR *d;
	int r = 0;

	if (unlinkat(parent, name, 0) == 0)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return errno == ENOENT ? 0 : -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (dev && st.st_dev != dev)
		return -EXDEV;
	d = fdopendir(fd);
	if (!d)
		return -errno;
	fd = -1;
	while (r == 0 && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = remove_at(dirfd(d), e->d_name, st.st_dev);
	closedir(d);
	if (r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

int dir_files(const char *path, const char *suffix,
	      int (*each)(void *ctx, const char *below, struct err *err), void *ctx,
	      struct err *err)
{
	char *const roots[] = { (char *)path, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	size_t skip = strlen(path);
	int r = walk ? 0 : err_sys(err, errno, "read directory '%s'", path);
	FTSENT *e;

	skip += skip && path[skip - 1] != '/';
	while (r == 0 && (e = fts_read(walk))) {
		if (e->fts_level == 0 && (e->fts_info == FTS_NS || e->fts_info == FTS_DNR))
			r = err_sys(err, e->fts_errno, "read directory '%s'", path);
		else if (e->fts_info == FTS_F && str_ends(str_of(e->fts_name), str_of(suffix)))
			r = each(ctx, e->fts_path + skip, err);
	}
	if (walk)
		fts_close(walk);
	return r;
}

int dir_remove(const char *path, struct err *err)
{
	int r = remove_at(AT_FDCWD, path, 0);

	return r < 0 ? err_sys(err, -r, "remove '%s'", path) : 0;
}

int dir_temp(const char *parent, const char *prefix, char **ret, struct err *err)
{
	_free_ char *path = xasprintf("%s/%sXXXXXX", parent, prefix);
	int r = dir_make(parent, err);

	if (r < 0)
		return r;
	if (!mkdtemp(path))
		return err_sys(err, errno, "make a directory in '%s'", parent);
	*ret = TAKE(path);
	return 0;
}

int dir_free_space(const char *path, uint64_t *ret, struct err *err)
{
	struct statvfs v;

	if (statvfs(path, &v) < 0)
		return err_sys(err, errno, "free space of '%s'", path);
	*ret = (uint64_t)v.f_bavail * v.f_frsize;
	return 0;
}

void dir_removep(char **path)
{
	if (*path)
		dir_remove(*path, NULL);
	free(*path);
}
