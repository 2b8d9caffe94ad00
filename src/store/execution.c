/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/execution.h"

#include <assert.h>
#include <stdlib.h>

#include "store/pack.h"
#include "tap/trace.h"

#define FILE_NAME_MAX 100

static struct str keep(struct arena *a, struct str s)
{
	return str_n(arena_strndup(a, s.p ? s.p : "", s.n), s.n);
}

struct execution *execution_new(const struct event *begin)
{
	struct execution *x = xcalloc(1, sizeof(*x));

	x->number = begin->program;
	x->job = begin->job;
	x->attempt = begin->prog->attempt;
	x->begin_ms = begin->prog->time_ms;
	x->suite = keep(&x->arena, begin->prog->suite);
	x->name = keep(&x->arena, begin->prog->name);
	return x;
}

struct execution *execution_free(struct execution *x)
{
	if (!x)
		return NULL;
	arena_done(&x->arena);
	free(x->results);
	free(x->rows);
	free(x->notes);
	free(x->artefact);
	free(x);
	return NULL;
}

/* Names joined by '/', and how long each is: names may have a '/' themselves. */
static void keep_path(struct execution *x, const struct event_result *from,
		      struct execution_result *to)
{
	_cleanup_(buf_done) struct buf path = {}, cuts = {};
	unsigned depth = from->depth < PATH_DEPTH_MAX ? from->depth : PATH_DEPTH_MAX;

	assert(depth > 0);
	for (unsigned i = 0; i < depth; i++) {
		if (i)
			buf_add(&path, "/", 1);
		buf_add_str(&path, from->path[i]);
		pack_uint(&cuts, from->path[i].n);
	}
	to->path = keep(&x->arena, buf_str(&path));
	to->cuts = keep(&x->arena, buf_str(&cuts));
}

static void add_result(struct execution *x, const struct event_result *e)
{
	struct execution_result *to;

	if (x->n >= RESULTS_MAX || x->arena.total >= EXECUTION_BYTES_MAX) {
		x->full = true;
		return;
	}
	ARRAY_GROW(x->rows, x->n, x->cap_rows);
	x->rows[x->n] = (struct columns_row){ {
		[COLUMN_LINE_FROM] = (int64_t)e->line_from,
		[COLUMN_LINE] = (int64_t)e->line,
		[COLUMN_NUMBER] = e->number,
		[COLUMN_DURATION] = e->duration_ms,
		[COLUMN_EXIT] = e->exit_code,
		[COLUMN_IMPLIED] = e->implied,
	} };
	ARRAY_GROW(x->results, x->n, x->cap);
	to = &x->results[x->n++];
	*to = (struct execution_result){
		.key = keep(&x->arena, e->key),
		.reason = keep(&x->arena, e->reason),
		.status = e->status,
		.ordinal = e->ordinal,
		.leaf = e->leaf,
	};
	keep_path(x, e, to);
}

static struct note *add_note(struct execution *x)
{
	struct note *n;

	ARRAY_GROW(x->notes, x->n_notes, x->cap_notes);
	n = &x->notes[x->n_notes];
	*n = (struct note){ .seq = (unsigned)x->n_notes++, .after = x->n };
	return n;
}

static void add_problem(struct execution *x, const struct event_problem *e)
{
	struct event_problem *to = arena_alloc(&x->arena, sizeof(*to));

	*to = *e;
	to->message = keep(&x->arena, e->message);
	add_note(x)->problem = to;
}

static void add_splat(struct execution *x, const struct event_splat *e)
{
	add_note(x)->splat = event_splat_copy(&x->arena, e);
	x->n_splats += e->excuse == NULL;
}

void execution_add(struct execution *x, const struct event *ev)
{
	if (ev->type == EVENT_RESULT) {
		add_result(x, ev->result);
	} else if (x->n_notes >= RESULTS_MAX || x->arena.total >= EXECUTION_BYTES_MAX) {
		x->full = true;
	} else if (ev->type == EVENT_PROBLEM) {
		add_problem(x, ev->problem);
	} else {
		add_splat(x, ev->splat);
	}
}

