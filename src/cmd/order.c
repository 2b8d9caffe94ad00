/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/order.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"
#include "kernel/build.h"

#define TELL_MS 60000 /* where no line can be drawn */

const char *order_spec(const struct machine_options *o, const struct plan *plan)
{
	bool uml = o->machine && strcmp(o->machine, "uml") == 0;

	if (o->kernel)
		return o->kernel;
	if (plan && plan->kernel)
		return plan->kernel;
	if (file_exists("Kbuild") && file_exists("scripts/Kconfig.include"))
		return ".";
	return uml ? "debian/user-mode-linux" : "debian";
}

static bool asked(const struct machine_options *o)
{
	return o->mode || o->base || o->llvm || o->coverage.n || machine_options_words(o, NULL);
}

bool order_builds(const struct machine_options *o, const char *spec)
{
	return kernel_is_built_from(spec, asked(o));
}

/* How far make is: a line that is drawn over, or one a minute. */
struct view {
	const struct cmd *cmd;
	const struct log *log;
	int64_t told_ms;
	bool drawn;
};

static void on_progress(void *ctx, const struct kernel_progress *p)
{
	struct view *v = ctx;
	char elapsed[UNIT_TEXT_MAX], left[UNIT_TEXT_MAX];
	struct buf line = { .max = 256 };

	if (v->drawn)
		fprintf(stderr, "\r\033[K");
	v->drawn = false;
	if (!p || v->log->level < LOG_INFO) {
		v->told_ms = 0;
		return;
	}
	buf_printf(&line, "%s: %" PRIu64, p->what, p->steps);
	if (p->steps_all > p->steps)
		buf_printf(&line, " of %" PRIu64, p->steps_all);
	buf_printf(&line, " steps, %s", duration_clock(p->elapsed_ms, elapsed));
	if (p->left_ms >= 0)
		buf_printf(&line, ", about %s left", duration_clock(p->left_ms, left));
	if (v->cmd->terminal) {
		fprintf(stderr, "%.*s", (int)v->cmd->columns - 1, buf_str(&line).p);
		v->drawn = true;
	} else if (p->elapsed_ms - v->told_ms >= TELL_MS) {
		v->told_ms = p->elapsed_ms;
		log_info(v->log, "%.*s", STR_FMT(buf_str(&line)));
	}
	buf_done(&line);
}

/* "config" of all kselftests: the kernel is the same whichever of them run. */
static void add_targets(const struct plan *plan, struct opt_list *l)
{
	for (unsigned i = 0; plan && i < plan->suites_count; i++)
		if (plan->suites[i].target && strcmp(plan->suites[i].kind, "kselftest") == 0)
			opt_list_add(l, plan->suites[i].target);
	opt_list_add(l, NULL);
}

static int build(const struct machine_options *o, const struct plan *plan,
		 const struct plan_mode_all *mode, const char *spec, const char *kind,
		 const char *cache_dir, const struct cmd *cmd, const struct log *log,
		 const struct order_before *before, struct kernel *ret, struct err *err)
{
	struct opt_list words = {}, targets = {}, coverage = {};
	struct view view = { .cmd = cmd, .log = log };
	struct kernel_order order = {
		.spec = spec,
		.arch = strcmp(kind, "uml") == 0 ? "um" : "x86_64",
		.mode = mode->name,
		.base = o->base ? o->base : mode->base,
		.config = mode->config,
		.llvm = o->llvm || mode->clang,
		.cache_dir = cache_dir,
		.log = log,
		.progress = on_progress,
		.ctx = &view,
		.may_build = before ? before->may_build : NULL,
		.may_build_ctx = before ? before->ctx : NULL,
	};
	int r;

	machine_options_words(o, &words);
	opt_list_add(&words, NULL);
	add_targets(plan, &targets);
	order.words = words.v;
	order.targets = targets.v;
	for (size_t i = 0; i < o->coverage.n; i++)
		opt_list_add(&coverage, o->coverage.v[i]);
	opt_list_add(&coverage, NULL);
	order.coverage = coverage.v;
	r = kernel_build(&order, ret, err);
	opt_list_done(&words);
	opt_list_done(&targets);
	opt_list_done(&coverage);
	return r;
}

static int refuse(const struct machine_options *o, const char *mode, const char *kind,
		  const char *spec, struct err *err)
{
	const char *what = o->base ? "--base" : o->llvm ? "--llvm"
				   : o->coverage.n ? "--coverage" : NULL;

	if (!what && machine_options_words(o, NULL))
		what = "--config with options";
	if (strcmp(kind, "host") == 0)
		return err_set(err, EINVAL, "a machine 'host' is the running kernel: no other is "
			       "built or configured for it; leave %s away",
			       what ? what : "--mode");
	if (what)
		return err_set(err, EINVAL, "%s is for a kernel that is built, and '%s' is ready "
			       "made: give --kernel a kernel tree or git:REF", what, spec);
	return err_set(err, EINVAL, "mode '%s' needs a kernel built for it, and '%s' is ready "
		       "made: give --kernel a kernel tree or git:REF", mode, spec);
}

int order_kernel(struct machine_options *o, const struct plan *plan, const char *mode,
		 const char *kind, const char *cache_dir, const struct cmd *cmd,
		 const struct log *log, const struct order_before *before, struct kernel *ret,
		 struct plan_mode_all *ret_mode, struct err *err)
{
	const char *spec = order_spec(o, plan);
	int r = plan_mode_find(plan, mode ? mode : "normal", ret_mode, err);

	if (r < 0)
		return -EINVAL;
	/* Tests on the running kernel want the source of theirs, and no other kernel. */
	if (strcmp(kind, "host") == 0 && !asked(o) && kernel_is_built_from(spec, false))
		return kernel_build_source(spec, cache_dir, log, ret, err);
	if (strcmp(kind, "host") != 0 && kernel_is_built_from(spec, asked(o))) {
		r = build(o, plan, ret_mode, spec, kind, cache_dir, cmd, log, before, ret,
			  err);
		if (r == 0 && !o->memory)
			o->memory = ret_mode->memory;
		return r;
	}
	if (strcmp(ret_mode->name, "normal") != 0 || o->base || o->llvm ||
	    o->coverage.n || machine_options_words(o, NULL))
		return refuse(o, ret_mode->name, kind, spec, err);
	return kernel_find(spec, cache_dir, log, ret, err);
}
