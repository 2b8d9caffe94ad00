/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The source of a kernel of Debian's. */
#include "kernel/debian-inside.h"

#include <glob.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "kernel/parts.h"

static char *source_name(const char *release_or_package)
{
	struct str series = debian_series(str_of(release_or_package));

	return series.n ? xasprintf("linux-source-%.*s", STR_FMT(series)) : NULL;
}

int debian_has_source(struct debian *d, const struct debian_choice *c, struct err *err)
{
	_free_ char *source = source_name(c->package);
	struct buf text = {};
	struct apt_record rec;
	int r;

	if (!source)
		return 0;
	r = apt_show(&d->apt, source, &text, err);
	if (r == 0)
		r = apt_record_find(buf_str(&text), c->version, &rec);
	buf_done(&text);
	return r;
}

static int finish_source(const char *tree, const struct debian_choice *c, struct err *err)
{
	_free_ char *pattern = path_join(tree, "usr/src/linux-source-*.tar.*");
	_free_ char *usr = path_join(tree, "usr");
	glob_t found;
	int r;

	if (glob(pattern, 0, NULL, &found) != 0)
		return err_set(err, ENOENT, "package %s has no usr/src/linux-source-*.tar.xz",
			       c->package);
	r = parts_extract(found.gl_pathv[0], tree, err);
	globfree(&found);
	return r < 0 ? r : dir_remove(usr, err);
}

/* User Mode Linux is a package of its own, whose version is not that of its source. */
static int choose_uml_source(struct debian *d, struct debian_choice *c, struct err *err)
{
	_cleanup_(buf_done) struct buf text = {};
	struct apt_record rec;
	struct str version = STR_NONE;
	int r = debian_begin(d, err);

	if (r == 0)
		r = apt_show(&d->apt, DEBIAN_UML, &text, err);
	if (r < 0)
		return r;
	if (apt_record_find(buf_str(&text), c->version, &rec))
		version = debian_built_of_linux(rec.built_using);
	if (!version.n)
		return err_set(err, ENOENT, "apt's sources do not tell any more of which Linux "
			       DEBIAN_UML " %s was built", c->version);
	free(c->version);
	c->version = xstrndup(version.p, version.n);
	return 0;
}

int debian_source(struct kernel *k, const char *cache_dir, const struct log *log,
		  struct err *err)
{
	_cleanup_(debian_choice_done) struct debian_choice c = {
		.package = source_name(k->release),
		.version = xstrdup(k->version),
	};
	_cleanup_(debian_close) struct debian d;
	_free_ char *dir = NULL;
	int r = debian_open(&d, k->spec, cache_dir, log, err);

	if (r < 0)
		return r;
	if (!c.package)
		return err_set(err, ENOENT, "no series in the kernel release '%s'", k->release);
	if (k->uml && (r = choose_uml_source(&d, &c, err)) < 0)
		return r;
	dir = debian_package_dir(&d, c.package, c.version);
	if (!file_exists(dir)) {
		r = debian_begin(&d, err);
		if (r == 0)
			r = apt_update(&d.apt, false, err);
		if (r == 0 && !file_exists(dir))
			r = debian_fetch(&d, &c, dir, finish_source, err);
		if (r == -ENOENT && apt_update(&d.apt, true, err) == 0)
			r = debian_fetch(&d, &c, dir, finish_source, err);
	}
	if (r < 0)
		return r;
	k->source = TAKE(dir);
	k->source_id = xasprintf("%s_%s", c.package, c.version);
	return 0;
}
