/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The debug info of a kernel of Debian's, which is a package of its own. */
#include "kernel/debian-inside.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "kernel/tool.h"

#define DEBIAN_IMAGE "linux-image-"

/* As it is unpacked: usr/lib/debug is where it is looked for. */
static int finish_debug(const char *tree, const struct debian_choice *c, struct err *err)
{
	_free_ char *debug = path_join(tree, "usr/lib/debug");

	if (file_exists(debug))
		return 0;
	return err_set(err, ENOENT, "package %s has no usr/lib/debug", c->package);
}

static char *debug_package(const char *release)
{
	char *name = xasprintf(DEBIAN_IMAGE "%s-dbg", release);

	if (debian_name_ok(str_of(name)))
		return name;
	free(name);
	return NULL;
}

/* The version that was asked for, or the preferred one. */
static int choose_debug(struct debian *d, const char *version, struct debian_choice *c,
			struct err *err)
{
	struct buf text = {};
	struct apt_record rec;
	int r = apt_show(&d->apt, c->package, &text, err);

	if (r == 0 && !apt_record_find(buf_str(&text), version, &rec))
		r = err_set(err, ENOENT, "no package %s %s in apt's sources", c->package,
			    version ? version : "");
	if (r == 0)
		c->version = xstrndup(rec.version.p, rec.version.n);
	buf_done(&text);
	return r;
}

int debian_debug(const char *spec, const char *release, const char *version,
		 const char *cache_dir, const struct log *log, struct err *err)
{
	_cleanup_(debian_choice_done) struct debian_choice c = {
		.package = debug_package(release),
	};
	_cleanup_(debian_close) struct debian d;
	_free_ char *dir = NULL;
	int r = debian_open(&d, spec, cache_dir, log, err);

	if (r == 0 && !c.package)
		r = err_set(err, ENOENT, "'%s' is no release of a Debian kernel", release);
	if (r == 0)
		r = debian_begin(&d, err);
	if (r == 0)
		r = apt_update(&d.apt, false, err);
	if (r == 0)
		r = choose_debug(&d, version, &c, err);
	if (r == -ENOENT && c.package && !d.apt.updated && apt_update(&d.apt, true, err) == 0)
		r = choose_debug(&d, version, &c, err);
	if (r < 0)
		return r;
	dir = debian_package_dir(&d, c.package, c.version);
	return file_exists(dir) ? 0 : debian_fetch(&d, &c, dir, finish_debug, err);
}

int debian_debug_size(const char *release, char **ret_package, uint64_t *ret_fetch,
		      uint64_t *ret_unpacked)
{
	_free_ char *package = debug_package(release);
	const char *const argv[] = { "apt-cache", "show", package, NULL };
	struct apt_record rec;
	struct buf text = {}, said = {};
	int r = 0;

	*ret_package = NULL;
	*ret_fetch = *ret_unpacked = 0;
	if (!package)
		return 0;
	if (tool_exit_code(argv, NULL, &text, &said, NULL) == 0 &&
	    apt_record_find(buf_str(&text), NULL, &rec)) {
		*ret_fetch = rec.size;
		*ret_unpacked = rec.installed;
		*ret_package = TAKE(package);
		r = 1;
	}
	buf_done(&text);
	buf_done(&said);
	return r;
}
