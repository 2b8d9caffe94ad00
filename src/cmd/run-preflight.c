/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-preflight.h"

#include "base/mem.h"
#include "base/proc.h"
#include "suite/preflight.h"

/* Of the same tests, to the same effect, in the same words. */
static bool alike(const struct preflight_lack *a, const struct preflight_lack *b)
{
	return a->effect == b->effect && a->what == b->what && !a->package == !b->package &&
	       str_eq(buf_str(&a->tests), buf_str(&b->tests));
}

static void tell_lacks(const struct plan_suite *suite, const struct preflight *p,
		       const struct log *log)
{
	for (size_t i = 0; i < p->n_lacks; i++) {
		const struct preflight_lack *l = &p->lacks[i];
		_cleanup_(buf_done) struct buf names = {};
		bool told = false;

		for (size_t k = 0; k < i && !told; k++)
			told = alike(&p->lacks[k], l);
		for (size_t k = i; k < p->n_lacks && !told; k++)
			if (alike(&p->lacks[k], l))
				buf_printf(&names, "%s%s%s", names.n ? ", " : "",
					   l->package ? "" : "CONFIG_", p->lacks[k].name);
		if (told)
			continue;
		log_warn(log, "suite '%s': %s %s: %s lacks %.*s%s%s", suite->name,
			 l->tests.n ? l->tests.p : "tests", PREFLIGHT_EFFECT_WORDS[l->effect],
			 l->package ? "the machine" : "the kernel", STR_FMT(buf_str(&names)),
			 l->what ? ": " : "", l->what ? l->what : "");
	}
}

static void tell_remedies(const struct kernel *kernel, const struct preflight *p,
			  const struct log *log)
{
	_cleanup_(buf_done) struct buf options = {}, packages = {};

	preflight_options(p, &options);
	preflight_packages(p, &packages);
	if (options.n)
		log_warn(log, "a kernel that is built has them%s: --config '%.*s'",
			 kernel && kernel->identity ? "" : " (--kernel with a source tree)",
			 STR_FMT(buf_str(&options)));
	if (packages.n)
		log_warn(log, "what the machine lacks: apt-get install %.*s",
			 STR_FMT(buf_str(&packages)));
}

int run_preflight(const struct plan *plan, struct run_part *part, const struct log *log,
		  struct err *err)
{
	const struct kernel *kernel = part->kernel;
	const struct preflight_place place = {
		.source = kernel ? kernel->source : NULL,
		/* A host machine runs another kernel than the tests' source is of. */
		.config_path = kernel && strcmp(part->machine, "host") != 0 ? kernel->config : NULL,
		.value = kernel_config_value,
		.find = proc_find,
		.versions = log->level >= LOG_DEBUG,
	};
	int r = 0;

	for (unsigned i = 0; r == 0 && i < plan->suites_count; i++) {
		const struct plan_suite *suite = &plan->suites[i];
		struct preflight p;

		r = preflight(suite, &place, &part->tests, &p, err);
		for (size_t k = 0; r == 0 && k < p.n_tools; k++)
			log_debug(log, "suite '%s' uses %s: %.*s", suite->name, p.tools[k].name,
				  STR_FMT(buf_str(&p.tools[k].version)));
		if (r == 0 && p.n_lacks) {
			tell_lacks(suite, &p, log);
			tell_remedies(kernel, &p, log);
		}
		preflight_done(&p);
	}
	return r;
}
