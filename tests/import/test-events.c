/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run goes from one store to another as events, with its logs, or as the report
 * that is JSON, without, and is the same there. What was tampered with on the way is
 * refused as a whole.
 */
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "import/import.h"
#include "report/report.h"
#include "seed.h"
#include "tap.h"

struct place {
	struct store *store;
	struct store_record *record;
	unsigned runs;
};

static int on_begin(void *ctx, struct str uid, struct event_sink *ret, struct err *err)
{
	struct place *p = ctx;
	_free_ char *spec = xstrndup(uid.p, uid.n);
	int64_t id;

	if (store_run_find(p->store, spec, &id, NULL) == 0)
		return 0;
	if (store_record_new(p->store, &p->record, err) < 0)
		return -EIO;
	store_record_durable(p->record, STORE_PER_RUN);
	*ret = store_record_sink(p->record);
	return 1;
}

static int on_end(void *ctx, struct err *err)
{
	struct place *p = ctx;
	int r = store_record_error(p->record, err);

	p->record = store_record_free(p->record);
	p->runs += r == 0;
	return r;
}

static void on_damaged(void *ctx, const char *file, const char *where, const char *why)
{
}

static int take(struct place *p, const char *scratch, struct str text, struct err *err)
{
	struct import im = { .begin = on_begin, .end = on_end, .damaged = on_damaged, .ctx = p,
			     .scratch = scratch };
	int r = import_taproom_text(&im, "run", text, err);

	p->record = store_record_free(p->record);
	return r;
}

struct source {
	struct store *s;
	int64_t run;
	const struct report_format *format;
	struct report *report;
};

static int read_log(void *ctx, unsigned job, unsigned program, uint64_t from, uint64_t to,
		    struct out *out)
{
	struct source *x = ctx;

	return store_log(x->s, x->run, program, job, from, to, out, NULL);
}

static int read_artefact(void *ctx, unsigned job, struct str kind, struct out *out)
{
	struct source *x = ctx;
	_free_ char *word = xstrndup(kind.p, kind.n);

	return store_artefact(x->s, x->run, job, word, out, NULL);
}

static void on_event(void *ctx, const struct event *ev)
{
	struct source *x = ctx;

	x->format->event(x->report, ev);
}

static void tell(struct store *s, int64_t run, const char *format, struct buf *ret)
{
	struct source x = { s, run, report_format_find(format, NULL) };
	struct report_options opt = { .log = read_log, .artefact = read_artefact,
				      .log_ctx = &x };
	struct out o;

	out_to_buf(&o, ret);
	x.report = x.format->begin(&o, &opt);
	store_replay(s, run, (struct event_sink){ on_event, &x }, NULL);
	x.format->end(x.report);
	out_flush(&o);
}

static struct store *store_at(const char *dir, const char *name)
{
	_free_ char *path = path_join(dir, name);
	struct store *s = NULL;

	store_open(path, STORE_WRITE, &s, NULL);
	return s;
}

static void show(struct str a, struct str b)
{
	for (unsigned n = 1; a.n || b.n; n++) {
		struct str x = str_cut(&a, '\n'), y = str_cut(&b, '\n');

		if (str_eq(x, y))
			continue;
		printf("# line %u: %.300s\n# is now:  %.300s\n", n, x.n ? x.p : "", y.n ? y.p : "");
		return;
	}
}

#define ARTEFACT STR("{\"event\":\"artefact\",\"job\":1,\"kind\":\"config\",\"data\":\"IyB")

static void test_there_and_back(struct tap *t, const char *dir, bool hostile)
{
	struct store *a = store_at(dir, hostile ? "a-hostile" : "a");
	struct place b = { .store = store_at(dir, hostile ? "b-hostile" : "b") };
	struct err err = {};
	unsigned same = 0;

	seed_store(a, dir, 3, hostile, &err);
	for (int64_t run = 1; run <= 3; run++) {
		_cleanup_(buf_done) struct buf sent = {}, got = {};

		tell(a, run, "events", &sent);
		if (take(&b, dir, buf_str(&sent), &err) < 0) {
			printf("# %s\n", err.text);
			continue;
		}
		tell(b.store, run, "events", &got);
		same += sent.n > 1000 && str_find(buf_str(&sent), ARTEFACT) >= 0 &&
			str_eq(buf_str(&sent), buf_str(&got));
		show(buf_str(&sent), buf_str(&got));
		take(&b, dir, buf_str(&sent), &err);
	}
	is_int(t, same, 3, hostile ? "hostile names and logs arrive as they are"
				   : "a run is the same in another store");
	is_int(t, b.runs, 3, "sent twice it is there once");
	store_close(a);
	store_close(b.store);
}

