/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which options a kernel gets: fragments and words merged, what did not stick. */
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "kernel/fragments.h"
#include "plan/plan.h"
#include "tap.h"

/* Text, then words, over a base: what comes out, and what is an error. */
static const struct {
	const char *name, *base, *text, *words, *want, *error;
	bool builtin;
} MERGES[] = {
	{ "a base alone", "CONFIG_A=y\n# CONFIG_B is not set\n", "", "",
	  "CONFIG_A=y\n# CONFIG_B is not set\n", NULL, false },
	{ "comments of a base go", "#\n# Automatically generated file\n#\nCONFIG_A=y\n\n", "", "",
	  "CONFIG_A=y\n", NULL, false },
	{ "an option is replaced, once", "CONFIG_A=y\nCONFIG_B=m\n", "CONFIG_A=m\n", "",
	  "CONFIG_B=m\nCONFIG_A=m\n", NULL, false },
	{ "switched off", "CONFIG_A=y\n", "# CONFIG_A is not set\n", "", "# CONFIG_A is not set\n",
	  NULL, false },
	{ "=n is the same", "CONFIG_A=y\n", "CONFIG_A=n\n", "", "# CONFIG_A is not set\n", NULL,
	  false },
	{ "the last word counts", "", "CONFIG_A=y\nCONFIG_B=1\nCONFIG_A=m\n", "",
	  "CONFIG_B=1\nCONFIG_A=m\n", NULL, false },
	{ "words come last", "", "CONFIG_A=y\n", "-d A -e B", "# CONFIG_A is not set\nCONFIG_B=y\n",
	  NULL, false },
	{ "all words", "", "CONFIG_U=y\n",
	  "--enable A --disable CONFIG_B --module C --set-val D 0x10 --set-str E \"a b\" -u U",
	  "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=m\nCONFIG_D=0x10\nCONFIG_E=\"a b\"\n", NULL,
	  false },
	{ "a test's modules are built in", "", "CONFIG_A=m\n", "-m B", "CONFIG_A=y\nCONFIG_B=m\n",
	  NULL, true },
	{ "a name that begins alike", "CONFIG_AB=y\n", "CONFIG_A=y\n", "",
	  "CONFIG_AB=y\nCONFIG_A=y\n", NULL, false },
	{ "no line end", "", "CONFIG_A=y", "", "CONFIG_A=y\n", NULL, false },
	{ "blanks and notes", "", "  # why\n\n\tCONFIG_A=y  \n", "", "CONFIG_A=y\n", NULL, false },
	{ "a line that is none", "", "CONFIG_A=y\nA=y\n", "", NULL, "here, line 2: 'A=y'", false },
	{ "no value", "", "CONFIG_A=\n", "", NULL, "here, line 1", false },
	{ "a name with a slash", "", "CONFIG_../A=y\n", "", NULL, "here, line 1", false },
	{ "an unknown word", "", "", "-e A -x B", NULL, "'-x' is none of -e", false },
	{ "a name is missing", "", "", "-e", NULL, "'-e' wants a name", false },
	{ "a value is missing", "", "", "--set-val A", NULL, "wants a name and a value", false },
	{ "a bad name", "", "", "-e 'A B'", NULL, "'A B' is no name", false },
	{ "a quote in a text", "", "", "--set-str A 'b\"c'", NULL, "has a quote", false },
	{ "a second line in a value", "", "", "--set-val A 'y\nCONFIG_B=y'", NULL, "newline",
	  false },
};

static void test_merge(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(MERGES); i++) {
		struct kconfig k = {};
		struct buf out = {};
		struct err err = {};
		int r = kconfig_add(&k, str_of(MERGES[i].text), "here", MERGES[i].builtin, &err);

		if (r == 0)
			r = kconfig_add_words(&k, str_of(MERGES[i].words), "here", &err);
		if (r == 0)
			kconfig_merge(&k, str_of(MERGES[i].base), &out);
		if (!ok(t, MERGES[i].want ? r == 0 && str_eq(buf_str(&out), str_of(MERGES[i].want))
					  : r == -EINVAL && strstr(err.text, MERGES[i].error),
			"%s", MERGES[i].name))
			printf("# %d %s\n# got: %s\n", r, err.text, buf_str(&out).p);
		buf_done(&out);
		kconfig_done(&k);
	}
}

static void add_unstuck(void *ctx, const struct kconfig_option *o, const char *got)
{
	buf_printf(ctx, "%s=%s:%s ", o->name, o->value, got);
}

