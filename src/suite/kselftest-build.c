/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "suite/kselftest-build.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/units.h"
#include "suite/kinds.h"

#define BUILD_TIMEOUT_MS (30 * 60 * 1000)
#define TAIL_LINES       20
#define COMPILER         "gcc"

/* One build: where things are. */
struct build {
	const char *target, *source;
	const struct log *log;
	char *base, *obj, *headers, *dest, *log_path;
};

static void build_done(struct build *b)
{
	char **all[] = { &b->base, &b->obj, &b->headers, &b->dest, &b->log_path };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		freep(all[i]);
}

/* make and rsync take blanks, colons and tildes for their own. */
static void make_plain(char *name)
{
	for (; *name; name++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._",
			    *name))
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

static int build_init(struct build *b, const char *target, const struct suite_context *ctx,
		      struct err *err)
{
	_free_ char *source = xstrdup(ctx->source_id), *dir = xstrdup(target);
	uint64_t compiler;
	int r = compiler_id(&compiler, err);

	if (r < 0)
		return r;
	make_plain(source);
	make_plain(dir);
	*b = (struct build){ .target = target, .source = ctx->source, .log = ctx->log };
	b->base = xasprintf("%s/selftests/%s-%08" PRIx32, ctx->cache_dir, source,
			    (uint32_t)compiler);
	b->obj = path_join(b->base, "obj");
	b->headers = path_join(b->base, "headers");
	b->dest = path_join(b->base, dir);
	b->log_path = xasprintf("%s.log", b->dest);
	return 0;
}

struct str kselftest_build_error(struct str log)
{
	struct str last = STR_NONE;

	while (log.n) {
		struct str line = str_trim(str_cut(&log, '\n'));

		if (str_find(line, STR("error: ")) >= 0 || str_find(line, STR("ERROR: ")) >= 0 ||
		    str_find(line, STR(": not found")) >= 0 ||
		    str_find(line, STR("No such file or directory")) >= 0)
			return line;
		if (line.n)
			last = line;
	}
	return last;
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

static int explain(const struct build *b, int code, struct err *err)
{
	struct buf text = {};
	struct str why;
	int r;

	if (file_read(b->log_path, 64u << 20, &text, NULL) < 0)
		buf_clear(&text);
	why = kselftest_build_error(buf_str(&text));
	log_warn(b->log, "building the %s tests failed; its last lines:", b->target);
	say_tail(b->log, buf_str(&text));
	r = err_set(err, EIO, "building the %s tests failed (make: %d): %.*s; all of it is in %s",
		    b->target, code, (int)(why.n < 200 ? why.n : 200), why.p ? why.p : "",
		    b->log_path);
	buf_done(&text);
	return r;
}

/* Runs make with its output in the log. */
static int make(const struct build *b, const char *const *argv, struct err *err)
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
	return r > 0 ? explain(b, r, err) : r;
}

static int build_headers(const struct build *b, const char *jobs, const char *obj,
			 struct err *err)
{
	const char *const argv[] = { "make", jobs, obj, "headers", NULL };
	int r;

	if (file_exists(b->headers))
		return 0;
	r = make(b, argv, err);
	/* Made whole or not at all: make doesn't see a half-written tree. */
	return r < 0 ? r : file_write(b->headers, STR_NONE, 0644, err);
}

static int build_target(const struct build *b, const char *jobs, const char *obj,
			struct err *err)
{
	_cleanup_(dir_removep) char *temp = NULL;
	_free_ char *targets = xasprintf("TARGETS=%s", b->target), *path = NULL, *list = NULL;
	int r = dir_temp(b->base, "tmp.", &temp, err);

	if (r < 0)
		return r;
	path = xasprintf("KSFT_INSTALL_PATH=%s", temp);
	const char *const argv[] = { "make", jobs, "-C", "tools/testing/selftests", obj, targets,
				     path, "FORCE_TARGETS=1", "install", NULL };

	r = make(b, argv, err);
	if (r < 0)
		return r;
	list = path_join(temp, "kselftest-list.txt");
	if (!file_exists(list))
		return explain(b, 0, err);
	if (chmod(temp, 0755) < 0 || rename(temp, b->dest) < 0)
		return err_sys(err, errno, "rename '%s' to '%s'", temp, b->dest);
	return 0;
}

/* Alone in this directory. */
static int build_locked(const struct build *b, struct err *err)
{
	_free_ char *jobs = xasprintf("-j%ld", sysconf(_SC_NPROCESSORS_ONLN));
	_free_ char *obj = xasprintf("O=%s", b->obj);
	char text[UNIT_TEXT_MAX];
	int64_t start = clock_mono_ms();
	int r;

	log_info(b->log, "building the %s tests", b->target);
	unlink(b->log_path);
	r = dir_make(b->obj, err);
	if (r == 0)
		r = build_headers(b, jobs, obj, err);
	if (r == 0)
		r = build_target(b, jobs, obj, err);
	if (r == 0)
		log_debug(b->log, "built in %s", duration_text(clock_mono_ms() - start, text));
	return r;
}

int kselftest_build(const char *target, const struct suite_context *ctx, char **ret,
		    struct err *err)
{
	_cleanup_(build_done) struct build b = {};
	_cleanup_(closep) int lock = -1;
	_free_ char *lock_path = NULL;
	int r = build_init(&b, target, ctx, err);

	if (r < 0)
		return r;
	if (!file_exists(b.dest)) {
		lock_path = path_join(b.base, "lock");
		r = file_lock(lock_path, true, &lock, err);
		if (r > 0)
			r = file_exists(b.dest) ? 0 : build_locked(&b, err);
	}
	if (r < 0)
		return r;
	*ret = TAKE(b.dest);
	return 0;
}
