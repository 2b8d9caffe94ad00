/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "plan/plan.h"
#include "tap.h"

/*
 * Selectors: a list of tests, what is chosen of it. A star marks the default.
 */
static const char *const TESTS[] = {
	"*mptcp/mptcp_sockopt.sh", "*mptcp/pm_netlink.sh", "mptcp/mptcp_join.sh",
	"mptcp/mptcp_connect.sh", "mptcp/diag.sh", "*own/quick", "own/slow.sh",
};

static void make_tests(struct plan_tests *tests)
{
	for (size_t i = 0; i < ARRAY_SIZE(TESTS); i++) {
		struct plan_test *t = plan_tests_add(tests);
		struct str name = str_of(TESTS[i]), suite;

		t->by_default = name.p[0] == '*';
		name = str_from(name, t->by_default);
		suite = str_cut(&name, '/');
		t->suite = xstrndup(suite.p, suite.n);
		t->name = xstrndup(name.p, name.n);
		if (str_eq(suite, STR("mptcp")))
			t->collection = xstrdup("net/mptcp");
	}
}

static const struct {
	const char *selectors; /* parted by blanks */
	int r;
	const char *want;      /* names with their subtests, or the error */
} SELECT[] = {
	{ "", 0, "mptcp_sockopt.sh pm_netlink.sh quick" },
	{ "mptcp", 0, "mptcp_sockopt.sh pm_netlink.sh" },
	{ "mptcp/*", 0, "mptcp_sockopt.sh pm_netlink.sh mptcp_join.sh mptcp_connect.sh diag.sh" },
	{ "mptcp/pm_netlink.sh", 0, "pm_netlink.sh" },
	{ "mptcp/pm_netlink", 0, "pm_netlink.sh" },
	{ "mptcp/diag mptcp/mptcp_sockopt", 0, "mptcp_sockopt.sh diag.sh" },
	{ "mptcp/mptcp_*", 0, "mptcp_sockopt.sh mptcp_join.sh mptcp_connect.sh" },
	{ "m*/diag", 0, "diag.sh" },
	{ "*/[dq]*", 0, "diag.sh quick" },
	{ "own/slow", 0, "slow.sh" },
	{ "net/mptcp", 0, "mptcp_sockopt.sh pm_netlink.sh" },
	{ "net/mptcp:pm_netlink.sh", 0, "pm_netlink.sh" },
	{ "net/mptcp:diag", 0, "diag.sh" },
	{ "!mptcp", 0, "quick" },
	{ "!mptcp/pm_netlink", 0, "mptcp_sockopt.sh quick" },
	{ "mptcp/* !mptcp/mptcp_*", 0, "pm_netlink.sh diag.sh" },
	{ "!mptcp/mptcp_* mptcp/*", 0, "pm_netlink.sh diag.sh" },
	{ "mptcp !own/quick", 0, "mptcp_sockopt.sh pm_netlink.sh" },
	{ "!*/*", 0, "" },
	{ "mptcp/mptcp_join/fastclose*", 0, "mptcp_join.sh{fastclose*}" },
	{ "mptcp/mptcp_join/a mptcp/mptcp_join.sh/b/c", 0, "mptcp_join.sh{a,b/c}" },
	{ "mptcp/mptcp_join/a mptcp/mptcp_join", 0, "mptcp_join.sh" },
	{ "pm_netlink", -ENOENT, "no test 'pm_netlink'; did you mean 'mptcp/pm_netlink.sh'?" },
	{ "pm_netlnik.sh", -ENOENT,
	  "no test 'pm_netlnik.sh'; did you mean 'mptcp/pm_netlink.sh'?" },
	{ "mtpcp", -ENOENT, "no test 'mtpcp'; did you mean 'mptcp'?" },
	{ "mptcp/daig", -ENOENT, "no test 'mptcp/daig'; did you mean 'mptcp/diag.sh'?" },
	{ "bpf/foo", -ENOENT, "no test matches 'bpf/foo'; the suites here: mptcp, own" },
	{ "!mptcp/nothing", -ENOENT,
	  "no test matches 'mptcp/nothing'; the suites here: mptcp, own" },
	{ "!", -EINVAL, "empty selector '!'; give suite, suite/test or suite/test/subtest" },
	{ "!mptcp/diag/x", -EINVAL, "'!mptcp/diag/x': only whole tests can be excluded" },
};