static const struct {
	const char *want, *got, *unstuck;
} STICKS[] = {
	{ "CONFIG_A=y\n", "CONFIG_A=y\n", "" },
	{ "CONFIG_A=y\n", "CONFIG_A=m\n", "" },
	{ "CONFIG_A=m\n", "CONFIG_A=y\n", "" },
	{ "CONFIG_A=y\n", "# CONFIG_A is not set\n", "A=y:n " },
	{ "CONFIG_A=y\n", "CONFIG_B=y\n", "A=y:n " },
	{ "# CONFIG_A is not set\n", "", "" },
	{ "# CONFIG_A is not set\n", "CONFIG_A=y\n", "A=n:y " },
	{ "CONFIG_A=14\n", "CONFIG_A=18\n", "A=14:18 " },
	{ "CONFIG_A=\"x\"\n", "CONFIG_A=\"x\"\n", "" },
	{ "CONFIG_A=y\nCONFIG_B=y\n", "# none\n", "A=y:n B=y:n " },
};

static void test_unstuck(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(STICKS); i++) {
		struct kconfig k = {};
		struct buf out = {};

		kconfig_add(&k, str_of(STICKS[i].want), "", false, NULL);
		kconfig_unstuck(&k, str_of(STICKS[i].got), add_unstuck, &out);
		buf_add(&out, "", 0);
		is_str(t, out.p ? out.p : "", STICKS[i].unstuck, "what did not stick");
		buf_done(&out);
		kconfig_done(&k);
	}
}

static const char KCONFIG[] =
	"config NET\n\tbool \"Networking\"\n\thelp\n\t  config LIE is not defined here.\n"
	"\t  if unsure, say N\n\n\t  depends on nothing\n\n"
	"config FLAT\n\tbool \"Flat\"\n\tdepends on NET\n\thelp\n\tif not, say N\n\n"
	"if NET && INET\n"
	"menuconfig SCHED\n\tbool \"Scheduling\"\n"
	"config NETEM\n\ttristate \"Emulator\"\n\tdepends on SCHED && !TINY\n"
	"endif\n"
	"menu \"Boards\"\n\tdepends on BOARD\n"
	"config LED\n\tbool \"Lights\"\nendmenu\n"
	"config HIDDEN\n\tbool\n"
	"config FREE\n\tbool \"Free\"\n";

static const struct {
	const char *name, *result, *why;
} WHYS[] = {
	{ "NOWHERE", "", "no such option in this tree" },
	{ "LIE", "", "no such option in this tree" },
	{ "NETEM", "CONFIG_NET=y\nCONFIG_INET=y\n", "it depends on SCHED, not set" },
	{ "NETEM", "CONFIG_NET=y\nCONFIG_SCHED=y\n", "it depends on INET, not set" },
	{ "NETEM", "CONFIG_NET=y\nCONFIG_INET=y\nCONFIG_SCHED=y\nCONFIG_TINY=y\n",
	  "it wants TINY off" },
	{ "SCHED", "CONFIG_NET=y\n", "it depends on INET, not set" },
	{ "LED", "CONFIG_NET=y\n", "it depends on BOARD, not set" },
	{ "HIDDEN", "", "nobody may set it: others do" },
	{ "FREE", "", "" },
	{ "FLAT", "", "it depends on NET, not set" },
	{ "OTHER", "", "no such option in this tree" },
};

static int put(const char *dir, const char *below, const char *text)
{
	_free_ char *path = path_join(dir, below), *parent = path_dir(path);

	return dir_make(parent, NULL) < 0 ? -1 : file_write(path, str_of(text), 0644, NULL);
}

static void test_why(struct tap *t)
{
	_cleanup_(dir_removep) char *dir = NULL;

	if (dir_temp("/tmp", "taproom-kconfig-", &dir, NULL) < 0 ||
	    put(dir, "net/Kconfig", KCONFIG) < 0 ||
	    put(dir, "arch/arm/Kconfig", "config OTHER\n\tbool \"Other\"\n") < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(WHYS); i++) {
		struct buf out = {};

		kconfig_why(dir, WHYS[i].name, "x86_64", str_of(WHYS[i].result), &out);
		buf_add(&out, "", 0);
		is_str(t, out.p ? out.p : "", WHYS[i].why, WHYS[i].name);
		buf_done(&out);
	}
}

/* What a mode wants of an architecture: one option of each of its parts. */
static const struct {
	const char *mode, *arch, *has, *has_not;
} MODES[] = {
	{ "normal", "um", "HOSTFS", "VIRTIO_FS" },
	{ "normal", "x86_64", "VIRTIO_FS", "HOSTFS" },
	{ "normal", "x86_64", "KFENCE", "KASAN" },
	{ "normal", "um", "MPTCP_KUNIT_TEST", "KFENCE" },
	{ "normal", "um", "FROM_TARGET", "PROVE_LOCKING" },
	{ "normal", "x86_64", "FROM_TARGET_X86", "DEBUG_INFO_BTF" },
	{ "debug", "um", "KASAN", "DEBUG_INFO_BTF" },
	{ "debug", "x86_64", "PROVE_LOCKING", "HOSTFS" },
	{ "btf-normal", "x86_64", "DEBUG_INFO_BTF", "KASAN" },
	{ "btf-debug", "x86_64", "DEBUG_INFO_BTF", "HOSTFS" },
	{ "btf-debug", "x86_64", "KASAN", "HOSTFS" },
	{ "ours", "x86_64", "MINE", "KFENCE" },
	{ "ours", "um", "OF_A_FILE", "KASAN" },
	{ "ours", "um", "IN_TREE", "KASAN" },
};

