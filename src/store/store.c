/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/inside.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/execution.h"
#include "store/zlog.h"

static char *store_file_path(void)
{
	const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (xdg && xdg[0] == '/')
		return path_join(xdg, "taproom/history.db");
	return path_join(home && home[0] == '/' ? home : "/root",
			 ".local/share/taproom/history.db");
}

char *store_default_path(void)
{
	const char *env = getenv("TAPROOM_STORE");

	return env && *env ? xstrdup(env) : store_file_path();
}

static bool is_postgres(const char *url)
{
	return str_starts(str_of(url), STR("postgresql://")) ||
	       str_starts(str_of(url), STR("postgres://"));
}

/* "sqlite:PATH" or a path; other schemes are told apart from odd file names. */
static int path_of(const char *url, char **ret, struct err *err)
{
	struct str s = str_of(url);

	if (str_starts(s, STR("sqlite:")))
		s = str_from(s, 7);
	else if (str_find(s, STR("://")) >= 0)
		return err_set(err, EPROTONOSUPPORT,
			       "store '%s': write a path, sqlite:PATH or postgresql://...", url);
	if (s.n == 0)
		return err_set(err, EINVAL, "the store's name is empty; write a path");
	*ret = xstrndup(s.p, s.n);
	return 0;
}

/* Where logs of a store are that is no file: on the machine that recorded them. */
static char *remote_dir(const char *url)
{
	_free_ char *beside = store_file_path();
	_free_ char *dir = path_dir(beside);

	return xasprintf("%s/%016" PRIx64 ".d", dir, str_hash(str_of(url), STR_HASH_INIT));
}

int store_open(const char *url, enum store_mode mode, struct store **ret, struct err *err)
{
	_free_ char *by_default = url ? NULL : store_default_path();
	_free_ char *path = NULL;
	struct db *db;
	struct store *s;
	int r;

	url = url ? url : by_default;
	if (is_postgres(url)) {
		r = db_postgres_open(url, mode, &db, err);
	} else {
		r = path_of(url, &path, err);
		if (r == 0)
			r = db_sqlite_open(path, mode, DB_BUSY_MS, &db, err);
	}
	if (r < 0)
		return r;
	s = xcalloc(1, sizeof(*s));
	s->db = db;
	dict_init(&s->dict, db);
	s->dir = path ? xasprintf("%s.d", path) : remote_dir(url);
	s->path = path ? TAKE(path) : xstrdup(db->name);
	*ret = s;
	return 0;
}

struct store *store_close(struct store *s)
{
	if (!s)
		return NULL;
	execution_free(s->spare);
	dict_done(&s->dict);
	db_close(s->db);
	free(s->path);
	free(s->dir);
	free(s);
	return NULL;
}

const char *store_log_dir(const struct store *s)
{
	return s->dir;
}

int store_begin(struct store *s, struct err *err)
{
	return db_begin(s->db, err);
}

int store_end(struct store *s, int r, struct err *err)
{
	if (r == 0)
		r = db_commit(s->db, err);
	if (r < 0)
		store_rollback(s);
	else if (!s->db->depth)
		dict_settle(&s->dict, true);
	return r;
}

int store_group_begin(struct store *s, struct err *err)
{
	return store_begin(s, err);
}

int store_group_end(struct store *s, struct err *err)
{
	return store_end(s, 0, err);
}

void store_rollback(struct store *s)
{
	db_rollback(s->db);
	if (!s->db->depth)
		dict_settle(&s->dict, false);
}

char *store_lock_path(const struct store *s, struct str uid)
{
	return xasprintf("%s/%.*s/running", s->dir, STR_FMT(uid));
}

