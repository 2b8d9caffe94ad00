/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Only what did not pass was published. A name that is absent passed or did not
 * run, and nobody can tell: it is not stored. What is known of every run is that
 * it was published, and whether it came to its end: the program COMPLETED says
 * that, in each of them, so that its runs are those in which what is absent is
 * unknown. See taproom-import(1).
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "import/mptcp.h"
#include "import/run.h"
#include "import/values.h"

#define SUITE     STR("mptcp")
#define COMPLETED STR("completed")
#define MACHINE   STR("mptcp-results") /* keeps these runs apart from one's own */

void mptcp_records_done(struct mptcp_records *r)
{
	arena_done(&r->arena);
	free(r->v);
	free(r->seen);
}

/* ---- what was seen ---- */

static void seen_grow(struct mptcp_records *r)
{
	uint64_t *old = r->seen;
	size_t n = r->cap_seen;

	r->cap_seen = n ? n * 2 : 1024;
	r->seen = xcalloc(r->cap_seen, sizeof(*r->seen));
	for (size_t i = 0; i < n; i++) {
		size_t at = old[i] & (r->cap_seen - 1);

		if (!old[i])
			continue;
		while (r->seen[at])
			at = (at + 1) & (r->cap_seen - 1);
		r->seen[at] = old[i];
	}
	free(old);
}

/* Was this text there, for this branch and mode? Git shows each a hundred times. */
static bool seen_before(struct mptcp_records *r, struct str branch, struct str mode,
			struct str text)
{
	uint64_t h = str_hash(text, str_hash(mode, str_hash(STR("\xff"),
			      str_hash(branch, STR_HASH_INIT))));
	size_t at;

	h = (h ^ h >> 29) | 1;
	if (r->n_seen * 2 >= r->cap_seen)
		seen_grow(r);
	for (at = h & (r->cap_seen - 1); r->seen[at]; at = (at + 1) & (r->cap_seen - 1))
		if (r->seen[at] == h)
			return true;
	r->seen[at] = h;
	r->n_seen++;
	return false;
}

/* ---- one record, looked at ---- */

/* "export/20240319T152029", "20240329--054839": the last 15 or 16 bytes. */
static int64_t tag_time(struct str tag)
{
	static const struct {
		const char *format;
		size_t n;
	} FORMS[] = { { "%4d%2d%2dT%2d%2d%2d", 15 }, { "%4d%2d%2d--%2d%2d%2d", 16 } };
	int v[6], used;

	for (size_t i = 0; i < ARRAY_SIZE(FORMS); i++) {
		char text[17] = "";

		if (tag.n < FORMS[i].n ||
		    (tag.n > FORMS[i].n && tag.p[tag.n - FORMS[i].n - 1] != '/'))
			continue;
		memcpy(text, tag.p + tag.n - FORMS[i].n, FORMS[i].n);
		if (strcspn(text, " +") != FORMS[i].n)
			continue;
		used = sscanf(text, FORMS[i].format, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5]);
		if (used == 6)
			return import_time_ms(v[0], v[1], v[2], v[3], v[4], v[5]);
	}
	return -1;
}

/* NULL: fine, else why not. */
static const char *check_record(const cJSON *v, uint64_t *ret_run)
{
	struct str run = value_str(v, "run_id");
	const cJSON *results = value_get(v, "results");

	if (!cJSON_IsObject(v))
		return "it is no object";
	if (!v->child)
		return "it is empty";
	if (!run.n)
		return "it has no run_id";
	if (run.n > 18 || !str_to_u64(run, ret_run))
		return "its run_id is no number";
	if (results && !cJSON_IsObject(results))
		return "its results are no object";
	if (!results && !value_get(v, "error"))
		return "it has neither results nor an error";
	return NULL;
}

static struct str copy(struct mptcp_records *r, struct str s)
{
	return str_n(arena_strndup(&r->arena, s.p ? s.p : "", s.n), s.n);
}

/* A run is (branch, mode, run_id). Some few ran again for another purpose: one
 * whose tag has no date is told apart by its tag. */
