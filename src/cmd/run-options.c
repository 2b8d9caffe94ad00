/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-options.h"

#include <stdlib.h>

#include "base/mem.h"

#define AT(field) .offset = offsetof(struct run_options, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_FLAG, .letter = 'l', .name = "list", AT(list),
	  .help = "print the tests that would run, run none" },
	{ .type = OPT_TYPE_FLAG, .letter = 'n', .name = "dry-run", AT(dry),
	  .help = "print the jobs that would run, each with the time that its tests took "
		  "before; run none, build no kernel" },
	{ .type = OPT_TYPE_STR, .name = "tree", .arg = "NAME", AT(tree),
	  .help = "which of the configuration's trees to test; several: a,b [default: all]" },
	{ .type = OPT_TYPE_DURATION, .name = "job-timeout", .arg = "TIME", AT(job_timeout_ms),
	  .positive = true,
	  .help = "of all tests of one mode on one kind of machine; each gets a share of it, so "
		  "that one that hangs does not take the others' time [default: none]" },
	{ .type = OPT_TYPE_DURATION, .name = "test-timeout", .arg = "TIME", AT(test_timeout_ms),
	  .positive = true,
	  .help = "of one test [default: the suite's own]" },
	{ .type = OPT_TYPE_DURATION, .name = "silent-timeout", .arg = "TIME", AT(silent_ms),
	  .positive = true,
	  .help = "end a test that prints nothing for so long [default: never]" },
	{ .type = OPT_TYPE_INT, .letter = 'j', .name = "jobs", .arg = "N", AT(machine.jobs),
	  .positive = true,
	  .help = "machines at a time [default: what memory and cores carry]" },
	{ .type = OPT_TYPE_INT, .name = "split", .arg = "N", AT(split),
	  .positive = true,
	  .help = "machines at a time for the tests of one mode [default: all of --jobs]" },
	{ .type = OPT_TYPE_INT, .name = "retries", .arg = "N", AT(retries),
	  .help = "try a test that failed up to N times more, each in a machine of its own; "
		  "the last attempt counts [default: 0]" },
	{ .type = OPT_TYPE_FLAG, .name = "resume", AT(resume),
	  .help = "go on with the run that was interrupted last, or with RUN: with its selectors "
		  "and options, without the tests that have ended" },
	{ .type = OPT_TYPE_FLAG, .name = "fail-fast", AT(fail_fast),
	  .help = "start no more tests when one has failed" },
	{ .type = OPT_TYPE_INT, .name = "repeat", .arg = "N", AT(repeat),
	  .positive = true,
	  .help = "run it N times; each is a run of its own in the history" },
	{ .type = OPT_TYPE_FLAG, .name = "until-fail", AT(until_fail),
	  .help = "run again and again until a test fails (at most --repeat times)" },
	{ .type = OPT_TYPE_STR, .name = "until-sure", .arg = "RATE", AT(sure),
	  .help = "run again and again until it is sure (95 %) of each test that it fails more "
		  "often, or less often, than in RATE of the runs: 1%, 0.05 (at most --repeat "
		  "times)" },
	{ .type = OPT_TYPE_FLAG, .name = "keep", AT(keep),
	  .help = "leave the machines up in which the last tests ran, until Ctrl-C; says how to "
		  "enter them" },
	{ .type = OPT_TYPE_DURATION, .name = "keep-timeout", .arg = "TIME", AT(keep_ms),
	  .positive = true,
	  .help = "end a kept machine in which nobody was for so long [default: 30m]" },
	{ .type = OPT_TYPE_STR, .name = "out", .arg = "DIR", AT(out),
	  .help = "also leave logs and consoles in DIR" },
	OPT_GROUP("Kernel and machine", MACHINE_OPTION_ROWS, struct run_options, machine),
	OPT_GROUP("Common", CMD_COMMON, struct run_options, common),
	OPT_END,
};

const struct opt_command cmd_run_help = {
	.usage = "taproom run [SELECTOR...] [options]\n       taproom run --resume [RUN]",
	.summary = "Boots a kernel, runs its tests, records and reports every result.",
	.text = "A selector is suite, suite/test or suite/test/subtest; * and ? match, a leading ! "
		"excludes. Without any, the configuration's default choice runs.\n"
		"Exit status: 0 all passed, 1 a test failed, 2 usage, 3 the kernel warned or "
		"crashed, or --timeout was over, 4 the harness failed or no test ran, 130 stopped "
		"by Ctrl-C.",
	.opts = OPTS,
	.examples = "  taproom run\n"
		    "  taproom run mptcp/pm_netlink --kernel debian\n"
		    "  taproom run 'mptcp/*' '!mptcp/mptcp_connect*' --repeat 10\n",
};

int run_options_rate(const char *text, double *ret, struct err *err)
{
	char *end;
	double rate = strtod(text, &end);

	if (end != text && strcmp(end, "%") == 0)
		rate /= 100;
	else if (end == text || *end)
		rate = 0;
	if (!(rate > 0 && rate < 1))
		return err_set(err, EINVAL, "'%s' is no rate between 0 and 1, such as 1%% or 0.05",
			       text);
	*ret = rate;
	return 0;
}

void run_options_default(struct run_options *o, const struct plan_run *run)
{
	const struct {
		int *to;
		unsigned is;
	} numbers[] = {
		{ &o->repeat, run->repeat_n }, { &o->retries, run->retries_n },
		{ &o->split, run->split_n }, { &o->machine.jobs, run->jobs_n },
	};
	const struct {
		int64_t *to, is;
	} times[] = {
		{ &o->machine.timeout_ms, run->timeout_ms },
		{ &o->job_timeout_ms, run->job_timeout_ms },
		{ &o->test_timeout_ms, run->test_timeout_ms },
		{ &o->silent_ms, run->silent_timeout_ms },
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!*numbers[i].to)
			*numbers[i].to = (int)numbers[i].is;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		if (!*times[i].to)
			*times[i].to = times[i].is;
	o->fail_fast |= run->fail_fast_on;
}
