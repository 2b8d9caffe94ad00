/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "kernel/apt.h"
#include "kernel/debian.h"
#include "kernel/image.h"
#include "kernel/kernel.h"
#include "kernel/parts.h"
#include "kernel/tool.h"
#include "tap.h"

/*
 * Which cloud kernel: names as apt-cache prints them, what is tried, in order.
 */
static const struct {
	const char *what, *names, *want;
} CANDIDATES[] = {
	{ "bookworm with its security updates: 6.12 before 6.1",
	  "linux-image-6.1.0-35-cloud-amd64\nlinux-image-6.12-cloud-amd64\n"
	  "linux-image-6.12.117+deb12-cloud-amd64\nlinux-image-cloud-amd64\n"
	  "linux-image-amd64\nlinux-source-6.1\nlinux-source-6.12\nlinux-source\n",
	  "linux-image-6.12-cloud-amd64\nlinux-image-cloud-amd64\n" },
	{ "numbers, not letters: 6.9 is older than 6.12",
	  "linux-image-6.9-cloud-amd64\nlinux-image-6.12-cloud-amd64\nlinux-source-6.9\n"
	  "linux-source-6.12\n",
	  "linux-image-6.12-cloud-amd64\nlinux-image-6.9-cloud-amd64\n" },
	{ "no source package, no candidate",
	  "linux-image-6.18-cloud-amd64\nlinux-image-6.12-cloud-amd64\nlinux-source-6.12\n",
	  "linux-image-6.12-cloud-amd64\n" },
	{ "one package per ABI is no series", "linux-image-6.10.6-cloud-amd64\nlinux-source-6.10\n",
	  "" },
	{ "debug symbols and unsigned images are no kernels",
	  "linux-image-6.12-cloud-amd64-dbg\nlinux-image-6.12-cloud-amd64-unsigned\n"
	  "linux-source-6.12\n",
	  "" },
	{ "nothing at all", "", "" },
};

static void test_candidates(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(CANDIDATES); i++) {
		struct buf b = {};

		debian_candidates(str_of(CANDIDATES[i].names), &b);
		is_str(t, b.p ? b.p : "", CANDIDATES[i].want, CANDIDATES[i].what);
		buf_done(&b);
	}
}

static const struct {
	const char *name, *want;
} SERIES[] = {
	{ "linux-image-6.12.117+deb12-cloud-amd64", "6.12" },
	{ "6.1.0-35-amd64", "6.1" },
	{ "7.0-rc3", "7.0" },
	{ "linux-image-cloud-amd64", "" },
	{ "6", "" },
	{ "6.", "" },
	{ "", "" },
};

static const struct {
	const char *depends, *want;
} DEPENDS[] = {
	{ "linux-image-6.12.117+deb12-cloud-amd64 (= 6.12.117-1~deb12u1)",
	  "linux-image-6.12.117+deb12-cloud-amd64" },
	{ "kmod, linux-base (>= 4.3~), linux-image-6.1.0-35-amd64 (= 6.1.137-1)",
	  "linux-image-6.1.0-35-amd64" },
	{ "kmod, initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool", "" },
	{ "", "" },
};

static const struct {
	const char *built, *want;
} BUILT[] = {
	{ "linux (= 6.1.176-1)", "6.1.176-1" },
	{ "glibc (= 2.36-9), linux (= 6.12.3-1~bpo1)", "6.12.3-1~bpo1" },
	{ "linux-signed (= 6.1.176-1)", "" },
	{ "linux (= )", "" },
	{ "linux (= 6.1", "" },
	{ "", "" },
};

static void test_choice(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(BUILT); i++) {
		struct str s = debian_built_of_linux(str_of(BUILT[i].built));
		_free_ char *got = xstrndup(s.p ? s.p : "", s.n);

		is_str(t, got, BUILT[i].want, "the source of a User Mode Linux");
	}

	for (size_t i = 0; i < ARRAY_SIZE(SERIES); i++) {
		struct str s = debian_series(str_of(SERIES[i].name));
		_free_ char *got = xstrndup(s.p ? s.p : "", s.n);

		is_str(t, got, SERIES[i].want, "series");
	}
	for (size_t i = 0; i < ARRAY_SIZE(DEPENDS); i++) {
		struct str s = debian_depends_image(str_of(DEPENDS[i].depends));
		_free_ char *got = xstrndup(s.p ? s.p : "", s.n);

		is_str(t, got, DEPENDS[i].want, "the image a metapackage stands for");
	}
}

