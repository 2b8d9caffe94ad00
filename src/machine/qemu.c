/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU: a virtual machine that boots a kernel directly. No disk, no firmware
 * menu, nothing of it in the file system: initramfs, console, the agent's port
 * and the files' sockets are inherited descriptors.
 */
#include "machine/board.h"
#include "machine/ready.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "machine/tsc.h"
#include "machine/vmlinux.h"

#define PROGRAM "qemu-system-x86_64"
#define PACKAGE "qemu-system-x86"
#define MEMORY  (1ull << 30)

static void qemu_done(struct qemu *q)
{
	free(q->program);
	guest_kernel_done(&q->guest);
	share_server_done(&q->server);
	closep(&q->kernel);
	closep(&q->initramfs);
	closep(&q->console);
	closep(&q->port);
	closep(&q->monitor);
	for (unsigned i = 0; i < MACHINE_VOICES; i++)
		closep(&q->words[i]);
	while (q->n_fs)
		closep(&q->fs[--q->n_fs]);
	machine_args_done(&q->args);
}

static void decide(struct qemu *q)
{
	const struct machine_config *c = &q->m->config;
	struct machine_facts *f = &q->m->facts;
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	bool kvm = strcmp(q->accel.name, "kvm") == 0;

	f->accel = q->accel.name;
	snprintf(q->m->accel_why, sizeof(q->m->accel_why), "%s", q->accel.why);
	/* A second processor makes a translated boot slower, not faster. */
	f->cpus = c->cpus ? c->cpus : kvm && online > 1 ? 2 : 1;
	f->memory = c->memory ? c->memory : MEMORY;
}

/* A KVM that passed the probe and did not boot is not tried again. */
static int choose_accel(struct qemu *q)
{
	struct machine *m = q->m;
	const struct trial_pair pair = { q->program, m->config.image };
	bool failed = m->accel_failed || (m->boots > 1 && strcmp(m->facts.accel, "kvm") == 0);
	int r;

	if (failed && strcmp(m->config.accel, "auto") == 0) {
		q->accel = (struct accel){ .name = "tcg" };
		snprintf(q->accel.why, sizeof(q->accel.why), "%s",
			 m->accel_failed ? m->accel_why : "kvm did not boot");
		return 0;
	}
	r = accel_choose(m->config.accel, m->config.cache_dir, &pair, m->log, &q->accel, q->err);
	m->accel_trial = r == 0 && q->accel.trial;
	if (m->accel_trial)
		m->run.timeout_ms = ACCEL_TRIAL_MS;
	return r;
}

/* That kvm is no good for this kernel is only known when tcg is. */
static void booted(struct machine *m)
{
	_free_ char *program = proc_find(PROGRAM);
	const struct trial_pair pair = { program, m->config.image };

	ready_booted(m);
	if (program && (m->accel_trial || m->accel_failed))
		accel_learn(m->config.cache_dir, &pair, m->accel_trial, m->accel_how);
	if (program)
		board_booted(m, program);
	m->accel_trial = false;
}

static bool again(struct machine *m, const char *how)
{
	return ready_again(m, how) || board_again(m, how);
}

static int unbooted(struct machine *m, const char *how)
{
	bool other = strcmp(m->config.accel, "auto") == 0;

	if (!m->accel_trial)
		return 0;
	m->accel_trial = false;
	m->accel_failed = true;
	snprintf(m->accel_how, sizeof(m->accel_how), "%s", how);
	snprintf(m->accel_why, sizeof(m->accel_why), "kvm did not boot this kernel: %.160s%s", how,
		 other ? "" : "; --accel auto takes tcg then");
	return other ? 1 : -1;
}

/* Its socket has a name, in a directory that is ours alone. */
static int choose_gdb(struct machine *m, struct err *err)
{
	struct sockaddr_un a;

	if (!m->config.gdb || m->facts.gdb)
		return 0;
	snprintf(m->gdb, sizeof(m->gdb), "%s/gdb", m->config.work_dir);
	if (strlen(m->config.work_dir) + 5 > sizeof(a.sun_path))
		return err_set(err, ENAMETOOLONG, "'%s/gdb' is too long for a socket: set "
			       "XDG_CACHE_HOME to a shorter directory", m->config.work_dir);
	m->facts.gdb = m->gdb;
	return 0;
}

