/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run's stream, as run/ and the store say it, in every format: two jobs,
 * programs that overlap, a retry, a crash, names that need escapes.
 */
#include "golden.h"
#include "report/report.h"

struct step {
	enum event_type type;
	enum status status;
	unsigned job, program;
	struct str name, reason;
	struct str parent;
	bool parents_line;
	unsigned attempt;
	int64_t ms;
	int exit_code;
	const struct event_excuse *known;
	const struct event_run *run; /* NULL: RUN */
};

#define PASS  EVENT_RESULT, STATUS_PASS
#define FAIL  EVENT_RESULT, STATUS_FAIL
#define OTHER STATUS_PASS

static const struct step STEPS[] = {
	{ EVENT_RUN_BEGIN },
	{ EVENT_JOB_BEGIN, OTHER, 1 },
	{ EVENT_JOB_BEGIN, OTHER, 2 },
	{ EVENT_PROGRAM_BEGIN, OTHER, 1, 1, STR("pm_netlink.sh"), .attempt = 1 },
	{ EVENT_PROGRAM_BEGIN, OTHER, 2, 2, STR("mptcp_join.sh"), .attempt = 1 },
	{ PASS, 1, 1, STR("add addrs"), .ms = 120 },
	{ FAIL, 2, 2, STR("a <b> & \"c\" 'd'"), STR("got 1 \x1b]0;x\x07 want 2"), .ms = 4000 },
	{ FAIL, 1, 1, STR("flush # addrs \\"), STR("not empty"), .ms = 90 },
	{ EVENT_PROBLEM, OTHER, 1, 1, STR("3 planned, 2 seen") },
	{ EVENT_PROGRAM_END, STATUS_FAIL, 1, 1, .ms = 1500, .exit_code = 1 },
	{ EVENT_SPLAT, OTHER, 2, 2, STR("WARNING in mptcp_foo") },
	{ EVENT_PROGRAM_BEGIN, OTHER, 1, 3, STR("pm_netlink.sh"), .attempt = 2 },
	{ PASS, 1, 3, STR("add addrs"), .ms = 100 },
	{ PASS, 2, 2, STR("deep"), .parent = STR("group"), .ms = 1 },
	{ PASS, 2, 2, STR("group"), .parents_line = true, .ms = 2 },
	{ PASS, 1, 3, STR("flush # addrs \\"), .ms = 80 },
	{ EVENT_PROGRAM_END, STATUS_PASS, 1, 3, .ms = 1200 },
	{ EVENT_PROGRAM_END, STATUS_CRASH, 2, 2, STR(""), STR("the machine died during it"),
	  .ms = 9000, .exit_code = -1 },
	{ EVENT_PROGRAM_BEGIN, OTHER, 2, 4, STR("diag.sh"), .attempt = 1 },
	{ EVENT_PROGRAM_END, STATUS_SKIP, 2, 4, STR(""), STR("no ss"), .ms = 30,
	  .exit_code = 4 },
	{ EVENT_SPLAT, OTHER, 2, 0, STR("suspected memory leaks") },
	{ EVENT_SPLAT, OTHER, 1, 3, STR("told after its program's end") },
	{ EVENT_ARTEFACT, OTHER, 1 },
	{ EVENT_JOB_END, OTHER, 1 },
	{ EVENT_JOB_END, OTHER, 2 },
	{ EVENT_RUN_END },
};

static const struct event_excuse SLOW = { STR("times out on <slow> hosts"),
					  STR("https://bugs.example/1?a&b"), STR("net"),
					  STR("2026-12-31") };
static const struct event_excuse BARE = { .reason = STR("always # did") };

static const struct event_run KNOWN_RUN = {
	.id = STR("20260201-090507-4f2a"),
	.title = STR("mptcp"),
	.branch = STR("export"),
	.time_ms = 1769936707000,
	.command = STR("taproom run mptcp"),
	.conclusion = STR("Unstable: 1 failed test(s): mptcp/pm_netlink.sh/flush, "
			  "3 known issue(s); 1 new (0/1886)"),
	.exit_code = 1,
};

/* Known issues: beside failures that count, alone, a program of its own. */
static const struct step KNOWN[] = {
	{ EVENT_RUN_BEGIN, .run = &KNOWN_RUN },
	{ EVENT_JOB_BEGIN, OTHER, 1 },
	{ EVENT_PROGRAM_BEGIN, OTHER, 1, 1, STR("pm_netlink.sh"), .attempt = 1 },
	{ PASS, 1, 1, STR("add addrs"), .ms = 120 },
	{ FAIL, 1, 1, STR("fastclose"), STR("got 1 want 2"), .ms = 4000, .known = &SLOW },
	{ FAIL, 1, 1, STR("flush"), STR("not empty"), .ms = 90 },
	{ EVENT_PROGRAM_END, STATUS_FAIL, 1, 1, .ms = 1500, .exit_code = 1 },
	{ EVENT_PROGRAM_BEGIN, OTHER, 1, 2, STR("mptcp_join.sh"), .attempt = 1 },
	{ FAIL, 1, 2, STR("deep"), .parent = STR("group"), .ms = 1, .known = &BARE },
	{ FAIL, 1, 2, STR("group"), .parents_line = true, .ms = 2, .known = &BARE },
	{ EVENT_PROGRAM_END, STATUS_FAIL, 1, 2, .ms = 1200, .exit_code = 1, .known = &BARE },
	{ EVENT_PROGRAM_BEGIN, OTHER, 1, 3, STR("diag.sh"), .attempt = 1 },
	{ EVENT_PROGRAM_END, STATUS_TIMEOUT, 1, 3, STR(""), STR("took too long"), .ms = 30,
	  .exit_code = -1, .known = &SLOW },
	{ EVENT_JOB_END, OTHER, 1 },
	{ EVENT_RUN_END, .run = &KNOWN_RUN },
};

