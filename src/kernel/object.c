/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/object.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/inflate.h"
#include "base/mem.h"
#include "kernel/libdw.h"

#define PACKED_MAX   (128u << 20)
#define UNPACKED_MAX (512u << 20)
#define SYMBOLS_MAX  (1 << 22)
#define SECTIONS_MAX (1u << 20) /* -ffunction-sections makes many */
#define MAGIC_MAX    6

struct symbol {
	const char *name;
	uint64_t address, size; /* as in the symbol table */
	uint64_t room;          /* up to the next one; 0: it is its section's last */
	uint32_t next;          /* of the same hash; 0: none, else index + 1 */
	uint32_t section;
};

struct object {
	char *path;
	char build_id[2 * OBJECT_BUILD_ID_MAX + 1];
	struct libdw dw;
	Dwfl_Callbacks callbacks;
	Dwfl *dwfl;
	Dwfl_Module *module;
	Dwarf *dwarf; /* NULL: no debug info */
	Dwarf_Addr bias;
	char *root;
	struct lines *lines;
	struct symbol *symbols; /* by address */
	uint32_t n, *heads, mask;
};

/* ---- opening ---- */

/* Debug info is where we looked, or it isn't; libdw would ask the network. */
static int find_nothing(Dwfl_Module *mod, void **data, const char *name, Dwarf_Addr base,
			const char *file, const char *link, GElf_Word crc, char **ret)
{
	return -1;
}

/* The unpacked file in memory. */
static int unpack(int *fd, const char *path, struct err *err)
{
	_cleanup_(buf_done) struct buf packed = {}, plain = {};
	_cleanup_(closep) int memory = -1;
	int r = file_read(path, PACKED_MAX, &packed, err);

	if (r == 0)
		r = inflate_any(buf_str(&packed), UNPACKED_MAX, &plain, err);
	if (r < 0)
		return err_wrap(err, r, "'%s'", path);
	memory = memfd_create("module", MFD_CLOEXEC);
	if (memory < 0)
		return err_sys(err, errno, "make an anonymous file");
	r = file_write_all(memory, plain.p, plain.n);
	if (r < 0)
		return err_sys(err, -r, "fill an anonymous file");
	close(*fd);
	*fd = memory;
	memory = -1;
	return 0;
}

static bool is_elf(int fd)
{
	char head[SELFMAG];

	return pread(fd, head, sizeof(head), 0) == SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0;
}

static int open_file(const char *path, int *ret, struct err *err)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	static const struct str packed[] = { STR("\x1f\x8b"), STR("\xfd" "7zXZ"),
					     STR("\x28\xb5\x2f\xfd") };
	char head[MAGIC_MAX] = {};
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "open '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ENOEXEC, "'%s' is no file", path);
	if (pread(fd, head, sizeof(head), 0) < 0)
		return err_sys(err, errno, "read '%s'", path);
	for (size_t i = 0; i < ARRAY_SIZE(packed); i++) {
		if (str_starts(str_n(head, sizeof(head)), packed[i])) {
			int r = unpack(&fd, path, err);

			if (r < 0)
				return r;
			break;
		}
	}
	if (!is_elf(fd))
		return err_set(err, ENOEXEC,
			       "'%s' is no ELF file; give the vmlinux that the build left, not "
			       "the image that is booted", path);
	*ret = fd;
	fd = -1;
	return 0;
}

static void read_build_id(struct object *o)
{
	const struct libdw *dw = &o->dw;
	const unsigned char *bits;
	GElf_Addr at;
	int n = dw->dwfl_module_build_id(o->module, &bits, &at);

	for (int i = 0; i < n && i < OBJECT_BUILD_ID_MAX; i++)
		snprintf(o->build_id + 2 * i, 3, "%02x", bits[i]);
}

/* ---- symbols ---- */

/* Functions are found by what stands before the first dot: the copies that a
 * compiler makes ("foo.constprop.0", "foo.llvm.123") are in one chain. */
static struct str base_name(struct str name)
{
	const char *dot = name.n > 1 ? memchr(name.p + 1, '.', name.n - 1) : NULL;

	return dot ? str_n(name.p, (size_t)(dot - name.p)) : name;
}

