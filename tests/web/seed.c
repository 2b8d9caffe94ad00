/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "seed.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/file.h"
#include "base/mem.h"

#define HOSTILE "</pre><script>alert(1)</script>\"' onfocus=alert(2) \x1b[31m\xff&amp;"
#define MINUTE  60000
#define DAY     86400000
#define EPOCH   INT64_C(1758520800000) /* 2025-09-22 06:00 UTC */

struct test {
	const char *name;
	const char *const *results;
	unsigned begins;  /* first run that has it */
};

static const char *const PM_NETLINK[] = {
	"pm_netlink: defaults addr list", "pm_netlink: simple add/get addr",
	"pm_netlink: dump addrs", "pm_netlink: simple del addr",
	"pm_netlink: dump addrs after del", "pm_netlink: duplicate addr",
	"pm_netlink: id addr increment", "pm_netlink: hard addr limit",
	"pm_netlink: above hard addr limit", "pm_netlink: id limit", "pm_netlink: flush addrs",
	"pm_netlink: ignore unknown flags", "pm_netlink: rcv addrs above hard limit",
	"pm_netlink: subflows above hard limit", "pm_netlink: set limits",
	"pm_netlink: set ids", "pm_netlink: wrap-around ids",
	"pm_netlink: set flags (backup)", "pm_netlink: (nobackup)", "pm_netlink: (fullmesh)",
	"pm_netlink: (nofullmesh)", "pm_netlink: (backup,fullmesh)", NULL,
};
static const char *const SOCKOPT[] = {
	"mptcp_sockopt: transfer ipv4", "mptcp_sockopt: mark ipv4",
	"mptcp_sockopt: transfer ipv6", "mptcp_sockopt: mark ipv6",
	"mptcp_sockopt: sockopt v4", "mptcp_sockopt: sockopt v6",
	"mptcp_sockopt: TCP_INQ: -t tcp", "mptcp_sockopt: TCP_INQ: -6 -t tcp",
	"mptcp_sockopt: TCP_INQ: -r tcp", "mptcp_sockopt: TCP_INQ: -6 -r tcp",
	"mptcp_sockopt: TCP_INQ: -r tcp -t tcp", NULL,
};
static const char *const DIAG[] = {
	"diag: no msk on netns creation", "diag: listen match for dport 10000",
	"diag: all listen sockets", "diag: after MPC handshake",
	"diag: ....chk last_data_sent", "diag: ....chk last_data_recv",
	"diag: ....chk remote_key", "diag: ....chk 2 msk in use", "diag: check fallback",
	"diag: many msk socket present", "diag: ....chk many->0 msk in use after flush", NULL,
};
static const char *const SIMULT[] = {
	"simult_flows: balanced bwidth", "simult_flows: balanced bwidth - reverse direction",
	"simult_flows: balanced bwidth with unbalanced delay",
	"simult_flows: unbalanced bwidth",
	"simult_flows: unbalanced bwidth - reverse direction",
	"simult_flows: unbalanced bwidth with unbalanced delay",
	"simult_flows: unbalanced bwidth with opposed, unbalanced delay", NULL,
};
static const char *const JOIN[] = {
	"mptcp_join: no JOIN", "mptcp_join: single subflow, limited by client",
	"mptcp_join: single subflow", "mptcp_join: multiple subflows, limited by server",
	"mptcp_join: signal address, ADD_ADDR timeout", "mptcp_join: remove id 0 subflow",
	"mptcp_join: fastclose test", "mptcp_join: delete re-add signal", NULL,
};
static const char *const HOSTILES[] = { HOSTILE, "../../../etc/passwd", "plain", NULL };
static const char *const NONE[] = { NULL };

static const struct test TESTS[] = {
	{ "pm_netlink.sh", PM_NETLINK, 0 }, { "mptcp_sockopt.sh", SOCKOPT, 0 },
	{ "diag.sh", DIAG, 0 },             { "simult_flows.sh", SIMULT, 0 },
	{ "mptcp_join.sh", JOIN, 0 },       { "mptcp_connect_mmap.sh", NONE, 9 },
};
static const struct test HOSTILE_TESTS[] = { { HOSTILE, HOSTILES, 0 } };

struct seed {
	struct store *store;
	struct event_sink sink;
	const char *dir;
	bool hostile;
	unsigned run, job, program;
	int64_t now;
	uint32_t random;
	uint64_t bad;
	struct buf log;
	uint64_t line;
	struct err *err;
};

