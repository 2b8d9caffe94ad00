/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/migrate.h"

#include <stdlib.h>

#include "store/execution.h"
#include "store/inside.h"
#include "store/pack.h"

struct migration {
	struct db *db;
	struct dict dict;
	struct err *err;
	/* The run that is being written. */
	int64_t run_id, begin_ms;
	struct slicing slice;
};

static int damaged(struct migration *m, const char *what)
{
	return err_set(m->err, EBADMSG, "the store is damaged: %s can't be read", what);
}

/* ---- hashes, and whose a shape is ---- */

static int fill_hashes(struct migration *m, enum sql get, enum sql set)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query_args(m->db, get, NULL, 0, &rows, m->err);

	while (r == 0 && (r = db_next(&rows, m->err)) > 0)
		r = db_run(m->db, set, m->err, DB_I(db_int(&rows, 0)),
			   DB_I((int64_t)str_hash(db_str(&rows, 1), STR_HASH_INIT)));
	return r;
}

static int fill_shape(struct migration *m, int64_t id, struct str body)
{
	_free_ int64_t *ids = NULL;
	struct name *name;
	size_t n = 0;
	int r = unpack_ids(body, RESULTS_MAX + 1, &ids, &n);

	if (r < 0 || !n)
		return dict_damaged(&m->dict, "shape", id, m->err);
	r = dict_name_get(&m->dict, ids[n - 1], &name, m->err);
	return r < 0 ? r : db_run(m->db, SQL_OLD_SHAPE_SET, m->err, DB_I(id),
				  DB_I(name->program->id));
}

static int fill_shapes(struct migration *m)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query_args(m->db, SQL_OLD_SHAPES, NULL, 0, &rows, m->err);

	while (r == 0 && (r = db_next(&rows, m->err)) > 0)
		r = fill_shape(m, db_int(&rows, 0), db_str(&rows, 1));
	return r;
}

/* ---- executions ---- */

/* Columns of SQL_OLD_EXECUTIONS. */
enum { X_ID, X_PROGRAM, X_JOB, X_SHAPE, X_ATTEMPT, X_STATUS, X_EXIT, X_BEGIN, X_END, X_DURATION,
       X_LINES, X_REASON, X_COLUMNS, X_MODE, X_MACHINE };

static void add_reason(struct execution *x, size_t at, struct str text)
{
	if (!text.n)
		return;
	ARRAY_GROW(x->reasons, x->n_reasons, x->cap_reasons);
	x->reasons[x->n_reasons++] = (struct execution_reason){
		at, str_n(arena_strndup(&x->arena, text.p, text.n), text.n)
	};
}

static int read_exceptions(struct migration *m, struct execution *x, int64_t id)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(m->db, SQL_OLD_EXCEPTIONS, &rows, m->err, DB_I(id));

	while (r == 0 && (r = db_next(&rows, m->err)) > 0) {
		uint64_t at = (uint64_t)db_int(&rows, 0);
		enum status status;

		if (at >= x->shape->n || !status_from_name(db_str(&rows, 1), &status))
			return damaged(m, "an exception");
		x->status[at] = (uint8_t)status;
		/* The program's own is in its row. */
		if (at + 1 < x->shape->n)
			add_reason(x, at, db_str(&rows, 2));
		r = 0;
	}
	return r;
}

static int flush(struct migration *m)
{
	int r = slicing_store(&m->slice, m->db, &m->dict.zstd, m->run_id, m->begin_ms, m->err);

	slicing_next(&m->slice);
	return r;
}

static int fill(struct migration *m, struct db_rows *row, struct execution *x)
{
	enum status status;
	int r = dict_shape_get(&m->dict, db_int(row, X_SHAPE), &x->shape, m->err);
	size_t n;

	if (r < 0)
		return r;
	n = x->shape->n - 1;
	x->program = x->shape->program;
	x->status = xmalloc(n + 1);
	memset(x->status, STATUS_PASS, n + 1);
	if (!status_from_name(db_str(row, X_STATUS), &status) ||
	    columns_unpack_1(db_str(row, X_COLUMNS), n, &x->columns) < 0)
		return damaged(m, "an execution");
	r = read_exceptions(m, x, db_int(row, X_ID));
	x->status[n] = (uint8_t)status;
	add_reason(x, n, db_str(row, X_REASON));
	x->columns.log_lines = db_int(row, X_LINES);
	x->number = (unsigned)db_int(row, X_PROGRAM);
	x->job = (unsigned)db_int(row, X_JOB);
	x->attempt = (unsigned)db_int(row, X_ATTEMPT);
	x->exit_code = (int)db_int(row, X_EXIT);
	x->begin_ms = db_int(row, X_BEGIN);
	x->end_ms = db_int(row, X_END);
	x->duration_ms = db_int(row, X_DURATION);
	return r;
}

static int convert(struct migration *m, struct db_rows *row)
{
	struct execution *x = xcalloc(1, sizeof(*x));
	int r = fill(m, row, x);

	if (r == 0)
		r = execution_save(x, &m->dict,
				   dict_setting(&m->dict, db_str(row, X_MODE),
						db_str(row, X_MACHINE)),
				   m->begin_ms, &m->slice.body, &m->slice.times, m->err);
	execution_free(x);
	m->slice.n++;
	if (r == 0 && slicing_is_full(&m->slice))
		r = flush(m);
	return r;
}

static int convert_run(struct migration *m, int64_t id, int64_t begin_ms)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query(m->db, SQL_OLD_EXECUTIONS, &rows, m->err, DB_I(id));

	m->run_id = id;
	m->begin_ms = begin_ms;
	m->slice.number = 0;
	while (r == 0 && (r = db_next(&rows, m->err)) > 0)
		r = convert(m, &rows);
	return r < 0 ? r : flush(m);
}

static int convert_runs(struct migration *m)
{
	_cleanup_(db_rows_done) struct db_rows rows = {};
	int r = db_query_args(m->db, SQL_RUN_IDS, NULL, 0, &rows, m->err);

	while (r == 0 && (r = db_next(&rows, m->err)) > 0)
		r = convert_run(m, db_int(&rows, 0), db_int(&rows, 1));
	return r;
}

int migrate_from_2(struct db *db, struct err *err)
{
	struct migration m = { .db = db, .err = err };
	int r;

	dict_init(&m.dict, db);
	r = fill_hashes(&m, SQL_OLD_SERIES, SQL_OLD_SERIES_SET);
	if (r == 0)
		r = fill_hashes(&m, SQL_OLD_NAMES, SQL_OLD_NAME_SET);
	if (r == 0)
		r = fill_shapes(&m);
	if (r == 0)
		r = convert_runs(&m);
	slicing_done(&m.slice);
	dict_done(&m.dict);
	return r;
}
