/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Consoles with splats: tests/fixtures/console/NAME.console, and in NAME.want
 * all that is told of them. UPDATE_GOLDEN=1 writes the latter. Then whatever is
 * in the directory of $TAPROOM_CORPUS, whole consoles with their truths below.
 */
#include <dirent.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "tap.h"
#include "tap/console.h"

#define SMALL 1000 /* bytes of a console */

static const size_t CHUNKS[] = { 1, 2, 3, 7, 31, 64, 127, 512 };

static void on_splat(void *ctx, const struct event *ev)
{
	const struct event_splat *s = ev->splat;
	struct buf *b = ctx;

	buf_printf(b, "%.*s: %.*s\n\tline %d+%d, text of %zu bytes, %.*s\n", STR_FMT(s->kind),
		   STR_FMT(s->title), (int)s->line, (int)s->lines, s->text.n,
		   STR_FMT(s->fingerprint));
	buf_printf(b, "\ttask '%.*s' pid %d cpu %d taint '%.*s'%s\n", STR_FMT(s->task),
		   (int)s->pid, s->cpu, STR_FMT(s->taint), s->fatal ? " fatal" : "");
	for (unsigned i = 0; i < s->n_frames; i++) {
		const struct event_frame *f = &s->frames[i];

		buf_printf(b, "\t%s%.*s+%d/%d %.*s%s\n", f->unsure ? "? " : "",
			   STR_FMT(f->function), (int)f->offset, (int)f->size,
			   STR_FMT(f->module), f->inlined ? " inlined" : "");
	}
}

static void feed(struct str in, size_t first, size_t chunk, struct buf *ret)
{
	struct console *c = console_new((struct event_sink){ on_splat, ret });

	console_feed(c, in.p, first);
	for (size_t i = first; i < in.n; i += chunk)
		console_feed(c, in.p + i, in.n - i < chunk ? in.n - i : chunk);
	console_end(c);
	console_free(c);
}

static bool same_split(struct str in, size_t first, size_t chunk, const struct buf *want)
{
	struct buf got = {};
	bool same;

	feed(in, first, chunk, &got);
	same = str_eq(buf_str(&got), buf_str(want));
	buf_done(&got);
	return same;
}

static void check_file(struct tap *t, const char *dir, const char *name)
{
	_free_ char *in_path = path_join(dir, name), *want_path = xasprintf("%.*s.want",
		(int)(strlen(in_path) - strlen(".console")), in_path);
	struct buf in = {}, got = {}, want = {};
	bool same = true;
	struct err err;

	if (file_read(in_path, 0, &in, &err) < 0)
		printf("# %s\n", err.text);
	feed(buf_str(&in), in.n, 1, &got);
	if (getenv("UPDATE_GOLDEN"))
		file_write(want_path, buf_str(&got), 0644, &err);
	if (file_read(want_path, 0, &want, &err) < 0)
		printf("# %s\n", err.text);
	is_str(t, got.p ? got.p : "", want.p ? want.p : "", name);
	/* Every place of the small ones, some of all lines of the others. */
	for (size_t i = 0; i < in.n; i += in.n < SMALL ? 1 : 17)
		same &= same_split(buf_str(&in), i, in.n, &got);
	for (size_t i = 0; i < ARRAY_SIZE(CHUNKS); i++)
		same &= same_split(buf_str(&in), 0, CHUNKS[i], &got);
	ok(t, same, "every split of %s", name);
	buf_done(&in);
	buf_done(&got);
	buf_done(&want);
}

static int is_console(const struct dirent *d)
{
	return str_ends(str_of(d->d_name), STR(".console"));
}