static const struct event_run RUN = {
	.id = STR("20260131-090507-4f2a"),
	.title = STR("mptcp"),
	.branch = STR("debian-6.12"),
	.commit = STR("6.12.95-1"),
	.time_ms = 1769850307000,
	.command = STR("taproom run mptcp"),
	.conclusion = STR("Critical: 2 splat(s): WARNING in mptcp_foo, ..."),
	.exit_code = 3,
};

static const struct event_job JOB = {
	.mode = STR("normal"),
	.machine = STR("qemu"),
	.accel = STR("tcg"),
	.why = STR("/dev/kvm is too slow here"),
	.kernel = STR("6.12.95+deb12-cloud-amd64"),
	.host = STR("box"),
	.cpus = 2,
	.memory = 1u << 30,
	.time_ms = 1769850308000,
};

static const struct event_artefact ARTEFACT = { .kind = STR("config") };

static void say(const struct report_format *f, struct report *r, const struct step *s,
		uint64_t line)
{
	struct str path[2] = { s->parent.n ? s->parent : s->name, s->name };
	struct event_result result = {
		.path = path, .depth = s->parent.n ? 2 : 1, .key = s->name, .status = s->status,
		.leaf = !s->parents_line, .number = -1, .line = line,
		.line_from = line - 1, .line_to = line,
		.duration_ms = s->ms, .exit_code = -1, .ordinal = 1, .reason = s->reason,
		.known = s->known,
	};
	struct event_problem problem = { PROBLEM_PLAN_MISMATCH, line, s->name };
	struct event_splat splat = { .kind = STR("warning"), .title = s->name, .line = line,
				     .lines = 30, .fingerprint = STR("0123456789abcdef"), .pid = -1,
				     .cpu = -1 };
	struct event_program program = {
		.suite = STR("mptcp"), .name = s->name, .attempt = s->attempt,
		.time_ms = 1769850309000, .status = s->status, .exit_code = s->exit_code,
		.duration_ms = s->ms, .reason = s->reason, .log_lines = line,
		.known = s->known,
	};
	struct event ev = { .type = s->type, .job = s->job, .program = s->program };

	switch (s->type) {
	case EVENT_RUN_BEGIN:
	case EVENT_RUN_END: ev.run = s->run ? s->run : &RUN; break;
	case EVENT_JOB_BEGIN:
	case EVENT_JOB_END: ev.job_info = &JOB; break;
	case EVENT_PROGRAM_BEGIN:
	case EVENT_PROGRAM_END: ev.prog = &program; break;
	case EVENT_RESULT: ev.result = &result; break;
	case EVENT_PROBLEM: ev.problem = &problem; break;
	case EVENT_SPLAT: ev.splat = &splat; break;
	case EVENT_ARTEFACT: ev.artefact = &ARTEFACT; break;
	}
	f->event(r, &ev);
}

static int read_log(void *ctx, unsigned job, unsigned program, uint64_t from, uint64_t to,
		    struct out *out)
{
	out_printf(out, "log of %u, %d-%d: <&>\n", program, (int)from, (int)to);
	return 0;
}

static void check_steps(struct tap *t, const struct report_format *f, const char *dir,
			struct report_options opt, const char *name, const struct step *steps,
			size_t n)
{
	_free_ char *path = xasprintf("%s/%s.%s", dir, name, f->name);
	_free_ char *what = xasprintf("%s.%s", name, f->name);
	struct buf got = {};
	struct report *r;
	struct out out;

	out_to_buf(&out, &got);
	r = f->begin(&out, &opt);
	for (size_t i = 0; i < n; i++)
		say(f, r, &steps[i], i + 1);
	f->end(r);
	is_int(t, out_flush(&out), 0, "written");
	golden_check(t, buf_str(&got), path, what);
	buf_done(&got);
}

static void check(struct tap *t, const struct report_format *f, const char *dir,
		  struct report_options opt, const char *name)
{
	check_steps(t, f, dir, opt, name, STEPS, ARRAY_SIZE(STEPS));
}

/* A stream that is cut is a document all the same. */
static void check_cut(struct tap *t, const struct report_format *f)
{
	for (size_t stop = 0; stop < ARRAY_SIZE(STEPS); stop++) {
		struct report_options opt = {};
		struct buf got = {};
		struct report *r;
		struct out out;

		out_to_buf(&out, &got);
		r = f->begin(&out, &opt);
		for (size_t i = 0; i < stop; i++)
			say(f, r, &STEPS[i], i + 1);
		f->end(r);
		out_flush(&out);
		if (!str_ends(buf_str(&got), STR("\n")))
			break;
		buf_done(&got);
		if (stop + 1 == ARRAY_SIZE(STEPS)) {
			ok(t, true, "%s: cut anywhere, it ends", f->name);
			return;
		}
	}
	ok(t, false, "%s: cut anywhere, it ends", f->name);
}

int main(int argc, char **argv)
{
	struct tap t = {};

	TAP_HEADER();
	if (argc != 2)
		return 2;
	for (const struct report_format *const *f = REPORT_FORMATS; *f; f++) {
		check(&t, *f, argv[1], (struct report_options){ .log = read_log }, "run");
		check(&t, *f, argv[1], (struct report_options){ .summary = true },
		      "run-summary");
		check_steps(&t, *f, argv[1], (struct report_options){}, "known", KNOWN,
			    ARRAY_SIZE(KNOWN));
		check_cut(&t, *f);
	}
	check(&t, report_format_find("text", NULL), argv[1],
	      (struct report_options){ .colour = true, .verbose = 1 }, "run-verbose");
	return tap_done(&t);
}
