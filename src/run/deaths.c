/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/deaths.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct death {
	char *mode, *machine, *suite, *name, *why;
	unsigned n;
};

struct run_deaths {
	struct death *v;
	size_t n, cap;
};

static struct death *find(const struct run_deaths *d, const struct run_setting *s,
			  const struct plan_test *t)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->v[i].suite, t->suite) == 0 && strcmp(d->v[i].name, t->name) == 0 &&
		    strcmp(d->v[i].mode, s->mode) == 0 &&
		    strcmp(d->v[i].machine, s->machine) == 0)
			return &d->v[i];
	return NULL;
}

struct run_deaths *run_deaths_new(void)
{
	return xcalloc(1, sizeof(struct run_deaths));
}

struct run_deaths *run_deaths_free(struct run_deaths *d)
{
	for (size_t i = 0; d && i < d->n; i++) {
		free(d->v[i].mode);
		free(d->v[i].machine);
		free(d->v[i].suite);
		free(d->v[i].name);
		free(d->v[i].why);
	}
	if (d)
		free(d->v);
	free(d);
	return NULL;
}

void run_deaths_add(struct run_deaths *d, const struct run_setting *s,
		    const struct plan_test *t, const char *why)
{
	struct death *one = find(d, s, t);

	if (!one) {
		ARRAY_GROW(d->v, d->n, d->cap);
		one = &d->v[d->n++];
		*one = (struct death){ .mode = xstrdup(s->mode), .machine = xstrdup(s->machine),
				       .suite = xstrdup(t->suite), .name = xstrdup(t->name) };
	}
	one->n++;
	free(one->why);
	one->why = xstrdup(why);
}

unsigned run_deaths_of(const struct run_deaths *d, const struct run_setting *s,
		       const struct plan_test *t, const char **ret_why)
{
	const struct death *one = find(d, s, t);

	*ret_why = one ? one->why : NULL;
	return one ? one->n : 0;
}
