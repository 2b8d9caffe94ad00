/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/kernel.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "kernel/debian.h"
#include "kernel/tree.h"

/* Where a kernel comes from. */
struct origin {
	bool (*is)(const char *spec);
	int (*find)(struct kernel *k, const char *cache_dir, const struct log *log,
		    struct err *err);
	int (*source)(struct kernel *k, const char *cache_dir, const struct log *log,
		      struct err *err); /* NULL: has none */
};

static bool is_debian(const char *spec)
{
	return str_starts(str_of(spec), STR("debian")) &&
	       (spec[6] == '\0' || spec[6] == ':' || spec[6] == '/');
}

static bool is_host(const char *spec)
{
	return strcmp(spec, "host") == 0;
}

static bool is_dir(const char *spec)
{
	struct stat st;

	return stat(spec, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_file(const char *spec)
{
	struct stat st;

	return stat(spec, &st) == 0 && S_ISREG(st.st_mode);
}

/* Words win over files of the same name: "./host" is the file. */
static const struct origin ORIGINS[] = {
	{ is_debian, debian_find, debian_source },
	{ is_host, host_find, NULL },
	{ is_dir, tree_find, tree_source },
	{ is_file, file_find, NULL },
};

static const struct origin *origin_of(const char *spec)
{
	for (size_t i = 0; i < ARRAY_SIZE(ORIGINS); i++)
		if (ORIGINS[i].is(spec))
			return &ORIGINS[i];
	return NULL;
}

int kernel_find(const char *spec, const char *cache_dir, const struct log *log,
		struct kernel *ret, struct err *err)
{
	const struct origin *o = origin_of(spec);
	struct kernel k = { .spec = xstrdup(spec) };
	int r;

	assert(cache_dir[0] == '/');
	if (!o)
		r = err_set(err, ENOENT,
			    "no kernel '%s': give a kernel tree, 'git:REF', a bzImage or vmlinux "
			    "file, 'host' or 'debian[:SUITE][/PACKAGE]'",
			    spec);
	else
		r = o->find(&k, cache_dir, log, err);
	if (r < 0) {
		kernel_done(&k);
		return r;
	}
	log_debug(log, "kernel %s: %s", k.release, k.image);
	*ret = k;
	return 0;
}

int kernel_source(struct kernel *k, const char *cache_dir, const struct log *log,
		  struct err *err)
{
	const struct origin *o = origin_of(k->spec);

	if (k->source)
		return 0;
	if (!o || !o->source)
		return err_set(err, ENOENT,
			       "kernel '%s' comes without its source, which the tests are built "
			       "from; use a tree or 'debian'",
			       k->spec);
	return o->source(k, cache_dir, log, err);
}

int kernel_debug_fetch(const char *spec, const char *release, const char *version,
		       const char *cache_dir, const struct log *log, struct err *err)
{
	return debian_debug(spec && is_debian(spec) ? spec : "debian", release, version,
			    cache_dir, log, err);
}

int kernel_debug_package(const char *release, char **ret_package, uint64_t *ret_fetch,
			 uint64_t *ret_unpacked)
{
	return debian_debug_size(release, ret_package, ret_fetch, ret_unpacked);
}

void kernel_done(struct kernel *k)
{
	char **all[] = { &k->spec, &k->release, &k->version, &k->branch, &k->image,
			 &k->config, &k->modules_dir, &k->source, &k->source_id,
			 &k->identity, &k->counters };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		free(*all[i]);
	if (k->held)
		close(k->held - 1);
	*k = (struct kernel){};
}