static void check_files(struct tap *t, const char *dir)
{
	struct dirent **names;
	int n = scandir(dir, &names, is_console, alphasort);

	ok(t, n > 0, "fixtures are there");
	for (int i = 0; i < n; i++) {
		check_file(t, dir, names[i]->d_name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* ---- whole consoles, as they were collected ---- */

static const struct {
	const char *name, *want; /* "kind: title" per line; "": nothing to find */
} CORPUS[] = {
	{ "crash/tcg-BUG", "bug: kernel BUG in lkdtm_BUG\n" },
	{ "crash/tcg-EXCEPTION", "oops: BUG: unable to handle kernel NULL pointer dereference in "
	  "lkdtm_EXCEPTION\n" },
	{ "crash/tcg-WARNING", "warning: WARNING in lkdtm_WARNING\n" },
	{ "crash/tcg-sysrq-c", "panic: kernel panic: sysrq triggered crash\n" },
	{ "crash/tcg-microvm-hang-tsc-calibration", "" },
	{ "crash/tcg-qemu72-cmpxchg16b-1cpu", "warning: WARNING in exc_debug_kernel\n"
	  "double-fault: PANIC: double fault in kmem_cache_alloc_noprof\n" },
	{ "crash/uml-BUG", "bug: kernel BUG in lkdtm_BUG\n" },
	{ "crash/uml-CORRUPT_LIST_ADD", "" },
	{ "crash/uml-EXCEPTION", "panic: kernel panic: Kernel mode fault in lkdtm_EXCEPTION\n" },
	{ "crash/uml-LOOP", "" },
	{ "crash/uml-PANIC", "panic: kernel panic: dumptest\n" },
	{ "crash/uml-READ_AFTER_FREE", "" },
	{ "crash/uml-SLAB_LINEAR_OVERFLOW", "" },
	{ "crash/uml-UNALIGNED_LOAD_STORE_WRITE", "" },
	{ "crash/uml-WARNING", "warning: WARNING in lkdtm_WARNING\n" },
	{ "crash/uml-oom", "oom: out of memory: killed tail\n" },
	{ "crash/uml-sysrq-c", "panic: kernel panic: sysrq triggered crash\n" },
	{ "crash/uml-sysrq-t", "panic: kernel panic: Kernel mode fault in "
	  "copy_from_kernel_nofault\n" },
	{ "crash/uml-sysrq-w", "" },
	{ "kunit/uml-boot-all-kunit", "" },
	{ "kunit/uml-mptcp-only", "" },
	{ "tcg-deb612/boot-virtiofs-nocx16", "" },
	{ "tcg-deb612/fast-1cpu", "" },
	{ "tcg-x86/boot-kunit-1cpu", "" },
	{ "tcg-x86/boot-kunit-2cpu", "" },
	{ "uml/connect", "" },
	{ "uml/fast", "" },
	{ "uml/fast-quiet", "" },
	{ "uml/join-f", "" },
	{ "uml/simult", "" },
	{ "uml-timetravel/boot", "" },
	{ "uml-timetravel/connect-ttinf", "" },
	{ "uml-timetravel/diag-ttinf", "" },
	{ "uml-timetravel/fast-tt", "" },
	{ "uml-timetravel/fast-ttinf", "" },
	{ "uml-timetravel/join-simult-ttinf", "" },
	{ "uml-timetravel/mptcp_join-ttinf", "" },
	{ "uml-timetravel/mptcp_sockopt-ttinf", "" },
	{ "uml-timetravel/pm_netlink-ttinf", "" },
	{ "uml-timetravel/simult-ttinf-2", "" },
	{ "uml-timetravel/userspace_pm-ttinf", "" },
};

/* "kind: title" alone of what was told. */
static void titles(struct str told, struct buf *ret)
{
	while (told.n) {
		struct str line = str_cut(&told, '\n');

		if (line.n && line.p[0] != '\t')
			buf_printf(ret, "%.*s\n", STR_FMT(line));
	}
}

static void check_corpus(struct tap *t, const char *dir)
{
	uint32_t random = 1;

	for (size_t i = 0; i < ARRAY_SIZE(CORPUS); i++) {
		_free_ char *path = xasprintf("%s/%s.console", dir, CORPUS[i].name);
		struct buf in = {}, got = {}, short_got = {};
		bool same = true;
		struct err err = {};

		if (file_read(path, 0, &in, &err) < 0) {
			ok(t, false, "%s", err.text);
			continue;
		}
		feed(buf_str(&in), in.n, 1, &got);
		titles(buf_str(&got), &short_got);
		is_str(t, short_got.p ? short_got.p : "", CORPUS[i].want, CORPUS[i].name);
		for (unsigned k = 0; k < 40; k++) {
			random = random * 1664525 + 1013904223;
			same &= same_split(buf_str(&in), random % in.n, 1 + random % 5000, &got);
		}
		ok(t, same, "splits of it");
		buf_done(&in);
		buf_done(&got);
		buf_done(&short_got);
	}
}

int main(int argc, char **argv)
{
	const char *corpus = getenv("TAPROOM_CORPUS");
	struct tap t = {};

	TAP_HEADER();
	check_files(&t, argv[1]);
	if (corpus && file_exists(corpus))
		check_corpus(&t, corpus);
	else
		ok(&t, true, "whole consoles # SKIP TAPROOM_CORPUS names no directory of them");
	return tap_done(&t);
}
