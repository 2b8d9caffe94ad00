/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/make-log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "suite/bpf-build.h"
#include "suite/kinds.h"
#include "suite/suite.h"
#include "tap.h"

static const struct {
	const char *settings;
	unsigned want;
} SETTINGS[] = {
	{ "timeout=1800\n", 1800 },
	{ "# slow\ntimeout=90", 90 },
	{ "", 45 },
	{ "#timeout=1\n", 45 },
	{ "timeout=\n", 45 },
	{ "timeout=soon\n", 45 },
	{ "timeout=99999999999999999999\n", 45 },
	{ "timeout=0\n", 0 },
};

static const struct {
	const char *log, *want;
} LOGS[] = {
	{ "  CC x\nx.c:3:1: error: no 'y'\nmake: *** [x] Error 1\n", "x.c:3:1: error: no 'y'" },
	{ "/bin/sh: 1: rsync: not found\nmake: *** Error 127\n", "/bin/sh: 1: rsync: not found" },
	{ "false\nmake[1]: *** [x] Error 1\nmake: *** [all] Error 2\n\n",
	  "make[1]: *** [x] Error 1" },
	{ "Killed\n\n", "Killed" },
	{ "", "" },
};

static void test_texts(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(SETTINGS); i++)
		is_int(t, kselftest_settings_timeout(str_of(SETTINGS[i].settings)),
		       SETTINGS[i].want, "timeout of settings");
	for (size_t i = 0; i < ARRAY_SIZE(LOGS); i++) {
		struct str s = make_log_error(str_of(LOGS[i].log));
		_free_ char *got = xstrndup(s.p ? s.p : "", s.n);

		is_str(t, got, LOGS[i].want, "what a failed build said");
	}
}

static void put(const char *dir, const char *name, const char *text, mode_t mode)
{
	_free_ char *path = path_join(dir, name), *parent = path_dir(path);

	dir_make(parent, NULL);
	file_write(path, str_of(text), mode, NULL);
}

static char *words(char *const *argv)
{
	struct buf b = {};

	for (; *argv; argv++)
		buf_printf(&b, "%s%s", b.n ? "|" : "", *argv);
	return buf_take(&b);
}

/*
 * A selftests tree like the kernel's, small: its Makefiles make what the
 * kernel's make, the rest of the way is the real one.
 */
static const char TOP_MAKEFILE[] = "headers:\n\t@mkdir -p $(O)/usr/include\n";
static const char SELFTESTS_MAKEFILE[] =
	"install:\n"
	"\t@test -d $(O)/usr/include && test -z \"$$KBUILD_OUTPUT\"\n"
	"\t@mkdir -p $(KSFT_INSTALL_PATH)/$(TARGETS)\n"
	"\t@cp $(TARGETS)/*.sh $(TARGETS)/settings $(TARGETS)/prog "
	"$(KSFT_INSTALL_PATH)/$(TARGETS)\n"
	"\t@for t in a.sh plain.sh prog; do echo $(TARGETS):$$t; done"
	" > $(KSFT_INSTALL_PATH)/kselftest-list.txt\n"
	"\t@echo other:x.sh >> $(KSFT_INSTALL_PATH)/kselftest-list.txt\n";

static void make_selftests(const char *tree)
{
	static const char dir[] = "tools/testing/selftests/";
	_free_ char *broken = xasprintf("%snet/broken/Makefile", dir);

	put(tree, "Makefile", TOP_MAKEFILE, 0644);
	put(tree, "tools/testing/selftests/Makefile", SELFTESTS_MAKEFILE, 0644);
	put(tree, "tools/testing/selftests/net/t/Makefile", "", 0644);
	put(tree, "tools/testing/selftests/net/t/config", "CONFIG_MPTCP=y\nCONFIG_VETH=m\n", 0644);
	put(tree, "tools/testing/selftests/net/t/settings", "timeout=7\n", 0644);
	put(tree, "tools/testing/selftests/net/t/a.sh", "#!/bin/sh\n", 0755);
	put(tree, "tools/testing/selftests/net/t/plain.sh", "#! /bin/sh -eu\n", 0644);
	put(tree, "tools/testing/selftests/net/t/prog", "\x7f" "ELF", 0755);
	put(tree, broken, "", 0644);
}

