/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/needed.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"

struct list {
	const char **v;
	size_t n, cap;
	struct arena *arena;
};

static void list_add(struct list *l, const char *path, size_t n)
{
	ARRAY_GROW(l->v, l->n, l->cap);
	l->v[l->n++] = arena_strndup(l->arena, path, n);
}

static void add_test(struct list *l, const struct plan_test *t)
{
	size_t n = t->dir ? strlen(t->dir) : 0;
	_free_ char *program = t->argv[0][0] == '/' ? NULL : proc_find(t->argv[0]);

	if (n && t->collection) {
		struct str dir = str_n(t->dir, n), tail = str_of(t->collection);

		if (str_ends(dir, tail) && n > tail.n + 1 && dir.p[n - tail.n - 1] == '/')
			n -= tail.n + 1;
	}
	if (n > 1)
		list_add(l, t->dir, n);
	if (program)
		list_add(l, program, strlen(program));
	for (char **w = t->argv; *w; w++)
		if ((*w)[0] == '/' && access(*w, F_OK) == 0)
			list_add(l, *w, strlen(*w));
}

const char *const *run_needed(const struct run_setting *s, struct arena *a)
{
	struct list l = { .arena = a };
	const char **copy;

	for (size_t i = 0; i < s->tests->n; i++)
		add_test(&l, &s->tests->v[i]);
	if (s->pre)
		add_test(&l, s->pre);
	if (s->post)
		add_test(&l, s->post);
	copy = arena_alloc(a, (l.n + 1) * sizeof(*copy));
	memcpy(copy, l.v ? l.v : copy, l.n * sizeof(*copy));
	copy[l.n] = NULL;
	free(l.v);
	return copy;
}
