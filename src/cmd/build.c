/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd.h"

#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "cmd/order.h"
#include "suite/suite.h"

struct build_options {
	struct cmd_common common;
	struct machine_options machine;
	bool tests;
};

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_FLAG, .name = "tests",
	  .offset = offsetof(struct build_options, tests),
	  .help = "build the configuration's test programs too" },
	OPT_GROUP("Kernel and machine", MACHINE_OPTION_ROWS, struct build_options, machine),
	OPT_GROUP("Common", CMD_COMMON, struct build_options, common),
	OPT_END,
};

const struct opt_command cmd_build_help = {
	.usage = "taproom build [options]",
	.summary = "Builds the kernel of a mode, or of several, and prints where it is.",
	.text = "What run builds when it has to; a kernel that was built so is found again. --mode "
		"may name several: normal,debug. The source stays as it is.\n"
		"Exit status: 0 built, or there already; 2 usage; 4 it can't be built; 130 stopped "
		"by Ctrl-C: the next build goes on from there.",
	.opts = OPTS,
	.examples = "  taproom build --kernel . --mode normal,debug\n"
		    "  taproom build --kernel git:net-next/main --base tiny --machine uml\n"
		    "  taproom build --config '-e KASAN -d KFENCE'\n",
};

static void print_row(struct out *out, const char *key, const char *value)
{
	out_printf(out, "  %-10s", key);
	out_str(out, str_of(value));
	out_lit(out, "\n");
}

static void json_row(struct json *j, const char *key, const char *value)
{
	json_key(j, key);
	json_str(j, str_of(value));
}

/* The same rows, for people and for programs. */
static void print(struct cmd *c, struct json *j, const char *mode, const struct kernel *k)
{
	const struct {
		const char *key, *value;
	} rows[] = {
		{ "image", k->image },	       { "release", k->release },
		{ "config", k->config },       { "modules", k->modules_dir },
		{ "source", k->source },       { "identity", k->identity },
	};

	if (j) {
		json_object(j);
		json_row(j, "mode", mode);
	} else {
		out_printf(c->out, "%s\n", mode);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].value)
			continue;
		if (j)
			json_row(j, rows[i].key, rows[i].value);
		else
			print_row(c->out, rows[i].key, rows[i].value);
	}
	if (j)
		json_end(j);
	out_flush(c->out);
}

static int build_tests(struct kernel *k, const struct plan *plan, const char *cache_dir,
		       const struct log *log, struct err *err)
{
	struct plan_tests tests = {};
	int r = kernel_source(k, cache_dir, log, err);

	for (unsigned i = 0; i < plan->suites_count && r == 0; i++) {
		const struct suite_kind *kind = suite_kind_find(plan->suites[i].kind, err);
		struct suite_context ctx = { .cache_dir = cache_dir, .source = k->source,
					     .source_id = k->source_id, .log = log };

		r = kind ? 0 : -EINVAL;
		if (kind && kind->needs_source)
			r = kind->list(&plan->suites[i], &ctx, &tests, err);
		if (r < 0)
			err_wrap(err, r, "suite '%s'", plan->suites[i].name);
		r = r > 0 ? 0 : r;
	}
	plan_tests_done(&tests);
	return r;
}

static int build_mode(struct cmd *c, struct build_options *o, const struct plan *plan,
		      const char *mode, const char *cache_dir, struct json *j, struct err *err)
{
	struct plan_mode_all all;
	struct kernel k = {};
	int r = order_kernel(&o->machine, plan, mode, machine_options_kind(&o->machine), cache_dir,
			     c, &c->log, NULL, &k, &all, err);

	if (r == 0 && o->tests)
		r = build_tests(&k, plan, cache_dir, &c->log, err);
	if (r == 0)
		print(c, j, all.name, &k);
	kernel_done(&k);
	return r;
}

static int build_all(struct cmd *c, struct build_options *o, const char *cache_dir,
		     struct json *j, struct err *err)
{
	struct plan *plan = NULL;
	const char *file = NULL;
	int r = machine_options_file(&o->machine, &file, err);

	if (r == 0 && plan_load(file, ".", &plan, err) < 0)
		r = -EINVAL;
	/* "build" means it: an image that is there does not do. */
	if (!o->machine.mode)
		o->machine.mode = "normal";
	for (struct str rest = str_of(o->machine.mode); r == 0 && rest.p;) {
		struct str one = str_cut(&rest, ',');
		_free_ char *mode = xstrndup(one.p, one.n);

		r = build_mode(c, o, plan, mode, cache_dir, j, err);
	}
	plan_free(plan);
	return r;
}

int cmd_build_run(struct cmd *c, int argc, char **argv)
{
	struct build_options o = {};
	_free_ char *cache_dir = cmd_cache_dir();
	struct err err = {};
	struct json j;
	int n, r, code = cmd_options(c, &cmd_build_help, false, argc, argv, &o, &o.common, &n);

	if (code < 0 && n > 0) {
		err_set(&err, EINVAL, "build takes no operand '%s'; tests are chosen by run",
			argv[1]);
		code = cmd_fail(c, EXIT_USAGE, &err);
	}
	if (code < 0) {
		json_init(&j, c->out, true);
		if (o.common.json)
			json_array(&j);
		r = build_all(c, &o, cache_dir, o.common.json ? &j : NULL, &err);
		if (o.common.json)
			json_end(&j);
		code = r >= 0	       ? EXIT_PASSED
		       : r == -EINTR  ? 130
		       : r == -EINVAL ? EXIT_USAGE
				      : EXIT_HARNESS;
		if (r < 0)
			cmd_fail(c, code, &err);
	}
	machine_options_done(&o.machine);
	return code;
}
