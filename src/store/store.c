/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/inside.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/zlog.h"

char *store_default_path(void)
{
	const char *env = getenv("TAPROOM_STORE"), *xdg = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");

	if (env && *env)
		return xstrdup(env);
	if (xdg && xdg[0] == '/')
		return path_join(xdg, "taproom/history.db");
	return path_join(home && home[0] == '/' ? home : "/root",
			 ".local/share/taproom/history.db");
}

/* "sqlite:PATH" or a path; other schemes are told apart from odd file names. */
static int path_of(const char *url, char **ret, struct err *err)
{
	struct str s = str_of(url);

	if (str_starts(s, STR("sqlite:")))
		s = str_from(s, 7);
	else if (str_find(s, STR("://")) >= 0)
		return err_set(err, EPROTONOSUPPORT,
			       "store '%s': only files are known; write a path or sqlite:PATH",
			       url);
	if (s.n == 0)
		return err_set(err, EINVAL, "the store's name is empty; write a path");
	*ret = xstrndup(s.p, s.n);
	return 0;
}

int store_open(const char *url, enum store_mode mode, struct store **ret, struct err *err)
{
	_free_ char *by_default = url ? NULL : store_default_path();
	_free_ char *path = NULL;
	struct db *db;
	struct store *s;
	int r = path_of(url ? url : by_default, &path, err);

	if (r == 0)
		r = db_open(path, mode, DB_BUSY_MS, &db, err);
	if (r < 0)
		return r;
	s = xcalloc(1, sizeof(*s));
	s->db = db;
	s->dir = xasprintf("%s.d", path);
	s->path = TAKE(path);
	*ret = s;
	return 0;
}

struct store *store_close(struct store *s)
{
	if (!s)
		return NULL;
	db_close(s->db);
	free(s->path);
	free(s->dir);
	free(s);
	return NULL;
}

char *store_lock_path(const struct store *s, struct str uid)
{
	return xasprintf("%s/%.*s/running", s->dir, STR_FMT(uid));
}

bool store_run_alive(const struct store *s, struct str uid)
{
	_free_ char *path = store_lock_path(s, uid);
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

void store_counts_format(const uint64_t counts[static STATUS_N], struct buf *ret)
{
	for (unsigned i = 0; i < STATUS_N; i++)
		if (counts[i])
			buf_printf(ret, "%s%s=%" PRIu64, ret->n ? " " : "", STATUS_INFO[i].name,
				   counts[i]);
}

void store_counts_parse(struct str text, uint64_t ret[static STATUS_N])
{
	memset(ret, 0, STATUS_N * sizeof(*ret));
	while (text.n) {
		struct str value = str_cut(&text, ' ');
		struct str name = str_cut(&value, '=');
		enum status status;
		uint64_t n;

		if (status_from_name(name, &status) && str_to_u64(value, &n))
			ret[status] = n;
	}
}

int store_log(struct store *s, int64_t run_id, unsigned program, unsigned job, uint64_t from,
	      uint64_t to, struct out *out, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	const char *kind = program ? "log" : "console";
	_free_ char *name = NULL, *path = NULL;
	int r = db_query(s->db, SQL_ARTEFACT, &rows, err, DB_I(run_id), DB_I(program ? 0 : job),
			 DB_I(program), DB_T(str_of(kind)));

	if (r == 0)
		r = db_next(&rows, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ENOENT, "run %" PRId64 " kept no %s of %s %u", run_id, kind,
			       program ? "program" : "job", program ? program : job);
	name = xstrndup(db_str(&rows, 0).p, db_str(&rows, 0).n);
	path = path_join(s->dir, name);
	return zlog_print(path, from, to, out, err);
}
