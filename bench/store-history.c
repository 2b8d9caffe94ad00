/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store-history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"

#define SERIES   2000
#define PROGRAMS 40
#define EPOCH    INT64_C(1420070400000) /* 2015-01-01 */
#define STEP_MS  (88 * 60000)           /* 50,000 runs are 8.4 years */

struct test {
	struct str key;
	struct str name[2];     /* before and after it got another number */
	unsigned renumbered;    /* in this run */
	unsigned from, to;      /* runs in which it is there */
	uint32_t chance[2];     /* to fail, of 2^32: normal, debug */
	uint32_t broken;        /* and in this stretch of runs */
	unsigned broken_from, broken_to;
	unsigned ms;
	bool skipped;           /* on stable branches */
};

struct program {
	struct str name;
	struct test *tests;
	size_t n, cap;
};

struct history {
	struct arena arena;
	struct program programs[PROGRAMS];
	size_t n_programs, n_tests;
	bool durations;
	uint64_t random;
	uint8_t *failed;
	size_t cap_failed;
};

/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift
 * generators, scrambled", 2016). */
static uint32_t draw(struct history *h)
{
	h->random ^= h->random >> 12;
	h->random ^= h->random << 25;
	h->random ^= h->random >> 27;
	return (uint32_t)((h->random * UINT64_C(2685821657736338717)) >> 32);
}

static double uniform(struct history *h)
{
	return ((double)draw(h) + 0.5) / 4294967296.0;
}