/* The text without its line @at, with it twice, or with @with for it. */
static void tampered(struct str text, unsigned at, int how, struct buf *ret)
{
	for (unsigned n = 0; text.n; n++) {
		struct str line = str_cut(&text, '\n');

		if (n == at && how == 2)
			line.n /= 2;
		for (int i = n == at ? how == 0 ? 2 : how == 1 ? 0 : 1 : 1; i > 0; i--)
			buf_printf(ret, "%.*s\n", STR_FMT(line));
	}
}

static bool is_structure(struct str line)
{
	return str_find(line, STR("-begin\"")) >= 0 || str_find(line, STR("-end\"")) >= 0 ||
	       str_starts(line, STR("{\"taproom\""));
}

static void test_tampered(struct tap *t, const char *dir)
{
	struct store *a = store_at(dir, "c");
	struct place b = { .store = store_at(dir, "d") };
	_cleanup_(buf_done) struct buf sent = { .max = 1 << 26 };
	unsigned tried = 0, taken = 0, at = 0;
	struct err err = {};

	seed_store(a, dir, 1, false, &err);
	tell(a, 1, "events", &sent);
	for (struct str rest = buf_str(&sent); rest.n; at++) {
		struct str line = str_cut(&rest, '\n');

		for (int how = 0; is_structure(line) && how < 3; how++) {
			_cleanup_(buf_done) struct buf bad = {};

			if (at == 0 && how == 0)
				continue; /* a header is a header */
			if (!rest.n && how == 0)
				continue; /* all of the run is there before */
			tampered(buf_str(&sent), at, how, &bad);
			tried++;
			if (take(&b, dir, buf_str(&bad), &err) == 0 && taken++ == 0)
				printf("# line %u, %s\n", at + 1,
				       how == 0 ? "twice" : how == 1 ? "left away" : "cut");
		}
	}
	ok(t, tried > 20, "runs whose begins and ends are tampered with: %u", tried);
	is_int(t, taken, 0, "- none of them is taken");
	is_int(t, b.runs, 0, "- nor a part of one");
	store_close(a);
	store_close(b.store);
}

