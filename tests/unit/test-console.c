/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Splats: one row per way in which the kernel complains. */
#include <stdlib.h>

#include "base/mem.h"
#include "tap.h"
#include "tap/console.h"
#include "tap/parse.h"
#include "tap/scan.h"

struct row {
	const char *name;
	struct str in;
	const char *want; /* "kind: title @line+lines" per line */
};

#define S "[    1.500000] "

static const struct row ROWS[] = {
	{ "nothing", STR(S "eth0: up\n"), "" },
	{ "warning",
	  STR("ok 1\n" S "------------[ cut here ]------------\n"
	      S "WARNING: CPU: 0 PID: 61 at drivers/x.c:112 lkdtm_WARNING+0xf/0x20\n"
	      S "Call Trace:\n" S "---[ end trace 0000000000000000 ]---\n" S "after\n"),
	  "warning: WARNING in lkdtm_WARNING @2+4\n" },
	{ "warning, as newer kernels print it",
	  STR(S "WARNING: net/mptcp/x.c:12 at mptcp_foo+0x1/0x2 [mptcp], CPU#1: ip/77\n"),
	  "warning: WARNING in mptcp_foo @1+1\n" },
	{ "a script's word, between stamped lines",
	  STR(S "x\nWARNING: CPU: none BUG: no\n"), "" },
	{ "a script's word, without stamps",
	  STR("BUG: in my script\nWARNING: old bash\n"), "" },
	{ "without stamps, but the kernel's",
	  STR("------------[ cut here ]------------\n"
	      "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\n"
	      "---[ end trace 0 ]---\n"),
	  "warning: WARNING in f @1+3\n" },
	{ "panic", STR(S "Kernel panic - not syncing: sysrq triggered crash\n" S "CPU: 0\n"),
	  "panic: kernel panic: sysrq triggered crash @1+2\n" },
	{ "kernel BUG and the oops it becomes are one",
	  STR(S "------------[ cut here ]------------\n" S "kernel BUG at lib/x.c:105!\n"
	      S "Oops: invalid opcode: 0000 [#1] PREEMPT SMP\n"
	      S "RIP: 0010:lkdtm_BUG+0x5/0x10\n"
	      S "---[ end trace 0 ]---\n"),
	  "bug: kernel BUG in lkdtm_BUG @1+5\n" },
	{ "NULL pointer",
	  STR(S "BUG: kernel NULL pointer dereference, address: 0000000000000000\n"
	      S "Oops: Oops: 0002 [#1] SMP\n" S "RIP: 0010:foo.isra.0+0x5/0x10\n"
	      S "---[ end trace 0 ]---\n"),
	  "oops: BUG: unable to handle kernel NULL pointer dereference in foo @1+4\n" },
	{ "KASAN",
	  STR(S "==================================================================\n"
	      S "BUG: KASAN: slab-use-after-free in mptcp_foo+0x12/0x34\n"
	      S "Read of size 8 at addr ffff888007\n"
	      S "==================================================================\n"),
	  "kasan: KASAN: slab-use-after-free Read in mptcp_foo @1+4\n" },
	{ "refcount comes before its warning",
	  STR(S "------------[ cut here ]------------\n"
	      S "refcount_t: underflow; use-after-free.\n"
	      S "WARNING: CPU: 0 PID: 1 at lib/refcount.c:28 refcount_warn_saturate+0x1/0x2\n"
	      S "---[ end trace 0 ]---\n"),
	  "refcount: WARNING: refcount bug @1+4\n" },
	{ "list corruption",
	  STR(S "list_add corruption. next->prev is (ffff8880070bc0d8), but was 0.\n"),
	  "list-corruption: BUG: corrupted list @1+1\n" },
	{ "lockdep", STR(S "WARNING: possible circular locking dependency detected\n"),
	  "lockdep: possible deadlock @1+1\n" },
	{ "RCU", STR(S "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:\n"),
	  "rcu-stall: INFO: rcu detected stall @1+1\n" },
	{ "RCU, harmless", STR(S "rcu: Hierarchical RCU implementation.\n"), "" },
	{ "soft lockup", STR(S "watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [x:12]\n"),
	  "soft-lockup: BUG: soft lockup @1+1\n" },
	{ "hard lockup", STR(S "watchdog: Watchdog detected hard LOCKUP on cpu 1\n"),
	  "hard-lockup: BUG: hard lockup @1+1\n" },
	{ "hung task",
	  STR(S "INFO: task ip:77 blocked for more than 120 seconds.\n" S "Call Trace:\n"
	      S " schedule+0x1/0x2\n"),
	  "hung-task: INFO: task hung @1+3\n" },
	{ "OOM",
	  STR(S "tail invoked oom-killer: gfp_mask=0x140cca\n" S "Mem-Info:\n"
	      S "Out of memory: Killed process 66 (tail)\n" S "x\n"),
	  "oom: out of memory: killed tail @1+3\n" },
	{ "kmemleak", STR(S "kmemleak: 3 new suspected memory leaks (see /sys)\n"),
	  "kmemleak: memory leak suspected by kmemleak @1+1\n" },
	{ "kmemleak, harmless",
	  STR(S "kmemleak: Kernel memory leak detector initialized\n"), "" },
	{ "general protection fault",
	  STR(S "Oops: general protection fault, probably for non-canonical address 0xdead\n"
	      S "RIP: 0010:bar+0x5/0x10\n"),
	  "gpf: general protection fault in bar @1+2\n" },
	{ "netdev",
	  STR(S "unregister_netdevice: waiting for ns1eth1 to become free. Usage count = 2\n"),
	  "netdev-unregister: unregister_netdevice: waiting for DEV to become free @1+1\n" },
	{ "UML's BUG and its panic are one",
	  STR(S "BUG: failure at x.c:105/lkdtm_BUG()!\n"
	      S "Kernel panic - not syncing: BUG!\n"),
	  "bug: kernel BUG in lkdtm_BUG @1+2\n" },
	{ "two, the first without an end",
	  STR(S "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\n"
	      S "------------[ cut here ]------------\n"
	      S "WARNING: CPU: 0 PID: 1 at a.c:1 g+0x1/0x2\n"),
	  "warning: WARNING in f @1+1\nwarning: WARNING in g @2+2\n" },
	{ "other subjects in between, and nobody says whose lines they are",
	  STR(S "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\n" S "ACPI: PM: Preparing to sleep\n"
	      S "TCP: established hash table\n" S "RAX: 0000000000000000\n"
	      S "ns1eth1: renamed from veth0\n"),
	  "warning: WARNING in f @1+4\n" },
	{ "silence ends it",
	  STR("[    1.000000] WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\n[    1.100000] x\n"
	      "[    9.000000] y\n"),
	  "warning: WARNING in f @1+2\n" },
};

