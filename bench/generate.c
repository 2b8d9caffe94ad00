/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generate: a test log of a kind and a size, the same bytes every time.
 *
 *	generate KIND [MEGABYTES] >FILE
 *
 * Names, line lengths and durations are those of the MPTCP selftests; 2 % of
 * the results are skips, 0.2 % failures. Plans stand first, so everything is
 * made twice: once to count.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

#define MEGABYTE     1000000u
#define DEFAULT_SIZE 64 /* megabytes */
#define PROGRAMS     (sizeof(NAMES_PROGRAMS) / sizeof(*NAMES_PROGRAMS))

struct gen {
	bool counting;
	uint64_t size, max;  /* bytes so far; where to stop */
	uint64_t state;      /* of the random numbers */
	uint64_t clock_us;   /* of printk's time stamps */
	uint32_t plan;       /* of the one long document */
};

__attribute__((format(printf, 2, 3))) static void put(struct gen *g, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(line))
		abort(); /* no line of ours is that long */
	g->size += (uint64_t)n;
	if (!g->counting)
		fwrite(line, 1, (size_t)n, stdout);
}

/* xorshift64* (Vigna, 2016): not good, but the same everywhere. */
static uint32_t any(struct gen *g, uint32_t below)
{
	g->state ^= g->state >> 12;
	g->state ^= g->state << 25;
	g->state ^= g->state >> 27;
	return (uint32_t)((g->state * 0x2545f4914f6cdd1dull >> 33) % below);
}

static bool full(const struct gen *g)
{
	return g->size >= g->max;
}

enum outcome { PASS, SKIP, FAIL };

static enum outcome outcome(struct gen *g)
{
	uint32_t x = any(g, 1000);

	return x < 2 ? FAIL : x < 22 ? SKIP : PASS;
}

static const char *const OK[] = { [PASS] = "ok", [SKIP] = "ok", [FAIL] = "not ok" };

static const char *comment(struct gen *g, enum outcome o, char room[static 64])
{
	static const char *const WHY[] = { [PASS] = "", [SKIP] = "SKIP ", [FAIL] = "" };
	/* Most are short, a few take half a minute. */
	uint32_t ms = 20 + any(g, 500) + (any(g, 20) == 0) * any(g, 30000);

	snprintf(room, 64, " # %stime=%ums", WHY[o], ms);
	return room;
}

/* The plan is known when we come here again; its line does not count as size. */
static void plan(struct gen *g)
{
	uint64_t size = g->size;

	put(g, "1..%u\n", g->plan);
	g->size = size;
}

/* One long document: all programs again and again. */
static void flat(struct gen *g)
{
	uint32_t n = 0;

	put(g, "TAP version 13\n");
	plan(g);
	for (uint32_t round = 1; !full(g); round++) {
		for (size_t i = 0; i < PROGRAMS; i++) {
			const struct names_program *p = &NAMES_PROGRAMS[i];

			for (unsigned k = 0; k < p->n; k++) {
				enum outcome o = outcome(g);
				char room[64];

				put(g, "%s %u - %s: %s, round %u%s\n", OK[o], ++n, p->name,
				    p->tests[k], round, comment(g, o, room));
			}
		}
	}
	g->plan = n;
}

/* KUnit's form: suites, cases, parameters. */
static void ktap(struct gen *g)
{
	uint32_t n = 0;

	put(g, "KTAP version 1\n");
	plan(g);
	while (!full(g)) {
		const struct names_program *p = &NAMES_PROGRAMS[n % PROGRAMS];
		bool bad = false;
		char suite[64];

		snprintf(suite, sizeof(suite), "mptcp-%s-%u", p->name, ++n);
		put(g, "    KTAP version 1\n    # Subtest: %s\n    # module: mptcp_%s_test\n"
		    "    1..%u\n", suite, p->name, p->n);
		for (unsigned k = 0; k < p->n; k++) {
			uint32_t params = 2 + any(g, 14);
			bool case_bad = false;

			put(g, "        KTAP version 1\n        # Subtest: %s\n", p->tests[k]);
			for (uint32_t i = 1; i <= params; i++) {
				enum outcome o = outcome(g);

				case_bad |= o == FAIL;
				put(g, "        %s %u %s %u subflows, port %u%s\n", OK[o], i,
				    i % 2 ? "ipv4" : "ipv6", i, 10000 + any(g, 10000),
				    o == SKIP ? " # SKIP no IPv6" : "");
			}
			put(g, "        # %s: pass:%u fail:%u skip:0 total:%u\n", p->tests[k],
			    params - case_bad, (unsigned)case_bad, params);
			put(g, "    %s %u %s\n", case_bad ? "not ok" : "ok", k + 1, p->tests[k]);
			bad |= case_bad;
		}
		put(g, "# %s: pass:%u fail:%u skip:0 total:%u\n", suite, p->n - bad,
		    (unsigned)bad, p->n);
		put(g, "%s %u %s\n", bad ? "not ok" : "ok", n, suite);
	}
	g->plan = n;
}

static void stamp(struct gen *g)
{
	g->clock_us += 1 + any(g, 200000);
	put(g, "[%5u.%06u] ", (unsigned)(g->clock_us / 1000000),
	    (unsigned)(g->clock_us % 1000000));
}