static void set_uid(struct mptcp_records *r, struct mptcp_record *x, struct str run,
		    struct str tag)
{
	_cleanup_(buf_done) struct buf uid = {};
	struct str parts[] = { x->branch, x->mode, run, tag };

	import_uid(&uid, "mptcp", parts, x->time_ms < 0 && tag.n ? 4 : 3);
	x->uid = copy(r, buf_str(&uid));
}

static int add_record(struct mptcp_records *r, struct str branch, struct str mode,
		      const char *file, uint64_t index, struct str text, struct err *err)
{
	_cleanup_(value_freep) cJSON *v = NULL;
	struct mptcp_record x = { .branch = branch, .mode = mode, .order = r->n,
				  .file = file, .index = index };
	const char *why;

	r->im->counts.records++;
	v = value_read(text, &why);
	if (v)
		why = check_record(v, &x.run);
	if (why) {
		import_damaged(r->im, file, why, "record %" PRIu64, index);
		return 0;
	}
	if (r->arena.total + text.n > IMPORT_TOTAL_MAX)
		return err_set(err, EFBIG, "more than %u MiB of records: import parts of it",
			       IMPORT_TOTAL_MAX >> 20);
	x.time_ms = tag_time(value_str(v, "tag"));
	set_uid(r, &x, value_str(v, "run_id"), value_str(v, "tag"));
	x.text = copy(r, text);
	ARRAY_GROW(r->v, r->n, r->cap);
	r->v[r->n++] = x;
	return 0;
}

int mptcp_records_add(struct mptcp_records *r, struct str branch, struct str mode,
		      const char *file, struct str text, struct err *err)
{
	struct values values;
	struct str element;
	uint64_t index = 0;
	int e;

	branch = copy(r, branch);
	mode = copy(r, mode);
	file = copy(r, str_of(file)).p;
	if (!values_begin(&values, text)) {
		import_damaged(r->im, file, "it is no array", "the file");
		return 0;
	}
	while ((e = values_next(&values, &element)) > 0) {
		if (!seen_before(r, branch, mode, element)) {
			e = add_record(r, branch, mode, file, index, element, err);
			if (e < 0)
				return e;
		}
		index++;
	}
	if (e < 0)
		import_damaged(r->im, file, "the array has no end", "after record %" PRIu64,
			       index);
	return 0;
}

/* ---- in the order of time ---- */

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_run(const void *a, const void *b)
{
	const struct mptcp_record *x = a, *y = b;
	int c = compare(x->run, y->run);

	return c ? c : compare(x->order, y->order);
}

static int by_time(const void *a, const void *b)
{
	const struct mptcp_record *x = a, *y = b;
	int c = compare((uint64_t)x->time_ms, (uint64_t)y->time_ms);

	return c ? c : by_run(a, b);
}

/* Of those with the same id the one found last is what was published in the end. */
static int by_uid(const void *a, const void *b)
{
	const struct mptcp_record *x = a, *y = b;
	size_t n = x->uid.n < y->uid.n ? x->uid.n : y->uid.n;
	int c = memcmp(x->uid.p, y->uid.p, n);

	c = c ? c : compare(x->uid.n, y->uid.n);
	return c ? c : compare(x->order, y->order);
}

static void drop_earlier(struct mptcp_records *r)
{
	size_t n = 0;

	qsort(r->v, r->n, sizeof(*r->v), by_uid);
	for (size_t i = 0; i < r->n; i++)
		if (i + 1 == r->n || !str_eq(r->v[i].uid, r->v[i + 1].uid))
			r->v[n++] = r->v[i];
	r->n = n;
}

/* Numbers of runs only grow, over all branches: a run without a date began after
 * the dated one with the next lower number. */
static void place(struct mptcp_records *r)
{
	int64_t last = -1;

	qsort(r->v, r->n, sizeof(*r->v), by_run);
	for (size_t i = 0; i < r->n; i++) {
		r->v[i].placed = r->v[i].time_ms < 0;
		if (r->v[i].placed)
			r->v[i].time_ms = last;
		last = r->v[i].time_ms;
	}
	for (size_t i = r->n; i-- > 0;) { /* before the first dated one */
		if (r->v[i].time_ms < 0)
			r->v[i].time_ms = last;
		last = r->v[i].time_ms;
	}
}

