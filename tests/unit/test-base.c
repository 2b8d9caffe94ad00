/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "base/library.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/proc.h"
#include "base/units.h"
#include "tap.h"

static void test_str(struct tap *t)
{
	struct str rest = STR("a,,b"), f;
	struct err err = {};
	uint64_t u;
	int n = 0;

	while (rest.p) {
		f = str_cut(&rest, ',');
		n += f.n == 1 ? 10 : 1;
	}
	is_int(t, n, 21, "str_cut gives empty fields too");
	is_int(t, str_to_u64(STR("18446744073709551615"), &u), 1, "largest u64");
	is_int(t, str_to_u64(STR("18446744073709551616"), &u), 0, "one more overflows");
	is_int(t, str_distance(STR("flakse"), STR("flakes")), 1, "a swap is one edit");
	is_int(t, str_distance(STR(""), STR("abc")), 3, "distance from nothing");
	ok(t, str_hash(STR("foobar"), STR_HASH_INIT) == 0x85944171f73967e8, "FNV-1a of foobar");
	is_int(t, err_wrap(&err, err_set(&err, ENOENT, "no file '%s'", "x"), "boot %s", "q"),
	       -ENOENT, "err_wrap keeps the number");
	is_str(t, err.text, "boot q: no file 'x'", "err_wrap reads from outside in");
}

static void test_buf(struct tap *t)
{
	struct buf b = { .max = 4 };

	is_int(t, buf_add(&b, "abcd", 4), 0, "up to the limit");
	is_int(t, buf_add(&b, "e", 1), -EFBIG, "past the limit");
	is_str(t, b.p, "abcd", "and nothing was added");
	buf_drop(&b, 3);
	is_str(t, b.p, "d", "buf_drop");
	buf_done(&b);
}

struct escape_row {
	void (*fn)(struct out *, struct str);
	struct str in;
	const char *want;
};

static const struct escape_row ESCAPES[] = {
	{ out_html, STR("<a href='x'>&\"\x01"),
	  "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\xef\xbf\xbd" },
	{ out_html, STR("\xc3\xa9\xff"), "\xc3\xa9\xef\xbf\xbd" },
	{ out_html, STR("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ out_url, STR("a b/\xc3\xa9%"), "a%20b%2F%C3%A9%25" },
	{ out_json, STR("\"\\\n\x1b\xff\0x"), "\\\"\\\\\\n\\u001b\\u00ff\\u0000x" },
	{ out_metrics, STR("a\"\\\n\x1b\xff\xc3\xa9"),
	  "a\\\"\\\\\\n\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9" },
	{ out_term, STR("\x1b[31mred\xc2\x9b" "1m\x07"), "\\x1b[31mred\\x9b1m\\x07" },
	{ out_github, STR("50%\r\n,:"), "50%25%0D%0A%2C%3A" },
};

static void test_escapes(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(ESCAPES); i++) {
		struct buf b = {};
		struct out o;

		out_to_buf(&o, &b);
		ESCAPES[i].fn(&o, ESCAPES[i].in);
		out_flush(&o);
		is_str(t, b.p, ESCAPES[i].want, "escape");
		buf_done(&b);
	}
}

static void test_json(struct tap *t)
{
	struct buf b = {};
	struct out o;
	struct json j;

	out_to_buf(&o, &b);
	json_init(&j, &o, false);
	json_object(&j);
	json_key(&j, "list");
	json_array(&j);
	json_int(&j, -1);
	json_str(&j, STR("x\n"));
	json_str(&j, STR_NONE);
	json_end(&j);
	json_field_bool(&j, "ok", true);
	json_field_real(&j, "nan", 0.0 / 0.0);
	json_end(&j);
	out_flush(&o);
	is_str(t, b.p, "{\"list\":[-1,\"x\\n\",null],\"ok\":true,\"nan\":null}\n", "json");
	buf_done(&b);
}

static void test_units(struct tap *t)
{
	char text[UNIT_TEXT_MAX];
	int64_t ms;
	uint64_t bytes;

	is_int(t, duration_parse(STR("1m30s"), &ms, NULL), 0, "duration");
	is_int(t, ms, 90000, "1m30s");
	is_int(t, duration_parse(STR("90"), &ms, NULL), 0, "bare number");
	is_int(t, ms, 90000, "is seconds");
	is_int(t, duration_parse(STR("5 parsecs"), &ms, NULL), -EINVAL, "no unit");
	is_int(t, size_parse(STR("2G"), &bytes, NULL), 0, "size");
	is_int(t, (int64_t)bytes, (int64_t)2 << 30, "2G");
	is_str(t, duration_text(125000, text), "2m 05s", "duration_text");
	is_str(t, duration_clock(3725000, text), "1:02:05", "duration_clock");
	is_str(t, size_text(34307256, text), "34.3 MB", "size_text");
	is_str(t, date_rfc3339(1767225600123, text), "2026-01-01T00:00:00.123Z", "rfc3339");
}

struct opts {
	bool all;
	const char *mode;
	struct opt_list append;
	int cpus, verbose;
};

static const char *const MODES[] = { "a", "b", NULL };
static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_FLAG, .letter = 'a', .name = "all", .help = "all",
	  .offset = offsetof(struct opts, all) },
	{ .type = OPT_TYPE_STR, .name = "mode", .arg = "M", .help = "mode", .choices = MODES,
	  .offset = offsetof(struct opts, mode) },
	{ .type = OPT_TYPE_LIST, .name = "append", .arg = "X", .help = "append",
	  .offset = offsetof(struct opts, append) },
	{ .type = OPT_TYPE_INT, .letter = 'j', .name = "cpus", .arg = "N", .help = "cpus",
	  .offset = offsetof(struct opts, cpus) },
	{ .type = OPT_TYPE_COUNT, .letter = 'v', .name = "verbose", .help = "more",
	  .offset = offsetof(struct opts, verbose) },
	OPT_END,
};
static const struct opt_command COMMAND = { "x [options]", "Does x.", NULL, OPTS, NULL };

