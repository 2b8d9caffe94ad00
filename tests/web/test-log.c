/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logs of any size: what is searched in them, and what a page shows. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "tap.h"
#include "web/log-search.h"
#include "web/web.h"

#define BIG_LINES 600000 /* of 70 bytes: more than is searched at a time */

struct logs {
	struct tap *t;
	struct store *store;
	const char *dir;
	struct event_sink sink;
	unsigned n;
};

static void log_add(struct logs *l, const struct buf *text)
{
	_free_ char *path = xasprintf("%s/log-%u", l->dir, l->n);
	struct event_program p = { .suite = STR("net"), .name = str_of(path_base(path)),
				   .attempt = 1, .exit_code = 0, .status = STATUS_PASS };
	struct event ev = { .type = EVENT_PROGRAM_BEGIN, .job = 1, .program = ++l->n,
			    .prog = &p };
	struct err err = {};

	ok(l->t, file_write(path, buf_str(text), 0600, &err) == 0, "a log of %zu bytes", text->n);
	event_emit(&l->sink, &ev);
	p.log_path = str_of(path);
	ev.type = EVENT_PROGRAM_END;
	event_emit(&l->sink, &ev);
}

/* Lines of all lengths, so that a hit is on each side of every border. */
static void add_random(struct logs *l, struct buf *b)
{
	uint32_t dice = 88172645;

	for (unsigned i = 0; i < 300000; i++) {
		dice ^= dice << 13;
		dice ^= dice >> 17;
		dice ^= dice << 5;
		/* Now and then one beside what has two cases. */
		buf_add(b, dice % 61 ? &"abABn \n<\033x"[dice % 10]
				     : &"@Z[`z{\xc1\xda"[dice / 61 % 8], 1);
	}
	log_add(l, b);
}

static void add_big(struct logs *l)
{
	_cleanup_(buf_done) struct buf b = {};

	for (unsigned i = 1; i <= BIG_LINES; i++)
		buf_printf(&b, "[%12u] %s\n", i,
			   i == 3 || i == 400000 || i == BIG_LINES
				   ? "here is the Needle <script>alert(1)</script>"
				   : "a line of a log that says nothing of any interest to us");
	log_add(l, &b);
}

static void add_long_line(struct logs *l)
{
	_cleanup_(buf_done) struct buf b = {};

	for (unsigned i = 0; i < SEARCH_BYTES / 16 + 10; i++)
		buf_add_str(&b, STR("no end in sight "));
	buf_add_str(&b, STR("\nneedle\n"));
	log_add(l, &b);
}

/* ---- searches ---- */

static unsigned naive(struct str text, struct str what, uint64_t from, uint64_t ret[SEARCH_HITS],
		      uint64_t *ret_before)
{
	unsigned n = 0;

	*ret_before = 0;
	for (uint64_t line = 1; text.n; line++) {
		struct str l = str_cut(&text, '\n');

		if (log_find(l, what) < 0)
			continue;
		if (line < from)
			*ret_before = line;
		else if (n < SEARCH_HITS)
			ret[n++] = line;
	}
	return n;
}

static void test_same(struct logs *l, struct str text, const char *what, uint64_t from)
{
	uint64_t want[SEARCH_HITS], before;
	unsigned n = naive(text, str_of(what), from, want, &before);
	struct log_search s;
	struct err err = {};

	is_int(l->t, log_search(l->store, 1, 1, 1, 1000000, str_of(what), from, &s, &err), 0, what);
	ok(l->t, s.n == n && memcmp(s.hits, want, n * sizeof(*want)) == 0,
	   "from %llu on: %u and %u hits", (unsigned long long)from, s.n, n);
	is_int(l->t, (int)s.before, (int)before, "and the one before");
	for (unsigned i = 0; i < s.n; i++)
		if (log_find(str_of(s.text[i]), str_of(what)) < 0) {
			ok(l->t, false, "hit %u shows what was found", i);
			break;
		}
}

static void test_searches(struct logs *l, struct str text)
{
	static const char *const what[] = { "ab", "abab", "BABA n", "<\033x", "nowhere",
					   "@", "z", "[", "`", "{", "\xc1", "\xfa" };
	static const uint64_t from[] = { 1, 2, 700, 9000, 29990 };

	for (size_t i = 0; i < ARRAY_SIZE(what); i++)
		for (size_t k = 0; k < ARRAY_SIZE(from); k++)
			test_same(l, text, what[i], from[k]);
}

