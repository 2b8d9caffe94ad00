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

int main(int argc, char **argv)
{
	struct buf verdicts = {};
	struct tap t = {};
	struct err err = {};
	_free_ char *path = NULL;

	TAP_HEADER();
	if (argc != 3)
		return 2;
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
	buf_done(&verdicts);
	return tap_done(&t);
}
