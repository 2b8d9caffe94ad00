/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What years of history cost: in, on the disk, and out again. Makes a history
 * that follows a real one (see store-history.c), through the sink that a run
 * uses, beside the same history in a table with a row per result.
 *
 *   bench/store [--runs N] [--durations] [--live] [--yardstick N] [--store URL]
 *               [--dir DIR] [--series FILE] [--ask]
 *
 * --store: there, and kept; --ask: only asks what is there.
 */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "stat/rate.h"
#include "store-history.h"
#include "store/store.h"

struct options {
	unsigned runs, yardstick;
	bool durations, live, ask;
	const char *dir, *series, *url;
};

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct watch {
	double wall, cpu;
};

static struct watch watch_start(void)
{
	return (struct watch){ seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID) };
}

static struct watch watch_stop(struct watch w)
{
	return (struct watch){ seconds(CLOCK_MONOTONIC) - w.wall,
			       seconds(CLOCK_PROCESS_CPUTIME_ID) - w.cpu };
}

static void die(const struct err *err)
{
	fprintf(stderr, "store-bench: %s\n", err->text);
	exit(1);
}

static double file_bytes(const char *path)
{
	static const char *const parts[] = { "", "-wal" };
	double total = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_free_ char *name = xasprintf("%s%s", path, parts[i]);
		struct stat st;

		total += stat(name, &st) == 0 ? (double)st.st_size : 0;
	}
	return total;
}

/* What the disk asks for one synced write of the size of a run. */
static double sync_ms(const char *dir)
{
	_free_ char *path = path_join(dir, "sync");
	static char block[32768];
	double begin, ms;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	begin = seconds(CLOCK_MONOTONIC);
	for (int i = 0; i < 100; i++)
		if (pwrite(fd, block, sizeof(block), i % 30 * (off_t)sizeof(block)) < 0 ||
		    fdatasync(fd) < 0)
			break;
	ms = (seconds(CLOCK_MONOTONIC) - begin) * 10;
	close(fd);
	unlink(path);
	return ms;
}

/* ---- in ---- */

static void hear_nothing(void *ctx, const struct event *ev)
{
	*(uint64_t *)ctx += ev->type == EVENT_RESULT;
}

static void ingest(const struct options *o, struct history *h, struct store *s)
{
	uint64_t n = 0;
	struct watch dry = watch_start(), w;
	unsigned dry_runs = o->runs < 2000 ? o->runs : 2000;
	double results;

	for (unsigned i = 0; i < dry_runs; i++)
		history_say(h, i, (struct event_sink){ hear_nothing, &n });
	dry = watch_stop(dry);
	n = 0;
	w = watch_start();
	for (unsigned i = 0; i < o->runs; i++) {
		struct store_record *r;
		struct event_fan fan = {};
		struct err err = {};

		store_record_new(s, &r, NULL);
		if (!o->live)
			store_record_durable(r, STORE_PER_RUN);
		event_fan_add(&fan, store_record_sink(r));
		event_fan_add(&fan, (struct event_sink){ hear_nothing, &n });
		history_say(h, i, event_fan_sink(&fan));
		if (store_record_error(r, &err) < 0)
			die(&err);
		store_record_free(r);
	}
	w = watch_stop(w);
	results = (double)n;
	printf("in: %u runs, %.1f M results, %s a transaction each\n", o->runs, results / 1e6,
	       o->live ? "a program" : "a run");
	printf("  %-44s %10.0f results/s   %.0f ns CPU each\n", "wall, the generator's time in it",
	       results / w.wall, w.cpu * 1e9 / results);
	dry.wall *= (double)o->runs / dry_runs;
	dry.cpu *= (double)o->runs / dry_runs;
	printf("  %-44s %10.0f results/s   %.0f ns CPU each\n", "without the generator's time",
	       results / (w.wall - dry.wall), (w.cpu - dry.cpu) * 1e9 / results);
	printf("  %-44s %10.2f ms of %.2f ms a run\n", "one synced write of 32 KiB here",
	       sync_ms(o->dir), w.wall * 1e3 / o->runs);
}

/* ---- out ---- */

/* So many are shown: intervals are for those. */
#define SHOWN 100

struct flake {
	int64_t id;
	struct stat_rate rate; /* without its interval, until it is shown */
	uint32_t last;
};

struct answers {
	struct flake *flakes;
	size_t n, cap;
	uint64_t series, exceptions, stretches, results;
	uint32_t runs;
};

static int on_runs(void *ctx, const struct store_scan_run *runs, uint32_t n)
{
	((struct answers *)ctx)->runs = n;
	return 0;
}

