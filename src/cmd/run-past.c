/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-past.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/shell-word.h"

struct past_program {
	char *mode, *machine, *suite, *name;
	unsigned attempt;
	enum status status;
	bool stopped;
};

/* Jobs of the run, while it is read. */
struct reader {
	struct run_past *past;
	struct past_job {
		unsigned number;
		char *mode, *machine;
	} *jobs;
	size_t n_jobs, cap_jobs;
};

static void reader_done(struct reader *r)
{
	for (size_t i = 0; i < r->n_jobs; i++) {
		free(r->jobs[i].mode);
		free(r->jobs[i].machine);
	}
	free(r->jobs);
}

static struct past_program *find(const struct run_past *p, const char *mode, const char *machine,
				 struct str suite, struct str name)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(name, str_of(p->v[i].name)) && str_eq(suite, str_of(p->v[i].suite)) &&
		    strcmp(p->v[i].mode, mode) == 0 && strcmp(p->v[i].machine, machine) == 0)
			return &p->v[i];
	return NULL;
}

static void on_end(struct reader *r, const struct past_job *job, const struct event_program *e)
{
	struct run_past *p = r->past;
	struct past_program *one = find(p, job->mode, job->machine, e->suite, e->name);

	if (!one) {
		ARRAY_GROW(p->v, p->n, p->cap);
		one = &p->v[p->n++];
		*one = (struct past_program){
			.mode = xstrdup(job->mode),
			.machine = xstrdup(job->machine),
			.suite = xstrndup(e->suite.p, e->suite.n),
			.name = xstrndup(e->name.p, e->name.n),
		};
	}
	if (e->attempt < one->attempt)
		return;
	one->attempt = e->attempt;
	one->status = e->status;
	one->stopped = e->status == STATUS_SKIP &&
		       str_eq(e->reason, STR("stopped by the user"));
}

static void on_event(void *ctx, const struct event *ev)
{
	struct reader *r = ctx;
	const struct event_job *j;

	if (ev->type == EVENT_JOB_BEGIN) {
		j = ev->job_info;
		ARRAY_GROW(r->jobs, r->n_jobs, r->cap_jobs);
		r->jobs[r->n_jobs++] = (struct past_job){
			ev->job, xstrndup(j->mode.p, j->mode.n),
			xstrndup(j->machine.p, j->machine.n),
		};
	}
	for (size_t i = 0; ev->type == EVENT_PROGRAM_END && i < r->n_jobs; i++)
		if (r->jobs[i].number == ev->job)
			on_end(r, &r->jobs[i], ev->prog);
}

/* "cd DIR && taproom run ...", as run writes it. */
static void take_command(struct run_past *p, struct str command)
{
	p->words = shell_split(command, &p->n_words);
	if (p->n_words > 3 && strcmp(p->words[0], "cd") == 0 && strcmp(p->words[2], "&&") == 0) {
		p->dir = xstrdup(p->words[1]);
		for (int i = 0; i < 3; i++)
			free(p->words[i]);
		p->n_words -= 3;
		memmove(p->words, p->words + 3, ((size_t)p->n_words + 1) * sizeof(*p->words));
	}
	p->argv = xcalloc((size_t)p->n_words + 1, sizeof(*p->argv));
	memcpy(p->argv, p->words, (size_t)p->n_words * sizeof(*p->argv));
}

static int take_run(void *ctx, const struct store_run *run)
{
	struct run_past *p = ctx;

	p->id = run->id;
	p->uid = xstrndup(run->uid.p, run->uid.n);
	p->commit = xstrndup(run->commit.p ? run->commit.p : "", run->commit.n);
	p->title = xstrndup(run->title.p ? run->title.p : "", run->title.n);
	p->branch = xstrndup(run->branch.p ? run->branch.p : "", run->branch.n);
	p->command = xstrndup(run->command.p ? run->command.p : "", run->command.n);
	take_command(p, run->command);
	return 1;
}

static int take_interrupted(void *ctx, const struct store_run *run)
{
	if (run->state != STORE_RUN_STOPPED && run->state != STORE_RUN_LOST)
		return 0;
	return take_run(ctx, run);
}

int run_past_load(struct store *s, const char *spec, struct run_past *ret, struct err *err)
{
	_cleanup_(reader_done) struct reader reader = { .past = ret };
	struct store_runs_filter filter = { .limit = 100 };
	int64_t id;
	int r;

	*ret = (struct run_past){};
	if (spec) {
		r = store_run_find(s, spec, &id, err);
		if (r >= 0)
			r = store_run_get(s, id, take_run, ret, err);
	} else {
		r = store_runs(s, &filter, take_interrupted, ret, err);
		if (r == 0)
			r = err_set(err, ENOENT, "none of the last runs was interrupted; name one: "
				    "taproom run --resume RUN");
	}
	if (r >= 0 && (ret->n_words < 2 || strcmp(ret->words[0], "taproom") != 0 ||
		       strcmp(ret->words[1], "run") != 0))
		r = err_set(err, EINVAL, "run %" PRId64 " was not made by 'taproom run'", ret->id);
	if (r >= 0)
		r = store_replay(s, ret->id, (struct event_sink){ on_event, &reader }, err);
	if (r < 0)
		run_past_done(ret);
	return r < 0 ? r : 0;
}

static bool is_done(const struct past_program *p, unsigned retries)
{
	if (p->stopped)
		return false;
	return !STATUS_INFO[p->status].bad || p->attempt > retries;
}

void run_past_apply(struct run_past *past, struct run_plan *plan, unsigned retries)
{
	for (unsigned i = 0; i < plan->n_parts; i++) {
		struct run_part *part = &plan->parts[i];
		struct plan_tests *t = &part->tests, gone = {};
		size_t n = 0;

		for (size_t k = 0; k < t->n; k++) {
			struct past_program *one = find(past, part->mode.name, part->machine,
							str_of(t->v[k].suite),
							str_of(t->v[k].name));

			if (one && is_done(one, retries)) {
				*plan_tests_add(&gone) = t->v[k];
				continue;
			}
			t->v[k].attempts = one ? one->attempt : 0;
			t->v[n++] = t->v[k];
		}
		past->done += gone.n;
		t->n = n;
		plan_tests_done(&gone);
	}
}

struct inner {
	const struct event_sink *sink;
};

static void without_run(void *ctx, const struct event *ev)
{
	const struct inner *i = ctx;

	if (ev->type != EVENT_RUN_BEGIN && ev->type != EVENT_RUN_END)
		event_emit(i->sink, ev);
}

void run_past_tell(const struct run_past *past, struct store *s, const struct event_sink *sink)
{
	struct inner inner = { sink };

	store_replay(s, past->id, (struct event_sink){ without_run, &inner }, NULL);
}

void run_past_done(struct run_past *p)
{
	for (int i = 0; i < p->n_words; i++)
		free(p->words[i]);
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].mode);
		free(p->v[i].machine);
		free(p->v[i].suite);
		free(p->v[i].name);
	}
	free(p->words);
	free(p->argv);
	free(p->v);
	free(p->uid);
	free(p->commit);
	free(p->title);
	free(p->branch);
	free(p->command);
	free(p->dir);
	*p = (struct run_past){};
}
