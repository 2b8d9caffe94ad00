/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/make-log.h"

#include "base/mem.h"

struct str make_log_error(struct str log)
{
	/* The compiler's and the shell's words come before make's about them. */
	static const char *const marks[] = { "error: ", "ERROR: ", ": not found",
					     "No such file or directory" };
	struct str last = STR_NONE, make_says = STR_NONE;

	while (log.n) {
		struct str line = str_trim(str_cut(&log, '\n'));

		for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
			if (str_find(line, str_of(marks[i])) >= 0)
				return line;
		if (!make_says.n && str_find(line, STR("*** ")) >= 0)
			make_says = line;
		if (line.n)
			last = line;
	}
	return make_says.n ? make_says : last;
}
