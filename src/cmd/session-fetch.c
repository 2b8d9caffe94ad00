/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/session-fetch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define FETCH_MAX (UINT64_C(16) << 30)

static void file_close(struct session_fetch *f)
{
	closep(&f->fd);
	f->fd = -1;
}

int session_fetch_next(struct session_fetch *f, struct machine *m, struct err *err)
{
	_free_ char *path = NULL, *full = NULL;
	const char *text, *colon;
	int r;

	file_close(f);
	if (f->n == f->list->n)
		return 0;
	text = f->list->v[f->n++];
	colon = strchr(text, ':');
	path = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	full = path[0] == '/' ? xstrdup(path) : path_join(f->dir, path);
	free(f->file);
	f->file = xstrdup(colon && colon[1] ? colon + 1 : path_base(path));
	f->fd = open(f->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (f->fd < 0)
		return err_sys(err, errno, "--fetch: make file '%s'", f->file);
	r = machine_fetch(m, full, FETCH_MAX, err);
	return r < 0 ? r : 1;
}

int session_fetch_bytes(struct session_fetch *f, struct str bytes, struct err *err)
{
	int r = f->fd < 0 ? 0 : file_write_all(f->fd, bytes.p, bytes.n);

	if (r == 0)
		return 0;
	session_fetch_drop(f);
	return err_sys(err, -r, "write '%s'", f->file);
}

void session_fetch_drop(struct session_fetch *f)
{
	unlink(f->file);
}

void session_fetch_done(struct session_fetch *f)
{
	file_close(f);
	free(f->file);
	f->file = NULL;
}