static void test_kselftest(struct tap *t)
{
	static const struct {
		const char *name, *argv;
		bool by_default;
	} want[] = {
		{ "prog", "stdbuf|--output=L|./prog", true },
		{ "a.sh", "./a.sh", false },
		{ "plain.sh", "/bin/sh|-eu|./plain.sh", false },
	};
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *tree = NULL, *cache = NULL, *gcc = proc_find("gcc"), *make = proc_find("make");
	char *choice[] = { (char *)"prog" }, *env[] = { (char *)"A=1" };
	struct plan_suite suite = { .name = (char *)"net",
				    .target = (char *)"net/t",
				    .tests = choice,
				    .tests_count = 1,
				    .env = env,
				    .env_count = 1 };
	const struct suite_kind *kind = suite_kind_find("kselftest", NULL);
	struct plan_tests tests = {};
	struct suite_context ctx;
	struct err err = {};

	if (!gcc || !make) {
		ok(t, true, "kselftest # SKIP no gcc or make");
		return;
	}
	dir_temp("/tmp", "taproom-test.", &dir, NULL);
	tree = path_join(dir, "linux");
	cache = path_join(dir, "cache");
	make_selftests(tree);
	ctx = (struct suite_context){ .cache_dir = cache, .source = tree,
				      .source_id = "tree_1:2~3" };
	is_int(t, kind->list(&suite, &ctx, &tests, &err), 0, "builds and lists");
	is_int(t, (int64_t)tests.n, ARRAY_SIZE(want), "all of the target, nothing else");
	for (size_t i = 0; i < tests.n && i < ARRAY_SIZE(want); i++) {
		_free_ char *argv = words(tests.v[i].argv);

		is_str(t, tests.v[i].name, want[i].name, "the default choice comes first");
		is_str(t, argv, want[i].argv, "started as the kernel's runner does");
		is_int(t, tests.v[i].by_default, want[i].by_default, "by default");
		is_int(t, tests.v[i].timeout_ms, 7000, "timeout of settings");
		is_str(t, tests.v[i].env[0], "A=1", "environment");
		is_str(t, tests.v[i].collection, "net/t", "collection");
	}
	plan_tests_done(&tests);

	/* From here on only the cache can have it. */
	put(tree, "Makefile", "headers:\n\tfalse\n", 0644);
	suite.timeout = (char *)"1m";
	is_int(t, kind->list(&suite, &ctx, &tests, &err), 0, "lists from the cache");
	is_int(t, tests.v[0].timeout_ms, 60000, "the plan's timeout wins");
	plan_tests_done(&tests);

	suite.target = (char *)"net/broken";
	is_int(t, kind->list(&suite, &ctx, &tests, &err), -EIO, "a build that fails");
	ok(t, str_find(str_of(err.text), STR("cannot stat")) >= 0 &&
	      str_find(str_of(err.text), STR("net_broken.log")) >= 0,
	   "says why, and where all of it is");
	suite.target = (char *)"net/none";
	is_int(t, kind->list(&suite, &ctx, &tests, &err), -ENOENT, "no such target");
	suite.target = (char *)"../../..";
	is_int(t, kind->list(&suite, &ctx, &tests, &err), -EINVAL, "no target at all");
}

/* The kernel's real tests, where an earlier run has left them in the cache. */
static void test_real(struct tap *t)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	_free_ char *cache = xdg ? path_join(xdg, "taproom") : path_join(home, ".cache/taproom");
	_free_ char *sources = path_join(cache, "debian/linux-source-*");
	struct plan_suite suite = { .name = (char *)"mptcp", .target = (char *)"net/mptcp" };
	struct plan_tests tests = {};
	struct suite_context ctx = { .cache_dir = cache };
	_free_ char *built = NULL;
	glob_t found = {}, done = {};

	if (glob(sources, 0, NULL, &found) == 0) {
		ctx.source = found.gl_pathv[0];
		ctx.source_id = path_base(ctx.source);
	}
	/* As the cache spells it: without '~'. */
	built = xasprintf("%s/selftests/%s-*/net_mptcp", cache,
			  ctx.source ? ctx.source_id : "none");
	for (char *c = built + strlen(cache); *c; c++)
		*c = *c == '~' ? '?' : *c;
	if (glob(built, 0, NULL, &done) != 0) {
		ok(t, true, "the real MPTCP tests # SKIP none are built; 'taproom run' does");
	} else {
		is_int(t, suite_kind_find("kselftest", NULL)->list(&suite, &ctx, &tests, NULL), 0,
		       "the real MPTCP tests");
		ok(t, tests.n >= 5, "%zu programs", tests.n);
		ok(t, tests.n && tests.v[0].timeout_ms > 45000,
		   "with the timeout of their settings");
	}
	plan_tests_done(&tests);
	globfree(&found);
	globfree(&done);
}