static int parse(struct opts *o, bool stop, const char *line, char **argv, struct err *err)
{
	static char words[256];
	int argc = 0, n = 0, r;

	snprintf(words, sizeof(words), "x %s", line);
	for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	*o = (struct opts){};
	r = opt_parse(&COMMAND, stop, argc, argv, o, &n, err);
	return r < 0 ? r : r * 100 + n;
}

static void test_opt(struct tap *t)
{
	struct err err = {};
	struct opts o;
	char *argv[32];

	is_int(t, parse(&o, false, "p -avj4 --append=1 q --append 2 -- -r", argv, &err), 3,
	       "operands and options mix");
	ok(t, o.all && o.cpus == 4 && o.verbose == 1 && o.append.n == 2, "values are there");
	is_str(t, argv[3], "-r", "-- ends options");
	opt_list_done(&o.append);
	is_int(t, parse(&o, true, "-a cmd -v", argv, &err), 2, "stop at the first operand");
	is_int(t, parse(&o, false, "--help", argv, &err), 100, "--help");
	is_int(t, parse(&o, false, "--mod a", argv, &err), -EINVAL, "unknown");
	is_str(t, err.text, "no option '--mod'; did you mean '--mode'?", "near name");
	is_int(t, parse(&o, false, "--mode c", argv, &err), -EINVAL, "choice");
	is_str(t, err.text, "--mode: 'c' is none of a, b", "names the choices");
	is_int(t, parse(&o, false, "-j", argv, &err), -EINVAL, "missing value");
	is_int(t, parse(&o, false, "--all=1", argv, &err), -EINVAL, "flag with a value");
}

