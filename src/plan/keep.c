/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/keep.h"

#include "base/units.h"
#include "plan/place.h"

static int age(const char *key, const char *is, unsigned i, struct str text, const char *path,
	       int64_t *ret, struct err *err)
{
	struct place p;
	struct err why = {};

	*ret = -1;
	if (!is || (duration_parse(str_of(is), ret, &why) == 0 && *ret > 0))
		return 0;
	p = place_of(text, "keep", i, key);
	return err_set(err, EINVAL, "%s:%zu:%zu: '%.100s' is no age, such as 90d", path, p.line,
		       p.column, is);
}

static int check_rule(struct plan_keep *k, unsigned i, struct str text, const char *path,
		      struct err *err)
{
	struct place p = place_of(text, "keep", i, NULL);
	int r = age("logs", k->logs, i, text, path, &k->logs_ms, err);

	if (r == 0)
		r = age("runs", k->runs, i, text, path, &k->runs_ms, err);
	if (r == 0 && !k->branch)
		r = err_set(err, EINVAL, "%s:%zu:%zu: a rule of 'keep' has no branch; '*' is any",
			    path, p.line, p.column);
	return r;
}

int keep_check(struct plan *p, struct str text, const char *path, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < p->keep_count && r == 0; i++)
		r = check_rule(&p->keep[i], i, text, path, err);
	return r;
}
