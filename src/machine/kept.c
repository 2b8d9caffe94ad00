/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kept: a machine that another process keeps, entered by its door. It is ours as
 * far as any other is, but not to end: when we stop it we leave it.
 *
 * Its process, as seen from here, is one of ours that ends when the door closes.
 */
#include <stdio.h>
#include <unistd.h>

#include "machine/door.h"
#include "machine/kind.h"

static int start(struct machine *m, int program, int words, struct err *err)
{
	char path[32], port[16];
	const char *argv[] = { path, "hold", port, NULL };
	struct proc_spec spec = {
		.argv = argv,
		.in = PROC_NULL,
		.out = PROC_NULL,
		.err = words,
		.keep = { m->run.port },
		.n_keep = 1,
		.session = true,
	};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
	snprintf(port, sizeof(port), "%d", m->run.port);
	return proc_start(&spec, &m->run.vmm, err);
}

static int boot(struct machine *m, struct err *err)
{
	_cleanup_(closep) int program = -1, words = -1;
	int r = door_enter(m->config.enter, &m->run.port, &m->run.keep.lock, err);

	if (r == 0)
		r = machine_memfd("taproom-guest", machine_guest(), &program, err);
	if (r == 0)
		r = machine_socketpair(&m->run.said[MACHINE_VMM], &words, err);
	return r < 0 ? r : start(m, program, words, err);
}

const struct machine_ops machine_kept_ops = {
	.boot_timeout_ms = 20000,
	.vmm = "the way into the machine",
	.boot = boot,
};