static const char RECORDS[] =
	"Package: linux-source-6.12\n"
	"Version: 6.12.117-1~deb12u1\n"
	"Installed-Size: 148390\n"
	"Depends: binutils, xz-utils\n"
	"Description: Linux kernel source\n"
	" Version: not this one\n"
	"Size: 153500000\n"
	"\n"
	"Package: linux-source-6.12\n"
	"Version: 6.12.115-2~deb12u1\n"
	"Installed-Size: 99999999999999999999\n"
	"Size: -1\n"
	"\n"
	"Garbage\n";

static void test_records(struct tap *t)
{
	struct str rest = str_of(RECORDS);
	struct apt_record r;

	is_int(t, apt_record_next(&rest, &r), 1, "first record");
	ok(t, str_eq(r.version, STR("6.12.117-1~deb12u1")), "its version");
	is_int(t, (int64_t)r.size, 153500000, "bytes to fetch");
	is_int(t, (int64_t)r.installed, 148390 * 1024, "kilobytes unpacked");
	is_int(t, apt_record_next(&rest, &r), 1, "second record");
	is_int(t, (int64_t)(r.size + r.installed), 0, "numbers that can't be true are 0");
	is_int(t, apt_record_next(&rest, &r), 0, "what has no name is no record");
	is_int(t, apt_record_find(str_of(RECORDS), "6.12.115-2~deb12u1", &r), 1,
	       "found by version");
	is_int(t, apt_record_find(str_of(RECORDS), "6.12.1", &r), 0, "not there");
	is_int(t, apt_record_find(STR(""), NULL, &r), 0, "no records");
}

/*
 * Sources: what stands in the file, what a foreign suite becomes.
 */
static const char DEB822[] =
	"Types: deb deb-src\n"
	"# a comment between fields\n"
	"URIs: http://mirror.example/debian\n"
	"Suites: bookworm bookworm-updates\n"
	"Components: main\n"
	" contrib\n"
	"Signed-By: /usr/share/keyrings/debian.gpg\n"
	"\n"
	"types: deb\n"
	"uris: http://mirror.example/debian-security\n"
	"suites: bookworm-security\n"
	"components: main\n"
	"\n"
	"Types: deb\nEnabled: no\nURIs: http://off.example\nSuites: bookworm\n"
	"\n"
	"Types: deb\nURIs: https://other.example/node\nSuites: nodistro\nComponents: main\n";
static const char ONE_LINE[] =
	"# deb http://no.example bookworm main\n"
	"deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib # x\n"
	"deb-src http://mirror.example/debian bookworm main\n"
	"deb http://mirror.example/debian-security bookworm-security main\n"
	"deb\n"
	"deb [ http://cut.example bookworm\n";
static const char INLINE_KEY[] =
	"Types: deb\nURIs: http://m.example/debian\nSuites: bookworm\nComponents: main\n"
	"Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc=\n"
	" -----END PGP PUBLIC KEY BLOCK-----\n";

#define MAIN(suite, components, signed_by)                                            \
	"Types: deb\nURIs: http://mirror.example/debian\nSuites: " suite "\nComponents: " \
	components "\nSigned-By: " signed_by "\n\n"
#define SECURITY(suite)                                                                            \
	"Types: deb\nURIs: http://mirror.example/debian-security\nSuites: " suite "-security\n"    \
	"Components: main\n\n"

