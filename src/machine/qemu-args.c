/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's command line. */
#include "machine/ready.h"

#include <sys/random.h>
#include <unistd.h>

#include "machine/words.h"

#define arg(q, ...) machine_args_add(&(q)->args, __VA_ARGS__)

static void args_machine(struct qemu *q)
{
	const struct machine_facts *f = &q->m->facts;
	bool kvm = strcmp(q->accel.name, "kvm") == 0;

	arg(q, "%s", q->program);
	arg(q, "-nodefaults");
	arg(q, "-no-user-config");
	arg(q, "-no-reboot");
	arg(q, "-display");
	arg(q, "none");
	arg(q, "-machine");
	arg(q, "%s,accel=%s,memory-backend=ram", q->board, q->accel.name);
	ready_args_memory(q);
	arg(q, "-m");
	arg(q, "%lluk", (unsigned long long)f->memory >> 10);
	arg(q, "-smp");
	arg(q, "%u", f->cpus);
	arg(q, "-cpu");
	/* QEMU 7.2's translation of cmpxchg16b clobbers the flags: kernels from
	 * 6.12 on corrupt their memory. */
	arg(q, "%s", kvm ? "host" : "max,-cx16");
	if (access(QEMU_QBOOT, R_OK) == 0) {
		arg(q, "-bios");
		arg(q, QEMU_QBOOT);
	}
}

void qemu_kernel_line(const struct qemu *q, struct buf *line)
{
	const struct machine_config *c = &q->m->config;
	const char *words[MACHINE_WORDS_MAX];

	buf_printf(line, "console=ttyS0 panic=%d", c->dump ? 0 : -1);
	machine_words(c, words);
	for (unsigned i = 0; words[i]; i++)
		buf_printf(line, " %s", words[i]);
	/* Debian's kernels heed no key that tells of tasks: one that hangs is asked. */
	buf_printf(line, " sysrq_always_enabled");
	/* A debugger knows addresses from vmlinux. */
	if (c->gdb)
		buf_printf(line, " nokaslr");
	/* Translated code is found by its address: where every exec has another
	 * layout all of it is translated again, and fork + exec takes 2.5 times
	 * as long. */
	if (q->tcg)
		buf_printf(line, " norandmaps");
	/* That its timer ticks, and how fast, is found out against the wall clock: on
	 * a host with other things to do wrongly, or the kernel panics. Under kvm it
	 * leaves the first away itself. */
	if (q->tcg)
		buf_printf(line, " no_timer_check");
	if (q->tsc_khz)
		buf_printf(line, " tsc_early_khz=%u tsc=reliable", q->tsc_khz);
	for (unsigned i = 0; c->append[i]; i++)
		buf_printf(line, " %s", c->append[i]);
}

static void args_kernel(struct qemu *q)
{
	_cleanup_(buf_done) struct buf line = {};

	qemu_kernel_line(q, &line);
	arg(q, "-kernel");
	if (q->kernel >= 0)
		arg(q, "/proc/self/fd/%d", q->kernel);
	else
		arg(q, "%s", q->m->config.image);
	arg(q, "-initrd");
	arg(q, "/proc/self/fd/%d", q->initramfs);
	arg(q, "-append");
	arg(q, "%s", buf_str(&line).p);
}

static void args_streams(struct qemu *q)
{
	arg(q, "-chardev");
	arg(q, "socket,id=console,fd=%d", q->console);
	arg(q, "-serial");
	arg(q, "chardev:console");
	arg(q, "-chardev");
	arg(q, "socket,id=agent,fd=%d", q->port);
	arg(q, "-device");
	arg(q, "virtio-serial-pci,max_ports=2");
	arg(q, "-device");
	arg(q, "virtserialport,chardev=agent,name=%s", PROTO_PORT);
	arg(q, "-chardev");
	arg(q, "socket,id=monitor,fd=%d", q->monitor);
	arg(q, "-mon");
	arg(q, "chardev=monitor,mode=control");
}