static uint32_t *head_of(const struct object *o, struct str name)
{
	return &o->heads[str_hash(base_name(name), STR_HASH_INIT) & o->mask];
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

/* Which sections hold code, by their numbers. */
static bool *read_sections(const struct libdw *dw, Elf *elf, size_t *ret_n)
{
	Elf_Scn *scn = NULL;
	bool *code;

	if (dw->elf_getshdrnum(elf, ret_n) != 0 || *ret_n > SECTIONS_MAX)
		*ret_n = 0;
	code = xcalloc(*ret_n + 1, sizeof(*code));
	while ((scn = dw->elf_nextscn(elf, scn))) {
		size_t i = dw->elf_ndxscn(scn);
		GElf_Shdr h;

		if (i < *ret_n && dw->gelf_getshdr(scn, &h))
			code[i] = (h.sh_flags & SHF_EXECINSTR) != 0;
	}
	return code;
}

static void add_symbol(struct object *o, const bool *code, size_t n_code, int i)
{
	const struct libdw *dw = &o->dw;
	GElf_Sym sym;
	GElf_Addr address;
	GElf_Word section;
	const char *name = dw->dwfl_module_getsym_info(o->module, i, &sym, &address, &section, NULL,
						   NULL);
	int type = GELF_ST_TYPE(sym.st_info);

	if (!name || !name[0] || section >= n_code || !code[section])
		return;
	if (type != STT_FUNC && type != STT_NOTYPE && type != STT_GNU_IFUNC)
		return;
	o->symbols[o->n++] = (struct symbol){ .name = name, .address = address,
					      .size = sym.st_size, .section = section };
}

static void read_symbols(struct object *o)
{
	const struct libdw *dw = &o->dw;
	size_t n_code;
	bool *code;
	GElf_Addr bias;
	Elf *elf = dw->dwfl_module_getelf(o->module, &bias);
	int n = elf ? dw->dwfl_module_getsymtab(o->module) : 0;

	if (n <= 0)
		return;
	if (n > SYMBOLS_MAX)
		n = SYMBOLS_MAX;
	o->symbols = xcalloc((size_t)n, sizeof(*o->symbols));
	code = read_sections(dw, elf, &n_code);
	for (int i = 1; i < n; i++)
		add_symbol(o, code, n_code, i);
	free(code);
	if (o->n)
		qsort(o->symbols, o->n, sizeof(*o->symbols), by_address);
	for (o->mask = 1; o->mask < o->n;)
		o->mask = o->mask * 2 + 1;
	o->heads = xcalloc((size_t)o->mask + 1, sizeof(*o->heads));
	for (uint32_t i = o->n, next = o->n; i-- > 0;) {
		struct symbol *s = &o->symbols[i];
		uint32_t *head = head_of(o, str_of(s->name));

		/* @next: the first one with another address. */
		if (i + 1 < o->n && o->symbols[i + 1].address != s->address)
			next = i + 1;
		s->room = next < o->n && o->symbols[next].section == s->section ?
				  o->symbols[next].address - s->address : 0;
		s->next = *head;
		*head = i + 1;
	}
}

int object_open(const char *path, struct object **ret, struct err *err)
{
	const struct libdw *dw;
	struct object *o;
	int fd = -1, r = open_file(path, &fd, err);

	if (r < 0)
		return r;
	o = xcalloc(1, sizeof(*o));
	o->path = xstrdup(path);
	r = libdw_open(&o->dw, err);
	if (r < 0) {
		close(fd);
		object_close(o);
		return r;
	}
	dw = &o->dw;
	o->callbacks = (Dwfl_Callbacks){ .find_debuginfo = find_nothing,
					 .section_address = dw->dwfl_offline_section_address };
	o->dwfl = dw->dwfl_begin(&o->callbacks);
	if (o->dwfl)
		o->module = dw->dwfl_report_offline(o->dwfl, "kernel", path, fd);
	if (!o->module) {
		r = err_set(err, EBADMSG, "'%s' is damaged: %s", path, dw->dwfl_errmsg(-1));
		close(fd);
		object_close(o);
		return r;
	}
	dw->dwfl_report_end(o->dwfl, NULL, NULL);
	read_build_id(o);
	/* It relocates a module's debug info, symbols need the addresses. */
	o->dwarf = dw->dwfl_module_getdwarf(o->module, &o->bias);
	read_symbols(o);
	if (!o->n) {
		r = err_set(err, ENOEXEC, "'%s' has no symbols of functions%s%s", path,
			    o->dwarf ? "" : ": ", o->dwarf ? "" : dw->dwfl_errmsg(-1));
		object_close(o);
		return r;
	}
	*ret = o;
	return 0;
}

struct object *object_close(struct object *o)
{
	if (!o)
		return NULL;
	lines_free(o->lines);
	if (o->dwfl)
		o->dw.dwfl_end(o->dwfl); /* with what it was told of, and its descriptor */
	library_close(&o->dw.library);
	free(o->symbols);
	free(o->heads);
	free(o->root);
	free(o->path);
	free(o);
	return NULL;
}

const char *object_path(const struct object *o)
{
	return o->path;
}

const char *object_build_id(const struct object *o)
{
	return o->build_id;
}

bool object_has_lines(const struct object *o)
{
	return o->dwarf != NULL;
}

void object_set_root(struct object *o, const char *root)
{
	free(o->root);
	o->root = xstrdup(root);
}

static struct lines *lines_of(struct object *o)
{
	if (!o->lines && o->dwarf)
		o->lines = lines_new(&o->dw, o->dwarf, o->root);
	return o->lines;
}

const char *object_root(struct object *o)
{
	struct lines *l = lines_of(o);

	return l ? lines_root(l) : "";
}

/* The symbol's own size, or what follows it up to the next: alignment, or in a
 * last function all that the kernel put behind its section. */
static bool size_fits(const struct symbol *s, uint64_t size)
{
	return size == s->room || size == s->size ||
	       (size > s->size && (size < s->room || !s->room));
}

/* What the kernel leaves out of the names that it prints (kernel/kallsyms.c,
 * cleanup_symbol_name). */
static bool name_fits(const struct symbol *s, struct str name)
{
	struct str own = str_of(s->name);

	return str_eq(own, name) ||
	       (str_starts(own, name) && str_starts(str_from(own, name.n), STR(".llvm.")));
}

int object_symbol(struct object *o, struct str name, uint64_t size,
		  uint64_t ret[OBJECT_SAME_MAX])
{
	int n = 0;
	bool other = false;

	for (uint32_t i = *head_of(o, name); i && n < OBJECT_SAME_MAX; i = o->symbols[i - 1].next) {
		const struct symbol *s = &o->symbols[i - 1];

		if (!name_fits(s, name))
			continue;
		if (!size_fits(s, size))
			other = true;
		else if (n == 0 || ret[n - 1] != s->address)
			ret[n++] = s->address;
	}
	return n ? n : other ? -ESTALE : 0;
}

unsigned object_lines(struct object *o, uint64_t address, struct arena *arena,
		      struct lines_frame frames[LINES_FRAMES_MAX])
{
	struct lines *l = lines_of(o);

	return l ? lines_at(l, address - o->bias, arena, frames) : 0;
}
