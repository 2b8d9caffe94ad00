/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU: a virtual machine that boots a kernel directly. No disk, no firmware
 * menu, nothing of it in the file system: initramfs, console, the agent's port
 * and the files' sockets are inherited descriptors.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "machine/accel.h"
#include "machine/initramfs.h"
#include "machine/kind.h"
#include "machine/modules.h"
#include "machine/share.h"
#include "machine/vmlinux.h"

#define PROGRAM       "qemu-system-x86_64"
#define PACKAGE       "qemu-system-x86"
#define ARGS_MAX      (MACHINE_APPEND_MAX + 96)
#define MEMORY        (1ull << 30)
#define INITRAMFS_MAX (256u << 20)
#define CONFIG_MAX    (4u << 20)

/* What is made for one boot and inherited by QEMU. */
struct build {
	struct machine *m;
	struct err *err;
	char *program;
	struct accel accel;
	struct buf config;         /* the kernel's .config; empty: unknown */
	struct modules modules;
	bool has_modules;
	struct share_server server;
	bool virtiofs;             /* else 9p */
	int kernel;                /* unpacked; -1: the image boots as it is */
	int initramfs, console, port;
	int words[MACHINE_VOICES];
	int fs[PROTO_SHARES_MAX + 1]; /* virtiofs sockets: the root, then rw shares */
	unsigned n_fs;
	struct arena arena;
	const char *args[ARGS_MAX];
	unsigned n_args;
};

static void build_done(struct build *b)
{
	free(b->program);
	buf_done(&b->config);
	modules_done(&b->modules);
	share_server_done(&b->server);
	closep(&b->kernel);
	closep(&b->initramfs);
	closep(&b->console);
	closep(&b->port);
	for (unsigned i = 0; i < MACHINE_VOICES; i++)
		closep(&b->words[i]);
	while (b->n_fs)
		closep(&b->fs[--b->n_fs]);
	arena_done(&b->arena);
}

/* What a kernel must have, whatever shares the files. */
static const struct need {
	const char *option, *module; /* NULL: can only be built in */
	const char *why;
	bool overlay, net;           /* only with --root overlay, with --net */
} NEEDS[] = {
	{ "BLK_DEV_INITRD", NULL, "an initramfs" },
	{ "DEVTMPFS", NULL, "device nodes" },
	{ "TMPFS", NULL, "/run" },
	{ "UNIX98_PTYS", NULL, "terminals" },
	{ "VIRTIO_PCI", "virtio_pci", "virtio devices" },
	{ "VIRTIO_CONSOLE", "virtio_console", "the agent's port" },
	{ "OVERLAY_FS", "overlay", "--root overlay", .overlay = true },
	{ "VIRTIO_NET", "virtio_net", "--net", .net = true },
};

static const struct need VIRTIOFS[] = {
	{ "VIRTIO_FS", "virtiofs", "the host's files" },
};

static const struct need P9[] = {
	{ "NET_9P", "9pnet", "the host's files" },
	{ "NET_9P_VIRTIO", "9pnet_virtio", "the host's files" },
	{ "9P_FS", "9p", "the host's files" },
};

/* Returns 1 when the kernel has it (modules added), 0 when not. */
static int kernel_has(struct build *b, const struct need *need)
{
	char v = b->config.n ? kconfig_value(buf_str(&b->config), need->option) : '?';

	if (v == 'y' || v == 'n')
		return v == 'y';
	/* Unknown, or a module: its files tell. */
	if (need->module && b->has_modules)
		return modules_want(&b->modules, need->module, NULL) >= 0;
	return v == '?';
}

static bool kernel_has_all(struct build *b, const struct need *needs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!kernel_has(b, &needs[i]))
			return false;
	return true;
}

static int check_kernel(struct build *b)
{
	const struct machine_config *c = &b->m->config;

	for (size_t i = 0; i < ARRAY_SIZE(NEEDS); i++) {
		const struct need *need = &NEEDS[i];

		if ((need->overlay && c->root != MACHINE_ROOT_OVERLAY) || (need->net && !c->net))
			continue;
		if (!kernel_has(b, need))
			return err_set(b->err, ENOTSUP,
				       "kernel %s has no CONFIG_%s, needed for %s: set it to y%s",
				       c->release, need->option, need->why,
				       need->module ? ", or to m and build its modules" : "");
	}
	return 0;
}