static size_t split(char *text, const char *v[static 8])
{
	size_t n = 0;

	for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
		v[n++] = w;
	return n;
}

static void test_select(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(SELECT); i++) {
		_free_ char *words = xstrdup(SELECT[i].selectors);
		struct plan_tests tests = {};
		struct buf got = {};
		struct err err = {};
		const char *v[8];
		int r;

		make_tests(&tests);
		r = plan_select(&tests, v, split(words, v), &err);
		is_int(t, r, SELECT[i].r, SELECT[i].selectors);
		for (size_t j = 0; j < tests.n; j++) {
			struct plan_test *one = &tests.v[j];

			buf_printf(&got, "%s%s", j ? " " : "", one->name);
			for (char *c = one->subtests; c && *c; c++)
				*c = *c == '\n' ? ',' : *c;
			if (one->subtests)
				buf_printf(&got, "{%s}", one->subtests);
		}
		is_str(t, r < 0 ? err.text : got.p ? got.p : "", SELECT[i].want, "choice");
		buf_done(&got);
		plan_tests_done(&tests);
	}
}

static void test_subtests(struct tap *t)
{
	struct plan_test one = { .subtests = NULL };

	ok(t, plan_subtest_chosen(&one, "x"), "without a selector every subtest is chosen");
	one.subtests = (char *)"fast*\nb/c";
	ok(t, plan_subtest_chosen(&one, "fastclose") && plan_subtest_chosen(&one, "b/c"), "globs");
	ok(t, !plan_subtest_chosen(&one, "slow"), "no other");
}

static const struct {
	const char *entry, *want;
} NAMES[] = {
	{ "pm_netlink.sh", "pm_netlink.sh" },
	{ "/usr/bin/true", "true" },
	{ "./a/b.sh --fast /tmp/x", "b.sh --fast _tmp_x" },
	{ "ip -6 route get ::1", "ip -6 route get __1" },
};

static void test_ranks(struct tap *t)
{
	char *order[] = { (char *)"pm_netlink", (char *)"mptcp_*", (char *)"./x y" };
	struct plan_suite s = { .tests = order, .tests_count = 3 };

	is_int(t, plan_suite_rank(&s, "pm_netlink.sh"), 0, "rank without .sh");
	is_int(t, plan_suite_rank(&s, "mptcp_join.sh"), 1, "rank by glob");
	is_int(t, plan_suite_rank(&s, "x y"), 2, "rank of a command line");
	is_int(t, plan_suite_rank(&s, "diag.sh"), -1, "not chosen");
	s.tests_count = 0;
	is_int(t, plan_suite_rank(&s, "diag.sh"), 0, "no choice is all");
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++) {
		_free_ char *name = plan_entry_name(NAMES[i].entry);

		is_str(t, name, NAMES[i].want, "name of an entry");
	}
}

/*
 * Configuration files: mistakes, with their place.
 */
#define SUITE "suites:\n  - name: a\n    kind: exec\n"