/* What a kernel says while network tests run. */
static void kernel_line(struct gen *g)
{
	static const char *const LINES[] = {
		"IPv6: ADDRCONF(NETDEV_CHANGE): ns%ueth%u: link becomes ready",
		"device ns%ueth%u entered promiscuous mode",
		"device ns%ueth%u left promiscuous mode",
		"ns%ueth%u: renamed from veth1",
		"netlink: 12 bytes leftover after parsing attributes in process `mptcp_diag%u.%u'.",
		"TCP: request_sock_subflow_v4: Possible SYN flooding on port 10.0.%u.%u:10000.",
		"tcpdump (%u%u) used greatest stack depth: 11464 bytes left",
		"audit: type=1325 audit(1790000000.%u:%u): table=mangle family=2 entries=0",
		"hrtimer: interrupt took %u%u0 ns",
		"veth%u: set to promiscuous by br%u",
	};

	stamp(g);
	/* A table's row is no literal; all take the same two numbers. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	put(g, LINES[any(g, sizeof(LINES) / sizeof(*LINES))], 1 + any(g, 4), 1 + any(g, 254));
#pragma GCC diagnostic pop
	put(g, "\n");
}

static void sometimes_kernel(struct gen *g, uint32_t percent)
{
	if (any(g, 100) < percent)
		kernel_line(g);
}

/*
 * One program under kselftest's runner: its words, then its TAP, in comments.
 * @kernel: percent of lines after which the kernel says something.
 */
static void program(struct gen *g, const struct names_program *p, unsigned number,
		    unsigned round, uint32_t kernel)
{
	static const char *const WORD[] = { [PASS] = "[ OK ]", [SKIP] = "[SKIP]",
					    [FAIL] = "[FAIL]" };
	enum outcome o[128];
	bool bad = false;
	char room[64];

	put(g, "# timeout set to 1800\n# selftests: net/mptcp-%u: %s.sh\n", round, p->name);
	for (unsigned k = 0; k < p->n; k++) {
		o[k] = outcome(g);
		bad |= o[k] == FAIL;
		put(g, "# %02u %-68s %s\n", k + 1, p->tests[k], WORD[o[k]]);
		sometimes_kernel(g, kernel);
	}
	put(g, "# \n# TAP version 13\n# 1..%u\n", p->n);
	for (unsigned k = 0; k < p->n; k++) {
		put(g, "# %s %u - %s: %s%s\n", OK[o[k]], k + 1, p->name, p->tests[k],
		    comment(g, o[k], room));
		sometimes_kernel(g, kernel / 4);
	}
	put(g, "%s %u selftests: net/mptcp-%u: %s.sh%s\n", bad ? "not ok" : "ok", number, round,
	    p->name, bad ? " # exit=1" : "");
}

/* The runner with all programs. A round has names of its own: none is there twice. */
static void programs(struct gen *g, unsigned round, uint32_t kernel, uint32_t more)
{
	stamp(g);
	put(g, "kselftest: Running tests in net/mptcp-%u\nTAP version 13\n1..%u\n", round,
	    (unsigned)PROGRAMS);
	for (size_t i = 0; i < PROGRAMS; i++) {
		program(g, &NAMES_PROGRAMS[i], (unsigned)i + 1, round, kernel);
		for (uint32_t k = more ? any(g, more) : 0; k; k--)
			kernel_line(g);
	}
}

static void kselftest(struct gen *g)
{
	for (unsigned round = 1; !full(g); round++)
		programs(g, round, 8, 0);
}

/* Boots, each with all programs, and much of the kernel; no splat. */
static void console(struct gen *g)
{
	for (unsigned round = 1; !full(g); round++) {
		g->clock_us = 0;
		for (size_t i = 0; i < sizeof(NAMES_BOOT) / sizeof(*NAMES_BOOT); i++) {
			stamp(g);
			put(g, "%s\n", NAMES_BOOT[i]);
		}
		programs(g, round, 60, 40);
		stamp(g);
		put(g, "reboot: Power down\n");
	}
}

static const struct kind {
	const char *name;
	void (*make)(struct gen *g);
	const char *what;
} KINDS[] = {
	{ "flat", flat, "one document of TAP 13" },
	{ "ktap", ktap, "KTAP, three levels" },
	{ "kselftest", kselftest, "kselftest's runner, the kernel's lines between" },
	{ "console", console, "a quiet console: boots, network, tests, no splat" },
};

static int usage(void)
{
	fprintf(stderr, "usage: generate KIND [MEGABYTES] >FILE\n");
	for (size_t i = 0; i < sizeof(KINDS) / sizeof(*KINDS); i++)
		fprintf(stderr, "  %-10s %s\n", KINDS[i].name, KINDS[i].what);
	return 2;
}

int main(int argc, char **argv)
{
	unsigned long mega = argc > 2 ? strtoul(argv[2], NULL, 10) : DEFAULT_SIZE;
	static const uint64_t SEED = 0x9e3779b97f4a7c15ull;
	const struct kind *kind = NULL;
	struct gen *g;

	for (size_t i = 0; argc > 1 && i < sizeof(KINDS) / sizeof(*KINDS); i++)
		if (strcmp(argv[1], KINDS[i].name) == 0)
			kind = &KINDS[i];
	if (!kind || !mega || mega > 100000)
		return usage();
	g = calloc(1, sizeof(*g));
	if (!g)
		abort();
	g->max = mega * (uint64_t)MEGABYTE;
	for (int pass = 0; pass < 2; pass++) {
		g->counting = pass == 0;
		g->state = SEED;
		g->size = g->clock_us = 0;
		kind->make(g);
	}
	free(g);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("generate");
		return 1;
	}
	return 0;
}
