/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logs: kept compressed beside the store, read by lines.
 */
#include <zstd.h>

#include "store-place.h"
#include "store/zlog.h"

struct range {
	uint64_t from, to;
};

/* Lines from..to of @text, the slow way. */
static void slice(struct str text, struct range r, struct buf *ret)
{
	uint64_t n = 1;

	for (size_t i = 0; i < text.n; i++) {
		if (n >= r.from && (!r.to || n <= r.to))
			buf_add(ret, text.p + i, 1);
		n += text.p[i] == '\n';
	}
}

static int print(const char *path, struct range r, struct buf *ret)
{
	struct out out;
	int e;

	out_to_buf(&out, ret);
	e = zlog_print(path, r.from, r.to, &out, NULL);
	out_flush(&out);
	return e;
}

struct fixture {
	const char *name;
	size_t line, lines; /* bytes of a line with its newline, how many */
	const char *tail;
};

static const struct fixture FIXTURES[] = {
	{ "empty", 0, 0, "" },
	{ "one line without its end", 0, 0, "alone" },
	{ "short lines over several frames", 33, 70000, "and a tail" },
	{ "lines longer than a frame", 1500000, 3, "" },
	{ "a line that ends with its frame", 1 << 20, 2, "" },
};

static void make(const struct fixture *f, struct buf *b)
{
	for (size_t i = 0; i < f->lines; i++) {
		size_t start = b->n;

		buf_printf(b, "%zu ", i + 1);
		while (b->n - start < f->line - 1)
			buf_add(b, "abcdefghijklmnop" + i % 7,
				f->line - 1 - (b->n - start) < 9 ?
				f->line - 1 - (b->n - start) : 9);
		buf_add(b, "\n", 1);
	}
	buf_add_str(b, str_of(f->tail));
}

/* By bytes: any part is that part of the plain log. */
static void test_bytes(struct tap *t, const char *path, struct str plain)
{
	const size_t edges[] = { 0, 1, ZLOG_FRAME - 1, ZLOG_FRAME, ZLOG_FRAME + 1, plain.n / 2,
				 plain.n, plain.n + 1 };
	const size_t lengths[] = { 0, 1, 100, ZLOG_FRAME, 2 * ZLOG_FRAME + 5 };
	uint64_t size = 1, lines = 0, counted = 1;
	unsigned bad = 0;

	zlog_size(path, &size, NULL);
	is_int(t, (int64_t)size, (int64_t)plain.n, "its size unpacked");
	for (size_t i = 0; i < plain.n; i++)
		lines += plain.p[i] == '\n';
	lines += plain.n && plain.p[plain.n - 1] != '\n';
	zlog_lines(path, &counted, NULL);
	is_int(t, (int64_t)counted, (int64_t)lines, "its lines");
	for (size_t i = 0; i < ARRAY_SIZE(edges) * ARRAY_SIZE(lengths); i++) {
		size_t from = edges[i % ARRAY_SIZE(edges)], n = lengths[i / ARRAY_SIZE(edges)];
		_cleanup_(buf_done) struct buf got = {};
		struct str want = str_from(plain, from < plain.n ? from : plain.n);

		want.n = want.n < n ? want.n : n;
		bad += zlog_read(path, from, n, &got, NULL) < 0 || !str_eq(buf_str(&got), want);
	}
	is_int(t, bad, 0, "any part by its bytes");
}

static void test_ranges(struct tap *t, const char *dir, const struct fixture *f)
{
	_free_ char *from = path_join(dir, "plain"), *to = path_join(dir, "packed");
	const struct range ranges[] = {
		{ 0, 0 }, { 1, 0 }, { 1, 1 }, { 2, 2 }, { 3, 0 }, { 31775, 31779 },
		{ f->lines, f->lines + 1 }, { f->lines + 1, 0 }, { f->lines + 2, 0 },
		{ 1, UINT64_MAX },
	};
	_cleanup_(buf_done) struct buf plain = {}, back = {};
	unsigned good = 0;
	uint64_t bytes;

	make(f, &plain);
	file_write(from, buf_str(&plain), 0644, NULL);
	is_int(t, zlog_write(from, to, &bytes, NULL), 0, f->name);
	ok(t, (int64_t)bytes == file_size(to), "says its size");
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		_cleanup_(buf_done) struct buf want = {}, got = {};

		slice(buf_str(&plain), ranges[i], &want);
		if (print(to, ranges[i], &got) == 0 && str_eq(buf_str(&want), buf_str(&got)))
			good++;
		else
			printf("# %s: lines %lu..%lu: %zu bytes, not %zu\n", f->name,
			       ranges[i].from, ranges[i].to, got.n, want.n);
	}
	is_int(t, good, ARRAY_SIZE(ranges), "all ranges");
	test_bytes(t, to, buf_str(&plain));
	file_read(to, 0, &back, NULL);
	if (plain.n) {
		_free_ char *all = xmalloc(plain.n);

		ok(t, ZSTD_decompress(all, plain.n, back.p, back.n) == plain.n &&
		   memcmp(all, plain.p, plain.n) == 0, "any zstd reads it");
	}
}