struct dump {
	struct buf text;
	char fingerprint[32];
};

static void on_event(void *ctx, const struct event *ev)
{
	const struct event_splat *s = ev->splat;
	struct dump *d = ctx;

	buf_printf(&d->text, "%.*s: %.*s @%d+%d\n", STR_FMT(s->kind), STR_FMT(s->title),
		   (int)s->line, (int)s->lines);
	snprintf(d->fingerprint, sizeof(d->fingerprint), "%.*s", STR_FMT(s->fingerprint));
}

static void feed(struct dump *d, struct str in, size_t chunk)
{
	struct console *c = console_new((struct event_sink){ on_event, d });

	while (in.n > chunk) {
		console_feed(c, in.p, chunk);
		in = str_from(in, chunk);
	}
	console_feed(c, in.p, in.n);
	console_end(c);
	console_free(c);
}

static void check(struct tap *t, const struct row *row)
{
	struct dump whole = {};
	bool same = true;

	feed(&whole, row->in, row->in.n);
	is_str(t, whole.text.p ? whole.text.p : "", row->want, row->name);
	for (size_t chunk = 1; chunk < row->in.n; chunk++) {
		struct dump d = {};

		feed(&d, row->in, chunk);
		same &= str_eq(buf_str(&d.text), buf_str(&whole.text));
		buf_done(&d.text);
	}
	ok(t, same, "every split of: %s", row->name);
	buf_done(&whole.text);
}

