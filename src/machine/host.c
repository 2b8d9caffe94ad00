/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host: a machine of namespaces, on the running kernel. For tests that need no
 * kernel of their own. The guest program is their PID 1; when it ends, by
 * whatever cause, the kernel ends everything in them.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/file.h"
#include "machine/kind.h"

#define NAMESPACES                                                                        \
	(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | \
	 CLONE_NEWCGROUP)

static int guest_config(const struct machine *m, struct buf *b, struct err *err)
{
	const struct machine_config *c = &m->config;

	buf_printf(b, "from scratch %s\n", m->run.scratch);
	for (unsigned i = 0; i < c->n_shares; i++)
		buf_printf(b, "share %s - %s\n", c->shares[i].rw ? "rw" : "ro",
			   c->shares[i].dir);
	return machine_guest_config(m, b, err);
}

/* Our ends go into m->run, theirs into the child, which gets them by number. */
static int start(struct machine *m, int program, int config, int port, int words,
		 struct err *err)
{
	char path[32], port_text[16], config_text[16];
	const char *argv[] = { path, port_text, config_text, NULL };
	struct proc_spec spec = {
		.argv = argv,
		.in = PROC_NULL,
		.out = PROC_NULL,
		.err = words,
		.keep = { port, config },
		.n_keep = 2,
		.session = true,
		.unshare = NAMESPACES,
	};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
	snprintf(port_text, sizeof(port_text), "%d", port);
	snprintf(config_text, sizeof(config_text), "%d", config);
	return proc_start(&spec, &m->run.vmm, err);
}

static int boot(struct machine *m, struct err *err)
{
	_cleanup_(closep) int program = -1, config = -1, port = -1, words = -1;
	_cleanup_(buf_done) struct buf b = {};
	struct sysinfo info;
	int r;

	if (geteuid() != 0)
		return err_set(err, EPERM, "namespaces with a file system of their own need "
			       "root: use sudo, or --machine qemu");
	r = dir_temp(m->config.work_dir, "root-", &m->run.scratch, err);
	if (r == 0)
		r = guest_config(m, &b, err);
	if (r == 0)
		r = machine_memfd("taproom-config", buf_str(&b), &config, err);
	if (r == 0)
		r = machine_memfd("taproom-guest", machine_guest(), &program, err);
	if (r == 0)
		r = machine_socketpair(&m->run.port, &port, err);
	if (r == 0)
		r = machine_socketpair(&m->run.said[MACHINE_VMM], &words, err);
	if (r == 0)
		r = start(m, program, config, port, words, err);
	if (r < 0)
		return r;
	if (sysinfo(&info) == 0)
		m->facts.memory = (uint64_t)info.totalram * info.mem_unit;
	m->facts.cpus = (unsigned)get_nprocs();
	return 0;
}

int machine_host_probe(const char *cache_dir, struct buf *why)
{
	if (geteuid() == 0)
		return 1;
	buf_printf(why, "needs root, for namespaces with a file system of their own: use sudo");
	return 0;
}

const struct machine_ops machine_host_ops = {
	.boot_timeout_ms = 15000,
	.vmm = "its first process",
	.boot = boot,
};
