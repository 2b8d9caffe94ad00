/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coverage: a program that counts is built by gcc, what it counted is told as a guest
 * tells it, and lcov must see the lines that ran. And what no guest should tell.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/out.h"
#include "base/proc.h"
#include "kernel/coverage.h"
#include "kernel/counters.h"
#include "tap.h"

/* Of another directory: nobody asks for its lines. */
static const char HEADER[] = "static inline int half(int x)\n{\n	return x / 2;\n}\n";
static const char SOURCE[] =
	"#include \"../../include/half.h\"\n"
	"int twice(int x);\n"
	"int never(int x);\n"
	"int twice(int x)\n"
	"{\n"
	"	return half(4 * x);\n"
	"}\n"
	"int never(int x)\n"
	"{\n"
	"	return 3 * x;\n"
	"}\n";
static const char MAIN[] = "int twice(int x);\nint main(void) { return twice(1) - 2; }\n";

struct world {
	struct tap *t;
	char *dir;
	struct buf told; /* as a guest tells it */
};

static int run(struct world *w, const char *script)
{
	const char *const argv[] = { "/bin/sh", "-ec", script, NULL };
	struct proc_spec s = { .argv = argv, .dir = w->dir, .in = PROC_NULL, .out = PROC_NULL,
			       .err = PROC_NULL };
	struct buf out = {}, errs = {};
	int r = proc_run(&s, &out, &errs, 60000, NULL);

	if (r)
		printf("# %.*s\n", STR_FMT(buf_str(&errs)));
	buf_done(&out);
	buf_done(&errs);
	return r;
}

static void write_at(struct world *w, const char *name, const char *text)
{
	_free_ char *path = path_join(w->dir, name), *dir = path_dir(path);

	dir_make(dir, NULL);
	file_write(path, str_of(text), 0644, NULL);
}

static void tell(struct world *w, const char *as, struct str bytes)
{
	struct out o;

	out_to_buf(&o, &w->told);
	out_printf(&o, ":%s\n", as);
	/* In lines, as base64(1) writes them. */
	for (size_t at = 0; at < bytes.n; at += 57) {
		base64_write(&o, str_n(bytes.p + at, bytes.n - at < 57 ? bytes.n - at : 57));
		out_char(&o, '\n');
	}
	out_flush(&o);
}

static int capture(struct world *w, const char *to, struct err *err)
{
	_free_ char *counters = path_join(w->dir, "counters"), *work = path_join(w->dir, "work");
	_free_ char *told = path_join(w->dir, "told");
	const char *files[] = { told, told }; /* of two machines */
	int r = file_write(told, buf_str(&w->told), 0644, err);

	dir_remove(work, NULL);
	dir_make(work, NULL);
	return r < 0 ? r : coverage_capture(counters, files, 2, work, to, err);
}

static bool make_program(struct world *w)
{
	_cleanup_(buf_done) struct buf bytes = {};
	_free_ char *gcda = NULL;

	write_at(w, "include/half.h", HEADER);
	write_at(w, "net/x/twice.c", SOURCE);
	write_at(w, "net/x/main.c", MAIN);
	if (run(w, "mkdir -p obj/net/x counters/net/x && cd obj/net/x\n"
		   "gcc --coverage -c ../../../net/x/twice.c\n"
		   "gcc --coverage -o main ../../../net/x/main.c twice.o\n"
		   "./main && cp twice.gcno ../../../counters/net/x") != 0)
		return false;
	gcda = path_join(w->dir, "obj/net/x/twice.gcda");
	if (file_read(gcda, 0, &bytes, NULL) < 0)
		return false;
	tell(w, "/any/where/net/x/twice.gcda", buf_str(&bytes));
	return true;
}

static void test_real(struct world *w)
{
	_free_ char *to = path_join(w->dir, "a.info"), *both = path_join(w->dir, "both.info");
	_free_ char *pages = path_join(w->dir, "pages"), *index = path_join(pages, "index.html");
	const char *twice[] = { to, to };
	struct coverage c = {};
	struct err err = {};

	is_int(w->t, capture(w, to, &err), 0, "what ran is captured");
	is_int(w->t, coverage_read(to, &c, &err), 0, "and read");
	is_int(w->t, (int64_t)c.lines.found, 4, "lines");
	is_int(w->t, (int64_t)c.lines.hit, 2, "- that ran");
	is_int(w->t, (int64_t)c.functions.found, 2, "functions");
	is_int(w->t, (int64_t)c.functions.hit, 1, "- that ran");
	is_int(w->t, coverage_merge(twice, 2, both, &err), 0, "two become one");
	is_int(w->t, coverage_read(both, &c, &err), 0, "which is read");
	is_int(w->t, (int64_t)c.lines.found, 4, "of the same lines");
	is_int(w->t, coverage_pages(both, "<x>", pages, &err), 0, "and pages");
	ok(w->t, file_exists(index), "- they are there");
	if (err.text[0])
		printf("# %s\n", err.text);
}

