/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run goes from one store to another as events, with its logs, and is the
 * same there. What was tampered with on the way is refused as a whole.
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
	int r = import_events_text(&im, "run.ndjson", text, err);

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

static void tell(struct store *s, int64_t run, struct buf *ret)
{
	struct source x = { s, run, report_format_find("events", NULL) };
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

		tell(a, run, &sent);
		if (take(&b, dir, buf_str(&sent), &err) < 0) {
			printf("# %s\n", err.text);
			continue;
		}
		tell(b.store, run, &got);
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
	tell(a, 1, &sent);
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
	  "{\"event\":\"job-begin\",\"job\":7}\n", "its number is not the next one" },
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
	return tap_done(&t);
}
