/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NIPA, netdev's CI: the result of one executor on one branch, or all-results,
 * an array of them (contest/remote/lib/fetcher.py, vmksft-p.py of NIPA):
 *   {"executor", "branch", "start", "end", "link"?, "remote"?, "results": [
 *     {"test", "group", "result", "link", "time"?, "retry"?, "crashes"?: [title],
 *      "results"?: [{"test", "result", "time"?}] }] or null: still running}
 */
#include <inttypes.h>
#include <stdlib.h>

#include "import/text.h"
#include "import/values.h"

static enum status status_of(struct str word)
{
	static const struct {
		const char *word;
		enum status status;
	} WORDS[] = {
		{ "pass", STATUS_PASS }, { "skip", STATUS_SKIP }, { "fail", STATUS_FAIL },
		{ "warn", STATUS_FAIL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(WORDS); i++)
		if (str_eq(word, str_of(WORDS[i].word)))
			return WORDS[i].status;
	return STATUS_ERROR; /* no word that is known: not a pass */
}

static int64_t ms_of(const cJSON *v)
{
	double s = value_real(v, "time", -1);

	return s >= 0 && s < 1e9 ? (int64_t)(s * 1000) : -1;
}

/* "net-next-2024-01-31--03-00" is a state of "net-next". */
static struct str tree_of(struct str branch)
{
	static const char form[] = "-dddd-dd-dd--dd-dd";
	size_t n = sizeof(form) - 1;

	if (branch.n <= n)
		return branch;
	for (size_t i = 0; i < n; i++) {
		char c = branch.p[branch.n - n + i];

		if (form[i] == 'd' ? c < '0' || c > '9' : c != form[i])
			return branch;
	}
	return str_n(branch.p, branch.n - n);
}

static void say_nested(struct import_run *run, const cJSON *results)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, results) {
		struct import_result x = { .name = value_str(v, "test"), .number = -1,
					   .status = status_of(value_str(v, "result")),
					   .duration_ms = ms_of(v) };

		import_result(run, &x);
	}
}

static void say_test(struct import_run *run, const cJSON *v)
{
	struct str group = value_str(v, "group"), test = value_str(v, "test"),
		   retry = value_str(v, "retry");
	const cJSON *crash;

	if (run->im->suite)
		group = str_of(run->im->suite);
	import_program_begin(run, group.n ? group : STR("nipa"), test, 1);
	if (!retry.n) /* of a retried test the nested results are the retry's */
		say_nested(run, value_get(v, "results"));
	cJSON_ArrayForEach(crash, value_get(v, "crashes"))
		if (cJSON_IsString(crash))
			import_splat(run, "warning", str_of(crash->valuestring));
	import_program_end(run, status_of(value_str(v, "result")), ms_of(v), STR_NONE);
	if (!retry.n)
		return;
	import_program_begin(run, group.n ? group : STR("nipa"), test, 2);
	say_nested(run, value_get(v, "results"));
	import_program_end(run, status_of(retry), -1, STR_NONE);
}

static const char *check(const cJSON *v, int64_t *ret_begin, int64_t *ret_end)
{
	const cJSON *t;

	if (!cJSON_IsObject(v))
		return "it is no object";
	if (!value_str(v, "executor").n || !value_str(v, "branch").n)
		return "it has no executor and branch";
	if (!import_time_parse(value_str(v, "start"), ret_begin))
		return "it has no start";
	if (!import_time_parse(value_str(v, "end"), ret_end) || *ret_end < *ret_begin)
		*ret_end = *ret_begin;
	if (!cJSON_IsArray(value_get(v, "results")))
		return "its results are no array";
	cJSON_ArrayForEach(t, value_get(v, "results"))
		if (!value_str(t, "test").n)
			return "a test of it has no name";
	return NULL;
}

static int say_entry(struct import *im, const char *name, uint64_t index, struct str text,
		     struct err *err)
{
	_cleanup_(value_freep) cJSON *v = NULL;
	_cleanup_(buf_done) struct buf uid = {}, title = {};
	struct import_run_info info = {};
	struct import_run run;
	struct str parts[2];
	const char *why;
	const cJSON *t;
	int e;

	im->counts.records++;
	v = value_read(text, &why);
	if (v && cJSON_IsNull(value_get(v, "results")))
		return 0; /* still running */
	if (v)
		why = check(v, &info.begin_ms, &info.end_ms);
	if (why) {
		import_damaged(im, name, why, "record %" PRIu64, index);
		return 0;
	}
	parts[0] = value_str(v, "executor");
	parts[1] = value_str(v, "branch");
	import_uid(&uid, "nipa", parts, 2);
	buf_printf(&title, "NIPA %.*s", STR_FMT(parts[0]));
	info.uid = buf_str(&uid);
	info.title = buf_str(&title);
	info.branch = tree_of(parts[1]);
	info.commit = parts[1];
	info.machine = parts[0];
	info.mode = str_ends(parts[0], STR("-dbg")) ? STR("debug") : STR("normal");
	e = import_run_begin(&run, im, &info, err);
	if (e <= 0)
		return e;
	cJSON_ArrayForEach(t, value_get(v, "results"))
		say_test(&run, t);
	return import_run_end(&run, STR_NONE, info.end_ms, err);
}

int import_nipa_text(struct import *im, const char *name, struct str text, struct err *err)
{
	struct values values;
	struct str element;
	uint64_t index = 0;
	int e;

	if (!values_begin(&values, text))
		return say_entry(im, name, 0, text, err);
	while ((e = values_next(&values, &element)) > 0) {
		e = say_entry(im, name, index++, element, err);
		if (e < 0)
			return e;
		if (im->progress)
			im->progress(im->ctx, "records", index, 0);
	}
	if (e < 0)
		import_damaged(im, name, "the array has no end", "after record %" PRIu64, index);
	return 0;
}

static int read_nipa(struct import *im, const char *path, struct err *err)
{
	_cleanup_(import_file_done) struct import_file f = {};
	int e = import_file_read(path, &f, err);

	return e < 0 ? e : import_nipa_text(im, path, buf_str(&f.text), err);
}

const struct import_format import_nipa = {
	.name = "nipa",
	.summary = "result or all-results JSON of netdev's CI",
	.read = read_nipa,
};
