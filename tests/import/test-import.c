/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents of others as the events they become: each fixture and its .expect. */
#include <sqlite3.h>

#include "base/out.h"
#include "base/units.h"
#include "golden.h"
#include "import/import.h"
#include "import/run.h"
#include "import/values.h"

struct heard {
	struct buf text;
	struct out out;
	struct buf known;           /* ids, a line each */
};

static void put(struct heard *h, const char *name, struct str s)
{
	if (!s.n)
		return;
	out_printf(&h->out, " %s=\"", name);
	out_json(&h->out, s);
	out_lit(&h->out, "\"");
}

static void put_time(struct heard *h, int64_t ms)
{
	char text[UNIT_TEXT_MAX];

	out_printf(&h->out, " %s", date_rfc3339(ms, text));
}

static void hear_result(struct heard *h, const struct event_result *r)
{
	out_printf(&h->out, "    %s", STATUS_INFO[r->status].name);
	for (unsigned i = 0; i < r->depth; i++)
		put(h, "name", r->path[i]);
	put(h, "key", r->key);
	put(h, "reason", r->reason);
	out_printf(&h->out, " number=%" PRId64 " ms=%" PRId64 "\n", r->number, r->duration_ms);
}

static void hear_run(struct heard *h, const struct event *ev)
{
	out_lit(&h->out, "run");
	put(h, "id", ev->run->id);
	put(h, "title", ev->run->title);
	put(h, "branch", ev->run->branch);
	put(h, "commit", ev->run->commit);
	put_time(h, ev->run->time_ms);
	out_lit(&h->out, "\n");
}

static void hear_job(struct heard *h, const struct event *ev)
{
	out_lit(&h->out, "  job");
	put(h, "mode", ev->job_info->mode);
	put(h, "machine", ev->job_info->machine);
	put(h, "kernel", ev->job_info->kernel);
	put(h, "host", ev->job_info->host);
	out_lit(&h->out, "\n");
}

static void hear_program(struct heard *h, const struct event *ev)
{
	if (ev->type == EVENT_PROGRAM_BEGIN) {
		out_lit(&h->out, "  program");
		put(h, "suite", ev->prog->suite);
		put(h, "name", ev->prog->name);
		out_printf(&h->out, " attempt=%u\n", ev->prog->attempt);
	} else {
		out_printf(&h->out, "  is %s ms=%" PRId64, STATUS_INFO[ev->prog->status].name,
			   ev->prog->duration_ms);
		put(h, "reason", ev->prog->reason);
		out_lit(&h->out, "\n");
	}
}

static void on_event(void *ctx, const struct event *ev)
{
	struct heard *h = ctx;

	switch (ev->type) {
	case EVENT_RUN_BEGIN:
		hear_run(h, ev);
		break;
	case EVENT_JOB_BEGIN:
		hear_job(h, ev);
		break;
	case EVENT_PROGRAM_BEGIN:
	case EVENT_PROGRAM_END:
		hear_program(h, ev);
		break;
	case EVENT_RESULT:
		hear_result(h, ev->result);
		break;
	case EVENT_PROBLEM:
		out_printf(&h->out, "    problem %s", PROBLEM_NAMES[ev->problem->what]);
		put(h, "text", ev->problem->message);
		out_lit(&h->out, "\n");
		break;
	case EVENT_ARTEFACT:
		out_lit(&h->out, "    artefact");
		put(h, "kind", ev->artefact->kind);
		out_lit(&h->out, "\n");
		break;
	case EVENT_SPLAT:
		out_lit(&h->out, "    splat");
		put(h, "kind", ev->splat->kind);
		put(h, "title", ev->splat->title);
		out_lit(&h->out, "\n");
		break;
	case EVENT_RUN_END:
		out_printf(&h->out, "exit %d", ev->run->exit_code);
		put(h, "conclusion", ev->run->conclusion);
		put_time(h, ev->run->time_ms);
		out_lit(&h->out, "\n");
		break;
	default:
		break;
	}
}

static int on_begin(void *ctx, struct str uid, struct event_sink *ret, struct err *err)
{
	struct heard *h = ctx;
	char *line = xasprintf("%.*s\n", STR_FMT(uid));
	bool known = str_find(buf_str(&h->known), str_of(line)) >= 0;

	if (!known)
		buf_add_str(&h->known, str_of(line));
	free(line);
	*ret = (struct event_sink){ on_event, h };
	return !known;
}

