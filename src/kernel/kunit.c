/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/kunit.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/inflate.h"
#include "base/mem.h"

#define MODULE_MAX  (64u << 20)
#define DEP_MAX     (16u << 20)
#define LIST_MAX    (16u << 20)
#define MODULES_MAX 8192 /* of those that may hold tests */

/* One ELF file: 64 bits, little-endian, as x86_64 has them. */
struct elf {
	struct str all;
	uint64_t sections; /* where their headers are */
	unsigned n;
	Elf64_Shdr names;
};

static bool get(struct str all, uint64_t at, void *ret, size_t n)
{
	if (at > all.n || n > all.n - at)
		return false;
	memcpy(ret, all.p + at, n);
	return true;
}

static bool section(const struct elf *e, unsigned i, Elf64_Shdr *ret)
{
	return i < e->n && get(e->all, e->sections + (uint64_t)i * sizeof(*ret), ret, sizeof(*ret));
}

static bool elf_open(struct str all, struct elf *ret)
{
	Elf64_Ehdr h;

	if (!get(all, 0, &h, sizeof(h)) || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 ||
	    h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB ||
	    h.e_shentsize != sizeof(Elf64_Shdr) || h.e_shoff > all.n)
		return false;
	*ret = (struct elf){ .all = all, .sections = h.e_shoff, .n = h.e_shnum };
	return section(ret, h.e_shstrndx, &ret->names);
}

/* The string at @i of a table; empty: none. */
static struct str string(const struct elf *e, const Elf64_Shdr *table, uint64_t i)
{
	uint64_t at = table->sh_offset + i;
	struct str s;

	if (i >= table->sh_size || at < i || at >= e->all.n)
		return STR_NONE;
	s = str_from(e->all, at);
	s.n = strnlen(s.p, s.n);
	return s;
}

/* The bytes at an address of a linked file. */
static struct str at_address(const struct elf *e, uint64_t address)
{
	Elf64_Shdr s;

	for (unsigned i = 0; section(e, i, &s); i++) {
		uint64_t from = address - s.sh_addr, at = s.sh_offset + from;

		if (!(s.sh_flags & SHF_ALLOC) || s.sh_type == SHT_NOBITS || address < s.sh_addr ||
		    from >= s.sh_size || at < from || at >= e->all.n)
			continue;
		struct str rest = str_from(e->all, at);

		rest.n = rest.n < s.sh_size - from ? rest.n : s.sh_size - from;
		return rest;
	}
	return STR_NONE;
}

/*
 * The cases of a suite, as far as their table is understood: its place in the suite and
 * the size of its rows differ between releases, but each row begins with a function
 * and a name, and one of zeroes ends it. The most rows that make sense are right.
 */
static bool is_case(struct str s, struct str *ret)
{
	size_t n = s.n ? strnlen(s.p, s.n) : 0;

	for (size_t i = 0; i < n; i++)
		if (!strchr("_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
			    s.p[i]))
			return false;
	*ret = str_n(s.p, n);
	return n && n < KUNIT_NAME_MAX && n < s.n;
}

static unsigned walk_cases(const struct elf *e, struct str table, size_t row, struct buf *ret)
{
	unsigned n = 0;
	uint64_t v[2];

	for (; n < KUNIT_CASES_MAX && get(table, n * row, v, sizeof(v)); n++) {
		struct str name;

		if (!v[0] && !v[1])
			return n;
		if (!v[0] || !is_case(at_address(e, v[1]), &name))
			return 0;
		buf_printf(ret, n ? " %.*s" : "%.*s", STR_FMT(name));
	}
	return 0;
}

static void add_cases(const struct elf *e, struct str suite, struct buf *ret)
{
	/* Behind .name come 4 functions, 2 before 5.18. */
	static const size_t places[] = { KUNIT_NAME_MAX + 4 * 8, KUNIT_NAME_MAX + 2 * 8 };
	_cleanup_(buf_done) struct buf best = {};
	unsigned most = 0;
	uint64_t table;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!get(suite, places[i], &table, sizeof(table)))
			continue;
		for (size_t row = 24; row <= 128; row += 8) {
			_cleanup_(buf_done) struct buf names = {};
			unsigned n = walk_cases(e, at_address(e, table), row, &names);

			if (n <= most)
				continue;
			most = n;
			buf_clear(&best);
			buf_add_str(&best, buf_str(&names));
		}
	}
	if (most)
		buf_printf(ret, "\t\t%.*s", STR_FMT(buf_str(&best)));
}