static void test_exec(struct tap *t)
{
	static const struct {
		const char *name, *argv;
		bool by_default;
	} want[] = {
		{ "b.sh --fast", "sh|-c|./b.sh --fast", true },
		{ "a2", "./a2", true },
		{ "a10", "./a10", true },
		{ "b.sh", "./b.sh", false },
	};
	_cleanup_(dir_removep) char *dir = NULL;
	char *choice[] = { (char *)"./b.sh --fast", (char *)"a*" };
	struct plan_suite suite = { .name = (char *)"own", .tests = choice, .tests_count = 2 };
	const struct suite_kind *kind = suite_kind_find("exec", NULL);
	struct suite_context ctx = {};
	struct plan_tests tests = {};
	struct err err = {};

	dir_temp("/tmp", "taproom-test.", &dir, NULL);
	put(dir, "a10", "", 0755);
	put(dir, "a2", "", 0755);
	put(dir, "b.sh", "", 0755);
	put(dir, "README", "", 0644);
	suite.dir = dir;
	is_int(t, kind->list(&suite, &ctx, &tests, &err), 0, "programs of a directory");
	is_int(t, (int64_t)tests.n, ARRAY_SIZE(want), "all of them, and the command line");
	for (size_t i = 0; i < tests.n && i < ARRAY_SIZE(want); i++) {
		_free_ char *argv = words(tests.v[i].argv);

		is_str(t, tests.v[i].name, want[i].name, "name and order");
		is_str(t, argv, want[i].argv, "command");
		is_int(t, tests.v[i].by_default, want[i].by_default, "by default");
	}
	plan_tests_done(&tests);

	suite.dir = NULL;
	choice[1] = (char *)"/bin/true";
	is_int(t, kind->list(&suite, &ctx, &tests, &err), 0, "without a directory");
	is_str(t, tests.n == 2 ? tests.v[1].argv[0] : NULL, "/bin/true",
	       "a path is started as such");
	plan_tests_done(&tests);
	suite.tests_count = 0;
	is_int(t, kind->list(&suite, &ctx, &tests, &err), -ENOENT, "nothing to run");
	suite.dir = (char *)"/nonexistent";
	is_int(t, kind->list(&suite, &ctx, &tests, &err), -ENOENT, "no such directory");
	ok(t, !suite_kind_find("kunti", &err), "no such kind");
	is_str(t, err.text, "no suite kind 'kunti'; there are kselftest, kunit, "
	       "packetdrill, bpf, static, exec",
	       "names the kinds");
}

/* Arguments and an environment of their own, under names of their own. */
static void test_variants(struct tap *t)
{
	static const struct {
		const char *name, *argv, *env;
	} want[] = {
		{ "a.sh", "./a.sh|-x", "A=1" },
		{ "plain.sh", "/bin/sh|-eu|./plain.sh", "A=1" },
		{ "prog", "stdbuf|--output=L|./prog", "A=1" },
		{ "a-mmap.sh", "./a.sh|-m|mmap", "A=1 B=2" },
		{ "a-f", "./a.sh|-f", "A=1" },
		{ "a-e", "./a.sh|-e", "A=1" },
	};
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *tree = NULL, *cache = NULL, *gcc = proc_find("gcc"), *make = proc_find("make");
	char *env[] = { (char *)"A=1" }, *more[] = { (char *)"B=2" };
	struct plan_variant variants[] = {
		{ .name = (char *)"a-mmap.sh", .test = (char *)"a.sh", .args = (char *)"-m  mmap",
		  .env = more, .env_count = 1 },
		/* The kernel's own goes before it, and what has no program is left out. */
		{ .name = (char *)"plain.sh", .test = (char *)"a.sh", .args = (char *)"-p" },
		{ .name = (char *)"old.sh", .test = (char *)"none.sh", .args = (char *)"-p" },
		{ .name = (char *)"a-", .test = (char *)"a.sh", .args = (char *)"-",
		  .each = (char *)"f e" },
		{ .name = (char *)"a.sh", .args = (char *)"-x", .timeout = (char *)"9s" },
	};
	struct plan_suite suite = { .name = (char *)"net", .target = (char *)"net/t",
				    .env = env, .env_count = 1, .variants = variants,
				    .variants_count = ARRAY_SIZE(variants) };
	struct plan_tests tests = {};
	struct suite_context ctx;
	struct err err = {};

	if (!gcc || !make) {
		ok(t, true, "variants # SKIP no gcc or make");
		return;
	}
	dir_temp("/tmp", "taproom-test.", &dir, NULL);
	tree = path_join(dir, "linux");
	cache = path_join(dir, "cache");
	make_selftests(tree);
	ctx = (struct suite_context){ .cache_dir = cache, .source = tree, .source_id = "tree_1" };
	is_int(t, suite_kind_find("kselftest", NULL)->list(&suite, &ctx, &tests, &err), 0,
	       "lists variants");
	is_int(t, (int64_t)tests.n, ARRAY_SIZE(want), "all, once");
	for (size_t i = 0; i < tests.n && i < ARRAY_SIZE(want); i++) {
		_free_ char *argv = words(tests.v[i].argv);
		struct buf b = {};

		for (char **v = tests.v[i].env; v && *v; v++)
			buf_printf(&b, "%s%s", b.n ? " " : "", *v);
		is_str(t, tests.v[i].name, want[i].name, "a variant's name");
		is_str(t, argv, want[i].argv, "and its command");
		is_str(t, b.p, want[i].env, "and its environment");
		buf_done(&b);
	}
	is_int(t, tests.v[0].timeout_ms, 9000, "a timeout of its own");
	plan_tests_done(&tests);
}