int store_run_claim(struct store *s, struct str uid, int *ret_fd, struct err *err)
{
	_free_ char *path = store_lock_path(s, uid), *dir = path_dir(path);
	_cleanup_(closep) int fd = -1;
	int r;

	if (s->db->driver->claim)
		return s->db->driver->claim(s->db, uid, err);
	r = dir_make(dir, err);
	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_sys(err, errno, "write '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, EBUSY, "run '%.*s' is being recorded already", STR_FMT(uid));
	*ret_fd = fd;
	fd = -1;
	return 0;
}

void store_run_release(struct store *s, struct str uid, int *fd)
{
	if (s->db->driver->release)
		s->db->driver->release(s->db, uid);
	closep(fd);
	*fd = -1;
}

static bool file_claimed(const struct store *s, struct str uid)
{
	_free_ char *path = store_lock_path(s, uid);
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

bool store_run_alive(const struct store *s, struct str uid)
{
	if (s->db->driver->claimed)
		return s->db->driver->claimed(s->db, uid);
	return file_claimed(s, uid);
}

void store_counts_format(const struct store_counts *counts, struct buf *ret)
{
	if (counts->tests)
		buf_printf(ret, "tests=%" PRIu64 " ended=%" PRIu64, counts->tests,
			   counts->ended);
	for (unsigned i = 0; i < STATUS_N; i++)
		if (counts->status[i])
			buf_printf(ret, "%s%s=%" PRIu64, ret->n ? " " : "", STATUS_INFO[i].name,
				   counts->status[i]);
}

void store_counts_parse(struct str text, struct store_counts *ret)
{
	*ret = (struct store_counts){};
	while (text.n) {
		struct str value = str_cut(&text, ' ');
		struct str name = str_cut(&value, '=');
		enum status status;
		uint64_t n;

		if (!str_to_u64(value, &n))
			continue;
		if (str_eq(name, STR("tests")))
			ret->tests = n;
		else if (str_eq(name, STR("ended")))
			ret->ended = n;
		else if (status_from_name(name, &status))
			ret->status[status] = n;
	}
}

int store_changed(struct store *s, int64_t *ret, struct err *err)
{
	return db_get_args(s->db, SQL_CHANGED, NULL, 0, ret, err);
}

static int facts_read(struct store *s, struct db_rows *base, struct db_rows *all,
		      struct store_facts *ret, struct err *err)
{
	int r = db_query_args(s->db, SQL_DATABASE, NULL, 0, base, err);

	if (r == 0)
		r = db_next(base, err);
	if (r > 0)
		r = db_query_args(s->db, SQL_FACTS, NULL, 0, all, err);
	if (r == 0)
		r = db_next(all, err);
	if (r <= 0)
		return r;
	*ret = (struct store_facts){
		.database = db_str(base, 0),
		.bytes = (uint64_t)db_int(base, 1),
		.format = (int)db_int(base, 2),
		.runs = (uint64_t)db_int(all, 0),
		.programs = (uint64_t)db_int(all, 1),
		.tests = (uint64_t)db_int(all, 2),
		.outcomes = (uint64_t)db_int(all, 3),
		.logs = (uint64_t)db_int(all, 4),
		.log_bytes = (uint64_t)db_int(all, 5),
		.oldest_log_ms = db_int(all, 6),
	};
	return 1;
}

int store_facts(struct store *s, store_facts_fn fn, void *ctx, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows base = {}, all = {};
	struct store_facts facts;
	int r = facts_read(s, &base, &all, &facts, err);

	return r > 0 ? fn(ctx, &facts) : r;
}

int store_mark(struct store *s, struct buf *ret, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows runs = {}, aliases = {};
	int r = db_begin_read(s->db, err), e;

	if (r < 0)
		return r;
	r = db_query_args(s->db, SQL_MARK, NULL, 0, &runs, err);
	if (r == 0)
		r = db_next(&runs, err);
	if (r > 0) {
		buf_printf(ret, "run %" PRId64 " ", db_int(&runs, 0));
		buf_add_str(ret, db_str(&runs, 1));
		for (int i = 2; i < 7; i++)
			buf_printf(ret, " %" PRId64, db_int(&runs, i));
	}
	if (r >= 0)
		r = db_query_args(s->db, SQL_ALIASES, NULL, 0, &aliases, err);
	while (r >= 0 && (r = db_next(&aliases, err)) > 0)
		buf_printf(ret, " %" PRId64 ">%" PRId64, db_int(&aliases, 0),
			   db_int(&aliases, 1));
	db_rows_done(&runs);
	db_rows_done(&aliases);
	e = store_end(s, r < 0 ? r : 0, r < 0 ? NULL : err);
	return r < 0 ? r : e;
}

/* @kind NULL: the log, or the console. */
static int file_path(struct store *s, int64_t run_id, unsigned program, unsigned job,
		     const char *kind, char **ret, struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	_free_ char *name = NULL;
	int r;

	if (!kind)
		kind = program ? "log" : "console";
	r = db_query(s->db, SQL_ARTEFACT, &rows, err, DB_I(run_id), DB_I(program ? 0 : job),
			 DB_I(program), DB_T(str_of(kind)));

	if (r == 0)
		r = db_next(&rows, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ENOENT, "run %" PRId64 " kept no %s of %s %u", run_id, kind,
			       program ? "program" : "job", program ? program : job);
	name = xstrndup(db_str(&rows, 0).p, db_str(&rows, 0).n);
	*ret = path_join(s->dir, name);
	return 0;
}

int store_log(struct store *s, int64_t run_id, unsigned program, unsigned job, uint64_t from,
	      uint64_t to, struct out *out, struct err *err)
{
	_free_ char *path = NULL;
	int r = file_path(s, run_id, program, job, NULL, &path, err);

	return r < 0 ? r : zlog_print(path, from, to, out, err);
}

int store_files(struct store *s, int64_t run_id,
		int (*each)(void *ctx, unsigned job, unsigned program, struct str kind), void *ctx,
		struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(s->db, SQL_ARTEFACTS_OF, &rows, err, DB_I(run_id));

	while (r == 0 && (r = db_next(&rows, err)) > 0)
		r = each(ctx, (unsigned)db_int(&rows, 2), (unsigned)db_int(&rows, 3),
			 db_str(&rows, 4));
	return r;
}

int store_artefact(struct store *s, int64_t run_id, unsigned job, const char *kind,
		   struct out *out, struct err *err)
{
	_free_ char *path = NULL;
	int r = file_path(s, run_id, 0, job, kind, &path, err);

	if (r < 0)
		return r;
	r = zlog_print(path, 1, 0, out, err);
	return r == -ENOENT ? err_wrap(err, -EIO, "it is gone") : r;
}

int store_log_lines(struct store *s, int64_t run_id, unsigned program, unsigned job,
		    uint64_t *ret, struct err *err)
{
	_free_ char *path = NULL;
	int r = file_path(s, run_id, program, job, NULL, &path, err);

	return r < 0 ? r : zlog_lines(path, ret, err);
}

int store_log_size(struct store *s, int64_t run_id, unsigned program, unsigned job,
		   uint64_t *ret, struct err *err)
{
	_free_ char *path = NULL;
	int r = file_path(s, run_id, program, job, NULL, &path, err);

	return r < 0 ? r : zlog_size(path, ret, err);
}

int store_log_bytes(struct store *s, int64_t run_id, unsigned program, unsigned job,
		    uint64_t from, size_t n, struct buf *ret, struct err *err)
{
	_free_ char *path = NULL;
	int r = file_path(s, run_id, program, job, NULL, &path, err);

	return r < 0 ? r : zlog_read(path, from, n, ret, err);
}
