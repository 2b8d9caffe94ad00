/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/debian.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/inflate.h"
#include "base/mem.h"
#include "base/units.h"
#include "kernel/apt.h"
#include "kernel/image.h"
#include "kernel/parts.h"
#include "kernel/tool.h"

#define FOUND_FRESH_MS (24 * 60 * 60 * 1000ll)
#define DEBIAN_IMAGE   "linux-image-"
#define DEBIAN_UML     "user-mode-linux"
#define UML_CONFIG_MAX (4u << 20)

/* One piece of work: paths, and apt once it is needed. */
struct debian {
	char *root;    /* <cache>/debian */
	struct debian_spec spec;
	struct apt apt;
	int lock;      /* -1: not held */
	const struct log *log;
};

/* A kernel package, chosen. */
struct choice {
	char *package, *version;
};

static void choice_done(struct choice *c)
{
	free(c->package);
	free(c->version);
	*c = (struct choice){};
}

static bool name_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789+-.", s.p[i]))
			return false;
	return s.n > 0 && s.n < 128 && s.p[0] != '.' && s.p[0] != '-';
}

int debian_spec_parse(const char *spec, struct debian_spec *ret, struct err *err)
{
	struct str rest = str_of(spec), head = str_cut(&rest, '/'), suite = head;

	str_cut(&suite, ':');
	if ((suite.p && !name_ok(suite)) || (rest.p && !name_ok(rest)))
		return err_set(err, EINVAL,
			       "kernel '%s' is not like debian[:SUITE][/PACKAGE], for example "
			       "debian:trixie or debian/linux-image-amd64", spec);
	*ret = (struct debian_spec){
		.suite = suite.p ? xstrndup(suite.p, suite.n) : NULL,
		.package = rest.p ? xstrndup(rest.p, rest.n) : NULL,
	};
	return 0;
}

void debian_spec_done(struct debian_spec *s)
{
	free(s->suite);
	free(s->package);
	*s = (struct debian_spec){};
}

static int debian_open(struct debian *d, const char *spec, const char *cache_dir,
		       const struct log *log, struct err *err)
{
	*d = (struct debian){ .root = path_join(cache_dir, "debian"), .lock = -1, .log = log };
	return debian_spec_parse(spec, &d->spec, err);
}

static void debian_close(struct debian *d)
{
	apt_done(&d->apt);
	debian_spec_done(&d->spec);
	free(d->root);
	closep(&d->lock);
}

/* Alone from here on, also when asked again: takes the lock, clears what a killed run
 * left, opens apt. */
static int debian_begin(struct debian *d, struct err *err)
{
	_free_ char *lock = path_join(d->root, "lock"), *apt = path_join(d->root, "apt");
	_free_ char *stale = path_join(d->root, "tmp.*");
	glob_t found;
	int r;

	if (d->lock >= 0)
		return 0;
	r = file_lock(lock, false, &d->lock, err);
	if (r == 0) {
		log_info(d->log, "another taproom is fetching a kernel, waiting for it");
		r = file_lock(lock, true, &d->lock, err);
	}
	if (r < 0)
		return r;
	if (glob(stale, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			dir_remove(found.gl_pathv[i], NULL);
		globfree(&found);
	}
	return apt_open(&d->apt, apt, d->spec.suite, d->log, err);
}

/* Where a package lies once it is unpacked. */
static char *package_dir(const struct debian *d, const char *package, const char *version)
{
	char *path = xasprintf("%s/%s_%s", d->root, package, version);

	/* An epoch's colon would end a path in mount options and make's lists. */
	for (char *c = path + strlen(d->root); *c; c++)
		if (*c == ':')
			*c = '_';
	return path;
}

/*
 * What a spec meant last time.
 */

static char *found_path(const struct debian *d)
{
	return xasprintf("%s/found/%s_%s", d->root, d->spec.suite ? d->spec.suite : "system",
			 d->spec.package ? d->spec.package : "default");
}

/* Returns 1 when the answer is there with its files; @any_age: even an old one. */
static int found_read(const struct debian *d, bool any_age, struct choice *ret)
{
	_free_ char *path = found_path(d), *line = NULL, *dir = NULL;
	struct choice c = {};
	struct str version, package;
	struct stat st;

	if (stat(path, &st) < 0 || file_read_line(path, &line, NULL) < 0)
		return 0;
	if (!any_age && clock_wall_ms() - st.st_mtime * 1000ll > FOUND_FRESH_MS)
		return 0;
	version = str_of(line);
	package = str_cut(&version, ' ');
	if (!name_ok(package) || !version.n || memchr(version.p, '/', version.n))
		return 0;
	c.package = xstrndup(package.p, package.n);
	c.version = xstrndup(version.p, version.n);
	dir = package_dir(d, c.package, c.version);
	if (!file_exists(dir)) {
		choice_done(&c);
		return 0;
	}
	*ret = c;
	return 1;
}

static int found_write(const struct debian *d, const struct choice *c, struct err *err)
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
static int choose_image(struct debian *d, const char *package, struct choice *ret,
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
		if (!name_ok(image))
			break;
		free(name);
		name = xstrndup(image.p, image.n);
	}
	buf_done(&text);
	return r;
}

static char *source_name(const char *release_or_package)
{
	struct str series = debian_series(str_of(release_or_package));

	return series.n ? xasprintf("linux-source-%.*s", STR_FMT(series)) : NULL;
}

/* Is there a source package of exactly this version? Returns 1 or 0. */
static int has_source(struct debian *d, const struct choice *c, struct err *err)
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

