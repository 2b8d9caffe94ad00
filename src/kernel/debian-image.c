/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel that a spec means: found again, or chosen, fetched and laid out. */
#include "kernel/debian-inside.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/inflate.h"
#include "base/mem.h"
#include "base/units.h"
#include "kernel/image.h"
#include "kernel/tool.h"

#define FOUND_FRESH_MS (24 * 60 * 60 * 1000ll)
#define UML_CONFIG_MAX (4u << 20)

/*
 * What a spec meant last time.
 */

static char *found_path(const struct debian *d)
{
	return xasprintf("%s/found/%s_%s", d->root, d->spec.suite ? d->spec.suite : "system",
			 d->spec.package ? d->spec.package : "default");
}

/* Returns 1 when the answer is there with its files; @any_age: even an old one. */
static int found_read(const struct debian *d, bool any_age, struct debian_choice *ret)
{
	_free_ char *path = found_path(d), *line = NULL, *dir = NULL;
	struct debian_choice c = {};
	struct str version, package;
	struct stat st;

	if (stat(path, &st) < 0 || file_read_line(path, &line, NULL) < 0)
		return 0;
	if (!any_age && clock_wall_ms() - st.st_mtime * 1000ll > FOUND_FRESH_MS)
		return 0;
	version = str_of(line);
	package = str_cut(&version, ' ');
	if (!debian_name_ok(package) || !version.n || memchr(version.p, '/', version.n))
		return 0;
	c.package = xstrndup(package.p, package.n);
	c.version = xstrndup(version.p, version.n);
	dir = debian_package_dir(d, c.package, c.version);
	if (!file_exists(dir)) {
		debian_choice_done(&c);
		return 0;
	}
	*ret = c;
	return 1;
}

static int found_write(const struct debian *d, const struct debian_choice *c, struct err *err)
{
	_free_ char *path = found_path(d), *dir = path_dir(path);
	_free_ char *line = xasprintf("%s %s\n", c->package, c->version);
	int r = dir_make(dir, err);

	return r < 0 ? r : file_write(path, str_of(line), 0644, err);
}

/*
 * Choosing.
 */

/* Follows a metapackage to its image. Returns 1, 0 when the lists lack it. */
static int choose_image(struct debian *d, const char *package, struct debian_choice *ret,
			struct err *err)
{
	_free_ char *name = xstrdup(package);
	struct buf text = {};
	struct apt_record rec;
	struct str image;
	int r = 0, depth;

	for (depth = 0; depth < 4; depth++) {
		buf_clear(&text);
		r = apt_show(&d->apt, name, &text, err);
		if (r < 0 || !apt_record_find(buf_str(&text), NULL, &rec))
			break;
		image = debian_depends_image(rec.depends);
		if (!image.n) {
			ret->package = TAKE(name);
			ret->version = xstrndup(rec.version.p, rec.version.n);
			r = 1;
			break;
		}
		if (!debian_name_ok(image))
			break;
		free(name);
		name = xstrndup(image.p, image.n);
	}
	buf_done(&text);
	return r;
}

/* The newest cloud kernel with its source. Returns 1, or 0 when there is none. */
static int choose_default(struct debian *d, struct debian_choice *ret, struct err *err)
{
	struct buf names = {}, list = {};
	struct debian_choice c = {};
	int r = apt_names(&d->apt, "linux-", &names, err);

	if (r == 0)
		debian_candidates(buf_str(&names), &list);
	for (struct str rest = buf_str(&list); r == 0 && rest.n;) {
		struct str line = str_cut(&rest, '\n');
		_free_ char *name = xstrndup(line.p, line.n);

		r = line.n ? choose_image(d, name, &c, err) : 0;
		if (r > 0)
			r = debian_has_source(d, &c, err);
		if (r > 0)
			*ret = c;
		else
			debian_choice_done(&c);
	}
	buf_done(&names);
	buf_done(&list);
	return r;
}

static int choose(struct debian *d, struct debian_choice *ret, struct err *err)
{
	/* Twice: once with the lists that are there, once with new ones. */
	for (int again = 0; again < 2; again++) {
		int r = apt_update(&d->apt, again, err);

		if (r == 0)
			r = d->spec.package ? choose_image(d, d->spec.package, ret, err)
					    : choose_default(d, ret, err);
		if (r != 0)
			return r;
	}
	if (d->apt.trouble.code)
		return err_set(err, d->apt.trouble.code, "%s", d->apt.trouble.text);
	if (d->spec.package)
		return err_set(err, ENOENT, "no kernel package '%s' in apt's sources%s%s",
			       d->spec.package, d->spec.suite ? " for " : "",
			       d->spec.suite ? d->spec.suite : "");
	return err_set(err, ENOENT,
		       "no cloud kernel with its source package in apt's sources; name a kernel "
		       "package: --kernel debian/linux-image-...");
}

/*
 * Fetching.
 */

/* The only boot/vmlinuz-<release> of an unpacked package. */
static char *unpacked_release(const char *tree)
{
	_free_ char *pattern = path_join(tree, "boot/vmlinuz-*");
	char *release = NULL;
	glob_t found;

	if (glob(pattern, 0, NULL, &found) == 0) {
		release = xstrdup(path_base(found.gl_pathv[0]) + strlen("vmlinuz-"));
		globfree(&found);
	}
	return release;
}