static int on_end(void *ctx, struct err *err)
{
	return 0;
}

static void on_damaged(void *ctx, const char *file, const char *where, const char *why)
{
	struct heard *h = ctx;

	out_printf(&h->out, "damaged %s, %s: %s\n", path_base(file), where, why);
}

static struct import importer(struct heard *h)
{
	out_to_buf(&h->out, &h->text);
	return (struct import){ .begin = on_begin, .end = on_end, .damaged = on_damaged, .ctx = h };
}

static void heard_done(struct heard *h)
{
	buf_done(&h->text);
	buf_done(&h->known);
}

/* Once for its events, once more: nothing is new. */
static void check(struct tap *t, const char *dir, const char *format, const char *path,
		  const char *name)
{
	_cleanup_(heard_done) struct heard h = {};
	_free_ char *expect = xasprintf("%s/%s.expect", dir, name);
	struct import im = importer(&h);
	struct err err = {};
	const struct import_format *f = import_format_find(format, &err);
	uint64_t runs;
	int r = f->read(&im, path, &err);

	if (r < 0)
		out_printf(&h.out, "error %s\n", path_base(err.text));
	out_flush(&h.out);
	golden_check(t, buf_str(&h.text), expect, name);
	runs = im.counts.runs;
	if (r == 0) {
		f->read(&im, path, &err);
		ok(t, im.counts.runs == runs && im.counts.known == runs,
		   "%s: the second time nothing is new", name);
	}
}

static const struct {
	const char *format, *file;
} FILES[] = {
	{ "mptcp-results", "mptcp" },
	{ "junit", "surefire.xml" },
	{ "junit", "jenkins.xml" },
	{ "junit", "pytest.xml" },
	{ "junit", "gotestsum.xml" },
	{ "junit", "gitlab.xml" },
	{ "junit", "damaged.xml" },
	{ "junit", "entities.xml" },
	{ "junit", "other.xml" },
	{ "nipa", "nipa-result.json" },
	{ "nipa", "nipa-all.json" },
	{ "kcidb", "kcidb.json" },
	{ "kcidb", "nipa-result.json" },
};

/* ---- what no file can show ---- */

static void check_damaged(struct tap *t, const char *dir)
{
	_cleanup_(heard_done) struct heard h = {};
	_cleanup_(buf_done) struct buf text = {};
	_free_ char *path = path_join(dir, "mptcp-damaged.json");
	_free_ char *expect = xasprintf("%s/mptcp-damaged.expect", dir);
	struct import im = importer(&h);
	struct err err = {};

	file_read(path, 0, &text, &err);
	is_int(t, import_mptcp_text(&im, "export", "debug", "debug.json", buf_str(&text), &err), 0,
	       "damaged records are no error");
	out_flush(&h.out);
	golden_check(t, buf_str(&h.text), expect, "damaged records are told, the others go in");
}

/* The tables of testclutch/db.py. */
static const char TESTCLUTCH[] =
	"CREATE TABLE testruns (id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER, repo TEXT NOT "
	"NULL, origin TEXT NOT NULL, account TEXT, runid TEXT NOT NULL, uniquejobname TEXT NOT "
	"NULL, ingesttime INTEGER, UNIQUE (repo, origin, account, runid, uniquejobname));"
	"CREATE TABLE testrunmeta(id INTEGER, name TEXT, value TEXT);"
	"CREATE TABLE testresults(id INTEGER, testid TEXT, result INTEGER, resulttext TEXT, "
	"runtime INTEGER);"
	"INSERT INTO testruns VALUES (1, 1769850307, 'https://example.org/owner/curl', 'gha', "
	"'owner', '7001', 'linux / debug', 1769850400);"
	"INSERT INTO testruns VALUES (2, NULL, 'https://example.org/owner/curl', 'gha', "
	"'owner', '7002', 'linux / debug', 1769850400);"
	"INSERT INTO testrunmeta VALUES (1, 'branch', 'master'), (1, 'commit', 'aa73bcc3'), "
	"(1, 'testformat', 'curl'), (1, 'cijob', 'linux debug');"
	"INSERT INTO testresults VALUES (1, '1', 1, '', 250000), (1, '2', 2, 'protocol', 1500), "
	"(1, '3', 3, 'no ipv6', NULL), (1, '4', 4, '', 1), (1, '5', 5, 'ignored', 1), "
	"(1, '6', 0, '', 1), (1, '7', 99, '', 1);";