static int on_series(void *ctx, const struct store_scanned *s)
{
	struct answers *a = ctx;
	struct flake f = { .id = s->id };
	uint64_t k = 0, n = s->n;

	a->series++;
	a->exceptions += s->n_exceptions;
	a->stretches += s->n_present;
	a->results += s->n;
	for (unsigned i = 0; i < STATUS_N; i++) {
		if (stat_says((uint8_t)i) == STAT_FAILED)
			k += s->counts[i];
		if (stat_says((uint8_t)i) == STAT_NOTHING)
			n -= s->counts[i];
	}
	if (!k)
		return 0;
	f.rate = (struct stat_rate){ .k = k, .n = n, .rate = (double)k / (double)n };
	f.last = s->exceptions[s->n_exceptions - 1].at;
	ARRAY_GROW(a->flakes, a->n, a->cap);
	a->flakes[a->n++] = f;
	return 0;
}

static int by_rate(const void *a, const void *b)
{
	const struct flake *x = a, *y = b;

	return stat_rate_order(&x->rate, &y->rate);
}

static int on_run(void *ctx, const struct store_run *r)
{
	(*(uint64_t *)ctx)++;
	return 0;
}

static int no_head(void *ctx, const int64_t *runs, unsigned n)
{
	return 0;
}

static int no_row(void *ctx, const struct store_series *s, const uint8_t *cells, unsigned n)
{
	(*(uint64_t *)ctx)++;
	return 0;
}

/* Opened anew for each: nothing is remembered from the question before. */
#define ASK(o, what, limit_ms, call)                                                       \
	do {                                                                               \
		struct store *s;                                                           \
		struct watch w = watch_start();                                            \
		struct err err = {};                                                       \
		int r = store_open((o)->url, STORE_READ, &s, &err);                        \
		if (r >= 0)                                                                \
			r = (call);                                                        \
		if (r < 0)                                                                 \
			die(&err);                                                         \
		w = watch_stop(w);                                                         \
		store_close(s);                                                            \
		printf("  %-44s %10.1f ms, CPU %.1f   goal %d: %s\n", what, w.wall * 1e3,  \
		       w.cpu * 1e3, limit_ms, w.wall * 1e3 <= limit_ms ? "met" : "MISSED"); \
	} while (0)

static int ask_flakes(struct store *s, struct answers *a, const struct store_scan_filter *f,
		      struct err *err)
{
	int r = store_scan(s, f, on_runs, on_series, a, err);

	if (a->n)
		qsort(a->flakes, a->n, sizeof(*a->flakes), by_rate);
	for (size_t i = 0; i < a->n && i < SHOWN; i++)
		a->flakes[i].rate = stat_rate(a->flakes[i].rate.k, a->flakes[i].rate.n);
	return r;
}

static void ask_all(const struct options *o)
{
	struct answers all = {}, one = {}, again = {};
	struct store_scan_filter any = {}, series = { .times = true }, last = { .runs = 100 };
	uint64_t events = 0, rows = 0, runs = 0;
	int64_t newest = o->runs;

	printf("out: each in a store opened for it\n");
	ASK(o, "flakes: rates of every series, sorted", 300, ask_flakes(s, &all, &any, &err));
	printf("    %" PRIu64 " series in lanes, %zu flaky, %" PRIu64 " results, %" PRIu64
	       " exceptions, %" PRIu64 " stretches\n", all.series, all.n, all.results,
	       all.exceptions, all.stretches);
	series.series_id = all.n ? all.flakes[all.n / 2].id : 1;
	ASK(o, "history of one test", 50, ask_flakes(s, &one, &series, &err));
	ASK(o, "a run page: replay of a run", 20,
	    store_replay(s, newest, (struct event_sink){ hear_nothing, &events }, &err));
	ASK(o, "a list of 20 runs", 20,
	    store_runs(s, &(struct store_runs_filter){}, on_run, &runs, &err));
	ASK(o, "grid of 100 runs", 300,
	    store_grid(s, &(struct store_grid_filter){}, no_head, no_row, &rows, &err));
	ASK(o, "what to expect of one program", 50,
	    store_expect_ms(s, "mptcp", "selftest_mptcp_join_subtests", "normal", &newest, &err));
	ASK(o, "the newest 100 runs of every series", 300, ask_flakes(s, &again, &last, &err));
	free(all.flakes);
	free(one.flakes);
	free(again.flakes);
}

/* ---- the yardstick: a row per result ---- */

struct rows {
	sqlite3 *db;
	sqlite3_stmt *insert;
	int64_t run;
	uint64_t n;
	struct str suite, program;
};

static void exec(sqlite3 *db, const char *sql)
{
	char *msg = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &msg) != SQLITE_OK) {
		fprintf(stderr, "store-bench: yardstick: %s\n", msg);
		exit(1);
	}
}

static void on_row(void *ctx, const struct event *ev)
{
	struct rows *y = ctx;
	sqlite3_stmt *s = y->insert;

	if (ev->type == EVENT_RUN_BEGIN) {
		exec(y->db, "BEGIN");
		y->run++;
	} else if (ev->type == EVENT_RUN_END) {
		exec(y->db, "COMMIT");
	} else if (ev->type == EVENT_PROGRAM_BEGIN) {
		y->program = ev->prog->name;
	} else if (ev->type == EVENT_RESULT) {
		sqlite3_bind_int64(s, 1, y->run);
		sqlite3_bind_text(s, 2, y->program.p, (int)y->program.n, SQLITE_STATIC);
		sqlite3_bind_text(s, 3, ev->result->key.p, (int)ev->result->key.n,
				  SQLITE_STATIC);
		sqlite3_bind_int(s, 4, (int)ev->result->status);
		sqlite3_bind_int64(s, 5, (int64_t)ev->result->line);
		sqlite3_step(s);
		sqlite3_reset(s);
		y->n++;
	}
}