static const struct {
	const char *text, *want; /* NULL: fine */
} CONFIGS[] = {
	{ SUITE, NULL },
	{ SUITE "    tests: [x, 'y z']\n    env: [A=1, B=]\n    timeout: 2m\n    dir: /x\n", NULL },
	{ "kernel: debian:trixie\nbranch: net-next\n" SUITE, NULL },
	{ SUITE "ignore:\n  - pattern: WARNING in mptcp_x$\n    reason: known\n"
	  "    link: https://bugs.example/1\n    owner: net\n    until: 2026-12-31\n", NULL },
	{ SUITE "ignore:\n  - reason: known\n",
	  "f.yaml:5:5: a rule of 'ignore' has no pattern" },
	{ SUITE "ignore:\n  - pattern: x\n",
	  "f.yaml:5:5: the rule has no reason: why may 'x' be ignored?" },
	{ SUITE "ignore:\n  - {pattern: x, reason: y}\n  - reason: y\n    pattern: 'ab(cd'\n",
	  "f.yaml:7:20: the pattern 'ab(cd': missing closing parenthesis" },
	{ SUITE "ignore:\n  - reason: y\n    pattern: a[z-a]\n",
	  "f.yaml:6:18: the pattern 'a[z-a]': range out of order in character class" },
	{ SUITE "ignore:\n  - pattern: x\n    reason: y\n    until: 2026-02-30\n",
	  "f.yaml:7:12: '2026-02-30' is no date, such as 2026-12-31" },
	{ SUITE "ignore:\n  - pattern: x\n    reason: y\n    untl: 2026-02-28\n",
	  "f.yaml:7:5: no key 'untl'; did you mean 'until'?" },
	{ SUITE "known:\n  - test: mptcp/*/x\n    pattern: slow$\n    branch: e*\n    mode: debug\n"
	  "    machine: qemu\n    reason: known\n    link: https://bugs.example/1\n"
	  "    owner: net\n    since: 2026-01-01\n    until: 2026-01-01\n", NULL },
	{ SUITE "known:\n  - reason: y\n",
	  "f.yaml:5:5: a rule of 'known' has no test: suite, suite/test or "
	  "suite/test/subtest; * and ? match" },
	{ SUITE "known:\n  - test: a/b\n",
	  "f.yaml:5:5: the rule has no reason: why may 'a/b' fail?" },
	{ SUITE "known:\n  - {test: a, reason: x}\n  - reason: y\n    test: '!a'\n",
	  "f.yaml:7:12: '!a' is no test: suite, suite/test or suite/test/subtest; * and ? "
	  "match" },
	{ SUITE "known:\n  - test: a\n    reason: y\n    since: yesterday\n",
	  "f.yaml:7:12: 'yesterday' is no date, such as 2026-12-31" },
	{ SUITE "keep:\n  - {branch: pr-*, logs: 7d, runs: 30d}\n  - branch: '*'\n    logs: 90d\n",
	  NULL },
	{ SUITE "keep:\n  - {branch: '*', logs: soon}\n",
	  "f.yaml:5:25: 'soon' is no age, such as 90d" },
	{ SUITE "keep:\n  - logs: 90d\n",
	  "f.yaml:5:5: a rule of 'keep' has no branch; '*' is any" },
	{ SUITE "keep:\n  - {branch: '*', run: 90d}\n",
	  "f.yaml:5:19: the key 'run' does not belong here" },
	{ SUITE "known:\n  - {test: a, reason: y, since: 2026-02-02, until: 2026-02-01}\n",
	  "f.yaml:5:52: the rule ends on 2026-02-01, before it was written, on 2026-02-02" },
	{ SUITE "known:\n  - test: a\n    reason: y\n    pattern: 'ab(cd'\n",
	  "f.yaml:7:20: the pattern 'ab(cd': missing closing parenthesis" },
	{ SUITE "known:\n  - test: a\n    reason: y\n    pattrn: x\n",
	  "f.yaml:7:5: no key 'pattrn'; did you mean 'pattern'?" },
	{ SUITE "known: a\n", "f.yaml:4:8: expected a list, found one value" },
	{ "", "f.yaml: it is empty" },
	{ "kernel: x\n", "f.yaml:1:1: it has no suites" },
	{ "kernl: x\n" SUITE, "f.yaml:1:1: no key 'kernl'; did you mean 'kernel'?" },
	{ SUITE "    tagret: net/mptcp\n", "f.yaml:4:5: no key 'tagret'; did you mean 'target'?" },
	{ SUITE "    colour: red\n", "f.yaml:4:5: no key 'colour'; taproom.yaml(5) lists them" },
	{ "suites:\n  - {name: a, kind: exec, evn: []}\n",
	  "f.yaml:2:27: no key 'evn'; did you mean 'env'?" },
	{ SUITE "    tests: x\n", "f.yaml:4:12: expected a list, found one value" },
	{ SUITE "    tests: {a: b}\n", "f.yaml:4:12: expected a list, found keys and values" },
	{ SUITE "    suites: []\n", "f.yaml:4:5: the key 'suites' does not belong here" },
	{ "kernel: [a]\n" SUITE, "f.yaml:1:9: expected one value, found a list" },
	{ "kernel: [a\n" SUITE, "f.yaml:2:7: did not find expected ',' or ']'" },
	{ "kernel: x\n\tbranch: y\n",
	  "f.yaml:2:1: found a tab character that violates indentation" },
	{ "kernel: x\nkernel: y\n", "f.yaml:2:1: the key 'kernel' stands there twice" },
	{ "kernel: &x y\nbranch: *x\n" SUITE, "f.yaml:2:9: aliases ('*name') are not read" },
	{ "- a\n", "f.yaml:1:1: expected keys and values, found a list" },
	{ "suites: [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]\n", "f.yaml:1:24: nested too deep" },
	{ "suites:\n  - kind: exec\n", "f.yaml:2:5: a suite has no name" },
	{ "suites:\n  - name: a\n", "f.yaml:2:11: suite 'a' has no kind, such as 'kselftest'" },
	{ SUITE "  - name: a\n    kind: exec\n", "f.yaml:4:11: two suites are called 'a'" },
	{ "suites:\n  - name: a/b\n    kind: exec\n",
	  "f.yaml:2:11: suite 'a/b': a name has no blanks and none of \"/:!*?[\"" },
	{ SUITE "    env: [A]\n", "f.yaml:4:10: suite 'a': env 'A' is not NAME=VALUE" },
	{ SUITE "    timeout: soon\n", "" /* units' own sentence */ },
	{ SUITE "modes:\n  - from: debug\n", "f.yaml:5:5: a mode has no name" },
	{ SUITE "run:\n  modes: [normal, debug]\n  machines: [uml, host]\n  retries: 2\n"
	  "  timeout: 2h\n  fail_fast: yes\n  tests: [a]\n"
	  "  exclude:\n    - {mode: debug, machine: host}\n    - tests: [a/x]\n"
	  "  include:\n    - {mode: btf-normal, tests: [a/y]}\n", NULL },
	{ SUITE "trees:\n  - {name: a, kernel: .}\n  - name: b\n    branches: [x, y]\n", NULL },
	{ SUITE "run:\n  retires: 2\n", "f.yaml:5:3: no key 'retires'; did you mean 'retries'?" },
	{ SUITE "run:\n  retries: many\n",
	  "f.yaml:5:12: 'many' is no number from 0 to 1000000" },
	{ SUITE "run:\n  job_timeout: 0\n",
	  "f.yaml:5:16: '0' is no time, such as 90, 5m or 2h" },
	{ SUITE "run:\n  fail_fast: maybe\n", "f.yaml:5:14: 'maybe' is neither yes nor no" },
	{ SUITE "run:\n  modes: [normal, debgu]\n",
	  "f.yaml:5:19: no mode 'debgu': there are normal, debug, btf-normal, btf-debug" },
	{ SUITE "run:\n  machines: [qemu, vax]\n",
	  "f.yaml:5:20: no machine 'vax'; there are auto, qemu, uml and host" },
	{ SUITE "run:\n  include:\n    - machine: qemu\n      mode: x\n",
	  "f.yaml:7:13: no mode 'x': there are normal, debug, btf-normal, btf-debug" },
	{ SUITE "run:\n  include:\n    - tests: [x]\n",
	  "f.yaml:6:7: an entry of 'include' has a mode or a machine" },
	{ SUITE "run:\n  exclude:\n    - {}\n",
	  "f.yaml:6:7: an entry of 'exclude' has a mode, a machine or tests" },
	{ SUITE "run: []\n", "f.yaml:4:6: expected keys and values, found a list" },
	{ SUITE "trees:\n  - kernel: .\n", "f.yaml:5:5: a tree has no name" },
	{ SUITE "trees:\n  - name: a\n",
	  "f.yaml:5:5: tree 'a' has either a kernel or branches" },
	{ SUITE "trees:\n  - {name: a, kernel: .}\n  - {name: a, kernel: .}\n",
	  "f.yaml:6:5: two trees are called 'a'" },
};