static const struct {
	const char *text, *why;
} BAD[] = {
	{ "{\"event\":\"run-begin\",\"id\":\"x-1\"}\n", "a run begins where none can" },
	{ "{\"taproom\":\"events\",\"version\":2}\n", "it is of a newer taproom" },
	{ "{\"taproom\":\"events\",\"version\":1}\n{\"event\":\"run-begin\",\"id\":\"../x-1\"}\n",
	  "its id is none" },
	{ "{\"taproom\":\"events\",\"version\":1}\n{\"event\":\"run-begin\",\"id\":\"12\"}\n",
	  "its id is none" },
	{ "{\"taproom\":\"events\",\"version\":1}\n{\"event\":\"run-begin\",\"id\":\"latest-1\"}\n",
	  "its id is none" },
	{ "{\"taproom\":\"events\",\"version\":1}\n{\"event\":\"run-begin\",\"id\":\"x-1\"}\n"
	  "{\"event\":\"job-begin\",\"job\":4097}\n", "its number was there before, or is none" },
	{ "{\"taproom\":\"events\",\"version\":1}\n{\"event\":\"run-begin\",\"id\":\"x-1\"}\n"
	  "{\"event\":\"job-begin\",\"job\":2}\n{\"event\":\"job-end\",\"job\":2}\n"
	  "{\"event\":\"job-begin\",\"job\":2}\n", "its number was there before, or is none" },
	{ "{\"taproom\":\"events\",\"version\":1}\n{\"event\":\"run-begin\",\"id\":\"x-1\"}\n"
	  "{\"event\":\"log\",\"job\":1,\"program\":0,\"data\":\"\"}\n", "nothing that is open" },
	{ "{\"taproom\":\"events\",\"version\":1}\n{\"event\":\"run-begin\",\"id\":\"x-1\"}\n"
	  "{\"event\":\"job-begin\",\"job\":1}\n{\"event\":\"log\",\"job\":1,\"data\":\"a\"}\n",
	  "no base64" },
	{ "{\"taproom\":\"events\",\"version\":1}\n{\"event\":\"run-begin\",\"id\":\"x-1\"}\n"
	  "{\"event\":\"job-begin\",\"job\":1}\n"
	  "{\"event\":\"artefact\",\"job\":1,\"kind\":\"../x\",\"data\":\"\"}\n",
	  "its kind is no word" },
	{ "{\"taproom\":\"events\",\"version\":1}\n{\"event\":\"run-begin\",\"id\":\"x-1\"}\n"
	  "{\"event\":\"artefact\",\"job\":1,\"kind\":\"config\",\"data\":\"\"}\n",
	  "no job that is open" },
	{ "{\"taproom\":\"events\",\"version\":1}\n{\"event\":\"run-begin\",\"id\":\"x-1\"}\n"
	  "{\"event\":\"job-begin\",\"job\":1}\n"
	  "{\"event\":\"program-begin\",\"job\":1,\"program\":1,\"suite\":\"s\",\"name\":\"p\"}\n"
	  "{\"event\":\"program-end\",\"program\":1,\"status\":\"passed\"}\n",
	  "its status is none" },
	{ "{\"taproom\":\"events\",\"version\":1}\n{\"event\":\"run-begin\",\"id\":\"x-1\"}\n",
	  "the run has no end" },
	{ "[]\n", "it is no object" },
	{ "{\n", "brackets" },
	{ "\xff\xfe\n", "no JSON" },
};

static void test_bad(struct tap *t, const char *dir)
{
	struct place b = { .store = store_at(dir, "e") };

	for (size_t i = 0; i < ARRAY_SIZE(BAD); i++) {
		struct err err = {};
		int r = take(&b, dir, str_of(BAD[i].text), &err);

		if (!ok(t, r == -EBADMSG && strstr(err.text, BAD[i].why), "%s", BAD[i].why))
			printf("# %d: %s\n", r, err.text);
	}
	is_int(t, b.runs, 0, "nothing came of them");
	store_close(b.store);
}

/* ---- the report ---- */

/* A report has no files. */
static void without_artefacts(struct buf *b)
{
	static const struct str word = STR(",\"artefacts\":[\"config\"]");
	_cleanup_(buf_done) struct buf kept = {};
	ptrdiff_t at;

	for (struct str rest = buf_str(b); rest.n; rest = str_from(rest, (size_t)at + word.n)) {
		at = str_find(rest, word);
		buf_add(&kept, rest.p, at < 0 ? rest.n : (size_t)at);
		if (at < 0)
			break;
	}
	buf_clear(b);
	buf_add_str(b, buf_str(&kept));
}

static void test_report(struct tap *t, const char *dir, bool hostile)
{
	struct store *a = store_at(dir, hostile ? "r-hostile" : "r");
	struct place b = { .store = store_at(dir, hostile ? "s-hostile" : "s") };
	struct err err = {};
	unsigned same = 0;

	seed_store(a, dir, 3, hostile, &err);
	for (int64_t run = 1; run <= 3; run++) {
		_cleanup_(buf_done) struct buf sent = {}, got = {};

		tell(a, run, "json", &sent);
		if (take(&b, dir, buf_str(&sent), &err) < 0) {
			printf("# %s\n", err.text);
			continue;
		}
		tell(b.store, run, "json", &got);
		without_artefacts(&sent);
		same += sent.n > 1000 && str_eq(buf_str(&sent), buf_str(&got));
		show(buf_str(&sent), buf_str(&got));
		take(&b, dir, buf_str(&sent), &err);
	}
	is_int(t, same, 3, hostile ? "hostile names arrive in a report as they are"
				   : "a report of a run makes the same run");
	is_int(t, b.runs, 3, "- once");
	store_close(a);
	store_close(b.store);
}

