/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KUnit suites: found in a kernel's file, and made into tests. */
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "kernel/kunit.h"
#include "suite/suite.h"
#include "tap.h"

/* What a kernel's linker and a module's compiler make of kunit_test_suites(). */
static const char SOURCE[] =
	"struct row { void (*run)(void); const char *name; void *params; int speed, status;\n"
	"char *module; void *log; };\n"
	"struct suite { char name[256]; void *f[4]; struct row *rows; void *more[9]; };\n"
	"static void run(void) { }\n"
	"static struct row rows[] = { { run, \"first_case\" }, { run, \"second\" }, {} };\n"
	"static struct suite a = { \"mptcp-crypto\", {}, rows }, b = { \"Handshake API\" };\n"
	"static struct suite bad = { \"../etc\" }, empty;\n"
	"#ifdef MODULE\n"
	"#define PLACE \".kunit_test_suites\"\n"
	"#else\n"
	"#define PLACE \"kunit_list\"\n"
	"extern char __start_kunit_list[], __stop_kunit_list[];\n"
	"void _start(void) { for (char *c = __start_kunit_list; c < __stop_kunit_list; c++)\n"
	"__asm__ volatile(\"\" :: \"r\"(*c)); }\n"
	"#endif\n"
	"__attribute__((section(PLACE), used))\n"
	"static struct suite *const list[] = { &a, &bad, &empty, &b };\n";

static bool compile(const char *dir, bool module)
{
	_free_ char *from = path_join(dir, "x.c");
	_free_ char *to = path_join(dir, module ? "x.ko" : "vmlinux");
	const char *const ko[] = { "gcc", "-O2", "-c", "-DMODULE", "-o", to, from, NULL };
	const char *const linked[] = {
		"gcc", "-O2", "-static", "-no-pie", "-fno-pie", "-nostdlib", "-o", to, from,
		"-Wl,--defsym=__kunit_suites_start=__start_kunit_list",
		"-Wl,--defsym=__kunit_suites_end=__stop_kunit_list", NULL
	};
	struct proc_spec spec = { .argv = module ? ko : linked, .in = PROC_NULL,
				  .out = PROC_NULL, .err = PROC_SAME };

	file_write(from, str_of(SOURCE), 0644, NULL);
	return proc_run(&spec, NULL, NULL, 60000, NULL) == 0;
}

/* Every cut and many a flipped bit: nothing is read that is not there. */
static void damage(struct tap *t, const char *path, const char *module)
{
	struct buf all = {}, said = {};
	unsigned seed = 1, found = 0;

	file_read(path, 0, &all, NULL);
	for (size_t n = 0; n < all.n; n += 1 + n / 64) {
		/* Of its own size, so that a byte too far is seen. */
		_free_ char *cut = xmalloc(n + 1);

		memcpy(cut, all.p, n);
		buf_clear(&said);
		found += kunit_of_elf(str_n(cut, n), module, &said) == 1;
	}
	for (unsigned i = 0; i < 3000; i++) {
		_free_ char *copy = xmalloc(all.n);

		memcpy(copy, all.p, all.n);
		for (unsigned j = 0; j < 1 + i % 8; j++) {
			seed = seed * 1103515245 + 12345;
			/* The headers are at the ends. */
			size_t at = (seed >> 8) % (i % 2 ? 2048 : all.n);

			copy[i % 3 ? all.n - 1 - at % all.n : at % all.n] ^=
				(char)(1 << (seed >> 29));
		}
		buf_clear(&said);
		found += kunit_of_elf(str_n(copy, all.n), module, &said) == 1;
	}
	ok(t, found > 0, "damaged: %u files told all the same", found);
	buf_done(&all);
	buf_done(&said);
}

static void test_files(struct tap *t)
{
	static const struct {
		bool module;
		const char *file, *want;
	} rows[] = {
		{ false, "vmlinux", "mptcp-crypto\t\tfirst_case second\nHandshake API\n" },
		{ true, "x.ko", "mptcp-crypto\tx\nHandshake API\tx\n" },
	};
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *gcc = proc_find("gcc");
	struct buf said = {};

	dir_temp("/tmp", "taproom-test.", &dir, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *module = rows[i].module ? "x" : NULL;
		_free_ char *path = path_join(dir, rows[i].file);

		if (!gcc || !compile(dir, rows[i].module)) {
			ok(t, true, "suites of a file # SKIP no gcc that links so");
			continue;
		}
		buf_clear(&said);
		is_int(t, kunit_of_file(path, module, &said, NULL), 1, "the file tells");
		is_str(t, said.p, rows[i].want, "names that are none are left out");
		buf_clear(&said);
		is_int(t, kunit_of_file(path, module ? NULL : "x", &said, NULL), 0,
		       "not as the other kind");
		damage(t, path, module);
	}
	is_int(t, kunit_of_elf(STR("\x7f" "ELF"), NULL, &said), 0, "no ELF file");
	buf_done(&said);
}

