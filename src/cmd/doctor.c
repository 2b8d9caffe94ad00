/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: what this machine can do, what is missing, and the command that
 * mends it. One row per program; what needs more than a look has a function.
 */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/units.h"
#include "machine/accel.h"
#include "machine/machine.h"
#include "machine/share.h"

#define QEMU         "qemu-system-x86_64"
#define TOOL_WAIT_MS 10000
/* A kernel, its source in parts, built tests and a history. */
#define CACHE_WANTED (3ull << 30)
#define MEMORY_WANTED (3ull << 29) /* one machine and us */

enum verdict {
	DOCTOR_GOOD,
	DOCTOR_LESS,    /* it goes without, slower or not all of it */
	DOCTOR_MISSING, /* something that taproom is for does not work */
};

static const char *const VERDICTS[] = {
	[DOCTOR_GOOD] = "ok",
	[DOCTOR_LESS] = "less",
	[DOCTOR_MISSING] = "missing",
};

struct doctor {
	struct cmd *cmd;
	struct cmd_common opt;
	char *cache_dir;
	struct json json;
	const char *group;
	struct buf packages;  /* to install, separated by blanks */
	unsigned counts[DOCTOR_MISSING + 1];
};

/* Says one thing. @mend: a command, or NULL. */
static void tell(struct doctor *d, const char *group, const char *name, enum verdict v,
		 const char *text, const char *mend)
{
	struct out *o = d->cmd->out;

	d->counts[v]++;
	if (d->opt.json) {
		json_object(&d->json);
		json_field_str(&d->json, "group", str_of(group));
		json_field_str(&d->json, "name", str_of(name));
		json_field_str(&d->json, "verdict", str_of(VERDICTS[v]));
		json_field_str(&d->json, "text", str_of(text));
		json_field_str(&d->json, "mend", str_of(mend));
		json_end(&d->json);
		return;
	}
	if (!d->group || strcmp(d->group, group) != 0)
		out_printf(o, "%s%s\n", d->group ? "\n" : "", group);
	d->group = group;
	out_printf(o, "  %-8s %-14s ", VERDICTS[v], name);
	out_term(o, str_of(text));
	if (mend && v != DOCTOR_GOOD)
		out_printf(o, "\n  %-8s %-14s -> %s", "", "", mend);
	out_lit(o, "\n");
}

static void package_add(struct doctor *d, const char *package)
{
	_free_ char *word = xasprintf(" %s ", package);
	_free_ char *have = xasprintf(" %s ", buf_str(&d->packages).p);

	if (!strstr(have, word))
		buf_printf(&d->packages, "%s%s", d->packages.n ? " " : "", package);
}

struct tool {
	const char *program, *package, *use;
	enum verdict without;
};

static const struct tool SELFTESTS[] = {
	{ "bash", "bash", "most tests are its scripts", DOCTOR_MISSING },
	{ "ip", "iproute2", "namespaces, links, endpoints", DOCTOR_MISSING },
	{ "ss", "iproute2", "sockets, for diag", DOCTOR_MISSING },
	{ "tc", "iproute2", "shapes links: without it simult_flows proves nothing",
	  DOCTOR_MISSING },
	{ "nstat", "iproute2", "counters: was it MPTCP at all", DOCTOR_MISSING },
	{ "stdbuf", "coreutils", "output while a test runs", DOCTOR_MISSING },
	{ "cmp", "diffutils", "what arrived is what was sent", DOCTOR_MISSING },
	{ "ping", "iputils-ping", "is a link up", DOCTOR_LESS },
	{ "nft", "nftables", "transparent proxy", DOCTOR_LESS },
	{ "iptables", "iptables", "drops and marks packets", DOCTOR_LESS },
	{ "tcpdump", "tcpdump", "captures of a failure", DOCTOR_LESS },
	{ "ethtool", "ethtool", "offloads off and on", DOCTOR_LESS },
	{ "jq", "jq", "reads ip -j", DOCTOR_LESS },
	{ "sysctl", "procps", "settings of the stack", DOCTOR_LESS },
};

static const struct tool BUILDING[] = {
	{ "gcc", "gcc", "selftests are compiled here", DOCTOR_MISSING },
	{ "make", "make", "their Makefiles", DOCTOR_MISSING },
	{ "rsync", "rsync", "headers_install", DOCTOR_MISSING },
	{ "depmod", "kmod", "modules of a kernel that is not installed", DOCTOR_MISSING },
	{ "xz", "xz-utils", "kernel sources are .tar.xz", DOCTOR_MISSING },
	{ "flex", "flex", "building kernels", DOCTOR_LESS },
	{ "bison", "bison", "building kernels", DOCTOR_LESS },
	{ "bc", "bc", "building kernels", DOCTOR_LESS },
	{ "clang", "clang", "BPF tests", DOCTOR_LESS },
	{ "git", "git", "kernels by commit", DOCTOR_LESS },
};

