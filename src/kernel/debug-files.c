/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/debug-files.h"

#include <fts.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "kernel/image.h"

#define WALK_MAX    1000000 /* entries of one directory; a built tree has 150,000 */
#define WALK_DEPTH  24
#define MODULES_MAX 65536

/*
 * Below a root, @ is the release. A tree; Debian's -dbg and Fedora's debuginfo
 * packages, unpacked or installed; /lib/modules of a kernel installed from its
 * tree.
 */
static const char *const VMLINUX[] = {
	"boot/vmlinux-@", "vmlinux-@", "usr/lib/debug/boot/vmlinux-@",
	"lib/modules/@/vmlinux", "usr/lib/debug/lib/modules/@/vmlinux",
	"usr/lib/debug/usr/lib/modules/@/vmlinux", "lib/modules/@/build/vmlinux", "vmlinux",
	"vmlinux.debug",
};
static const char *const MODULES[] = {
	"lib/modules/@", "usr/lib/debug/lib/modules/@", "usr/lib/debug/usr/lib/modules/@",
	"usr/lib/modules/@",
};

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static char *fill_in(const char *root, const char *pattern, const char *release)
{
	const char *at = strchr(pattern, '@');

	if (!at)
		return path_join(root, pattern);
	return xasprintf("%s/%.*s%s%s", root, (int)(at - pattern), pattern, release, at + 1);
}

static void add_dir(struct debug_files *f, char *dir)
{
	bool there = !is_dir(dir) || f->n_dirs == DEBUG_DIRS_MAX;

	for (unsigned i = 0; i < f->n_dirs; i++)
		there = there || strcmp(f->dirs[i], dir) == 0;
	if (there)
		free(dir);
	else
		f->dirs[f->n_dirs++] = dir;
}

static void add_module_dirs(struct debug_files *f, const char *root)
{
	for (size_t i = 0; i < ARRAY_SIZE(MODULES) && f->release; i++)
		add_dir(f, fill_in(root, MODULES[i], f->release));
}

/* Takes @path as the kernel's when it is of that release, as far as it says.
 * Returns 1, or 0 when it is another's: then @other is its release. */
static int take_vmlinux(struct debug_files *f, const char *path, const char *release,
			char **other)
{
	_free_ char *own = NULL;

	if (image_release(path, &own, NULL, NULL) == 0 && release && strcmp(own, release) != 0) {
		free(*other);
		*other = TAKE(own);
		return 0;
	}
	f->vmlinux = xstrdup(path);
	f->release = own ? TAKE(own) : xstrdup(release);
	return 1;
}

/* The only file of a pattern whose release nobody knows. */
static char *only_match(const char *root, const char *pattern)
{
	_free_ char *path = fill_in(root, pattern, "*");
	char *hit = NULL;
	glob_t found;

	if (glob(path, 0, NULL, &found) != 0)
		return NULL;
	if (found.gl_pathc == 1)
		hit = xstrdup(found.gl_pathv[0]);
	globfree(&found);
	return hit;
}

/* Returns 1 when the root has the vmlinux. */
static int look_in(struct debug_files *f, const char *root, const char *release, char **other)
{
	for (size_t i = 0; i < ARRAY_SIZE(VMLINUX) && !f->vmlinux; i++) {
		_free_ char *path = release ? fill_in(root, VMLINUX[i], release) :
					      only_match(root, VMLINUX[i]);

		if (path && file_exists(path) && !is_dir(path))
			take_vmlinux(f, path, release, other);
	}
	if (!f->vmlinux)
		return 0;
	add_module_dirs(f, root);
	if (f->n_dirs == 0) /* a tree: they are where they were built */
		add_dir(f, xstrdup(root));
	return 1;
}

static int other_kernel(const char *where, const char *other, const char *release,
			struct err *err)
{
	return err_set(err, ESTALE, "'%s' is of kernel %s, the log is of %s", where, other,
		       release);
}

/* --symbols FILE. */
static int take_file(struct debug_files *f, const char *path, const char *release,
		     struct err *err)
{
	_free_ char *module = debug_module_name(path), *other = NULL;
	_free_ char *full = realpath(path, NULL);
	_free_ char *dir = path_dir(full ? full : path), *above = path_dir(dir);

	if (module) {
		f->module = TAKE(module);
		ARRAY_GROW(f->modules, f->n, f->cap);
		f->modules[f->n++] = (struct debug_module){ xstrdup(f->module), xstrdup(path), 0 };
		f->walked = true;
		return 0;
	}
	if (!take_vmlinux(f, path, release, &other))
		return other_kernel(path, other, release, err);
	/* boot/vmlinux-6.1 has its modules in boot/../lib/modules/6.1. */
	add_module_dirs(f, above);
	add_module_dirs(f, dir);
	if (f->n_dirs == 0 && strcmp(path_base(dir), "boot") != 0)
		add_dir(f, TAKE(dir));
	add_module_dirs(f, "/");
	return 0;
}

static int look_in_cache(struct debug_files *f, const struct symbols_from *from, char **other)
{
	_free_ char *pattern = NULL;
	glob_t found;
	int r = 0;

	if (!from->cache_dir || !from->release || strpbrk(from->release, "*?[/\\"))
		return 0;
	pattern = xasprintf("%s/debian/linux-image-%s-dbg_*", from->cache_dir, from->release);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc && r == 0; i++)
		r = look_in(f, found.gl_pathv[i], from->release, other);
	globfree(&found);
	return r;
}