static const struct {
	const char *what, *text;
	bool deb822;
	const char *codename, *suite;
	unsigned n;
	const char *want;
} SOURCES[] = {
	{ "deb822", DEB822, true, "bookworm", "trixie", 1,
	  MAIN("trixie", "main\n contrib", "/usr/share/keyrings/debian.gpg") SECURITY("trixie") },
	{ "backports have no security suite", DEB822, true, "bookworm", "bookworm-backports", 1,
	  MAIN("bookworm-backports", "main\n contrib", "/usr/share/keyrings/debian.gpg") },
	{ "sid neither", DEB822, true, "bookworm", "sid", 1,
	  MAIN("sid", "main\n contrib", "/usr/share/keyrings/debian.gpg") },
	{ "one line", ONE_LINE, false, "bookworm", "trixie", 1,
	  MAIN("trixie", "main contrib", "/k.gpg") SECURITY("trixie") },
	{ "no mirror of this system's release", DEB822, true, "jammy", "trixie", 0, "" },
	{ "a key in the file", INLINE_KEY, true, "bookworm", "sid", 1,
	  "Types: deb\nURIs: http://m.example/debian\nSuites: sid\nComponents: main\n"
	  "Signed-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc=\n"
	  " -----END PGP PUBLIC KEY BLOCK-----\n\n" },
	{ "nothing", "", true, "bookworm", "sid", 0, "" },
	{ "no sense", "\n:\n \n: :\nURIs", true, "bookworm", "sid", 0, "" },
};

static void test_sources(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(SOURCES); i++) {
		struct apt_sources s = {};
		struct buf b = {};

		apt_sources_parse(&s, str_of(SOURCES[i].text), SOURCES[i].deb822);
		is_int(t, apt_sources_derive(&s, SOURCES[i].codename, SOURCES[i].suite, &b),
		       SOURCES[i].n, SOURCES[i].what);
		is_str(t, b.p ? b.p : "", SOURCES[i].want, SOURCES[i].what);
		buf_done(&b);
		apt_sources_done(&s);
	}
}

static const struct {
	const char *spec, *suite, *package;
	int r;
} SPECS[] = {
	{ "debian", NULL, NULL, 0 },
	{ "debian:trixie", "trixie", NULL, 0 },
	{ "debian/linux-image-6.12.117+deb12-cloud-amd64", NULL,
	  "linux-image-6.12.117+deb12-cloud-amd64", 0 },
	{ "debian:bookworm-backports/linux-image-amd64", "bookworm-backports",
	  "linux-image-amd64", 0 },
	{ "debian:", NULL, NULL, -EINVAL },
	{ "debian/", NULL, NULL, -EINVAL },
	{ "debian:../../etc", NULL, NULL, -EINVAL },
	{ "debian/../x", NULL, NULL, -EINVAL },
	{ "debian/-oDir=x", NULL, NULL, -EINVAL },
	{ "debian/a b", NULL, NULL, -EINVAL },
};

static void test_specs(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(SPECS); i++) {
		struct debian_spec s = {};

		is_int(t, debian_spec_parse(SPECS[i].spec, &s, NULL), SPECS[i].r, SPECS[i].spec);
		is_str(t, s.suite, SPECS[i].suite, "suite");
		is_str(t, s.package, SPECS[i].package, "package");
		debian_spec_done(&s);
	}
}

/*
 * bzImage heads: a good one of 5 sectors, then one change each.
 */
#define HEAD_SIZE (6 * 512)
#define RELEASE   "6.12.117+deb12-cloud-amd64"
#define BANNER    RELEASE " (debian-kernel@lists.debian.org) #1 SMP"

static const struct {
	const char *what;
	size_t at;          /* of the change */
	const char *bytes;  /* what is written there */
	size_t n_bytes;
	size_t size;        /* of the head; 0: all */
	const char *want;
} HEADS[] = {
	{ "as it should be", 0, "", 0, 0, RELEASE },
	{ "no boot flag", 0x1fe, "\0\0", 2, 0, NULL },
	{ "no HdrS", 0x202, "hdrs", 4, 0, NULL },
	{ "no version pointer", 0x20e, "\0\0", 2, 0, NULL },
	{ "pointer past the setup sectors", 0x20e, "\xff\xff", 2, 0, NULL },
	{ "pointer past a short setup", 0x1f1, "\x01", 1, 0, NULL },
	{ "0 sectors mean 4", 0x1f1, "\0", 1, 0, RELEASE },
	{ "version runs into the end", 0x20e, "\xf8\x09", 2, 0, NULL },
	{ "no digit first", 0x400, "x", 1, 0, NULL },
	{ "a slash in it", 0x402, "/", 1, 0, NULL },
	{ "empty", 0x400, "\0", 1, 0, NULL },
	{ "cut before the header's end", 0, "", 0, 0x20f, NULL },
	{ "cut before the version", 0, "", 0, 0x400, NULL },
	{ "cut inside the version", 0, "", 0, 0x408, NULL },
	{ "no bytes", 0, "", 0, 1, NULL },
};