static void check_testclutch(struct tap *t, const char *dir)
{
	_cleanup_(dir_removep) char *temp = NULL;
	_free_ char *path = NULL;
	struct err err = {};
	sqlite3 *db;

	dir_temp("/tmp", "import-", &temp, &err);
	path = path_join(temp, "testclutch.sqlite");
	sqlite3_open(path, &db);
	is_int(t, sqlite3_exec(db, TESTCLUTCH, NULL, NULL, NULL), SQLITE_OK, "a database is made");
	sqlite3_close(db);
	check(t, dir, "testclutch", path, "testclutch");
}

static void check_uid(struct tap *t)
{
	static const struct str ab_c[] = { STR("a-b"), STR("c") },
				a_bc[] = { STR("a"), STR("b-c") },
				plain[] = { STR("export"), STR("debug"), STR("17") };
	_cleanup_(buf_done) struct buf x = {}, y = {};
	char *text = xmalloc(1000);
	struct str longest = { memset(text, 'x', 1000), 1000 };

	import_uid(&x, "mptcp", plain, 3);
	is_str(t, x.p, "mptcp-export-debug-17", "an id is readable");
	import_uid(&x, "k", ab_c, 2);
	import_uid(&y, "k", a_bc, 2);
	ok(t, !str_eq(buf_str(&x), buf_str(&y)), "other parts, another id");
	import_uid(&x, "k", &longest, 1);
	is_int(t, (int64_t)x.n, 128, "a long id is cut to what the history takes");
	free(text);
}

static void check_time(struct tap *t)
{
	static const struct {
		struct str text;
		int64_t ms; /* -1: none */
	} ROWS[] = {
		{ STR("1970-01-01T00:00:00Z"), 0 },
		{ STR("2026-01-31T09:05:07"), 1769850307000 },
		{ STR("2026-01-31T10:05:07.25+01:00"), 1769850307250 },
		{ STR("2026-01-31 09:05:07.123456+0000"), 1769850307123 },
		{ STR("2024-02-29T00:00:00Z"), 1709164800000 },
		{ STR("2026-13-01T00:00:00Z"), -1 },
		{ STR("2026-01-31T24:00:00Z"), -1 },
		{ STR("2026-01-31"), -1 },
		{ STR("2026-01-31T09:05:07 later"), -1 },
		{ STR("1970-01-01T00:00:00+01:00"), -1 },
		{ STR(""), -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		int64_t ms = -1;

		import_time_parse(ROWS[i].text, &ms);
		is_int(t, ms, ROWS[i].ms, ROWS[i].text.p);
	}
}

/* Nesting that would overrun a stack, and arrays without an end. */
static void check_values(struct tap *t)
{
	static const struct {
		const char *text;
		bool good;
	} ROWS[] = {
		{ "{\"a\": [1, {\"b\": \"]}\\\"\"}]}", true }, { "[1]", true }, { "null", true },
		{ "", false }, { "[1", false }, { "[1}", false }, { "{} {}", false },
		{ "{}]", false }, { "\"a", false }, { "{\"a\"}", false },
	};
	char *deep = xmalloc(200001);
	const char *why = NULL;
	cJSON *v;

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		v = value_read(str_of(ROWS[i].text), &why);
		ok(t, (v != NULL) == ROWS[i].good && (v || why), "value: %s", ROWS[i].text);
		value_freep(&v);
	}
	memset(deep, '[', 100000);
	memset(deep + 100000, ']', 100000);
	v = value_read(str_n(deep, 200000), &why);
	ok(t, !v, "a value nested 100000 deep: %s", why);
	free(deep);
}

int main(int argc, char **argv)
{
	struct tap t = {};
	const char *dir = argv[1];
	_free_ char *own = path_join(dir, "../golden/run.junit");

	TAP_HEADER();
	for (size_t i = 0; i < ARRAY_SIZE(FILES); i++) {
		_free_ char *path = path_join(dir, FILES[i].file);
		_free_ char *name = xasprintf("%s-%s", FILES[i].format, FILES[i].file);

		check(&t, dir, FILES[i].format, path, name);
	}
	check(&t, dir, "junit", own, "junit-own");
	check_damaged(&t, dir);
	check_testclutch(&t, dir);
	check_uid(&t);
	check_time(&t);
	check_values(&t);
	return tap_done(&t);
}
