/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/closure.h"

#include <dirent.h>
#include <elf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/units.h"
#include "machine/elf.h"

#define LINKS_MAX 40 /* on the way to one file; path_resolution(7) */
#define DEPTH_MAX 32 /* of directories, and of what needs what */
#define SLOTS     (1u << 18) /* more than twice CLOSURE_FILES_MAX */
#define BATCH     1000 /* programs, whose libraries are listed at once */
#define LIST_MAX  (16u << 20)
#define LOADER_MS 60000

/* A program whose libraries are not packed yet. */
struct waiting {
	const char *loader, *path;
};

struct closure {
	struct initramfs *a;
	struct arena arena;
	const char **slots; /* paths that are packed, by their hash */
	unsigned n;
	struct waiting *waiting;
	size_t n_waiting, cap_waiting;
	struct err *err;
};

static int add(struct closure *c, const char *path, unsigned depth);

/* Returns 1 for one that is new, 0 for one that was packed. */
static int take(struct closure *c, const char *path)
{
	uint64_t at = str_hash(str_of(path), STR_HASH_INIT);

	for (;; at++) {
		const char **slot = &c->slots[at & (SLOTS - 1)];

		if (*slot && strcmp(*slot, path) == 0)
			return 0;
		if (*slot)
			continue;
		if (c->n++ == CLOSURE_FILES_MAX)
			return err_set(c->err, EFBIG, "more than %u files to pack into the guest",
				       CLOSURE_FILES_MAX);
		*slot = arena_strndup(&c->arena, path, strlen(path));
		return 1;
	}
}

/* ---- what a file takes ---- */

/* "	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x7f...)": the path, or empty. */
static struct str list_path(struct str line)
{
	ptrdiff_t arrow = str_find(line, STR(" => ")), end;
	struct str path = str_trim(arrow < 0 ? line : str_from(line, (size_t)arrow + 4));

	end = str_find(path, STR(" ("));
	if (end >= 0)
		path.n = (size_t)end;
	return path.n && path.p[0] == '/' ? path : STR_NONE;
}

/* All that wait for @loader, in one process: each that we start costs as much as we are
 * large by then. One that can't be started here can't be there: its user is told. */
static int add_libraries(struct closure *c, const char *loader, const char **programs, size_t n)
{
	static const char loop[] = "l=$1; shift; for f; do \"$l\" --list \"$f\"; done 2>/dev/null";
	const char *argv[BATCH + 6] = { "sh", "-c", loop, "sh", loader };
	struct proc_spec spec = { .argv = argv, .in = PROC_NULL, .out = PROC_NULL,
				  .err = PROC_NULL };
	_cleanup_(buf_done) struct buf out = { .max = LIST_MAX };
	int r = add(c, loader, 1);
	struct str rest;

	memcpy(argv + 5, programs, n * sizeof(*programs));
	argv[5 + n] = NULL;
	if (r >= 0)
		r = proc_run(&spec, &out, NULL, LOADER_MS, c->err);
	rest = buf_str(&out);
	while (rest.n && r >= 0) {
		struct str line = list_path(str_cut(&rest, '\n'));
		_free_ char *library = line.n ? xstrndup(line.p, line.n) : NULL;

		if (library)
			r = add(c, library, 1);
	}
	return r < 0 ? r : 0;
}

/* Programs that came, until none is new: a library may be one too. */
static int add_waiting(struct closure *c)
{
	int r = 0;

	while (c->n_waiting && r == 0) {
		const char *loader = c->waiting[0].loader, *batch[BATCH];
		size_t n = 0, left = 0;

		for (size_t i = 0; i < c->n_waiting; i++)
			if (n < BATCH && strcmp(c->waiting[i].loader, loader) == 0)
				batch[n++] = c->waiting[i].path;
			else
				c->waiting[left++] = c->waiting[i];
		c->n_waiting = left;
		r = add_libraries(c, loader, batch, n);
	}
	return r;
}

/* "#!/usr/bin/env bash" takes both. */
static int add_interpreter(struct closure *c, struct str line, unsigned depth)
{
	struct str rest = str_trim(line), first = str_cut(&rest, ' '), second = str_trim(rest);
	_free_ char *program = xstrndup(first.n ? first.p : "", first.n);
	_free_ char *word = second.n ? xstrndup(second.p, second.n) : NULL, *found = NULL;
	int r = add(c, program, depth + 1);

	if (r >= 0 && strcmp(path_base(program), "env") == 0 && word && word[0] != '-')
		found = proc_find(word);
	return r >= 0 && found ? add(c, found, depth + 1) : r;
}

