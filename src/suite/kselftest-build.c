/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "suite/kselftest-build.h"

#include <ctype.h>
#include <fcntl.h>
#include <fts.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/make-log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/units.h"
#include "suite/kinds.h"

#define BUILD_TIMEOUT_MS (30 * 60 * 1000)
#define TAIL_LINES       20
#define KEEP_MS          (24 * 60 * 60 * INT64_C(1000))
#define COMPILER         "gcc"
#define QUIET            "--no-print-directory"

static void build_done(struct suite_build *b)
{
	char **all[] = { &b->root, &b->own, &b->dest, &b->log_path };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		freep(all[i]);
}

/* make and rsync take blanks, colons and tildes for their own. */
static void make_plain(char *name)
{
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("+-._", *name))
			*name = '_';
}

static int compiler_id(uint64_t *ret, struct err *err)
{
	static const char *const argv[] = { COMPILER, "--version", NULL };
	struct proc_spec spec = { .argv = argv, .in = PROC_NULL, .out = PROC_NULL,
				  .err = PROC_NULL };
	struct buf out = { .max = 65536 };
	int r = proc_run(&spec, &out, NULL, 10000, err);

	if (r == 0)
		*ret = str_hash(buf_str(&out), STR_HASH_INIT);
	buf_done(&out);
	if (r < 0)
		return err_wrap(err, r, "the tests need a compiler");
	return r ? err_set(err, EIO, COMPILER " --version failed (exit code %d)", r) : 0;
}

static int build_init(struct suite_build *b, const char *target, const struct suite_context *ctx,
		      struct err *err)
{
	_free_ char *source = xstrdup(ctx->source_id), *dir = xstrdup(target);
	uint64_t compiler;
	int r = compiler_id(&compiler, err);

	if (r < 0)
		return r;
	make_plain(source);
	make_plain(dir);
	*b = (struct suite_build){ .target = target, .source = ctx->source, .log = ctx->log };
	b->root = path_join(ctx->cache_dir, "selftests");
	b->own = xasprintf("%s/%s-%08" PRIx32, b->root, source, (uint32_t)compiler);
	b->dest = path_join(b->own, dir);
	b->log_path = xasprintf("%s.log", b->dest);
	return 0;
}

static void say_tail(const struct log *log, struct str text)
{
	size_t at = text.n, lines = 0;

	while (at > 0 && lines <= TAIL_LINES)
		lines += text.p[--at] == '\n' && at + 1 < text.n;
	text = str_from(text, lines > TAIL_LINES ? at + 1 : at);
	while (text.n) {
		struct str line = str_cut(&text, '\n');

		log_warn(log, "  %.*s", STR_FMT(line));
	}
}

int suite_build_failed(const struct suite_build *b, int code, struct err *err)
{
	struct buf text = {};
	struct str why;
	int r;

	if (file_read(b->log_path, 64u << 20, &text, NULL) < 0)
		buf_clear(&text);
	why = make_log_error(buf_str(&text));
	log_warn(b->log, "building the %s tests failed; its last lines:", b->target);
	say_tail(b->log, buf_str(&text));
	r = err_set(err, EIO, "building the %s tests failed (make: %d): %.*s; all of it is in %s",
		    b->target, code, (int)(why.n < 200 ? why.n : 200), why.p ? why.p : "",
		    b->log_path);
	buf_done(&text);
	return r;
}

int suite_make(const struct suite_build *b, const char *const *argv, struct err *err)
{
	/* Whoever runs us may be a make itself: its flags and job server are not
	 * for this one. Headers and logs are in English, to be searched. */
	static const char *const env[] = { "MAKEFLAGS=", "MFLAGS=", "MAKELEVEL=", "LC_ALL=C",
					   "KBUILD_OUTPUT=", NULL };
	_cleanup_(closep) int fd = open(b->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
					0644);
	struct proc_spec spec = { .argv = argv, .env = env, .dir = b->source, .in = PROC_NULL,
				  .out = fd, .err = fd, .session = true };
	int r;

	if (fd < 0)
		return err_sys(err, errno, "write '%s'", b->log_path);
	r = proc_run(&spec, NULL, NULL, BUILD_TIMEOUT_MS, err);
	return r > 0 ? suite_build_failed(b, r, err) : r;
}