/* ---- fingerprints ---- */

#define WARN(head, trace)                                                                \
	STR(S "WARNING: " head "\n" S "RIP: 0010:f+0xf/0x20 [mptcp]\n" S "Call Trace:\n" trace \
	    S "---[ end trace 0 ]---\n")
#define CALLERS S " one+0x1/0x2\n" S " two+0x1/0x2\n"

static const struct str PLAIN =
	WARN("CPU: 0 PID: 61 at a.c:1 f+0xf/0x20 [mptcp]", CALLERS);

static const struct {
	const char *name;
	struct str in;
	bool same;
} PRINTS[] = {
	{ "another process, CPU, offset",
	  WARN("CPU: 3 PID: 7 at a.c:9 f+0x1f/0x40 [mptcp]",
	       S " one+0x9/0x22\n" S " two+0x31/0x52\n"), true },
	{ "compilers' copies",
	  WARN("CPU: 0 PID: 61 at a.c:1 f.isra.0+0xf/0x20 [mptcp]",
	       S " one.constprop.3+0x1/0x2\n" S " two.part.0.llvm.123+0x1/0x2\n"), true },
	{ "a cold part", WARN("CPU: 0 PID: 61 at a.c:1 f.cold+0xf/0x20 [mptcp]", CALLERS), true },
	{ "built in, not a module",
	  STR(S "WARNING: CPU: 0 PID: 61 at a.c:1 f+0xf/0x20\n" S "RIP: 0010:f+0xf/0x20\n"
	      S "Call Trace:\n" CALLERS S "---[ end trace 0 ]---\n"), true },
	{ "what is only found on the stack",
	  WARN("CPU: 0 PID: 61 at a.c:1 f+0xf/0x20 [mptcp]",
	       S " ? stale+0x1/0x2\n" S " one+0x1/0x2\n" S " ? two+0x1/0x2\n"
	       S " two+0x1/0x2\n"), true },
	{ "what reports",
	  WARN("CPU: 0 PID: 61 at a.c:1 f+0xf/0x20 [mptcp]",
	       S " dump_stack_lvl+0x1/0x2\n" S " __warn+0x1/0x2\n" CALLERS), true },
	{ "a system call below",
	  WARN("CPU: 0 PID: 61 at a.c:1 f+0xf/0x20 [mptcp]",
	       CALLERS S " do_syscall_64+0x1/0x2\n" S " entry_SYSCALL_64_after_hwframe+0x1/0x2\n"),
	  true },
	{ "addresses before the names",
	  WARN("CPU: 0 PID: 61 at a.c:1 f+0xf/0x20 [mptcp]",
	       S " [<ffffffff81234567>] one+0x1/0x2\n" S " [<60012345>] two+0x1/0x2\n"), true },
	{ "inlined functions of a decoded log",
	  WARN("CPU: 0 PID: 61 at a.c:1 f+0xf/0x20 [mptcp]",
	       S " inner net/a.c:12 [inline]\n" CALLERS), true },
	{ "as 6.19 prints it",
	  WARN("a.c:1 at f+0xf/0x20 [mptcp], CPU#1: ip/77", CALLERS), true },
	{ "another function", WARN("CPU: 0 PID: 61 at a.c:1 g+0xf/0x20 [mptcp]", CALLERS), false },
	{ "another caller",
	  WARN("CPU: 0 PID: 61 at a.c:1 f+0xf/0x20 [mptcp]", S " one+0x1/0x2\n" S " 2+0x1/0x2\n"),
	  false },
	{ "no caller", WARN("CPU: 0 PID: 61 at a.c:1 f+0xf/0x20 [mptcp]", ""), false },
	{ "another kind",
	  STR(S "kernel BUG at a.c:1!\n" S "RIP: 0010:f+0xf/0x20 [mptcp]\n" S "Call Trace:\n"
	      CALLERS S "---[ end trace 0 ]---\n"), false },
};