static int add_file(struct closure *c, const char *path, const struct stat *st, unsigned depth)
{
	_cleanup_(buf_done) struct buf data = {};
	const char *loader;
	struct str rest, interp;

	if ((uint64_t)st->st_size > CLOSURE_FILE_MAX ||
	    file_read(path, CLOSURE_FILE_MAX, &data, NULL) < 0)
		return 0;
	initramfs_file(c->a, path + 1, st->st_mode & 07777, buf_str(&data));
	if (c->a->error)
		return err_set(c->err, -c->a->error, "what the guest needs is too large to pack, "
			       "at '%s'", path);
	rest = buf_str(&data);
	if (str_starts(rest, STR("#!"))) {
		rest = str_from(rest, 2);
		return add_interpreter(c, str_cut(&rest, '\n'), depth);
	}
	interp = elf_segment(rest, PT_INTERP, 0);
	if (!interp.n)
		return 0;
	loader = arena_strndup(&c->arena, interp.p, strnlen(interp.p, interp.n));
	if (access(loader, X_OK) < 0)
		return 0;
	ARRAY_GROW(c->waiting, c->n_waiting, c->cap_waiting);
	c->waiting[c->n_waiting++] =
		(struct waiting){ loader, arena_strndup(&c->arena, path, strlen(path)) };
	return 0;
}

/* ---- the way to a file ---- */

static int add_directory(struct closure *c, const char *path, const struct stat *st)
{
	int r = take(c, path);

	if (r > 0)
		initramfs_dir(c->a, path + 1, st->st_mode & 07777);
	return r < 0 ? r : 0;
}

/* Packs the link at @at and puts what it leads to before @rest. */
static int follow(struct closure *c, const char *at, const char *rest, char *ret, size_t size)
{
	char target[PATH_MAX];
	ssize_t n = readlink(at, target, sizeof(target) - 1);
	int r = take(c, at), length = (int)(path_base(at) - at);

	if (n < 0 || r < 0)
		return n < 0 ? -errno : r;
	target[n] = '\0';
	if (r > 0)
		initramfs_link(c->a, at + 1, target);
	r = snprintf(ret, size, "%.*s%s%s", target[0] == '/' ? 0 : length, at, target, rest);
	return (size_t)r < size ? 0 : -ENAMETOOLONG;
}

/* Takes ".", ".." and doubled slashes out of the way that @path begins with. */
static void enter(char at[PATH_MAX], const char *name, size_t n)
{
	char *last;

	if (n == 0 || (n == 1 && name[0] == '.'))
		return;
	if (n == 2 && memcmp(name, "..", 2) == 0) {
		last = strrchr(at, '/');
		if (last)
			*last = '\0';
		return;
	}
	snprintf(at + strlen(at), PATH_MAX - strlen(at), "/%.*s", (int)n, name);
}

/* Everything on the way to @path, which becomes the path without links in it.
 * Returns 0, or -ENOENT. */
static int walk(struct closure *c, char path[PATH_MAX], struct stat *st)
{
	char at[PATH_MAX] = "", next[PATH_MAX];
	const char *rest = path;
	unsigned links = 0;

	*st = (struct stat){ .st_mode = S_IFDIR | 0755 };
	while (*rest) {
		size_t n = strcspn(rest, "/");
		int r;

		enter(at, rest, n);
		rest += n + (rest[n] == '/');
		if (!at[0])
			continue;
		if (lstat(at, st) < 0)
			return -errno;
		if (S_ISLNK(st->st_mode)) {
			_free_ char *behind = *rest ? xasprintf("/%s", rest) : xstrdup("");

			r = links++ < LINKS_MAX ? follow(c, at, behind, next, sizeof(next))
						: -ELOOP;
			if (r < 0)
				return r;
			memcpy(path, next, strlen(next) + 1);
			rest = path;
			at[0] = '\0';
		} else if (S_ISDIR(st->st_mode)) {
			r = add_directory(c, at, st);
			if (r < 0)
				return r;
		} else if (*rest) {
			return -ENOTDIR;
		}
	}
	memcpy(path, at, strlen(at) + 1);
	return 0;
}

static int add_entries(struct closure *c, const char *dir, unsigned depth)
{
	_free_ char *mark = xasprintf("%s/", dir);
	int r = take(c, mark);
	DIR *d = r > 0 ? opendir(dir) : NULL;
	struct dirent *e;

	while (d && r >= 0 && (e = readdir(d))) {
		_free_ char *path = path_join(dir, e->d_name);

		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = add(c, path, depth + 1);
	}
	if (d)
		closedir(d);
	return r < 0 ? r : 0;
}