/* The package user-mode-linux is laid out as a program's; as a kernel's it is
 * found like any other. Returns 1 when it was that. */
static int shape_uml(const char *tree, struct err *err)
{
	_free_ char *program = path_join(tree, "usr/bin/linux.uml");
	_free_ char *doc = path_join(tree, "usr/share/doc/" DEBIAN_UML "/config.gz");
	_free_ char *modules = path_join(tree, "usr/lib/uml/modules");
	_free_ char *boot = path_join(tree, "boot"), *lib = path_join(tree, "lib");
	_free_ char *to_modules = path_join(tree, "lib/modules");
	_free_ char *release = NULL, *image = NULL, *config = NULL;
	_cleanup_(buf_done) struct buf packed = {}, text = {};
	int r;

	if (!file_exists(program))
		return 0;
	r = image_release(program, &release, NULL, err);
	if (r == 0)
		r = dir_make(boot, err);
	if (r == 0)
		r = dir_make(lib, err);
	if (r < 0)
		return r;
	image = xasprintf("%s/vmlinuz-%s", boot, release);
	config = xasprintf("%s/config-%s", boot, release);
	if (rename(program, image) < 0 || rename(modules, to_modules) < 0)
		return err_sys(err, errno, "rename '%s'", program);
	r = file_read(doc, UML_CONFIG_MAX, &packed, err);
	if (r == 0)
		r = inflate_any(buf_str(&packed), UML_CONFIG_MAX, &text, err);
	if (r == 0)
		r = file_write(config, buf_str(&text), 0644, err);
	return r < 0 ? r : 1;
}

static int finish_image(const char *tree, const struct debian_choice *c, struct err *err)
{
	_free_ char *lib = path_join(tree, "lib"), *usr_lib = path_join(tree, "usr/lib");
	_free_ char *release = NULL;
	int r = shape_uml(tree, err);

	if (r < 0)
		return r;
	release = unpacked_release(tree);
	if (!release)
		return err_set(err, ENOENT,
			       "package %s has no boot/vmlinuz-*: it is no kernel image",
			       c->package);
	/* From trixie on modules are shipped in usr/lib, and lib is a link. */
	if (!file_exists(lib) && file_exists(usr_lib) && rename(usr_lib, lib) < 0)
		return err_sys(err, errno, "rename '%s'", usr_lib);
	const char *const depmod[] = { "depmod", "-b", tree, release, NULL };
	r = tool_run(depmod, NULL, NULL, err);
	return r < 0 ? err_wrap(err, r, "list the modules of %s (package kmod)", release) : 0;
}

static void fill(struct kernel *k, const struct debian_choice *c, const char *dir,
		 const char *release)
{
	struct str series = debian_series(str_of(release));
	_free_ char *config = xasprintf("%s/boot/config-%s", dir, release);
	_free_ char *modules = xasprintf("%s/lib/modules/%s", dir, release);

	k->release = xstrdup(release);
	k->uml = strcmp(c->package, DEBIAN_UML) == 0;
	k->version = xstrdup(c->version);
	k->branch = xasprintf("debian-%.*s", STR_FMT(series));
	k->image = xasprintf("%s/boot/vmlinuz-%s", dir, release);
	k->config = file_exists(config) ? TAKE(config) : NULL;
	k->modules_dir = file_exists(modules) ? path_join(dir, "lib/modules") : NULL;
}

static int find_locked(struct debian *d, struct debian_choice *c, struct err *err)
{
	_free_ char *dir = NULL;
	int r = debian_begin(d, err);

	/* Whoever held the lock may have fetched just this. */
	if (r < 0 || found_read(d, false, c))
		return r;
	r = choose(d, c, err);
	if (r < 0) {
		if (!found_read(d, true, c))
			return r;
		log_warn(d->log, "%s %s is used as found earlier: %s", c->package, c->version,
			 err ? err->text : "apt failed");
		return 0;
	}
	dir = debian_package_dir(d, c->package, c->version);
	r = file_exists(dir) ? 0 : debian_fetch(d, c, dir, finish_image, err);
	if (r < 0 && !d->apt.updated) {
		/* A mirror drops a package when a newer one is in its lists. */
		debian_choice_done(c);
		r = apt_update(&d->apt, true, err);
		if (r == 0)
			r = choose(d, c, err);
		if (r < 0)
			return r;
		free(dir);
		dir = debian_package_dir(d, c->package, c->version);
		r = file_exists(dir) ? 0 : debian_fetch(d, c, dir, finish_image, err);
	}
	return r < 0 ? r : found_write(d, c, err);
}

int debian_find(struct kernel *k, const char *cache_dir, const struct log *log,
		struct err *err)
{
	_cleanup_(debian_choice_done) struct debian_choice c = {};
	_cleanup_(debian_close) struct debian d;
	_free_ char *dir = NULL, *release = NULL;
	int r = debian_open(&d, k->spec, cache_dir, log, err);

	if (r == 0 && !found_read(&d, false, &c))
		r = find_locked(&d, &c, err);
	if (r < 0)
		return r;
	dir = debian_package_dir(&d, c.package, c.version);
	release = unpacked_release(dir);
	if (!release)
		return err_set(err, ENOENT, "no boot/vmlinuz-* in '%s'; remove that directory",
			       dir);
	fill(k, &c, dir, release);
	return 0;
}
