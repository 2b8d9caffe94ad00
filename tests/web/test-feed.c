/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What programs read of a site: feeds, badges, metrics; of a history that tries
 * to break out of each, as their readers read them.
 */
#include <cjson/cJSON.h>
#include <expat.h>

#include "base/file.h"
#include "seed.h"
#include "tap.h"
#include "web/history.h"
#include "web/web.h"

#define RUNS 80 /* so many that changes are sure */

static struct buf render(struct tap *t, const struct web_site *site, enum web_page_id page,
			 const struct web_args *args)
{
	struct buf b = {};
	struct err err = {};
	struct out o;

	out_to_buf(&o, &b);
	ok(t, WEB_PAGES[page].render(site, args, &o, &err) == 0 && out_flush(&o) == 0,
	   "%s %s", WEB_PAGES[page].path, err.text);
	buf_add(&b, "", 0);
	return b;
}

struct seen {
	unsigned entries, ids;
	bool in_id, in_entry, same; /* same: an id that was there before */
	struct buf id, all;
};

static void on_begin(void *ctx, const char *name, const char **attributes)
{
	struct seen *s = ctx;

	s->entries += strcmp(name, "entry") == 0;
	s->in_id = strcmp(name, "id") == 0;
	buf_clear(&s->id);
}

static void on_text(void *ctx, const char *p, int n)
{
	struct seen *s = ctx;

	if (s->in_id)
		buf_add(&s->id, p, (size_t)n);
}

static void on_end(void *ctx, const char *name)
{
	struct seen *s = ctx;

	if (!s->in_id)
		return;
	s->ids++;
	s->same |= s->all.n && str_find(buf_str(&s->all), buf_str(&s->id)) >= 0;
	buf_add_str(&s->all, buf_str(&s->id));
	buf_add(&s->all, "\n", 1);
	s->in_id = false;
}

static void test_atom(struct tap *t, const struct web_site *site)
{
	const struct web_args none = {};
	_cleanup_(buf_done) struct buf b = render(t, site, WEB_ATOM, &none);
	XML_Parser x = XML_ParserCreate("UTF-8");
	struct seen s = {};

	XML_SetUserData(x, &s);
	XML_SetElementHandler(x, on_begin, on_end);
	XML_SetCharacterDataHandler(x, on_text);
	ok(t, XML_Parse(x, b.p, (int)b.n, 1) == XML_STATUS_OK, "is well-formed: %s",
	   XML_ErrorString(XML_GetErrorCode(x)));
	ok(t, s.entries > 0 && s.ids == s.entries + 1 && !s.same, "%u entries, each with an id "
	   "of its own", s.entries);
	buf_done(&s.id);
	buf_done(&s.all);
	XML_ParserFree(x);
}

static void test_json(struct tap *t, const struct web_site *site)
{
	const struct web_args none = {};
	_cleanup_(buf_done) struct buf b = render(t, site, WEB_JSON_FEED, &none);
	cJSON *j = cJSON_ParseWithLength(b.p, b.n), *items = cJSON_GetObjectItem(j, "items");
	bool whole = cJSON_GetArraySize(items) > 0;
	cJSON *item;

	cJSON_ArrayForEach(item, items)
		whole &= cJSON_GetStringValue(cJSON_GetObjectItem(item, "id")) &&
			 cJSON_GetStringValue(cJSON_GetObjectItem(item, "title")) &&
			 cJSON_GetStringValue(cJSON_GetObjectItem(item, "date_published"));
	ok(t, whole, "is a feed with items that are whole");
	/* Nothing that is told leads anywhere else. */
	whole = true;
	cJSON_ArrayForEach(item, items) {
		const char *url = cJSON_GetStringValue(cJSON_GetObjectItem(item, "url"));
		enum web_page_id page;
		struct web_args args;

		whole &= url && web_route(site, str_of(url), &page, &args) == 1;
	}
	ok(t, whole, "each with a page of this site");
	cJSON_Delete(j);
}

/* A line is: a comment, or name{labels} value, with what the ABNF lets a label be. */
static bool is_sample(struct str s)
{
	bool quoted = false;
	size_t i = 0;

	if (!str_starts(s, STR("taproom_")))
		return false;
	for (; i < s.n && (quoted || s.p[i] != ' '); i++) {
		if (quoted && s.p[i] == '\\') {
			if (++i == s.n || !strchr("\\\"n", s.p[i]))
				return false;
			continue;
		}
		if ((unsigned char)s.p[i] < ' ')
			return false;
		quoted ^= s.p[i] == '"';
	}
	if (quoted || i == s.n)
		return false;
	for (i++; i < s.n; i++)
		if (!strchr("0123456789.", s.p[i]))
			return false;
	return true;
}

static void test_metrics(struct tap *t, const struct web_site *site)
{
	const struct web_args none = {};
	_cleanup_(buf_done) struct buf b = render(t, site, WEB_METRICS, &none);
	struct str rest = buf_str(&b);
	unsigned samples = 0;
	bool good = true;

	ok(t, str_ends(rest, STR("# EOF\n")), "end");
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');

		if (line.n && line.p[0] != '#') {
			samples++;
			if (!is_sample(line)) {
				printf("# %.*s\n", STR_FMT(line));
				good = false;
			}
		}
	}
	ok(t, good && samples > 10, "%u samples, each as OpenMetrics has it", samples);
	ok(t, str_find(buf_str(&b), STR("taproom_runs 80\n")) >= 0, "all runs are counted");
}

static void test_badge(struct tap *t, const struct web_site *site)
{
	const struct web_args none = { .q.branch = STR("no such") };
	struct out o;
	struct buf nothing = {};

	for (unsigned i = 0; i < site->n_choices; i++) {
		struct web_args args = { .q.branch = site->choices[i].branch,
					 .q.mode = site->choices[i].mode };
		_cleanup_(buf_done) struct buf b = render(t, site, WEB_BADGE, &args);
		XML_Parser x = XML_ParserCreate("UTF-8");

		ok(t, XML_Parse(x, b.p, (int)b.n, 1) == XML_STATUS_OK && b.n < 2000,
		   "is a picture: %s", XML_ErrorString(XML_GetErrorCode(x)));
		XML_ParserFree(x);
	}
	out_to_buf(&o, &nothing);
	is_int(t, WEB_PAGES[WEB_BADGE].render(site, &none, &o, NULL), -ENOENT,
	       "else there is none");
}

static void test_site(struct tap *t, const char *dir, bool hostile)
{
	_free_ char *logs = path_join(dir, hostile ? "hostile" : "plain");
	_free_ char *path = xasprintf("%s.db", logs);
	struct web_site *site = NULL;
	struct store *store = NULL;
	struct err err = {};

	dir_make(logs, NULL);
	if (ok(t, store_open(path, STORE_WRITE, &store, &err) == 0 &&
		  seed_store(store, logs, RUNS, hostile, &err) == 0 &&
		  web_site_new(store, "1.0", 4, &site, &err) == 0, "a %s history %s",
	       hostile ? "hostile" : "plain", err.text)) {
		test_atom(t, site);
		test_json(t, site);
		test_metrics(t, site);
		test_badge(t, site);
	}
	web_site_free(site);
	store_close(store);
}

int main(void)
{
	_cleanup_(dir_removep) char *dir = NULL;
	struct tap t = {};

	TAP_HEADER();
	if (!ok(&t, dir_temp("/tmp", "taproom-feed-", &dir, NULL) == 0, "set up"))
		return tap_done(&t);
	test_site(&t, dir, false);
	test_site(&t, dir, true);
	return tap_done(&t);
}
