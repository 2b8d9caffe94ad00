/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KCIDB, the I/O schema version 4 (kcidb-io, kcidb_io/schema/v04_*.py): checkouts,
 * builds of them, tests of those. A run is what a document tells of one build.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "import/text.h"
#include "import/values.h"

#define TESTS_MAX 1000000 /* of one document */

struct test {
	struct str build, program, rest, id;
	const cJSON *v;
	size_t index;
};

static enum status status_of(const cJSON *v)
{
	static const struct {
		const char *word;
		enum status status;
	} WORDS[] = {
		{ "PASS", STATUS_PASS }, { "FAIL", STATUS_FAIL }, { "ERROR", STATUS_ERROR },
		{ "MISS", STATUS_MISSING }, { "SKIP", STATUS_SKIP },
		{ "DONE", STATUS_SKIP }, /* ended, and says nothing of the code */
	};
	enum status s = STATUS_ERROR;

	for (size_t i = 0; i < ARRAY_SIZE(WORDS); i++)
		if (str_eq(value_str(v, "status"), str_of(WORDS[i].word)))
			s = WORDS[i].status;
	return s == STATUS_FAIL && cJSON_IsTrue(value_get(v, "waived")) ? STATUS_FLAKY : s;
}

static int compare(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int by_build(const void *a, const void *b)
{
	const struct test *x = a, *y = b;
	int c = compare(x->build, y->build);

	c = c ? c : compare(x->program, y->program);
	return c ? c : (x->index > y->index) - (x->index < y->index);
}

static const char *check(const cJSON *v, struct test *ret)
{
	struct str path = value_str(v, "path");

	ret->v = v;
	ret->id = value_str(v, "id");
	ret->build = value_str(v, "build_id");
	ret->program = str_cut(&path, '.');
	ret->rest = path.p ? path : STR_NONE;
	if (!ret->id.n)
		return "it has no id";
	if (!ret->build.n)
		return "it has no build_id";
	if (!ret->program.n)
		return "it has no path";
	return value_str(v, "status").n ? NULL : "it has no status";
}

/* Linear, but only once a run. */
static const cJSON *find(const cJSON *list, struct str id)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, list)
		if (id.n && str_eq(value_str(v, "id"), id))
			return v;
	return NULL;
}

static int64_t ms_of(const cJSON *v)
{
	double s = value_real(v, "duration", -1);

	return s >= 0 && s < 1e9 ? (int64_t)(s * 1000) : -1;
}

static void say_tests(struct import_run *run, const struct test *t, size_t n)
{
	for (size_t i = 0; i < n;) {
		enum status whole = STATUS_N;
		struct str program = t[i].program, reason = STR_NONE;
		struct str suite = run->im->suite ? str_of(run->im->suite) : STR("kcidb");
		int64_t ms = -1;

		import_program_begin(run, suite, program, 1);
		for (; i < n && str_eq(t[i].program, program); i++) {
			struct import_result x = {
				.name = t[i].rest, .number = -1, .status = status_of(t[i].v),
				.duration_ms = ms_of(t[i].v),
				.reason = value_str(t[i].v, "comment"),
			};

			if (t[i].rest.n) {
				import_result(run, &x);
				continue;
			}
			whole = whole == STATUS_N ? x.status : status_worst(whole, x.status);
			ms = x.duration_ms;
			reason = x.reason;
		}
		import_program_end(run, whole, ms, reason);
	}
}

static int64_t first_time(const cJSON *build, const cJSON *checkout, const struct test *t,
			  size_t n)
{
	int64_t first = -1, ms;

	for (size_t i = 0; i < n; i++)
		if (import_time_parse(value_str(t[i].v, "start_time"), &ms))
			first = first < 0 || ms < first ? ms : first;
	if (first < 0 && (import_time_parse(value_str(build, "start_time"), &ms) ||
			  import_time_parse(value_str(checkout, "start_time"), &ms)))
		first = ms;
	return first;
}

