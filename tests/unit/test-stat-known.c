/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Known issues: each thing that can become of a rule. */
#include "stat-history.h"
#include "stat/known.h"

struct about {
	const char *glob, *branch, *mode; /* branch, mode NULL: any */
};

static bool about(const void *ctx, const struct stat_known_series *s)
{
	const struct about *a = ctx;
	char name[128];

	snprintf(name, sizeof(name), "%.*s", STR_FMT(s->name));
	return str_glob(a->glob, name) && (!a->branch || str_eq(s->branch, str_of(a->branch))) &&
	       (!a->mode || str_eq(s->mode, str_of(a->mode)));
}

static const struct about ALL_JOIN = { "mptcp_join.sh/*", NULL, NULL },
			  FASTCLOSE = { "*fastclose*", NULL, NULL },
			  FASTCLOSE_NORMAL = { "*fastclose*", NULL, "normal" },
			  FASTCLOSE_NET = { "*fastclose*", "net", NULL },
			  OLD = { "*old name*", NULL, NULL },
			  PM = { "userspace_pm.sh/*", NULL, NULL },
			  BREAKS = { "diag.sh/*", NULL, NULL }, QUIET = { "*quiet*", NULL, NULL };

static const struct stat_change WORSE = { .kind = STAT_RATE_UP };
static const struct stat_change BROKE = { .kind = STAT_REGRESSION };

static const struct stat_known_series SERIES[] = {
	{ STR("mptcp_join.sh/fastclose test"), STR("export"), STR("normal"), STR("qemu"), 5, NULL,
	  0 },
	{ STR("mptcp_join.sh/fastclose test"), STR("export"), STR("debug"), STR("qemu"), 0, NULL,
	  0 },
	{ STR("mptcp_join.sh/infinite map"), STR("export"), STR("debug"), STR("qemu"), 7, &WORSE,
	  500 },
	{ STR("userspace_pm.sh/quiet"), STR("net"), STR("debug"), STR("qemu"), 0, NULL, 0 },
	{ STR("userspace_pm.sh/loud"), STR("net"), STR("debug"), STR("qemu"), 2, &WORSE, 100 },
	{ STR("userspace_pm.sh/louder"), STR("net"), STR("debug"), STR("qemu"), 3, &WORSE, 900 },
	{ STR("diag.sh/broke"), STR("net"), STR("debug"), STR("qemu"), 9, &BROKE, 900 },
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
	  { .matches = about, .ctx = &FASTCLOSE_NORMAL, .since_ms = 50 },
	  STAT_KNOWN_EXCUSES,
	  1,
	  1,
	  5,
	  STAT_KNOWN_NONE },
	{ "another branch",
	  { .matches = about, .ctx = &FASTCLOSE_NET },
	  STAT_KNOWN_NOTHING,
	  0,
	  0,
	  0,
	  STAT_KNOWN_NONE },
	{ "renamed",
	  { .matches = about, .ctx = &OLD },
	  STAT_KNOWN_NOTHING,
	  0,
	  0,
	  0,
	  STAT_KNOWN_NONE },
	{ "expired",
	  { .matches = about, .ctx = &ALL_JOIN, .expires_ms = 1000 },
	  STAT_KNOWN_EXPIRED,
	  3,
	  2,
	  12,
	  STAT_KNOWN_NONE },
	{ "got worse behind it",
	  { .matches = about, .ctx = &ALL_JOIN, .expires_ms = 1001, .since_ms = 400 },
	  STAT_KNOWN_EXCUSES,
	  3,
	  2,
	  12,
	  2 },
	{ "nothing fails",
	  { .matches = about, .ctx = &QUIET },
	  STAT_KNOWN_QUIET,
	  1,
	  0,
	  0,
	  STAT_KNOWN_NONE },
	{ "written for what got worse; not for what did later",
	  { .matches = about, .ctx = &PM, .since_ms = 200 },
	  STAT_KNOWN_EXCUSES,
	  3,
	  2,
	  5,
	  5 },
	{ "when it was written is not known: failing more often than it did is hidden",
	  { .matches = about, .ctx = &PM },
	  STAT_KNOWN_EXCUSES,
	  3,
	  2,
	  5,
	  5 },
	{ "and that it broke is what the rule is for",
	  { .matches = about, .ctx = &BREAKS },
	  STAT_KNOWN_EXCUSES,
	  1,
	  1,
	  9,
	  STAT_KNOWN_NONE },
	{ "but not where it was written before",
	  { .matches = about, .ctx = &BREAKS, .since_ms = 100 },
	  STAT_KNOWN_EXCUSES,
	  1,
	  1,
	  9,
	  6 },
	{ "written after all of it",
	  { .matches = about, .ctx = &PM, .since_ms = 950 },
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
		{ .matches = about, .ctx = &ALL_JOIN, .expires_ms = 10 },
		{ .matches = about, .ctx = &FASTCLOSE },
		{ .matches = about, .ctx = &ALL_JOIN },
	};
	static const size_t WANT[] = {
		1, 1, 2, STAT_KNOWN_NONE, STAT_KNOWN_NONE, STAT_KNOWN_NONE, STAT_KNOWN_NONE
	};
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