static void test_damaged(struct tap *t, const char *dir)
{
	_free_ char *from = path_join(dir, "plain"), *to = path_join(dir, "packed");
	_cleanup_(buf_done) struct buf packed = {};
	unsigned refused = 0, tried = 0;
	uint64_t bytes;

	file_write(from, STR("one\ntwo\nthree\n"), 0644, NULL);
	zlog_write(from, to, &bytes, NULL);
	file_read(to, 0, &packed, NULL);
	for (size_t n = 0; n < packed.n; n++, tried++) {
		_cleanup_(buf_done) struct buf got = {};

		file_write(to, str_n(packed.p, n), 0644, NULL);
		refused += print(to, (struct range){ 0, 0 }, &got) == -EBADMSG;
	}
	is_int(t, refused, tried, "a log cut anywhere is damaged");
	for (size_t i = 0; i < packed.n; i++) {
		_cleanup_(buf_done) struct buf got = {};

		packed.p[i] ^= 0x55;
		file_write(to, buf_str(&packed), 0644, NULL);
		print(to, (struct range){ 0, 0 }, &got);
		packed.p[i] ^= 0x55;
	}
	ok(t, true, "any changed byte is survived");
	is_int(t, zlog_write("/nonexistent", to, &bytes, NULL), -ENOENT, "no log to keep");
}

/* ---- in a run ---- */

static void say_logs(struct event_sink sink, const void *log)
{
	say_run(sink, EVENT_RUN_BEGIN, "logs");
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_begin(sink, 1, 1, "a.sh", 1);
	say_end(sink, 1, 1, "a.sh", 1, STATUS_PASS, log);
	say_begin(sink, 1, 2, "b.sh", 1);
	say_end(sink, 1, 2, "b.sh", 1, STATUS_PASS, NULL);
	say_job(sink, EVENT_JOB_END, 1, "normal", log);
	say_run(sink, EVENT_RUN_END, "logs");
}

static void say_lost_log(struct event_sink sink, const void *log)
{
	say_run(sink, EVENT_RUN_BEGIN, "lost-log");
	say_begin(sink, 1, 1, "a.sh", 1);
	say_simple(sink, 1, 1, 0, STATUS_PASS);
	say_end(sink, 1, 1, "a.sh", 1, STATUS_PASS, "/nonexistent/log");
	say_run(sink, EVENT_RUN_END, "lost-log");
}

static int logged(struct place *p, unsigned program, unsigned job, struct range r,
		  struct buf *ret)
{
	struct out out;
	int e;

	buf_clear(ret);
	out_to_buf(&out, ret);
	e = store_log(p->s, 1, program, job, r.from, r.to, &out, &p->err);
	out_flush(&out);
	return e;
}

static void test_store(struct tap *t)
{
	_cleanup_(buf_done) struct buf said = {}, got = {};
	_free_ char *log = NULL;
	struct place p;

	place_init(&p);
	log = path_join(p.dir, "log");
	file_write(log, STR("one\ntwo\nthree\n"), 0644, NULL);
	record(&p, say_logs, log, &said);
	replays(t, &p, 1, &said, "logs and consoles are told");
	is_int(t, logged(&p, 1, 0, (struct range){ 2, 3 }, &got), 0, "lines of a log");
	is_str(t, got.p, "two\nthree\n", "are those");
	is_int(t, logged(&p, 0, 1, (struct range){ 0, 0 }, &got), 0, "the console");
	is_str(t, got.p, "one\ntwo\nthree\n", "is whole");
	is_int(t, logged(&p, 2, 0, (struct range){ 0, 0 }, &got), -ENOENT, "no log was kept");
	is_int(t, logged(&p, 0, 2, (struct range){ 0, 0 }, &got), -ENOENT, "no such machine");
	record(&p, say_lost_log, NULL, NULL);
	is_int(t, p.err.code, ENOENT, "a log that can't be read is told");
	is_int(t, executions(&p, 2), 1,
	       "and costs no result");
	place_done(&p);
}

int main(void)
{
	_cleanup_(dir_removep) char *dir = NULL;
	struct tap t = {};

	TAP_HEADER();
	dir_temp("/tmp", "taproom-store.", &dir, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(FIXTURES); i++)
		test_ranges(&t, dir, &FIXTURES[i]);
	test_damaged(&t, dir);
	test_store(&t);
	return tap_done(&t);
}