static void check_tools(struct doctor *d, const char *group, const struct tool *tools, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_free_ char *path = proc_find(tools[i].program);
		_free_ char *mend = xasprintf("apt-get install %s", tools[i].package);

		if (!path)
			package_add(d, tools[i].package);
		tell(d, group, tools[i].program, path ? DOCTOR_GOOD : tools[i].without,
		     path ? path : tools[i].use, path ? NULL : mend);
	}
}

/* What a program prints; empty when it fails. */
static char *ask(const char *program, const char *arg1, const char *arg2)
{
	const char *argv[] = { program, arg1, arg2, NULL };
	struct proc_spec spec = { .argv = argv, .in = PROC_NULL, .err = PROC_NULL };
	struct buf b = { .max = 1 << 20 };

	if (proc_run(&spec, &b, NULL, TOOL_WAIT_MS, NULL) != 0)
		buf_clear(&b);
	return buf_take(&b);
}

static void check_qemu(struct doctor *d, const char *group)
{
	_free_ char *path = proc_find(QEMU);
	_free_ char *version = NULL, *devices = NULL, *line = NULL;

	if (!path) {
		package_add(d, "qemu-system-x86");
		tell(d, group, "qemu", DOCTOR_MISSING, "no program '" QEMU "'",
		     "apt-get install qemu-system-x86");
		return;
	}
	version = ask(path, "--version", NULL);
	line = xstrndup(version, strcspn(version, "\n"));
	tell(d, group, "qemu", DOCTOR_GOOD, line[0] ? line : path, NULL);
	devices = ask(path, "-device", "help");
	if (strstr(devices, "\"virtio-9p-pci\""))
		tell(d, group, "9p", DOCTOR_GOOD, "where a kernel has no virtiofs", NULL);
	else
		tell(d, group, "9p", DOCTOR_LESS, "this QEMU has no virtio-9p-pci; for "
		     "kernels without virtiofs what is needed of the host's files is packed", NULL);
}

static void check_virtiofsd(struct doctor *d, const char *group)
{
	_cleanup_(share_server_done) struct share_server s = {};
	_free_ char *text = NULL;
	struct err err = {};
	int r = share_server_find(NULL, &s, &err);

	if (r < 0) {
		tell(d, group, "virtiofsd", DOCTOR_MISSING, err.text,
		     SHARE_SERVER_ENV "=PATH names another");
	} else if (!s.path) {
		package_add(d, "qemu-system-common");
		tell(d, group, "virtiofsd", DOCTOR_MISSING, "for kernels without 9p, Debian's "
		     "cloud kernels among them, what is needed of the host's files is packed",
		     "apt-get install qemu-system-common");
	} else if (geteuid() != 0) {
		tell(d, group, "virtiofsd", DOCTOR_LESS, "needs root; 9p is used where the "
		     "kernel has it, else what is needed is packed", "sudo taproom ...");
	} else {
		text = xasprintf("%s, the one %s", s.path, s.rust ? "in Rust" : "of QEMU");
		tell(d, group, "virtiofsd", DOCTOR_GOOD, text, NULL);
	}
}

static void check_firmware(struct doctor *d, const char *group)
{
	bool there = access("/usr/share/qemu/qboot.rom", R_OK) == 0;

	tell(d, group, "qboot", there ? DOCTOR_GOOD : DOCTOR_LESS,
	     there ? "firmware that is done at once" : "without it each boot takes longer",
	     there ? NULL : "apt-get install qemu-system-data");
	if (!there)
		package_add(d, "qemu-system-data");
}

static void check_kvm(struct doctor *d, const char *group)
{
	char why[256];
	bool fresh;
	int r = accel_kvm(d->cache_dir, why, sizeof(why), &fresh);
	_free_ char *text = xasprintf("%s%s", why, r > 0 ? "" : "; machines use tcg, some 10 "
				      "times slower");

	tell(d, group, "kvm", r > 0 ? DOCTOR_GOOD : DOCTOR_LESS, text, NULL);
}

static void check_kinds(struct doctor *d, const char *group)
{
	for (unsigned i = 0; i < MACHINE_KINDS_N; i++) {
		_cleanup_(buf_done) struct buf why = {};
		bool good = MACHINE_KINDS[i].probe(d->cache_dir, &why) > 0;

		tell(d, group, MACHINE_KINDS[i].name, good ? DOCTOR_GOOD : DOCTOR_MISSING,
		     good ? MACHINE_KINDS[i].summary : buf_str(&why).p, NULL);
	}
}

