/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real logs through `taproom parse`: exit status and every format. See README. */
#include "base/proc.h"
#include "golden.h"

static const char *const FORMATS[] = { "text", "tap", "json", "junit" };

static void check_format(struct tap *t, const char *taproom, const char *dir, const char *log,
			 const char *name, const char *format, int want_exit)
{
	_free_ char *path = xasprintf("%s/%s.%s", dir, name, format);
	_free_ char *what = xasprintf("%s.%s", name, format);
	const char *const argv[] = { taproom, "parse", "--format", format, log, NULL };
	struct proc_spec spec = { .argv = argv, .in = PROC_NULL, .out = PROC_NULL,
				  .err = PROC_NULL };
	struct buf out = {}, errors = {};
	struct err err = {};
	int r;

	if (!file_exists(path))
		return;
	r = proc_run(&spec, &out, &errors, 60000, &err);
	is_int(t, r, want_exit, what);
	golden_check(t, buf_str(&out), path, what);
	ok(t, errors.n == 0, "%s: no error: %s", what, errors.n ? errors.p : "");
	buf_done(&out);
	buf_done(&errors);
}

struct call {
	const char *args; /* of `taproom parse`; @ is the directory of the logs */
	const char *input;
	int code;
	const char *out, *err; /* what must be in it; NULL: nothing at all */
};

static const struct call CALLS[] = {
	{ "", "1..1\nok 1 a\n", 0, "1 passed\npass\n", NULL },
	{ "-", "1..2\nok 1 a\n", 1, "plan-mismatch: 2 planned, 1 seen", NULL },
	{ "", "1..0 # SKIP no\n", 0, "no results\nskip\n", NULL },
	{ "", "", 2, NULL, "no test result in 'standard input'" },
	{ "--json", "root:x:0:0:root:/root:/bin/sh\n", 2, NULL, "no test result in" },
	{ "--format tap @/none.log @", "", 2, NULL, "read '" },
	{ "@/none.log @", "", 2, NULL, "open '" },
	{ "", "Kernel panic - not syncing: x\n", 3, "panic", NULL },
	{ "--format json --summary", "ok 1 a\n", 0, "\"verdict\":\"pass\"", NULL },
	{ "--json", "ok 1 a\n", 0, "\"results\":[{\"path\":[\"a\"]", NULL },
	{ "-v", "ok 1 a # time=5ms\n", 0, "5 ms", NULL },
	{ "@/none.log", "", 2, NULL, "open '" },
	{ "@", "", 2, NULL, "read '" },
	{ "--format junit @", "", 2, NULL, "read '" },
	{ "--format jsn", "", 2, NULL, "did you mean 'json'?" },
	{ "--format", "", 2, NULL, "needs a value" },
	{ "--format junit @/pass.log @/fail.log", "", 2, NULL, "one FILE at a time" },
	{ "@/pass.log @/fail.log", "", 1, "2 files: 23 passed, 1 failed\nfail\n", NULL },
	{ "@/pass.log @/warning.log", "", 3, "2 files: 23 passed\npass\n", NULL },
	/* Rules of splats to ignore. */
	{ "--config @/../fixtures/ignore.yaml @/warning.log", "", 0,
	  "ignored: provoked on\n      purpose (ci)", "ended on 2020-02-29" },
	{ "--config @/../fixtures/ignore.yaml --json @/warning.log", "", 0,
	  "\"ignored\":{\"reason\":\"provoked on purpose\",\"owner\":\"ci\"}",
	  "'out of memory' ended on" },
	{ "--config @/../fixtures/ignore.yaml @/warning.log @/panic.log", "", 3, "kernel BUG",
	  "ended on" },
	{ "--config @/../fixtures/ignore.yaml @/oom.log", "", 3, "out of memory: killed tail",
	  "what it matches counts again" },
	{ "--config @/../fixtures/ignore-bad.yaml @/warning.log", "", 2, NULL,
	  "ignore-bad.yaml:5:28: the pattern 'WARNING in (x': missing closing parenthesis" },
	{ "--config @/none.yaml @/warning.log", "", 2, NULL, "configuration '" },
	{ "--json --summary @/pass.log @/skip.log", "", 0, "{\"total\":true,\"files\":2",
	  NULL },
};

static bool says(const struct buf *b, const char *want)
{
	return want ? str_find(buf_str(b), str_of(want)) >= 0 : b->n == 0;
}

/* By the shell, so that there is a standard input. */
static void check_call(struct tap *t, const char *taproom, const char *dir,
		       const struct call *call)
{
	struct buf command = {}, out = {}, errors = {};
	struct proc_spec spec = { .in = PROC_NULL, .out = PROC_NULL, .err = PROC_NULL };
	struct err err = {};
	int r;

	buf_printf(&command, "printf '%%b' \"$0\" | \"$1\" parse ");
	for (const char *c = call->args; *c; c++)
		if (*c == '@')
			buf_add_str(&command, STR("\"$2\""));
		else
			buf_add(&command, c, 1);
	spec.argv = (const char *const[]){ "sh", "-c", command.p, call->input, taproom, dir,
					   NULL };
	r = proc_run(&spec, &out, &errors, 60000, &err);
	is_int(t, r, call->code, *call->args ? call->args : "standard input");
	if (!ok(t, says(&out, call->out) && says(&errors, call->err), "and what it says"))
		printf("# %s\n# %s\n", out.n ? out.p : "", errors.n ? errors.p : "");
	buf_done(&command);
	buf_done(&out);
	buf_done(&errors);
}

int main(int argc, char **argv)
{
	struct buf verdicts = {};
	struct tap t = {};
	struct err err = {};
	_free_ char *path = NULL;

	TAP_HEADER();
	if (argc != 3)
		return 2;
	/* The rules of whoever runs this must not matter. */
	setenv("XDG_CONFIG_HOME", argv[2], 1);
	path = path_join(argv[2], "verdicts");
	if (file_read(path, 0, &verdicts, &err) < 0) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	for (struct str rest = buf_str(&verdicts); rest.p;) {
		struct str line = str_cut(&rest, '\n'), name = str_cut(&line, ' ');
		struct str code = str_cut(&line, ' ');
		_free_ char *n = xstrndup(name.p, name.n);
		_free_ char *log = xasprintf("%s/%s.log", argv[2], n);
		uint64_t exit_code;

		if (!name.n || name.p[0] == '#' || !str_to_u64(code, &exit_code))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(FORMATS); i++)
			check_format(&t, argv[1], argv[2], log, n, FORMATS[i], (int)exit_code);
	}
	for (size_t i = 0; i < ARRAY_SIZE(CALLS); i++)
		check_call(&t, argv[1], argv[2], &CALLS[i]);
	buf_done(&verdicts);
	return tap_done(&t);
}