static void test_bounds(struct logs *l)
{
	struct log_search s;
	struct err err = {};

	is_int(l->t, log_search(l->store, 1, 2, 1, BIG_LINES, STR("NEEDLE"), 0, &s, &err), 0,
	       "a big log");
	ok(l->t, s.n == 1 && s.hits[0] == 3 && s.to < 300000, "is not searched to its end");
	log_search(l->store, 1, 2, 1, BIG_LINES, STR("needle"), s.to + 1, &s, &err);
	ok(l->t, s.n == 1 && s.hits[0] == 400000 && s.to < BIG_LINES, "but goes on there");
	log_search(l->store, 1, 2, 1, BIG_LINES, STR("needle"), s.to + 1, &s, &err);
	ok(l->t, s.n == 1 && s.hits[0] == BIG_LINES && s.to == BIG_LINES, "until all was seen");
	is_int(l->t, (int)s.before, 400000, "and back again");
	log_search(l->store, 1, 2, 1, BIG_LINES, STR("needle"), 400000, &s, &err);
	is_int(l->t, (int)s.before, 0, "not farther than it may look");
	is_int(l->t, log_search(l->store, 1, 3, 1, 2, STR("needle"), 0, &s, &err), 0,
	       "a line that is longer than that");
	ok(l->t, s.n == 0 && s.to == 1, "is passed");
	log_search(l->store, 1, 3, 1, 2, STR("needle"), 2, &s, &err);
	ok(l->t, s.n == 1 && s.hits[0] == 2 && s.to == 2, "in the next step");
}

/* ---- pages ---- */

static const struct {
	struct web_query q;
	const char *has, *hasnt;
} VIEWS[] = {
	{ { .find = STR("needle") }, "<mark>Needle</mark> &lt;script&gt;", "id=\"L30000\"" },
	{ { .find = STR("needle"), .line = 4 }, "No line", "id=\"L30000\"" },
	{ { .find = STR("needle"), .line = 390000 }, "line=400000#L400000", "id=\"L1\"" },
	{ { .find = STR("\"><b>") }, "&quot;&gt;&lt;b&gt;", "<b>" },
	{ { .line = 500000 }, "id=\"L500000\"", "id=\"L1\"" },
	{ { .line = 4000000000 }, "id=\"L600000\"", "id=\"L1\"" },
	{ {}, "?line=1001\">", "id=\"L500000\"" },
};

static void test_views(struct logs *l)
{
	struct web_site *site = NULL;
	struct err err = {};

	if (!ok(l->t, web_site_new(l->store, "0", 0, &site, &err) == 0, "a site"))
		return;
	site->live = true;
	for (size_t i = 0; i < ARRAY_SIZE(VIEWS); i++) {
		struct web_args args = { .run = 1, .program = 2, .q = VIEWS[i].q };
		_cleanup_(buf_done) struct buf b = {};
		struct out o;

		out_to_buf(&o, &b);
		is_int(l->t, WEB_PAGES[WEB_LOG].render(site, &args, &o, &err), 0, "a view");
		out_flush(&o);
		ok(l->t, str_find(buf_str(&b), str_of(VIEWS[i].has)) > 0, "has %s", VIEWS[i].has);
		ok(l->t, str_find(buf_str(&b), str_of(VIEWS[i].hasnt)) < 0, "not %s",
		   VIEWS[i].hasnt);
		ok(l->t, b.n < 600000, "of 42 MB %zu bytes", b.n);
	}
	web_site_free(site);
}

static void record(struct logs *l, struct buf *random)
{
	struct event_run run = { .id = STR("20260101-000000-0001"), .time_ms = 1,
				 .command = STR("") };
	struct event_job job = { .mode = STR("normal"), .machine = STR("qemu") };

	event_emit(&l->sink, &(struct event){ .type = EVENT_RUN_BEGIN, .run = &run });
	event_emit(&l->sink, &(struct event){ .type = EVENT_JOB_BEGIN, .job = 1,
					      .job_info = &job });
	add_random(l, random);
	add_big(l);
	add_long_line(l);
	event_emit(&l->sink, &(struct event){ .type = EVENT_JOB_END, .job = 1,
					      .job_info = &job });
	run.time_ms = 2;
	event_emit(&l->sink, &(struct event){ .type = EVENT_RUN_END, .run = &run });
}

int main(void)
{
	_cleanup_(buf_done) struct buf random = {};
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL;
	struct store_record *r;
	struct tap t = {};
	struct logs l = { .t = &t };
	struct err err = {};

	TAP_HEADER();
	if (!ok(&t, dir_temp("/tmp", "taproom-log-", &dir, &err) == 0, "set up"))
		return tap_done(&t);
	l.dir = dir;
	path = path_join(dir, "history.db");
	if (ok(&t, store_open(path, STORE_WRITE, &l.store, &err) == 0 &&
		   store_record_new(l.store, &r, &err) == 0, "a store")) {
		l.sink = store_record_sink(r);
		record(&l, &random);
		is_int(&t, store_record_error(r, &err), 0, "recorded");
		store_record_free(r);
		test_searches(&l, buf_str(&random));
		test_bounds(&l);
		test_views(&l);
	}
	store_close(l.store);
	return tap_done(&t);
}