/* The run's --kernel: a tree, its arch/x86/boot/bzImage, or its vmlinux. */
static int look_in_tree(struct debug_files *f, const struct symbols_from *from, char **other)
{
	_free_ char *dir = path_dir(from->kernel), *tree = xasprintf("%s/../../..", dir);
	int r;

	if (is_dir(from->kernel))
		return look_in(f, from->kernel, from->release, other);
	if (!strchr(from->kernel, '/')) /* "debian", "host" */
		return 0;
	r = look_in(f, dir, from->release, other);
	return r ? r : look_in(f, tree, from->release, other);
}

static int nothing_there(const struct symbols_from *from, const char *other, struct err *err)
{
	if (from->where && other)
		return other_kernel(from->where, other, from->release, err);
	if (from->where)
		return err_set(err, ENOENT, "no vmlinux in '%s'%s%s", from->where,
			       from->release ? " for kernel " : ", or more than one",
			       from->release ? from->release : "");
	if (!from->release)
		return err_set(err, ENOENT, "which kernel wrote it is not known; name its vmlinux "
					    "or its directory with --symbols");
	return err_set(err, ENOENT, "no debug info of kernel %s: no vmlinux in /usr/lib/debug, "
				    "/lib/modules or the cache; name one with --symbols",
		       from->release);
}

int debug_files_find(const struct symbols_from *from, struct debug_files *ret, struct err *err)
{
	_free_ char *other = NULL;
	int r = 0;

	*ret = (struct debug_files){};
	if (from->where && !file_exists(from->where))
		return err_set(err, ENOENT, "--symbols: there is no '%s'", from->where);
	if (from->where && !is_dir(from->where))
		return take_file(ret, from->where, from->release, err);
	if (from->where)
		r = look_in(ret, from->where, from->release, &other);
	else if (from->release && !strchr(from->release, '/')) {
		if (from->kernel)
			r = look_in_tree(ret, from, &other);
		if (r == 0)
			r = look_in_cache(ret, from, &other);
		if (r == 0)
			r = look_in(ret, "/", from->release, &other);
	}
	return r ? 0 : nothing_there(from, other, err);
}

void debug_files_booted(const struct symbols_from *from, struct debug_files *ret)
{
	_free_ char *pattern = NULL;
	glob_t found;

	*ret = (struct debug_files){};
	if (!from->release || strpbrk(from->release, "*?[/\\"))
		return;
	pattern = xasprintf("%s/debian/linux-image-%s_*/lib/modules/%s",
			    from->cache_dir ? from->cache_dir : "", from->release,
			    from->release);
	if (from->cache_dir && glob(pattern, 0, NULL, &found) == 0) {
		/* Of two versions nobody knows which. */
		if (found.gl_pathc == 1)
			add_dir(ret, xstrdup(found.gl_pathv[0]));
		globfree(&found);
		return;
	}
	add_dir(ret, path_join("/lib/modules", from->release));
}

void debug_files_done(struct debug_files *f)
{
	free(f->vmlinux);
	free(f->release);
	free(f->module);
	for (unsigned i = 0; i < f->n_dirs; i++)
		free(f->dirs[i]);
	for (size_t i = 0; i < f->n; i++) {
		free(f->modules[i].name);
		free(f->modules[i].path);
	}
	free(f->modules);
	*f = (struct debug_files){};
}

/* ---- modules ---- */

/* In the order in which one is preferred. */
static const struct str ENDS[] = { STR(".ko.debug"), STR(".ko"), STR(".ko.zst"),
				   STR(".ko.xz"), STR(".ko.gz") };

/* Index in ENDS, or -1. */
static int end_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ENDS); i++)
		if (name.n > ENDS[i].n && str_ends(name, ENDS[i]))
			return (int)i;
	return -1;
}

char *debug_module_name(const char *path)
{
	struct str base = str_of(path_base(path));
	int end = end_of(base);
	char *name;

	if (end < 0)
		return NULL;
	name = xstrndup(base.p, base.n - ENDS[end].n);
	for (char *c = name; *c; c++)
		if (*c == '-')
			*c = '_';
	return name;
}

static void walk(struct debug_files *f, unsigned number)
{
	char *const roots[] = { f->dirs[number], NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOSTAT | FTS_NOCHDIR, NULL);
	FTSENT *e;

	for (unsigned i = 0; fts && i < WALK_MAX && (e = fts_read(fts)); i++) {
		int end = end_of(str_n(e->fts_name, e->fts_namelen));

		if (e->fts_level > 0 && e->fts_info == FTS_D &&
		    (e->fts_name[0] == '.' || e->fts_level > WALK_DEPTH))
			fts_set(fts, e, FTS_SKIP);
		if (end < 0 || e->fts_info == FTS_D || e->fts_info == FTS_DP ||
		    f->n == MODULES_MAX)
			continue;
		ARRAY_GROW(f->modules, f->n, f->cap);
		f->modules[f->n++] = (struct debug_module){
			.name = debug_module_name(e->fts_name),
			.path = xstrdup(e->fts_path),
			.order = number << 16 | (unsigned)e->fts_level << 8 | (unsigned)end,
		};
	}
	if (fts)
		fts_close(fts);
}

static int by_name(const void *a, const void *b)
{
	const struct debug_module *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : (x->order > y->order) - (x->order < y->order);
}

const struct debug_module *debug_files_module(struct debug_files *f, struct str name, size_t *n)
{
	size_t low = 0, high;

	if (!f->walked) {
		f->walked = true;
		for (unsigned i = 0; i < f->n_dirs; i++)
			walk(f, i);
		if (f->n)
			qsort(f->modules, f->n, sizeof(*f->modules), by_name);
	}
	_free_ char *key = xstrndup(name.p, name.n);

	for (high = f->n; low < high;) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(f->modules[mid].name, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (*n = 0; low + *n < f->n && strcmp(f->modules[low + *n].name, key) == 0;)
		++*n;
	return f->modules ? f->modules + low : NULL;
}