static void test_configs(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(CONFIGS); i++) {
		const char *want = CONFIGS[i].want;
		struct plan *p = NULL;
		struct err err = {};
		int r = plan_parse(str_of(CONFIGS[i].text), "f.yaml", &p, &err);

		is_int(t, r, want ? -EINVAL : 0, "a configuration");
		if (want && want[0])
			is_str(t, err.text, want, "says what and where");
		plan_free(p);
	}
}

/*
 * The matrix: jobs of `run`, with the command line's modes and machines.
 */
#define RUN SUITE "run:\n"

static const struct {
	const char *text, *modes, *machines, *want; /* "mode/machine", '+': only some tests */
} JOBS[] = {
	{ SUITE, NULL, NULL, "normal/auto" },
	{ SUITE, "normal,debug", "qemu,uml", "normal/qemu normal/uml debug/qemu debug/uml" },
	{ SUITE, "debug,debug", NULL, "debug/auto" },
	{ RUN "  modes: [normal, debug]\n", NULL, NULL, "normal/auto debug/auto" },
	{ RUN "  modes: [normal, debug]\n", "btf-normal", NULL, "btf-normal/auto" },
	{ RUN "  modes: [normal, debug]\n  machines: [qemu, uml]\n"
	  "  exclude: [{mode: deb*, machine: uml}]\n", NULL, NULL,
	  "normal/qemu normal/uml debug/qemu" },
	{ RUN "  exclude: [{mode: '*'}]\n", NULL, NULL, NULL },
	{ RUN "  exclude: [{mode: '*', tests: [a]}]\n", NULL, NULL, "normal/auto" },
	{ RUN "  include: [{mode: debug, tests: [a/x]}, {machine: uml}]\n", NULL, NULL,
	  "normal/auto +debug/auto normal/uml" },
	{ RUN "  include: [{mode: debug, machine: host}]\n", "normal", NULL, "normal/auto" },
};

