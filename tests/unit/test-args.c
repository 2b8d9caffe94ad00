/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of a VMM while it is written. */
#include <errno.h>
#include <string.h>

#include "machine/args.h"
#include "tap.h"

/* None is cut or left away without a word. */
static void test_args(struct tap *t)
{
	_cleanup_(machine_args_done) struct machine_args a = {};
	_free_ char *longer = xcalloc(1, 10001);
	struct err err = {};

	memset(longer, 'x', 10000);
	machine_args_add(&a, "%s=%d", longer, 1);
	ok(t, a.n == 1 && strlen(a.v[0]) == 10002 && machine_args_end(&a, &err) == 0,
	   "an argument of any length");
	while (a.n < MACHINE_ARGS_MAX)
		machine_args_add(&a, "x");
	is_int(t, machine_args_end(&a, &err), 0, "as many as there may be");
	machine_args_add(&a, "x");
	ok(t, machine_args_end(&a, &err) == -E2BIG && !a.v[MACHINE_ARGS_MAX], "one more: %s",
	   err.text);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_args(&t);
	return tap_done(&t);
}