/* Box and Muller. */
static double normal(struct history *h)
{
	double u = uniform(h), v = uniform(h);

	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static uint32_t chance(double p)
{
	return p >= 1 ? UINT32_MAX : (uint32_t)(p * 4294967295.0);
}

static struct str keep(struct history *h, const char *text)
{
	return str_n(arena_strndup(&h->arena, text, strlen(text)), strlen(text));
}

static void add_test(struct history *h, struct program *p, struct str name)
{
	struct test t = { .to = UINT32_MAX, .renumbered = UINT32_MAX };
	_free_ char *first = NULL, *second = NULL;
	unsigned n = (unsigned)p->n + 1;

	/* Half of them never failed; the others' median is 0.15 %. */
	if (draw(h) % 2) {
		double rate = 0.0015 * exp(1.2 * normal(h));

		rate = rate > 0.2 ? 0.2 : rate;
		t.chance[0] = chance(rate);
		t.chance[1] = chance(rate * 1.5);
	}
	if (draw(h) % 33 == 0) {
		t.broken = chance(0.05 + 0.9 * uniform(h));
		t.broken_from = draw(h) % 50000;
		t.broken_to = t.broken_from + 20 + draw(h) % 200;
	}
	if (draw(h) % 20 == 0)
		t.renumbered = draw(h) % 50000;
	if (draw(h) % 20 == 0)
		t.from = draw(h) % 50000;
	if (draw(h) % 20 == 0)
		t.to = draw(h) % 50000;
	t.skipped = draw(h) % 100 == 0;
	t.ms = (unsigned)exp(3 + 5.5 * uniform(h));
	first = xasprintf("%u %.*s", n, STR_FMT(name));
	second = xasprintf("%u %.*s", n + 1, STR_FMT(name));
	t.key = str_n(arena_strndup(&h->arena, name.p, name.n), name.n);
	t.name[0] = keep(h, first);
	t.name[1] = keep(h, second);
	ARRAY_GROW(p->tests, p->n, p->cap);
	p->tests[p->n++] = t;
	h->n_tests++;
}

static struct program *program_of(struct history *h, struct str name)
{
	for (size_t i = 0; i < h->n_programs; i++)
		if (str_eq(h->programs[i].name, name))
			return &h->programs[i];
	if (h->n_programs == PROGRAMS)
		return &h->programs[PROGRAMS - 1];
	h->programs[h->n_programs].name = str_n(arena_strndup(&h->arena, name.p, name.n), name.n);
	return &h->programs[h->n_programs++];
}

static void fill_up(struct history *h)
{
	size_t real[PROGRAMS];

	for (size_t i = 0; i < h->n_programs; i++)
		real[i] = h->programs[i].n;
	for (unsigned round = 2; h->n_tests < SERIES; round++) {
		for (size_t i = 0; i < h->n_programs; i++) {
			for (size_t k = 0; k < real[i] && h->n_tests < SERIES; k++) {
				_free_ char *name = xasprintf(
					"%.*s, set %c", STR_FMT(h->programs[i].tests[k].key),
					'a' + (int)round % 26);

				add_test(h, &h->programs[i], str_of(name));
			}
		}
	}
}

int history_new(const char *series, bool durations, struct history **ret, struct err *err)
{
	struct history *h = xcalloc(1, sizeof(*h));
	_cleanup_(buf_done) struct buf text = {};
	int r = file_read(series, 0, &text, err);

	if (r < 0) {
		free(h);
		return r;
	}
	h->durations = durations;
	h->random = 88172645463325252;
	for (struct str rest = buf_str(&text); rest.n;) {
		struct str name = str_cut(&rest, '\n'), program = str_cut(&name, '\t');

		if (name.n)
			add_test(h, program_of(h, program), name);
	}
	for (unsigned i = 0; h->n_programs < PROGRAMS; i++) {
		_free_ char *name = xasprintf("extra_%u.sh", i);

		add_test(h, program_of(h, str_of(name)), str_of(name));
	}
	fill_up(h);
	*ret = h;
	return 0;
}

struct history *history_free(struct history *h)
{
	for (size_t i = 0; h && i < h->n_programs; i++)
		free(h->programs[i].tests);
	if (h) {
		arena_done(&h->arena);
		free(h->failed);
		free(h);
	}
	return NULL;
}

double history_results(const struct history *h)
{
	return (double)h->n_tests;
}

/* ---- one run ---- */

static const struct {
	unsigned below; /* of 100 */
	const char *branch;
	bool stable;
} BRANCHES[] = {
	{ 50, "export", false },      { 70, "export-net", false }, { 78, "stable-6.12", true },
	{ 86, "stable-6.6", true },   { 92, "stable-6.1", true },  { 97, "stable-5.15", true },
	{ 100, "stable-5.10", true },
};

struct say {
	struct history *h;
	struct event_sink sink;
	unsigned run, program, attempt;
	bool debug, stable, outage;
	int64_t time_ms;
};

static bool is_there(const struct say *s, const struct test *t)
{
	return s->run >= t->from && s->run < t->to;
}

static uint32_t chance_of(const struct say *s, const struct test *t)
{
	if (s->attempt > 1)
		return UINT32_MAX / 3;
	if (s->run >= t->broken_from && s->run < t->broken_to)
		return t->broken;
	if (s->outage)
		return UINT32_MAX / 114; /* 17 or 18 of 2,000 */
	return t->chance[s->debug];
}

static enum status status_of(const struct say *s, const struct test *t, bool before)
{
	if (s->stable && t->skipped)
		return STATUS_SKIP;
	if (s->attempt > 1 && !before)
		return STATUS_PASS;
	return draw(s->h) < chance_of(s, t) ? STATUS_FAIL : STATUS_PASS;
}

static void say_result(struct say *s, const struct test *t, enum status status,
		       unsigned n, uint64_t *line, unsigned more)
{
	struct str path = t->name[s->run >= t->renumbered];
	struct event_result r = {
		.path = &path, .depth = 1, .key = t->key, .status = status, .leaf = true,
		.number = n, .line_from = *line, .duration_ms = -1, .exit_code = -1,
		.ordinal = 1,
	};
	struct event ev = { .type = EVENT_RESULT, .job = 1, .program = s->program,
			    .result = &r };

	*line += 2 + more;
	if (status == STATUS_FAIL) {
		*line += 5 + draw(s->h) % 40;
		r.reason = STR("unexpected result, see the log");
	} else if (status == STATUS_SKIP) {
		r.reason = STR("not supported by this kernel");
	}
	r.line = (*line)++;
	if (s->h->durations)
		r.duration_ms = (int64_t)t->ms * (900 + draw(s->h) % 200) / 1000;
	event_emit(&s->sink, &ev);
}

/* 1: something failed. */
static bool say_program(struct say *s, const struct program *p)
{
	struct event_program e = { .suite = STR("mptcp"), .name = p->name,
				   .attempt = s->attempt, .time_ms = s->time_ms,
				   .exit_code = -1 };
	struct event ev = { .type = EVENT_PROGRAM_BEGIN, .job = 1, .program = ++s->program,
			    .prog = &e };
	size_t odd = draw(s->h) % 10 ? SIZE_MAX : draw(s->h) % p->n;
	struct history *h = s->h;
	uint64_t line = 1;
	unsigned n = 0;
	bool bad = false;

	if (h->cap_failed < p->n) {
		h->cap_failed = p->n;
		h->failed = xrealloc(h->failed, p->n, 1);
	}
	event_emit(&s->sink, &ev);
	for (size_t i = 0; i < p->n; i++) {
		enum status status;

		if (!is_there(s, &p->tests[i]))
			continue;
		status = status_of(s, &p->tests[i], s->attempt > 1 && h->failed[i]);
		h->failed[i] = status == STATUS_FAIL;
		bad |= h->failed[i];
		say_result(s, &p->tests[i], status, ++n, &line, i == odd ? 1 + draw(h) % 3 : 0);
	}
	e.duration_ms = 20000 + (int64_t)(p->n * 700) + draw(h) % 3000;
	s->time_ms += e.duration_ms;
	e.time_ms = s->time_ms;
	e.status = bad ? STATUS_FAIL : STATUS_PASS;
	e.exit_code = bad;
	e.log_lines = line;
	ev.type = EVENT_PROGRAM_END;
	event_emit(&s->sink, &ev);
	return bad;
}

static void say_run(struct say *s, enum event_type type, const char *branch)
{
	char id[40], commit[48];
	struct event_run run = { .title = STR("mptcp"), .branch = str_of(branch),
				 .command = STR("taproom run mptcp"), .time_ms = s->time_ms };
	struct event ev = { .type = type, .run = &run };

	snprintf(id, sizeof(id), "%08u-%06u-%04x", 20150101 + s->run / 16, s->run, s->run & 0xffff);
	snprintf(commit, sizeof(commit), "%08x%08x%08x%08x%08x", draw(s->h), draw(s->h), draw(s->h),
		 draw(s->h), draw(s->h));
	run.id = str_of(id);
	if (type == EVENT_RUN_BEGIN)
		run.commit = str_of(commit);
	else
		run.conclusion = STR("Success");
	event_emit(&s->sink, &ev);
}

static void say_job(struct say *s, enum event_type type)
{
	struct event_job j = {
		.mode = s->debug ? STR("debug") : STR("normal"), .machine = STR("qemu"),
		.accel = STR("kvm"), .why = STR("/dev/kvm is fast enough"),
		.kernel = STR("6.18.0-rc4+"), .host = STR("builder"), .cpus = 4,
		.memory = UINT64_C(2) << 30, .time_ms = s->time_ms,
	};
	struct event ev = { .type = type, .job = 1, .job_info = &j };

	event_emit(&s->sink, &ev);
}

void history_say(struct history *h, unsigned run, struct event_sink sink)
{
	struct say s = { .h = h, .sink = sink, .run = run, .debug = run % 2,
			 .time_ms = EPOCH + (int64_t)run * STEP_MS };
	unsigned which = 0, dice;

	h->random = (run + 1) * UINT64_C(0x9e3779b97f4a7c15);
	dice = draw(h) % 100;
	while (BRANCHES[which].below <= dice)
		which++;
	s.stable = BRANCHES[which].stable;
	s.outage = draw(h) % 300 == 0;
	say_run(&s, EVENT_RUN_BEGIN, BRANCHES[which].branch);
	say_job(&s, EVENT_JOB_BEGIN);
	for (size_t i = 0; i < h->n_programs; i++) {
		s.attempt = 1;
		if (say_program(&s, &h->programs[i]) && i % 3 == 0) {
			s.attempt = 2;
			say_program(&s, &h->programs[i]);
		}
	}
	say_job(&s, EVENT_JOB_END);
	say_run(&s, EVENT_RUN_END, BRANCHES[which].branch);
}