static uint32_t roll(struct seed *s, uint32_t sides) /* xorshift32 */
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 17;
	s->random ^= s->random << 5;
	return s->random % sides;
}

static struct str text(const struct seed *s, const char *plain)
{
	return str_of(s->hostile ? HOSTILE : plain);
}

static void emit(struct seed *s, struct event ev)
{
	ev.job = s->job;
	event_emit(&s->sink, &ev);
}

/* What happens to one result: rare failures, a test that fails one time in
 * eight, one that broke for three runs, skips that never change. */
static enum status fate(struct seed *s, const char *name, bool debug)
{
	uint32_t dice = roll(s, 1000);

	if (strstr(name, "last_data"))
		return STATUS_SKIP;
	if (strstr(name, "fastclose"))
		return s->run >= 12 && s->run < 16 ? STATUS_FAIL : STATUS_PASS;
	if (strstr(name, "simult_flows: unbalanced bwidth"))
		return dice < (debug ? 210 : 60) ? STATUS_FLAKY : STATUS_PASS;
	if (strstr(name, "ADD_ADDR timeout"))
		return dice < 90 ? STATUS_FAIL : STATUS_PASS;
	if (strstr(name, "re-add signal"))
		return dice < 500 ? STATUS_XFAIL : STATUS_PASS;
	if (s->hostile)
		return dice < 600 && s->run < 40 ? STATUS_FAIL : STATUS_XPASS;
	return dice < 2 ? STATUS_FAIL : STATUS_PASS;
}

static const char *reason_of(enum status status)
{
	static const char *const reasons[STATUS_N] = {
		[STATUS_SKIP] = "ss is too old for it",
		[STATUS_FLAKY] = "Flaky",
		[STATUS_FAIL] = "got 2 JOIN[s] tx expected 3",
		[STATUS_MISSING] = "planned, never seen",
		[STATUS_XFAIL] = "known since 6.9",
	};

	return reasons[status] ? reasons[status] : "";
}

static void log_line(struct seed *s, const char *line)
{
	buf_add_str(&s->log, str_of(line));
	buf_add_str(&s->log, STR("\n"));
	s->line++;
}

static void result(struct seed *s, const char *name, unsigned number, enum status status)
{
	struct str path = str_of(name);
	struct event_result r = { .path = &path, .depth = 1, .key = path, .status = status,
				  .leaf = true, .number = number, .exit_code = -1, .ordinal = 1,
				  .duration_ms = 10 + roll(s, 9000) };
	bool seen = status != STATUS_MISSING;
	_free_ char *line = NULL;

	r.line_from = seen ? s->line + 1 : 0;
	if (status == STATUS_FAIL || status == STATUS_FLAKY) {
		log_line(s, "#       join Rx                             [FAIL] got 2 JOIN[s] rx "
			    "expected 3");
		log_line(s, "# Server ns stats");
		log_line(s, "# MPTcpExtMPJoinSynRx            2                  0.0");
		log_line(s, "# MPTcpExtMPJoinAckRx            2                  0.0");
	}
	line = xasprintf("# %sok %u - %s%s%s", STATUS_INFO[status].bad ? "not " : "", number,
			 name, *reason_of(status) ? " # " : "", reason_of(status));
	if (seen)
		log_line(s, line);
	r.line = r.line_to = seen ? s->line : 0;
	r.implied = !seen;
	r.duration_ms = seen ? r.duration_ms : -1;
	r.reason = s->hostile ? STR(HOSTILE) : str_of(reason_of(status));
	s->bad += STATUS_INFO[status].bad;
	emit(s, (struct event){ .type = EVENT_RESULT, .program = s->program, .result = &r });
}

static int log_write(struct seed *s, const char *kind, unsigned n, char **ret)
{
	_free_ char *path = xasprintf("%s/%u-%s-%u", s->dir, s->run, kind, n);
	int r = file_write(path, buf_str(&s->log), 0644, s->err);

	*ret = TAKE(path);
	return r;
}

/* Results until the machine dies, if it does; then the rest is missing. */
static enum status results(struct seed *s, const struct test *t, bool debug, bool dies)
{
	enum status worst = STATUS_SKIP, status;

