/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-keep.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"

#define JOB "job-" /* run/slot.c's name of a machine's directory */

struct kept {
	struct run_keep *keep;
	struct kept *next;
	struct machine *m;
	struct run_kept what;
	struct loop_watch *idle;
	bool dead;
};

struct run_keep {
	struct loop *loop;
	const struct log *log;
	struct kept *first;
	int64_t idle_ms;
	bool waits; /* nobody else turns the loop */
};

static struct kept *kept_free(struct kept *k)
{
	struct kept *next = k->next;

	loop_unwatch(k->idle);
	machine_free(k->m);
	dir_remove(k->what.work_dir, NULL);
	free(k->what.work_dir);
	free(k);
	return next;
}

/* "<cache>/work/k3fQ9x/job-1" to "k3fQ9x-1". */
static char *id_of(const char *work_dir)
{
	_free_ char *parent = path_dir(work_dir);
	const char *job = path_base(work_dir);

	return xasprintf("%s-%s", path_base(parent), job + strlen(JOB));
}

/* Not from inside its own callback is it freed. */
static void over(struct kept *k)
{
	struct run_keep *keep = k->keep;

	k->dead = true;
	for (k = keep->first; k; k = k->next)
		if (!k->dead)
			return;
	if (keep->waits)
		loop_stop(keep->loop);
}

static void on_died(void *ctx, struct machine *m, enum machine_death how, const char *why)
{
	struct kept *k = ctx;

	if (k->dead)
		return;
	log_warn(k->keep->log, "the machine that was kept ended: %s: %s", MACHINE_ENDS[how].word,
		 why);
	over(k);
}

static void on_used(void *ctx, bool inside)
{
	struct kept *k = ctx;
	_free_ char *id = id_of(k->what.work_dir);

	loop_timer_set(k->idle, inside ? -1 : k->keep->idle_ms);
	log_info(k->keep->log, "machine %s was %s", id, inside ? "entered" : "left");
}

static void on_idle(void *ctx)
{
	struct kept *k = ctx;
	_free_ char *id = id_of(k->what.work_dir);
	char text[UNIT_TEXT_MAX];

	log_info(k->keep->log, "machine %s ends: nobody was in it for %s", id,
		 duration_text(k->keep->idle_ms, text));
	over(k);
}

static const struct machine_events EVENTS = { .died = on_died };

struct run_keep *run_keep_new(struct loop *loop, const struct log *log, int64_t idle_ms)
{
	struct run_keep *k = xcalloc(1, sizeof(*k));

	*k = (struct run_keep){ .loop = loop, .log = log, .idle_ms = idle_ms };
	return k;
}

struct run_keep *run_keep_free(struct run_keep *keep)
{
	while (keep && keep->first)
		keep->first = kept_free(keep->first);
	free(keep);
	return NULL;
}

void run_keep_take(void *ctx, struct machine *m, struct run_kept *what)
{
	struct run_keep *keep = ctx;
	struct kept *k = xcalloc(1, sizeof(*k));
	struct err err = {};

	*k = (struct kept){ .keep = keep, .next = keep->first, .m = m, .what = *what };
	k->idle = loop_timer(keep->loop, on_idle, k);
	keep->first = k;
	if (machine_keep(m, &EVENTS, on_used, k, &err) < 0) {
		log_warn(keep->log, "machine %u is not kept: %s", what->job, err.text);
		k->dead = true;
	}
	loop_timer_set(k->idle, keep->idle_ms);
}

static void tell(const struct kept *k)
{
	_free_ char *id = id_of(k->what.work_dir);
	struct machine_facts f;
	char text[UNIT_TEXT_MAX];

	machine_facts(k->m, &f);
	log_info(k->keep->log, "machine %u (%s, %s) is kept until Ctrl-C here, or until nobody was "
		 "in it for %s: taproom shell --enter %s", k->what.job, k->what.mode, f.kind,
		 duration_text(k->keep->idle_ms, text), id);
}

void run_keep_wait(struct run_keep *keep)
{
	bool any = false;

	for (struct kept *k = keep->first; k; k = k->next) {
		if (!k->dead)
			tell(k);
		any |= !k->dead;
	}
	keep->waits = true;
	if (any)
		loop_run(keep->loop);
	else
		log_warn(keep->log, "no machine is kept: none was left when the last test ended");
	keep->waits = false;
}

void run_keep_stop(struct run_keep *keep)
{
	if (keep->waits)
		loop_stop(keep->loop);
}

/* ---- from outside ---- */

/* Calls @each with the ID and directory of every machine that has a door. */
static void doors(const char *cache_dir, void (*each)(void *ctx, const char *dir), void *ctx)
{
	_free_ char *work = path_join(cache_dir, "work");
	DIR *d = opendir(work), *jobs;
	struct dirent *e, *j;

	while (d && (e = readdir(d))) {
		_free_ char *path = path_join(work, e->d_name);

		jobs = e->d_name[0] == '.' ? NULL : opendir(path);
		while (jobs && (j = readdir(jobs))) {
			_free_ char *dir = path_join(path, j->d_name);
			_free_ char *door = path_join(dir, "door");

			if (strncmp(j->d_name, JOB, strlen(JOB)) == 0 && file_exists(door))
				each(ctx, dir);
		}
		if (jobs)
			closedir(jobs);
	}
	if (d)
		closedir(d);
}

struct search {
	const char *id;
	char *found;
	struct buf others;
};

static void look(void *ctx, const char *dir)
{
	_free_ char *id = id_of(dir);
	struct search *s = ctx;

	if (!s->found && strcmp(id, s->id) == 0)
		s->found = xstrdup(dir);
	buf_printf(&s->others, "%s%s", s->others.n ? ", " : "", id);
}

int run_keep_enter(const char *id, const char *cache_dir, const char *work_dir,
		   struct loop *loop, const struct log *log, const struct machine_events *events,
		   void *ctx, struct machine **ret, struct err *err)
{
	struct search s = { .id = id, .others.max = 200 };
	_free_ char *dir = NULL;

	doors(cache_dir, look, &s);
	dir = s.found;
	if (!dir)
		err_set(err, ENOENT, "no machine '%s' is kept; %s%s", id,
			s.others.n ? "there are: " : "'taproom run --keep' keeps one",
			s.others.n ? buf_str(&s.others).p : "");
	buf_done(&s.others);
	return dir ? machine_enter(dir, work_dir, loop, log, events, ctx, ret, err) : -ENOENT;
}
