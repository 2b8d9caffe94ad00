/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The API's promise: docs/api.md names every address and every field that is answered,
 * and the words that fields have. What is documented and gone, or answered and not
 * documented, fails here.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "judge/changes.h"
#include "judge/compare.h"
#include "seed.h"
#include "tap.h"
#include "web/api.h"
#include "web/history.h"
#include "web/web.h"

struct bench {
	struct tap *t;
	struct web_site *site;
	struct buf docs, told; /* told: fields that were answered, "\nname\n..." */
};

static bool has_word(const struct buf *text, const char *word)
{
	_free_ char *quoted = xasprintf("`%s`", word);

	return str_find(buf_str(text), str_of(quoted)) >= 0;
}

/* Statuses are fields of counts; they are documented as words. */
static void fields(struct bench *b, const cJSON *v, unsigned *missing)
{
	for (const cJSON *x = v ? v->child : NULL; x; x = x->next) {
		if (x->string && !has_word(&b->docs, x->string)) {
			printf("# not in docs/api.md: %s\n", x->string);
			++*missing;
		}
		if (x->string)
			buf_printf(&b->told, "`%s`\n", x->string);
		fields(b, x, missing);
	}
}

static cJSON *answer(struct bench *b, enum web_page_id page, const struct web_args *args)
{
	_cleanup_(buf_done) struct buf text = {};
	struct err err = {};
	struct out o;
	cJSON *v;

	out_to_buf(&o, &text);
	if (WEB_PAGES[page].render(b->site, args, &o, &err) < 0 || out_flush(&o) < 0) {
		printf("# %s\n", err.text);
		return NULL;
	}
	v = cJSON_ParseWithLengthOpts(text.p, text.n, NULL, false);
	return v;
}

static void test_routes(struct bench *b)
{
	const struct web_site *s = b->site;
	struct web_args args = { .run = s->runs[0].id, .test = &s->history->tests.v[0] };

	args.q.a = (struct web_span){ s->history->runs[0].id, s->history->runs[1].id };
	args.q.b = (struct web_span){ s->history->runs[2].id,
				      s->history->runs[s->history->n_runs - 1].id };
	for (unsigned i = 0; i < WEB_PAGE_N; i++) {
		enum web_page_id id = WEB_PAGE_N, page = (enum web_page_id)i;
		struct web_args back;
		_cleanup_(buf_done) struct buf path = {};
		unsigned missing = 0;
		struct out o;
		cJSON *v;

		if (!str_starts(str_of(WEB_PAGES[i].path), STR("api/")))
			continue;
		ok(b->t, has_word(&b->docs, WEB_PAGES[i].path), "docs/api.md has %s",
		   WEB_PAGES[i].path);
		is_str(b->t, WEB_PAGES[i].type, "application/json", "- it is JSON");
		out_to_buf(&o, &path);
		web_path(page, &args, &o);
		out_flush(&o);
		ok(b->t, web_route(s, buf_str(&path), &id, &back) == 1 && id == page,
		   "- %s leads there", path.p);
		v = answer(b, page, &args);
		fields(b, v, &missing);
		ok(b->t, v && !missing, "- every field of it is documented");
		cJSON_Delete(v);
	}
}

/* Among files there is none of it. */
static void test_files(struct bench *b)
{
	enum web_page_id id;
	struct web_args args;

	b->site->live = false;
	is_int(b->t, web_route(b->site, STR("api/v1/runs"), &id, &args), 0, "no API among files");
	is_int(b->t, web_route(b->site, STR("diff.html"), &id, &args), 0, "nor any two runs");
	b->site->live = true;
}

static void test_words(struct bench *b)
{
	for (unsigned i = 0; i < JUDGE_WHAT_N; i++)
		ok(b->t, has_word(&b->docs, JUDGE_WHAT_NAMES[i]), "a change: %s",
		   JUDGE_WHAT_NAMES[i]);
	for (unsigned i = 0; i < JUDGE_SAME; i++)
		ok(b->t, has_word(&b->docs, JUDGE_DIFFERS[i].name), "a difference: %s",
		   JUDGE_DIFFERS[i].name);
	for (unsigned i = 0; i < JUDGE_DID_N; i++)
		ok(b->t, has_word(&b->docs, JUDGE_DID_NAMES[i]), "did: %s", JUDGE_DID_NAMES[i]);
	for (unsigned i = 0; i < STAT_MINE_N; i++)
		ok(b->t, has_word(&b->docs, JUDGE_SAYS[i]), "says: %s", JUDGE_SAYS[i]);
	for (unsigned i = 0; i < STATUS_N; i++)
		ok(b->t, has_word(&b->docs, STATUS_INFO[i].name), "status: %s",
		   STATUS_INFO[i].name);
	for (unsigned i = 0; i <= STORE_RUN_LOST; i++)
		ok(b->t, has_word(&b->docs, API_STATES[i]), "state: %s", API_STATES[i]);
	for (unsigned i = 0; i < JUDGE_SORT_N; i++)
		ok(b->t, has_word(&b->docs, JUDGE_SORTS[i]), "sort: %s", JUDGE_SORTS[i]);
}

