/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/known.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/regex.h"
#include "tap/parse.h"

#define DEPTH    (TAP_DEPTH_MAX + 3)
#define JOBS_MAX 4096 /* whose mode and machine are kept; as tap/tally.c */
#define NAME_MAX_BYTES 4096

struct rule {
	struct known_rule is;
	struct regex *regex; /* NULL: any failure */
	bool gave_up, told;
};

struct job {
	char *mode, *machine;
};

/* A program that runs. */
struct program {
	unsigned id, job;
	char *suite, *name, *log_path;
	/* Of what failed at each depth since the parent above it was told: what
	 * counts, and what excuses the rest. */
	uint64_t counts[DEPTH];
	const struct event_excuse *excuse[DEPTH];
};

struct knowns {
	struct event_sink next;
	known_log_fn log;
	void *log_ctx;
	struct rule *rules;
	unsigned n;
	char *branch;
	struct job *jobs;
	size_t n_jobs, cap_jobs;
	struct program *open;
	size_t n_open, cap_open;
};

bool known_can_excuse(enum status s)
{
	return s == STATUS_FAIL || s == STATUS_TIMEOUT;
}

int knowns_new(const struct known_rule *rules, unsigned n, known_log_fn log, void *ctx,
	       struct knowns **ret, struct err *err)
{
	struct knowns *k = xcalloc(1, sizeof(*k));

	k->log = log;
	k->log_ctx = ctx;
	k->rules = xcalloc(n, sizeof(*k->rules));
	for (unsigned i = 0; i < n; i++) {
		const char *pattern = rules[i].pattern;
		int r = pattern ? regex_new(pattern, &k->rules[i].regex, NULL, err) : 0;

		if (r < 0) {
			knowns_free(k);
			return err_wrap(err, r, "pattern '%s'", pattern);
		}
		k->rules[i].is = rules[i];
		k->n++;
	}
	*ret = k;
	return 0;
}

static void program_done(struct program *p)
{
	free(p->suite);
	free(p->name);
	free(p->log_path);
}

static void forget(struct knowns *k)
{
	for (size_t i = 0; i < k->n_open; i++)
		program_done(&k->open[i]);
	for (size_t i = 0; i < k->n_jobs; i++) {
		free(k->jobs[i].mode);
		free(k->jobs[i].machine);
	}
	free(k->branch);
	k->branch = NULL;
	k->n_open = k->n_jobs = 0;
}

struct knowns *knowns_free(struct knowns *k)
{
	if (k) {
		forget(k);
		for (unsigned i = 0; i < k->n; i++)
			regex_free(k->rules[i].regex);
		free(k->rules);
		free(k->open);
		free(k->jobs);
		free(k);
	}
	return NULL;
}

/* ---- what a stream says of itself ---- */

static char *copy(struct str s)
{
	return xstrndup(s.p ? s.p : "", s.n);
}

static void job_begin(struct knowns *k, const struct event *ev)
{
	struct job *j;

	if (ev->job >= JOBS_MAX)
		return;
	while (k->n_jobs <= ev->job) {
		ARRAY_GROW(k->jobs, k->n_jobs, k->cap_jobs);
		k->jobs[k->n_jobs++] = (struct job){};
	}
	j = &k->jobs[ev->job];
	free(j->mode);
	free(j->machine);
	*j = (struct job){ copy(ev->job_info->mode), copy(ev->job_info->machine) };
}

static struct program *find(struct knowns *k, unsigned id)
{
	for (size_t i = k->n_open; i-- > 0;)
		if (k->open[i].id == id)
			return &k->open[i];
	return NULL;
}

static void program_begin(struct knowns *k, const struct event *ev)
{
	const struct event_program *e = ev->prog;

	ARRAY_GROW(k->open, k->n_open, k->cap_open);
	k->open[k->n_open++] = (struct program){
		.id = ev->program, .job = ev->job, .suite = copy(e->suite),
		.name = copy(e->name), .log_path = copy(e->log_path),
	};
}

static void program_close(struct knowns *k, struct program *p)
{
	program_done(p);
	*p = k->open[--k->n_open];
}

/* ---- rules ---- */

static bool fits(const char *glob, const char *is)
{
	return !glob || str_glob(glob, is ? is : "");
}

static bool rule_about(const struct knowns *k, const struct rule *r, const struct program *p,
		       struct str name)
{
	const struct job *j = p->job < k->n_jobs ? &k->jobs[p->job] : NULL;

	return fits(r->is.branch, k->branch) && fits(r->is.mode, j ? j->mode : NULL) &&
	       fits(r->is.machine, j ? j->machine : NULL) && r->is.about(r->is.ctx, name);
}

/* The end of a log, where failures are told. */
struct tail {
	struct buf b;
};

static int keep_tail(void *ctx, const char *p, size_t n)
{
	struct tail *t = ctx;

	if (n > KNOWN_LOG_MAX) {
		p += n - KNOWN_LOG_MAX;
		n = KNOWN_LOG_MAX;
	}
	if (t->b.n + n > 2 * (size_t)KNOWN_LOG_MAX) {
		size_t drop = t->b.n - (KNOWN_LOG_MAX - n);

		memmove(t->b.p, t->b.p + drop, t->b.n - drop);
		t->b.n -= drop;
	}
	buf_add(&t->b, p, n);
	return 0;
}

