/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/matrix.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"
#include "plan/place.h"

#define NUMBER_MAX 1000000

/* Texts of `run` that are numbers or times, and where these go. */
static const struct value {
	const char *key;
	size_t text, number; /* offsets in struct plan_run */
	bool time;
} VALUES[] = {
#define TIME(key)                                                                                  \
	{ #key, offsetof(struct plan_run, key), offsetof(struct plan_run, key##_ms), true }
#define NUMBER(key) { #key, offsetof(struct plan_run, key), offsetof(struct plan_run, key##_n) }
	TIME(timeout), TIME(job_timeout), TIME(test_timeout), TIME(silent_timeout),
	NUMBER(repeat), NUMBER(retries), NUMBER(jobs), NUMBER(split),
};

static int check_value(struct plan_run *run, const struct value *v, struct str text,
		       const char *path, struct err *err)
{
	const char *is = *(char *const *)((const char *)run + v->text);
	void *to = (char *)run + v->number;
	struct err why = {};
	struct place p;
	uint64_t n;

	if (!is)
		return 0;
	p = place_of(text, "run", PLACE_NONE, v->key);
	if (v->time) {
		if (duration_parse(str_of(is), to, &why) < 0 || *(int64_t *)to <= 0)
			return err_set(err, EINVAL, "%s:%zu:%zu: '%.100s' is no time, such as 90, "
				       "5m or 2h", path, p.line, p.column, is);
		return 0;
	}
	if (!str_to_u64(str_of(is), &n) || n > NUMBER_MAX)
		return err_set(err, EINVAL, "%s:%zu:%zu: '%.100s' is no number from 0 to %d",
			       path, p.line, p.column, is, NUMBER_MAX);
	*(unsigned *)to = (unsigned)n;
	return 0;
}

static int check_flag(struct plan_run *run, struct str text, const char *path, struct err *err)
{
	struct place p;

	run->fail_fast_on = run->fail_fast && strcmp(run->fail_fast, "yes") == 0;
	if (!run->fail_fast || run->fail_fast_on || strcmp(run->fail_fast, "no") == 0)
		return 0;
	p = place_of(text, "run", PLACE_NONE, "fail_fast");
	return err_set(err, EINVAL, "%s:%zu:%zu: '%.100s' is neither yes nor no", path, p.line,
		       p.column, run->fail_fast);
}

static const char *const MACHINES[] = { "auto", "qemu", "uml", "host" };

static int check_machine(const char *name, struct place p, const char *path, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(MACHINES); i++)
		if (strcmp(name, MACHINES[i]) == 0)
			return 0;
	return err_set(err, EINVAL, "%s:%zu:%zu: no machine '%.100s'; there are auto, qemu, uml "
		       "and host", path, p.line, p.column, name);
}

static int check_mode(const struct plan *plan, const char *name, struct place p,
		      const char *path, struct err *err)
{
	struct plan_mode_all all;
	struct err why = {};

	if (plan_mode_find(plan, name, &all, &why) == 0)
		return 0;
	return err_set(err, EINVAL, "%s:%zu:%zu: %s", path, p.line, p.column, why.text);
}

/* An added job has to be one; what is excluded are patterns. */
static int check_include(const struct plan *plan, unsigned i, struct str text, const char *path,
			 struct err *err)
{
	const struct plan_where *w = &plan->run.include[i];
	struct place p = place_of(text, "run/include", i, NULL);
	int r = 0;

	if (!w->mode && !w->machine)
		return err_set(err, EINVAL, "%s:%zu:%zu: an entry of 'include' has a mode or a "
			       "machine", path, p.line, p.column);
	if (w->mode)
		r = check_mode(plan, w->mode, place_of(text, "run/include", i, "mode"), path, err);
	if (r == 0 && w->machine)
		r = check_machine(w->machine, place_of(text, "run/include", i, "machine"), path,
				  err);
	return r;
}

static int check_exclude(const struct plan *plan, unsigned i, struct str text, const char *path,
			 struct err *err)
{
	const struct plan_where *w = &plan->run.exclude[i];
	struct place p = place_of(text, "run/exclude", i, NULL);

	if (w->mode || w->machine || w->tests_count)
		return 0;
	return err_set(err, EINVAL, "%s:%zu:%zu: an entry of 'exclude' has a mode, a machine or "
		       "tests", path, p.line, p.column);
}

static int check_tree(const struct plan *plan, unsigned i, struct str text, const char *path,
		      struct err *err)
{
	const struct plan_tree *t = &plan->trees[i];
	struct place p = place_of(text, "trees", i, NULL);

