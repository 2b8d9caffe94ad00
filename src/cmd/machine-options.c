/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/machine-options.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"
#include "kernel/symbols.h"

static const char *const MACHINES[] = { "auto", "qemu", "uml", "host", NULL };
static const char *const ACCELS[] = { "auto", "kvm", "tcg", NULL };
static const char *const BASES[] = { "defconfig", "tiny", NULL };
static const char *const ROOTS[] = { "overlay", "ro", "rw", NULL };

#define AT(field) .offset = offsetof(struct machine_options, field)

const struct opt MACHINE_OPTION_ROWS[] = {
	{ .type = OPT_TYPE_STR, .name = "kernel", .arg = "SPEC", AT(kernel),
	  .help = "a kernel tree, git:REF, a bzImage, a User Mode Linux, 'host', or "
		  "debian[:SUITE][/PACKAGE], which is fetched and unpacked without installing. "
		  "A tree that is not built is built in the cache; with one of the next five "
		  "options any tree is [default: '.' if it is a kernel tree, else debian]" },
	{ .type = OPT_TYPE_STR, .name = "mode", .arg = "MODE", AT(mode),
	  .help = "how the kernel is configured: normal, debug, btf-normal, btf-debug, or one "
		  "of the configuration [default: normal]" },
	{ .type = OPT_TYPE_LIST, .name = "config", .arg = "WHAT", AT(config),
	  .help = "options of the kernel, in one word: '-e FOO -d BAR -m BAZ --set-val N 3'; "
		  "or the configuration's file [default: taproom.yaml here or in a parent, else "
		  "~/.config/taproom/taproom.yaml, else the MPTCP plan]" },
	{ .type = OPT_TYPE_STR, .name = "base", .arg = "BASE", AT(base), .choices = BASES,
	  .help = "the configuration that the mode is added to: the architecture's defconfig, or "
		  "tiny, which has nothing but what is wanted [default: the mode's]" },
	{ .type = OPT_TYPE_LIST, .name = "coverage", .arg = "DIR", AT(coverage),
	  .help = "a directory of the kernel's tree, net/mptcp, in which the kernel counts "
		  "which lines run; a run reports how many did, and keeps the pages" },
	{ .type = OPT_TYPE_FLAG, .name = "llvm", AT(llvm),
	  .help = "build with clang and its linker [default: gcc]" },
	{ .type = OPT_TYPE_STR, .name = "machine", .arg = "KIND", AT(machine), .choices = MACHINES,
	  .several = true,
	  .help = "auto, qemu (a virtual machine), uml (a kernel that is a process) or host "
		  "(namespaces on the running kernel); auto is what fits the kernel "
		  "[default: auto]" },
	{ .type = OPT_TYPE_STR, .name = "uml-time", .arg = "TIME", AT(uml_time),
	  .help = "a uml machine's clock: real, idle (sleeps cost nothing), inf (nor do "
		  "computations: a slow host makes nothing late), ext:[ID:]SOCKET "
		  "[default: real]" },
	{ .type = OPT_TYPE_STR, .name = "accel", .arg = "ACCEL", AT(accel), .choices = ACCELS,
	  .help = "auto, kvm or tcg; auto is kvm only where it was seen to run fast "
		  "[default: auto]" },
	{ .type = OPT_TYPE_INT, .name = "cpus", .arg = "N", AT(cpus),
	  .positive = true,
	  .help = "processors of the machine [default: 2 at most, 1 under tcg]" },
	{ .type = OPT_TYPE_SIZE, .name = "memory", .arg = "SIZE", AT(memory),
	  .positive = true,
	  .help = "memory of the machine [default: 1G]" },
	{ .type = OPT_TYPE_STR, .name = "root", .arg = "HOW", AT(root), .choices = ROOTS,
	  .help = "the host's files in the guest: overlay (it may write, nothing reaches the "
		  "host), ro, rw [default: overlay]" },
	{ .type = OPT_TYPE_LIST, .name = "share", .arg = "DIR[:rw]", AT(shares),
	  .help = "a directory that the guest sees as it is, and may write with :rw" },
	{ .type = OPT_TYPE_DURATION, .name = "timeout", .arg = "TIME", AT(timeout_ms),
	  .positive = true,
	  .help = "of all of it: 90, 5m, 2h [default: 2h]" },
	{ .type = OPT_TYPE_FLAG, .name = "net", AT(net),
	  .help = "give the guest a network (user mode)" },
	{ .type = OPT_TYPE_LIST, .name = "append", .arg = "ARGS", AT(append),
	  .help = "add to the kernel command line" },
	{ .type = OPT_TYPE_LIST, .name = "qemu-opt", .arg = "ARG", AT(qemu_opts),
	  .help = "add an argument to QEMU's" },
	{ .type = OPT_TYPE_FLAG, .name = "gdb", AT(gdb),
	  .help = "let gdb attach to the guest's kernel, and print the command for it. No "
		  "deadline of boot, test or heartbeat ends such a machine" },
	{ .type = OPT_TYPE_FLAG, .name = "gdb-wait", AT(gdb_wait),
	  .help = "as --gdb, and wait for it before the first instruction" },
	{ .type = OPT_TYPE_FLAG, .name = "dump", AT(dump),
	  .help = "write the memory of a guest that panics to a file here, or in --out, and "
		  "print its name" },
	{ .type = OPT_TYPE_FLAG, .name = "cold", AT(cold),
	  .help = "boot; never start from a ready machine, kept in the cache when it had booted" },
	OPT_END,
};