static void test_report_cut(struct tap *t, const char *dir)
{
	struct store *a = store_at(dir, "f");
	struct place b = { .store = store_at(dir, "g") };
	_cleanup_(buf_done) struct buf sent = {};
	unsigned tried = 0, taken = 0;
	struct err err = {};

	seed_store(a, dir, 1, false, &err);
	tell(a, 1, "json", &sent);
	without_artefacts(&sent);
	for (size_t n = 0; n + 2 < sent.n; n += 1 + sent.n / 211, tried++)
		taken += take(&b, dir, str_n(sent.p, n), &err) == 0 && b.runs;
	ok(t, tried > 200, "a report is cut in %u places", tried);
	is_int(t, taken, 0, "- none is taken");
	store_close(a);
	store_close(b.store);
}

#define REPORT(run, jobs, programs, more)                                                     \
	"{\"programs\":[" programs "],\"jobs\":[" jobs "],\"run\":{\"id\":\"x-9\"," run "}" more "}"
#define END "\"conclusion\":\"Success\",\"exit_code\":0"
#define JOB "{\"job\":1,\"mode\":\"normal\",\"machine\":\"uml\"}"
#define PROGRAM(results)                                                                      \
	"{\"suite\":\"s\",\"name\":\"p\",\"job\":1,\"status\":\"pass\",\"results\":" results "}"
#define RESULT "{\"path\":[\"r\"],\"key\":\"r\",\"status\":\"pass\",\"leaf\":true}"
#define FORTY(s) s s s s s s s s s s s s s s s s s s s s s s s s s s s s s s s s s s s s s s s s

static const struct {
	const char *text, *why;
} BAD_REPORTS[] = {
	{ "{}", "it is no report of a run" },
	{ "{\"results\":[],\"counts\":{}}", "it is no report of a run" }, /* of taproom parse */
	{ REPORT(END, "", "", "") "x", "it is no object" },
	{ REPORT(END, "", "", "") REPORT(END, "", "", ""), "it is no JSON" },
	{ REPORT(END, "", "", ",\"run\":{}"), "it has something twice" },
	{ REPORT(END, "", "", ",\"left_out\":1"), "not all of its run is in it" },
	{ REPORT("\"title\":\"t\"", "", "", ""), "'run', run: it has no end" },
	{ REPORT("\"conclusion\":7", "", "", ""), "run: it has no end" },
	{ REPORT(END ",", "", "", ""), "run: no JSON" },
	{ "{\"programs\":[],\"jobs\":[],\"run\":{\"id\":\"latest\"," END "}}",
	  "run: its id is none" },
	{ "{\"programs\":[],\"jobs\":[],\"run\":{\"id\":[\"x-9\"]," END "}}", "its id is none" },
	{ "{\"programs\":[],\"jobs\":[],\"run\":[]}", "run: it is no object" },
	{ "{\"programs\":[],\"jobs\":{},\"run\":{\"id\":\"x-9\"," END "}}",
	  "job 1: they are no array" },
	{ REPORT(END, JOB "," JOB, "", ""), "job 2: its number was there before" },
	{ REPORT(END, JOB ",", "", ""), "job 1: it is no JSON" },
	{ REPORT(END, "{\"job\":-1}", "", ""), "job 1: its number was there before, or is none" },
	{ REPORT(END, "{\"job\":1e99}", "", ""), "job 1: its number" },
	{ REPORT(END, JOB, "7", ""), "program 1: it is no object" },
	{ REPORT(END, "", PROGRAM("[]"), ""), "program 1: its job is not open" },
	{ REPORT(END, JOB, "{\"suite\":\"s\",\"name\":\"p\",\"job\":1,\"status\":\"pass\"}", ""),
	  "program 1: not all of its results are in it" }, /* a summary */
	{ REPORT(END, JOB, "{\"job\":1,\"results\":[],\"results_left_out\":1}", ""),
	  "program 1: not all of its results" },
	{ REPORT(END, JOB, "{\"job\":1,\"results\":[],\"results\":[]}", ""), "something twice" },
	{ REPORT(END, JOB, PROGRAM("7"), ""), "program 1, result 1: they are no array" },
	{ REPORT(END, JOB, PROGRAM("[" RESULT ",{}]"), ""),
	  "program 1, result 2: its status is none" },
	{ REPORT(END, JOB, PROGRAM("[" RESULT RESULT "]"), ""), "result 1: more than one value" },
	{ REPORT(END, JOB, PROGRAM("[{\"program\":2,\"status\":\"pass\"}]"), ""),
	  "result 1: no such program is open" },
	{ REPORT(END, JOB, PROGRAM("[" FORTY("[") FORTY("[") FORTY("]") FORTY("]") "]"), ""),
	  "brackets" },
	{ REPORT(END, JOB, "{\"suite\":\"s\",\"name\":\"p\",\"job\":1,\"results\":[]}", ""),
	  "program 1: its status is none" },
	{ REPORT(END, JOB, "{\"job\":1,\"program\":7,\"name\":\"p\",\"results\":[]}", ""),
	  "program 1: a name is missing" },
	{ REPORT(END, JOB, PROGRAM("[]"), ",\"splats\":[{\"job\":1}]"), "splat 1: it has no kind" },
	{ REPORT(END, JOB, PROGRAM("[]"), ",\"splats\":[{\"job\":2}]"), "splat 1: no such job" },
	{ REPORT(END, JOB, PROGRAM("[]"), ",\"problems\":[{\"program\":1}]"),
	  "problem 1: no such program is open" },
};

