/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UML: User Mode Linux, a kernel that is a process of the host. It boots what
 * QEMU boots, an initramfs with the guest program, and sees the host's files by
 * hostfs, which is its process reading them: guest/cage.c sees to it that this
 * process can't write. Console and agent's port are sockets that it inherits;
 * its memory is a file in a tmpfs of its own namespace, so that nothing of it
 * is left anywhere, whatever ends it.
 *
 * Options: Documentation/virt/uml/user_mode_linux_howto_v2.rst and "linux
 * --help".
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "machine/args.h"
#include "machine/guest-kernel.h"
#include "machine/kind.h"
#include "machine/words.h"

#define MEMORY   (1ull << 30)
#define LINE     "ttyS0" /* a line of ours in the guest: the agent's port */
/* Output and files that may be on their way at once, several times: each piece of
 * it costs more than its bytes. */
#define LINE_ROOM (8 << 20)

static const struct need NEEDS[] = {
	{ "UML", NULL, "a machine 'uml'" },
	{ "BLK_DEV_INITRD", NULL, "an initramfs" },
	{ "HOSTFS", NULL, "the host's files" },
	{ "SSL", NULL, "the agent's port" },
	{ "NULL_CHAN", NULL, "consoles that nobody reads" },
	{ "DEVTMPFS", NULL, "device nodes" },
	{ "TMPFS", NULL, "/run" },
	{ "UNIX98_PTYS", NULL, "terminals" },
	{ "OVERLAY_FS", "overlay", "--root overlay", .overlay = true },
};

static const struct need TIME_TRAVEL[] = {
	{ "UML_TIME_TRAVEL_SUPPORT", NULL, "--uml-time" },
};

/* Such a kernel starts a process for each device, and there are 80 lines: without them it
 * boots in three quarters of the time, and tells of each on its console. */
static const struct need EVENT_HELPER[] = {
	{ "UEVENT_HELPER", NULL, "/sbin/hotplug" },
};

/* --uml-time to the kernel's own words. */
static const struct {
	const char *name, *option;
} TIMES[] = {
	{ "real", NULL },
	{ "idle", "time-travel" },
	{ "inf", "time-travel=inf-cpu" },
	{ "inf-cpu", "time-travel=inf-cpu" },
};

/* What is made for one boot. */
struct uml {
	struct machine *m;
	struct err *err;
	struct guest_kernel guest;
	int program, config, initramfs, console, port, words;
	struct machine_args args;
};

static void uml_done(struct uml *u)
{
	guest_kernel_done(&u->guest);
	closep(&u->program);
	closep(&u->config);
	closep(&u->initramfs);
	closep(&u->console);
	closep(&u->port);
	closep(&u->words);
	machine_args_done(&u->args);
}

#define arg(u, ...) machine_args_add(&(u)->args, __VA_ARGS__)

/* What a process can't be. */
static int check_config(const struct uml *u)
{
	const struct machine_config *c = &u->m->config;

	if (c->net)
		return err_set(u->err, EINVAL, "a machine 'uml' has no network of its own; leave "
			       "--net away");
	if (c->cpus > 1)
		return err_set(u->err, EINVAL, "a machine 'uml' has one processor, not %u",
			       c->cpus);
	if (c->qemu_opts[0])
		return err_set(u->err, EINVAL, "a machine 'uml' has no QEMU that takes '%s'",
			       c->qemu_opts[0]);
	return 0;
}

static int check_kernel(struct uml *u)
{
	const struct machine_config *c = &u->m->config;
	int r = guest_kernel_open(&u->guest, c, u->err);

	if (r == 0)
		r = guest_kernel_check(&u->guest, NEEDS, ARRAY_SIZE(NEEDS), u->err);
	if (r == 0 && c->uml_time && strcmp(c->uml_time, "real") != 0)
		r = guest_kernel_check(&u->guest, TIME_TRAVEL, ARRAY_SIZE(TIME_TRAVEL), u->err);
	return r;
}

/* The guest's own configuration, in its initramfs. */
static int make_initramfs(struct uml *u)
{
	const struct machine_config *c = &u->m->config;
	_cleanup_(buf_done) struct buf b = {};
	int r;

	buf_printf(&b, "from hostfs /\nport " LINE "\n");
	for (size_t i = 0; i < u->guest.modules.n; i++)
		buf_printf(&b, "insmod %s\n", u->guest.modules.v[i].name);
	if (c->uml_time && strcmp(c->uml_time, "real") != 0)
		buf_printf(&b, "time simulated\n");
	if (c->modules_dir)
		buf_printf(&b, "modules %s %s\n", c->release, c->modules_dir);
	for (unsigned i = 0; i < c->n_shares; i++)
		buf_printf(&b, "share %s %s %s\n", c->shares[i].rw ? "rw" : "ro",
			   c->shares[i].rw ? "hostfs" : "-", c->shares[i].dir);
	r = machine_guest_config(u->m, &b, u->err);
	return r < 0 ? r : guest_kernel_initramfs(&u->guest, buf_str(&b), u->m->log,
							    &u->initramfs, u->err);
}

/* What the cage is told: where its tmpfs goes, what may be written. */
static int make_cage_config(struct uml *u)
{
	const struct machine_config *c = &u->m->config;
	_cleanup_(buf_done) struct buf b = {};
	int r;

	buf_printf(&b, "from scratch %s\n", u->m->run.scratch);
	for (unsigned i = 0; i < c->n_shares; i++)
		if (c->shares[i].rw)
			buf_printf(&b, "share rw - %s\n", c->shares[i].dir);
	r = machine_guest_config(u->m, &b, u->err);
	return r < 0 ? r : machine_memfd("taproom-config", buf_str(&b), &u->config, u->err);
}