static void test_hostile(struct world *w)
{
	_free_ char *to = path_join(w->dir, "b.info"), *out = path_join(w->dir, "evil.gcda");
	struct err err = {};

	buf_clear(&w->told);
	tell(w, "/../../../evil.gcda", STR("x"));
	tell(w, "", STR("y"));
	is_int(w->t, capture(w, to, &err), -ENODATA, "files that nobody built are left away");
	ok(w->t, !file_exists(out), "- and written nowhere");
	buf_clear(&w->told);
	buf_printf(&w->told, ":/net/x/twice.gcda\n!!!!\n");
	is_int(w->t, capture(w, to, &err), -EBADMSG, "what is no base64 is refused");
	ok(w->t, strstr(err.text, "net/x/twice"), "- by name: %s", err.text);
	buf_clear(&w->told);
	buf_printf(&w->told, "no colon\n\n");
	is_int(w->t, capture(w, to, &err), -ENODATA, "what is no file is none");
	buf_clear(&w->told);
	tell(w, "/net/x/twice.gcda", STR("garbage, no counts"));
	err.text[0] = '\0';
	ok(w->t, capture(w, to, &err) < 0 && err.text[0], "garbage: %s", err.text);
}

static void test_words(struct world *w)
{
	static const struct {
		const char *dir, *want; /* NULL: it is refused */
	} rows[] = {
		{ "net/x", "net/x" }, { "net/x/", "net/x" },    { "net", "net" },
		{ "/net/x", NULL },   { "net/../net/x", NULL }, { "", NULL },
		{ "..", NULL },       { "nowhere", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *entry = xasprintf("coverage:%s", rows[i].dir);
		const char *config[] = { "CONFIG_X=y", entry, NULL };
		const char *dirs[] = { rows[i].dir, NULL };
		struct kernel_order by_mode = { .arch = "x86_64", .config = config };
		struct kernel_order by_option = { .arch = "x86_64", .coverage = dirs };
		struct counters c = {};
		struct err err = {};
		int r = counters_read(i % 2 ? &by_option : &by_mode, w->dir, &c, &err);

		if (rows[i].want)
			is_str(w->t, c.n ? c.dirs[0] : err.text, rows[i].want, rows[i].dir);
		else
			ok(w->t, r < 0 && !c.n, "'%s': %s", rows[i].dir, err.text);
		counters_done(&c);
	}
}

static void test_uml(struct world *w)
{
	const char *dirs[] = { "net/x", NULL };
	struct kernel_order order = { .arch = "um", .coverage = dirs };
	struct counters c = {};
	struct err err = {};

	is_int(w->t, counters_read(&order, w->dir, &c, &err), -EINVAL, "not of User Mode Linux");
}

/* As kbuild goes through directories: files of one name stand in two of them, and a
 * Makefile that says no is heard. */
static void test_make(struct world *w)
{
	const char *dirs[] = { "net/x", "fs/y", NULL };
	struct kernel_order order = { .arch = "x86_64", .coverage = dirs };
	_cleanup_(buf_done) struct buf script = {}, got = {};
	_free_ char *word = NULL, *path = path_join(w->dir, "counted");
	struct counters c = {};

	write_at(w, "fs/y/a.c", "int a;\n");
	write_at(w, "Makefile",
		 "all: ; @for o in net net/x net/x/sub net/xy fs/y boot; do \\\n"
		 "	$(MAKE) --no-print-directory -f sub.mk obj=$$o; done\n");
	write_at(w, "sub.mk", "ifeq ($(obj),boot)\nGCOV_PROFILE := n\nendif\n"
		 "all: ; @[ -z '$(patsubst n%,,$(GCOV_PROFILE))' ] || echo $(obj) >>counted\n");
	counters_read(&order, w->dir, &c, NULL);
	word = counters_word(&c);
	buf_printf(&script, "make -s '%s'", word);
	is_int(w->t, run(w, script.p), 0, "make takes the word");
	file_read(path, 4096, &got, NULL);
	buf_add(&got, "", 0);
	is_str(w->t, got.p ? got.p : "", "net/x\nnet/x/sub\nfs/y\n", "which is for these alone");
	counters_done(&c);
}

int main(void)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *lcov = proc_find("lcov"), *gcc = proc_find("gcc");
	struct tap t = {};
	struct world w = { .t = &t };

	TAP_HEADER();
	if (!lcov || !gcc)
		skip_all(lcov ? "gcc is missing" : "lcov is missing");
	if (dir_temp("/tmp", "taproom-coverage.", &dir, NULL) < 0)
		return 1;
	w.dir = dir;
	if (ok(&t, make_program(&w), "a program that counts"))
		test_real(&w);
	test_hostile(&w);
	test_words(&w);
	test_uml(&w);
	test_make(&w);
	buf_done(&w.told);
	return tap_done(&t);
}