/* A file with what it takes, or a directory with all that is in it. Returns 0 or, where
 * it is not there or leads nowhere, 1. */
static int add(struct closure *c, const char *path, unsigned depth)
{
	char real[PATH_MAX];
	struct stat st;
	int r;

	if (strlen(path) >= sizeof(real) || path[0] != '/' || depth > DEPTH_MAX)
		return 1;
	memcpy(real, path, strlen(path) + 1);
	r = walk(c, real, &st);
	if (r == -EFBIG)
		return r;
	if (r < 0 || !real[0])
		return 1;
	if (S_ISDIR(st.st_mode))
		/* What a link in a directory leads to may be anything. */
		return depth && strcmp(real, path) != 0 ? 0 : add_entries(c, real, depth);
	if (!S_ISREG(st.st_mode))
		return 0;
	r = take(c, real);
	return r > 0 ? add_file(c, real, &st, depth) : r;
}

static int add_way(struct closure *c, const char *path)
{
	char real[PATH_MAX];
	struct stat st;
	int r;

	if (strlen(path) >= sizeof(real))
		return 1;
	memcpy(real, path, strlen(path) + 1);
	r = walk(c, real, &st);
	return r == -EFBIG ? r : r < 0;
}

/* ---- all of it ---- */

static int add_usual(struct closure *c)
{
	static const char *const dirs[] = { "dev", "mnt", "proc", "root", "run", "sys", "tmp",
					    "var", "var/tmp" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_free_ char *path = xasprintf("/%s", dirs[i]);

		if (take(c, path) > 0)
			initramfs_dir(c->a, dirs[i],
				      str_ends(str_of(path), STR("tmp")) ? 01777 : 0755);
	}
	for (const char *const *p = CLOSURE_PROGRAMS; *p && r >= 0; p++) {
		_free_ char *path = proc_find(*p);

		r = path ? add(c, path, 0) : 0;
	}
	for (const char *const *p = CLOSURE_PATHS; *p && r >= 0; p++)
		r = add(c, *p, 0);
	return r < 0 ? r : 0;
}

static uint64_t tree_size(const char *dir, unsigned depth)
{
	DIR *d = depth < DEPTH_MAX ? opendir(dir) : NULL;
	struct dirent *e;
	uint64_t size = 0;
	struct stat st;

	while (d && (e = readdir(d))) {
		_free_ char *path = path_join(dir, e->d_name);

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    lstat(path, &st) < 0)
			continue;
		size += S_ISDIR(st.st_mode) ? tree_size(path, depth + 1) : (uint64_t)st.st_size;
	}
	if (d)
		closedir(d);
	return size;
}

/* What the kernel itself asks for while it runs. */
static int add_modules(struct closure *c, const struct machine_config *m, const struct log *log)
{
	_free_ char *dir = m->modules_dir ? path_join(m->modules_dir, m->release) : NULL;
	uint64_t size = dir ? tree_size(dir, 0) : 0;
	char text[UNIT_TEXT_MAX];
	int r;

	if (size > CLOSURE_MODULES_MAX) {
		log_warn(log, "the guest can't load modules: those of kernel %s are %s, too much "
			 "to be packed for it", m->release, size_text(size, text));
		return 0;
	}
	r = dir ? add(c, dir, 0) : 0;
	return r < 0 ? r : 0;
}

int closure_pack(struct initramfs *a, const struct machine_config *m, const struct log *log,
		 struct err *err)
{
	char text[UNIT_TEXT_MAX];
	struct closure c = { .a = a, .err = err, .slots = xcalloc(SLOTS, sizeof(*c.slots)) };
	int r = add_usual(&c);

	for (const char *const *p = m->needed; *p && r >= 0; p++) {
		r = str_ends(str_of(*p), STR("/")) ? add_way(&c, *p) : add(&c, *p, 0);
		if (r > 0)
			r = err_set(err, ENOENT, "'%s' is needed in the guest, and not there", *p);
	}
	for (unsigned i = 0; i < m->n_shares && r >= 0; i++)
		r = add(&c, m->shares[i].dir, 0);
	if (r >= 0)
		r = add_waiting(&c);
	if (r >= 0)
		r = add_modules(&c, m, log);
	if (r >= 0)
		log_debug(log, "packed for the guest of the host's files: %u, %s", c.n,
			  size_text(a->out.n, text));
	arena_done(&c.arena);
	free(c.waiting);
	free(c.slots);
	return r < 0 ? r : 0;
}