/* Documents tell parts of a build: an id is of the build and the tests. */
static void set_uid(struct buf *uid, const struct test *t, size_t n)
{
	uint64_t hash = STR_HASH_INIT;
	char text[17];
	struct str parts[2] = { t->build };

	for (size_t i = 0; i < n; i++)
		hash = str_hash(STR("\xff"), str_hash(t[i].id, hash));
	snprintf(text, sizeof(text), "%016" PRIx64, hash);
	parts[1] = str_of(text);
	import_uid(uid, "kcidb", parts, 2);
}

static int say_build(struct import *im, const char *name, const cJSON *doc,
		     const struct test *t, size_t n, struct err *err)
{
	const cJSON *build = find(value_get(doc, "builds"), t->build);
	const cJSON *checkout = find(value_get(doc, "checkouts"), value_str(build, "checkout_id"));
	_cleanup_(buf_done) struct buf uid = {};
	struct import_run_info info = {
		.branch = value_str(checkout, "git_repository_branch"),
		.commit = value_str(checkout, "git_commit_hash"),
		.mode = value_str(build, "config_name"),
		.machine = value_str(build, "architecture"),
		.kernel = value_str(checkout, "git_commit_name"), .title = t->build,
		.begin_ms = first_time(build, checkout, t, n),
	};
	struct import_run run;
	int e;

	if (!info.branch.n)
		info.branch = value_str(checkout, "tree_name");
	if (info.begin_ms < 0) {
		import_damaged(im, name, "neither its tests nor it have a start_time",
			       "build %.100s", value_str(t->v, "build_id").p);
		return 0;
	}
	set_uid(&uid, t, n);
	info.uid = buf_str(&uid);
	e = import_run_begin(&run, im, &info, err);
	if (e <= 0)
		return e;
	say_tests(&run, t, n);
	return import_run_end(&run, STR_NONE, 0, err);
}

static int say_document(struct import *im, const char *name, const cJSON *doc, struct err *err)
{
	const cJSON *list = value_get(doc, "tests"), *v;
	_free_ struct test *tests = NULL;
	size_t n = 0, cap = 0, index = 0;
	int e = 0;

	cJSON_ArrayForEach(v, list) {
		struct test t = { .index = index };
		const char *why = check(v, &t);

		im->counts.records++;
		if (index == TESTS_MAX)
			return err_set(err, EFBIG, "'%s' has more than %d tests", name, TESTS_MAX);
		if (why)
			import_damaged(im, name, why, "test %zu", index);
		index++;
		if (why)
			continue;
		ARRAY_GROW(tests, n, cap);
		tests[n++] = t;
	}
	if (n)
		qsort(tests, n, sizeof(*tests), by_build);
	for (size_t i = 0, k; i < n && e >= 0; i = k) {
		for (k = i + 1; k < n && str_eq(tests[k].build, tests[i].build); k++)
			;
		e = say_build(im, name, doc, tests + i, k - i, err);
	}
	return e < 0 ? e : 0;
}

int import_kcidb_text(struct import *im, const char *name, struct str text, struct err *err)
{
	_cleanup_(value_freep) cJSON *doc = NULL;
	const char *why;

	doc = value_read(text, &why);
	if (!doc) {
		import_damaged(im, name, why, "the document");
		return 0;
	}
	if (value_int(value_get(doc, "version"), "major", 0) != 4)
		return err_set(err, EINVAL, "'%s' is no KCIDB document of version 4", name);
	return say_document(im, name, doc, err);
}

static int read_kcidb(struct import *im, const char *path, struct err *err)
{
	_cleanup_(import_file_done) struct import_file f = {};
	int e = import_file_read(path, &f, err);

	return e < 0 ? e : import_kcidb_text(im, path, buf_str(&f.text), err);
}

const struct import_format import_kcidb = {
	.name = "kcidb",
	.summary = "a KCIDB document, version 4: a run for each build",
	.read = read_kcidb,
};
