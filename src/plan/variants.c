/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/variants.h"

#include <string.h>

#include "base/units.h"

static int check_one(const struct plan_suite *s, const struct plan_variant *v, const char *at,
		     struct err *err)
{
	int64_t ms;
	int r;

	if (!v->name || v->name[strcspn(v->name, "/:! \t*?[")])
		return err_set(err, EINVAL, "%s: suite '%s': a variant needs a name, without "
			       "blanks and none of \"/:!*?[\"", at, s->name);
	if (!v->test && !v->args && !v->env_count && !v->timeout)
		return err_set(err, EINVAL, "%s: suite '%s': variant '%s' changes nothing", at,
			       s->name, v->name);
	if (v->test && strchr(v->test, '/'))
		return err_set(err, EINVAL, "%s: suite '%s': variant '%s': test '%s' is no program "
			       "of the suite", at, s->name, v->name, v->test);
	if (v->each && v->each[strcspn(v->each, "/:!*?[")])
		return err_set(err, EINVAL, "%s: suite '%s': variant '%s': each has none of "
			       "\"/:!*?[\"", at, s->name, v->name);
	for (unsigned i = 0; i < v->env_count; i++)
		if (strcspn(v->env[i], "=") == 0 || !strchr(v->env[i], '='))
			return err_set(err, EINVAL, "%s: suite '%s': variant '%s': env '%s' is not "
				       "NAME=VALUE", at, s->name, v->name, v->env[i]);
	r = v->timeout ? duration_parse(str_of(v->timeout), &ms, err) : 0;
	return r < 0 ? err_wrap(err, r, "%s: suite '%s': variant '%s': timeout", at, s->name,
				v->name) : 0;
}

int variants_check(const struct plan_suite *s, const char *at, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < s->variants_count && r == 0; i++)
		r = check_one(s, &s->variants[i], at, err);
	return r;
}