	if (!t->name)
		return err_set(err, EINVAL, "%s:%zu:%zu: a tree has no name", path, p.line,
			       p.column);
	if (t->name[strcspn(t->name, ", \t\n")] || t->name[0] == '-')
		return err_set(err, EINVAL, "%s:%zu:%zu: tree '%s': a name has no blanks and no "
			       "comma", path, p.line, p.column, t->name);
	for (unsigned j = 0; j < i; j++)
		if (strcmp(t->name, plan->trees[j].name) == 0)
			return err_set(err, EINVAL, "%s:%zu:%zu: two trees are called '%s'", path,
				       p.line, p.column, t->name);
	if (!t->kernel == !t->branches_count)
		return err_set(err, EINVAL, "%s:%zu:%zu: tree '%s' has either a kernel or branches",
			       path, p.line, p.column, t->name);
	return 0;
}

int matrix_check(struct plan *p, struct str text, const char *path, struct err *err)
{
	struct plan_run *run = &p->run;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(VALUES) && r == 0; i++)
		r = check_value(run, &VALUES[i], text, path, err);
	if (r == 0)
		r = check_flag(run, text, path, err);
	for (unsigned i = 0; i < run->modes_count && r == 0; i++)
		r = check_mode(p, run->modes[i], place_of(text, "run/modes", i, NULL), path, err);
	for (unsigned i = 0; i < run->machines_count && r == 0; i++)
		r = check_machine(run->machines[i], place_of(text, "run/machines", i, NULL), path,
				  err);
	for (unsigned i = 0; i < run->include_count && r == 0; i++)
		r = check_include(p, i, text, path, err);
	for (unsigned i = 0; i < run->exclude_count && r == 0; i++)
		r = check_exclude(p, i, text, path, err);
	for (unsigned i = 0; i < p->trees_count && r == 0; i++)
		r = check_tree(p, i, text, path, err);
	return r;
}

/* ---- the jobs ---- */

static struct plan_job *job_add(struct plan_jobs *jobs, const char *mode, const char *machine)
{
	ARRAY_GROW(jobs->v, jobs->n, jobs->cap);
	jobs->v[jobs->n] = (struct plan_job){ xstrdup(mode), xstrdup(machine), NULL };
	return &jobs->v[jobs->n++];
}

static struct plan_job *job_find(struct plan_jobs *jobs, const char *mode, const char *machine)
{
	for (size_t i = 0; i < jobs->n; i++)
		if (strcmp(jobs->v[i].mode, mode) == 0 && strcmp(jobs->v[i].machine, machine) == 0)
			return &jobs->v[i];
	return NULL;
}

static bool fits(const char *glob, const char *name)
{
	return !glob || str_glob(glob, name);
}

static bool excluded(const struct plan_run *run, const char *mode, const char *machine)
{
	for (unsigned i = 0; i < run->exclude_count; i++) {
		const struct plan_where *w = &run->exclude[i];

		if (!w->tests_count && fits(w->mode, mode) && fits(w->machine, machine))
			return true;
	}
	return false;
}

/* The words of a comma-separated option, else a list of the file, else one word. */
struct words {
	char **v;
	size_t n, cap;
};

static void words_add(struct words *w, struct str word)
{
	if (!word.n)
		return;
	ARRAY_GROW(w->v, w->n, w->cap);
	w->v[w->n++] = xstrndup(word.p, word.n);
}

static void words_make(struct words *w, const char *option, char *const *file, unsigned n,
		       const char *otherwise)
{
	for (struct str rest = str_of(option); option && rest.p;)
		words_add(w, str_cut(&rest, ','));
	for (unsigned i = 0; !option && i < n; i++)
		words_add(w, str_of(file[i]));
	if (!w->n)
		words_add(w, str_of(otherwise));
}

static void words_done(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i]);
	free(w->v);
}

static void add_included(const struct plan_run *run, const struct words *modes,
			 const struct words *machines, struct plan_jobs *jobs)
{
	for (unsigned i = 0; i < run->include_count; i++) {
		const struct plan_where *w = &run->include[i];

		for (size_t k = 0; k < (w->mode ? 1 : modes->n); k++)
			for (size_t l = 0; l < (w->machine ? 1 : machines->n); l++) {
				const char *mode = w->mode ? w->mode : modes->v[k];
				const char *machine = w->machine ? w->machine : machines->v[l];

				if (job_find(jobs, mode, machine))
					continue;
				job_add(jobs, mode, machine)->only = w->tests_count ? w : NULL;
			}
	}
}

int plan_jobs_make(const struct plan *p, const char *modes, const char *machines,
		   struct plan_jobs *ret, struct err *err)
{
	_cleanup_(words_done) struct words mode = {}, machine = {};
	struct plan_jobs jobs = {};
	int r = 0;