static int start(struct qemu *q)
{
	struct machine_run *run = &q->m->run;
	struct proc_spec spec = { .argv = q->args.v, .in = PROC_NULL, .session = true };
	const int *const keep[] = { &q->console, &q->port, &q->monitor, &q->initramfs,
				    &q->kernel, &run->keep.ram, &run->keep.from.ram };
	int r = 0;

	for (unsigned i = 0; r == 0 && i < MACHINE_VOICES; i++)
		r = machine_socketpair(&run->said[i], &q->words[i], q->err);
	if (r == 0)
		r = machine_socketpair(&run->console, &q->console, q->err);
	if (r == 0)
		r = machine_socketpair(&run->port, &q->port, q->err);
	if (r == 0)
		r = machine_socketpair(&run->monitor, &q->monitor, q->err);
	if (r < 0)
		return r;
	r = qemu_args(q);
	if (r < 0)
		return r;
	spec.out = spec.err = q->words[MACHINE_VMM];
	for (size_t i = 0; i < ARRAY_SIZE(keep); i++)
		if (*keep[i] >= 0)
			spec.keep[spec.n_keep++] = *keep[i];
	for (unsigned i = 0; i < q->n_fs; i++)
		spec.keep[spec.n_keep++] = q->fs[i];
	return proc_start(&spec, &run->vmm, q->err);
}

static int boot(struct machine *m, struct err *err)
{
	_cleanup_(qemu_done) struct qemu q = {
		.m = m, .err = err, .kernel = -1, .initramfs = -1,
		.console = -1, .port = -1, .monitor = -1, .words = { -1, -1 },
	};
	int r;

	q.program = proc_find(PROGRAM);
	if (!q.program)
		return err_set(err, ENOENT, "no program '" PROGRAM "': install " PACKAGE);
	r = choose_accel(&q);
	if (r < 0)
		return r;
	q.tcg = strcmp(q.accel.name, "tcg") == 0;
	if (q.tcg)
		q.tsc_khz = tsc_khz(m->config.cache_dir);
	decide(&q);
	r = choose_gdb(m, err);
	if (r < 0)
		return r;
	r = qemu_kernel(&q);
	if (r < 0)
		return r;
	ready_choose(&q);
	q.board = board_choose(&q);
	if (m->board_trial && !m->run.timeout_ms)
		m->run.timeout_ms = BOARD_TRIAL_MS;
	if (m->run.keep.stage == MACHINE_READY)
		return start(&q);
	r = vmlinux_open(m->config.image, m->config.cache_dir, &q.kernel, err);
	if (r >= 0)
		r = qemu_initrd(&q);
	return r < 0 ? r : start(&q);
}

/* The line is in a break: what comes next is for the kernel (sysrq.rst). */
static void on_break(void *ctx, const struct cJSON *ret, const char *problem)
{
	struct machine *m = ctx;

	if (!problem && m->run.console >= 0)
		(void)!write(m->run.console, &m->key, 1);
}

static int sysrq(struct machine *m, char key, struct err *err)
{
	m->key = key;
	return qmp_command(&m->monitor, "chardev-send-break", "{\"id\":\"console\"}", -1, on_break,
			   m, err);
}

/* An ELF file: what gdb reads, and crash and drgn do too. */
static int dump(struct machine *m, qmp_answer_fn done, void *ctx)
{
	_free_ char *protocol = xasprintf("file:%s", m->config.dump);
	_cleanup_(buf_done) struct buf text = {};
	struct out out;
	struct json j;

	out_to_buf(&out, &text);
	json_init(&j, &out, false);
	json_object(&j);
	json_field_bool(&j, "paging", false);
	json_field_str(&j, "protocol", str_of(protocol));
	json_field_str(&j, "format", STR("elf"));
	json_end(&j);
	out_flush(&out);
	text.n = str_trim(buf_str(&text)).n;
	text.p[text.n] = '\0';
	return qmp_command(&m->monitor, "dump-guest-memory", text.p, -1, done, ctx, NULL);
}

int machine_qemu_probe(const char *cache_dir, struct buf *why)
{
	_free_ char *program = proc_find(PROGRAM);

	if (!program)
		buf_printf(why, "no program '" PROGRAM "': apt-get install " PACKAGE);
	return program != NULL;
}

const struct machine_ops machine_qemu_ops = {
	.boot_timeout_ms = 60000,
	.needs_kernel = true,
	.vmm = "QEMU",
	.mute = "CONFIG_SERIAL_8250_CONSOLE: its console said nothing",
	.boot = boot,
	.sysrq = sysrq,
	.dump = dump,
	.watched = ready_watched,
	.monitored = ready_monitored,
	.waiting = ready_waiting,
	.again = again,
	.booted = booted,
	.unbooted = unbooted,
};
