/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/bisect.h"

#define ERROR_DEFAULT 0.05
#define LEAST_DEFAULT 0.1

#define AT(field) .offset = offsetof(struct bisect_options, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_STR, .name = "error", .arg = "E", AT(error),
	  .help = "the chance of a wrong answer, at most: 1%, 0.05 [default: 5%]" },
	{ .type = OPT_TYPE_STR, .name = "rate", .arg = "RATE", AT(rate),
	  .help = "how often the test fails on BAD: 20%, 0.2, 1 for always; or 3/40, in so many "
		  "runs, and more are made where that saves some [default: measured, on top of "
		  "BAD's runs in the history]" },
	{ .type = OPT_TYPE_STR, .name = "least", .arg = "RATE", AT(least),
	  .help = "give up where BAD passes so often that the test fails less often than that "
		  "[default: 10%]" },
	{ .type = OPT_TYPE_FLAG, .name = "resume", AT(resume),
	  .help = "go on with the bisection that was interrupted last; the same call does so "
		  "too" },
	{ .type = OPT_TYPE_FLAG, .name = "restart", AT(restart),
	  .help = "begin anew, and forget what the same call has found out" },
	{ .type = OPT_TYPE_DURATION, .name = "test-timeout", .arg = "TIME",
	  AT(run.test_timeout_ms), .positive = true,
	  .help = "of one test [default: the suite's own]" },
	{ .type = OPT_TYPE_DURATION, .name = "silent-timeout", .arg = "TIME", AT(run.silent_ms),
	  .positive = true, .help = "end a test that prints nothing for so long [default: never]" },
	OPT_GROUP("Kernel and machine", MACHINE_OPTION_ROWS, struct bisect_options, run.machine),
	OPT_GROUP("Common", CMD_COMMON, struct bisect_options, run.common),
	OPT_END,
};

const struct opt_command cmd_bisect_help = {
	.usage = "taproom bisect GOOD BAD SELECTOR... [options]\n"
		 "       taproom bisect --resume",
	.summary = "Finds the commit that made a test fail, also one that fails only sometimes.",
	.text = "GOOD and BAD are commits of the git repository here. Each step builds a commit, "
		"and runs the tests until one fails, or until they passed often enough.\n"
		"Exit status: 0 found, 1 not: it passes on BAD or fails on GOOD, 2 usage, 4 the "
		"harness failed, 130 stopped by Ctrl-C.",
	.opts = OPTS,
	.examples = "  taproom bisect v6.11 v6.12 mptcp/diag\n"
		    "  taproom bisect HEAD~50 HEAD mptcp/simult_flows --machine uml --rate 3/40\n",
};

static int read_share(const char *option, const char *text, double most, double *ret,
		      struct err *err)
{
	char *end;
	double share = strtod(text, &end);

	if (end != text && strcmp(end, "%") == 0)
		share /= 100;
	else if (end == text || *end)
		share = 0;
	if (!(share > 0 && share <= most))
		return err_set(err, EINVAL, "%s '%s' is no share such as 5%% or 0.05", option,
			       text);
	*ret = share;
	return 0;
}

/* "3/40"; else 0. */
static int read_count(struct bisect *x, const char *text, struct err *err)
{
	struct str rest = str_of(text), k = str_cut(&rest, '/');

	if (!rest.p)
		return 0;
	if (!str_to_u64(k, &x->k) || !str_to_u64(rest, &x->n) || !x->k || x->k > x->n ||
	    x->n > 1000000)
		return err_set(err, EINVAL, "--rate '%s' is not the failures of so many runs, as "
			       "3/40", text);
	return 1;
}

int bisect_options_read(struct bisect *x, struct err *err)
{
	const struct bisect_options *o = &x->opt;
	int r = 0;

	x->error = ERROR_DEFAULT;
	x->least = LEAST_DEFAULT;
	if (o->run.machine.kernel)
		return err_set(err, EINVAL, "leave --kernel out: what is built are the commits "
			       "from GOOD to BAD");
	if (o->error)
		r = read_share("--error", o->error, 0.5, &x->error, err);
	if (r == 0 && o->least)
		r = read_share("--least", o->least, 1, &x->least, err);
	if (r < 0 || !o->rate)
		return r;
	r = read_count(x, o->rate, err);
	if (r == 0)
		r = read_share("--rate", o->rate, 1, &x->rate, err);
	return r < 0 ? r : 0;
}