/* For the debugger's line: with symbols where there are some. */
static char *vmlinux_of(const struct machine_options *o, const struct kernel *k,
			const char *cache_dir)
{
	struct symbols_from from = { .kernel = o->kernel, .release = k->release,
				     .cache_dir = cache_dir };
	struct symbols *s = NULL;
	char *path = NULL;

	if (symbols_open(&from, &s, NULL) == 0)
		path = xstrdup(symbols_path(s));
	symbols_close(s);
	return path;
}

static int dump_path(char **ret, struct err *err)
{
	_free_ char *cwd = getcwd(NULL, 0);

	if (!cwd)
		return err_sys(err, errno, "--dump: where are we");
	*ret = xasprintf("%s/vmcore-%d", cwd, (int)getpid());
	return 0;
}

const char *machine_options_kind(const struct machine_options *o)
{
	return o->machine ? o->machine : "auto";
}

bool machine_options_words(const struct machine_options *o, struct opt_list *ret)
{
	bool any = false;

	for (size_t i = 0; i < o->config.n; i++) {
		if (o->config.v[i][0] != '-')
			continue;
		any = true;
		if (ret)
			opt_list_add(ret, o->config.v[i]);
	}
	return any;
}

int machine_options_file(const struct machine_options *o, const char **ret, struct err *err)
{
	const char *file = NULL;

	for (size_t i = 0; i < o->config.n; i++) {
		if (o->config.v[i][0] == '-')
			continue;
		if (file)
			return err_set(err, EINVAL, "--config: two files, '%s' and '%s'", file,
				       o->config.v[i]);
		file = o->config.v[i];
	}
	*ret = file;
	return 0;
}

const char *machine_options_settle(const char *kind, const struct kernel *k)
{
	if (strcmp(kind, "auto") != 0)
		return kind;
	return k && k->uml ? "uml" : "qemu";
}

static bool is_given(const struct opt_list *l)
{
	return l->n && l->v[0];
}

