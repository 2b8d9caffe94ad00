/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/counters.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "kernel/store-away.h"

#define DIRS_MAX 64

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

static int on_source(void *ctx, const char *below, struct err *err)
{
	bool *found = ctx;

	*found = true;
	return 0;
}

static int add_dir(struct counters *c, const char *source, const char *word, struct err *err)
{
	_free_ char *dir = xstrdup(word), *path = NULL;
	size_t n = strlen(dir);
	bool found = false;

	while (n > 1 && dir[n - 1] == '/')
		dir[--n] = '\0';
	if (!is_plain(dir) || c->n == DIRS_MAX)
		return err_set(err, EINVAL, "coverage of '%s': that is no directory below the "
			       "kernel's tree, as net/mptcp is", word);
	path = path_join(source, dir);
	dir_files(path, ".c", on_source, &found, NULL);
	if (!found)
		return err_set(err, ENOENT, "coverage of '%s': the kernel's tree has no C file "
			       "there", word);
	ARRAY_GROW(c->dirs, c->n, c->cap);
	c->dirs[c->n++] = TAKE(dir);
	return 0;
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
	if (r == 0 && c.n && strcmp(o->arch, "um") == 0)
		r = err_set(err, EINVAL, "coverage of '%s': a User Mode Linux that counts does not "
			    "boot; use --machine qemu", c.dirs[0]);
	if (r < 0) {
		counters_done(&c);
		return r;
	}
	*ret = c;
	return 0;
}

void counters_done(struct counters *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->dirs[i]);
	free(c->dirs);
	*c = (struct counters){};
}

/* Make looks where it is: $(obj) is the directory of what it compiles. */
char *counters_word(const struct counters *c)
{
	struct buf b = {};

	buf_printf(&b, "GCOV_PROFILE=$(if $(filter");
	for (size_t i = 0; i < c->n; i++)
		buf_printf(&b, " %s %s/%%", c->dirs[i], c->dirs[i]);
	buf_printf(&b, ",$(obj)),y)");
	return buf_take(&b);
}

struct keeping {
	const char *objects, *dest, *dir;
	unsigned n;
};

static int on_notes(void *ctx, const char *below, struct err *err)
{
	struct keeping *k = ctx;
	_free_ char *from = xasprintf("%s/%s/%s", k->objects, k->dir, below);
	_free_ char *to = xasprintf("%s/%s/%s", k->dest, k->dir, below), *parent = path_dir(to);
	int r = dir_make(parent, err);

	k->n++;
	return r < 0 ? r : store_away_copy(from, to, err);
}

int counters_keep(const struct counters *c, const char *objects, const char *dest,
		  struct err *err)
{
	_free_ char *below = path_join(dest, "counters");
	struct keeping k = { .objects = objects, .dest = below };
	int r = 0;

	for (size_t i = 0; i < c->n && r == 0; i++) {
		_free_ char *path = path_join(objects, c->dirs[i]);

		k.dir = c->dirs[i];
		if (file_exists(path))
			r = dir_files(path, ".gcno", on_notes, &k, err);
	}
	if (r == 0 && c->n && !k.n)
		r = err_set(err, ENOENT, "coverage of '%s': nothing of it is in this kernel: is "
			    "its option set?", c->dirs[0]);
	return r;
}
