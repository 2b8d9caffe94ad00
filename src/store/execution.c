/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/execution.h"

#include <assert.h>
#include <stdlib.h>

#include "store/inside.h"
#include "store/pack.h"
#include "tap/trace.h"

#define FILE_NAME_MAX 100
/* Layouts of one shape: another one costs as much as a few patches. */
#define LAYOUTS_MAX 8
/* Memory for results that is worth keeping for the next execution. */
#define SPARE_MAX 4096

static struct str keep(struct arena *a, struct str s)
{
	return str_n(arena_strndup(a, s.p ? s.p : "", s.n), s.n);
}

struct execution *execution_new(struct execution *spare, struct program *p,
				const struct event *begin)
{
	struct execution *x = spare && spare->cap_status <= SPARE_MAX ? spare : NULL;

	if (x) {
		struct execution old = *x;

		arena_reset(&old.arena);
		free(old.artefact);
		*x = (struct execution){
			.arena = old.arena,
			.names = old.names, .cap_names = old.cap_names,
			.status = old.status, .cap_status = old.cap_status,
			.columns = { .rows = old.columns.rows, .times = old.columns.times },
			.cap_rows = old.cap_rows, .cap_times = old.cap_times,
			.reasons = old.reasons, .cap_reasons = old.cap_reasons,
			.notes = old.notes, .cap_notes = old.cap_notes,
		};
	} else {
		execution_free(spare);
		x = xcalloc(1, sizeof(*x));
	}
	x->number = begin->program;
	x->job = begin->job;
	x->attempt = begin->prog->attempt;
	x->begin_ms = begin->prog->time_ms;
	x->program = p;
	x->guess = p->n_shapes ? p->shapes[0] : NULL;
	return x;
}

struct execution *execution_free(struct execution *x)
{
	if (!x)
		return NULL;
	arena_done(&x->arena);
	free(x->names);
	free(x->status);
	columns_done(&x->columns);
	free(x->reasons);
	free(x->notes);
	free(x->artefact);
	free(x);
	return NULL;
}

/* ---- results ---- */

static unsigned depth_of(const struct event_result *e)
{
	return e->depth < PATH_DEPTH_MAX ? e->depth : PATH_DEPTH_MAX;
}

static bool is_next(const struct shape *s, size_t i, const struct event_result *e)
{
	const struct name *n;

	if (i + 1 >= s->n)
		return false;
	n = s->names[i];
	if (n->depth != depth_of(e) || n->ordinal != e->ordinal || n->leaf != e->leaf ||
	    !str_eq(n->key, e->key))
		return false;
	/* Most names that differ do so at their end. */
	for (unsigned k = n->depth; k-- > 0;)
		if (!str_eq(n->names[k], e->path[k]))
			return false;
	return true;
}

/* Another shape that begins with what was said so far and goes on with @e (NULL:
 * ends here). */
static struct shape *guess_again(const struct execution *x, const struct event_result *e)
{
	const struct program *p = x->program;
	size_t n = x->columns.n;

	for (size_t i = 0; i < p->n_shapes; i++) {
		struct shape *s = p->shapes[i];

		if (s == x->guess || s->n < n + 1 ||
		    memcmp(s->names, x->guess->names, n * sizeof(*s->names)) != 0)
			continue;
		if (e ? is_next(s, n, e) : s->n == n + 1)
			return s;
	}
	return NULL;
}

static struct execution_name *name_place(struct execution *x, size_t i)
{
	while (i >= x->cap_names) {
		size_t n = x->cap_names;

		ARRAY_GROW(x->names, n, x->cap_names);
	}
	return &x->names[i];
}

/* No shape fits: from now on names are kept, those so far first. */
static void give_up_guess(struct execution *x)
{
	for (size_t i = 0; i < x->columns.n; i++) {
		const struct name *n = x->guess->names[i];

		*name_place(x, i) = (struct execution_name){
			.key = n->key, .names = n->names, .depth = n->depth,
			.ordinal = n->ordinal, .leaf = n->leaf,
		};
	}
	x->guess = NULL;
}