static void test_jobs(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(JOBS); i++) {
		_cleanup_(buf_done) struct buf got = {};
		_cleanup_(plan_freep) struct plan *p = NULL;
		struct plan_jobs jobs = {};
		struct err err = {};
		int r = plan_parse(str_of(JOBS[i].text), "f.yaml", &p, &err);

		is_int(t, r, 0, "a plan");
		r = plan_jobs_make(p, JOBS[i].modes, JOBS[i].machines, &jobs, &err);
		is_int(t, r, JOBS[i].want ? 0 : -EINVAL, "its jobs");
		for (size_t k = 0; k < jobs.n; k++)
			buf_printf(&got, "%s%s%s/%s", k ? " " : "", jobs.v[k].only ? "+" : "",
				   jobs.v[k].mode, jobs.v[k].machine);
		is_str(t, got.p ? got.p : "", JOBS[i].want ? JOBS[i].want : "", "are these");
		plan_jobs_done(&jobs);
	}
}

static void test_excluded(struct tap *t)
{
	static char suite[] = "a", name[] = "x.sh";
	struct plan_test test = { .suite = suite, .name = name };
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct err err = {};

	plan_parse(STR(SUITE "    modes: [btf-*]\n" "run:\n  exclude:\n"
		       "    - {mode: debug, tests: [a/x]}\n    - {machine: uml, tests: [b]}\n"),
		   "f.yaml", &p, &err);
	ok(t, !plan_test_fits(p, "debug", "qemu", &test), "a test is excluded in a mode");
	ok(t, plan_test_fits(p, "normal", "qemu", &test), "and not in another");
	ok(t, plan_test_fits(p, "normal", "uml", &test), "nor by a rule for others");
	ok(t, plan_suite_fits(&p->suites[0], "btf-debug", "qemu"), "a suite of some modes");
	ok(t, !plan_suite_fits(&p->suites[0], "normal", "qemu"), "is in no other");
}