static void test_bad_reports(struct tap *t, const char *dir)
{
	struct place b = { .store = store_at(dir, "h") };
	struct err err = {};

	for (size_t i = 0; i < ARRAY_SIZE(BAD_REPORTS); i++) {
		int r = take(&b, dir, str_of(BAD_REPORTS[i].text), &err);

		if (!ok(t, r == -EBADMSG && strstr(err.text, BAD_REPORTS[i].why), "%s",
			BAD_REPORTS[i].why))
			printf("# %d: %s\n", r, err.text);
	}
	is_int(t, b.runs, 0, "nothing came of them");
	is_int(t, take(&b, dir, STR(" " REPORT(END, JOB, PROGRAM("[" RESULT "]"), "") "\n"), &err),
	       0, "what they were made of is taken");
	store_close(b.store);
}

#define TWO_LINES(job, program)                                                               \
	"{\"event\":\"program-begin\",\"job\":" job ",\"program\":" program                     \
	",\"suite\":\"s\",\"name\":\"p\"}\n"                                                     \
	"{\"event\":\"program-end\",\"program\":" program ",\"status\":\"pass\"}\n"

/* Two machines at once: the programs of one are told after those of the other. */
static void test_interleaved(struct tap *t, const char *dir)
{
	struct place b = { .store = store_at(dir, "i") };
	_cleanup_(buf_done) struct buf got = {};
	struct err err = {};

	is_int(t, take(&b, dir, STR(
		"{\"taproom\":\"events\",\"version\":1}\n{\"event\":\"run-begin\",\"id\":\"x-1\"}\n"
		"{\"event\":\"job-begin\",\"job\":1}\n"
		TWO_LINES("1", "1") TWO_LINES("1", "3")
		"{\"event\":\"job-end\",\"job\":1}\n{\"event\":\"job-begin\",\"job\":2}\n"
		TWO_LINES("2", "2")
		"{\"event\":\"job-end\",\"job\":2}\n{\"event\":\"run-end\"}\n"), &err), 0,
	       "programs of two machines at once");
	tell(b.store, 1, "events", &got);
	ok(t, str_find(buf_str(&got), STR("\"program\":3,\"time_ms\"")) <
	      str_find(buf_str(&got), STR("\"program\":2,\"time_ms\"")), "- are told so again");
	store_close(b.store);
}

int main(void)
{
	_cleanup_(dir_removep) char *dir = NULL;
	struct tap t = {};

	TAP_HEADER();
	if (dir_temp("/tmp", "taproom-events.", &dir, NULL) < 0)
		return 1;
	test_there_and_back(&t, dir, false);
	test_there_and_back(&t, dir, true);
	test_tampered(&t, dir);
	test_bad(&t, dir);
	test_interleaved(&t, dir);
	test_report(&t, dir, false);
	test_report(&t, dir, true);
	test_report_cut(&t, dir);
	test_bad_reports(&t, dir);
	return tap_done(&t);
}