static void keep_name(struct execution *x, const struct event_result *e)
{
	unsigned depth = depth_of(e);
	struct str *names = arena_alloc(&x->arena, depth * sizeof(*names));

	assert(depth > 0);
	for (unsigned i = 0; i < depth; i++)
		names[i] = keep(&x->arena, e->path[i]);
	*name_place(x, x->columns.n) = (struct execution_name){
		.key = keep(&x->arena, e->key), .names = names, .depth = depth,
		.ordinal = e->ordinal, .leaf = e->leaf,
	};
}

static void add_reason(struct execution *x, size_t at, struct str text)
{
	if (text.n == 0)
		return;
	ARRAY_GROW(x->reasons, x->n_reasons, x->cap_reasons);
	x->reasons[x->n_reasons++] = (struct execution_reason){ at, keep(&x->arena, text) };
}

static void add_result(struct execution *x, const struct event_result *e)
{
	struct columns *c = &x->columns;
	size_t i = c->n;

	if (i >= RESULTS_MAX || x->arena.total >= EXECUTION_BYTES_MAX) {
		x->full = true;
		return;
	}
	if (x->guess && !is_next(x->guess, i, e)) {
		struct shape *other = guess_again(x, e);

		if (other)
			x->guess = other;
		else
			give_up_guess(x);
	}
	if (!x->guess)
		keep_name(x, e);
	ARRAY_GROW(x->status, i, x->cap_status);
	ARRAY_GROW(c->rows, i, x->cap_rows);
	ARRAY_GROW(c->times, i, x->cap_times);
	x->status[i] = (uint8_t)e->status;
	c->times[i] = e->duration_ms;
	c->rows[i] = (struct columns_row){ {
		[COLUMN_LINE_FROM] = (int64_t)e->line_from,
		[COLUMN_LINE] = (int64_t)e->line,
		[COLUMN_LINE_TO] = (int64_t)e->line_to,
		[COLUMN_NUMBER] = e->number,
		[COLUMN_EXIT] = e->exit_code,
		[COLUMN_IMPLIED] = e->implied,
	} };
	add_reason(x, i, e->reason);
	c->n++;
}

/* ---- notes ---- */

static struct note *add_note(struct execution *x)
{
	struct note *n;

