/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Renames: real ones of the MPTCP selftests are found, siblings are not. */
#include "stat-history.h"
#include "stat/rename.h"

static const struct {
	const char *a, *b;
	double least, most;
} NAMES[] = {
	{ "single subflow", "single subflow", 1, 1 },
	{ "Single subflow", "single_subflow", 1, 1 },
	{ "delete and re-add", "delete re-add id 0 signal", 0.3, 0.7 },
	{ "subflows limited by server", "subflows limited by servers", 0.9, 1 },
	{ "remove multiple address", "remove multiple addresses", 0.9, 1 },
	{ "ns1 MPTCP -> ns1 (10.0.1.1:10000) MPTCP", "ns1 MPTCP -> ns2 (10.0.1.1:10000) MPTCP", 0.8,
	  0.95 },
	{ "mp_join_client.pkt (ipv4)", "mp_join_client.pkt (ipv6)", 0.75, 0.85 },
	{ "add address", "fastclose test", 0, 0.1 },
	{ "", "", 0, 0 },
	{ "->", "single subflow", 0, 0 },
};

static void test_names(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++) {
		double a = stat_name_likeness(str_of(NAMES[i].a), str_of(NAMES[i].b));
		double b = stat_name_likeness(str_of(NAMES[i].b), str_of(NAMES[i].a));

		ok(t, a >= NAMES[i].least && a <= NAMES[i].most && a == b, "'%s' and '%s': %.3f",
		   NAMES[i].a, NAMES[i].b, a);
	}
}

#define NAME(program_, key_, first_, last_, place_, of_, ms_)                                      \
	{                                                                                          \
		.program = STR(program_), .key = STR(key_), .first = first_, .last = last_,        \
		.place = place_, .of = of_, .ms = ms_                                              \
	}

static const struct stat_name GONE[] = {
	NAME("mptcp_join.sh", "remove multiple address", 0, 99, 30, 100, 900),
	NAME("mptcp_join.sh", "infinite map", 0, 99, 80, 100, 1500),
	NAME("mptcp_join.sh", "dump addr after flush", 0, 99, 12, 100, 20),
	NAME("userspace_pm.sh", "create subflow v4", 0, 20, 3, 10, -1),
	NAME("diag.sh", "after MPC handshake", 0, 99, 0, 0, -1),
};

static const struct stat_name CAME[] = {
	NAME("mptcp_join.sh", "MPC infinite mapping", 101, 200, 81, 101, 1450),
	NAME("mptcp_join.sh", "remove multiple addresses", 100, 200, 30, 101, 950),
	NAME("mptcp_join.sh", "remove multiple addresses IPv6", 100, 200, 31, 101, 950),
	NAME("mptcp_join.sh", "dump addr after flush", 60, 200, 12, 101, 20), /* too early */
	NAME("userspace_pm.sh", "create subflow v4", 300, 400, 3, 10, -1),    /* too late */
	NAME("mptcp_diag.sh", "after MPC handshake", 100, 200, 0, 0, -1),
};

static void test_matching(struct tap *t)
{
	struct stat_rename r[8];
	size_t n = stat_renames(GONE, ARRAY_SIZE(GONE), CAME, ARRAY_SIZE(CAME), r, ARRAY_SIZE(r));

	is_int(t, (int64_t)n, 3, "three are suggested");
	ok(t, n > 0 && r[0].gone == 0 && r[0].came == 1 && r[0].score > 0.9,
	   "a plural, not its IPv6 sibling: %.3f", r[0].score);
	ok(t, n > 1 && r[1].gone == 4 && r[1].came == 5 && r[1].name == 1,
	   "the same test, where its program got another name: %.3f", r[1].score);
	ok(t, n > 2 && r[2].gone == 1 && r[2].came == 0 && r[2].score < 0.7,
	   "more words, at the same place: %.3f", r[2].score);
	is_int(t, (int64_t)stat_renames(GONE, 5, CAME, 6, r, 1), 1, "room for one");
	is_int(t, (int64_t)stat_renames(GONE, 0, CAME, 6, r, 8), 0, "nothing gone");
	is_int(t, (int64_t)stat_renames(GONE, 5, CAME, 0, r, 8), 0, "nothing new");
}

/* Very many, very long: bounded, and each once. */
static void test_bounds(struct tap *t)
{
	static struct stat_name gone[400], came[400];
	static struct stat_rename r[400];
	char *name = xmalloc(2000);
	bool used[400] = {}, once = true;
	size_t n;

	for (size_t i = 0; i < 2000; i++)
		name[i] = i % 3 ? 'a' : '/';
	for (size_t i = 0; i < 400; i++) {
		gone[i] = (struct stat_name){ .key = str_n(name, 2000 - i), .last = 9, .ms = -1 };
		came[i] = (struct stat_name){ .key = str_n(name, 1500 + i), .first = 10, .ms = -1 };
	}
	n = stat_renames(gone, 50, came, 400, r, 400);
	is_int(t, (int64_t)n, 50, "one for each");
	for (size_t i = 0; i < n; i++) {
		once &= !used[r[i].came];
		used[r[i].came] = true;
	}
	ok(t, once, "each once");
	for (size_t i = 0; i < 400; i++) /* quick to compare */
		gone[i].key = came[i].key = str_n(name, 4);
	is_int(t, (int64_t)stat_renames(gone, 400, came, 400, r, 400), STAT_RENAME_MAX,
	       "as many as are looked at");
	free(name);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_names(&t);
	test_matching(&t);
	test_bounds(&t);
	return tap_done(&t);
}
