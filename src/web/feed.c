/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Feeds of what changed: Atom (RFC 4287) and JSON Feed 1.1 (jsonfeed.org). Only
 * what is sure; the newest first. Addresses are relative to the feed's own, as a
 * site knows none of its. An entry is named after the kind, the test, the axis and
 * the run of the change: an estimate that moves is told once more.
 */
#include <inttypes.h>

#include "base/json.h"
#include "base/units.h"
#include "web/history.h"
#include "web/pages.h"

#define ENTRIES_MAX 100

struct feed {
	const struct web_site *site;
	const struct web_history *history;
};

static void add_name(struct out *o, const struct judge_series *s)
{
	_cleanup_(buf_done) struct buf name = {};

	judge_name(&name, s);
	out_str(o, buf_str(&name));
}

static void add_axis(struct out *o, const struct judge_axis *a)
{
	const struct str words[] = { a->branch, a->mode, a->machine };
	bool some = false;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!words[i].n)
			continue;
		out_str(o, some ? STR(" ") : STR(""));
		out_str(o, words[i]);
		some = true;
	}
}

/* "6f3a09c1d2e4 (run 12)" */
static void add_run(const struct feed *f, const struct judge_event *e, uint32_t place,
		    struct out *o)
{
	const struct judge_run *r = judge_run_at(f->history->runs, e->axis, place);

	if (r->commit.n) {
		out_str(o, str_n(r->commit.p, r->commit.n < 40 ? r->commit.n : 12));
		out_printf(o, " (run %" PRId64 ")", r->id);
	} else {
		out_printf(o, "run %" PRId64, r->id);
	}
}

/* "regression: mptcp/mptcp_join.sh (export debug qemu)" */
static void title(const struct judge_event *e, struct out *o)
{
	out_printf(o, "%s: ", JUDGE_WHAT_NAMES[e->what]);
	if (e->series)
		add_name(o, e->series);
	else
		out_printf(o, "%" PRIu32 " failures at once", e->failures);
	if (e->what == JUDGE_RENAMED) {
		out_lit(o, " into ");
		add_name(o, e->came);
	}
	out_lit(o, " (");
	add_axis(o, e->axis);
	out_char(o, ')');
}

static void words(const struct feed *f, const struct judge_event *e, struct out *o)
{
	if (e->what <= JUDGE_SKIPS) {
		out_str(o, e->what == JUDGE_SKIPS ? STR("Skipped ") : STR("Failed "));
		judge_rate(o, &e->before);
		out_lit(o, ", now ");
		judge_rate(o, &e->after);
		out_lit(o, ". ");
	} else if (e->what == JUDGE_OUTAGE) {
		out_printf(o, "Expected were %.1f. ", e->expected);
	} else if (e->missed) {
		out_printf(o, "Not in the last %" PRIu32 " runs. ", e->missed);
	}
	if (e->last != e->run) {
		out_lit(o, "Behind ");
		add_run(f, e, e->last, o);
		out_lit(o, ", up to ");
	} else {
		out_lit(o, "In ");
	}
	add_run(f, e, e->run, o);
	out_char(o, '.');
}

/* To the test's page; to the run's where it has none; else to all flakes. */
static void address(const struct feed *f, const struct judge_event *e, struct out *o)
{
	const struct web_test *t = e->series ? web_test_of(&f->history->tests, e->series) : NULL;
	struct web_args args = { .run = judge_run_at(f->history->runs, e->axis, e->run)->id,
				 .test = t };

	if (t && (t->page || f->site->live))
		web_path(WEB_TEST, &args, o);
	else if (web_site_has_run(f->site, args.run))
		web_path(WEB_RUN, &args, o);
	else
		web_path(WEB_FLAKES, &args, o);
}

/* A UUID of a kind of one's own (RFC 9562, 5.8). */
static void uuid(uint64_t a, uint64_t b, struct out *o)
{
	out_printf(o, "urn:uuid:%08x-%04x-8%03x-%04x-%012" PRIx64, (unsigned)(a >> 32),
		   (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
		   (unsigned)(0x8000 | (b >> 48 & 0x3fff)), b & UINT64_C(0xffffffffffff));
}

/* A site is the same for as long as its first run is. */
static uint64_t feed_hash(const struct web_site *site)
{
	const struct judge_run *r = site->history->runs;

	if (!site->history->n_runs)
		return STR_HASH_INIT;
	return str_hash(str_n((const char *)&r->begin_ms, sizeof(r->begin_ms)),
			str_hash(r->commit, str_hash(r->branch, STR_HASH_INIT)));
}

/* Of what names the entry. */
static void id(const struct feed *f, const struct judge_event *e, struct out *o)
{
	const struct judge_run *r = judge_run_at(f->history->runs, e->axis, e->run);
	const struct str words[] = {
		str_of(JUDGE_WHAT_NAMES[e->what]), e->axis->branch, e->axis->mode,
		e->axis->machine, e->series ? e->series->lane->suite : STR(""),
		e->series ? e->series->lane->program : STR(""),
		e->series ? e->series->key : STR(""), r->commit,
	};
	uint64_t a = STR_HASH_INIT, b = ~STR_HASH_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		a = str_hash(STR("/"), str_hash(words[i], a));
		b = str_hash(words[i], str_hash(STR("/"), b));
	}
	a = str_hash(str_n((const char *)&r->begin_ms, sizeof(r->begin_ms)), a);
	uuid(a, b, o);
}

