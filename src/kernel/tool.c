/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/tool.h"

#include "base/proc.h"

/* Nothing that is run here takes longer on a line that is worth waiting for. */
#define TOOL_TIMEOUT_MS (30 * 60 * 1000)

int tool_exit_code(const char *const *argv, const char *dir, struct buf *out,
		   struct buf *said, struct err *err)
{
	static const char *const env[] = { "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive", NULL };
	struct proc_spec spec = {
		.argv = argv,
		.env = env,
		.dir = dir,
		.in = PROC_NULL,
		.out = PROC_NULL,
		.err = PROC_NULL,
		.session = true,
	};

	return proc_run(&spec, out, said, TOOL_TIMEOUT_MS, err);
}

struct str tool_complaint(struct str said)
{
	struct str last = STR_NONE;
	bool exact = false;

	while (said.n) {
		struct str line = str_trim(str_cut(&said, '\n'));
		bool is_error = str_starts(line, STR("E: "));

		if (line.n && (is_error || !exact))
			last = line;
		exact |= is_error;
	}
	return last;
}

int tool_run(const char *const *argv, const char *dir, struct buf *out, struct err *err)
{
	struct buf said = {};
	int r = tool_exit_code(argv, dir, out, &said, err);

	if (r > 0)
		r = err_set(err, EIO, "%s failed (exit code %d): %.*s", argv[0], r,
			    STR_FMT(tool_complaint(buf_str(&said))));
	buf_done(&said);
	return r;
}