/* virtiofs where it can be, else 9p, else the reason why neither. */
static int choose_files(struct build *b)
{
	const char *release = b->m->config.release;
	bool virtiofs = kernel_has_all(b, VIRTIOFS, ARRAY_SIZE(VIRTIOFS));

	share_server_find(&b->server);
	b->virtiofs = virtiofs && b->server.path && geteuid() == 0;
	if (b->virtiofs || kernel_has_all(b, P9, ARRAY_SIZE(P9)))
		return 0;
	if (!virtiofs)
		return err_set(b->err, ENOTSUP,
			       "kernel %s can't see the host's files: set CONFIG_VIRTIO_FS, or "
			       "CONFIG_NET_9P_VIRTIO and CONFIG_9P_FS, to y or m", release);
	if (!b->server.path)
		return err_set(b->err, ENOENT,
			       "no program 'virtiofsd', and kernel %s has no CONFIG_9P_FS to do "
			       "without: install " SHARE_SERVER_PACKAGE, release);
	return err_set(b->err, EPERM,
		       "virtiofsd needs root, and kernel %s has no CONFIG_9P_FS to do without: "
		       "use sudo", release);
}

static int check_image(const char *path, struct err *err)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char head[0x206];
	struct stat st;

	if (fd < 0)
		return err_sys(err, errno, "kernel image '%s'", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    read(fd, head, sizeof(head)) != sizeof(head) ||
	    /* The x86 boot protocol's header, or an ELF file (PVH). */
	    (memcmp(head + 0x202, "HdrS", 4) != 0 && memcmp(head, "\177ELF", 4) != 0))
		return err_set(err, ENOEXEC, "'%s' is no kernel: neither a bzImage nor a vmlinux",
			       path);
	return 0;
}

static int read_kernel(struct build *b)
{
	const struct machine_config *c = &b->m->config;
	int r = check_image(c->image, b->err);

	if (r == 0 && c->config)
		r = file_read(c->config, CONFIG_MAX, &b->config, b->err);
	if (r == 0 && c->modules_dir) {
		r = modules_open(&b->modules, c->modules_dir, c->release, b->err);
		b->has_modules = r == 0;
	}
	if (r == 0)
		r = check_kernel(b);
	return r < 0 ? r : choose_files(b);
}

/* ---- what the guest finds before it has a root ---- */

static int guest_config(struct build *b, struct buf *text)
{
	const struct machine_config *c = &b->m->config;
	unsigned tag = 1;

	buf_printf(text, "from %s taproom0\n", b->virtiofs ? "virtiofs" : "9p");
	for (size_t i = 0; i < b->modules.n; i++)
		buf_printf(text, "insmod %s\n", b->modules.v[i].name);
	if (c->modules_dir)
		buf_printf(text, "modules %s %s\n", c->release, c->modules_dir);
	for (unsigned i = 0; i < c->n_shares; i++)
		if (c->shares[i].rw)
			buf_printf(text, "share rw taproom%u %s\n", tag++, c->shares[i].dir);
		else
			buf_printf(text, "share ro - %s\n", c->shares[i].dir);
	if (c->net)
		buf_printf(text, "net\n");
	return machine_guest_config(b->m, text, b->err);
}

static int pack_modules(struct build *b, struct initramfs *a)
{
	_cleanup_(buf_done) struct buf ko = {};

	initramfs_dir(a, "modules", 0755);
	for (size_t i = 0; i < b->modules.n; i++) {
		_free_ char *path = xasprintf("modules/%s", b->modules.v[i].name);
		int r;

		buf_clear(&ko);
		r = modules_read(&b->modules.v[i], &ko, b->err);
		if (r < 0)
			return r;
		initramfs_file(a, path, 0644, buf_str(&ko));
	}
	return 0;
}

static int make_initramfs(struct build *b)
{
	_cleanup_(initramfs_done) struct initramfs a = { .out = { .max = INITRAMFS_MAX } };
	_cleanup_(buf_done) struct buf text = {};
	int r = guest_config(b, &text);

	if (r < 0)
		return r;
	initramfs_dir(&a, "dev", 0755);
	initramfs_node(&a, "dev/console", S_IFCHR | 0600, 5, 1);
	initramfs_file(&a, "init", 0755, machine_guest());
	initramfs_file(&a, PROTO_CONFIG + 1, 0644, buf_str(&text));
	r = pack_modules(b, &a);
	if (r < 0)
		return r;
	r = initramfs_end(&a);
	if (r < 0)
		return err_set(b->err, -r, "the initramfs would be larger than %u MiB",
			       INITRAMFS_MAX >> 20);
	return machine_memfd("taproom-initramfs", buf_str(&a.out), &b->initramfs, b->err);
}