/* fts(3) walks in the order of names. */
static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Changes whenever a header that is exported does: name, size, time. */
static uint64_t headers_stamp(const struct suite_build *b)
{
	_free_ char *generic = path_join(b->source, "include/uapi");
	_free_ char *arch = path_join(b->source, "arch/x86/include/uapi");
	_free_ char *tables = path_join(b->source, "arch/x86/entry/syscalls");
	char *const dirs[] = { generic, arch, tables, NULL };
	FTS *walk = fts_open(dirs, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	uint64_t h = STR_HASH_INIT;
	FTSENT *e;

	while (walk && (e = fts_read(walk))) {
		if (e->fts_info != FTS_F)
			continue;
		h = str_hash(str_n(e->fts_name, e->fts_namelen), h);
		h = str_hash(str_n((char *)&e->fts_statp->st_size, sizeof(off_t)), h);
		h = str_hash(str_n((char *)&e->fts_statp->st_mtim, sizeof(struct timespec)), h);
	}
	if (walk)
		fts_close(walk);
	return h;
}

static int build_headers(const struct suite_build *b, const char *jobs, char **ret, struct err *err)
{
	_free_ char *dest = xasprintf("%s/headers-%016" PRIx64, b->root, headers_stamp(b));
	_cleanup_(dir_removep) char *temp = NULL;
	_free_ char *obj = NULL;
	int r;

	if (!file_exists(dest)) {
		r = dir_temp(b->root, "tmp.", &temp, err);
		if (r < 0)
			return r;
		obj = xasprintf("O=%s", temp);
		const char *const argv[] = { "make", jobs, QUIET, obj, "headers", NULL };

		r = suite_make(b, argv, err);
		if (r < 0)
			return r;
		if (rename(temp, dest) < 0)
			return err_sys(err, errno, "rename '%s' to '%s'", temp, dest);
	}
	*ret = TAKE(dest);
	return 0;
}

static int install(const struct suite_build *b, const char *jobs, const char *temp, struct err *err)
{
	_free_ char *targets = xasprintf("TARGETS=%s", b->target), *obj = NULL, *to = NULL;
	_free_ char *done = path_join(temp, "install"), *list = NULL;
	int r;

	obj = xasprintf("O=%s/obj", temp);
	to = xasprintf("KSFT_INSTALL_PATH=%s", done);
	list = path_join(done, "kselftest-list.txt");
	const char *const argv[] = { "make", jobs, QUIET, "-C", "tools/testing/selftests", obj,
				     targets, to, "FORCE_TARGETS=1", "install", NULL };

	r = suite_make(b, argv, err);
	if (r < 0)
		return r;
	if (!file_exists(list))
		return suite_build_failed(b, 0, err);
	if (rename(done, b->dest) < 0)
		return err_sys(err, errno, "rename '%s' to '%s'", done, b->dest);
	return 0;
}

static int build_target(const struct suite_build *b, const char *jobs, const char *headers,
			const void *arg, struct err *err)
{
	_cleanup_(dir_removep) char *temp = NULL;
	_free_ char *obj = NULL, *usr = path_join(headers, "usr"), *link = NULL;
	int r = dir_temp(b->root, "tmp.", &temp, err);

	if (r < 0)
		return r;
	obj = path_join(temp, "obj");
	link = path_join(obj, "usr");
	r = dir_make(obj, err);
	if (r == 0 && symlink(usr, link) < 0)
		r = err_sys(err, errno, "link '%s'", link);
	return r < 0 ? r : install(b, jobs, temp, err);
}

/* What killed builds left, and tests of trees as they were before later edits:
 * a day is longer than any run that may still use them. */
static void sweep(const struct suite_build *b)
{
	static const struct {
		const char *pattern;
		int64_t age_ms;
	} rows[] = { { "tmp.*", 0 }, { "tree_*", KEEP_MS } };
	struct stat st;
	glob_t found;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *pattern = path_join(b->root, rows[i].pattern);

		if (glob(pattern, 0, NULL, &found) != 0)
			continue;
		for (size_t j = 0; j < found.gl_pathc; j++)
			if (stat(found.gl_pathv[j], &st) == 0 &&
			    clock_wall_ms() - st.st_mtime * 1000ll >= rows[i].age_ms)
				dir_remove(found.gl_pathv[j], NULL);
		globfree(&found);
	}
}

/* Under the lock. */
static int build_locked(const struct suite_build *b, suite_build_fn *fn, const void *arg,
			struct err *err)
{
	_free_ char *jobs = xasprintf("-j%ld", sysconf(_SC_NPROCESSORS_ONLN)), *headers = NULL;
	char text[UNIT_TEXT_MAX];
	int64_t start = clock_mono_ms();
	int r;

	log_info(b->log, "building the %s tests", b->target);
	sweep(b);
	r = dir_make(b->own, err);
	unlink(b->log_path);
	if (r == 0)
		r = build_headers(b, jobs, &headers, err);
	if (r == 0)
		r = fn(b, jobs, headers, arg, err);
	if (r == 0)
		log_debug(b->log, "built in %s", duration_text(clock_mono_ms() - start, text));
	return r;
}

int kselftest_build(const char *target, const struct suite_context *ctx, char **ret,
		    struct err *err)
{
	return suite_build(target, ctx, build_target, NULL, ret, err);
}

int suite_build(const char *target, const struct suite_context *ctx, suite_build_fn *fn,
		const void *arg, char **ret, struct err *err)
{
	_cleanup_(build_done) struct suite_build b = {};
	_cleanup_(closep) int lock = -1;
	_free_ char *lock_path = NULL;
	int r = build_init(&b, target, ctx, err);

	if (r < 0)
		return r;
	if (!file_exists(b.dest)) {
		lock_path = path_join(b.root, "lock");
		r = file_lock(lock_path, true, &lock, err);
		if (r > 0)
			r = file_exists(b.dest) ? 0 : build_locked(&b, fn, arg, err);
	}
	if (r < 0)
		return r;
	/* In use now: see sweep(). */
	utimensat(AT_FDCWD, b.own, NULL, 0);
	*ret = TAKE(b.dest);
	return 0;
}