/* ---- as a run ---- */

#define FILES_MAX 1000 /* of one record */

static const struct {
	const char *word;
	enum status status;
} RESULTS[] = {
	{ "pass", STATUS_PASS },
	{ "fail", STATUS_FAIL },
	{ "skip", STATUS_SKIP },
	{ "flaky", STATUS_FLAKY },
};

/* What an error says of the run. Those with a splat are the kernel's. */
static const struct {
	struct str word;
	enum status status;
	const char *kind, *title; /* of the splat; NULL: none */
} ERRORS[] = {
	{ STR("Unexpected stop of the VM"), STATUS_CRASH, NULL, NULL },
	{ STR("Global Timeout"), STATUS_TIMEOUT, NULL, NULL },
	{ STR("Call Trace(s)"), STATUS_FAIL, "warning", "call trace(s), not published" },
	{ STR("KMemLeak"), STATUS_FAIL, "kmemleak", "memory leak, not published" },
};

static enum status error_status(struct import_run *r, struct str error)
{
	enum status worst = STATUS_SKIP;

	for (size_t i = 0; i < ARRAY_SIZE(ERRORS); i++) {
		if (str_find(error, ERRORS[i].word) < 0)
			continue;
		worst = status_worst(worst, ERRORS[i].status);
		if (ERRORS[i].kind)
			import_splat(r, ERRORS[i].kind, str_of(ERRORS[i].title));
	}
	/* "all", and what may come: the CI itself failed. */
	return worst == STATUS_SKIP ? STATUS_ERROR : worst;
}

static void say_completed(struct import_run *r, const cJSON *v)
{
	struct str error = value_str(v, "error"), warn = value_str(v, "warn");
	enum status status = STATUS_PASS;

	import_program_begin(r, SUITE, COMPLETED, 1);
	if (warn.n)
		import_problem(r, PROBLEM_DEGRADED, warn);
	if (error.n)
		status = error_status(r, error);
	import_program_end(r, status, -1, error);
}

/* "selftest_x: fail": what a file says of its program itself. */
static bool is_whole(struct str name, struct str program)
{
	if (str_starts(name, STR("test: ")))
		name = str_from(name, 6);
	return str_eq(name, program);
}

struct say {
	struct import_run run;
	const struct mptcp_record *record;
	struct str program;
	/* Of the program itself. */
	enum status status; /* STATUS_N: nothing was published */
	int64_t duration_ms;
	struct str reason;
};

static void say_result(struct say *s, const char *file, const cJSON *v)
{
	struct str word = value_str(v, "result"), name = value_str(v, "name");
	struct import_result x = {
		.name = name, .number = value_int(v, "number", -1),
		.duration_ms = value_int(v, "time_ms", -1), .reason = value_str(v, "comment"),
		.status = STATUS_N,
	};
	uint64_t number;

	for (size_t i = 0; i < ARRAY_SIZE(RESULTS); i++)
		if (str_eq(word, str_of(RESULTS[i].word)))
			x.status = RESULTS[i].status;
	if (x.status == STATUS_N || !name.n) {
		import_damaged(s->run.im, s->record->file, x.status == STATUS_N ?
			       "its result is none of pass, fail, skip and flaky" :
			       "it has no name",
			       "record %" PRIu64 ", %.40s, result %.20s", s->record->index, file,
			       v->string);
		return;
	}
	if (str_to_u64(str_of(v->string), &number) && number <= INT32_MAX)
		x.number = (int64_t)number;
	if (is_whole(name, s->program)) {
		s->status = x.status;
		s->duration_ms = x.duration_ms;
		s->reason = x.reason;
	} else {
		import_result(&s->run, &x);
	}
}

static void say_results(struct say *s, const cJSON *file)
{
	const cJSON *v;

	if (!file)
		return;
	cJSON_ArrayForEach(v, file)
		say_result(s, file->string, v);
}