/* ---- the command line ---- */

__attribute__((format(printf, 2, 3))) static void arg(struct build *b, const char *fmt, ...)
{
	char text[4096];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (b->n_args < ARGS_MAX - 1 && n < (int)sizeof(text))
		b->args[b->n_args++] = arena_strndup(&b->arena, text, (size_t)n);
}

static void args_machine(struct build *b)
{
	const struct machine_facts *f = &b->m->facts;
	bool kvm = strcmp(b->accel.name, "kvm") == 0;

	arg(b, "%s", b->program);
	arg(b, "-nodefaults");
	arg(b, "-no-user-config");
	arg(b, "-no-reboot");
	arg(b, "-display");
	arg(b, "none");
	arg(b, "-machine");
	arg(b, "q35,accel=%s,memory-backend=ram", b->accel.name);
	/* The server of the files maps the guest's memory. */
	arg(b, "-object");
	arg(b, "memory-backend-memfd,id=ram,share=on,size=%llu", (unsigned long long)f->memory);
	arg(b, "-m");
	arg(b, "%lluk", (unsigned long long)f->memory >> 10);
	arg(b, "-smp");
	arg(b, "%u", f->cpus);
	arg(b, "-cpu");
	/* QEMU 7.2's translation of cmpxchg16b clobbers the flags: kernels from
	 * 6.12 on corrupt their memory. */
	arg(b, "%s", kvm ? "host" : "max,-cx16");
	if (access("/usr/share/qemu/qboot.rom", R_OK) == 0) {
		arg(b, "-bios");
		arg(b, "/usr/share/qemu/qboot.rom");
	}
}

static void args_kernel(struct build *b)
{
	const struct machine_config *c = &b->m->config;
	_cleanup_(buf_done) struct buf line = {};

	/* No self-tests of ciphers: a third of a second. */
	buf_printf(&line, "console=ttyS0 panic=-1 cryptomgr.notests");
	/* Translated code is found by its address: where every exec has another
	 * layout all of it is translated again, and fork + exec takes 2.5 times
	 * as long. */
	if (strcmp(b->accel.name, "tcg") == 0)
		buf_printf(&line, " norandmaps");
	for (unsigned i = 0; c->append[i]; i++)
		buf_printf(&line, " %s", c->append[i]);
	arg(b, "-kernel");
	if (b->kernel >= 0)
		arg(b, "/proc/self/fd/%d", b->kernel);
	else
		arg(b, "%s", c->image);
	arg(b, "-initrd");
	arg(b, "/proc/self/fd/%d", b->initramfs);
	arg(b, "-append");
	arg(b, "%s", buf_str(&line).p);
}