static void make_head(char head[static HEAD_SIZE])
{
	memset(head, 'x', HEAD_SIZE);
	head[0x1f1] = 5;
	memcpy(head + 0x1fe, "\x55\xaa", 2);
	memcpy(head + 0x202, "HdrS", 4);
	memcpy(head + 0x20e, "\x00\x02", 2); /* 0x200: less the boot sector */
	memcpy(head + 0x400, BANNER, sizeof(BANNER));
}

static void test_bzimage(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(HEADS); i++) {
		size_t n = HEADS[i].size ? HEADS[i].size : HEAD_SIZE;
		/* On the heap and exact, so that a read past it is seen. */
		_free_ char *exact = xmalloc(n);
		char head[HEAD_SIZE];
		struct str got = STR_NONE;
		_free_ char *text = NULL;
		int r;

		make_head(head);
		memcpy(head + HEADS[i].at, HEADS[i].bytes, HEADS[i].n_bytes);
		memcpy(exact, head, n);
		r = image_release_bzimage(str_n(exact, n), &got);
		text = r ? xstrndup(got.p, got.n) : NULL;
		is_str(t, text, HEADS[i].want, HEADS[i].what);
	}
}

/* A vmlinux whose banner lies across the border of two reads. */
static void test_image_files(struct tap *t)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL, *release = NULL;
	bool uml = true;
	struct err err = {};
	struct buf b = {};
	static const char zeros[4096];

	dir_temp("/tmp", "taproom-test.", &dir, &err);
	path = path_join(dir, "vmlinux");
	buf_add(&b, "\x7f" "ELF", 4);
	while (b.n < (1u << 20) - 4096)
		buf_add(&b, zeros, sizeof(zeros));
	buf_add(&b, "Linux version %s", 16);
	buf_add(&b, zeros, (1u << 20) - b.n - 5);
	buf_printf(&b, "Linux version " BANNER);
	file_write(path, buf_str(&b), 0644, &err);
	is_int(t, image_release(path, &release, &uml, &err), 0, "vmlinux");
	is_str(t, release, RELEASE, "its banner, not the format string");
	ok(t, !uml, "and no User Mode Linux");
	buf_clear(&b);
	buf_add(&b, "\x7f" "ELF nothing", 12);
	file_write(path, buf_str(&b), 0644, &err);
	freep(&release);
	release = NULL;
	is_int(t, image_release(path, &release, &uml, &err), -ENOEXEC, "an ELF file without one");
	is_int(t, image_release("/nonexistent", &release, NULL, &err), -ENOENT, "no file");
	buf_done(&b);
}

/* Where a program's parts are loaded tells User Mode Linux from a vmlinux. */
static const struct {
	const char *name;
	unsigned machine, type;
	uint64_t at[2];
	unsigned there; /* program headers that are in the file's head */
	int uml;
} PROGRAMS[] = {
	{ "UML", EM_X86_64, ET_EXEC, { 0x60000000, 0x60400000 }, 2, 1 },
	{ "UML, position-independent", EM_X86_64, ET_DYN, { 0, 0x1000 }, 2, 1 },
	{ "vmlinux", EM_X86_64, ET_EXEC, { 0xffffffff81000000, 0xffffffff82000000 }, 2, 0 },
	{ "vmlinux with a part below", EM_X86_64, ET_EXEC, { 0, 0xffffffff81000000 }, 2, 0 },
	{ "another architecture", EM_AARCH64, ET_EXEC, { 0x60000000, 0x60400000 }, 2, 0 },
	{ "an object file", EM_X86_64, ET_REL, { 0, 0 }, 2, 0 },
	{ "headers past the end", EM_X86_64, ET_EXEC, { 0x60000000, 0x60400000 }, 1, 0 },
};

