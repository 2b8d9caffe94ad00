/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader and the splat finder allocate what they need once, not for each
 * line: three times the input makes no further allocation. Linked with --wrap, so
 * that every call from our own code is counted.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "tap.h"
#include "tap/console.h"
#include "tap/parse.h"

struct calls {
	uint64_t n;
};

static struct calls *calls(void)
{
	static struct calls c;

	return &c;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
	calls()->n++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	calls()->n++;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	calls()->n++;
	return __real_realloc(p, size);
}

struct row {
	const char *name;
	const char *head, *again; /* again and again: %u is a number */
};

static const struct row ROWS[] = {
	{ "flat", "TAP version 13\n",
	  "ok %u - diag: after MPC handshake # time=12ms\nnot ok %u - a # SKIP no\n" },
	{ "the same names", "", "ok 1 a\nnot ok 2 b # time=3ms exit=1\n" },
	{ "nested", "KTAP version 1\n",
	  "    # Subtest: suite_%u\n    1..2\n        KTAP version 1\n        1..1\n"
	  "        ok 1 a\n    ok 1 b\n    ok 2 c\nok %u suite\n" },
	{ "without names", "", "    ok 1 a\n    ok 2 b\nok %u c\n" },
	{ "kselftest", "TAP version 13\n",
	  "# selftests: net/mptcp: diag.sh\n# 01 a                 [ OK ]\n"
	  "# 02 b                [FAIL] expected 1 found %u\n[    1.000001] eth0: link up\n"
	  "# TAP version 13\n# 1..2\n# ok 1 - diag: a\n# not ok 2 - diag: b\n"
	  "not ok %u selftests: net/mptcp: diag.sh # exit=1\n" },
	{ "a console", "",
	  "[    0.000000] Linux version 6.12\n[  %u.000001] tcp: ok \x1b[32m[ OK ]\x1b[0m\r\n"
	  "a line of a program %u\n\n" },
	{ "problems", "1..3\n", "1..4\nok 7 x\n---\nBail out! no\n" },
};

static void hear(void *ctx, const struct event *ev)
{
	uint64_t *n = ctx;

	*n += ev->type == EVENT_RESULT;
}

/* Allocations for @times repetitions. */
static uint64_t count(const struct row *r, unsigned times, uint64_t *ret_results)
{
	struct tap_options opt = {};
	struct event_sink sink = { hear, ret_results };
	struct tap_parser *p = tap_parser_new(&opt, sink);
	struct console *c = console_new(sink);
	struct tap_summary sum;
	uint64_t before = calls()->n;
	char text[1024];

	tap_parse(p, r->head, strlen(r->head));
	for (unsigned i = 1; i <= times; i++) {
		int n;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		n = snprintf(text, sizeof(text), r->again, i, i);
#pragma GCC diagnostic pop
		tap_parse(p, text, (size_t)n);
		console_feed(c, text, (size_t)n);
	}
	tap_parse_end(p, TAP_END_CLEAN, &sum);
	console_end(c);
	before = calls()->n - before;
	tap_parser_free(p);
	console_free(c);
	return before;
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		uint64_t few = 0, many = 0;
		uint64_t once = count(&ROWS[i], 40000, &few);
		uint64_t thrice = count(&ROWS[i], 120000, &many);

		is_int(&t, (int64_t)thrice, (int64_t)once, ROWS[i].name);
	}
	ok(&t, calls()->n > 0, "allocations are counted");
	return tap_done(&t);
}