static const struct {
	const char *text, *trees, *want; /* "kernel=branch" */
} SOURCES[] = {
	{ SUITE, NULL, "-=-" },
	{ SUITE "trees:\n  - {name: a, kernel: .}\n  - {name: b, branches: [x, y]}\n", NULL,
	  ".=- git:x=x git:y=y" },
	{ SUITE "trees:\n  - {name: a, kernel: .}\n  - {name: b, branches: [x, y]}\n", "b",
	  "git:x=x git:y=y" },
	{ SUITE "trees:\n  - {name: a, kernel: ., branch: z}\n  - {name: b, kernel: q}\n"
	  "run:\n  trees: [a]\n", NULL, ".=z" },
	{ SUITE "trees:\n  - {name: a, kernel: .}\n", "c", NULL },
};

static void test_sources(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(SOURCES); i++) {
		_cleanup_(buf_done) struct buf got = {};
		_cleanup_(plan_freep) struct plan *p = NULL;
		struct plan_sources s = {};
		struct err err = {};
		int r;

		plan_parse(str_of(SOURCES[i].text), "f.yaml", &p, &err);
		r = plan_sources_make(p, SOURCES[i].trees, &s, &err);
		is_int(t, r, SOURCES[i].want ? 0 : -EINVAL, "trees");
		for (size_t k = 0; k < s.n; k++)
			buf_printf(&got, "%s%s=%s", k ? " " : "",
				   s.v[k].kernel ? s.v[k].kernel : "-",
				   s.v[k].branch ? s.v[k].branch : "-");
		if (SOURCES[i].want)
			is_str(t, got.p, SOURCES[i].want, "are these");
		else
			is_str(t, err.text, "no tree 'c': there are a", "says so");
		plan_sources_done(&s);
	}
}

static void test_limits(struct tap *t)
{
	struct buf b = {};
	struct plan *p = NULL;
	struct err err = {};

	buf_printf(&b, "kernel: ");
	for (int i = 0; i < 5000; i++)
		buf_add(&b, "x", 1);
	buf_printf(&b, "\n");
	is_int(t, plan_parse(buf_str(&b), "f", &p, &err), -EINVAL, "a word that is too long");
	ok(t, str_find(str_of(err.text), STR("STRING length > 4096")) >= 0, "and its limit");
	buf_clear(&b);
	while (b.n <= 1u << 20)
		buf_printf(&b, "# long\n");
	is_int(t, plan_parse(buf_str(&b), "f", &p, &err), -EFBIG, "a file that is too large");
	buf_done(&b);
}