	for (unsigned i = 0; t->results[i]; i++) {
		status = dies && i >= 3 ? STATUS_MISSING : fate(s, t->results[i], debug);
		result(s, t->results[i], i + 1, status);
		worst = status_worst(worst, status);
	}
	return t->results[0] ? worst : roll(s, 4) ? STATUS_PASS : STATUS_TIMEOUT;
}

static int program(struct seed *s, const struct test *t, bool debug, bool dies)
{
	struct event_program p = { .suite = text(s, "mptcp"), .name = str_of(t->name),
				   .attempt = 1, .time_ms = s->now, .exit_code = 0 };
	struct event_problem cut = { PROBLEM_PLAN_MISMATCH, 2, text(s, "planned 22, seen 3") };
	struct event_problem doubt = { PROBLEM_DEGRADED, 0,
				       text(s, "the kernel lacks CONFIG_NET_ACT_CSUM") };
	_free_ char *path = NULL;
	int r;

	s->program++;
	buf_clear(&s->log);
	s->line = 0;
	emit(s, (struct event){ .type = EVENT_PROGRAM_BEGIN, .program = s->program,
				.prog = &p });
	log_line(s, "TAP version 13");
	log_line(s, s->hostile ? "# " HOSTILE : "1..22");
	if (s->run % 17 == 13 || s->hostile)
		emit(s, (struct event){ .type = EVENT_PROBLEM, .program = s->program,
					.problem = &doubt });
	p.status = results(s, t, debug, dies);
	for (unsigned i = 0; s->hostile && s->run == 0 && i < 6000; i++)
		log_line(s, "# a line of a log that is too long for a page");
	if (dies) {
		emit(s, (struct event){ .type = EVENT_PROBLEM, .program = s->program,
					.problem = &cut });
		p.status = STATUS_CRASH;
		p.reason = text(s, "the machine died: Kernel panic - not syncing");
	}
	p.exit_code = dies ? -1 : STATUS_INFO[p.status].bad;
	p.duration_ms = 4000 + roll(s, 60000);
	s->now += p.duration_ms;
	p.time_ms = s->now;
	p.log_lines = s->line;
	r = log_write(s, "log", s->program, &path);
	p.log_path = str_of(path);
	s->bad += p.status == STATUS_TIMEOUT || dies;
	emit(s, (struct event){ .type = EVENT_PROGRAM_END, .program = s->program, .prog = &p });
	return r;
}

static void splat(struct seed *s)
{
	struct event_splat e = {
		.kind = STR("warning"),
		.title = text(s, "WARNING in mptcp_pm_nl_rm_addr_or_subflow"),
		.fingerprint = STR("5b1cf7a0d2e94c31"),
		.line = 3,
		.lines = 6,
		.pid = -1,
		.cpu = -1,
	};

	/* Its module had debug info. */
	e.text = s->hostile ? STR(" f+0x1/0x2 (a:" HOSTILE "\n (inlined by) " HOSTILE) :
		 STR("WARNING: CPU: 0 PID: 412 at net/mptcp/pm_netlink.c:871 "
		     "mptcp_pm_nl_rm_addr_or_subflow+0x2a4/0x340 [mptcp] "
		     "(net/mptcp/pm_netlink.c:871)\nCall Trace:\n <TASK>\n"
		     " mptcp_pm_nl_flush_addrs_doit+0x1c1/0x2b0 [mptcp] "
		     "(__flush_addrs at net/mptcp/pm_netlink.c:1567)\n"
		     "  (inlined by) mptcp_pm_nl_flush_addrs_doit at net/mptcp/pm_netlink.c:1590\n"
		     " genl_family_rcv_msg_doit+0xd9/0x130\n </TASK>");
	emit(s, (struct event){ .type = EVENT_SPLAT, .splat = &e });
}