static char kunit_value(const char *config, const char *name)
{
	return strcmp(name, "KUNIT") == 0 ? config[0] : config[1];
}

static const struct {
	const char *what, *config, *machine, *kunit, *tests[4];
	const char *want; /* name|module|append...|boot or console|why|what it tells... */
} LISTS[] = {
	{ "built in: each its own boot", "yy", "uml", "a\t\tone two\nb c\nother\n",
	  { "a", "b*" },
	  "a||kunit.enable=1|kunit.filter_glob=a|boot||a/one|a/two\n"
	  "b c||kunit.enable=1|kunit.filter_glob=b?c|boot|\n"
	  "(other)||kunit.enable=1|kunit.filter_glob=other|boot|\n" },
	{ "modules share one", "mm", "qemu", "a\tma\nb\tmb\n", { NULL },
	  "a|ma|kunit.enable=1|console|\n"
	  "b|mb|kunit.enable=1|console|\n" },
	{ "a name that the kernel lacks is planned", "yn", "uml", "b\n", { "a", "b" },
	  "a||kunit.enable=1|kunit.filter_glob=a|boot|"
	  "this kernel does not have it: CONFIG_A_TEST is not set; build one from its tree with "
	  "--config '-e A_TEST'\n"
	  "b||kunit.enable=1|kunit.filter_glob=b|boot|\n" },
	{ "nothing tells: a name may be there", "yy", "qemu", NULL, { "a" },
	  "a||kunit.enable=1|kunit.filter_glob=a|boot|\n" },
	{ "no KUnit", "nn", "qemu", "", { "a", "a*" },
	  "a||kunit.enable=1|kunit.filter_glob=a|boot|"
	  "this kernel has no KUnit (CONFIG_KUNIT is not set): build one from its tree with "
	  "--config '-e KUNIT -e KUNIT_DEBUGFS -e A_TEST'\n" },
	{ "on the host's kernel", "yy", "host", "a\n", { "a" },
	  "a||kunit.enable=1|kunit.filter_glob=a|boot|"
	  "KUnit tests are part of a kernel that is booted for them: use --machine qemu or uml\n" },
};

static char *test_line(const struct plan_test *test)
{
	struct buf b = {};

	buf_printf(&b, test->by_default ? "%s|%s" : "(%s)|%s", test->name, test->argv[5]);
	for (char **v = test->append; *v; v++)
		buf_printf(&b, "|%s", *v);
	buf_printf(&b, "|%s%s|%s", test->at_boot ? "boot" : "", test->on_console ? "console" : "",
		   test->unable ? test->unable : "");
	for (char **v = test->expects; v && *v; v++)
		buf_printf(&b, "|%s", *v);
	buf_printf(&b, "\n");
	return buf_take(&b);
}

static void test_lists(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(LISTS); i++) {
		struct plan_suite suite = { .name = (char *)"kunit", .target = (char *)"A_TEST",
					    .tests = (char **)LISTS[i].tests };
		struct suite_context ctx = { .machine = LISTS[i].machine, .kunit = LISTS[i].kunit,
					     .config = LISTS[i].config, .value = kunit_value };
		const struct suite_kind *kind = suite_kind_find("kunit", NULL);
		struct plan_tests tests = {};
		struct buf got = {};

		while (LISTS[i].tests[suite.tests_count])
			suite.tests_count++;
		is_int(t, kind->list(&suite, &ctx, &tests, NULL), 0, "lists");
		for (size_t j = 0; j < tests.n; j++) {
			_free_ char *line = test_line(&tests.v[j]);

			buf_add_str(&got, str_of(line));
		}
		is_str(t, got.p, LISTS[i].want, LISTS[i].what);
		buf_done(&got);
		plan_tests_done(&tests);
	}
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_files(&t);
	test_lists(&t);
	return tap_done(&t);
}
