/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat/known.h"

const char *const STAT_KNOWN_WORDS[STAT_KNOWN_N] = {
	[STAT_KNOWN_EXCUSES] = "excuses failures",
	[STAT_KNOWN_QUIET] = "none of its tests failed: it may be over",
	[STAT_KNOWN_EXPIRED] = "is expired, and excuses nothing",
	[STAT_KNOWN_NOTHING] = "matches no test: renamed, removed, or mistyped",
};

static bool expired(const struct stat_known_rule *r, int64_t now_ms)
{
	return r->expires_ms && now_ms >= r->expires_ms;
}

static bool is_behind(const struct stat_known_rule *r, const struct stat_known_series *s)
{
	return r->since_ms ? s->rise_ms > r->since_ms : s->rise->kind == STAT_RATE_UP;
}

static void judge(const struct stat_known_rule *r, const struct stat_known_series *series, size_t n,
		  bool over, size_t self, struct stat_known *ret, size_t *by)
{
	*ret = (struct stat_known){ .worse = STAT_KNOWN_NONE };
	for (size_t i = 0; i < n; i++) {
		const struct stat_known_series *s = &series[i];

		if (!r->matches(r->ctx, s))
			continue;
		ret->series++;
		ret->failing += s->failures > 0;
		ret->failures += s->failures;
		if (over || by[i] != STAT_KNOWN_NONE)
			continue;
		by[i] = self;
		if (s->rise && is_behind(r, s) &&
		    (ret->worse == STAT_KNOWN_NONE || s->rise_ms > series[ret->worse].rise_ms))
			ret->worse = i;
	}
	ret->state = ret->series == 0	 ? STAT_KNOWN_NOTHING
		     : over		 ? STAT_KNOWN_EXPIRED
		     : ret->failing == 0 ? STAT_KNOWN_QUIET
					 : STAT_KNOWN_EXCUSES;
}

void stat_known_judge(const struct stat_known_rule *rules, size_t n_rules,
		      const struct stat_known_series *series, size_t n_series, int64_t now_ms,
		      struct stat_known *ret, size_t *ret_by)
{
	for (size_t i = 0; i < n_series; i++)
		ret_by[i] = STAT_KNOWN_NONE;
	for (size_t i = 0; i < n_rules; i++)
		judge(&rules[i], series, n_series, expired(&rules[i], now_ms), i, &ret[i], ret_by);
}