/* Numbers equal keys in their order. */
static int by_key(const void *a, const void *b)
{
	const struct execution_result *x = *(struct execution_result *const *)a;
	const struct execution_result *y = *(struct execution_result *const *)b;
	int c;

	if (x->key.n != y->key.n)
		return x->key.n < y->key.n ? -1 : 1;
	c = x->key.n ? memcmp(x->key.p, y->key.p, x->key.n) : 0;
	return c ? c : (x > y) - (x < y);
}

static void number_keys(struct execution *x)
{
	struct execution_result **order = xcalloc(x->n, sizeof(*order));

	for (size_t i = 0; i < x->n; i++)
		order[i] = &x->results[i];
	qsort(order, x->n, sizeof(*order), by_key);
	for (size_t i = 0; i < x->n; i++)
		order[i]->nth = i && str_eq(order[i]->key, order[i - 1]->key) ?
				order[i - 1]->nth + 1 : 1;
	free(order);
}

void execution_end(struct execution *x, const struct event_program *end)
{
	static const struct event_problem too_many = {
		.what = PROBLEM_TOO_MANY,
		.message = STR("the history keeps no more results of one program"),
	};

	if (x->full)
		add_problem(x, &too_many);
	x->status = end->status;
	x->exit_code = end->exit_code;
	x->end_ms = end->time_ms;
	x->duration_ms = end->duration_ms;
	x->log_lines = end->log_lines;
	x->reason = keep(&x->arena, end->reason);
	x->ended = true;
	number_keys(x);
}

char *execution_file_name(const struct execution *x)
{
	size_t n = x->name.n < FILE_NAME_MAX ? x->name.n : FILE_NAME_MAX;
	_free_ char *name = xstrndup(x->name.p, n);

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c <= ' ' || c >= 0x7f || strchr("/\\:*?\"<>|", c))
			name[i] = '_';
	}
	return xasprintf("%u-%s.log.zst", x->number, name);
}

void execution_count(const struct execution *x, uint64_t ret[static STATUS_N])
{
	bool any = false;

	for (size_t i = 0; i < x->n; i++) {
		ret[x->results[i].status] += x->results[i].leaf;
		any |= x->results[i].leaf;
	}
	if (!any)
		ret[x->status]++;
}

/* ---- writing ---- */

static int program_id(const struct execution *x, struct db *db, int64_t *ret, struct err *err)
{
	int e = db_get(db, SQL_PROGRAM_FIND, ret, err, DB_T(x->suite), DB_T(x->name));

	if (e != 0)
		return e < 0 ? e : 0;
	e = db_run(db, SQL_PROGRAM_ADD, err, DB_T(x->suite), DB_T(x->name));
	*ret = db_last_id(db);
	return e;
}

static int series_id(struct db *db, int64_t program, const struct execution_result *r,
		     int64_t *ret, struct err *err)
{
	const struct db_arg args[] = { DB_I(program), DB_T(r->key), DB_I(r->nth), DB_T(r->path),
				       DB_B(r->cuts), DB_I(r->ordinal), DB_I(r->leaf) };
	int e = db_get_args(db, SQL_SERIES_FIND, args, ARRAY_SIZE(args), ret, err);

	if (e != 0)
		return e < 0 ? e : 0;
	e = db_run_args(db, SQL_SERIES_ADD, args, ARRAY_SIZE(args), err);
	*ret = db_last_id(db);
	return e;
}

/* The hash only finds; what counts is the list itself. */
static int64_t hash(struct str s)
{
	return (int64_t)str_hash(s, STR_HASH_INIT);
}

static int shape_id(struct db *db, const int64_t *series, size_t n, int64_t *ret,
		    struct err *err)
{
	_cleanup_(buf_done) struct buf b = {};
	int e;

	pack_ids(series, n, &b);
	e = db_get(db, SQL_SHAPE_FIND, ret, err, DB_I(hash(buf_str(&b))), DB_B(buf_str(&b)));
	if (e != 0)
		return e < 0 ? e : 0;
	e = db_run(db, SQL_SHAPE_ADD, err, DB_I(hash(buf_str(&b))), DB_B(buf_str(&b)));
	*ret = db_last_id(db);
	return e;
}