static int job(struct seed *s, const char *mode, unsigned crash_at)
{
	const struct test *tests = s->hostile ? HOSTILE_TESTS : TESTS;
	size_t n = s->hostile ? ARRAY_SIZE(HOSTILE_TESTS) : ARRAY_SIZE(TESTS);
	struct event_job j = { .mode = text(s, mode), .machine = text(s, "qemu"),
			       .accel = text(s, "tcg"), .host = text(s, "build2"),
			       .kernel = text(s, "6.12.48+deb13-cloud-amd64"),
			       .cpus = 2, .memory = 1u << 30,
			       .time_ms = s->now };
	_free_ char *path = NULL, *config = NULL;
	int r = 0;

	j.why = text(s, "/dev/kvm runs 240 times slower than TCG here");
	s->job++;
	emit(s, (struct event){ .type = EVENT_JOB_BEGIN, .job_info = &j });
	for (size_t i = 0; i < n && r >= 0; i++)
		if (s->run >= tests[i].begins)
			r = program(s, &tests[i], strcmp(mode, "debug") == 0,
				    i + 1 == crash_at);
	/* The same thrice. */
	for (unsigned i = 0; i < 3 && r >= 0 && (crash_at || s->hostile); i++)
		splat(s);
	buf_clear(&s->log);
	log_line(s, "# Linux/x86 6.12.48 Kernel Configuration");
	log_line(s, s->hostile ? HOSTILE : "CONFIG_MPTCP=y");
	if (r >= 0)
		r = log_write(s, "config", s->job, &config);
	emit(s, (struct event){ .type = EVENT_ARTEFACT, .artefact = &(struct event_artefact){
		.kind = STR("config"), .path = str_of(config) } });
	buf_clear(&s->log);
	log_line(s, "[    0.000000] Linux version 6.12.48+deb13-cloud-amd64");
	log_line(s, "[    1.204113] MPTCP token hash table entries: 1024 (order: 3)");
	for (unsigned i = 0; i < 6; i++)
		log_line(s, s->hostile ? HOSTILE : "[   41.730021] WARNING: CPU: 0 PID: 412 at "
						   "net/mptcp/pm_netlink.c:871");
	if (r >= 0)
		r = log_write(s, "console", s->job, &path);
	j.end = crash_at ? STR("panic") : STR("stopped");
	j.reason = s->hostile || crash_at ? text(s, "the guest's kernel panicked") : STR("");
	j.console_path = str_of(path);
	j.time_ms = s->now;
	emit(s, (struct event){ .type = EVENT_JOB_END, .job_info = &j });
	return r;
}

static int run(struct seed *s)
{
	bool next = s->run % 3 == 2, crash = s->run % 17 == 13;
	_free_ char *id = xasprintf("20250922-06%02u00-%04x", s->run % 60, s->run);
	uint32_t change = 0x9e3779b9u * (s->run / 2 + 1);
	_free_ char *commit = s->hostile ?
		xasprintf("%s%u", HOSTILE, s->run / 2) :
		xasprintf("%08x%08x%08x%08x%08x", change, change / 3, change / 5, change / 7,
			  change / 11);
	_free_ char *verdict = NULL;
	struct event_run e = { .id = str_of(id), .title = text(s, "mptcp"), .time_ms = s->now };
	int r;

	e.branch = text(s, next ? "net-next" : "export");
	e.commit = str_of(commit);
	e.command = text(s, next ? "taproom run --kernel git:net-next --mode normal mptcp"
				 : "taproom run --kernel git:export --mode normal,debug mptcp");
	s->job = s->program = 0;
	s->bad = 0;
	emit(s, (struct event){ .type = EVENT_RUN_BEGIN, .run = &e });
	r = job(s, "normal", crash ? 4 : 0);
	if (r >= 0 && !next)
		r = job(s, "debug", 0);
	s->job = 0;
	e.time_ms = s->now;
	e.exit_code = crash ? 3 : s->bad ? 1 : 0;
	verdict = crash ? xstrdup("Critical: the kernel panicked in mptcp/simult_flows.sh")
		  : s->bad ? xasprintf("Unstable: %" PRIu64 " failed test(s)", s->bad)
			   : xstrdup("Success");
	e.conclusion = s->hostile ? STR(HOSTILE) : str_of(verdict);
	emit(s, (struct event){ .type = EVENT_RUN_END, .run = &e });
	return r;
}

int seed_store(struct store *store, const char *dir, unsigned runs, bool hostile,
	       struct err *err)
{
	struct seed s = { .store = store, .dir = dir, .hostile = hostile, .now = EPOCH,
			  .random = 2463534242u, .err = err };
	struct store_record *record;
	int r = 0;

	for (s.run = 0; s.run < runs && r >= 0; s.run++) {
		r = store_record_new(store, &record, err);
		if (r < 0)
			break;
		s.sink = store_record_sink(record);
		r = run(&s);
		if (r >= 0)
			r = store_record_error(record, err);
		store_record_free(record);
		s.now += s.run % 5 == 4 ? DAY - 300 * MINUTE : 140 * MINUTE;
	}
	buf_done(&s.log);
	return r;
}