/* The newest cloud kernel with its source. Returns 1, or 0 when there is none. */
static int choose_default(struct debian *d, struct choice *ret, struct err *err)
{
	struct buf names = {}, list = {};
	struct choice c = {};
	int r = apt_names(&d->apt, "linux-", &names, err);

	if (r == 0)
		debian_candidates(buf_str(&names), &list);
	for (struct str rest = buf_str(&list); r == 0 && rest.n;) {
		struct str line = str_cut(&rest, '\n');
		_free_ char *name = xstrndup(line.p, line.n);

		r = line.n ? choose_image(d, name, &c, err) : 0;
		if (r > 0)
			r = has_source(d, &c, err);
		if (r > 0)
			*ret = c;
		else
			choice_done(&c);
	}
	buf_done(&names);
	buf_done(&list);
	return r;
}

static int choose(struct debian *d, struct choice *ret, struct err *err)
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

/* Fetches into a temporary directory, lets @finish shape tree/, renames. */
static int fetch(struct debian *d, const struct choice *c, const char *final,
		 int (*finish)(const char *tree, const struct choice *c, struct err *err),
		 struct err *err)
{
	_cleanup_(dir_removep) char *temp = NULL;
	_free_ char *tree = NULL;
	int r = dir_temp(d->root, "tmp.", &temp, err);

	if (r < 0)
		return r;
	tree = path_join(temp, "tree");
	r = apt_unpack(&d->apt, c->package, c->version, temp, err);
	if (r == 0)
		r = finish(tree, c, err);
	if (r < 0)
		return r;
	if (rename(tree, final) < 0)
		return err_sys(err, errno, "rename '%s' to '%s'", tree, final);
	return 0;
}

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

static int finish_image(const char *tree, const struct choice *c, struct err *err)
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

static int finish_source(const char *tree, const struct choice *c, struct err *err)
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

static void fill(struct kernel *k, const struct choice *c, const char *dir, const char *release)
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

static int find_locked(struct debian *d, struct choice *c, struct err *err)
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
	dir = package_dir(d, c->package, c->version);
	r = file_exists(dir) ? 0 : fetch(d, c, dir, finish_image, err);
	if (r < 0 && !d->apt.updated) {
		/* A mirror drops a package when a newer one is in its lists. */
		choice_done(c);
		r = apt_update(&d->apt, true, err);
		if (r == 0)
			r = choose(d, c, err);
		if (r < 0)
			return r;
		free(dir);
		dir = package_dir(d, c->package, c->version);
		r = file_exists(dir) ? 0 : fetch(d, c, dir, finish_image, err);
	}
	return r < 0 ? r : found_write(d, c, err);
}

int debian_find(struct kernel *k, const char *cache_dir, const struct log *log,
		struct err *err)
{
	_cleanup_(choice_done) struct choice c = {};
	_cleanup_(debian_close) struct debian d;
	_free_ char *dir = NULL, *release = NULL;
	int r = debian_open(&d, k->spec, cache_dir, log, err);

	if (r == 0 && !found_read(&d, false, &c))
		r = find_locked(&d, &c, err);
	if (r < 0)
		return r;
	dir = package_dir(&d, c.package, c.version);
	release = unpacked_release(dir);
	if (!release)
		return err_set(err, ENOENT, "no boot/vmlinuz-* in '%s'; remove that directory",
			       dir);
	fill(k, &c, dir, release);
	return 0;
}

/* User Mode Linux is a package of its own, whose version is not that of its source. */
static int choose_uml_source(struct debian *d, struct choice *c, struct err *err)
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
	_cleanup_(choice_done) struct choice c = { .package = source_name(k->release),
						   .version = xstrdup(k->version) };
	_cleanup_(debian_close) struct debian d;
	_free_ char *dir = NULL;
	int r = debian_open(&d, k->spec, cache_dir, log, err);

	if (r < 0)
		return r;
	if (!c.package)
		return err_set(err, ENOENT, "no series in the kernel release '%s'", k->release);
	if (k->uml && (r = choose_uml_source(&d, &c, err)) < 0)
		return r;
	dir = package_dir(&d, c.package, c.version);
	if (!file_exists(dir)) {
		r = debian_begin(&d, err);
		if (r == 0)
			r = apt_update(&d.apt, false, err);
		if (r == 0 && !file_exists(dir))
			r = fetch(&d, &c, dir, finish_source, err);
		if (r == -ENOENT && apt_update(&d.apt, true, err) == 0)
			r = fetch(&d, &c, dir, finish_source, err);
	}
	if (r < 0)
		return r;
	k->source = TAKE(dir);
	k->source_id = xasprintf("%s_%s", c.package, c.version);
	return 0;
}

/* As it is unpacked: usr/lib/debug is where it is looked for. */
static int finish_debug(const char *tree, const struct choice *c, struct err *err)
{
	_free_ char *debug = path_join(tree, "usr/lib/debug");

	if (file_exists(debug))
		return 0;
	return err_set(err, ENOENT, "package %s has no usr/lib/debug", c->package);
}

static char *debug_package(const char *release)
{
	char *name = xasprintf(DEBIAN_IMAGE "%s-dbg", release);

	if (name_ok(str_of(name)))
		return name;
	free(name);
	return NULL;
}

/* The version that was asked for, or the preferred one. */
static int choose_debug(struct debian *d, const char *version, struct choice *c,
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
	_cleanup_(choice_done) struct choice c = { .package = debug_package(release) };
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
	dir = package_dir(&d, c.package, c.version);
	return file_exists(dir) ? 0 : fetch(&d, &c, dir, finish_debug, err);
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