static double ask_rows(sqlite3 *db, const char *sql)
{
	double begin = seconds(CLOCK_MONOTONIC);
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK) {
		fprintf(stderr, "store-bench: %s\n", sqlite3_errmsg(db));
		exit(1);
	}
	while (sqlite3_step(s) == SQLITE_ROW)
		;
	sqlite3_finalize(s);
	return (seconds(CLOCK_MONOTONIC) - begin) * 1e3;
}

/* As testclutch and most others keep it: names in the row, indexed by run and by
 * test. */
static void yardstick(const struct options *o, struct history *h)
{
	_free_ char *path = path_join(o->dir, "rows.db");
	struct rows y = {};
	struct watch w;
	double scale = (double)o->runs / o->yardstick;

	unlink(path);
	sqlite3_open(path, &y.db);
	exec(y.db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	     "CREATE TABLE result (run INTEGER, program TEXT, name TEXT, status INTEGER,"
	     " line INTEGER);"
	     "CREATE INDEX result_run ON result (run);"
	     "CREATE INDEX result_name ON result (program, name, status);");
	sqlite3_prepare_v2(y.db, "INSERT INTO result VALUES (?1, ?2, ?3, ?4, ?5)", -1, &y.insert,
			   NULL);
	w = watch_start();
	for (unsigned i = 0; i < o->yardstick; i++)
		history_say(h, i, (struct event_sink){ on_row, &y });
	w = watch_stop(w);
	exec(y.db, "PRAGMA wal_checkpoint(TRUNCATE)");
	printf("yardstick: a row per result, two indices, %u runs (%.1f M results)\n",
	       o->yardstick, (double)y.n / 1e6);
	printf("  in                      %10.0f results/s\n", (double)y.n / w.wall);
	printf("  size                    %10.2f bytes a result\n",
	       file_bytes(path) / (double)y.n);
	printf("  flakes                  %10.1f ms (x %.1f for as many runs as above)\n",
	       ask_rows(y.db, "SELECT program, name, count(*), sum(status >= 6) FROM result"
			      " GROUP BY program, name"), scale);
	printf("  one test                %10.1f ms (x %.1f)\n",
	       ask_rows(y.db, "SELECT run, status FROM result WHERE program ="
			      " 'selftest_mptcp_join_subtests' AND name = (SELECT name FROM"
			      " result WHERE program = 'selftest_mptcp_join_subtests' LIMIT 1)"),
	       scale);
	printf("  a run                   %10.1f ms\n",
	       ask_rows(y.db, "SELECT program, name, status, line FROM result WHERE run = 5"));
	sqlite3_finalize(y.insert);
	sqlite3_close(y.db);
	unlink(path);
}

/* ---- ---- */

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "runs", 1, NULL, 'r' },   { "durations", 0, NULL, 't' },
		{ "live", 0, NULL, 'l' },   { "yardstick", 1, NULL, 'y' },
		{ "dir", 1, NULL, 'd' },    { "series", 1, NULL, 's' },
		{ "store", 1, NULL, 'u' },  { "ask", 0, NULL, 'a' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		switch (c) {
		case 'r': o->runs = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'y': o->yardstick = (unsigned)strtoul(optarg, NULL, 10); break;
		case 't': o->durations = true; break;
		case 'l': o->live = true; break;
		case 'a': o->ask = true; break;
		case 'd': o->dir = optarg; break;
		case 's': o->series = optarg; break;
		case 'u': o->url = optarg; break;
		default: exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	struct options o = { .runs = 5000, .yardstick = 500, .dir = "/var/tmp",
			     .series = "bench/store-series.tsv" };
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL;
	struct history *h;
	struct store *s;
	struct err err = {};
	double results;

	parse(argc, argv, &o);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (dir_temp(o.dir, "taproom-bench.", &dir, &err) < 0)
		die(&err);
	o.dir = dir;
	path = path_join(dir, "history.db");
	if (!o.url)
		o.url = path;
	if (history_new(o.series, o.durations, &h, &err) < 0)
		die(&err);
	if (store_open(o.url, STORE_WRITE, &s, &err) < 0)
		die(&err);
	if (!o.ask)
		ingest(&o, h, s);
	store_close(s);
	results = history_results(h) * (double)o.runs;
	if (file_bytes(o.url) > 0)
		printf("size: %.2f bytes a result, %s durations; %.1f MB\n",
		       file_bytes(o.url) / results, o.durations ? "with" : "without",
		       file_bytes(o.url) / 1e6);
	ask_all(&o);
	if (o.yardstick)
		yardstick(&o, h);
	history_free(h);
	return 0;
}
