/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/db.h"

#include <assert.h>

#include "base/mem.h"

struct db *db_close(struct db *db)
{
	if (db)
		db->driver->close(db);
	return NULL;
}

static int begin(struct db *db, enum db_how how, struct err *err)
{
	int r;

	if (db->depth) {
		db->depth++;
		return 0;
	}
	r = db->driver->begin(db, how, err);
	if (r < 0)
		return r;
	db->depth = 1;
	db->failed = db->shared = false;
	return 0;
}

int db_begin(struct db *db, struct err *err)
{
	return begin(db, DB_WRITE, err);
}

int db_begin_read(struct db *db, struct err *err)
{
	return begin(db, DB_READ, err);
}

int db_begin_lazy(struct db *db, struct err *err)
{
	return begin(db, DB_LAZY, err);
}

int db_commit(struct db *db, struct err *err)
{
	int r;

	assert(db->depth);
	if (db->depth > 1) {
		db->depth--;
		return 0;
	}
	if (db->failed)
		return err_set(err, ECANCELED, "store '%s': what was to be written failed before",
			       db->name);
	r = db->driver->commit(db, err);
	if (r == 0)
		db->depth = 0;
	return r;
}

void db_rollback(struct db *db)
{
	if (!db->depth)
		return;
	if (--db->depth)
		db->failed = true;
	else
		db->driver->rollback(db);
}

int db_share(struct db *db, struct err *err)
{
	int r = 0;

	if (!db->shared)
		r = db->driver->share(db, err);
	db->shared |= r >= 0;
	return r;
}

int db_run_args(struct db *db, enum sql sql, const struct db_arg *args, size_t n,
		struct err *err)
{
	return db->driver->run(db, sql, args, n, err);
}

int db_query_args(struct db *db, enum sql sql, const struct db_arg *args, size_t n,
		  struct db_rows *ret, struct err *err)
{
	return db->driver->query(db, sql, args, n, ret, err);
}

int db_next(struct db_rows *r, struct err *err)
{
	return r->db->driver->next(r, err);
}

int64_t db_int(struct db_rows *r, int column)
{
	return r->db->driver->integer(r, column);
}

struct str db_str(struct db_rows *r, int column)
{
	return r->db->driver->bytes(r, column);
}

void db_rows_done(struct db_rows *r)
{
	if (!r->state)
		return;
	r->db->driver->done(r);
	r->state = NULL;
}

int db_get_args(struct db *db, enum sql sql, const struct db_arg *args, size_t n, int64_t *ret,
		struct err *err)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query_args(db, sql, args, n, &rows, err);

	if (r == 0)
		r = db_next(&rows, err);
	if (r > 0)
		*ret = db_int(&rows, 0);
	return r;
}

int db_add_args(struct db *db, enum sql sql, const struct db_arg *args, size_t n, int64_t *ret,
		struct err *err)
{
	int r = db_get_args(db, sql, args, n, ret, err);

	if (r == 0)
		return err_set(err, EIO, "store '%s': a row could not be added", db->name);
	return r < 0 ? r : 0;
}