static const char PLAN[] = "suites:\n  - name: s\n    kind: exec\n    dir: .\n"
			   "modes:\n  - name: ours\n    from: normal\n    base: tiny\n"
			   "    compiler: clang\n    memory: 3G\n    config:\n"
			   "      - -e MINE -d KFENCE\n      - ./own.config\n"
			   "      - kernel/configs/x.config\n";

static bool is_on(const struct kconfig *k, const char *name)
{
	const struct kconfig_option *o = kconfig_find(k, str_of(name));

	return o && strcmp(o->value, "n") != 0;
}

static void test_modes(struct tap *t)
{
	static const char *const targets[] = { "net/x", "net/without", NULL };
	_cleanup_(dir_removep) char *dir = NULL;
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_free_ char *path = NULL;
	struct plan_mode_all m;
	struct err err = {};

	if (dir_temp("/tmp", "taproom-modes-", &dir, NULL) < 0 ||
	    put(dir, "tools/testing/selftests/net/x/config", "CONFIG_FROM_TARGET=m\n") < 0 ||
	    put(dir, "tools/testing/selftests/net/x/config.x86_64",
		"CONFIG_FROM_TARGET_X86=y\n") < 0 ||
	    put(dir, "own.config", "CONFIG_OF_A_FILE=y\n") < 0 ||
	    put(dir, "kernel/configs/x.config", "CONFIG_IN_TREE=y\n") < 0)
		return;
	path = path_join(dir, "taproom.yaml");
	if (!ok(t, plan_parse(str_of(PLAN), path, &plan, &err) == 0, "modes of a configuration"))
		printf("# %s\n", err.text);
	for (size_t i = 0; plan && i < ARRAY_SIZE(MODES); i++) {
		struct kernel_order o = { .arch = MODES[i].arch, .mode = MODES[i].mode,
					  .targets = targets };
		struct kconfig k = {};
		int r = plan_mode_find(plan, MODES[i].mode, &m, &err);

		o.base = m.base;
		o.config = m.config;
		if (r == 0)
			r = fragments_read(&o, dir, &k, &err);
		if (!ok(t, r == 0 && is_on(&k, MODES[i].has) && !is_on(&k, MODES[i].has_not),
			"%s for %s has %s, not %s", MODES[i].mode, MODES[i].arch, MODES[i].has,
			MODES[i].has_not))
			printf("# %d %s\n", r, err.text);
		kconfig_done(&k);
	}
	plan_mode_find(plan, "ours", &m, NULL);
	ok(t, m.clang && strcmp(m.base, "tiny") == 0 && m.memory == UINT64_C(3) << 30,
	   "its base, compiler and memory");
	is_int(t, plan_mode_find(plan, "none", &m, &err), -ENOENT, "no such mode");
	is_str(t, err.text, "no mode 'none': there are normal, debug, btf-normal, btf-debug, ours",
	       "and it names those that are");
}

static const struct {
	const char *modes, *error;
} BAD[] = {
	{ "  - from: normal\n", "a mode has no name" },
	{ "  - name: a/b\n", "mode 'a/b': a name has no blanks" },
	{ "  - name: a\n    base: huge\n", "base is defconfig or tiny, not 'huge'" },
	{ "  - name: a\n    compiler: tcc\n", "compiler is gcc or clang, not 'tcc'" },
	{ "  - name: a\n    from: b\n", "no mode 'b'" },
	{ "  - name: a\n    from: b\n  - name: b\n    from: a\n", "is on top of itself" },
	{ "  - name: a\n  - name: a\n", "two modes are called 'a'" },
	{ "  - name: a\n    memory: much\n", "mode 'a'" },
	{ "  - name: a\n    confg: []\n", "did you mean 'config'?" },
};

static void test_bad(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(BAD); i++) {
		_free_ char *text = xasprintf("suites:\n  - name: s\n    kind: exec\nmodes:\n%s",
					      BAD[i].modes);
		struct plan *plan = NULL;
		struct err err = {};
		int r = plan_parse(str_of(text), NULL, &plan, &err);

		if (!ok(t, r == -EINVAL && strstr(err.text, BAD[i].error), "%s", BAD[i].error))
			printf("# %d %s\n", r, err.text);
		plan_free(plan);
	}
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_merge(&t);
	test_unstuck(&t);
	test_why(&t);
	test_modes(&t);
	test_bad(&t);
	return tap_done(&t);
}