/* A comma would end the value; QEMU's way to write one is two. */
static char *doubled(struct arena *a, const char *path)
{
	char *to = arena_alloc(a, 2 * strlen(path) + 1), *at = to;

	for (; *path; path++) {
		*at++ = *path;
		if (*path == ',')
			*at++ = ',';
	}
	return to;
}

static void args_9p(struct qemu *q, unsigned tag, const char *dir, bool rw)
{
	arg(q, "-fsdev");
	arg(q, "local,id=fs%u,path=%s,security_model=none,multidevs=remap%s", tag,
	    doubled(&q->args.arena, dir), rw ? "" : ",readonly=on");
	arg(q, "-device");
	arg(q, "virtio-9p-pci,fsdev=fs%u,mount_tag=taproom%u", tag, tag);
}

static int serve(struct qemu *q, const char *dir, bool rw)
{
	struct machine_run *run = &q->m->run;
	unsigned tag = q->n_fs;
	int r = share_serve(&q->server, dir, rw, q->m->config.work_dir,
			    q->words[MACHINE_HELPERS], &run->helpers[run->n_helpers],
			    &q->fs[tag], q->err);

	if (r < 0)
		return err_wrap(q->err, r, "share '%s'", dir);
	run->n_helpers++;
	q->n_fs++;
	arg(q, "-chardev");
	arg(q, "socket,id=fs%u,fd=%d", tag, q->fs[tag]);
	if (run->keep.stage == MACHINE_READY)
		return 0; /* plugged in when it has come up */
	arg(q, "-device");
	arg(q, "vhost-user-fs-pci,chardev=fs%u,tag=taproom%u", tag, tag);
	return 0;
}

/* The root, then each share that may be written. */
static int args_files(struct qemu *q)
{
	const struct machine_config *c = &q->m->config;
	bool rw = c->root == MACHINE_ROOT_RW;
	unsigned tag = 1;
	int r = 0;

	if (q->guest.packed)
		return 0;
	if (q->virtiofs)
		r = serve(q, "/", rw);
	else
		args_9p(q, 0, "/", rw);
	for (unsigned i = 0; r == 0 && i < c->n_shares; i++) {
		if (!c->shares[i].rw)
			continue;
		if (q->virtiofs)
			r = serve(q, c->shares[i].dir, true);
		else
			args_9p(q, tag++, c->shares[i].dir, true);
	}
	return r;
}

static void args_rest(struct qemu *q)
{
	const struct machine_config *c = &q->m->config;

	if (c->net) {
		unsigned char a[3] = { 0x12, 0x34, 0x56 };

		/* QEMU's own prefix; the rest is this machine's. */
		(void)!getrandom(a, sizeof(a), 0);
		arg(q, "-netdev");
		arg(q, "user,id=net");
		arg(q, "-device");
		arg(q, "virtio-net-pci,netdev=net,romfile=,mac=52:54:00:%02x:%02x:%02x", a[0],
		    a[1], a[2]);
	}
	if (q->m->facts.gdb) {
		arg(q, "-chardev");
		arg(q, "socket,id=gdb,path=%s,server=on,wait=off",
		    doubled(&q->args.arena, q->m->facts.gdb));
		arg(q, "-gdb");
		arg(q, "chardev:gdb");
		if (c->gdb_waits)
			arg(q, "-S");
	}
	for (unsigned i = 0; c->qemu_opts[i] && i < MACHINE_APPEND_MAX; i++)
		arg(q, "%s", c->qemu_opts[i]);
}

int qemu_args(struct qemu *q)
{
	int r;

	args_machine(q);
	if (q->m->run.keep.stage != MACHINE_READY)
		args_kernel(q);
	args_streams(q);
	/* What one machine has and another has not, comes after it is kept. */
	if (q->m->run.keep.stage == MACHINE_MAKE)
		return machine_args_end(&q->args, q->err);
	r = args_files(q);
	if (r < 0)
		return r;
	args_rest(q);
	return machine_args_end(&q->args, q->err);
}
