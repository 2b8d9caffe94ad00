/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-hooks.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "cmd/order.h"

#define SUITE      "hooks"
#define TIMEOUT_MS 600000 /* of one; --test-timeout and the job's hold too */

/* Beside the configuration, as its other paths. */
static char *directory(const struct plan *plan)
{
	_free_ char *dir = plan->path ? path_dir(plan->path) : xstrdup(".");

	return realpath(dir, NULL);
}

static char **words(const char *const *v, size_t n)
{
	char **list = xcalloc(n + 1, sizeof(*list));

	for (size_t i = 0; i < n; i++)
		list[i] = xstrdup(v[i]);
	return list;
}

static void add(const struct plan *plan, struct run_part *part, struct plan_tests *to,
		const char *name, const char *command)
{
	const struct kernel *k = part->kernel;
	const char *const argv[] = { "/bin/sh", "-c", command };
	_free_ char *mode = xasprintf("TAPROOM_MODE=%s", part->mode.name);
	_free_ char *kernel = xasprintf("TAPROOM_KERNEL=%s", k && k->release ? k->release : "");
	_free_ char *tree = xasprintf("TAPROOM_TREE=%s", k && k->source ? k->source : "");
	_free_ char *hook = xasprintf("TAPROOM_HOOK=%s", name);
	const char *const env[] = { hook, mode, kernel, tree };
	struct plan_test *t;

	if (!command)
		return;
	t = plan_tests_add(to);
	t->suite = xstrdup(SUITE);
	t->name = xstrdup(name);
	t->argv = words(argv, ARRAY_SIZE(argv));
	t->env = words(env, ARRAY_SIZE(env));
	t->dir = directory(plan);
	t->timeout_ms = TIMEOUT_MS;
	t->by_default = true;
}

void run_hooks_make(const struct plan *plan, struct run_part *part, bool named)
{
	const struct plan_hooks *h = &plan->hooks;

	add(plan, part, &part->hooks, "pre", h->pre);
	add(plan, part, &part->hooks, "post", h->post);
	if (!h->run || named)
		return;
	plan_tests_done(&part->tests);
	add(plan, part, &part->tests, "run", h->run);
}

const struct plan_test *run_hook(const struct run_part *part, const char *name)
{
	for (size_t i = 0; i < part->hooks.n; i++)
		if (strcmp(part->hooks.v[i].name, name) == 0)
			return &part->hooks.v[i];
	return NULL;
}

int run_hooks_prepare(const struct plan *plan, const struct run_wish *w, struct err *err)
{
	const char *const argv[] = { "/bin/sh", "-c", plan->hooks.prepare, NULL };
	_free_ char *dir = directory(plan), *kernel = NULL, *mode = NULL;
	struct machine_options o = *w->machine;
	struct proc p = { .fd = -1 };
	int status, r;

	if (!plan->hooks.prepare)
		return 0;
	if (!o.kernel && w->source)
		o.kernel = w->source->kernel;
	kernel = xasprintf("TAPROOM_TREE=%s", order_spec(&o, plan));
	mode = xasprintf("TAPROOM_MODE=%s", o.mode ? o.mode : "normal");
	const char *const env[] = { "TAPROOM_HOOK=prepare", kernel, mode, NULL };
	const struct proc_spec spec = {
		.argv = argv, .env = env, .dir = dir, .in = PROC_NULL,
		.out = STDERR_FILENO, .err = STDERR_FILENO,
	};

	log_info(w->log, "hook 'prepare': %s", plan->hooks.prepare);
	r = proc_start(&spec, &p, err);
	if (r == 0)
		r = proc_wait(&p, true, &status, err);
	if (r < 0)
		return err_wrap(err, r, "hook 'prepare'");
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGTERM))
		return err_set(err, EINTR, "hook 'prepare': stopped");
	if (proc_exit_code(status))
		return err_set(err, EIO, "hook 'prepare' failed, exit code %d: nothing is run",
			       proc_exit_code(status));
	return 0;
}
