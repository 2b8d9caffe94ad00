/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/lines.h"

#include <dwarf.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/str.h"

#define UNITS_MAX   (1u << 20)
#define RANGES_MAX  (1u << 22)
#define PATH_MAX_   4096
#define DEPTH_MAX   64 /* of scopes in scopes */
#define OVERLAP_MAX 16 /* ranges looked at before the nearest one */
#define MAIN_C      "init/main.c"

struct range {
	uint64_t low, high; /* high is outside */
	size_t of;          /* which unit, or which function of a unit */
};

struct ranges {
	struct range *v;
	size_t n, cap;
};

struct unit {
	const struct libdw *dw;
	Dwarf_Die die; /* has the line table */
	Dwarf_Die sub; /* has the functions: the same, or a split unit (.dwo) */
	bool read;
	Dwarf_Die *functions;
	size_t n, cap;
	struct ranges ranges;
};

struct lines {
	const struct libdw *dw;
	Dwarf *dwarf;
	struct unit *units;
	size_t n, cap;
	struct ranges ranges;
	struct buf root;
};

/* ---- ranges ---- */

static int by_low(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	/* Of two that begin together the smaller one is the better answer. */
	return (x->high < y->high) - (x->high > y->high);
}

static void ranges_add(const struct libdw *dw, struct ranges *r, Dwarf_Die *die, size_t of)
{
	Dwarf_Addr base = 0, low, high;
	ptrdiff_t at = 0;

	/* Functions that the linker dropped begin at 0. */
	while (r->n < RANGES_MAX && (at = dw->dwarf_ranges(die, at, &base, &low, &high)) > 0) {
		if (low >= high || low == 0)
			continue;
		ARRAY_GROW(r->v, r->n, r->cap);
		r->v[r->n++] = (struct range){ low, high, of };
	}
}

static void ranges_sort(struct ranges *r)
{
	if (r->n)
		qsort(r->v, r->n, sizeof(*r->v), by_low);
}

static const struct range *ranges_find(const struct ranges *r, uint64_t address)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->v[mid].low <= address)
			low = mid + 1;
		else
			high = mid;
	}
	for (size_t i = 0; i < OVERLAP_MAX && low > 0; i++)
		if (address < r->v[--low].high)
			return &r->v[low];
	return NULL;
}

/* ---- paths ---- */

/* "a/./b/../c" to "a/c"; what leaves the directory it begins in stays. */
static void path_clean(struct buf *b, struct str path)
{
	bool absolute = path.n && path.p[0] == '/';
	size_t floor;

	if (absolute)
		buf_add(b, "/", 1);
	floor = b->n;
	for (struct str rest = path; rest.p;) {
		struct str part = str_cut(&rest, '/');
		size_t slash = b->n;

		if (part.n == 0 || str_eq(part, STR(".")))
			continue;
		if (str_eq(part, STR("..")) && b->n > floor) {
			while (slash > floor && b->p[slash - 1] != '/')
				slash--;
			b->n = slash > floor ? slash - 1 : floor;
			b->p[b->n] = '\0';
			continue;
		}
		if (str_eq(part, STR("..")) && absolute)
			continue;
		if (b->n > floor)
			buf_add(b, "/", 1);
		buf_add_str(b, part);
		if (str_eq(part, STR("..")))
			floor = b->n;
	}
}

static const char *unit_dir(struct unit *u)
{
	const struct libdw *dw = u->dw;
	Dwarf_Attribute attr;
	const char *dir = dw->dwarf_formstring(dw->dwarf_attr(&u->die, DW_AT_comp_dir, &attr));

	return dir ? dir : "";
}

/* @file in @dir, unless it is absolute. */
static void path_in(struct buf *b, const char *dir, const char *file)
{
	_cleanup_(buf_done) struct buf whole = { .max = 2 * PATH_MAX_ + 2 };

	if (file[0] != '/' && dir[0])
		buf_printf(&whole, "%s/", dir);
	buf_add_str(&whole, str_of(file));
	path_clean(b, buf_str(&whole));
}

