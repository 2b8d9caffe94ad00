/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/db.h"

#include <assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/migrate.h"

struct lite {
	struct db db;
	sqlite3 *lite;
	char *path;
	sqlite3_stmt *stmts[SQL_N];
	bool lazy; /* the transaction that is open */
};

static struct lite *lite_of(struct db *db)
{
	return (struct lite *)db; /* its first member */
}

struct failure {
	int lite;
	int code;
	const char *say; /* after "store 'PATH' " */
};

static const struct failure FAILURES[] = {
	{ SQLITE_BUSY, EBUSY, "is locked by another program; try again when that is done" },
	{ SQLITE_LOCKED, EBUSY, "is locked by another program; try again when that is done" },
	{ SQLITE_CORRUPT, EBADMSG,
	  "is damaged; keep a copy and try sqlite3's .recover, or move it away" },
	{ SQLITE_NOTADB, EBADMSG,
	  "is damaged; keep a copy and try sqlite3's .recover, or move it away" },
	{ SQLITE_FULL, ENOSPC, "can't grow: no space left; free some and repeat" },
	{ SQLITE_READONLY, EROFS, "can't be written: no permission for it or its directory" },
	{ SQLITE_PERM, EACCES, "can't be opened: no permission" },
};

static int fail(struct lite *db, int rc, struct err *err)
{
	int sys = sqlite3_system_errno(db->lite);

	for (size_t i = 0; i < ARRAY_SIZE(FAILURES); i++)
		if (FAILURES[i].lite == (rc & 0xff))
			return err_set(err, FAILURES[i].code, "store '%s' %s", db->path,
				       FAILURES[i].say);
	if ((rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_IOERR)
		return err_sys(err, sys ? sys : EIO, "store '%s'", db->path);
	return err_set(err, (rc & 0xff) == SQLITE_CONSTRAINT ? EEXIST : EIO, "store '%s': %s",
		       db->path, sqlite3_errmsg(db->lite));
}

/* SQLite's file format, 1.3: magic, page size, pages, user_version, application_id. */
#define HEADER 100
#define HEADER_PAGE_SIZE 16
#define HEADER_PAGES 28
#define HEADER_APPLICATION_ID 68

static uint32_t big_endian(const unsigned char *p, unsigned n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

/* With a write-ahead log beside it the file alone does not tell its length. */
static bool has_wal(const char *path)
{
	_free_ char *wal = xasprintf("%s-wal", path);
	struct stat st;

	return stat(wal, &st) == 0 && st.st_size > 0;
}

/* Another process is just making the store: its pages arrive one by one. */
static bool has_journal(const char *path)
{
	_free_ char *journal = xasprintf("%s-journal", path);

	return access(journal, F_OK) == 0;
}

/* Fewer bytes than the header's pages. The size is asked last: what is complete
 * once there is no journal was complete before the journal went. */
static bool is_cut(const char *path, uint64_t bytes)
{
	struct stat st;

	return !has_wal(path) && !has_journal(path) && stat(path, &st) == 0 &&
	       bytes > (uint64_t)st.st_size;
}

static int check_header(const char *path, const unsigned char *h, struct err *err)
{
	uint64_t page = big_endian(h + HEADER_PAGE_SIZE, 2);

	if (memcmp(h, "SQLite format 3", 16) != 0)
		return err_set(err, EMEDIUMTYPE,
			       "'%s' is no taproom store but another kind of file; "
			       "choose another path", path);
	if (big_endian(h + HEADER_APPLICATION_ID, 4) != DB_APPLICATION_ID)
		return err_set(err, EMEDIUMTYPE,
			       "'%s' is another program's database, not a taproom store; "
			       "choose another path", path);
	page = page == 1 ? 65536 : page;
	if (is_cut(path, big_endian(h + HEADER_PAGES, 4) * page))
		return err_set(err, EBADMSG,
			       "store '%s' is cut short; keep a copy and try sqlite3's .recover, "
			       "or move it away", path);
	return 0;
}

/*
 * The first bytes, read by SQLite's own hands: a descriptor of ours would, when it is
 * closed, take from this process the locks (POSIX's) of every connection that it has
 * to the file; the next writer would then throw away the log that they read.
 */
static int read_header(const char *path, unsigned char h[static HEADER], struct err *err)
{
	sqlite3_file *file = NULL;
	sqlite3 *db = NULL;
	int rc;

	/* Nobody asks how much memory it has: it would be counted under a lock. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* refused once it is in use: fine */
	rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READONLY, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	if (rc == SQLITE_OK)
		rc = file->pMethods->xRead(file, h, HEADER, 0);
	sqlite3_close(db);
	/* Of a shorter one the rest is zero. */
	return rc == SQLITE_OK || rc == SQLITE_IOERR_SHORT_READ
	     ? 0 : err_set(err, EIO, "store '%s' can't be read: %s", path, sqlite3_errstr(rc));
}

/* Looks before SQLite does, and only looks. 1: there is a store, 0: nothing. */
static int check_file(const char *path, struct err *err)
{
	unsigned char h[HEADER] = {};
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(err, errno, "store '%s'", path);
	if (S_ISDIR(st.st_mode))
		return err_set(err, EISDIR, "store '%s' is a directory; name a file in it", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EMEDIUMTYPE, "store '%s' is not a regular file", path);
	if (access(path, R_OK) < 0)
		return err_sys(err, errno, "store '%s'", path);
	if (st.st_size == 0)
		return 0;
	r = read_header(path, h, err);
	if (r == 0)
		r = check_header(path, h, err);
	return r < 0 ? r : 1;
}

/* SQLite would open a file read-only instead, and tell the wrong reason where it
 * can make none. */
static int check_writable(const char *path, bool exists, struct err *err)
{
	_free_ char *dir = path_dir(path);
	int r = exists ? 0 : dir_make(dir, err);

	if (r < 0)
		return r;
	if (access(dir, W_OK) < 0 || (exists && access(path, W_OK) < 0))
		return err_sys(err, errno, "store '%s' can't be written", path);
	return 0;
}

/* A reader of a WAL database makes files beside it, unless it is told that
 * nobody will change it: so it is where we may not write. */
static int open_file(struct lite *db, bool write)
{
	_free_ char *dir = path_dir(db->path);
	struct buf uri = {};
	struct out o;
	int rc;

	if (write)
		return sqlite3_open_v2(db->path, &db->lite, SQLITE_OPEN_NOMUTEX |
				       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (access(dir, W_OK) == 0 || has_wal(db->path))
		return sqlite3_open_v2(db->path, &db->lite,
				       SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READONLY, NULL);
	out_to_buf(&o, &uri);
	out_lit(&o, "file:");
	out_url(&o, str_of(db->path));
	out_lit(&o, "?immutable=1");
	out_flush(&o);
	rc = sqlite3_open_v2(uri.p, &db->lite, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READONLY |
			     SQLITE_OPEN_URI, NULL);
	buf_done(&uri);
	return rc;
}

static int exec(struct lite *db, const char *text, struct err *err)
{
	int rc = sqlite3_exec(db->lite, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fail(db, rc, err);
}

static int version_of(struct lite *db, int64_t *ret, struct err *err)
{
	int r = db_get_args(&db->db, SQL_VERSION, NULL, 0, ret, err);

	if (r >= 0 && *ret > DB_VERSION)
		return err_set(err, ENOTSUP,
			       "store '%s' was written by a newer taproom (format %d, this one "
			       "knows %d): update taproom", db->path, (int)*ret, DB_VERSION);
	return r < 0 ? r : 0;
}

/* What SQL alone can't do of the step to version @v. */
static int (*const CONVERT[DB_VERSION + 1])(struct db *, struct err *) = {
	[3] = migrate_from_2,
};

static int step(struct lite *db, int64_t to, struct err *err)
{
	int r = exec(db, MIGRATIONS[to - 1], err);

	if (r == 0 && CONVERT[to])
		r = CONVERT[to](&db->db, err);
	if (r == 0 && CONVERT[to])
		r = exec(db, MIGRATION_ENDS[to - 1], err);
	return r;
}

static int migrate(struct lite *db, struct err *err)
{
	int64_t version;
	int r = db_begin(&db->db, err);

	if (r < 0)
		return r;
	/* Again, now that nobody else can: two may have started at once. */
	r = version_of(db, &version, err);
	while (r == 0 && version < DB_VERSION)
		r = step(db, ++version, err);
	if (r == 0)
		r = db_commit(&db->db, err);
	if (r < 0)
		db_rollback(&db->db);
	return r;
}

static int setup(struct lite *db, enum store_mode mode, int busy_ms, struct err *err)
{
	int64_t version;
	int rc, r;

	rc = open_file(db, mode == STORE_WRITE);
	if (rc != SQLITE_OK)
		return fail(db, rc, err);
	sqlite3_extended_result_codes(db->lite, 1);
	sqlite3_busy_timeout(db->lite, busy_ms);
	sqlite3_db_config(db->lite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	r = exec(db, DB_SETUP, err);
	if (r == 0)
		r = version_of(db, &version, err);
	if (r < 0)
		return r;
	if (mode == STORE_READ)
		return version == DB_VERSION ? 0 : 1;
	if (version < DB_VERSION)
		r = migrate(db, err);
	return r < 0 ? r : exec(db, DB_SETUP_WRITER, err);
}

/* One writer at a time sets up: SQLite's change to a write-ahead log does not
 * wait for others that are about to do the same. The directory is what is
 * locked: nothing is made beside a store that may not be ours. */
static int setup_lock(const char *path, int *ret_fd, struct err *err)
{
	_free_ char *dir = path_dir(path);

	*ret_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (*ret_fd >= 0 && flock(*ret_fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_sys(err, errno, "lock '%s'", dir);
	return *ret_fd < 0 ? err_sys(err, errno, "open '%s'", dir) : 0;
}

static int bind(sqlite3_stmt *s, const struct db_arg *args, size_t n)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; i < n && rc == SQLITE_OK; i++) {
		const struct db_arg *a = &args[i];
		const char *p = a->s.p ? a->s.p : "";
		int at = (int)i + 1;

		switch (a->type) {
		case 'i': rc = sqlite3_bind_int64(s, at, a->i); break;
		case 't':
			rc = sqlite3_bind_text64(s, at, p, a->s.n, SQLITE_STATIC, SQLITE_UTF8);
			break;
		case 'b': rc = sqlite3_bind_blob64(s, at, p, a->s.n, SQLITE_STATIC); break;
		default: rc = sqlite3_bind_null(s, at);
		}
	}
	return rc;
}

static int prepare(struct lite *db, enum sql sql, const struct db_arg *args, size_t n,
		   struct db_rows *ret, struct err *err)
{
	sqlite3_stmt *stmt = db->stmts[sql];
	bool own = false;
	int rc = SQLITE_OK;

	if (!stmt || sqlite3_stmt_busy(stmt)) {
		own = stmt;
		rc = sqlite3_prepare_v3(db->lite, SQL[sql], -1,
					own ? 0 : SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
		if (!own)
			db->stmts[sql] = stmt;
	}
	*ret = (struct db_rows){ .db = &db->db, .state = stmt, .own = own };
	if (rc == SQLITE_OK) {
		assert(n == (size_t)sqlite3_bind_parameter_count(stmt));
		rc = bind(stmt, args, n);
	}
	if (rc == SQLITE_OK)
		return 0;
	db_rows_done(ret);
	return fail(db, rc, err);
}

static int lite_query(struct db *db, enum sql sql, const struct db_arg *args, size_t n,
		      struct db_rows *ret, struct err *err)
{
	return prepare(lite_of(db), sql, args, n, ret, err);
}

static int lite_next(struct db_rows *r, struct err *err)
{
	int rc = sqlite3_step(r->state);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : fail(lite_of(r->db), rc, err);
}

static int64_t lite_integer(struct db_rows *r, int column)
{
	return sqlite3_column_int64(r->state, column);
}

static struct str lite_bytes(struct db_rows *r, int column)
{
	const char *p = sqlite3_column_blob(r->state, column);

	return str_n(p ? p : "", (size_t)sqlite3_column_bytes(r->state, column));
}

static void lite_done(struct db_rows *r)
{
	sqlite3_reset(r->state);
	sqlite3_clear_bindings(r->state);
	if (r->own)
		sqlite3_finalize(r->state);
}

static int lite_run(struct db *db, enum sql sql, const struct db_arg *args, size_t n,
		    struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = prepare(lite_of(db), sql, args, n, &rows, err);

	return r < 0 ? r : lite_next(&rows, err);
}

/* Between transactions. */
static int set_lazy(struct lite *db, bool lazy, struct err *err)
{
	int r = lazy == db->lazy ? 0 : exec(db, lazy ? DB_SYNC_LATER : DB_SYNC, err);

	if (r == 0)
		db->lazy = lazy;
	return r;
}

static int lite_begin(struct db *db, enum db_how how, struct err *err)
{
	int r = set_lazy(lite_of(db), how == DB_LAZY, err);

	return r < 0 ? r : lite_run(db, how == DB_READ ? SQL_BEGIN_READ : SQL_BEGIN, NULL, 0, err);
}

static int lite_commit(struct db *db, struct err *err)
{
	int r = lite_run(db, SQL_COMMIT, NULL, 0, err);

	return r < 0 ? r : set_lazy(lite_of(db), false, err);
}

static void lite_rollback(struct db *db)
{
	if (!sqlite3_get_autocommit(lite_of(db)->lite))
		lite_run(db, SQL_ROLLBACK, NULL, 0, NULL);
	set_lazy(lite_of(db), false, NULL);
}

/* Who writes is alone here anyway. */
static int lite_share(struct db *db, struct err *err)
{
	return 0;
}

static void lite_close(struct db *base)
{
	struct lite *db = lite_of(base);

	for (unsigned i = 0; i < SQL_N; i++)
		sqlite3_finalize(db->stmts[i]);
	sqlite3_close(db->lite);
	free(db->path);
	free(db);
}

static const struct db_driver DRIVER = {
	.close = lite_close,
	.begin = lite_begin,
	.commit = lite_commit,
	.rollback = lite_rollback,
	.run = lite_run,
	.query = lite_query,
	.next = lite_next,
	.integer = lite_integer,
	.bytes = lite_bytes,
	.done = lite_done,
	.share = lite_share,
	.can_copy = true,
};

int db_sqlite_open(const char *path, enum store_mode mode, int busy_ms, struct db **ret,
		   struct err *err)
{
	_cleanup_(closep) int lock = -1;
	struct lite *db;
	int r = check_file(path, err);

	if (r == 0 && mode == STORE_READ)
		return err_set(err, ENOENT, "no store at '%s' yet: 'taproom run' makes it", path);
	if (r >= 0 && mode == STORE_WRITE)
		r = check_writable(path, r, err);
	if (r >= 0 && mode == STORE_WRITE)
		r = setup_lock(path, &lock, err);
	if (r < 0)
		return r;
	db = xcalloc(1, sizeof(*db));
	db->db.driver = &DRIVER;
	db->path = xstrdup(path);
	db->db.name = db->path;
	r = setup(db, mode, busy_ms, err);
	if (r == 0)
		*ret = &db->db;
	else
		lite_close(&db->db);
	/* An older format is brought up to date by whoever meets it first. */
	return r == 1 ? db_sqlite_open(path, STORE_WRITE, busy_ms, ret, err) : r;
}
