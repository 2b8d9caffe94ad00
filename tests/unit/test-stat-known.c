/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Known issues: each thing that can become of a rule. */
#include "stat-history.h"
#include "stat/known.h"

static bool glob(void *ctx, struct str key)
{
	char name[128];

	snprintf(name, sizeof(name), "%.*s", STR_FMT(key));
	return str_glob(ctx, name);
}

static bool starts(void *ctx, struct str key)
{
	return str_starts(key, str_of(ctx));
}

static char ALL_JOIN[] = "mptcp_join.sh/*", FASTCLOSE[] = "*fastclose*", OLD[] = "*old name*",
	    PM[] = "userspace_pm.sh/", QUIET[] = "*quiet*";

static const struct stat_change WORSE = { .kind = STAT_RATE_UP };

static const struct stat_known_series SERIES[] = {
	{ STR("mptcp_join.sh/fastclose test"), STR("export"), STR("normal"), 5, NULL, 0 },
	{ STR("mptcp_join.sh/fastclose test"), STR("export"), STR("debug"), 0, NULL, 0 },
	{ STR("mptcp_join.sh/infinite map"), STR("export"), STR("debug"), 7, &WORSE, 500 },
	{ STR("userspace_pm.sh/quiet"), STR("net"), STR("debug"), 0, NULL, 0 },
	{ STR("userspace_pm.sh/loud"), STR("net"), STR("debug"), 2, &WORSE, 100 },
	{ STR("userspace_pm.sh/louder"), STR("net"), STR("debug"), 3, &WORSE, 900 },
};

static const struct {
	const char *name;
	struct stat_known_rule rule;
	enum stat_known_state state;
	uint32_t series, failing;
	uint64_t failures;
	size_t worse;
} RULES[] = {
	{ "one mode of one test",
	  { .matches = glob, .ctx = FASTCLOSE, .mode = STR("normal"), .since_ms = 50 },
	  STAT_KNOWN_EXCUSES,
	  1,
	  1,
	  5,
	  STAT_KNOWN_NONE },
	{ "another branch",
	  { .matches = glob, .ctx = FASTCLOSE, .branch = STR("net") },
	  STAT_KNOWN_NOTHING,
	  0,
	  0,
	  0,
	  STAT_KNOWN_NONE },
	{ "renamed",
	  { .matches = glob, .ctx = OLD },
	  STAT_KNOWN_NOTHING,
	  0,
	  0,
	  0,
	  STAT_KNOWN_NONE },
	{ "expired",
	  { .matches = glob, .ctx = ALL_JOIN, .expires_ms = 1000 },
	  STAT_KNOWN_EXPIRED,
	  3,
	  2,
	  12,
	  STAT_KNOWN_NONE },
	{ "got worse behind it",
	  { .matches = glob, .ctx = ALL_JOIN, .expires_ms = 1001, .since_ms = 400 },
	  STAT_KNOWN_EXCUSES,
	  3,
	  2,
	  12,
	  2 },
	{ "nothing fails",
	  { .matches = glob, .ctx = QUIET },
	  STAT_KNOWN_QUIET,
	  1,
	  0,
	  0,
	  STAT_KNOWN_NONE },
	{ "written for what got worse; not for what did later",
	  { .matches = starts, .ctx = PM, .since_ms = 200 },
	  STAT_KNOWN_EXCUSES,
	  3,
	  2,
	  5,
	  5 },
	{ "written after all of it",
	  { .matches = starts, .ctx = PM, .since_ms = 950 },
	  STAT_KNOWN_EXCUSES,
	  3,
	  2,
	  5,
	  STAT_KNOWN_NONE },
};

static void test_rules(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(RULES); i++) {
		struct stat_known k;
		size_t by[ARRAY_SIZE(SERIES)];
		bool excused = false;

		stat_known_judge(&RULES[i].rule, 1, SERIES, ARRAY_SIZE(SERIES), 1000, &k, by);
		for (size_t s = 0; s < ARRAY_SIZE(by); s++)
			excused |= by[s] == 0;
		ok(t,
		   k.state == RULES[i].state && k.series == RULES[i].series &&
			   k.failing == RULES[i].failing && k.failures == RULES[i].failures &&
			   k.worse == RULES[i].worse &&
			   excused ==
				   (k.state == STAT_KNOWN_EXCUSES || k.state == STAT_KNOWN_QUIET),
		   "%s: %s", RULES[i].name, STAT_KNOWN_WORDS[k.state]);
	}
}

/* The first rule that matches and is not expired. */
static void test_first(struct tap *t)
{
	static const struct stat_known_rule BOTH[] = {
		{ .matches = glob, .ctx = ALL_JOIN, .expires_ms = 10 },
		{ .matches = glob, .ctx = FASTCLOSE },
		{ .matches = glob, .ctx = ALL_JOIN },
	};
	static const size_t WANT[] = { 1, 1, 2, STAT_KNOWN_NONE, STAT_KNOWN_NONE, STAT_KNOWN_NONE };
	struct stat_known k[3];
	size_t by[ARRAY_SIZE(SERIES)];

	stat_known_judge(BOTH, 3, SERIES, ARRAY_SIZE(SERIES), 1000, k, by);
	ok(t, memcmp(by, WANT, sizeof(WANT)) == 0, "the first that is in force excuses");
	ok(t, k[1].worse == STAT_KNOWN_NONE && k[2].worse == 2, "and answers for what it hides");
	stat_known_judge(NULL, 0, SERIES, ARRAY_SIZE(SERIES), 1000, NULL, by);
	ok(t, by[0] == STAT_KNOWN_NONE, "no rule");
	stat_known_judge(BOTH, 3, NULL, 0, 1000, k, NULL);
	ok(t, k[0].state == STAT_KNOWN_NOTHING, "no test");
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_rules(&t);
	test_first(&t);
	return tap_done(&t);
}