static void test_uml(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(PROGRAMS); i++) {
		struct {
			Elf64_Ehdr e;
			Elf64_Phdr p[2];
		} f = {
			.e = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64 },
			       .e_machine = (Elf64_Half)PROGRAMS[i].machine,
			       .e_type = (Elf64_Half)PROGRAMS[i].type,
			       .e_phoff = sizeof(Elf64_Ehdr), .e_phnum = 2 },
			.p = { { .p_type = PT_LOAD, .p_vaddr = PROGRAMS[i].at[0] },
			       { .p_type = PT_LOAD, .p_vaddr = PROGRAMS[i].at[1] } },
		};
		size_t n = sizeof(f) - (2 - PROGRAMS[i].there) * sizeof(Elf64_Phdr);

		is_int(t, image_is_uml(str_n((const char *)&f, n)), PROGRAMS[i].uml,
		       PROGRAMS[i].name);
	}
	is_int(t, image_is_uml(STR("\x7f" "ELF")), 0, "an ELF file cut short");
}

static void test_config(struct tap *t)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL;
	static const char config[] =
		"CONFIG_MPTCP=y\n# CONFIG_MPTCP_IPV6 is not set\n"
		"CONFIG_VETH=m\nCONFIG_NR_CPUS=64\nCONFIG_LOCAL=\"\"\nCONFIG_A=n\n"
		"CONFIG_HZ=1\nCONFIG_CUT=";
	static const struct {
		const char *name;
		char want;
	} rows[] = {
		{ "MPTCP", 'y' }, { "MPTCP_IPV6", 'n' }, { "VETH", 'm' },   { "NR_CPUS", 'y' },
		{ "LOCAL", 'y' }, { "A", 'n' },		 { "ABSENT", 'n' }, { "MPTC", 'n' },
		{ "HZ", 'y' },	  { "CUT", 'n' },
	};

	dir_temp("/tmp", "taproom-test.", &dir, NULL);
	path = path_join(dir, "config");
	file_write(path, str_of(config), 0644, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		is_int(t, kernel_config_value(path, rows[i].name), rows[i].want, rows[i].name);
	is_int(t, kernel_config_value(NULL, "MPTCP"), '?', "no file is unknown");
	is_int(t, kernel_config_value("/nonexistent", "MPTCP"), '?', "an absent one too");
}

static const struct {
	const char *said, *complaint;
	bool absent;
} SAID[] = {
	{ "tar: */tools/net: Not found in archive\n"
	  "tar: Exiting with failure status due to previous errors\n",
	  "tar: Exiting with failure status due to previous errors", true },
	{ "tar: x: Cannot write: No space left on device\n"
	  "tar: Exiting with failure status due to previous errors\n",
	  "tar: Exiting with failure status due to previous errors", false },
	{ "W: old key\nE: Unable to fetch x\nW: more\n", "E: Unable to fetch x", false },
	{ "", "", true },
};

static void test_tools(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(SAID); i++) {
		struct str c = tool_complaint(str_of(SAID[i].said));
		_free_ char *got = xstrndup(c.p ? c.p : "", c.n);

		is_str(t, got, SAID[i].complaint, "what an error quotes");
		is_int(t, parts_only_absent(str_of(SAID[i].said)), SAID[i].absent,
		       "only parts that this kernel doesn't have");
	}
}

/*
 * A small git checkout, built in place: what is copied, what changes its stamp.
 */
static void put(const char *dir, const char *name, const char *text)
{
	_free_ char *path = path_join(dir, name), *parent = path_dir(path);

	dir_make(parent, NULL);
	file_write(path, str_of(text), 0644, NULL);
}

static bool there(const char *dir, const char *name)
{
	_free_ char *path = path_join(dir, name);

	return file_exists(path);
}

static int git(const char *dir, const char *line)
{
	const char *const argv[] = { "sh", "-c", line, NULL };

	return tool_run(argv, dir, NULL, NULL);
}

static void make_tree(const char *tree)
{
	put(tree, "Kbuild", "#\n");
	put(tree, "Makefile", "VERSION = 6\n");
	put(tree, ".gitignore", "*.o\n.config\ninclude/config\nfixdep\n/arch/x86/boot\n");
	put(tree, "scripts/basic/fixdep.c", "int main;\n");
	put(tree, "tools/testing/selftests/net/mptcp/Makefile", "all:\n");
	put(tree, "tools/testing/selftests/net/mptcp/gone.sh", "#!/bin/sh\n");
	put(tree, "drivers/net/big.c", "int big;\n");
	git(tree, "git init -q . && git add -A && git -c user.name=t -c user.email=t@example.org "
		  "commit -qm t");
	put(tree, "scripts/basic/fixdep", "ELF");
	put(tree, "scripts/a.o", "ELF");
	put(tree, ".config", "CONFIG_MPTCP=y\n");
	put(tree, "include/config/kernel.release", "6.12.0-test+\n");
	put(tree, "arch/x86/boot/bzImage", "MZ");
	put(tree, "tools/testing/selftests/net/mptcp/new.sh", "#!/bin/sh\n");
	git(tree, "rm tools/testing/selftests/net/mptcp/gone.sh");
}

