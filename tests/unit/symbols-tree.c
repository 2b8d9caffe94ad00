/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols-tree.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"

#define WORDS_MAX 48

/* Marks are comments: the tests name them, never a number. */
static const struct {
	const char *path, *text;
} SOURCES[] = {
	{ "include/net/sock.h",
	  "#define apart __attribute__((noinline, noclone))\n"
	  "#define inlined static inline __attribute__((always_inline))\n"
	  "void sink(int v);\n"
	  "extern volatile int state;\n"
	  "inlined void sock_put(int v)\n"
	  "{\n"
	  "	sink(v); /* sock-put-call */\n"
	  "	state += v; /* sock-put-after */\n"
	  "}\n"
	  "inlined void sock_release(int v)\n"
	  "{\n"
	  "	state ^= v;\n"
	  "	sock_put(v + 1); /* sock-release-call */\n"
	  "	state |= v;\n"
	  "}\n" },
	{ "init/main.c",
	  "#include <net/sock.h>\n"
	  "int mptcp_recvmsg(int v);\n"
	  "int mptcp_close(int v);\n"
	  "int __init_late(int v);\n"
	  "const char linux_banner[] = \"Linux version " TREE_RELEASE " (gcc) #1\";\n"
	  "volatile int state;\n"
	  "apart void sink(int v)\n"
	  "{\n"
	  "	state = v;\n"
	  "}\n"
	  "static apart int helper(int v)\n"
	  "{\n"
	  "	sink(v); /* main-helper-call */\n"
	  "	return state;\n"
	  "}\n"
	  "apart int kernel_init(int v)\n"
	  "{\n"
	  "	sink(helper(v));\n"
	  "	return mptcp_recvmsg(v) + mptcp_close(v);\n"
	  "}\n"
	  "void _start(void)\n"
	  "{\n"
	  "	kernel_init(state);\n"
	  "	for (;;)\n"
	  "		;\n"
	  "}\n" },
	{ "net/mptcp/protocol.c",
	  "#include <net/sock.h>\n"
	  "__attribute__((cold, noinline)) void complain(int v)\n"
	  "{\n"
	  "	sink(-v); /* complain-call */\n"
	  "	state = 0;\n"
	  "}\n"
	  "static apart int helper(int v)\n"
	  "{\n"
	  "	state += 3 * v;\n"
	  "	state ^= 5;\n"
	  "	sink(v); /* protocol-helper-call */\n"
	  "	return state * 7;\n"
	  "}\n"
	  "static __attribute__((noinline)) int copied(int v, int by)\n"
	  "{\n"
	  "	for (int i = 0; i < by; i++) {\n"
	  "		sink(v + i); /* copied-call */\n"
	  "		state += i;\n"
	  "	}\n"
	  "	return state;\n"
	  "}\n"
	  "apart int mptcp_recvmsg(int v)\n"
	  "{\n"
	  "	state++;\n"
	  "	sock_release(v); /* recvmsg-release */\n"
	  "	if (__builtin_expect(state == 77, 0))\n"
	  "		complain(v);\n"
	  "	if (__builtin_expect(state == 78, 0)) {\n"
	  "		sock_release(state);\n"
	  "		complain(v + 1);\n"
	  "	}\n"
	  "	return helper(v) + copied(v, 9) + copied(v + state, 9);\n"
	  "}\n"
	  "apart int mptcp_close(int v)\n"
	  "{\n"
	  "	sink(v); /* close-call */\n"
	  "	state += 2; /* close-after */\n"
	  "	return state;\n"
	  "}\n" },
	{ "net/mptcp/mptcp.c",
	  "#include <net/sock.h>\n"
	  "static apart int helper(int v)\n"
	  "{\n"
	  "	sock_put(v); /* module-helper-put */\n"
	  "	return state;\n"
	  "}\n"
	  "int mptcp_subflow(int v)\n"
	  "{\n"
	  "	sock_release(v); /* subflow-release */\n"
	  "	return helper(v) + state;\n"
	  "}\n"
	  "__attribute__((section(\".init.text\"))) int mptcp_init(int v)\n"
	  "{\n"
	  "	sink(v); /* module-init-call */\n"
	  "	return helper(v) + state;\n"
	  "}\n" },
};

void tree_init(struct tree *t)
{
	*t = (struct tree){};
	if (dir_temp("/tmp", "taproom-symbols.", &t->dir, NULL) < 0)
		abort();
	for (size_t i = 0; i < ARRAY_SIZE(SOURCES); i++) {
		_free_ char *path = path_join(t->dir, SOURCES[i].path), *dir = path_dir(path);

		if (dir_make(dir, NULL) < 0 ||
		    file_write(path, str_of(SOURCES[i].text), 0644, NULL) < 0)
			abort();
	}
	t->vmlinux = path_join(t->dir, "vmlinux");
	t->module = path_join(t->dir, "net/mptcp/mptcp.ko");
#ifdef __x86_64__
	t->gcc = proc_find("gcc");
#endif
}

void tree_done(struct tree *t)
{
	dir_removep(&t->dir);
	free(t->gcc);
	free(t->vmlinux);
	free(t->module);
}

static int run(const char *dir, const char *const *argv, struct buf *said)
{
	struct proc_spec spec = { .argv = argv, .dir = dir, .in = PROC_NULL, .out = PROC_NULL };

	return proc_run(&spec, NULL, said, 60000, NULL);
}