static void check_memory(struct doctor *d, const char *group)
{
	int64_t bytes = sysconf(_SC_AVPHYS_PAGES) * sysconf(_SC_PAGESIZE);
	char size[UNIT_TEXT_MAX];
	_free_ char *text = xasprintf("%s free, %ld processors", size_text((uint64_t)bytes, size),
				      sysconf(_SC_NPROCESSORS_ONLN));

	tell(d, group, "memory", bytes < (int64_t)MEMORY_WANTED ? DOCTOR_LESS : DOCTOR_GOOD, text,
	     "give machines less: --memory 512M");
}

/* What of the cache is bounded, and how far. */
static void check_kept(struct doctor *d, const char *group)
{
	char now[UNIT_TEXT_MAX], most[UNIT_TEXT_MAX];
	struct machine_kept k;
	_free_ char *text = NULL;

	machine_kept(d->cache_dir, &k);
	text = xasprintf("%u of at most %u are kept, %s; of at most %s each", k.n, k.n_max,
			 size_text(k.bytes, now), size_text(k.bytes_max, most));
	tell(d, group, "ready machines", DOCTOR_GOOD, text, NULL);
}

/* Free space where @path is, or will be. */
static void check_place(struct doctor *d, const char *group, const char *name, const char *path,
			uint64_t wanted)
{
	_free_ char *at = xstrdup(path);
	_free_ char *text = NULL;
	char size[UNIT_TEXT_MAX];
	struct err err = {};
	uint64_t bytes;

	while (!file_exists(at) && strchr(at + 1, '/'))
		*strrchr(at, '/') = '\0';
	if (dir_free_space(at, &bytes, &err) < 0 || access(at, W_OK) < 0) {
		text = xasprintf("'%s' can't be written", path);
		tell(d, group, name, DOCTOR_MISSING, text, NULL);
		return;
	}
	text = xasprintf("%s, %s free", path, size_text(bytes, size));
	tell(d, group, name, bytes < wanted ? DOCTOR_LESS : DOCTOR_GOOD, text,
	     "make room; what is in the cache may be deleted at any time");
}

static void check_all(struct doctor *d)
{
	check_kinds(d, "Machines");
	check_qemu(d, "Virtual machines");
	check_virtiofsd(d, "Virtual machines");
	check_firmware(d, "Virtual machines");
	check_kvm(d, "Virtual machines");
	check_memory(d, "Places");
	check_place(d, "Places", "cache", d->cache_dir, CACHE_WANTED);
	check_kept(d, "Places");
	check_tools(d, "Selftests", SELFTESTS, ARRAY_SIZE(SELFTESTS));
	check_tools(d, "Building", BUILDING, ARRAY_SIZE(BUILDING));
}

static const struct opt OPTS[] = {
	OPT_GROUP("Common", CMD_COMMON, struct doctor, opt),
	OPT_END,
};

const struct opt_command cmd_doctor_help = {
	.usage = "taproom doctor [options]",
	.summary = "Says what this machine can do, what is missing, and how to get it.",
	.text = "ok: it is there. less: it goes without, slower or not all of it. missing: "
		"something that taproom is for does not work.\n"
		"Exit status: 0 nothing is missing, 4 something is.",
	.opts = OPTS,
};

static void conclude(struct doctor *d)
{
	struct out *o = d->cmd->out;
	const char *packages = buf_str(&d->packages).p;
	_free_ char *mend = xasprintf("%sapt-get install %s", geteuid() ? "sudo " : "", packages);

	if (d->opt.json) {
		json_end(&d->json);
		json_field_str(&d->json, "mend", packages[0] ? str_of(mend) : STR_NONE);
		json_field_bool(&d->json, "ready", d->counts[DOCTOR_MISSING] == 0);
		json_end(&d->json);
		return;
	}
	out_printf(o, "\n%u ok, %u less, %u missing\n", d->counts[DOCTOR_GOOD],
		   d->counts[DOCTOR_LESS], d->counts[DOCTOR_MISSING]);
	if (packages[0])
		out_printf(o, "To mend it all: %s\n", mend);
}

int cmd_doctor_run(struct cmd *c, int argc, char **argv)
{
	struct doctor d = { .cmd = c };
	struct err err = {};
	int n, code = cmd_options(c, &cmd_doctor_help, false, argc, argv, &d, &d.opt, &n);

	if (code >= 0)
		return code;
	if (n) {
		err_set(&err, EINVAL, "doctor takes no '%s'", argv[1]);
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	d.cache_dir = cmd_cache_dir();
	if (d.opt.json) {
		json_init(&d.json, c->out, true);
		json_object(&d.json);
		json_key(&d.json, "checks");
		json_array(&d.json);
	}
	check_all(&d);
	conclude(&d);
	buf_done(&d.packages);
	free(d.cache_dir);
	return d.counts[DOCTOR_MISSING] ? EXIT_HARNESS : EXIT_PASSED;
}
