/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Presence: a row is the runs of a program and those of a test in it. */
#include "stat-history.h"
#include "stat/presence.h"

/* '.' there, '-' not; "40." is so many. */
static struct history *drawn(const char *text)
{
	struct history *h = history_new();
	char *end;

	for (const char *p = text; *p; p = end + 1) {
		size_t n = strtoul(p, &end, 10);

		for (n = end == p ? 1 : n; n--;)
			history_say(h, *end, (uint32_t)h->n);
	}
	return history_ready(h);
}

static const struct {
	const char *name, *unit, *self;
	enum stat_presence_kind kind;
	uint32_t seen, of, missed, missed_from;
} ROWS[] = {
	{ "always there", "40.", "40.", STAT_PRESENT, 40, 40, 0, UINT32_MAX },
	{ "new since yesterday", "40.", "38-2.", STAT_NEW, 2, 2, 0, UINT32_MAX },
	{ "new, but before we ask", "40.", "18-22.", STAT_PRESENT, 22, 22, 0, UINT32_MAX },
	{ "as new as its program", "38-2.", "38-2.", STAT_PRESENT, 2, 2, 0, UINT32_MAX },
	{ "absent once, after 20 runs", "21.", "20.-", STAT_SOMETIMES, 20, 20, 1, 20 },
	{ "absent once, after 600", "601.", "600.-", STAT_DID_NOT_RUN, 600, 600, 1, 600 },
	{ "absent twice, after 30", "32.", "30.2-", STAT_DID_NOT_RUN, 30, 30, 2, 30 },
	{ "gone", "50.", "30.20-", STAT_VANISHED, 30, 30, 20, 30 },
	{ "its program didn't run", "30.20-", "30.20-", STAT_UNIT_ABSENT, 30, 30, 0, UINT32_MAX },
	{ "absent, then its program too", "40.-", "30.11-", STAT_UNIT_ABSENT, 30, 30, 10, 30 },
	{ "runs in which its program wasn't don't count", "30.50-.", "30.51-", STAT_SOMETIMES, 30,
	  30, 1, 80 },
	{ "every other run", "26.", ".-.-.-.-.-.-.-.-.-.-.-.3-", STAT_SOMETIMES, 12, 23, 3, 23 },
	{ "never", "24.", "24-", STAT_NEVER, 0, 0, 0, UINT32_MAX },
	{ "no run", "", "", STAT_NEVER, 0, 0, 0, UINT32_MAX },
};

static void test_kinds(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		_cleanup_(history_freep) struct history *unit = drawn(ROWS[i].unit);
		_cleanup_(history_freep) struct history *self = drawn(ROWS[i].self);
		struct stat_presence p =
			stat_presence(unit->series.in, self->series.in, (uint32_t)unit->n, 30);

		if (!ok(t,
			p.kind == ROWS[i].kind && p.seen == ROWS[i].seen && p.of == ROWS[i].of &&
				p.missed == ROWS[i].missed && p.missed_from == ROWS[i].missed_from,
			"%s: %s", ROWS[i].name, STAT_PRESENCE_NAMES[ROWS[i].kind]))
			printf("# %s %u/%u missed %u from %u chance %g\n",
			       STAT_PRESENCE_NAMES[p.kind], p.seen, p.of, p.missed, p.missed_from,
			       p.chance);
	}
}

/* R: function(a, b, m) exp(lbeta(a + .5, b - a + .5 + m) - lbeta(a + .5, b - a + .5)) */
static const struct {
	uint32_t seen, of, missed;
	double chance;
} CHANCES[] = {
	{ 500, 500, 1, 0.0009980039920159691 },
	{ 622, 622, 1, 0.0008025682182985554 },
};

static void test_chance(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(CHANCES); i++) {
		struct stat_span unit = { 0, CHANCES[i].of + CHANCES[i].missed };
		struct stat_span self = { 0, CHANCES[i].seen };
		struct stat_presence p = stat_presence((struct stat_spans){ &unit, 1 },
						       (struct stat_spans){ &self, 1 }, unit.to, 0);

		ok(t, near(p.chance, CHANCES[i].chance, 1e-9), "absent in %u after %u",
		   CHANCES[i].missed, CHANCES[i].of);
	}
}

static void test_skips(struct tap *t)
{
	_cleanup_(history_freep) struct history *h = history_new();
	struct stat_finder *f;
	struct stat_change c;

	for (uint32_t r = 0; r < 300; r++) /* skips are what 'x' is otherwise */
		history_say(h, r >= 250 && r % 5 ? 'x' : '.', r);
	history_ready(h);
	f = stat_finder_new(&h->axis, STAT_PRIOR_DEFAULT);
	ok(t,
	   stat_skips_grow(f, h->series.in, h->series.bad, &c) == 1 && c.run == 251 &&
		   c.before.k == 0 && c.after.k == 40 && c.after.n == 49,
	   "skipped since run 251");
	ok(t, stat_skips_grow(f, h->series.in, (struct stat_runs){}, &c) == 0, "never skipped");
	/* The same, the other way round: it stopped. */
	h->series.bad.n = 0;
	for (uint32_t r = 0; r < 40; r++)
		h->bad[h->series.bad.n++] = r;
	ok(t, stat_skips_grow(f, h->series.in, h->series.bad, &c) == 0, "skipped no more");
	stat_finder_free(f);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_kinds(&t);
	test_chance(&t);
	test_skips(&t);
	return tap_done(&t);
}