static void args_streams(struct build *b)
{
	arg(b, "-chardev");
	arg(b, "socket,id=console,fd=%d", b->console);
	arg(b, "-serial");
	arg(b, "chardev:console");
	arg(b, "-chardev");
	arg(b, "socket,id=agent,fd=%d", b->port);
	arg(b, "-device");
	arg(b, "virtio-serial-pci,max_ports=2");
	arg(b, "-device");
	arg(b, "virtserialport,chardev=agent,name=%s", PROTO_PORT);
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

static void args_9p(struct build *b, unsigned tag, const char *dir, bool rw)
{
	arg(b, "-fsdev");
	arg(b, "local,id=fs%u,path=%s,security_model=none,multidevs=remap%s", tag,
	    doubled(&b->arena, dir), rw ? "" : ",readonly=on");
	arg(b, "-device");
	arg(b, "virtio-9p-pci,fsdev=fs%u,mount_tag=taproom%u", tag, tag);
}

static int serve(struct build *b, const char *dir, bool rw)
{
	struct machine_run *run = &b->m->run;
	unsigned tag = b->n_fs;
	int r = share_serve(&b->server, dir, rw, b->m->config.work_dir,
			    b->words[MACHINE_HELPERS], &run->helpers[run->n_helpers],
			    &b->fs[tag], b->err);

	if (r < 0)
		return err_wrap(b->err, r, "share '%s'", dir);
	run->n_helpers++;
	b->n_fs++;
	arg(b, "-chardev");
	arg(b, "socket,id=fs%u,fd=%d", tag, b->fs[tag]);
	arg(b, "-device");
	arg(b, "vhost-user-fs-pci,chardev=fs%u,tag=taproom%u", tag, tag);
	return 0;
}

/* The root, then each share that may be written. */
static int args_files(struct build *b)
{
	const struct machine_config *c = &b->m->config;
	bool rw = c->root == MACHINE_ROOT_RW;
	unsigned tag = 1;
	int r = 0;

	if (b->virtiofs)
		r = serve(b, "/", rw);
	else
		args_9p(b, 0, "/", rw);
	for (unsigned i = 0; r == 0 && i < c->n_shares; i++) {
		if (!c->shares[i].rw)
			continue;
		if (b->virtiofs)
			r = serve(b, c->shares[i].dir, true);
		else
			args_9p(b, tag++, c->shares[i].dir, true);
	}
	return r;
}

static void args_rest(struct build *b)
{
	const struct machine_config *c = &b->m->config;

	if (c->net) {
		arg(b, "-netdev");
		arg(b, "user,id=net");
		arg(b, "-device");
		arg(b, "virtio-net-pci,netdev=net,romfile=");
	}
	for (unsigned i = 0; c->qemu_opts[i] && i < MACHINE_APPEND_MAX; i++)
		arg(b, "%s", c->qemu_opts[i]);
}

/* ---- the boot ---- */

static void decide(struct build *b)
{
	const struct machine_config *c = &b->m->config;
	struct machine_facts *f = &b->m->facts;
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	bool kvm = strcmp(b->accel.name, "kvm") == 0;

	f->accel = b->accel.name;
	snprintf(b->m->accel_why, sizeof(b->m->accel_why), "%s", b->accel.why);
	/* A second processor makes a translated boot slower, not faster. */
	f->cpus = c->cpus ? c->cpus : kvm && online > 1 ? 2 : 1;
	f->memory = c->memory ? c->memory : MEMORY;
}

/* A KVM that passed the probe and did not boot is not tried again. */
static int choose_accel(struct build *b)
{
	struct machine *m = b->m;
	bool failed = m->boots > 1 && strcmp(m->facts.accel, "kvm") == 0;

	if (failed && strcmp(m->config.accel, "auto") == 0) {
		b->accel = (struct accel){ .name = "tcg" };
		snprintf(b->accel.why, sizeof(b->accel.why), "kvm did not boot");
		return 0;
	}
	return accel_choose(m->config.accel, m->config.cache_dir, m->log, &b->accel, b->err);
}

static int start(struct build *b)
{
	struct machine_run *run = &b->m->run;
	struct proc_spec spec = { .argv = b->args, .in = PROC_NULL };
	int r = 0;

	for (unsigned i = 0; r == 0 && i < MACHINE_VOICES; i++)
		r = machine_socketpair(&run->said[i], &b->words[i], b->err);
	if (r == 0)
		r = machine_socketpair(&run->console, &b->console, b->err);
	if (r == 0)
		r = machine_socketpair(&run->port, &b->port, b->err);
	if (r < 0)
		return r;
	args_machine(b);
	args_kernel(b);
	args_streams(b);
	r = args_files(b);
	if (r < 0)
		return r;
	args_rest(b);
	spec.out = spec.err = b->words[MACHINE_VMM];
	spec.keep[spec.n_keep++] = b->initramfs;
	spec.keep[spec.n_keep++] = b->console;
	spec.keep[spec.n_keep++] = b->port;
	if (b->kernel >= 0)
		spec.keep[spec.n_keep++] = b->kernel;
	for (unsigned i = 0; i < b->n_fs; i++)
		spec.keep[spec.n_keep++] = b->fs[i];
	return proc_start(&spec, &run->vmm, b->err);
}

static int boot(struct machine *m, struct err *err)
{
	_cleanup_(build_done) struct build b = {
		.m = m, .err = err, .kernel = -1, .initramfs = -1,
		.console = -1, .port = -1, .words = { -1, -1 },
	};
	int r;

	b.program = proc_find(PROGRAM);
	if (!b.program)
		return err_set(err, ENOENT, "no program '" PROGRAM "': install " PACKAGE);
	r = choose_accel(&b);
	if (r < 0)
		return r;
	decide(&b);
	r = read_kernel(&b);
	if (r == 0)
		r = vmlinux_open(m->config.image, m->config.cache_dir, &b.kernel, err);
	if (r >= 0)
		r = make_initramfs(&b);
	return r < 0 ? r : start(&b);
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
	.boot = boot,
};
