/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Db: the SQLite driver. Opens, checks and migrates the file, runs the
 * statements of sql.h. What is above it names statements and values, and does
 * not see SQLite. Errors are sentences with the file's name in them:
 *
 *   -ENOENT  no such file            -EBUSY    another program holds the lock
 *   -EBADMSG damaged                 -EMEDIUMTYPE  a file that is not ours
 *   -ENOTSUP made by a newer taproom -EISDIR, -EACCES, -EROFS, -ENOSPC, -EIO
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "store/sql.h"
#include "store/store.h"

struct db;
struct sqlite3_stmt;

#define DB_BUSY_MS 10000 /* another writer's transaction takes milliseconds */

int db_open(const char *path, enum store_mode mode, int busy_ms, struct db **ret,
	    struct err *err);
struct db *db_close(struct db *db);

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

/* Runs a statement that answers nothing. Strings need live only until it returns. */
#define db_run(db, sql, err, ...) db_run_args((db), (sql), DB_ARGS(__VA_ARGS__), (err))
int db_run_args(struct db *db, enum sql sql, const struct db_arg *args, size_t n,
		struct err *err);
int64_t db_last_id(struct db *db); /* of the last INSERT */

/* BEGIN IMMEDIATE ... COMMIT. After a failure inside: db_rollback(). */
int db_begin(struct db *db, struct err *err);
int db_commit(struct db *db, struct err *err); /* synced when it returns 0 */
void db_rollback(struct db *db);

/*
 * Rows. Columns are borrowed until the next db_next(); strings given to
 * db_query() until db_rows_done(). A statement may be asked again while its
 * rows are being read.
 */
struct db_rows {
	struct db *db;
	struct sqlite3_stmt *stmt;
	bool own;
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
