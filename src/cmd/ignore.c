/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ignore.h"

#include "base/mem.h"
#include "base/units.h"

static void say_expired(const struct plan *plan, const struct plan_ignore *r,
			const struct log *log)
{
	log_warn(log,
		 "%s: the rule that ignores '%s' ended on %s: what it matches counts again%s%s",
		 plan->path ? plan->path : "configuration", r->pattern, r->until,
		 r->owner ? "; its owner is " : "", r->owner ? r->owner : "");
}

int ignore_make(const struct plan *plan, const struct log *log, struct excuses **ret,
		struct err *err)
{
	_free_ struct excuse_rule *rules = xcalloc(plan->ignore_count + 1, sizeof(*rules));
	int64_t now = clock_wall_ms();
	unsigned n = 0;

	*ret = NULL;
	for (unsigned i = 0; i < plan->ignore_count; i++) {
		const struct plan_ignore *r = &plan->ignore[i];

		if (!plan_ignore_holds(r, now)) {
			say_expired(plan, r, log);
			continue;
		}
		rules[n++] = (struct excuse_rule){
			.pattern = r->pattern,
			.say = { str_of(r->reason), str_of(r->link), str_of(r->owner),
				 str_of(r->until) },
		};
	}
	return n ? excuses_new(rules, n, ret, err) : 0;
}

void ignore_warn(struct excuses *e, const struct log *log)
{
	const char *pattern;

	while ((pattern = excuses_gave_up(e)))
		log_warn(log, "the pattern '%s' needs too much time on a splat: nothing is ignored "
			      "by it there; make it more exact", pattern);
}
