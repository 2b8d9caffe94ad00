/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/tally.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"

#define MODES_MAX 4096 /* jobs of a run */

struct tally_program {
	unsigned id;   /* event.program */
	uint64_t what; /* mode, machine, suite and name, hashed: the same for a retry */
	bool open, ended_bad, degraded;
	/* Its part of the tally's numbers. */
	uint64_t counts[STATUS_N], results, bad, known, harness, crashes;
	char *name;    /* "mptcp/pm_netlink.sh" */
};

/* FNV-1a, 64 bits. */
static uint64_t hash(uint64_t h, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
	return (h ^ 0xff) * 0x100000001b3u;
}

static uint64_t mode_of(const struct tally *t, unsigned job)
{
	return job < t->n_modes ? t->modes[job] : 0;
}

static void job_begin(struct tally *t, const struct event *ev)
{
	if (ev->job >= MODES_MAX)
		return;
	while (t->n_modes <= ev->job) {
		ARRAY_GROW(t->modes, t->n_modes, t->cap_modes);
		t->modes[t->n_modes++] = 0;
	}
	t->modes[ev->job] = hash(hash(0, ev->job_info->mode), ev->job_info->machine);
}

/* The one that is running under this number; `taproom parse` has one unnamed. */
static unsigned find_open(struct tally *t, unsigned id)
{
	for (unsigned i = t->n_all; i-- > 0;)
		if (t->all[i].open && t->all[i].id == id)
			return i;
	ARRAY_GROW(t->all, t->n_all, t->cap_all);
	t->all[t->n_all] = (struct tally_program){ .id = id, .open = true };
	return t->n_all++;
}

static void count(struct tally *t, struct tally_program *p, enum status s)
{
	p->counts[s]++;
	p->results++;
	t->counts[s]++;
	t->results++;
}

/* One more failed test. Without a path it is the program itself. */
static void add_bad(struct tally *t, unsigned i, enum status s, const struct str *path,
		    unsigned depth)
{
	struct tally_program *p = &t->all[i];
	struct buf name = {};

	p->bad++;
	p->harness += s == STATUS_ERROR;
	p->crashes += s == STATUS_CRASH;
	t->bad++;
	t->harness += s == STATUS_ERROR;
	t->crashes += s == STATUS_CRASH;
	if (t->n_names == TALLY_NAMES_MAX)
		return;
	buf_add_str(&name, str_of(p->name));
	for (unsigned k = 0; k < depth; k++) {
		buf_add(&name, "/", name.n > 0);
		buf_add_str(&name, path[k]);
	}
	t->names[t->n_names++] = (struct tally_name){ buf_take(&name), i };
}

/* A program begins again: its last attempt never was. */
static void take_back(struct tally *t, unsigned i)
{
	struct tally_program *p = &t->all[i];
	unsigned kept = 0;

	for (unsigned s = 0; s < STATUS_N; s++)
		t->counts[s] -= p->counts[s];
	t->results -= p->results;
	t->bad -= p->bad;
	t->known -= p->known;
	t->harness -= p->harness;
	t->crashes -= p->crashes;
	t->programs--;
	t->programs_bad -= p->ended_bad;
	for (unsigned k = 0; k < t->n_names; k++) {
		if (t->names[k].program == i)
			free(t->names[k].text);
		else
			t->names[kept++] = t->names[k];
	}
	t->n_names = kept;
	*p = (struct tally_program){ .id = p->id, .what = p->what, .name = p->name };
}

static void program_begin(struct tally *t, const struct event *ev)
{
	const struct event_program *e = ev->prog;
	uint64_t what = hash(hash(mode_of(t, ev->job), e->suite), e->name);
	struct tally_program *p;
	unsigned i;

	for (i = 0; i < t->n_all && e->attempt > 1; i++) {
		if (t->all[i].open || t->all[i].what != what)
			continue;
		take_back(t, i);
		t->all[i].open = true;
		t->all[i].id = ev->program;
		return;
	}
	i = find_open(t, ev->program);
	p = &t->all[i];
	p->what = what;
	free(p->name);
	p->name = xasprintf("%.*s%s%.*s", STR_FMT(e->suite), e->suite.n ? "/" : "",
			    STR_FMT(e->name));
}

static void add_known(struct tally *t, unsigned i)
{
	t->all[i].known++;
	t->known++;
}

static void program_end(struct tally *t, const struct event *ev)
{
	unsigned i = find_open(t, ev->program);
	struct tally_program *p = &t->all[i];
	enum status s = ev->prog->status;
	bool bad = STATUS_INFO[s].bad, known = ev->prog->known != NULL;

	if (status_end_counts(s, p->counts)) {
		count(t, p, s);
		if (bad && known)
			add_known(t, i);
		else if (bad)
			add_bad(t, i, s, NULL, 0);
	}
	bad = bad && !known;
	p->ended_bad = bad;
	t->programs++;
	t->programs_bad += bad;
	p->open = false;
}