/* @e: NULL where addresses are not known yet. */
static void add(const struct elf *e, struct str suite, const char *module, struct buf *ret)
{
	struct str name = { suite.p, suite.n ? strnlen(suite.p, suite.n) : 0 };

	if (!name.n || name.n >= KUNIT_NAME_MAX || name.n == suite.n)
		return;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] < ' ' || name.p[i] > '~' || name.p[i] == '/')
			return;
	buf_printf(ret, module ? "%.*s\t%s" : "%.*s%s", STR_FMT(name), module ? module : "");
	if (e)
		add_cases(e, suite, ret);
	buf_add_str(ret, STR("\n"));
}

/* A linked file: the pointers between two symbols each. */
enum { NORMAL_START, NORMAL_END, INIT_START, INIT_END, ENDS };

static bool find_ends(const struct elf *e, uint64_t ends[static ENDS])
{
	static const char *const names[ENDS] = {
		[NORMAL_START] = "__kunit_suites_start", [NORMAL_END] = "__kunit_suites_end",
		[INIT_START] = "__kunit_init_suites_start",
		[INIT_END] = "__kunit_init_suites_end",
	};
	Elf64_Shdr table, strings;
	bool any = false;
	Elf64_Sym sym;

	for (unsigned i = 0; section(e, i, &table); i++) {
		if (table.sh_type != SHT_SYMTAB || !section(e, table.sh_link, &strings))
			continue;
		for (uint64_t at = 0; at + sizeof(sym) <= table.sh_size; at += sizeof(sym)) {
			if (!get(e->all, table.sh_offset + at, &sym, sizeof(sym)))
				break;
			if (sym.st_shndx == SHN_UNDEF)
				continue;
			struct str name = string(e, &strings, sym.st_name);

			if (!str_starts(name, STR("__kunit_")))
				continue;
			for (unsigned j = 0; j < ENDS; j++)
				if (str_eq(name, str_of(names[j]))) {
					ends[j] = sym.st_value;
					any = true;
				}
		}
	}
	return any;
}

static int of_linked(const struct elf *e, struct buf *ret)
{
	uint64_t ends[ENDS] = {};

	if (!find_ends(e, ends))
		return 0;
	for (unsigned i = 0; i < ENDS; i += 2) {
		uint64_t n = (ends[i + 1] - ends[i]) / 8, suite;
		struct str list = at_address(e, ends[i]);

		if (ends[i + 1] < ends[i])
			continue;
		for (uint64_t j = 0; j < n && j < KUNIT_SUITES_MAX && get(list, j * 8, &suite, 8);
		     j++)
			add(e, at_address(e, suite), NULL, ret);
	}
	return 1;
}

/* A module: its pointers are still relocations against its own symbols. */
static void of_relocations(const struct elf *e, const Elf64_Shdr *relas, const char *module,
			   struct buf *ret)
{
	Elf64_Shdr table, data;
	Elf64_Rela rela;
	Elf64_Sym sym;

	if (!section(e, relas->sh_link, &table))
		return;
	for (uint64_t i = 0; i < KUNIT_SUITES_MAX; i++) {
		uint64_t number, from;

		if ((i + 1) * sizeof(rela) > relas->sh_size)
			return;
		if (!get(e->all, relas->sh_offset + i * sizeof(rela), &rela, sizeof(rela)))
			return;
		number = ELF64_R_SYM(rela.r_info);
		if (number >= table.sh_size / sizeof(sym) ||
		    !get(e->all, table.sh_offset + number * sizeof(sym), &sym, sizeof(sym)) ||
		    !section(e, sym.st_shndx, &data) || data.sh_type == SHT_NOBITS)
			continue;
		from = sym.st_value + (uint64_t)rela.r_addend;
		if (from >= data.sh_size || data.sh_offset > e->all.n ||
		    from >= e->all.n - data.sh_offset)
			continue;
		struct str suite = str_from(e->all, data.sh_offset + from);

		suite.n = suite.n < data.sh_size - from ? suite.n : data.sh_size - from;
		add(NULL, suite, module, ret);
	}
}