/* What stands first in the documents is in them: of the names that nothing here has. */
static void test_told(struct bench *b)
{
	static const char *const NAMES[] = {
		"version", "branches", "latest", "conclusion", "uid", "counts", "programs",
		"results", "key", "selector", "flakes", "rate", "low", "high", "n", "last_run",
		"changes", "differences", "together", "unchanged", "did", "axes", "failures",
		"splats", "fingerprint", "cells", "columns", "log_bytes", "oldest",
	};

	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
		ok(b->t, has_word(&b->told, NAMES[i]), "it is answered: %s", NAMES[i]);
}

/* The runs of the rows are the columns of the page that is asked for. */
static void test_columns(struct bench *b)
{
	struct web_args args = { .q = { .branch = STR("net-next"), .before = 12 } };
	cJSON *v = answer(b, WEB_API_FLAKES, &args);
	const cJSON *runs = cJSON_GetObjectItem(v, "runs");
	const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(v, "flakes"), 0);

	is_int(b->t, cJSON_GetArraySize(runs), 3, "older runs of one branch");
	is_int(b->t, cJSON_GetArraySize(runs) ? cJSON_GetArrayItem(runs, 0)->valueint : 0, 9,
	       "- begin behind that run");
	is_int(b->t, cJSON_GetArraySize(cJSON_GetObjectItem(row, "runs")), 3,
	       "- a row has what it said in these");
	cJSON_Delete(v);
}

/* Counted as the pages count, and of all branches how they are. */
static void test_overview(struct bench *b)
{
	cJSON *v = answer(b, WEB_API_OVERVIEW, &(struct web_args){});
	const cJSON *x, *branches = cJSON_GetObjectItem(v, "branches");
	_cleanup_(buf_done) struct buf page = {}, want = {};
	unsigned bare = 0;
	struct err err = {};
	struct out o;

	out_to_buf(&o, &page);
	WEB_PAGES[WEB_INDEX].render(b->site, &(struct web_args){}, &o, &err);
	out_flush(&o);
	buf_printf(&want, " runs of %d tests", cJSON_GetObjectItem(v, "tests")->valueint);
	ok(b->t, str_find(buf_str(&page), buf_str(&want)) > 0, "the page too says%s", want.p);
	cJSON_ArrayForEach(x, branches)
		bare += !cJSON_GetObjectItem(x, "conclusion");
	is_int(b->t, (int)bare, 0, "each branch and mode has its conclusion");
	cJSON_Delete(v);
}

static void test_wrong(struct bench *b)
{
	struct web_args args = { .run = 99999 };
	struct err err = {};
	struct out o;
	struct buf text = {};

	out_to_buf(&o, &text);
	args.q.suite = STR("nowhere");
	is_int(b->t, WEB_PAGES[WEB_API_MATRIX].render(b->site, &args, &o, &err), -ENOENT,
	       "no such suite");
	is_int(b->t, WEB_PAGES[WEB_API_RUN].render(b->site, &args, &o, &err), -ENOENT,
	       "no such run");
	is_int(b->t, WEB_PAGES[WEB_API_DIFF].render(b->site, &args, &o, &err), -EINVAL,
	       "two runs that are not named");
	args.q.a = args.q.b = (struct web_span){ 99999, 99999 };
	is_int(b->t, WEB_PAGES[WEB_API_DIFF].render(b->site, &args, &o, &err), -ENOENT,
	       "two that are not there");
	out_flush(&o);
	buf_done(&text);
}

int main(int argc, char **argv)
{
	struct tap t = {};
	struct bench b = { .t = &t };
	char dir[] = "/tmp/taproom-test-api.XXXXXX";
	_free_ char *db = NULL;
	struct store *store;
	struct err err = {};

	TAP_HEADER();
	if (argc < 2 || !mkdtemp(dir))
		return 1;
	db = path_join(dir, "history.db");
	if (file_read(argv[1], 0, &b.docs, &err) < 0 ||
	    store_open(db, STORE_WRITE, &store, &err) < 0 ||
	    seed_store(store, dir, 20, false, &err) < 0 ||
	    web_site_new(store, "0", 1, &b.site, &err) < 0) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	b.site->live = true;
	test_routes(&b);
	test_files(&b);
	test_words(&b);
	test_told(&b);
	test_columns(&b);
	test_overview(&b);
	test_wrong(&b);
	web_site_free(b.site);
	store_close(store);
	buf_done(&b.docs);
	buf_done(&b.told);
	dir_remove(dir, NULL);
	return tap_done(&t);
}
