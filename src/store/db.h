/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Db: a database behind a small struct of functions, so that what is above
 * names statements (sql.h) and values and doesn't see which one it is. Errors
 * are sentences with the database's name in them:
 *
 *   -ENOENT  none there              -EBUSY    another program holds the lock
 *   -EBADMSG damaged                 -EMEDIUMTYPE  one that is not ours
 *   -ENOTSUP made by a newer taproom -EEXIST   the same row is there already
 *   -EISDIR, -EACCES, -EROFS, -ENOSPC, -EIO, -ECONNREFUSED
 *
 * After an error inside of a transaction: db_rollback().
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "store/sql.h"
#include "store/store.h"

struct db;
struct db_rows;

#define DB_BUSY_MS 10000 /* another writer's transaction takes milliseconds */

/* One value of a statement, by position: db_run(db, SQL_X, err, DB_I(1)). */
struct db_arg {
	char type; /* i, t(ext), b(lob), n(ull) */
	int64_t i;
	struct str s;
};
#define DB_I(v) ((struct db_arg){ .type = 'i', .i = (v) })
#define DB_T(v) ((struct db_arg){ .type = 't', .s = (v) })
#define DB_B(v) ((struct db_arg){ .type = 'b', .s = (v) })
#define DB_Z(v) ((struct db_arg){ .type = (v) ? 't' : 'n', .s = str_of(v) }) /* char * or NULL */
#define DB_ARGS(...)                          \
	(const struct db_arg[]){ __VA_ARGS__ }, \
		sizeof((const struct db_arg[]){ __VA_ARGS__ }) / sizeof(struct db_arg)

enum db_how { DB_READ, DB_WRITE, DB_LAZY };

struct db_driver {
	void (*close)(struct db *db);
	int (*begin)(struct db *db, enum db_how how, struct err *err);
	int (*commit)(struct db *db, struct err *err);
	void (*rollback)(struct db *db);
	/* Answers nothing. May be carried out as late as in commit. */
	int (*run)(struct db *db, enum sql sql, const struct db_arg *args, size_t n,
		   struct err *err);
	int (*query)(struct db *db, enum sql sql, const struct db_arg *args, size_t n,
		     struct db_rows *ret, struct err *err);
	int (*next)(struct db_rows *r, struct err *err);
	int64_t (*integer)(struct db_rows *r, int column);
	struct str (*bytes)(struct db_rows *r, int column);
	void (*done)(struct db_rows *r);
	/* Once in a transaction, before what all writers share is written (words, how
	 * often a splat came, what folding makes) or old runs are removed: the others
	 * wait until it ends. Who holds rows of these already may wait for another who
	 * waits for them. 1: somebody may have written. */
	int (*share)(struct db *db, struct err *err);
	bool can_copy; /* SQL_BACKUP */
	/* Those that several machines need; NULL where a file does it. Before a
	 * run's first row, outside of a transaction: */
	int (*run_begins)(struct db *db, int64_t begin_ms, struct err *err);
	/* Who records a run holds it, until it ends or dies. */
	int (*claim)(struct db *db, struct str uid, struct err *err);
	void (*release)(struct db *db, struct str uid);
	bool (*claimed)(struct db *db, struct str uid);
};

/* What a driver's own struct begins with. */
struct db {
	const struct db_driver *driver;
	const char *name;   /* for sentences */
	unsigned depth;     /* of transactions */
	bool failed;        /* one inside was rolled back */
	bool shared;        /* share() was called in this transaction */
};

int db_sqlite_open(const char *path, enum store_mode mode, int busy_ms, struct db **ret,
		   struct err *err);
/* @url: as libpq takes it, postgresql://... */
int db_postgres_open(const char *url, enum store_mode mode, struct db **ret, struct err *err);
struct db *db_close(struct db *db); /* NULL is fine */

/* Runs a statement that answers nothing. Strings need live only until it returns. */
#define db_run(db, sql, err, ...) db_run_args((db), (sql), DB_ARGS(__VA_ARGS__), (err))
int db_run_args(struct db *db, enum sql sql, const struct db_arg *args, size_t n,
		struct err *err);

/*
 * A transaction; those inside of another are a part of it. Synced when the
 * outermost db_commit() returns 0. db_begin_read(): one moment's view for
 * several questions. A rollback inside makes the outermost commit fail.
 */
int db_begin(struct db *db, struct err *err);
int db_begin_read(struct db *db, struct err *err);
/* As db_begin(), but it is synced some time after its db_commit(), or with the next. */
int db_begin_lazy(struct db *db, struct err *err);
int db_commit(struct db *db, struct err *err);
void db_rollback(struct db *db);
int db_share(struct db *db, struct err *err); /* see driver.share */

/*
 * Rows. Columns are borrowed until the next db_next(); strings given to
 * db_query() until db_rows_done(). A statement may be asked again while its
 * rows are being read.
 */
struct db_rows {
	struct db *db;
	void *state; /* the driver's */
	bool own;
	int at;
};
#define db_query(db, sql, ret, err, ...) \
	db_query_args((db), (sql), DB_ARGS(__VA_ARGS__), (ret), (err))
int db_query_args(struct db *db, enum sql sql, const struct db_arg *args, size_t n,
		  struct db_rows *ret, struct err *err);
int db_next(struct db_rows *r, struct err *err); /* 1: a row, 0: no more */
int64_t db_int(struct db_rows *r, int column);
struct str db_str(struct db_rows *r, int column); /* text or blob; NULL: "" */
void db_rows_done(struct db_rows *r); /* zeroed or done already is fine */

/* First column of the first row. 1, or 0 when there is none. */
#define db_get(db, sql, ret, err, ...) \
	db_get_args((db), (sql), DB_ARGS(__VA_ARGS__), (ret), (err))
int db_get_args(struct db *db, enum sql sql, const struct db_arg *args, size_t n, int64_t *ret,
		struct err *err);
/* The same for a statement that adds a row and answers its id. */
#define db_add(db, sql, ret, err, ...) \
	db_add_args((db), (sql), DB_ARGS(__VA_ARGS__), (ret), (err))
int db_add_args(struct db *db, enum sql sql, const struct db_arg *args, size_t n, int64_t *ret,
		struct err *err);
