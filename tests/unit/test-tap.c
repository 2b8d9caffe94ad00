/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader beside its constructs (test-constructs.c): line ranges, keys, exit codes. */
#include "base/mem.h"
#include "tap-dump.h"
#include "tap.h"

struct key_row {
	const char *name, *want;
};

static const struct key_row KEYS[] = {
	{ "plain name", "plain name" },
	{ "12 ports: x", "ports: x" },
	{ "001 no JOIN", "no JOIN" },
	{ "1 2 3 x", "x" },
	{ "12", "12" },
	{ "listen match for dport 10000", "listen match for dport <port>" },
	{ "ns1 MPTCP -> ns2 (10.0.1.2:10006      ) MPTCP",
	  "ns1 MPTCP -> ns2 (<ip4>:<port>) MPTCP" },
	{ "ns1 MPTCP -> ns2 (10.0.1.2:10006) MPTCP", "ns1 MPTCP -> ns2 (<ip4>:<port>) MPTCP" },
	{ "ns1 MPTCP -> ns2 (dead:beef:1::2:10007) MPTCP", "ns1 MPTCP -> ns2 (<ip6>) MPTCP" },
	{ "CREATE_SUBFLOW6 dead:beef:2::1 (ns1)", "CREATE_SUBFLOW6 <ip6> (ns1)" },
	{ "netns ns3-sZbu4J stat", "netns ns3-<id> stat" },
	{ "ns1-0-abcdef up", "ns1-0-<id> up" },
	{ "ns1-server up", "ns1-server up" },
	{ "token 0x7fff0123", "token <hex>" },
	{ "at a7088c61f x", "at <hex> x" },
	{ "/run/tmp.I5gv2Ik2dN", "/run/tmp.<id>" },
	{ "chk 2->0 msk in use", "chk 2->0 msk in use" },
	{ "simult IPv4 and IPv6, fullmesh 2x2", "simult IPv4 and IPv6, fullmesh 2x2" },
	{ "v1_connect.pkt (ipv4-mapped-v6)", "v1_connect.pkt (ipv4-mapped-v6)" },
	{ "kernel 6.12.95.1 at 12:34:56", "kernel <ip4> at 12:34:56" },
	{ "pm:           (nobackup)", "pm: (nobackup)" },
	{ "TCP_INQ: -6 -t tcp", "TCP_INQ: -6 -t tcp" },
};

static bool idempotent(struct str name)
{
	struct buf once = {}, twice = {};
	bool same;

	tap_key_append(&once, name);
	tap_key_append(&twice, buf_str(&once));
	same = str_eq(buf_str(&once), buf_str(&twice));
	if (!same)
		printf("# '%.*s' -> '%s' -> '%s'\n", STR_FMT(name), once.p, twice.p);
	buf_done(&once);
	buf_done(&twice);
	return same;
}

static void test_keys(struct tap *t)
{
	static const char ALPHABET[] = "0123489abcf.::-xns ()tmpor<>";
	uint32_t seed = 1;
	bool all = true;

	for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++) {
		struct buf b = {};

		tap_key_append(&b, str_of(KEYS[i].name));
		is_str(t, b.p, KEYS[i].want, KEYS[i].name);
		all &= idempotent(str_of(KEYS[i].name));
		buf_done(&b);
	}
	for (int i = 0; i < 20000; i++) {
		char text[24];

		for (size_t k = 0; k < sizeof(text); k++) {
			seed = seed * 1664525 + 1013904223;
			text[k] = ALPHABET[(seed >> 16) % (sizeof(ALPHABET) - 1)];
		}
		all &= idempotent(str_n(text, sizeof(text)));
	}
	ok(t, all, "masking twice changes nothing");
}

struct row {
	const char *name;
	struct str in;
	const char *want;
};

static const struct row LINES[] = {
	{ "line ranges",
	  STR("TAP version 13\n1..2\n# selftests: x: y\nhuman\n# 1..2\n# ok 1 a\nnoise\n"
	      "# ok 2 b\n"
	      "ok 1 selftests: x: y\n# selftests: x: z\nmore\nok 2 selftests: x: z\n"),
	  "pass selftests: x: y > a @1-6\npass selftests: x: y > b @7-8\n"
	  "pass selftests: x: y + @1-9\npass selftests: x: z @10-12\n" },
};

static void test_lines(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(LINES); i++) {
		struct dump d = { .lines = true };

		dump_parse(&d, LINES[i].in, 0, TAP_END_CLEAN);
		is_str(t, d.text.p, LINES[i].want, LINES[i].name);
		buf_done(&d.text);
	}
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_lines(&t);
	test_keys(&t);
	is_int(&t, tap_status_from_exit(4), STATUS_SKIP, "exit 4 is a skip");
	is_int(&t, tap_status_from_exit(99), STATUS_FAIL, "any other exit is a failure");
	return tap_done(&t);
}
