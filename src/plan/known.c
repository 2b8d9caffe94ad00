/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/known.h"

#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/regex.h"
#include "plan/place.h"

#define NAME_MAX_BYTES 4096
#define DAY_MS	       86400000

/* "suite/test/subtest", cut where it stands; NULL: that part is not there. */
struct parts {
	char text[NAME_MAX_BYTES];
	const char *suite, *test, *subtest;
};

/* Returns false for what is too long to be a name. */
static bool cut(struct parts *p, struct str s)
{
	char *slash;

	if (s.n >= sizeof(p->text))
		return false;
	memcpy(p->text, s.p ? s.p : "", s.n);
	p->text[s.n] = '\0';
	p->suite = p->text;
	p->test = p->subtest = NULL;
	slash = strchr(p->text, '/');
	if (!slash)
		return true;
	*slash = '\0';
	p->test = slash + 1;
	slash = strchr(slash + 1, '/');
	if (slash) {
		*slash = '\0';
		p->subtest = slash + 1;
	}
	return true;
}

/* "pm_netlink.sh" and "pm_netlink" are the same test. */
static bool program_fits(const char *glob, const char *name)
{
	struct str s = str_of(name);
	char bare[NAME_MAX_BYTES];

	if (str_glob(glob, name))
		return true;
	if (!str_ends(s, STR(".sh")))
		return false;
	memcpy(bare, s.p, s.n - 3);
	bare[s.n - 3] = '\0';
	return str_glob(glob, bare);
}

bool plan_known_about(const struct plan_known *rule, struct str name)
{
	struct parts want, is;

	if (!cut(&want, str_of(rule->test)) || !cut(&is, name) || !str_glob(want.suite, is.suite))
		return false;
	if (!want.test)
		return true;
	if (!is.test || !program_fits(want.test, is.test))
		return false;
	return !want.subtest || (is.subtest && str_glob(want.subtest, is.subtest));
}

bool plan_known_holds(const struct plan_known *rule, int64_t now_ms)
{
	return place_holds(rule->until, now_ms);
}

/* 0 o'clock of a date that was checked; 0: there is none. */
static int64_t day_ms(const char *s)
{
	struct tm tm = {};

	if (!s || !strptime(s, "%Y-%m-%d", &tm))
		return 0;
	return (int64_t)timegm(&tm) * 1000;
}

void plan_known_days(const struct plan_known *rule, int64_t *ret_since_ms, int64_t *ret_expires_ms)
{
	*ret_since_ms = day_ms(rule->since);
	*ret_expires_ms = rule->until ? day_ms(rule->until) + DAY_MS : 0;
}

static int check_dates(const struct plan_known *r, unsigned i, struct str text, const char *path,
		       struct err *err)
{
	const struct {
		const char *key, *date;
	} rows[] = { { "since", r->since }, { "until", r->until } };
	struct place p;

	for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
		if (!rows[k].date || place_is_date(rows[k].date))
			continue;
		p = place_of(text, "known", i, rows[k].key);
		return err_set(err, EINVAL, "%s:%zu:%zu: '%s' is no date, such as 2026-12-31", path,
			       p.line, p.column, rows[k].date);
	}
	if (!r->since || !r->until || strcmp(r->since, r->until) <= 0)
		return 0;
	p = place_of(text, "known", i, "until");
	return err_set(err, EINVAL, "%s:%zu:%zu: the rule ends on %s, before it was written, on %s",
		       path, p.line, p.column, r->until, r->since);
}

static int check_pattern(const struct plan_known *r, unsigned i, struct str text, const char *path,
			 struct err *err)
{
	struct regex *regex = NULL;
	struct err why = {};
	struct place p;
	size_t at = 0;

	if (!r->pattern)
		return 0;
	if (regex_new(r->pattern, &regex, &at, &why) < 0) {
		p = place_of(text, "known", i, "pattern");
		return err_set(err, EINVAL, "%s:%zu:%zu: the pattern '%.100s': %s", path, p.line,
			       p.column + at, r->pattern, why.text);
	}
	regex_free(regex);
	return 0;
}

static int check_rule(const struct plan_known *r, unsigned i, struct str text, const char *path,
		      struct err *err)
{
	struct place p = place_of(text, "known", i, NULL);
	int rc;

	if (!r->test)
		return err_set(err, EINVAL,
			       "%s:%zu:%zu: a rule of 'known' has no test: suite, "
			       "suite/test or suite/test/subtest; * and ? match",
			       path, p.line, p.column);
	if (!r->reason)
		return err_set(err, EINVAL,
			       "%s:%zu:%zu: the rule has no reason: why may '%.100s' "
			       "fail?",
			       path, p.line, p.column, r->test);
	if (!r->test[0] || strchr("!/", r->test[0])) {
		p = place_of(text, "known", i, "test");
		return err_set(err, EINVAL,
			       "%s:%zu:%zu: '%.100s' is no test: suite, suite/test or "
			       "suite/test/subtest; * and ? match",
			       path, p.line, p.column, r->test);
	}
	rc = check_dates(r, i, text, path, err);
	return rc < 0 ? rc : check_pattern(r, i, text, path, err);
}

int known_check(const struct plan *p, struct str text, const char *path, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < p->known_count && r == 0; i++)
		r = check_rule(&p->known[i], i, text, path, err);
	return r;
}