static void test_file(struct tap *t)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL, *line = NULL, *deep = NULL, *lock = NULL;
	_cleanup_(closep) int fd = -1, second = -1;
	struct err err = {};
	struct buf b = {};

	is_int(t, dir_temp("/tmp", "taproom-test.", &dir, &err), 0, "dir_temp");
	path = path_join(dir, "f");
	is_int(t, file_write(path, STR("one\ntwo\n"), 0644, &err), 0, "file_write");
	is_int(t, file_read(path, 4, &b, &err), -EFBIG, "file_read keeps its limit");
	is_int(t, file_read_line(path, &line, &err), 0, "file_read_line");
	is_str(t, line, "one", "first line");
	deep = path_join(dir, "a/b/c");
	is_int(t, dir_make(deep, &err), 0, "dir_make makes parents");
	is_int(t, symlink("/", deep) < 0 ? 0 : 1, 0, "it is there");
	lock = path_join(dir, "locks/one");
	is_int(t, file_lock(lock, false, &fd, &err), 1, "file_lock");
	is_int(t, file_lock(lock, false, &second, &err), 0, "is held");
	closep(&fd);
	fd = -1;
	is_int(t, file_lock(lock, true, &second, &err), 1, "closing it releases");
	is_int(t, dir_remove(dir, &err), 0, "dir_remove");
	ok(t, !file_exists(dir), "the tree is gone");
	is_int(t, file_read("/nonexistent", 0, &b, &err), -ENOENT, "no such file");
	buf_done(&b);
}

static int on_file(void *ctx, const char *below, struct err *err)
{
	struct buf *b = ctx;

	buf_printf(b, "%s;", below);
	return strcmp(below, "c.x") == 0 ? -ECANCELED : 0;
}

static void test_dir_files(struct tap *t)
{
	static const char *const names[] = { "b.x", "a.x", "sub/deep/b.x", "a.y", ".x", "sub/a.x" };
	_cleanup_(dir_removep) char *dir = NULL;
	_cleanup_(buf_done) struct buf b = {};
	_free_ char *slash = NULL, *link = NULL, *none = NULL, *last = NULL;
	struct err err = {};

	dir_temp("/tmp", "taproom-test.", &dir, &err);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_free_ char *path = path_join(dir, names[i]), *parent = path_dir(path);

		dir_make(parent, NULL);
		file_write(path, STR(""), 0644, NULL);
	}
	link = path_join(dir, "link.x");
	is_int(t, symlink("a.x", link), 0, "a link");
	is_int(t, dir_files(dir, ".x", on_file, &b, &err), 0, "dir_files");
	is_str(t, b.p, ".x;a.x;b.x;sub/a.x;sub/deep/b.x;", "in order, of that suffix, no links");
	slash = xasprintf("%s/", dir);
	buf_clear(&b);
	dir_files(slash, ".y", on_file, &b, &err);
	is_str(t, b.p, "a.y;", "behind a directory with a slash");
	none = path_join(dir, "nowhere");
	is_int(t, dir_files(none, ".x", on_file, &b, &err), -ENOENT, "no such directory");
	last = path_join(dir, "c.x");
	file_write(last, STR(""), 0644, NULL);
	buf_clear(&b);
	is_int(t, dir_files(dir, ".x", on_file, &b, &err), -ECANCELED, "the caller ends it");
	is_str(t, b.p, ".x;a.x;b.x;c.x;", "- there");
}

static void test_proc(struct tap *t)
{
	const char *const echo[] = { "sh", "-c", "echo out; echo err >&2; exit 3", NULL };
	const char *const flood[] = { "yes", NULL };
	const char *const nap[] = { "sleep", "60", NULL };
	const char *const none[] = { "no-such-program", NULL };
	const char *const env[] = { "X=1", NULL };
	const char *const show[] = { "sh", "-c", "printf %s \"$X\"", NULL };
	struct proc_spec s = { .argv = echo, .in = PROC_NULL, .out = PROC_NULL, .err = PROC_NULL };
	struct buf out = {}, errs = {};
	struct err err = {};

	is_int(t, proc_run(&s, &out, &errs, 0, &err), 3, "exit code");
	is_str(t, out.p, "out\n", "stdout");
	is_str(t, errs.p, "err\n", "stderr");
	s.argv = flood;
	out.max = 1000;
	is_int(t, proc_run(&s, &out, NULL, 0, &err), -EFBIG, "a flood is cut");
	s.argv = nap;
	is_int(t, proc_run(&s, NULL, NULL, 50, &err), -ETIMEDOUT, "timeout");
	s.argv = none;
	is_int(t, proc_run(&s, NULL, NULL, 0, &err), -ENOENT, "no such program");
	is_str(t, err.text, "no program 'no-such-program'", "and says its name");
	s.argv = show;
	s.env = env;
	buf_clear(&out);
	is_int(t, proc_run(&s, &out, NULL, 0, &err), 0, "with environment");
	is_str(t, out.p, "1", "the child sees it");
	buf_done(&out);
	buf_done(&errs);
}

