/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JUnit XML, as it is written by taproom, Maven's surefire and Jenkins (nested
 * suites, flakyFailure, rerunFailure), pytest (xfail as skipped), gotestsum and
 * whatever GitLab reads. A document is a run. A program is what a testcase calls
 * its class, or else its suite; taproom's own suites are "suite/program", with
 * " (attempt 2)" for a retry.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "import/text.h"
#include "import/xml.h"

#define CASES_MAX 1000000

struct testcase {
	struct str suite, program, name, reason;
	unsigned attempt;
	size_t index;
	enum status status;
	int64_t duration_ms;
};

struct document {
	struct import *im;
	struct arena arena;
	struct testcase *v;
	size_t n, cap;
	struct str suites[IMPORT_DEPTH_MAX]; /* names of the open ones */
	unsigned depth;
	struct str title, host;
	int64_t begin_ms, duration_ms; /* -1: unknown */
	struct testcase *open;
	bool any;                      /* an element of JUnit's was seen */
};

static struct str keep(struct document *d, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	n = n < IMPORT_TEXT_MAX ? n : IMPORT_TEXT_MAX;
	return str_n(arena_strndup(&d->arena, s ? s : "", n), n);
}

/* "1.5", "1,234.5" (surefire's thousands) seconds. */
static int64_t ms_of(const char *s)
{
	char text[32], *end;
	size_t n = 0;
	double v;

	for (; s && *s && n + 1 < sizeof(text); s++)
		if (*s != ',')
			text[n++] = *s;
	text[n] = 0;
	v = strtod(text, &end);
	return n && !*end && isfinite(v) && v >= 0 && v < 1e9 ? (int64_t)llround(v * 1000) : -1;
}

/* ---- elements ---- */

static void note_time(struct document *d, const char *const *a)
{
	const char *t = xml_attribute(a, "timestamp");
	int64_t ms;

	if (t && import_time_parse(str_of(t), &ms) && (d->begin_ms < 0 || ms < d->begin_ms))
		d->begin_ms = ms;
}

static int begin_suites(struct document *d, const char *const *a, struct err *err)
{
	if (xml_attribute(a, "name"))
		d->title = keep(d, xml_attribute(a, "name"));
	note_time(d, a);
	d->duration_ms = ms_of(xml_attribute(a, "time"));
	return 0;
}

static int begin_suite(struct document *d, const char *const *a, struct err *err)
{
	if (d->depth < IMPORT_DEPTH_MAX)
		d->suites[d->depth] = keep(d, xml_attribute(a, "name"));
	d->depth++;
	note_time(d, a);
	if (!d->host.n)
		d->host = keep(d, xml_attribute(a, "hostname"));
	return 0;
}

/* taproom's own: "mptcp/diag.sh (attempt 2)" with the class "mptcp.diag.sh". */
static bool set_own(struct testcase *c, struct str suite, struct str class)
{
	ptrdiff_t slash = str_find(suite, STR("/")), tail = str_find(suite, STR(" (attempt "));
	uint64_t attempt;

	if (tail > 0 && str_ends(suite, STR(")")) &&
	    str_to_u64(str_n(suite.p + tail + 10, suite.n - (size_t)tail - 11), &attempt) &&
	    attempt > 0 && attempt < 1000) {
		c->attempt = (unsigned)attempt;
		suite.n = (size_t)tail;
	}
	if (slash <= 0 || (size_t)slash + 1 >= suite.n || class.n != suite.n ||
	    class.p[slash] != '.' || memcmp(class.p, suite.p, (size_t)slash) != 0 ||
	    memcmp(class.p + slash + 1, suite.p + slash + 1, suite.n - (size_t)slash - 1) != 0) {
		c->attempt = 1;
		return false;
	}
	c->suite = str_n(suite.p, (size_t)slash);
	c->program = str_from(suite, (size_t)slash + 1);
	return true;
}

static int begin_case(struct document *d, const char *const *a, struct err *err)
{
	struct str class = keep(d, xml_attribute(a, "classname"));
	struct str suite = d->depth && d->depth <= IMPORT_DEPTH_MAX ? d->suites[d->depth - 1]
								    : STR_NONE;
	struct testcase c = { .attempt = 1, .status = STATUS_PASS, .index = d->n };

	if (d->open)
		return err_set(err, EBADMSG, "a testcase in a testcase");
	if (d->n == CASES_MAX)
		return err_set(err, EFBIG, "more than %d testcases", CASES_MAX);
	d->im->counts.records++;
	c.name = keep(d, xml_attribute(a, "name"));
	c.duration_ms = ms_of(xml_attribute(a, "time"));
	if (!set_own(&c, suite, class)) {
		c.program = class.n ? class : suite.n ? suite : STR("junit");
		c.suite = d->im->suite ? str_of(d->im->suite) :
			  d->title.n   ? d->title : STR("junit");
	}
	ARRAY_GROW(d->v, d->n, d->cap);
	d->v[d->n] = c;
	d->open = &d->v[d->n++];
	return 0;
}

/* What stands in a testcase. The worst of several counts, but for a failure that
 * a rerun took back. */
static void note_status(struct document *d, enum status status, const char *const *a)
{
	const char *message = xml_attribute(a, "message"), *type = xml_attribute(a, "type");

	if (!d->open)
		return;
	if (status == STATUS_SKIP && type && strcmp(type, "pytest.xfail") == 0)
		status = STATUS_XFAIL;
	/* Everything that is told replaces the pass that was assumed. */
	if (d->open->status == STATUS_PASS || status > d->open->status) {
		d->open->status = status;
		d->open->reason = keep(d, message ? message : type);
	}
}

