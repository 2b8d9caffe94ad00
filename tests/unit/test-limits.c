/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader against input that is too much: memory and time stay bounded, a
 * problem tells, no result is lost. Nothing is kept: input is made in pieces,
 * and the sink counts.
 *
 * With "--full" all is ten times as much (a gigabyte without a newline, ten
 * million results): `meson test --benchmark limits-full`, of a release build.
 */
#include <stdlib.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "report/report.h"
#include "tap.h"
#include "tap/parse.h"

/* A freed block waits in the sanitizer's quarantine: there memory says less. */
#ifdef __SANITIZE_ADDRESS__
#define GROWTH_MAX (128u << 10) /* KiB */
#else
#define GROWTH_MAX (16u << 10)
#endif
#define CPU_MAX 60 /* seconds of one row */

struct feed {
	struct tap_parser *p;
	struct buf out;               /* a piece that is being made */
	uint64_t bytes;
	unsigned scale;               /* 1, or 10 with --full */
	uint64_t counts[STATUS_N];    /* with their lines: not the implied ones */
	uint64_t implied;
	uint64_t problems[PROBLEM_N];
	struct tap_summary sum;
};

static void on_event(void *ctx, const struct event *ev)
{
	struct feed *f = ctx;

	if (ev->type == EVENT_PROBLEM)
		f->problems[ev->problem->what]++;
	else if (ev->type == EVENT_RESULT && ev->result->implied)
		f->implied++;
	else if (ev->type == EVENT_RESULT)
		f->counts[ev->result->status]++;
}

static void flush(struct feed *f)
{
	tap_parse(f->p, f->out.p, f->out.n);
	f->bytes += f->out.n;
	buf_clear(&f->out);
}

__attribute__((format(printf, 2, 3))) static void feed(struct feed *f, const char *fmt, ...)
{
	char line[128];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	buf_add(&f->out, line, (size_t)n);
	if (f->out.n > 60000)
		flush(f);
}

/* @text again and again, about @n bytes of it. */
static void feed_many(struct feed *f, struct str text, uint64_t n)
{
	uint64_t whole;

	flush(f);
	while (f->out.n < 100000 && f->out.n < n)
		buf_add_str(&f->out, text);
	for (whole = n / (f->out.n ? f->out.n : 1); whole > 1; whole--) {
		tap_parse(f->p, f->out.p, f->out.n);
		f->bytes += f->out.n;
	}
	flush(f);
}

#define MB UINT64_C(1000000)

static void one_line(struct feed *f, const char *head, struct str text)
{
	feed(f, "1..2\nok 1 a\n%s", head);
	feed_many(f, text, 100 * MB * f->scale);
	feed(f, "\nok 2 b\n");
}

static void words(struct feed *f) { one_line(f, "", STR("x")); }
static void result(struct feed *f) { one_line(f, "ok 2 ", STR("y")); }
static void comment(struct feed *f) { one_line(f, "# ", STR("z")); }
static void marks(struct feed *f) { one_line(f, "", STR("# ")); }
static void blanks(struct feed *f) { one_line(f, "", STR(" ")); }
static void nuls(struct feed *f) { one_line(f, "", STR("\0")); }
static void colours(struct feed *f) { one_line(f, "", STR("\x1b[1;31m")); }
static void no_utf8(struct feed *f) { one_line(f, "", STR("\xff\xc0\x80")); }
static void stamps(struct feed *f) { one_line(f, "", STR("[    1.000001] ")); }

static void newlines(struct feed *f)
{
	one_line(f, "", STR("\n"));
}

static void levels(struct feed *f)
{
	unsigned n = 1000 * f->scale;

	for (unsigned i = 0; i < n; i++) {
		feed_many(f, STR(" "), 2 * i);
		feed(f, "1..1\n");
		feed_many(f, STR(" "), 2 * i);
		feed(f, "ok 1 x\n");
	}
}