int machine_options_fit(const struct machine_options *o, const char *const *kinds, size_t n,
			struct err *err)
{
	const struct {
		const char *name;
		bool given;
		const char *kinds[2];
	} rows[] = {
		{ "uml-time", o->uml_time != NULL, { "uml" } },
		{ "accel", o->accel && strcmp(o->accel, "auto") != 0, { "qemu" } },
		{ "qemu-opt", is_given(&o->qemu_opts), { "qemu" } },
		{ "append", is_given(&o->append), { "qemu", "uml" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *const *k = rows[i].kinds;
		bool fits = !rows[i].given;

		for (size_t j = 0; j < n && !fits; j++)
			fits = strcmp(kinds[j], k[0]) == 0 || strcmp(kinds[j], "auto") == 0 ||
			       (k[1] && strcmp(kinds[j], k[1]) == 0);
		if (!fits)
			return err_set(err, EINVAL, "--%s is for --machine %s%s%s, and this is %s",
				       rows[i].name, k[0], k[1] ? " or " : "", k[1] ? k[1] : "",
				       kinds[0]);
	}
	return 0;
}

static enum machine_root root_from_name(const char *name)
{
	if (name && strcmp(name, "ro") == 0)
		return MACHINE_ROOT_RO;
	return name && strcmp(name, "rw") == 0 ? MACHINE_ROOT_RW : MACHINE_ROOT_OVERLAY;
}

/* "DIR" or "DIR:rw" to an absolute directory. */
static int share_parse(const char *word, struct machine_share *ret, struct err *err)
{
	struct str s = str_of(word);
	bool rw = str_ends(s, STR(":rw"));
	_free_ char *dir = xstrndup(s.p, s.n - (rw ? 3 : 0));
	char *real = realpath(dir, NULL);

	if (!real)
		return err_sys(err, errno, "--share '%s'", dir);
	*ret = (struct machine_share){ real, rw };
	return 0;
}

/* Below it kernels do not unpack themselves. */
#define MEMORY_MIN (64u << 20)

static uint64_t host_memory(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void end_list(struct opt_list *l)
{
	if (!l->n || l->v[l->n - 1])
		opt_list_add(l, NULL);
}

int machine_options_config(struct machine_options *o, const struct kernel *k,
			   const char *cache_dir, struct machine_config *ret, struct err *err)
{
	char text[UNIT_TEXT_MAX];

	if (!o->share_list)
		o->share_list = xcalloc(o->shares.n, sizeof(*o->share_list));
	for (; o->n_share_list < o->shares.n; o->n_share_list++) {
		int r = share_parse(o->shares.v[o->n_share_list],
				    &o->share_list[o->n_share_list], err);

		if (r < 0)
			return r;
	}
	if (o->memory && (o->memory < MEMORY_MIN || o->memory > host_memory()))
		return err_set(err, EINVAL, "--memory: a machine needs 64M, and this host has %s",
			       size_text(host_memory(), text));
	o->gdb |= o->gdb_wait;
	if (o->gdb && k && !o->vmlinux)
		o->vmlinux = vmlinux_of(o, k, cache_dir);
	if (o->dump && !o->dump_path && dump_path(&o->dump_path, err) < 0)
		return -EINVAL;
	end_list(&o->append);
	end_list(&o->qemu_opts);
	*ret = (struct machine_config){
		.image = k ? k->image : NULL,
		.release = k ? k->release : NULL,
		.config = k ? k->config : NULL,
		.modules_dir = k ? k->modules_dir : NULL,
		.cpus = (unsigned)o->cpus,
		.memory = o->memory,
		.image_is_uml = k && k->uml,
		.uml_time = o->uml_time,
		.accel = o->accel ? o->accel : "auto",
		.root = root_from_name(o->root),
		.shares = o->share_list,
		.n_shares = o->n_share_list,
		.net = o->net,
		.cold = o->cold,
		.append = o->append.v,
		.qemu_opts = o->qemu_opts.v,
		.gdb = o->gdb,
		.gdb_waits = o->gdb_wait,
		.vmlinux = o->vmlinux,
		.dump = o->dump_path,
		.cache_dir = cache_dir,
	};
	return 0;
}

void machine_options_done(struct machine_options *o)
{
	while (o->n_share_list)
		free((char *)o->share_list[--o->n_share_list].dir);
	free(o->share_list);
	free(o->dump_path);
	free(o->vmlinux);
	opt_list_done(&o->shares);
	opt_list_done(&o->append);
	opt_list_done(&o->qemu_opts);
	opt_list_done(&o->config);
	opt_list_done(&o->coverage);
}