static const struct {
	const char *name;
	int (*begin)(struct document *d, const char *const *a, struct err *err);
	enum status status; /* STATUS_N: tells none */
} ELEMENTS[] = {
	{ "testsuites", begin_suites, STATUS_N },
	{ "testsuite", begin_suite, STATUS_N },
	{ "testcase", begin_case, STATUS_N },
	{ "failure", NULL, STATUS_FAIL },
	{ "error", NULL, STATUS_ERROR },
	{ "skipped", NULL, STATUS_SKIP },
	{ "flakyFailure", NULL, STATUS_FLAKY },
	{ "flakyError", NULL, STATUS_FLAKY },
	{ "rerunFailure", NULL, STATUS_FAIL },
	{ "rerunError", NULL, STATUS_FAIL },
};

static int on_begin(void *ctx, const char *name, const char *const *a, struct err *err)
{
	struct document *d = ctx;

	for (size_t i = 0; i < ARRAY_SIZE(ELEMENTS); i++) {
		if (strcmp(ELEMENTS[i].name, name) != 0)
			continue;
		if (ELEMENTS[i].begin) {
			d->any = true;
			return ELEMENTS[i].begin(d, a, err);
		}
		note_status(d, ELEMENTS[i].status, a);
	}
	if (!d->any)
		return err_set(err, EINVAL, "it is no JUnit: it begins with <%.40s>", name);
	return 0;
}

static int on_end(void *ctx, const char *name, struct str text, struct err *err)
{
	struct document *d = ctx;

	if (strcmp(name, "testcase") == 0)
		d->open = NULL;
	else if (strcmp(name, "testsuite") == 0)
		d->depth -= d->depth > 0;
	else if (d->open && !d->open->reason.n && d->open->status != STATUS_PASS) {
		struct str said = str_trim(text);

		/* A stack trace without a message: its first line says what. */
		said = str_cut(&said, '\n');
		d->open->reason = str_n(arena_strndup(&d->arena, said.p ? said.p : "", said.n),
					said.n);
	}
	return 0;
}

/* ---- as a run ---- */

static int compare(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int same_program(const struct testcase *x, const struct testcase *y)
{
	int c = compare(x->suite, y->suite);

	c = c ? c : compare(x->program, y->program);
	return c ? c : (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

static int by_program(const void *a, const void *b)
{
	const struct testcase *x = a, *y = b;
	int c = same_program(x, y);

	return c ? c : (x->index > y->index) - (x->index < y->index);
}

static size_t say_program(struct import_run *run, const struct testcase *c, size_t n)
{
	enum status whole = STATUS_N;
	struct str reason = STR_NONE;
	int64_t ms = 0;
	size_t i;

	import_program_begin(run, c->suite, c->program, c->attempt);
	for (i = 0; i < n && same_program(&c[i], c) == 0; i++) {
		struct import_result x = { .name = c[i].name, .number = -1,
					   .status = c[i].status, .reason = c[i].reason,
					   .duration_ms = c[i].duration_ms };

		ms = ms < 0 || x.duration_ms < 0 ? -1 : ms + x.duration_ms;
		if (str_eq(x.name, c->program)) {
			whole = x.status;
			reason = x.reason;
		} else {
			import_result(run, &x);
		}
	}
	import_program_end(run, whole, ms, reason);
	return i;
}

static int say_document(struct document *d, const char *name, struct str text,
			int64_t time_ms, struct err *err)
{
	_cleanup_(buf_done) struct buf uid = {};
	struct import_run_info info = {
		.title = d->title.n ? d->title : str_of(name), .host = d->host,
		.begin_ms = d->begin_ms >= 0 ? d->begin_ms : time_ms,
	};
	struct import_run run;
	int e;

	import_content_uid(&uid, "junit", name, text);
	info.uid = buf_str(&uid);
	e = import_run_begin(&run, d->im, &info, err);
	if (e <= 0)
		return e;
	if (d->n)
		qsort(d->v, d->n, sizeof(*d->v), by_program);
	for (size_t i = 0; i < d->n;)
		i += say_program(&run, d->v + i, d->n - i);
	return import_run_end(&run, STR_NONE, d->duration_ms > 0 ?
			      info.begin_ms + d->duration_ms : 0, err);
}

static int read_text(struct import *im, const char *name, struct str text, int64_t time_ms,
		     struct err *err)
{
	struct document d = { .im = im, .begin_ms = -1, .duration_ms = -1 };
	struct xml_reader reader = { on_begin, on_end, &d };
	struct err why = {};
	int e = xml_read(&reader, text, &why);

	if (e < 0) {
		import_damaged(im, name, why.text, "the document");
		e = 0;
	} else {
		e = say_document(&d, name, text, time_ms, err);
	}
	arena_done(&d.arena);
	free(d.v);
	return e;
}

int import_junit_text(struct import *im, const char *name, struct str text, struct err *err)
{
	return read_text(im, name, text, 0, err);
}

static int read_junit(struct import *im, const char *path, struct err *err)
{
	_cleanup_(import_file_done) struct import_file f = {};
	int e = import_file_read(path, &f, err);

	return e < 0 ? e : read_text(im, f.name, buf_str(&f.text), f.time_ms, err);
}

const struct import_format import_junit = {
	.name = "junit",
	.summary = "JUnit XML: taproom's, surefire's, Jenkins', pytest's, gotestsum's, GitLab's",
	.read = read_junit,
};