/* "gcc FLAGS WORDS", with {} in words for the tree when it is built elsewhere. */
static int compile(const struct tree *t, const struct tree_way *way, const char *words,
		   struct buf *said)
{
	_free_ char *line = xasprintf("%s %s", way->flags, words);
	_free_ char *other = path_join(t->dir, "obj");
	const char *argv[WORDS_MAX] = { t->gcc };
	char *owned[WORDS_MAX];
	size_t n = 0;
	int r;

	dir_make(other, NULL);
	for (struct str rest = str_of(line); rest.p && n + 2 < WORDS_MAX;) {
		struct str w = str_cut(&rest, ' ');
		bool source = str_starts(w, STR("@"));

		if (source)
			w = str_from(w, 1);
		if (w.n == 0)
			continue;
		owned[n] = source && way->elsewhere ?
				   xasprintf("%s/%.*s", t->dir, STR_FMT(w)) :
				   xstrndup(w.p, w.n);
		argv[n + 1] = owned[n];
		n++;
	}
	r = run(way->elsewhere ? other : t->dir, argv, said);
	while (n)
		free(owned[--n]);
	return r;
}

int tree_build(const struct tree *t, const struct tree_way *way, struct buf *said)
{
	const char *inc = way->elsewhere ? "../include" : "include";
	_free_ char *kernel = xasprintf(
		"-O2 -ffreestanding -fno-pic -no-pie -fcf-protection=none -static -nostdlib "
		"-Wl,--build-id -I%s -o %s @init/main.c @net/mptcp/protocol.c", inc,
		t->vmlinux);
	_free_ char *module = xasprintf(
		"-O2 -ffreestanding -fno-pic -mcmodel=kernel -fcf-protection=none -c -I%s -o %s "
		"@net/mptcp/mptcp.c", inc, t->module);
	int r = compile(t, way, kernel, said);

	return r ? r : compile(t, way, module, said);
}

unsigned tree_line(const char *mark, const char **ret_file)
{
	_free_ char *comment = xasprintf("/* %s */", mark);

	for (size_t i = 0; i < ARRAY_SIZE(SOURCES); i++) {
		unsigned number = 0;

		for (struct str rest = str_of(SOURCES[i].text); rest.p;) {
			number++;
			if (str_find(str_cut(&rest, '\n'), str_of(comment)) < 0)
				continue;
			if (ret_file)
				*ret_file = SOURCES[i].path;
			return number;
		}
	}
	return 0;
}

/* Behind the first "call rel32"; in a module the target is not known yet. */
static unsigned after_call(const unsigned char *p, uint64_t n)
{
	for (uint64_t i = 0; i + 5 <= n; i++)
		if (p[i] == 0xe8)
			return (unsigned)i + 5;
	return 0;
}

static void add_function(Elf *elf, const GElf_Sym *sym, const char *name,
			 struct tree_function *f)
{
	Elf_Scn *scn = elf_getscn(elf, sym->st_shndx);
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t names;
	GElf_Shdr h;
	uint64_t at;

	*f = (struct tree_function){ .address = sym->st_value, .size = sym->st_size };
	snprintf(f->name, sizeof(f->name), "%s", name);
	if (!gelf_getshdr(scn, &h) || elf_getshdrstrndx(elf, &names) != 0 || !data)
		return;
	f->text = strcmp(elf_strptr(elf, names, h.sh_name), ".text") == 0;
	at = sym->st_value - h.sh_addr;
	if (at + sym->st_size <= data->d_size)
		f->ret = after_call((unsigned char *)data->d_buf + at, sym->st_size);
}

struct tree_function *tree_functions(const char *path, unsigned *n)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct tree_function *v = NULL;
	unsigned cap = 0;
	Elf_Scn *scn = NULL;
	GElf_Shdr h;
	GElf_Sym sym;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	*n = 0;
	while ((scn = elf_nextscn(elf, scn))) {
		Elf_Data *data = elf_getdata(scn, NULL);

		if (!gelf_getshdr(scn, &h) || h.sh_type != SHT_SYMTAB)
			continue;
		for (int i = 0; gelf_getsym(data, i, &sym); i++) {
			if (GELF_ST_TYPE(sym.st_info) != STT_FUNC || !sym.st_size)
				continue;
			ARRAY_GROW(v, *n, cap);
			add_function(elf, &sym, elf_strptr(elf, h.sh_link, sym.st_name),
				     &v[(*n)++]);
		}
	}
	elf_end(elf);
	return v;
}

const struct tree_function *tree_function(const struct tree_function *v, unsigned n,
					  const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	return NULL;
}

int tree_addr2line(const char *object, struct str addresses, struct buf *ret)
{
	_free_ char *program = proc_find("addr2line");
	const char *const argv[] = { program, "-a", "-i", "-f", "-e", object, NULL };
	struct proc_spec spec = { .argv = argv, .out = PROC_NULL, .err = PROC_NULL };
	_cleanup_(closep) int fd = -1;
	int r;

	if (!program)
		return -1;
	fd = memfd_create("addresses", MFD_CLOEXEC);
	r = file_write_all(fd, addresses.p, addresses.n);
	lseek(fd, 0, SEEK_SET);
	spec.in = fd;
	return r == 0 && proc_run(&spec, ret, NULL, 60000, NULL) == 0 ? 0 : -1;
}
