/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/history.h"

#include <limits.h>
#include <stdlib.h>

#include "base/mem.h"

int history_open(const struct cmd_common *common, struct store **ret, struct err *err)
{
	int r = store_open(common->store, STORE_READ, ret, err);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : 1;
}

int history_find(const struct cmd_common *common, const char *spec, struct store **ret_store,
		 int64_t *ret_id, struct err *err)
{
	struct store *s;
	int r = store_open(common->store, STORE_READ, &s, err);

	if (r < 0)
		return r;
	r = store_run_find(s, spec, ret_id, err);
	if (r < 0)
		s = store_close(s);
	*ret_store = s;
	return r;
}

int history_fail(struct cmd *c, int r, const struct err *err)
{
	return cmd_fail(c, r == -ENOENT || r == -EINVAL ? EXIT_USAGE : EXIT_HARNESS, err);
}

int history_one_operand(struct cmd *c, const char *command, int n, char **argv)
{
	struct err err;

	if (n == 1)
		return -1;
	if (n == 0)
		err_set(&err, EINVAL, "%s: which run? 'taproom %s latest', or a number of "
			"'taproom runs'", command, command);
	else
		err_set(&err, EINVAL, "%s takes one run, not also '%s'", command, argv[2]);
	return cmd_fail(c, EXIT_USAGE, &err);
}

unsigned history_columns(struct str s)
{
	unsigned n = 0;

	while (s.n) {
		size_t len = utf8_len(s);

		s = str_from(s, len ? len : 1);
		n++;
	}
	return n;
}

/* Up to @max columns of @s, then blanks up to @min. */
static void cell(struct out *out, struct str s, unsigned min, unsigned max)
{
	_cleanup_(buf_done) struct buf b = {};
	unsigned columns;
	struct out safe;

	/* More than fits needs no escaping. */
	if (s.n > 4 * (size_t)max)
		s.n = 4 * (size_t)max;
	out_to_buf(&safe, &b);
	out_term(&safe, s);
	out_flush(&safe);
	s = buf_str(&b);
	columns = history_columns(s);
	if (columns > max) {
		for (unsigned i = 0; i + 1 < max; i++) {
			size_t len = utf8_len(s);

			out_bytes(out, s.p, len ? len : 1);
			s = str_from(s, len ? len : 1);
		}
		out_lit(out, "…");
		columns = max;
	} else {
		out_str(out, s);
	}
	while (columns++ < min)
		out_char(out, ' ');
}

void history_cell(struct out *out, struct str s, unsigned width, bool pad)
{
	cell(out, s, pad ? width : 0, width);
}

void history_field(struct out *out, struct str s, unsigned width)
{
	cell(out, s, width, UINT_MAX);
}

void history_colour(struct cmd *c, const char *ansi)
{
	if (c->colour)
		out_printf(c->out, "\x1b[%sm", ansi ? ansi : "0");
}