	ARRAY_GROW(x->notes, x->n_notes, x->cap_notes);
	n = &x->notes[x->n_notes];
	*n = (struct note){ .seq = (unsigned)x->n_notes++, .after = x->columns.n };
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

int note_save(const struct note *n, struct db *db, int64_t run_id, int64_t begin_ms,
	      unsigned job, unsigned program, struct err *err)
{
	static const struct event_excuse none;
	_cleanup_(buf_done) struct buf text = {}, frames = {};
	const struct event_splat *s = n->splat;
	const struct event_excuse *excuse;
	int r;

	if (n->problem)
		return db_run(db, SQL_PROBLEM_ADD, err, DB_I(run_id), DB_I(job), DB_I(program),
			      DB_I(n->seq), DB_I((int64_t)n->after),
			      DB_T(str_of(PROBLEM_NAMES[n->problem->what])),
			      DB_I((int64_t)n->problem->line), DB_T(n->problem->message));
	excuse = s->excuse ? s->excuse : &none;
	pack_bytes(s->text, &text);
	trace_print(s->frames, s->n_frames, &frames);
	r = db_run(db, SQL_SPLAT_ADD, err, DB_I(run_id), DB_I(job), DB_I(program),
		   DB_I(n->seq), DB_I((int64_t)n->after), DB_T(s->kind), DB_T(s->title),
		   DB_T(s->fingerprint), DB_I((int64_t)s->line), DB_I((int64_t)s->lines),
		   DB_B(buf_str(&text)), DB_T(s->task), DB_I(s->pid), DB_I(s->cpu),
		   DB_T(s->taint), DB_I(s->fatal), DB_T(buf_str(&frames)), DB_T(excuse->reason),
		   DB_T(excuse->link), DB_T(excuse->owner), DB_T(excuse->until));
	if (r < 0 || s->fingerprint.n == 0)
		return r;
	/* Its row is every writer's, and locked until the end: one who holds it must not
	 * have to wait for what another holds. */
	r = db_share(db, err);
	if (r < 0)
		return r;
	return db_run(db, SQL_FINGERPRINT_PUT, err, DB_T(s->fingerprint), DB_T(s->kind),
		      DB_T(s->title), DB_I(begin_ms), DB_I(run_id));
}

/* ---- its end ---- */

/* Numbers equal keys in their order. */
static int by_key(const void *a, const void *b)
{
	const struct execution_name *x = *(struct execution_name *const *)a;
	const struct execution_name *y = *(struct execution_name *const *)b;
	int c;

	if (x->key.n != y->key.n)
		return x->key.n < y->key.n ? -1 : 1;
	c = x->key.n ? memcmp(x->key.p, y->key.p, x->key.n) : 0;
	return c ? c : (x > y) - (x < y);
}

static void number_keys(struct execution_name *names, size_t n)
{
	_free_ struct execution_name **order = xcalloc(n, sizeof(*order));

	for (size_t i = 0; i < n; i++)
		order[i] = &names[i];
	if (n)
		qsort(order, n, sizeof(*order), by_key);
	for (size_t i = 0; i < n; i++)
		order[i]->nth = i && str_eq(order[i]->key, order[i - 1]->key) ?
				order[i - 1]->nth + 1 : 1;
}

/* Every result and, last, the program itself. */
static struct shape *find_shape(struct execution *x, struct dict *d)
{
	size_t n = x->columns.n;
	_free_ struct name **names = NULL;

	if (x->guess && x->guess->n != n + 1) {
		struct shape *other = guess_again(x, NULL);

		if (other)
			x->guess = other;
		else
			give_up_guess(x);
	}
	if (x->guess)
		return x->guess;
	number_keys(x->names, n);
	names = xcalloc(n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++) {
		const struct execution_name *e = &x->names[i];

		names[i] = dict_name(d, x->program, e->key, e->nth, e->names, e->depth,
				     e->ordinal, e->leaf);
	}
	names[n] = dict_name(d, x->program, STR(""), 1, NULL, 0, 1, n == 0);
	return dict_shape(d, x->program, names, n + 1);
}

void execution_end(struct execution *x, struct dict *d, const struct event_program *end)
{
	static const struct event_problem too_many = {
		.what = PROBLEM_TOO_MANY,
		.message = STR("the history keeps no more results of one program"),
	};
	size_t n = x->columns.n;

	if (x->full)
		add_problem(x, &too_many);
	x->shape = find_shape(x, d);
	dict_shape_seen(x->shape);
	ARRAY_GROW(x->status, n, x->cap_status);
	x->status[n] = (uint8_t)end->status;
	add_reason(x, n, end->reason);
	x->exit_code = end->exit_code;
	x->end_ms = end->time_ms;
	x->duration_ms = end->duration_ms;
	x->columns.log_lines = (int64_t)end->log_lines;
	x->ended = true;
}

char *execution_file_name(const struct execution *x)
{
	struct str whole = x->program->name;
	size_t n = whole.n < FILE_NAME_MAX ? whole.n : FILE_NAME_MAX;
	_free_ char *name = xstrndup(whole.p, n);

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c <= ' ' || c >= 0x7f || strchr("/\\:*?\"<>|", c))
			name[i] = '_';
	}
	return xasprintf("%u-%s.log.zst", x->number, name);
}

void execution_count(const struct execution *x, uint64_t ret[static STATUS_N])
{
	size_t n = x->columns.n;

	for (size_t i = 0; i < n; i++)
		ret[x->status[i]] += x->shape->names[i]->leaf;
	ret[x->status[n]] += status_end_counts(x->status[n], ret);
}

