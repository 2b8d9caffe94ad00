/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/mem.h"

static int file_open(struct unpack_dir *dir, struct unpack_file *f, const char *name,
		     struct err *err)
{
	int r = dir->dir ? 0 : dir_temp(dir->scratch, "log.", &dir->dir, err);

	if (r < 0)
		return r;
	f->path = path_join(dir->dir, name);
	f->fd = open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return f->fd < 0 ? err_sys(err, errno, "write '%s'", f->path) : 0;
}

const char *unpack_add(struct unpack_dir *dir, struct unpack_file *f, const char *name,
		       struct str base64, struct err *err, int *ret)
{
	buf_clear(&dir->piece);
	if (base64_read(base64, &dir->piece) < 0)
		return "its data is no base64";
	dir->bytes += dir->piece.n;
	if (dir->bytes > UNPACK_MAX)
		return "the run's logs are too large";
	if (dir->scratch && !f->path)
		*ret = file_open(dir, f, name, err);
	if (!f->path || *ret < 0)
		return NULL;
	*ret = file_write_all(f->fd, dir->piece.p, dir->piece.n);
	if (*ret < 0)
		err_sys(err, -*ret, "write '%s'", f->path);
	return NULL;
}

void unpack_file_done(struct unpack_file *f)
{
	if (f->path)
		closep(&f->fd);
	free(f->path);
	*f = (struct unpack_file){ .fd = -1 };
}

void unpack_dir_done(struct unpack_dir *dir)
{
	if (dir->dir)
		dir_remove(dir->dir, NULL);
	free(dir->dir);
	buf_done(&dir->piece);
	*dir = (struct unpack_dir){ .scratch = dir->scratch };
}