/* The series of all results and, last, of the program itself. Caller frees. */
static int all_series(const struct execution *x, struct db *db, int64_t program,
		      int64_t **ret, struct err *err)
{
	const struct execution_result own = { .nth = 1, .ordinal = 1, .leaf = x->n == 0 };
	_free_ int64_t *series = xcalloc(x->n + 1, sizeof(*series));
	int e = 0;

	for (size_t i = 0; i <= x->n && e == 0; i++)
		e = series_id(db, program, i < x->n ? &x->results[i] : &own, &series[i], err);
	if (e == 0)
		*ret = TAKE(series);
	return e;
}

static int save_exception(struct db *db, int64_t execution, size_t i, int64_t series,
			  enum status status, struct str reason, struct err *err)
{
	if (status == STATUS_PASS && reason.n == 0)
		return 0;
	return db_run(db, SQL_EXCEPTION_ADD, err, DB_I(execution), DB_I((int64_t)i),
		      DB_I(series), DB_T(str_of(STATUS_INFO[status].name)), DB_T(reason));
}

int note_save(const struct note *n, struct db *db, int64_t run_id, unsigned job,
	      unsigned program, struct err *err)
{
	static const struct event_excuse none;
	_cleanup_(buf_done) struct buf text = {}, frames = {};
	const struct event_excuse *excuse;

	if (n->problem)
		return db_run(db, SQL_PROBLEM_ADD, err, DB_I(run_id), DB_I(job), DB_I(program),
			      DB_I(n->seq), DB_I((int64_t)n->after),
			      DB_T(str_of(PROBLEM_NAMES[n->problem->what])),
			      DB_I((int64_t)n->problem->line), DB_T(n->problem->message));
	excuse = n->splat->excuse ? n->splat->excuse : &none;
	pack_bytes(n->splat->text, &text);
	trace_print(n->splat->frames, n->splat->n_frames, &frames);
	return db_run(db, SQL_SPLAT_ADD, err, DB_I(run_id), DB_I(job), DB_I(program),
		      DB_I(n->seq), DB_I((int64_t)n->after), DB_T(n->splat->kind),
		      DB_T(n->splat->title), DB_T(n->splat->fingerprint),
		      DB_I((int64_t)n->splat->line), DB_I((int64_t)n->splat->lines),
		      DB_B(buf_str(&text)), DB_T(n->splat->task), DB_I(n->splat->pid),
		      DB_I(n->splat->cpu), DB_T(n->splat->taint), DB_I(n->splat->fatal),
		      DB_T(buf_str(&frames)), DB_T(excuse->reason), DB_T(excuse->link),
		      DB_T(excuse->owner), DB_T(excuse->until));
}

static int save_row(const struct execution *x, struct db *db, int64_t run_id, int64_t program,
		    int64_t shape, struct err *err)
{
	_cleanup_(buf_done) struct buf columns = {};

	columns_pack(x->rows, x->n, &columns);
	return db_run(db, SQL_EXECUTION_ADD, err, DB_I(run_id), DB_I(x->number), DB_I(x->job),
		      DB_I(program), DB_I(shape), DB_I(x->attempt),
		      DB_T(str_of(STATUS_INFO[x->status].name)), DB_I(x->exit_code),
		      DB_I(x->begin_ms), DB_I(x->end_ms), DB_I(x->duration_ms),
		      DB_I((int64_t)x->log_lines), DB_T(x->reason), DB_B(buf_str(&columns)));
}

int execution_save(const struct execution *x, struct db *db, int64_t run_id,
		   int64_t *ret_program_id, struct err *err)
{
	_free_ int64_t *series = NULL;
	int64_t program, shape, id;
	int e = program_id(x, db, &program, err);

	if (e == 0)
		e = all_series(x, db, program, &series, err);
	if (e == 0)
		e = shape_id(db, series, x->n + 1, &shape, err);
	if (e == 0)
		e = save_row(x, db, run_id, program, shape, err);
	id = db_last_id(db);
	for (size_t i = 0; i < x->n && e == 0; i++)
		e = save_exception(db, id, i, series[i], x->results[i].status,
				   x->results[i].reason, err);
	/* Its reason is in its own row. */
	if (e == 0)
		e = save_exception(db, id, x->n, series[x->n], x->status, STR_NONE, err);
	for (size_t i = 0; i < x->n_notes && e == 0; i++)
		e = note_save(&x->notes[i], db, run_id, x->job, x->number, err);
	if (e == 0)
		*ret_program_id = program;
	return e;
}