/* A tree whose compiler and checkpatch find something in one of its files. */
static const char STATIC_MAKEFILE[] =
	"headers allnoconfig prepare:\n\t@mkdir -p $(O)/usr/include\n"
	"d/%.o:\n\t@test -d $(O) && grep -q BAD d/$*.c && "
	"echo '$(CURDIR)/d/$*.c:1:5: warning: it is bad' || :\n"
	"gone/%.o:\n\t@false\n";

static char *run_test(const struct plan_test *test)
{
	struct proc_spec spec = { .argv = (const char *const *)test->argv, .dir = test->dir,
				  .in = PROC_NULL, .out = PROC_NULL, .err = PROC_NULL };
	struct buf out = {};

	proc_run(&spec, &out, NULL, 60000, NULL);
	return buf_take(&out);
}

static void test_static(struct tap *t)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *tree = NULL, *cache = NULL, *gcc = proc_find("gcc"), *make = proc_find("make");
	_free_ char *perl = proc_find("perl"), *bad = NULL, *good = NULL;
	struct plan_suite suite = { .name = (char *)"static", .target = (char *)"d" };
	const struct suite_kind *kind = suite_kind_find("static", NULL);
	struct plan_tests tests = {};
	struct suite_context ctx;
	struct err err = {};

	if (!gcc || !make || !perl) {
		ok(t, true, "static # SKIP no gcc, make or perl");
		return;
	}
	dir_temp("/tmp", "taproom-test.", &dir, NULL);
	tree = path_join(dir, "linux");
	cache = path_join(dir, "cache");
	put(tree, "Makefile", STATIC_MAKEFILE, 0644);
	put(tree, "d/bad.c", "/* BAD */\n", 0644);
	put(tree, "d/good.c", "", 0644);
	put(tree, "d/x.mod.c", "", 0644);
	put(tree, "scripts/checkpatch.pl",
	    "exit 0 if $ARGV[-1] =~ /good/; print \"d/bad.c:1: WARNING:X: long\\n\"; exit 1;\n",
	    0755);
	ctx = (struct suite_context){ .cache_dir = cache, .source = tree, .source_id = "tree_1",
				      .machine = "qemu" };
	is_int(t, kind->list(&suite, &ctx, &tests, &err), 0, "lists a directory's files");
	is_int(t, (int64_t)tests.n, 2, "of C, those that are no machine's");
	ok(t, tests.n == 2 && tests.v[0].unable, "not in a machine that boots");
	plan_tests_done(&tests);
	ctx.machine = "host";
	is_int(t, kind->list(&suite, &ctx, &tests, &err), 0, "prepares objects on the host");
	if (tests.n != 2) {
		ok(t, false, "two files");
		return;
	}
	bad = run_test(&tests.v[0]);
	good = run_test(&tests.v[1]);
	ok(t, strstr(bad, "not ok 1 W=1 # 1 found, first d/bad.c:1:5: warning: it is bad\n"),
	   "a compiler's finding with its place");
	ok(t, strstr(bad, "not ok 3 checkpatch # 1 found, first d/bad.c:1: WARNING:X: long\n"),
	   "checkpatch's");
	ok(t, strstr(good, "\nok 1 W=1\n") && strstr(good, "\nok 3 checkpatch\n") &&
	      !strstr(good, "not ok"), "nothing in a file that is good");
	plan_tests_done(&tests);
	suite.target = (char *)"none";
	is_int(t, kind->list(&suite, &ctx, &tests, &err), -ENOENT, "no such directory in the tree");
	suite.target = (char *)"../d";
	is_int(t, kind->list(&suite, &ctx, &tests, &err), -EINVAL, "no directory of the tree");
}

static void test_skeletons(struct tap *t)
{
	struct buf b = {};

	bpf_skeletons(STR("#include <test_progs.h>\n#include \"mptcp_sock.skel.h\"\n"
			  "  #include \"x.lskel.h\" /* \"y.skel.h\" */\n#include \"../z.skel.h\"\n"
			  "#include \"cgroup_helpers.h\"\n#include \""), &b);
	is_str(t, b.p, "mptcp_sock\nx\n", "what a BPF test's source includes");
	buf_done(&b);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_texts(&t);
	test_kselftest(&t);
	test_real(&t);
	test_exec(&t);
	test_variants(&t);
	test_static(&t);
	test_skeletons(&t);
	return tap_done(&t);
}