/* ---- writing ---- */

/* The layout that differs least; when all differ much, the execution's own. */
static int choose_layout(const struct execution *x, struct dict *d, struct layout **ret,
			 uint64_t *ret_n, struct buf *diffs, struct err *err)
{
	const struct columns *c = &x->columns;
	size_t most = c->n / 4 + 8, best = SIZE_MAX;
	struct shape *s = x->shape;
	unsigned usable = 0;
	int r = dict_layouts(d, s, err);

	for (size_t i = 0; r == 0 && i < s->n_layouts && best > 2; i++) {
		_cleanup_(buf_done) struct buf b = {};
		size_t n;

		if (s->layouts[i]->id <= 0)
			continue;
		usable++;
		n = columns_diff(&s->layouts[i]->columns, c, best == SIZE_MAX ? most : best, &b);
		if (n >= best)
			continue;
		best = n;
		*ret = s->layouts[i];
		buf_clear(diffs);
		buf_add_str(diffs, buf_str(&b));
	}
	*ret_n = best;
	if (r < 0 || best != SIZE_MAX)
		return r;
	if (usable < LAYOUTS_MAX) {
		*ret_n = 0;
		return dict_layout_add(d, s, c, ret, err);
	}
	for (size_t i = 0; i < s->n_layouts; i++)
		if (s->layouts[i]->id > 0)
			*ret = s->layouts[i];
	*ret_n = columns_diff(&(*ret)->columns, c, SIZE_MAX - 1, diffs);
	return 0;
}

static int save_outcome(const struct execution *x, struct dict *d, int64_t *ret,
			struct err *err)
{
	struct outcome *o = NULL;
	int r;

	buf_clear(&d->scratch);
	code_outcome(x->exit_code, x->status, x->columns.n + 1, &d->scratch);
	r = dict_outcome(d, x->shape, buf_str(&d->scratch), &o);
	assert(r == 0);
	r = dict_outcome_save(d, o, err);
	*ret = o->id;
	return r;
}

static int save_reasons(const struct execution *x, struct dict *d, int64_t *ret,
			struct err *err)
{
	_cleanup_(buf_done) struct buf body = {};
	size_t last = (size_t)-1;
	struct reasons *reasons;
	int r;

	*ret = 0;
	if (!x->n_reasons)
		return 0;
	for (size_t i = 0; i < x->n_reasons; i++)
		code_reason(x->reasons[i].at, &last, x->reasons[i].text, &body);
	reasons = dict_reasons(d, buf_str(&body));
	r = dict_reasons_save(d, reasons, err);
	*ret = reasons->id;
	return r;
}

int execution_save(const struct execution *x, struct dict *d, struct setting *setting,
		   int64_t run_begin_ms, struct buf *slice, struct buf *times, struct err *err)
{
	_cleanup_(buf_done) struct buf diffs = {};
	struct layout *layout = NULL;
	struct sliced s = {
		.program = x->number, .job = x->job, .attempt = x->attempt,
		.begin_ms = x->begin_ms, .end_ms = x->end_ms, .duration_ms = x->duration_ms,
	};
	int r = save_outcome(x, d, &s.outcome_id, err);

	if (r == 0)
		r = save_reasons(x, d, &s.reasons_id, err);
	if (r == 0)
		r = dict_setting_save(d, setting, err);
	if (r == 0)
		r = choose_layout(x, d, &layout, &s.n_diffs, &diffs, err);
	if (r < 0)
		return r;
	s.program_id = x->program->id;
	s.setting_id = setting->id;
	s.layout_id = layout->id;
	s.log_lines = x->columns.log_lines - layout->columns.log_lines;
	s.diffs = buf_str(&diffs);
	slice_add(&s, run_begin_ms, slice);
	times_pack(&layout->columns, &x->columns, times);
	return 0;
}