static void on_timer(void *ctx)
{
	loop_stop(ctx);
}

static void test_loop(struct tap *t)
{
	struct loop *l = loop_new();
	struct loop_watch *w = loop_timer(l, on_timer, l);

	loop_timer_set(w, 1);
	loop_run(l);
	ok(t, true, "a timer ends the loop");
	loop_unwatch(w);
	loop_free(l);
}

/* RFC 4648, section 10, and what is none. */
static void test_base64(struct tap *t)
{
	static const char *const VECTORS[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfb", "//77" },
	};
	static const char *const BAD[] = { "Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Z===",
					   "====", "Zm9v\n", "Zm-v", "Zm 9" };

	for (size_t i = 0; i < ARRAY_SIZE(VECTORS); i++) {
		_cleanup_(buf_done) struct buf text = {}, back = {};
		struct out o;

		out_to_buf(&o, &text);
		base64_write(&o, str_of(VECTORS[i][0]));
		out_flush(&o);
		ok(t, str_eq(buf_str(&text), str_of(VECTORS[i][1])) &&
		      base64_read(buf_str(&text), &back) == 0 &&
		      str_eq(buf_str(&back), str_of(VECTORS[i][0])), "base64 %s", VECTORS[i][1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(BAD); i++) {
		_cleanup_(buf_done) struct buf b = {};

		ok(t, base64_read(str_of(BAD[i]), &b) == -EBADMSG && !b.n, "no base64");
	}
}

static void test_arena(struct tap *t)
{
	struct arena a = {};
	char *first = arena_strndup(&a, "hello", 5);

	for (int i = 0; i < 10000; i++)
		arena_alloc(&a, 100);
	is_str(t, first, "hello", "stays while the arena grows");
	arena_reset(&a);
	is_int(t, (int64_t)a.total, 0, "reset");
	arena_done(&a);
}

#define LIBC(F) F(strlen)
struct libc {
	struct library library;
	LIBC(LIBRARY_POINTER)
};

static void test_library(struct tap *t)
{
#define LIBRARY_TABLE libc
	static const struct library_function functions[] = { LIBC(LIBRARY_ROW) };
	static const struct library_function other[] = { { "no_such_function", 0 } };
	struct libc c = {};
	struct err err = {};

	is_int(t, library_open(&c.library, "libc.so.6", "libc6", &c, functions, 1, &err), 0,
	       "a library is loaded");
	is_int(t, c.strlen ? (int64_t)c.strlen("four") : -1, 4, "and its function called");
	library_close(&c.library);
	is_int(t, library_open(&c.library, "libc.so.6", "libc6", &c, other, 1, &err), -ENOSYS,
	       "one without the function is refused");
	ok(t, !c.library.handle, "and closed");
	is_int(t, library_open(&c.library, "libnone.so.0", "libnone0", &c, functions, 1, &err),
	       -ENOENT, "none is an error");
	ok(t, strstr(err.text, "install libnone0"), "that says what to install");
	library_close(&c.library);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_str(&t);
	test_buf(&t);
	test_escapes(&t);
	test_json(&t);
	test_units(&t);
	test_opt(&t);
	test_file(&t);
	test_dir_files(&t);
	test_proc(&t);
	test_loop(&t);
	test_arena(&t);
	test_base64(&t);
	test_library(&t);
	return tap_done(&t);
}
