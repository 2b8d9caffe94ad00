/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What netdev's own pages read of us: every field that their contest.js, flakes.js and
 * nipa.js take from an answer is there and is what they make of it; and no string is
 * markup, for they put all of them into their HTML as they are.
 */
#include <cjson/cJSON.h>

#include "base/file.h"
#include "base/mem.h"
#include "seed.h"
#include "tap.h"
#include "web/web.h"

#define RUNS 12

static cJSON *answer(struct tap *t, const struct web_site *site, enum web_page_id page,
		     const struct web_args *args)
{
	_cleanup_(buf_done) struct buf b = {};
	struct err err = {};
	struct out o;
	cJSON *v;

	out_to_buf(&o, &b);
	if (WEB_PAGES[page].render(site, args, &o, &err) < 0 || out_flush(&o) < 0)
		printf("# %s\n", err.text);
	v = cJSON_ParseWithLengthOpts(b.p, b.n, NULL, false);
	ok(t, v != NULL, "%s is JSON", WEB_PAGES[page].path);
	return v;
}

static const char *text(const cJSON *v, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(v, name));
}

static bool is_one_of(const char *s, const char *const *words)
{
	while (s && *words)
		if (strcmp(s, *words++) == 0)
			return true;
	return false;
}

/* "-2026-01-31--09-05": what nipa_br_pfx_get() cuts off. */
static bool is_branch(const char *s)
{
	static const char shape[] = "-dddd-dd-dd--dd-dd";
	size_t n = s ? strlen(s) : 0;

	if (n <= sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < sizeof(shape) - 1; i++) {
		char c = s[n - (sizeof(shape) - 1) + i];

		if (shape[i] == 'd' ? c < '0' || c > '9' : c != shape[i])
			return false;
	}
	return true;
}

static unsigned markup(const cJSON *v)
{
	unsigned n = v->valuestring && strpbrk(v->valuestring, "<>&\"'`\n");

	for (const cJSON *x = v->child; x; x = x->next)
		n += markup(x);
	return n;
}

struct seen {
	unsigned entries, results, wrong, branchers, retries, cases, not_relative;
};

static void look(struct seen *s, const cJSON *all)
{
	static const char *const RESULTS[] = { "pass", "skip", "fail", "warn", NULL };
	const cJSON *v, *r;

	*s = (struct seen){};
	cJSON_ArrayForEach(v, all) {
		const cJSON *results = cJSON_GetObjectItemCaseSensitive(v, "results");

		s->entries++;
		s->wrong += !is_branch(text(v, "branch")) || !text(v, "remote") ||
			    !text(v, "executor") || !text(v, "start") || !text(v, "end") ||
			    !cJSON_IsArray(results) || !results->child;
		s->branchers += text(v, "executor") && !strcmp(text(v, "executor"), "brancher");
		cJSON_ArrayForEach(r, results) {
			const cJSON *time = cJSON_GetObjectItemCaseSensitive(r, "time");
			const char *link = text(r, "link"), *retry = text(r, "retry");

			s->results++;
			s->retries += retry != NULL;
			s->cases += text(r, "test") && strchr(text(r, "test"), '.') != NULL;
			s->wrong += !text(r, "test") || !text(r, "group") ||
				    !is_one_of(text(r, "result"), RESULTS) ||
				    (retry && !is_one_of(retry, RESULTS)) ||
				    (time && !cJSON_IsNumber(time));
			s->not_relative += !link || strncmp(link, "../run/", 7) != 0;
		}
	}
}

static void test_results(struct tap *t, const struct web_site *site)
{
	struct web_args args = {};
	struct seen one, cases;
	cJSON *v = answer(t, site, WEB_NIPA_RESULTS, &args);

	look(&one, v);
	is_int(t, one.wrong, 0, "every field that their pages read");
	is_int(t, one.not_relative, 0, "links lead to our pages, beside theirs");
	is_int(t, one.branchers, RUNS, "an entry for each run's branch");
	ok(t, one.entries > one.branchers && one.results > one.entries, "with results");
	is_int(t, markup(v), 0, "nothing that could be markup");
	cJSON_Delete(v);

	args.q.format = STR("l2");
	v = answer(t, site, WEB_NIPA_RESULTS, &args);
	look(&cases, v);
	is_int(t, cases.wrong, 0, "sub-cases have them too");
	ok(t, cases.results > one.results && cases.cases > one.cases, "and are more");
	is_int(t, markup(v), 0, "nor is there markup in them");
	cJSON_Delete(v);

	args.q = (struct web_query){ .branches = 3 };
	v = answer(t, site, WEB_NIPA_RESULTS, &args);
	look(&one, v);
	is_int(t, one.branchers, 3, "as many branches as are asked for");
	args.q = (struct web_query){ .branch_name = str_of(text(v->child, "branch")) };
	{
		cJSON *same = answer(t, site, WEB_NIPA_RESULTS, &args);

		look(&one, same);
		is_int(t, one.branchers, 1, "one by its name");
		cJSON_Delete(same);
	}
	args.q = (struct web_query){ .br_pfx = STR("nobody's") };
	cJSON_Delete(v);
	v = answer(t, site, WEB_NIPA_RESULTS, &args);
	is_int(t, cJSON_GetArraySize(v), 0, "none of a prefix that is nobody's");
	cJSON_Delete(v);
}

static void test_rest(struct tap *t, const struct web_site *site)
{
	const struct web_args none = {};
	cJSON *v = answer(t, site, WEB_NIPA_REMOTES, &none);
	struct web_args args = {};
	struct seen s;

	ok(t, cJSON_IsArray(v) && cJSON_IsString(v->child), "remotes are words");
	if (v && v->child) {
		cJSON *of;

		args.q.remote = str_of(v->child->valuestring);
		of = answer(t, site, WEB_NIPA_RESULTS, &args);
		look(&s, of);
		ok(t, s.results && !s.branchers && !s.wrong, "which results are asked of");
		cJSON_Delete(of);
	}
	cJSON_Delete(v);
	v = answer(t, site, WEB_NIPA_FILTERS, &none);
	ok(t, cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(v, "ignore-results")),
	   "filters have what they ask for");
	cJSON_Delete(v);
}

static void test_site(struct tap *t, bool hostile)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL;
	struct web_site *site;
	struct store *store;
	struct err err = {};

	dir_temp("/tmp", "taproom-nipa.", &dir, NULL);
	path = path_join(dir, "history.db");
	if (store_open(path, STORE_WRITE, &store, &err) < 0 ||
	    seed_store(store, dir, RUNS, hostile, &err) < 0 ||
	    web_site_new(store, "0", 0, &site, &err) < 0) {
		ok(t, false, "a history: %s", err.text);
		return;
	}
	test_results(t, site);
	test_rest(t, site);
	web_site_free(site);
	store_close(store);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_site(&t, false);
	test_site(&t, true);
	return tap_done(&t);
}