/* What one of the functions above writes, escaped. */
#define TEXT(call, escape, to)                                   \
	do {                                                     \
		_cleanup_(buf_done) struct buf text_ = {};       \
		struct out o_;                                   \
		out_to_buf(&o_, &text_);                         \
		call;                                            \
		out_flush(&o_);                                  \
		escape(to, buf_str(&text_));                     \
	} while (0)

static void atom_entry(const struct feed *f, const struct judge_event *e, struct out *o)
{
	char date[UNIT_TEXT_MAX];

	out_lit(o, "<entry>\n<title>");
	TEXT(title(e, &o_), out_xml, o);
	out_lit(o, "</title>\n<id>");
	id(f, e, o);
	out_printf(o, "</id>\n<updated>%s</updated>\n<link href=\"",
		   date_rfc3339(e->ms, date));
	TEXT(address(f, e, &o_), out_xml, o);
	out_lit(o, "\"/>\n<summary>");
	TEXT(words(f, e, &o_), out_xml, o);
	out_lit(o, "</summary>\n</entry>\n");
}

static void json_entry(const struct feed *f, const struct judge_event *e, struct json *j)
{
	char date[UNIT_TEXT_MAX];

	json_object(j);
	json_key(j, "id");
	TEXT(id(f, e, &o_), json_str, j);
	json_key(j, "url");
	TEXT(address(f, e, &o_), json_str, j);
	json_key(j, "title");
	TEXT(title(e, &o_), json_str, j);
	json_key(j, "content_text");
	TEXT(words(f, e, &o_), json_str, j);
	json_field_str(j, "date_published", str_of(date_rfc3339(e->ms, date)));
	json_key(j, "tags");
	json_array(j);
	json_str(j, str_of(JUDGE_WHAT_NAMES[e->what]));
	if (e->axis->branch.n)
		json_str(j, e->axis->branch);
	json_str(j, e->axis->mode);
	json_end(j);
	json_end(j);
}

/* The next from *at on that a feed tells, or NULL. */
static const struct judge_event *next(const struct feed *f, size_t *at)
{
	while (*at < f->history->events.n) {
		const struct judge_event *e = &f->history->events.v[(*at)++];

		if (!e->suspect)
			return e;
	}
	return NULL;
}

int web_atom(const struct web_site *site, const struct web_args *args, struct out *out,
	     struct err *err)
{
	const struct feed f = { site, site->history };
	const struct judge_event *e;
	char date[UNIT_TEXT_MAX];
	size_t at = 0;

	out_lit(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		     "<feed xmlns=\"http://www.w3.org/2005/Atom\">\n"
		     "<title>taproom: changes</title>\n<id>");
	uuid(feed_hash(site), ~STR_HASH_INIT, out);
	out_printf(out, "</id>\n<updated>%s</updated>\n<author><name>taproom</name></author>\n"
		   "<link rel=\"self\" href=\"changes.atom\"/>\n<link href=\"",
		   date_rfc3339(site->date_ms, date));
	web_path(WEB_FLAKES, args, out);
	out_lit(out, "\"/>\n");
	for (unsigned n = 0; n < ENTRIES_MAX && (e = next(&f, &at)); n++)
		atom_entry(&f, e, out);
	out_lit(out, "</feed>\n");
	return 0;
}

int web_json_feed(const struct web_site *site, const struct web_args *args, struct out *out,
		  struct err *err)
{
	const struct feed f = { site, site->history };
	const struct judge_event *e;
	struct json j;
	size_t at = 0;

	json_init(&j, out, false);
	json_object(&j);
	json_field_str(&j, "version", STR("https://jsonfeed.org/version/1.1"));
	json_field_str(&j, "title", STR("taproom: changes"));
	json_field_str(&j, "feed_url", STR("changes.json"));
	json_key(&j, "items");
	json_array(&j);
	for (unsigned n = 0; n < ENTRIES_MAX && (e = next(&f, &at)); n++)
		json_entry(&f, e, &j);
	json_end(&j);
	json_end(&j);
	out_char(out, '\n');
	return 0;
}
