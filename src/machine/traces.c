/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces: which processes a machine is made of, written beside its files, for
 * whoever comes after a launcher that was killed. The kernel ends them with it
 * (PR_SET_PDEATHSIG); one that got around that is ended by the next start. A
 * process is known by its number, when it was started, and the host's boot:
 * never by a name, and never one that took the number over.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "machine/kind.h"

#define TRACES "processes"

/* proc(5): field 22, in ticks since the host's boot; 0: no such process. */
static uint64_t start_time(pid_t pid)
{
	_free_ char *path = xasprintf("/proc/%d/stat", (int)pid), *line = NULL;
	const char *at;
	uint64_t t = 0;

	if (file_read_line(path, &line, NULL) < 0 || !(at = strrchr(line, ')')))
		return 0;
	for (unsigned field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at && sscanf(at, " %" SCNu64, &t) == 1 ? t : 0;
}

static char *boot_id(void)
{
	char *id = NULL;

	return file_read_line("/proc/sys/kernel/random/boot_id", &id, NULL) < 0 ? xstrdup("?") : id;
}

void machine_traces_write(const struct machine *m)
{
	_free_ char *path = path_join(m->config.work_dir, TRACES), *boot = boot_id();
	_cleanup_(buf_done) struct buf b = {};
	struct err err = {};

	buf_printf(&b, "%s\n", boot);
	for (unsigned i = 0; i <= m->run.n_helpers; i++) {
		pid_t pid = i ? m->run.helpers[i - 1].pid : m->run.vmm.pid;

		buf_printf(&b, "%d %" PRIu64 "\n", (int)pid, start_time(pid));
	}
	/* Only the second of two nets. */
	if (file_write(path, buf_str(&b), 0600, &err) < 0)
		log_debug(m->log, "%s", err.text);
}

void machine_traces_remove(const struct machine *m)
{
	_free_ char *path = path_join(m->config.work_dir, TRACES);

	unlink(path);
}

/* The descriptor first: from then on the number is nobody else's. */
static bool end_process(pid_t pid, uint64_t started)
{
	_cleanup_(closep) int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd >= 0 && started && start_time(pid) == started &&
	       syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
}

unsigned machine_sweep(const char *work_dir)
{
	_free_ char *path = path_join(work_dir, TRACES), *boot = boot_id();
	_cleanup_(buf_done) struct buf b = {};
	unsigned n = 0;
	struct str rest;

	if (file_read(path, 65536, &b, NULL) < 0)
		return 0;
	rest = buf_str(&b);
	if (!str_eq(str_cut(&rest, '\n'), str_of(boot)))
		return 0;
	while (rest.n) {
		_free_ char *line = xasprintf("%.*s", STR_FMT(str_cut(&rest, '\n')));
		uint64_t started;
		int pid;

		if (sscanf(line, "%d %" SCNu64, &pid, &started) == 2 && pid > 1)
			n += end_process(pid, started);
	}
	return n;
}