static void test_fingerprint(struct tap *t)
{
	struct dump plain = {};

	feed(&plain, PLAIN, PLAIN.n);
	for (size_t i = 0; i < ARRAY_SIZE(PRINTS); i++) {
		struct dump d = {};

		feed(&d, PRINTS[i].in, PRINTS[i].in.n);
		ok(t, (strcmp(d.fingerprint, plain.fingerprint) == 0) == PRINTS[i].same,
		   "fingerprint, %s: %s", PRINTS[i].same ? "the same" : "another",
		   PRINTS[i].name);
		buf_done(&d.text);
	}
	buf_done(&plain.text);
}

/* ---- the quick search ---- */

/* Whatever ROWS find must be found from a line that the search stops at. */
static bool stops_at(struct str line)
{
	uint64_t newlines = 0, slow = 0;
	const char *end = line.p + line.n, *hit = scan_find(line.p, end, &newlines);

	return hit < end && scan_find_anywhere(line.p, end, &slow) == hit && newlines == slow;
}

static void test_scan_rows(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct str rest = ROWS[i].in;
		uint64_t number = 0, first = 0;
		const char *at = strchr(ROWS[i].want, '@');

		if (!at)
			continue;
		first = strtoull(at + 1, NULL, 10);
		while (rest.n && ++number < first)
			str_cut(&rest, '\n');
		ok(t, stops_at(str_cut(&rest, '\n')), "is stopped at: %s", ROWS[i].name);
	}
}

/* Against the plain way: every place, every length around the vectors'. */
static void test_scan(struct tap *t)
{
	bool good = true;
	char text[200];

	for (size_t n = 3; n < sizeof(text); n++) {
		for (size_t at = 0; at + 2 < n; at++) {
			uint64_t fast = 0, slow = 0;
			const char *hit;

			for (size_t i = 0; i < n; i++)
				text[i] = i % 7 ? '.' : '\n';
			memcpy(text + at, "BUG", 3);
			hit = scan_find(text, text + n, &fast);
			good &= hit == text + at + 1;
			good &= scan_find_anywhere(text, text + n, &slow) == hit && fast == slow;
			good &= fast == (at + 6) / 7;
		}
	}
	ok(t, good, "the quick search finds each place, and counts the lines before it");
}

static void test_look(struct tap *t)
{
	static const char BYTES[] = { '\0', '\x1b', '[', '\x1a', '{', '\xdb' };
	char text[100];
	bool good = true;

	for (size_t n = 0; n <= sizeof(text); n++) {
		for (size_t at = 0; at <= n; at++) {
			for (size_t i = 0; i < sizeof(BYTES); i++) {
				struct scan_has has;

				memset(text, '.', sizeof(text));
				if (at < sizeof(text))
					text[at] = BYTES[i]; /* @at == @n: behind the end */
				has = scan_look(text, n);
				good &= has.junk == (at < n && i < 2);
				good &= has.bracket == (at < n && i == 2);
			}
		}
	}
	ok(t, good, "what bytes are in lines is seen at each place, and not behind the end");
}