static int arg_time(struct uml *u)
{
	const char *name = u->m->config.uml_time;

	for (size_t i = 0; name && i < ARRAY_SIZE(TIMES); i++)
		if (strcmp(TIMES[i].name, name) == 0) {
			if (TIMES[i].option)
				arg(u, "%s", TIMES[i].option);
			return 0;
		}
	if (!name)
		return 0;
	if (strncmp(name, "ext:", 4) != 0 || !name[4])
		return err_set(u->err, EINVAL, "--uml-time '%s': there are real, idle, inf and "
			       "ext:[ID:]SOCKET", name);
	arg(u, "time-travel=%s", name);
	return 0;
}

static int make_args(struct uml *u)
{
	const struct machine_config *c = &u->m->config;
	const char *words[MACHINE_WORDS_MAX];
	const char *others = u->guest.text.n && guest_kernel_has(&u->guest, EVENT_HELPER, 1)
				     ? "none" : "null";
	int r;

	arg(u, "/proc/self/fd/%d", u->program);
	arg(u, "cage");
	arg(u, "%d", u->config);
	arg(u, "%s", c->image);
	arg(u, "mem=%lluk", (unsigned long long)u->m->facts.memory >> 10);
	arg(u, "initrd=/proc/self/fd/%d", u->initramfs);
	arg(u, "uml_dir=%s", u->m->run.scratch);
	arg(u, "umid=taproom");
	arg(u, "con=%s", others);
	arg(u, "con0=null,fd:%d", u->console);
	arg(u, "ssl=%s", others);
	arg(u, "ssl0=fd:%d", u->port);
	/* UML's own small talk, not the kernel's. */
	arg(u, "quiet");
	arg(u, "loglevel=7");
	/* A panic ends the process, with a reboot it would begin anew. */
	arg(u, "noreboot");
	/* Each of 256 old terminals costs a millisecond. */
	arg(u, "pty.legacy_count=0");
	machine_words(c, words);
	for (unsigned i = 0; words[i]; i++)
		arg(u, "%s", words[i]);
	for (unsigned i = 0; c->append[i] && i < MACHINE_APPEND_MAX; i++)
		arg(u, "%s", c->append[i]);
	r = arg_time(u);
	return r < 0 ? r : machine_args_end(&u->args, u->err);
}

static int start(struct uml *u)
{
	struct machine_run *run = &u->m->run;
	struct proc_spec spec = {
		.argv = u->args.v,
		.in = PROC_NULL,
		.keep = { u->config, u->initramfs, u->console, u->port },
		.n_keep = 4,
		.session = true,
		.unshare = CLONE_NEWNS | CLONE_NEWPID | (geteuid() ? CLONE_NEWUSER : 0),
	};

	spec.out = spec.err = u->words;
	return proc_start(&spec, &run->vmm, u->err);
}

/* Where a line's other end takes no more, UML waits to be told of room, and in
 * simulated time it may miss that (6.12): it never comes to it. Beyond the host's limit
 * (wmem_max, of all that is not root) as much as there is. */
static void widen(int fd)
{
	int bytes = LINE_ROOM;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static int streams(struct uml *u)
{
	struct machine_run *run = &u->m->run;
	int r = machine_socketpair(&run->said[MACHINE_VMM], &u->words, u->err);

	if (r == 0)
		r = machine_socketpair(&run->console, &u->console, u->err);
	if (r == 0)
		r = machine_socketpair(&run->port, &u->port, u->err);
	if (r < 0)
		return r;
	widen(u->console);
	widen(u->port);
	return 0;
}

static int boot(struct machine *m, struct err *err)
{
	_cleanup_(uml_done) struct uml u = {
		.m = m, .err = err, .program = -1, .config = -1, .initramfs = -1,
		.console = -1, .port = -1, .words = -1,
	};
	int r;

	m->facts.cpus = 1;
	m->facts.memory = m->config.memory ? m->config.memory : MEMORY;
	r = check_config(&u);
	if (r == 0)
		r = check_kernel(&u);
	if (r == 0)
		r = dir_temp(m->config.work_dir, "uml-", &m->run.scratch, err);
	if (r == 0)
		r = machine_memfd("taproom-guest", machine_guest(), &u.program, err);
	if (r == 0)
		r = make_initramfs(&u);
	if (r == 0)
		r = make_cage_config(&u);
	if (r == 0)
		r = streams(&u);
	if (r == 0)
		r = make_args(&u);
	return r < 0 ? r : start(&u);
}

/* Whether we get namespaces, by a process in some. */
int machine_uml_probe(const char *cache_dir, struct buf *why)
{
	static const char *const argv[] = { "true", NULL };
	struct proc_spec spec = {
		.argv = argv, .in = PROC_NULL, .out = PROC_NULL, .err = PROC_NULL,
		.unshare = CLONE_NEWNS | CLONE_NEWPID | (geteuid() ? CLONE_NEWUSER : 0),
	};
	struct proc p = { .fd = -1 };
	struct err err = {};

	if (proc_start(&spec, &p, &err) < 0) {
		buf_printf(why, "%s: no namespaces, which keep the guest from the host's files; "
			   "%s", err.text, geteuid() ? "use sudo, or sysctl -w "
			   "user.max_user_namespaces=10000" : "leave the container");
		return 0;
	}
	proc_wait(&p, true, NULL, NULL);
	return 1;
}

const struct machine_ops machine_uml_ops = {
	.boot_timeout_ms = 30000,
	.needs_kernel = true,
	.vmm = "User Mode Linux",
	.line = true,
	.boot = boot,
};
