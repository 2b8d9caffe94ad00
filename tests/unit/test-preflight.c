/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preflight: which words count as a use, what a kernel and a machine lack, which
 * tests that touches, and what mends it.
 */
#include "tap.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "suite/preflight.h"

static const struct {
	const char *script, *word;
	bool uses;
} USES[] = {
	{ "#!/bin/sh\ntc qdisc add dev eth0 root netem delay 5ms\n", "netem", true },
	{ "\ttc qdisc\n", "tc", true },
	{ "# needs tc\n   # tc too\n", "tc", false },
	{ "etc/tc.conf\n", "tc", false },
	{ "my-tc x\ntc-y\n$tc\n", "tc", false },
	{ "x=$(tc -V)\n", "tc", true },
	{ "/sbin/tc -V", "tc", true },
	{ "tc", "tc", true },
	{ "t", "tc", false },
	{ "", "tc", false },
	{ "for t in ip ss; do", "ss", true },
	{ "class\nss_\n", "ss", false },
};

static const struct {
	const char *fragment, *want;
} FRAGMENTS[] = {
	{ "CONFIG_MPTCP=y\nCONFIG_VETH=m\n", "MPTCP\nVETH\n" },
	{ "# CONFIG_A is not set\nCONFIG_B=n\nCONFIG_HZ=100\nCONFIG_\n\nx\n", "HZ\n" },
	{ "", "" },
};

static void test_words(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(USES); i++)
		ok(t, preflight_uses(str_of(USES[i].script), str_of(USES[i].word)) ==
		      USES[i].uses, "%s: %s, row %zu", USES[i].word,
		   USES[i].uses ? "used" : "not used", i);
	for (size_t i = 0; i < ARRAY_SIZE(FRAGMENTS); i++) {
		struct buf b = {};

		preflight_wanted(str_of(FRAGMENTS[i].fragment), &b);
		is_str(t, b.p ? b.p : "", FRAGMENTS[i].want, "what a fragment asks for");
		buf_done(&b);
	}
}

/* A kernel without these, a machine without tcpdump. */
static char value_of(const char *config, const char *name)
{
	static const char *const off[] = { "NET_SCH_NETEM", "VETH", "SYSVIPC" };

	for (size_t i = 0; i < ARRAY_SIZE(off); i++)
		if (strcmp(off[i], name) == 0)
			return 'n';
	return 'y';
}

static char *find(const char *program)
{
	return strcmp(program, "tcpdump") == 0 ? NULL : xstrdup(program);
}

static void add(struct plan_tests *tests, const char *suite, const char *dir, const char *name,
		const char *text)
{
	_free_ char *path = path_join(dir, name);
	struct plan_test *test = plan_tests_add(tests);

	file_write(path, str_of(text), 0755, NULL);
	test->suite = xstrdup(suite);
	test->name = xstrdup(name);
	test->dir = xstrdup(dir);
}

static void test_lacks(struct tap *t)
{
	static const char *const want[] = {
		"NET_SCH_NETEM 0 shape.sh, both.sh", "VETH 1 both.sh", "SYSVIPC 2 ",
		"tcpdump 2 both.sh",
	};
	struct plan_suite suite = { .name = (char *)"net", .target = (char *)"net/t" };
	struct preflight_place place = { .config_path = "c", .value = value_of, .find = find,
					 .versions = true };
	_cleanup_(buf_done) struct buf options = {}, packages = {};
	_free_ char *dir = NULL, *sub = NULL, *fragment = NULL;
	struct plan_tests tests = {};
	struct preflight p;
	struct err err = {};

	dir_temp("/tmp", "taproom-preflight.", &dir, NULL);
	sub = path_join(dir, "tools/testing/selftests/net/t");
	fragment = path_join(sub, "config");
	dir_make(sub, NULL);
	file_write(fragment, STR("CONFIG_SYSVIPC=y\nCONFIG_NET_SCH_NETEM=m\nCONFIG_NET=y\n"),
		   0644, NULL);
	place.source = dir;
	add(&tests, "net", dir, "shape.sh", "#!/bin/sh\ntc qdisc add dev a root netem loss 1%\n");
	add(&tests, "net", dir, "both.sh",
	    "#!/bin/sh\nip link add a type veth\ntcpdump &\ntc qdisc add dev a root netem\n");
	add(&tests, "net", dir, "program", "\177ELF netem veth tcpdump\n");
	add(&tests, "other", dir, "no.sh", "#!/bin/sh\nnetem\n");

	is_int(t, preflight(&suite, &place, &tests, &p, &err), 0, "a suite is looked through");
	is_int(t, p.n_lacks, ARRAY_SIZE(want), "what is lacking");
	for (size_t i = 0; i < p.n_lacks && i < ARRAY_SIZE(want); i++) {
		_free_ char *got = xasprintf("%s %d %s", p.lacks[i].name, (int)p.lacks[i].effect,
					     p.lacks[i].tests.p ? p.lacks[i].tests.p : "");

		is_str(t, got, want[i], "the worst first");
	}
	ok(t, tests.v[0].doubt && strstr(tests.v[0].doubt, "CONFIG_NET_SCH_NETEM"),
	   "a pass of it proves little");
	ok(t, tests.v[1].doubt && !tests.v[2].doubt && !tests.v[3].doubt, "and of no other");
	preflight_options(&p, &options);
	is_str(t, options.p, "-e NET_SCH_NETEM -e VETH -e SYSVIPC", "options that mend it");
	preflight_packages(&p, &packages);
	is_str(t, packages.p, "tcpdump", "packages");
	preflight_done(&p);

	place.config_path = NULL;
	is_int(t, preflight(&suite, &place, &tests, &p, &err), 0, "of a kernel that is unknown");
	is_int(t, p.n_lacks, 1, "only programs are lacking");
	preflight_done(&p);
	plan_tests_done(&tests);
	dir_remove(dir, NULL);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_words(&t);
	test_lacks(&t);
	return tap_done(&t);
}