static bool path_below(struct str path, struct str dir, struct str *ret)
{
	if (!dir.n || !str_starts(path, dir) || path.n <= dir.n + 1 || path.p[dir.n] != '/')
		return false;
	*ret = str_from(path, dir.n + 1);
	return true;
}

/* What reads best: below the tree, else below where the compiler was. */
static const char *path_short(struct lines *l, struct unit *u, const char *file,
			      struct arena *arena)
{
	_cleanup_(buf_done) struct buf path = {}, dir = {};
	struct str s;

	path_in(&path, unit_dir(u), file);
	path_clean(&dir, str_of(unit_dir(u)));
	s = buf_str(&path);
	if (!path_below(s, buf_str(&l->root), &s))
		path_below(s, buf_str(&dir), &s);
	return arena_strndup(arena, s.p, s.n < PATH_MAX_ ? s.n : PATH_MAX_);
}

/* ---- units ---- */

static void find_root(struct lines *l, struct unit *u)
{
	_cleanup_(buf_done) struct buf path = {};
	const char *name;

	if (l->root.n)
		return;
	name = u->dw->dwarf_diename(&u->die);
	if (!name || !str_ends(str_of(name), STR(MAIN_C)))
		return;
	path_in(&path, unit_dir(u), name);
	if (str_ends(buf_str(&path), STR("/" MAIN_C)))
		buf_add(&l->root, path.p, path.n - strlen("/" MAIN_C));
}

struct lines *lines_new(const struct libdw *dw, Dwarf *dwarf, const char *root)
{
	struct lines *l = xcalloc(1, sizeof(*l));
	Dwarf_CU *cu = NULL;
	Dwarf_Die die, sub;

	l->dw = dw;
	l->dwarf = dwarf;
	buf_add_str(&l->root, str_of(root));
	while (l->n < UNITS_MAX &&
	       dw->dwarf_get_units(dwarf, cu, &cu, NULL, NULL, &die, &sub) == 0) {
		int tag = dw->dwarf_tag(&die);

		if (tag != DW_TAG_compile_unit && tag != DW_TAG_skeleton_unit)
			continue;
		ARRAY_GROW(l->units, l->n, l->cap);
		l->units[l->n] = (struct unit){ .dw = dw, .die = die, .sub = die };
		if (dw->dwarf_tag(&sub) == DW_TAG_compile_unit)
			l->units[l->n].sub = sub;
		ranges_add(dw, &l->ranges, &die, l->n);
		find_root(l, &l->units[l->n]);
		l->n++;
	}
	ranges_sort(&l->ranges);
	return l;
}

struct lines *lines_free(struct lines *l)
{
	if (!l)
		return NULL;
	for (size_t i = 0; i < l->n; i++) {
		free(l->units[i].functions);
		free(l->units[i].ranges.v);
	}
	free(l->units);
	free(l->ranges.v);
	buf_done(&l->root);
	free(l);
	return NULL;
}

const char *lines_root(const struct lines *l)
{
	return buf_str(&l->root).p;
}

/* The next one, or false: DIEs follow one another, whatever a damaged
 * DW_AT_sibling says. */
static bool next_die(const struct libdw *dw, Dwarf_Die *die)
{
	Dwarf_Die next;

	if (dw->dwarf_siblingof(die, &next) != 0 || (char *)next.addr <= (char *)die->addr)
		return false;
	*die = next;
	return true;
}

/* Rust puts functions into namespaces and types. */
static bool holds_functions(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_structure_type ||
	       tag == DW_TAG_enumeration_type || tag == DW_TAG_union_type;
}

static void read_functions(struct unit *u, Dwarf_Die *parent, unsigned depth, bool nested)
{
	const struct libdw *dw = u->dw;
	Dwarf_Die die;

	if (depth == DEPTH_MAX || dw->dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dw->dwarf_tag(&die);

		if (tag == DW_TAG_subprogram && u->n < RANGES_MAX) {
			ARRAY_GROW(u->functions, u->n, u->cap);
			u->functions[u->n] = die;
			ranges_add(dw, &u->ranges, &die, u->n++);
		} else if (nested && holds_functions(tag)) {
			read_functions(u, &die, depth + 1, nested);
		}
	} while (next_die(dw, &die));
}