static void test_tree(struct tap *t)
{
	static const char *const copied[] = { "Kbuild", "scripts/basic/fixdep.c",
					      "tools/testing/selftests/net/mptcp/new.sh" };
	static const char *const left[] = { ".config", "scripts/basic/fixdep", "scripts/a.o",
					    "include/config", "drivers",
					    "tools/testing/selftests/net/mptcp/gone.sh" };
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *tree = NULL, *cache = NULL, *first = NULL, *rsync = proc_find("rsync");
	_free_ char *program = proc_find("git");
	struct kernel k = {};
	struct err err = {};

	if (!rsync || !program) {
		ok(t, true, "a tree # SKIP no git or rsync");
		return;
	}
	dir_temp("/tmp", "taproom-test.", &dir, NULL);
	tree = path_join(dir, "linux");
	cache = path_join(dir, "cache");
	make_tree(tree);
	is_int(t, kernel_find(tree, cache, NULL, &k, &err), 0, "a built tree");
	is_str(t, k.release, "6.12.0-test+", "its release");
	ok(t, k.version && str_ends(str_of(k.version), STR("-dirty")), "described as dirty");
	is_int(t, kernel_config_value(k.config, "MPTCP"), 'y', "its configuration");
	is_int(t, kernel_source(&k, cache, NULL, &err), 0, "its source");
	ok(t, strcmp(k.source, tree) != 0, "is a copy: the tree was built in place");
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		ok(t, there(k.source, copied[i]), "with %s", copied[i]);
	for (size_t i = 0; i < ARRAY_SIZE(left); i++)
		ok(t, !there(k.source, left[i]), "without %s", left[i]);
	first = xstrdup(k.source_id);
	kernel_done(&k);

	put(tree, "scripts/b.o", "ELF");
	kernel_find(tree, cache, NULL, &k, &err);
	kernel_source(&k, cache, NULL, &err);
	is_str(t, k.source_id, first, "what a build leaves changes nothing");
	kernel_done(&k);

	put(tree, "scripts/basic/fixdep.c", "int main; /* edited */\n");
	kernel_find(tree, cache, NULL, &k, &err);
	kernel_source(&k, cache, NULL, &err);
	ok(t, k.source_id && strcmp(k.source_id, first) != 0, "an edit does");
	kernel_done(&k);
}

static void test_not_found(struct tap *t)
{
	_cleanup_(dir_removep) char *dir = NULL;
	struct kernel k = {};
	struct err err = {};

	dir_temp("/tmp", "taproom-test.", &dir, NULL);
	is_int(t, kernel_find("/nonexistent", dir, NULL, &k, &err), -ENOENT, "no such kernel");
	is_str(t, err.text,
	       "no kernel '/nonexistent': give a kernel tree, 'git:REF', a bzImage or vmlinux "
	       "file, 'host' or 'debian[:SUITE][/PACKAGE]'",
	       "says what there is");
	is_int(t, kernel_find(dir, dir, NULL, &k, &err), -ENOENT, "an empty directory");
	put(dir, "Kbuild", "");
	is_int(t, kernel_find(dir, dir, NULL, &k, &err), -ENOENT, "a tree that isn't built");
	ok(t, str_find(str_of(err.text), STR("run make there")) >= 0, "says what to do");
	k.spec = xstrdup("host");
	is_int(t, kernel_source(&k, dir, NULL, &err), -ENOENT, "no source of an installed kernel");
	kernel_done(&k);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_candidates(&t);
	test_choice(&t);
	test_records(&t);
	test_sources(&t);
	test_specs(&t);
	test_bzimage(&t);
	test_image_files(&t);
	test_uml(&t);
	test_config(&t);
	test_tools(&t);
	test_tree(&t);
	test_not_found(&t);
	return tap_done(&t);
}