/* What is missing is looked for below the number, which is far away. */
static void plan_jump(struct feed *f)
{
	feed(f, "1..5000\nok 9223372036854775807 a\n");
}

static void plan_int32(struct feed *f) { feed(f, "1..2147483648\nok 1 a\nok 2 b\n"); }
static void plan_int64(struct feed *f) { feed(f, "1..18446744073709551615\nok 1 a\n"); }
static void plan_huge(struct feed *f) { feed(f, "1..99999999999999999999999\nok 1 a\n"); }

static void plans(struct feed *f)
{
	for (unsigned i = 0; i < 100000 * f->scale; i++)
		feed(f, "1..2147483648\nok 1 a%u\n", i);
}

static void flat(struct feed *f)
{
	unsigned n = 1000000 * f->scale;

	feed(f, "TAP version 13\n1..%u\n", n);
	for (unsigned i = 1; i <= n; i++)
		feed(f, "ok %u - the test of the number %u # time=%ums\n", i, i, i % 1000);
}

static void same_name(struct feed *f)
{
	for (unsigned i = 0; i < 100000 * f->scale; i++)
		feed(f, "ok 1 x\n");
}

static void named_block(struct feed *f)
{
	unsigned n = 100000 * f->scale;

	feed(f, "1..1\n# selftests: x: y\n# 1..%u\n", n);
	for (unsigned i = 1; i <= n; i++)
		feed(f, "# ok %u a subtest with a name, %u\n", i, i);
	feed(f, "ok 1 selftests: x: y\n");
}

static void nameless_block(struct feed *f)
{
	unsigned n = 100000 * f->scale;

	for (unsigned i = 1; i <= n; i++)
		feed(f, "    ok %u a subtest whose parent is unknown, %u\n", i, i);
	feed(f, "ok 1 x\n");
}

static void saw(struct feed *f)
{
	for (unsigned i = 1; i <= 3000 * f->scale; i++)
		feed(f, "    1..1\n        ok 1 c\n    ok 1 b\nok %u a%u\n", i, i);
}

static void headers(struct feed *f)
{
	for (unsigned i = 0; i < 100000 * f->scale; i++)
		feed(f, "%*sTAP version 13\n", (int)(i % 40), "");
	feed(f, "TAP version 13\nok 1 a\n");
}

static void names(struct feed *f)
{
	for (unsigned i = 0; i < 100000 * f->scale; i++)
		feed(f, "%*s# Subtest: s%u\n", (int)(i % 70), "", i);
	feed(f, "ok 1 a\n");
}

static void yaml(struct feed *f)
{
	feed(f, "1..2\nok 1 a\n  ---\n");
	feed_many(f, STR("  ok 7 inside\n"), 10 * MB * f->scale);
	feed(f, "  ...\nok 2 b\n");
}

#define NEVER UINT64_MAX