/* A script's own result is in one file, those of its parts in NAME_subtests. */
static void say_programs(struct say *s, const cJSON *files)
{
	const cJSON *file;

	cJSON_ArrayForEach(file, files) {
		const struct str tail = STR("_subtests");
		struct str name = str_of(file->string);
		_free_ char *other = NULL;
		const cJSON *subtests;

		s->program = name;
		if (str_ends(name, tail)) {
			other = xstrndup(name.p, name.n - tail.n);
			if (value_get(files, other))
				continue; /* told with it */
			s->program = str_of(other);
			subtests = NULL;
		} else {
			other = xasprintf("%s_subtests", file->string);
			subtests = value_get(files, other);
		}
		s->status = STATUS_N;
		s->duration_ms = -1;
		s->reason = STR_NONE;
		import_program_begin(&s->run, SUITE, s->program, 1);
		say_results(s, file);
		say_results(s, subtests);
		import_program_end(&s->run, s->status, s->duration_ms, s->reason);
	}
}

static void conclude(const struct say *s, struct str error, struct buf *ret)
{
	if (error.n)
		buf_printf(ret, "Error: %.*s", STR_FMT(error));
	else if (!s->run.tally.bad)
		buf_printf(ret, "No failure published: the rest passed or did not run");
}

static int say_record(struct mptcp_records *r, const struct mptcp_record *x, struct err *err)
{
	_cleanup_(value_freep) cJSON *v = NULL;
	_cleanup_(buf_done) struct buf conclusion = {}, title = {};
	struct say s = { .record = x };
	const cJSON *files;
	const char *why;
	struct import_run_info info = { .uid = x->uid, .branch = x->branch, .mode = x->mode,
					.machine = MACHINE, .begin_ms = x->time_ms };
	int e;

	v = value_read(x->text, &why);
	files = value_get(v, "results");
	if (x->time_ms < 0 || cJSON_GetArraySize(files) > FILES_MAX) {
		import_damaged(r->im, x->file, x->time_ms < 0 ?
			       "neither it nor any other has a date" : "it has too many files",
			       "record %" PRIu64, x->index);
		return 0;
	}
	info.commit = x->placed ? STR_NONE : value_str(v, "tag");
	buf_printf(&title, "MPTCP CI run %" PRIu64 ", %.*s", x->run, STR_FMT(x->mode));
	if (x->placed)
		buf_printf(&title, ", tag '%.*s' without a date: that of the run before",
			   STR_FMT(value_str(v, "tag")));
	info.title = buf_str(&title);
	e = import_run_begin(&s.run, r->im, &info, err);
	if (e <= 0)
		return e;
	say_completed(&s.run, v);
	say_programs(&s, files);
	conclude(&s, value_str(v, "error"), &conclusion);
	return import_run_end(&s.run, buf_str(&conclusion), 0, err);
}

int mptcp_records_say(struct mptcp_records *r, struct err *err)
{
	int e = 0;

	if (!r->n)
		return 0;
	drop_earlier(r);
	place(r);
	qsort(r->v, r->n, sizeof(*r->v), by_time);
	for (size_t i = 0; i < r->n && e == 0; i++) {
		e = say_record(r, &r->v[i], err);
		if (r->im->progress)
			r->im->progress(r->im->ctx, "runs", i + 1, r->n);
	}
	return e;
}

static int read_results(struct import *im, const char *path, struct err *err)
{
	_cleanup_(mptcp_records_done) struct mptcp_records r = { .im = im };
	int e = mptcp_source(&r, path, err);

	return e < 0 ? e : mptcp_records_say(&r, err);
}

int import_mptcp_text(struct import *im, const char *branch, const char *mode,
		      const char *name, struct str text, struct err *err)
{
	_cleanup_(mptcp_records_done) struct mptcp_records r = { .im = im };
	int e = mptcp_records_add(&r, str_of(branch), str_of(mode), name, text, err);

	return e < 0 ? e : mptcp_records_say(&r, err);
}

const struct import_format import_mptcp_results = {
	.name = "mptcp-results",
	.summary = "published results of the MPTCP CI: a directory, a file, a git checkout",
	.read = read_results,
};