static struct str tail_str(const struct tail *t)
{
	struct str s = buf_str(&t->b);

	return s.n > KNOWN_LOG_MAX ? str_from(s, s.n - KNOWN_LOG_MAX) : s;
}

/* A failure, as rules look at it; its log is read once, and only if asked for. */
struct failure {
	const struct program *p;
	struct str name, reason;
	uint64_t from, to; /* 0: no log */
	struct tail log;
	bool have_log;
};

static struct str log_of(struct knowns *k, struct failure *f)
{
	struct out out;

	if (!f->have_log && f->to && k->log) {
		out_to(&out, keep_tail, &f->log);
		k->log(k->log_ctx, f->p->id, str_of(f->p->log_path), f->from, f->to, &out);
		out_flush(&out);
	}
	f->have_log = true;
	return tail_str(&f->log);
}

static bool matches(struct rule *r, struct str s)
{
	int rc = regex_match(r->regex, s);

	r->gave_up |= rc < 0;
	return rc > 0;
}

static const struct event_excuse *excuse_of(struct knowns *k, struct failure *f)
{
	const struct event_excuse *say = NULL;

	for (unsigned i = 0; i < k->n && !say; i++) {
		struct rule *r = &k->rules[i];

		if (!rule_about(k, r, f->p, f->name))
			continue;
		if (!r->regex || matches(r, f->reason) || matches(r, log_of(k, f)))
			say = &r->is.say;
	}
	buf_done(&f->log.b);
	return say;
}

static struct buf name_of(const struct program *p, const struct event_result *e)
{
	struct buf b = {};

	buf_printf(&b, "%s/%s", p->suite, p->name);
	for (unsigned i = 0; e && i < e->depth && b.n < NAME_MAX_BYTES; i++) {
		buf_add(&b, "/", 1);
		buf_add_str(&b, e->path[i]);
	}
	return b;
}

/* Nothing below counts, and something is excused: that is what it failed of. */
static const struct event_excuse *below(const struct program *p, unsigned depth)
{
	return depth < DEPTH && !p->counts[depth] ? p->excuse[depth] : NULL;
}

static void add(struct program *p, unsigned depth, const struct event_excuse *known)
{
	depth = depth < DEPTH ? depth : DEPTH - 1;
	p->counts[depth] += !known;
	if (known && !p->excuse[depth])
		p->excuse[depth] = known;
}

static const struct event_excuse *result(struct knowns *k, struct program *p,
					 const struct event_result *e)
{
	_cleanup_(buf_done) struct buf name = {};
	const struct event_excuse *known = NULL;
	struct failure f;

	if (!e->leaf)
		known = below(p, e->depth + 1);
	if (!e->leaf && e->depth + 1 < DEPTH) {
		p->counts[e->depth + 1] = 0;
		p->excuse[e->depth + 1] = NULL;
	}
	if (!STATUS_INFO[e->status].bad)
		return NULL;
	if (!known && e->leaf && known_can_excuse(e->status)) {
		name = name_of(p, e);
		f = (struct failure){ .p = p, .name = buf_str(&name), .reason = e->reason,
				      .from = e->line_from, .to = e->line_to };
		known = excuse_of(k, &f);
	}
	if (!known_can_excuse(e->status))
		known = NULL;
	add(p, e->depth, known);
	return known;
}

static const struct event_excuse *program_end(struct knowns *k, struct program *p,
					      const struct event_program *e)
{
	_cleanup_(buf_done) struct buf name = {};
	const struct event_excuse *known = below(p, 1);
	struct failure f;

	/* A timeout is more than its results say. */
	if (known && e->status == STATUS_FAIL)
		return known;
	if (!known_can_excuse(e->status) || p->counts[1])
		return NULL;
	name = name_of(p, NULL);
	f = (struct failure){ .p = p, .name = buf_str(&name), .reason = e->reason,
			      .from = 1, .to = e->log_lines };
	return excuse_of(k, &f);
}

static void on_event(void *ctx, const struct event *ev)
{
	struct knowns *k = ctx;
	struct program *p = ev->program ? find(k, ev->program) : NULL;
	struct event_program prog;
	struct event_result r;
	struct event out = *ev;

	if (ev->type == EVENT_RUN_BEGIN) {
		forget(k);
		k->branch = copy(ev->run->branch);
	} else if (ev->type == EVENT_JOB_BEGIN) {
		job_begin(k, ev);
	} else if (ev->type == EVENT_PROGRAM_BEGIN) {
		program_begin(k, ev);
	} else if (ev->type == EVENT_RESULT && p) {
		r = *ev->result;
		r.known = result(k, p, &r);
		out.result = &r;
	} else if (ev->type == EVENT_PROGRAM_END && p) {
		prog = *ev->prog;
		prog.known = program_end(k, p, &prog);
		out.prog = &prog;
		program_close(k, p);
	}
	event_emit(&k->next, &out);
}

struct event_sink knowns_sink(struct knowns *k, struct event_sink next)
{
	if (!k)
		return next;
	k->next = next;
	return (struct event_sink){ on_event, k };
}

const char *knowns_gave_up(struct knowns *k)
{
	for (unsigned i = 0; k && i < k->n; i++) {
		if (!k->rules[i].gave_up || k->rules[i].told)
			continue;
		k->rules[i].told = true;
		return k->rules[i].is.pattern;
	}
	return NULL;
}
