/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/counters.h"

#include <fts.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "kernel/store-away.h"

#define DIRS_MAX    64
#define OBJECTS_MAX 4096

static bool is_plain(const char *dir)
{
	struct str rest = str_of(dir);

	if (dir[0] == '/' || !dir[0])
		return false;
	while (rest.n) {
		struct str name = str_cut(&rest, '/');

		if (!name.n || str_eq(name, STR("..")) || str_eq(name, STR(".")))
			return false;
	}
	return true;
}

static void add_object(struct counters *c, const char *file)
{
	_free_ char *stem = xstrndup(file, strlen(file) - 2);

	for (size_t i = 0; i < c->n_objects; i++)
		if (strcmp(c->objects[i], stem) == 0)
			return;
	if (c->n_objects == OBJECTS_MAX)
		return;
	ARRAY_GROW(c->objects, c->n_objects, c->cap_objects);
	c->objects[c->n_objects++] = TAKE(stem);
}

/* Calls @each for the regular files below @dir that end in @suffix. */
static int each_file(const char *dir, const char *suffix,
		     int (*each)(void *ctx, const FTSENT *e, struct err *err), void *ctx,
		     struct err *err)
{
	char *const roots[] = { (char *)dir, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *e;
	int r = 0;

	while (fts && r == 0 && (e = fts_read(fts)))
		if (e->fts_info == FTS_F && str_ends(str_of(e->fts_name), str_of(suffix)))
			r = each(ctx, e, err);
	if (fts)
		fts_close(fts);
	return r;
}

static int on_source(void *ctx, const FTSENT *e, struct err *err)
{
	/* What *.mod.c make leaves in a tree that was built in place is no source. */
	if (!str_ends(str_of(e->fts_name), STR(".mod.c")))
		add_object(ctx, e->fts_name);
	return 0;
}

static int add_dir(struct counters *c, const char *source, const char *word, struct err *err)
{
	_free_ char *dir = xstrdup(word), *path = NULL;
	size_t n = strlen(dir), had = c->n_objects;

	while (n > 1 && dir[n - 1] == '/')
		dir[--n] = '\0';
	if (!is_plain(dir) || c->n_dirs == DIRS_MAX)
		return err_set(err, EINVAL, "coverage of '%s': that is no directory below the "
			       "kernel's tree, as net/mptcp is", word);
	path = path_join(source, dir);
	each_file(path, ".c", on_source, c, err);
	if (c->n_objects == had)
		return err_set(err, ENOENT, "coverage of '%s': the kernel's tree has no C file "
			       "there", word);
	ARRAY_GROW(c->dirs, c->n_dirs, c->cap_dirs);
	c->dirs[c->n_dirs++] = TAKE(dir);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int counters_read(const struct kernel_order *o, const char *source, struct counters *ret,
		  struct err *err)
{
	struct counters c = {};
	int r = 0;

	for (size_t i = 0; r == 0 && o->config && o->config[i]; i++)
		if (str_starts(str_of(o->config[i]), STR(COUNTERS_ENTRY)))
			r = add_dir(&c, source, o->config[i] + strlen(COUNTERS_ENTRY), err);
	for (size_t i = 0; r == 0 && o->coverage && o->coverage[i]; i++)
		r = add_dir(&c, source, o->coverage[i], err);
	if (r == 0 && c.n_dirs && strcmp(o->arch, "um") == 0)
		r = err_set(err, EINVAL, "coverage of '%s': a User Mode Linux that counts does not "
			    "boot; use --machine qemu", c.dirs[0]);
	if (r < 0) {
		counters_done(&c);
		return r;
	}
	if (c.n_objects)
		qsort(c.objects, c.n_objects, sizeof(*c.objects), compare);
	*ret = c;
	return 0;
}

void counters_done(struct counters *c)
{
	for (size_t i = 0; i < c->n_dirs; i++)
		free(c->dirs[i]);
	for (size_t i = 0; i < c->n_objects; i++)
		free(c->objects[i]);
	free(c->dirs);
	free(c->objects);
	*c = (struct counters){};
}

struct keeping {
	const char *objects, *dest;
	unsigned n;
};

static int on_notes(void *ctx, const FTSENT *e, struct err *err)
{
	struct keeping *k = ctx;
	_free_ char *to = path_join(k->dest, e->fts_path + strlen(k->objects) + 1);
	_free_ char *dir = path_dir(to);
	int r = dir_make(dir, err);

	k->n++;
	return r < 0 ? r : store_away_copy(e->fts_path, to, err);
}

int counters_keep(const struct counters *c, const char *objects, const char *dest,
		  struct err *err)
{
	_free_ char *below = path_join(dest, "counters");
	struct keeping k = { .objects = objects, .dest = below };
	int r = 0;

	for (size_t i = 0; i < c->n_dirs && r == 0; i++) {
		_free_ char *path = path_join(objects, c->dirs[i]);

		r = each_file(path, ".gcno", on_notes, &k, err);
	}
	if (r == 0 && c->n_dirs && !k.n)
		r = err_set(err, ENOENT, "coverage of '%s': nothing of it is in this kernel: is "
			    "its option set?", c->dirs[0]);
	return r;
}
