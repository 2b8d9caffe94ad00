/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results in lines of a program's own. */
#include "base/mem.h"
#include "tap/dialect.h"
#include "tap.h"

static const struct {
	const char *what, *dialect, *said;
	const char *want; /* path=status@line[ reason] per result */
} ROWS[] = {
	{ "test_progs, as it passes", "test_progs",
	  "#188/1   mptcp/base:OK\n#188/2   mptcp/mptcpify:OK\n#188     mptcp:OK\n"
	  "Summary: 1/2 PASSED, 0 SKIPPED, 0 FAILED\n",
	  "mptcp/base=pass@1\nmptcp/mptcpify=pass@2\nmptcp=pass@3\n" },
	{ "test_progs, as it fails: said once, with the reason", "test_progs",
	  "test_base:PASS:cgroup 0 nsec\n"
	  "run_test:FAIL:skel_attach unexpected error: -1 (errno 1)\n"
	  "run_test:FAIL:second\n"
	  "#188/1   mptcp/base:FAIL\n#188/2   mptcp/x y:SKIP\n#188     mptcp:FAIL\n"
	  "#189     one:OK (SKIP: 1/2)\n#190     two:SKIP\n"
	  "\nAll error logs:\n#188/1   mptcp/base:FAIL\n#188     mptcp:FAIL\n"
	  "Summary: 0/1 PASSED, 1 SKIPPED, 1 FAILED\n",
	  "mptcp/base=fail@4 run_test:FAIL:skel_attach unexpected error: -1 (errno 1)\n"
	  "mptcp/x y=skip@5\nmptcp=fail@6\none=pass@7\ntwo=skip@8\n" },
	{ "what only looks like it", "test_progs",
	  "#188/1 :OK\n# 1 a:OK\n#x a:OK\n#5 a:OKAY\n#6 no status\n#7 a:b:OK\n", "a:b=pass@6\n" },
	{ "a last line without its end", "test_progs", "#1 a:OK", "a=pass@1\n" },
	{ "packetdrill's run_all.py", "packetdrill",
	  "OK   [/tmp/mptcp/dss/a.pkt (ipv4)]\nFAIL [/tmp/mptcp/dss/b.pkt (ipv4-mapped-v6)]\n"
	  "stdout: \nstderr: \nb.pkt:12: error handling packet\n"
	  "KILL [c.pkt (ipv6)]\nOK   [no end\nRan    3 tests:    1 passing\n",
	  "a.pkt (ipv4)=pass@1\nb.pkt (ipv4-mapped-v6)=fail@2\nc.pkt (ipv6)=timeout@6\n" },
};

static void on_event(void *ctx, const struct event *ev)
{
	struct buf *b = ctx;

	if (ev->type != EVENT_RESULT)
		return;
	for (unsigned i = 0; i < ev->result->depth; i++)
		buf_printf(b, i ? "/%.*s" : "%.*s", STR_FMT(ev->result->path[i]));
	buf_printf(b, "=%s@%llu", STATUS_INFO[ev->result->status].name,
		   (unsigned long long)ev->result->line);
	buf_printf(b, ev->result->reason.n ? " %.*s\n" : "%.*s\n", STR_FMT(ev->result->reason));
}

/* @step: bytes at a time. */
static char *read_as(const char *dialect, struct str said, size_t step)
{
	struct buf b = {};
	struct tap_parser *p = tap_parser_new(&(struct tap_options){},
					      (struct event_sink){ on_event, &b });
	struct dialect *d = dialect_new(dialect, p);
	struct tap_summary sum;

	for (size_t i = 0; i < said.n; i += step)
		dialect_feed(d, said.p + i, said.n - i < step ? said.n - i : step);
	dialect_end(d);
	tap_parse_end(p, TAP_END_CLEAN, &sum);
	dialect_free(d);
	tap_parser_free(p);
	return buf_take(&b);
}

int main(void)
{
	struct tap t = {};
	struct buf flood = {};

	TAP_HEADER();
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct str said = str_of(ROWS[i].said);
		_free_ char *whole = read_as(ROWS[i].dialect, said, said.n);
		_free_ char *bytes = read_as(ROWS[i].dialect, said, 1);

		is_str(&t, whole, ROWS[i].want, ROWS[i].what);
		is_str(&t, bytes, ROWS[i].want, "byte by byte");
	}
	for (unsigned i = 0; i < 100000; i++)
		buf_printf(&flood, "#1 a:");
	buf_printf(&flood, "OK\n#2 b:OK\n");
	_free_ char *after = read_as("test_progs", buf_str(&flood), 4000);

	is_str(&t, after, "b=pass@2\n", "a line that is too long is none, the next one counts");
	buf_done(&flood);
	ok(&t, !dialect_new("none", NULL) && !dialect_new(NULL, NULL), "no such dialect");
	ok(&t, dialect_is("packetdrill") && !dialect_is("tap"), "names");
	return tap_done(&t);
}
