/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What runs now is in the store while it does, and no longer: who looks on reads it, and
 * of a run that was lost it tells what ran then.
 */
#include "store-place.h"
#include "tap/parse.h"

static int on_run(void *ctx, const struct store_run *r)
{
	_cleanup_(buf_done) struct buf text = {};
	struct str words = r->running;
	struct store_running x;
	struct buf *b = ctx;

	buf_clear(b);
	while (store_running_next(&words, &text, &x))
		buf_printf(b, "[%u.%u #%u %s%.*s/%.*s %.*s/%.*s]", x.job, x.program, x.attempt,
			   x.begin_ms ? "" : "no time ", STR_FMT(x.mode), STR_FMT(x.machine),
			   STR_FMT(x.suite), STR_FMT(x.name));
	buf_printf(b, "%s", "");
	return 0;
}

static void runs_now(struct tap *t, struct place *p, int64_t run, const char *want,
		     const char *name)
{
	_cleanup_(buf_done) struct buf got = {};

	store_run_get(p->s, run, on_run, &got, NULL);
	is_str(t, got.p ? got.p : "", want, name);
}

static void test_running(struct tap *t)
{
	struct store_record *r;
	struct event_sink sink;
	struct place p;

	place_init(&p);
	store_record_new(p.s, &r, NULL);
	sink = store_record_sink(r);
	say_run(sink, EVENT_RUN_BEGIN, "a-1");
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_job(sink, EVENT_JOB_BEGIN, 2, "debug", NULL);
	runs_now(t, &p, 1, "", "nothing yet");
	say_begin(sink, 1, 1, "a.sh", 1);
	runs_now(t, &p, 1, "[1.1 #1 normal/qemu mptcp/a.sh]", "one");
	say_begin(sink, 2, 2, "../a b=c%/\xff.sh", 3);
	runs_now(t, &p, 1, "[1.1 #1 normal/qemu mptcp/a.sh]"
		 "[2.2 #3 debug/qemu mptcp/../a b=c%/\xff.sh]", "two, one of a strange name");
	say_end(sink, 1, 1, "a.sh", 1, STATUS_PASS, NULL);
	runs_now(t, &p, 1, "[2.2 #3 debug/qemu mptcp/../a b=c%/\xff.sh]", "the first ended");
	for (unsigned i = 3; i < 3 + STORE_RUNNING_MAX; i++)
		say_begin(sink, 2, i, "b.sh", 1);
	is_int(t, ask(&p, "SELECT length(counts) - length(replace(counts, 'at=', '')) FROM run"),
	       3 * STORE_RUNNING_MAX, "of many so many are told");
	store_record_free(r);
	is_int(t, ask(&p, "SELECT counts LIKE '% at=2.2.3.%' FROM run"), 1,
	       "it is known what ran when it was lost");
	place_done(&p);
}

static void say_all(struct event_sink sink, const void *id)
{
	say_run(sink, EVENT_RUN_BEGIN, id);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_begin(sink, 1, 1, "a.sh", 1);
	say_end(sink, 1, 1, "a.sh", 1, STATUS_PASS, NULL);
	say_job(sink, EVENT_JOB_END, 1, "normal", NULL);
	say_run(sink, EVENT_RUN_END, id);
}

/* Another program wrote there, or the disk: it is passed over. */
static const struct {
	const char *words, *want;
} BAD[] = {
	{ "at=1.1.1.5.n/m/s/p", "[1.1 #1 n/m s/p]" },
	{ "tests=3 at=1.1.1.5.///p at=", "[1.1 #1 / /p]" },
	{ "at=1.1.1.5.n/m/s/", "" },
	{ "at=1.1.1.5.n/m/s at=1.2.1.5.n/m/s/%41", "[1.2 #1 n/m s/A]" },
	{ "at=1.1.1.n/m/s/p", "" },
	{ "at=-1.1.1.5.n/m/s/p at=99999999999.1.1.5.n/m/s/p", "" },
	{ "at=1.1.1.5.n/m/s/%4", "" },
	{ "at=1.1.1.5.n/m/s/%4g at=%", "" },
	{ "at=1.1.1.99999999999999999999.n/m/s/p", "" },
};

static void test_bad(struct tap *t)
{
	struct place p;

	place_init(&p);
	record(&p, say_all, "a-2", NULL);
	runs_now(t, &p, 1, "", "nothing of a run that ended");
	for (size_t i = 0; i < ARRAY_SIZE(BAD); i++) {
		_cleanup_(buf_done) struct buf got = {};

		on_run(&got, &(struct store_run){ .running = str_of(BAD[i].words) });
		is_str(t, got.p ? got.p : "", BAD[i].want, BAD[i].words);
	}
	place_done(&p);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_running(&t);
	test_bad(&t);
	return tap_done(&t);
}