static void test_load(struct tap *t)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *deep = NULL, *path = NULL, *real = NULL;
	struct plan *p = NULL;
	struct err err = {};

	dir_temp("/tmp", "taproom-test.", &dir, &err);
	setenv("XDG_CONFIG_HOME", dir, 1);
	deep = path_join(dir, "a/b");
	dir_make(deep, &err);
	is_int(t, plan_load(NULL, deep, &p, &err), 0, "built in");
	ok(t, p && !p->path && p->suites_count > 1, "has suites and no file");
	is_str(t, p->suites[0].name, "kunit", "what takes a second comes first");
	is_str(t, p->suites[1].target, "net/mptcp", "MPTCP");
	p = plan_free(p);
	path = path_join(dir, "a/" PLAN_FILE);
	file_write(path, STR(SUITE "    dir: progs\n"), 0644, &err);
	is_int(t, plan_load(NULL, deep, &p, &err), 0, "found in a parent");
	real = realpath(path, NULL);
	is_str(t, p->path, real, "and says where");
	freep(&path);
	path = path_dir(real);
	freep(&real);
	real = path_join(path, "progs");
	is_str(t, p->suites[0].dir, real, "a directory is beside the file");
	p = plan_free(p);
	is_int(t, plan_load("/nonexistent", deep, &p, &err), -ENOENT, "a named file must be there");
}

/* What a rule of `known` is about. */
static const struct {
	const char *test, *name;
	bool want;
} ABOUT[] = {
	{ "mptcp", "mptcp/a.sh/x", true },
	{ "mptcp", "mptcp/a.sh", true },
	{ "mptcp", "mptcp2/a.sh", false },
	{ "mptcp/a", "mptcp/a.sh", true },
	{ "mptcp/a", "mptcp/a.sh/x/y", true },
	{ "mptcp/a.sh", "mptcp/a.sh/x", true },
	{ "mptcp/a.sh", "mptcp/a", false },
	{ "mptcp/a.sh", "mptcp/a.sh2/x", false },
	{ "*/a?", "net/ab.sh/x", true },
	{ "mptcp/a/x", "mptcp/a.sh/x", true },
	{ "mptcp/a/x", "mptcp/a.sh/x/y", false },
	{ "mptcp/a/x/*", "mptcp/a.sh/x/y", true },
	{ "mptcp/a/x*", "mptcp/a.sh", false },
	{ "mptcp/a/*close*", "mptcp/a.sh/12 fastclose: v4/v6", true },
	{ "*", "mptcp/.sh/x", true },
};

static void test_about(struct tap *t)
{
	struct buf huge = {};

	for (size_t i = 0; i < ARRAY_SIZE(ABOUT); i++) {
		struct plan_known k = { .test = (char *)ABOUT[i].test };

		ok(t, plan_known_about(&k, str_of(ABOUT[i].name)) == ABOUT[i].want,
		   "a rule for '%s' is%s about '%s'", ABOUT[i].test, ABOUT[i].want ? "" : " not",
		   ABOUT[i].name);
	}
	buf_printf(&huge, "mptcp/a/");
	for (int i = 0; i < 5000; i++)
		buf_add(&huge, "x", 1);
	ok(t, !plan_known_about(&(struct plan_known){ .test = (char *)"*" }, buf_str(&huge)),
	   "what is too long to be a name is none");
	buf_done(&huge);
}

static void test_days(struct tap *t)
{
	struct plan_known k = { .since = (char *)"2026-01-01", .until = (char *)"2026-12-31" };
	int64_t since, expires;

	plan_known_days(&k, &since, &expires);
	is_int(t, since, 1767225600000, "a rule's first day begins at 0 o'clock");
	is_int(t, expires, 1798761600000, "its last ends at 24");
	ok(t, plan_known_holds(&k, expires - 1) && !plan_known_holds(&k, expires),
	   "it holds until then");
	k = (struct plan_known){};
	plan_known_days(&k, &since, &expires);
	ok(t, !since && !expires && plan_known_holds(&k, INT64_MAX / 2), "without days it holds");
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_select(&t);
	test_subtests(&t);
	test_ranks(&t);
	test_configs(&t);
	test_jobs(&t);
	test_excluded(&t);
	test_sources(&t);
	test_limits(&t);
	test_load(&t);
	test_about(&t);
	test_days(&t);
	return tap_done(&t);
}