/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/ignore.h"

#include "base/regex.h"
#include "plan/place.h"

static int check_rule(const struct plan_ignore *r, unsigned i, struct str text, const char *path,
		      struct err *err)
{
	struct place p = place_of(text, "ignore", i, NULL);
	struct regex *regex = NULL;
	struct err why = {};
	size_t at = 0;

	if (!r->pattern)
		return err_set(err, EINVAL, "%s:%zu:%zu: a rule of 'ignore' has no pattern", path,
			       p.line, p.column);
	if (!r->reason)
		return err_set(err, EINVAL, "%s:%zu:%zu: the rule has no reason: why may '%.100s' "
			       "be ignored?", path, p.line, p.column, r->pattern);
	if (r->until && !place_is_date(r->until)) {
		p = place_of(text, "ignore", i, "until");
		return err_set(err, EINVAL, "%s:%zu:%zu: '%s' is no date, such as 2026-12-31", path,
			       p.line, p.column, r->until);
	}
	if (regex_new(r->pattern, &regex, &at, &why) < 0) {
		p = place_of(text, "ignore", i, "pattern");
		return err_set(err, EINVAL, "%s:%zu:%zu: the pattern '%.100s': %s", path, p.line,
			       p.column + at, r->pattern, why.text);
	}
	regex_free(regex);
	return 0;
}

int ignore_check(const struct plan *p, struct str text, const char *path, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < p->ignore_count && r == 0; i++)
		r = check_rule(&p->ignore[i], i, text, path, err);
	return r;
}

bool plan_ignore_holds(const struct plan_ignore *rule, int64_t now_ms)
{
	return place_holds(rule->until, now_ms);
}