	words_make(&mode, modes, p->run.modes, p->run.modes_count, "normal");
	words_make(&machine, machines, p->run.machines, p->run.machines_count, "auto");
	for (size_t i = 0; i < mode.n; i++)
		for (size_t k = 0; k < machine.n; k++)
			if (!excluded(&p->run, mode.v[i], machine.v[k]) &&
			    !job_find(&jobs, mode.v[i], machine.v[k]))
				job_add(&jobs, mode.v[i], machine.v[k]);
	/* Whoever names modes or machines wants these. */
	if (!modes && !machines)
		add_included(&p->run, &mode, &machine, &jobs);
	if (jobs.n > PLAN_JOBS_MAX)
		r = err_set(err, EINVAL, "%zu jobs: at most %d modes on machines are one run",
			    jobs.n, PLAN_JOBS_MAX);
	else if (!jobs.n)
		r = err_set(err, EINVAL, "no job is left: the configuration's 'exclude' has them "
			    "all");
	if (r < 0)
		plan_jobs_done(&jobs);
	else
		*ret = jobs;
	return r;
}

void plan_jobs_done(struct plan_jobs *jobs)
{
	for (size_t i = 0; i < jobs->n; i++) {
		free(jobs->v[i].mode);
		free(jobs->v[i].machine);
	}
	free(jobs->v);
	*jobs = (struct plan_jobs){};
}

static bool any_fits(char *const *globs, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (str_glob(globs[i], name))
			return true;
	return n == 0;
}

bool plan_suite_fits(const struct plan_suite *s, const char *mode, const char *machine)
{
	return any_fits(s->modes, s->modes_count, mode) &&
	       any_fits(s->machines, s->machines_count, machine);
}

bool plan_test_fits(const struct plan *p, const char *mode, const char *machine,
		    const struct plan_test *t)
{
	_free_ char *name = xasprintf("%s/%s", t->suite, t->name);

	for (unsigned i = 0; i < p->run.exclude_count; i++) {
		const struct plan_where *w = &p->run.exclude[i];

		if (!fits(w->mode, mode) || !fits(w->machine, machine))
			continue;
		for (unsigned k = 0; k < w->tests_count; k++) {
			struct plan_known rule = { .test = w->tests[k] };

			if (plan_known_about(&rule, str_of(name)))
				return false;
		}
	}
	return true;
}

/* ---- the trees ---- */

static struct plan_source *source_add(struct plan_sources *s)
{
	ARRAY_GROW(s->v, s->n, s->cap);
	s->v[s->n] = (struct plan_source){};
	return &s->v[s->n++];
}

static void add_tree(const struct plan_tree *t, struct plan_sources *ret)
{
	struct plan_source *s;

	for (unsigned i = 0; i < t->branches_count; i++) {
		s = source_add(ret);
		s->kernel = xasprintf("git:%s", t->branches[i]);
		s->branch = xstrdup(t->branch ? t->branch : t->branches[i]);
	}
	if (t->branches_count)
		return;
	s = source_add(ret);
	s->kernel = xstrdup(t->kernel);
	s->branch = t->branch ? xstrdup(t->branch) : NULL;
}

static int unknown_tree(const struct plan *p, const char *name, struct err *err)
{
	_cleanup_(buf_done) struct buf b = { .max = 300 };

	for (unsigned i = 0; i < p->trees_count; i++)
		buf_printf(&b, "%s%s", i ? ", " : ": there are ", p->trees[i].name);
	return err_set(err, EINVAL, "no tree '%s'%.*s", name,
		       STR_FMT(b.n ? buf_str(&b) : STR(" in the configuration")));
}

int plan_sources_make(const struct plan *p, const char *trees, struct plan_sources *ret,
		      struct err *err)
{
	_cleanup_(words_done) struct words names = {};
	struct plan_sources all = {};
	int r = 0;

	words_make(&names, trees, p->run.trees, p->run.trees_count, "");
	for (unsigned i = 0; i < p->trees_count && !names.n; i++)
		add_tree(&p->trees[i], &all);
	for (size_t i = 0; i < names.n && r == 0; i++) {
		bool found = false;

		for (unsigned k = 0; k < p->trees_count && !found; k++) {
			found = strcmp(p->trees[k].name, names.v[i]) == 0;
			if (found)
				add_tree(&p->trees[k], &all);
		}
		if (!found)
			r = unknown_tree(p, names.v[i], err);
	}
	/* Without trees: the one kernel of the configuration or the command line. */
	if (r == 0 && !all.n)
		source_add(&all);
	if (r < 0)
		plan_sources_done(&all);
	else
		*ret = all;
	return r;
}

void plan_sources_done(struct plan_sources *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].kernel);
		free(s->v[i].branch);
	}
	free(s->v);
	*s = (struct plan_sources){};
}