static const struct row {
	const char *name;
	void (*make)(struct feed *f);
	uint64_t pass;        /* results with a line; per scale where .scaled */
	bool scaled;
	uint64_t implied;     /* NEVER: any number */
	enum problem problem; /* one that must be told; PROBLEM_N: none may be */
	const char *todo;
} ROWS[] = {
	{ "a line that never ends", words, 2, false, 0, PROBLEM_N },
	{ "a result that never ends", result, 3, false, 0, PROBLEM_LONG_LINE },
	{ "a comment that never ends", comment, 2, false, 0, PROBLEM_N },
	{ "comment marks without end", marks, 2, false, 0, PROBLEM_N },
	{ "blanks without end", blanks, 2, false, 0, PROBLEM_N },
	{ "NULs without end", nuls, 2, false, 0, PROBLEM_N },
	{ "colours without end", colours, 2, false, 0, PROBLEM_N },
	{ "invalid UTF-8 without end", no_utf8, 2, false, 0, PROBLEM_N },
	{ "time stamps without end", stamps, 2, false, 0, PROBLEM_N },
	{ "newlines without end", newlines, 2, false, 0, PROBLEM_N },
	{ "thousands of levels", levels, 1000, true, NEVER, PROBLEM_TOO_MANY },
	{ "a number that jumps", plan_jump, 1, false, 4999, PROBLEM_NUMBERING },
	{ "a plan of 2147483648", plan_int32, 2, false, 65536, PROBLEM_TOO_MANY },
	{ "a plan of 64 bits", plan_int64, 1, false, 65536, PROBLEM_TOO_MANY },
	{ "a plan above all counters", plan_huge, 1, false, 65536, PROBLEM_TOO_MANY },
	{ "one huge plan after another", plans, 100000, true, 65536, PROBLEM_TOO_MANY },
	{ "a million results", flat, 1000000, true, 0, PROBLEM_TOO_MANY },
	{ "one name for all", same_name, 100000, true, 0, PROBLEM_DUPLICATE_NAME },
	{ "a block of very many", named_block, 100001, true, 0, PROBLEM_TOO_MANY },
	{ "a block of very many whose name comes last", nameless_block, 100001, true, NEVER,
	  PROBLEM_TOO_MANY },
	{ "up and down", saw, 9000, true, 0, PROBLEM_N },
	{ "headers without results", headers, 1, false, NEVER, PROBLEM_N },
	{ "names without blocks", names, 1, false, NEVER, PROBLEM_N },
	{ "a YAML block that hardly ends", yaml, 2, false, 0, PROBLEM_N },
};

static long peak(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return ru.ru_maxrss;
}

static double cpu(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	       (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

static uint64_t all_problems(const struct feed *f)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < PROBLEM_N; i++)
		n += f->problems[i];
	return n;
}

static void check(struct tap *t, const struct row *row, unsigned scale)
{
	struct feed f = { .scale = scale };
	struct tap_options none = {};
	uint64_t want = row->pass * (row->scaled ? scale : 1);
	struct str todo = str_of(row->todo);
	long before = peak();
	double begun = cpu();

	/* Blocks have one more: the parent's line. */
	if (row->scaled && row->pass % 10 == 1)
		want = (row->pass - 1) * scale + 1;
	f.p = tap_parser_new(&none, (struct event_sink){ on_event, &f });
	row->make(&f);
	flush(&f);
	tap_parse_end(f.p, TAP_END_CLEAN, &f.sum);
	f.p = tap_parser_free(f.p);
	buf_done(&f.out);

	tap_todo(t, f.counts[STATUS_PASS] + f.counts[STATUS_MISSING] == want, todo,
		 "%s: no result is lost: %" PRIu64 " of %" PRIu64, row->name,
		 f.counts[STATUS_PASS] + f.counts[STATUS_MISSING], want);
	tap_todo(t, row->implied == NEVER || f.implied == row->implied, todo,
		 "%s: missing: %" PRIu64, row->name, f.implied);
	tap_todo(t, row->problem == PROBLEM_N ? all_problems(&f) == 0 || row->implied == NEVER
					      : f.problems[row->problem] > 0, todo,
		 "%s: problems: %" PRIu64, row->name, all_problems(&f));
	ok(t, all_problems(&f) <= 10000, "%s: problems are bounded", row->name);
	ok(t, peak() - before < (long)GROWTH_MAX, "%s: memory: %ld KiB more", row->name,
	   peak() - before);
	ok(t, cpu() - begun < CPU_MAX, "%s: %" PRIu64 " MB in %.2f s of CPU", row->name,
	   f.bytes / MB, cpu() - begun);
}

int main(int argc, char **argv)
{
	bool full = argc > 1 && strcmp(argv[1], "--full") == 0;
	struct tap t = {};

	TAP_HEADER();
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		check(&t, &ROWS[i], full ? 10 : 1);
	return tap_done(&t);
}