static int of_module(const struct elf *e, const char *module, struct buf *ret)
{
	Elf64_Shdr s, target;
	int found = 0;

	for (unsigned i = 0; section(e, i, &s); i++) {
		if (s.sh_type != SHT_RELA || !section(e, s.sh_info, &target))
			continue;
		struct str name = string(e, &e->names, target.sh_name);

		if (!str_eq(name, STR(".kunit_test_suites")) &&
		    !str_eq(name, STR(".kunit_init_test_suites")))
			continue;
		of_relocations(e, &s, module, ret);
		found = 1;
	}
	return found;
}

int kunit_of_elf(struct str all, const char *module, struct buf *ret)
{
	struct elf e;

	if (!elf_open(all, &e))
		return 0;
	return module ? of_module(&e, module, ret) : of_linked(&e, ret);
}

int kunit_of_file(const char *path, const char *module, struct buf *ret, struct err *err)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "read '%s'", path);
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return 0;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_sys(err, errno, "map '%s'", path);
	r = kunit_of_elf(str_n(p, (size_t)st.st_size), module, ret);
	munmap(p, (size_t)st.st_size);
	return r;
}

/* "kernel/net/mptcp/mptcp_crypto_test.ko.xz: ...": "mptcp_crypto_test"; empty:
 * it can't be one of KUnit's, by its name or what it depends on. */
static struct str test_module(struct str line, struct str *ret_path)
{
	struct str path = str_cut(&line, ':'), name = path;
	ptrdiff_t end;

	for (struct str rest = path; rest.p;)
		name = str_cut(&rest, '/');
	end = str_find(name, STR(".ko"));
	if (end <= 0 || (str_find(name, STR("test")) < 0 && str_find(name, STR("kunit")) < 0 &&
			 str_find(line, STR("/kunit.ko")) < 0))
		return STR_NONE;
	*ret_path = path;
	return str_n(name.p, (size_t)end);
}

static void of_packed_module(const char *path, const char *module, struct buf *ret)
{
	_cleanup_(buf_done) struct buf packed = { .max = MODULE_MAX };
	_cleanup_(buf_done) struct buf plain = { .max = MODULE_MAX };

	if (file_read(path, MODULE_MAX, &packed, NULL) == 0 &&
	    inflate_any(buf_str(&packed), MODULE_MAX, &plain, NULL) == 0)
		kunit_of_elf(buf_str(&plain), module, ret);
}

static void of_modules(const char *dir, const char *release, struct buf *ret)
{
	_free_ char *list = xasprintf("%s/%s/modules.dep", dir, release);
	_cleanup_(buf_done) struct buf text = { .max = DEP_MAX };
	unsigned n = 0;

	if (file_read(list, DEP_MAX, &text, NULL) < 0)
		return;
	for (struct str rest = buf_str(&text); rest.n && n < MODULES_MAX;) {
		struct str path = STR_NONE, name = test_module(str_cut(&rest, '\n'), &path);

		if (!name.n)
			continue;
		_free_ char *module = xstrndup(name.p, name.n);
		_free_ char *file = path.p[0] == '/' ? xstrndup(path.p, path.n)
						     : xasprintf("%s/%s/%.*s", dir, release,
								 STR_FMT(path));

		of_packed_module(file, module, ret);
		n++;
	}
}

int kernel_kunit(const struct kernel *k, struct buf *ret, struct err *err)
{
	_free_ char *dir = k->image ? path_dir(k->image) : NULL;
	_free_ char *list = path_join(dir, "kunit"), *beside = path_join(dir, "vmlinux");
	_free_ char *tree = path_join(dir, "../../../vmlinux");
	const char *files[] = { k->uml ? k->image : NULL, beside, tree, k->image };
	int known = 0;

	/* As we wrote it, when we built it. */
	if (dir && file_exists(list))
		known = file_read(list, LIST_MAX, ret, err) < 0 ? -EIO : 1;
	for (size_t i = 0; dir && i < ARRAY_SIZE(files) && known == 0; i++)
		if (files[i] && file_exists(files[i]))
			known = kunit_of_file(files[i], NULL, ret, err);
	/* Then none can be built in. */
	if (known == 0 && kernel_config_value(k->config, "KUNIT") == 'm')
		known = 1;
	if (known >= 0 && k->modules_dir)
		of_modules(k->modules_dir, k->release, ret);
	return known;
}