static void result(struct tally *t, const struct event *ev)
{
	const struct event_result *r = ev->result;
	unsigned i;

	if (!r->leaf)
		return;
	i = find_open(t, ev->program);
	count(t, &t->all[i], r->status);
	if (r->known)
		add_known(t, i);
	else if (STATUS_INFO[r->status].bad)
		add_bad(t, i, r->status, r->path, r->depth);
}

static void problem(struct tally *t, const struct event *ev)
{
	t->problems++;
	if (ev->problem->what == PROBLEM_DEGRADED) {
		unsigned i = find_open(t, ev->program);

		t->all[i].degraded = true;
	}
}

static void on_event(void *ctx, const struct event *ev)
{
	struct tally *t = ctx;

	switch (ev->type) {
	case EVENT_JOB_BEGIN: job_begin(t, ev); break;
	case EVENT_PROGRAM_BEGIN: program_begin(t, ev); break;
	case EVENT_PROGRAM_END: program_end(t, ev); break;
	case EVENT_RESULT: result(t, ev); break;
	case EVENT_PROBLEM: problem(t, ev); break;
	case EVENT_SPLAT:
		if (ev->splat->excuse)
			t->excused++;
		else if (!t->splats++)
			t->splat = xstrndup(ev->splat->title.p, ev->splat->title.n);
		break;
	case EVENT_RUN_BEGIN:
	case EVENT_RUN_END:
	case EVENT_JOB_END:
	case EVENT_ARTEFACT: break;
	}
}

struct event_sink tally_sink(struct tally *t)
{
	return (struct event_sink){ on_event, t };
}

void tally_done(struct tally *t)
{
	for (unsigned i = 0; i < t->n_names; i++)
		free(t->names[i].text);
	for (unsigned i = 0; i < t->n_all; i++)
		free(t->all[i].name);
	free(t->all);
	free(t->modes);
	free(t->splat);
	*t = (struct tally){};
}

int tally_exit_code(const struct tally *t)
{
	if (t->splats || t->crashes)
		return 3;
	if (t->bad)
		return t->harness == t->bad ? 4 : 1;
	return t->results ? 0 : 4;
}

static void add_names(const struct tally *t, struct buf *ret)
{
	for (unsigned i = 0; i < t->n_names; i++)
		buf_printf(ret, "%s%s", i ? ", " : ": ", t->names[i].text);
	if (t->bad > t->n_names)
		buf_printf(ret, ", and %" PRIu64 " more", t->bad - t->n_names);
}

static void add_excused(const struct tally *t, struct buf *ret)
{
	if (t->known)
		buf_printf(ret, ", %" PRIu64 " known issue(s)", t->known);
	if (t->excused)
		buf_printf(ret, ", %" PRIu64 " splat(s) ignored", t->excused);
}

/* Passes that may not have tested anything. */
static void add_degraded(const struct tally *t, struct buf *ret)
{
	unsigned n = 0, told = 0;

	for (unsigned i = 0; i < t->n_all; i++)
		n += t->all[i].degraded && t->all[i].name && !t->all[i].ended_bad;
	if (!n)
		return;
	buf_printf(ret, ", %u degraded", n);
	for (unsigned i = 0; i < t->n_all && told < TALLY_NAMES_MAX; i++)
		if (t->all[i].degraded && t->all[i].name && !t->all[i].ended_bad)
			buf_printf(ret, "%s%s", told++ ? ", " : ": ", t->all[i].name);
	if (n > told)
		buf_printf(ret, ", and %u more", n - told);
}

void tally_conclusion(const struct tally *t, struct buf *ret)
{
	int code = tally_exit_code(t);

	switch (code) {
	case 0:
		buf_printf(ret, "Success");
		if (t->counts[STATUS_FLAKY])
			buf_printf(ret, ", %" PRIu64 " flaky", t->counts[STATUS_FLAKY]);
		add_excused(t, ret);
		add_degraded(t, ret);
		return;
	case 1:
		buf_printf(ret, "Unstable: %" PRIu64 " failed test(s)", t->bad);
		add_names(t, ret);
		if (t->known)
			buf_printf(ret, ", %" PRIu64 " known issue(s)", t->known);
		add_degraded(t, ret);
		return;
	}
	if (!t->results && !t->splats) {
		buf_printf(ret, "Critical: no test ran");
		return;
	}
	buf_printf(ret, "Critical: ");
	if (t->splats)
		buf_printf(ret, "%" PRIu64 " splat(s): %s%s", t->splats, t->splat,
			   t->splats > 1 ? ", ..." : "");
	if (t->splats && t->bad)
		buf_printf(ret, " - ");
	if (t->bad) {
		buf_printf(ret, "%" PRIu64 " %s", t->bad,
			   code == 4 ? "test(s) that the harness failed to run" :
			   t->crashes ? "crashed or failed test(s)" : "failed test(s)");
		add_names(t, ret);
	}
}