/* A line of the kernel that is longer than what is looked at. */
static void test_long_line(struct tap *t)
{
	for (size_t n = TAP_LINE_MAX - 40; n < TAP_LINE_MAX + 4; n++) {
		struct dump whole = {}, split = {};
		struct buf in = {};

		buf_printf(&in, S "x\n" S);
		while (in.n < n)
			buf_add(&in, ".", 1);
		buf_printf(&in, " invoked oom-killer: gfp_mask=0x1\n" S "x\n");
		feed(&whole, buf_str(&in), in.n);
		feed(&split, buf_str(&in), 100);
		if (!str_eq(buf_str(&whole.text), buf_str(&split.text)))
			ok(t, false, "a long line of %zu bytes, split", n);
		buf_done(&whole.text);
		buf_done(&split.text);
		buf_done(&in);
	}
	ok(t, true, "long lines, split");
}

static void test_bounds(struct tap *t)
{
	struct buf in = {};
	struct dump d = {};

	buf_printf(&in, S "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\n");
	for (int i = 0; i < 100000; i++)
		buf_printf(&in, S "more of it, and more, and more\n");
	feed(&d, buf_str(&in), 65536);
	is_str(t, d.text.p, "warning: WARNING in f @1+400\n", "an endless splat is cut");
	buf_done(&in);
	buf_done(&d.text);
}

/*
 * What a console says while programs come and go: "\1" to "\7" is a program
 * that begins, "\b" that none runs. Both stand between two reads.
 */
static const struct row PROGRAMS[] = {
	{ "told late, when another runs",
	  STR("\1" S "WARNING: possible recursive locking detected\n\b\2"
	      "[    9.000000] x\n"),
	  "1 lockdep @1+1\n" },
	{ "told at the end",
	  STR("\1" S "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:\n\b"),
	  "1 rcu-stall @1+1\n" },
	{ "one in each, none in between",
	  STR("\1" S "kmemleak: 3 new suspected memory leaks (see /sys)\n\b" S "x\n"
	      "[    4.000000] unregister_netdevice: waiting for a to become free. "
	      "Usage count = 2\n\2"
	      "[    8.000000] INFO: task ip:77 blocked for more than 120 seconds.\n"),
	  "1 kmemleak @1+1\n0 netdev-unregister @3+1\n2 hung-task @4+1\n" },
	{ "begun with \"cut here\"",
	  STR("\3" S "------------[ cut here ]------------\n\b\4"
	      S "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\n"),
	  "3 warning @1+2\n" },
	{ "begun in the middle of a line",
	  STR("\5" S "WARNING: possible recur\b\6sive locking detected\n"
	      "[    4.000000] kmemleak: 3 new suspected memory leaks (see /sys)\n\b"),
	  "5 lockdep @1+1\n6 kmemleak @2+1\n" },
	{ "goes on in the next",
	  STR("\1" S "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2\n\b\2" S "Call Trace:\n"
	      S "---[ end trace 0 ]---\n"),
	  "1 warning @1+3\n" },
};

static void on_program(void *ctx, const struct event *ev)
{
	buf_printf(ctx, "%u %.*s @%d+%d\n", ev->program, STR_FMT(ev->splat->kind),
		   (int)ev->splat->line, (int)ev->splat->lines);
}

static void check_program(struct tap *t, const struct row *row)
{
	struct buf got = {};
	struct console *c = console_new((struct event_sink){ on_program, &got });

	for (size_t i = 0; i < row->in.n; i++) {
		if (row->in.p[i] > 0 && row->in.p[i] <= '\b')
			console_program(c, row->in.p[i] % '\b');
		else
			console_feed(c, row->in.p + i, 1);
	}
	console_end(c);
	is_str(t, got.p ? got.p : "", row->want, row->name);
	console_free(c);
	buf_done(&got);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		check(&t, &ROWS[i]);
	for (size_t i = 0; i < ARRAY_SIZE(PROGRAMS); i++)
		check_program(&t, &PROGRAMS[i]);
	test_fingerprint(&t);
	test_scan_rows(&t);
	test_scan(&t);
	test_look(&t);
	test_long_line(&t);
	test_bounds(&t);
	return tap_done(&t);
}