static void read_unit(struct unit *u)
{
	Dwarf_Attribute attr;
	Dwarf_Word language = 0;

	if (u->read)
		return;
	u->read = true;
	u->dw->dwarf_formudata(u->dw->dwarf_attr(&u->sub, DW_AT_language, &attr), &language);
	read_functions(u, &u->sub, 0, language == DW_LANG_Rust);
	ranges_sort(&u->ranges);
}

/* ---- one address ---- */

/* The function at @address, then what is inlined there, outermost first. */
static unsigned scopes_at(struct unit *u, uint64_t address, Dwarf_Die chain[LINES_FRAMES_MAX])
{
	const struct range *r = ranges_find(&u->ranges, address);
	Dwarf_Die die, child;
	unsigned n = 0;

	if (!r)
		return 0;
	chain[n++] = die = u->functions[r->of];
	for (unsigned depth = 0; depth < DEPTH_MAX && n < LINES_FRAMES_MAX; depth++) {
		bool deeper = false;

		if (u->dw->dwarf_child(&die, &child) != 0)
			break;
		do {
			int tag = u->dw->dwarf_tag(&child);

			deeper = (tag == DW_TAG_inlined_subroutine ||
				  tag == DW_TAG_lexical_block) &&
				 u->dw->dwarf_haspc(&child, address) > 0;
			if (deeper && tag == DW_TAG_inlined_subroutine)
				chain[n++] = child;
		} while (!deeper && next_die(u->dw, &child));
		if (!deeper)
			break;
		die = child;
	}
	return n;
}

static void frame_name(struct lines *l, struct lines_frame *f, Dwarf_Die *die, struct arena *arena)
{
	const char *name = l->dw->dwarf_diename(die);

	if (name)
		f->function = arena_strndup(arena, name, strnlen(name, PATH_MAX_));
}

/* Where an inlined function was called. */
static void frame_call(struct lines *l, struct unit *u, Dwarf_Die *inlined, struct arena *arena,
		       struct lines_frame *f)
{
	const struct libdw *dw = l->dw;
	Dwarf_Attribute attr;
	Dwarf_Word file = 0, line = 0;
	Dwarf_Files *files;
	const char *name = NULL;
	size_t n;

	if (dw->dwarf_formudata(dw->dwarf_attr(inlined, DW_AT_call_file, &attr), &file) == 0 &&
	    dw->dwarf_getsrcfiles(&u->die, &files, &n) == 0 && file < n)
		name = dw->dwarf_filesrc(files, file, NULL, NULL);
	dw->dwarf_formudata(dw->dwarf_attr(inlined, DW_AT_call_line, &attr), &line);
	f->file = name ? path_short(l, u, name, arena) : "?";
	f->line = line <= INT32_MAX ? (unsigned)line : 0;
}

unsigned lines_at(struct lines *l, uint64_t address, struct arena *arena,
		  struct lines_frame frames[LINES_FRAMES_MAX])
{
	const struct range *r = ranges_find(&l->ranges, address);
	Dwarf_Die chain[LINES_FRAMES_MAX];
	struct unit *u;
	Dwarf_Line *line;
	const char *file;
	int number = 0;
	unsigned n;

	if (!r)
		return 0;
	u = &l->units[r->of];
	line = l->dw->dwarf_getsrc_die(&u->die, address);
	file = line ? l->dw->dwarf_linesrc(line, NULL, NULL) : NULL;
	if (!file || l->dw->dwarf_lineno(line, &number) != 0)
		return 0;
	frames[0] = (struct lines_frame){ .file = path_short(l, u, file, arena),
					  .line = number > 0 ? (unsigned)number : 0 };
	read_unit(u);
	n = scopes_at(u, address, chain);
	for (unsigned i = 0; i < n; i++) {
		if (i) {
			frames[i] = (struct lines_frame){};
			frame_call(l, u, &chain[n - i], arena, &frames[i]);
		}
		frame_name(l, &frames[i], &chain[n - 1 - i], arena);
	}
	return n ? n : 1;
}
