/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/tree.h"

#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"
#include "kernel/image.h"
#include "kernel/parts.h"
#include "kernel/tool.h"

#define TREE_IMAGE "arch/x86/boot/bzImage"
#define TREE_UML   "linux" /* ARCH=um */
#define KEEP_MS    (24 * 60 * 60 * INT64_C(1000))

static char *absolute(const char *path)
{
	char *full = realpath(path, NULL);

	return full ? full : xstrdup(path);
}

/* The first of the paths that is there; takes a NULL-ended list, frees it. */
static char *first_there(char *v[])
{
	char *hit = NULL;

	for (; *v; v++) {
		if (!hit && file_exists(*v))
			hit = *v;
		else
			free(*v);
	}
	return hit;
}

/* <dir>/<release> must hold modules for <dir> to be of use: one that is empty was made
 * to mount something there. */
static char *modules_of(char *dirs[], const char *release)
{
	char *hit = NULL;

	for (; *dirs; dirs++) {
		_free_ char *list = xasprintf("%s/%s/modules.dep", *dirs, release);
		_free_ char *tree = xasprintf("%s/%s/kernel", *dirs, release);

		if (!hit && (file_exists(list) || file_exists(tree)))
			hit = *dirs;
		else
			free(*dirs);
	}
	return hit;
}

/* First line that git says; NULL when it isn't a checkout. */
static char *git_line(const char *dir, const char *a, const char *b, const char *c)
{
	const char *const argv[] = { "git", a, b, c, NULL };
	struct buf out = {}, said = {};
	struct str rest, line;
	char *text = NULL;

	if (tool_exit_code(argv, dir, &out, &said, NULL) == 0) {
		rest = buf_str(&out);
		line = str_trim(str_cut(&rest, '\n'));
		text = line.n ? xstrndup(line.p, line.n) : NULL;
	}
	buf_done(&out);
	buf_done(&said);
	return text;
}

int file_find(struct kernel *k, const char *cache_dir, const struct log *log, struct err *err)
{
	_free_ char *path = absolute(k->spec), *dir = path_dir(path);
	int r = image_release(path, &k->release, &k->uml, err);

	if (r < 0)
		return r;
	char *configs[] = { xasprintf("%s/config-%s", dir, k->release),
			    xasprintf("%s/../../../.config", dir), xasprintf("%s/.config", dir),
			    xasprintf("%s/config", dir),
			    NULL };
	char *modules[] = { xasprintf("%s/../lib/modules", dir), xstrdup("/lib/modules"),
			    NULL };

	k->image = TAKE(path);
	k->version = xstrdup(k->release);
	k->branch = xstrdup("file");
	k->config = first_there(configs);
	k->modules_dir = modules_of(modules, k->release);
	return 0;
}

int host_find(struct kernel *k, const char *cache_dir, const struct log *log, struct err *err)
{
	struct utsname u;

	if (uname(&u) < 0)
		return err_sys(err, errno, "uname");
	char *images[] = { xasprintf("/boot/vmlinuz-%s", u.release),
			   xasprintf("/lib/modules/%s/vmlinuz", u.release), NULL };
	char *configs[] = { xasprintf("/boot/config-%s", u.release),
			    xasprintf("/lib/modules/%s/config", u.release), NULL };
	char *modules[] = { xstrdup("/lib/modules"), NULL };

	k->image = first_there(images);
	k->config = first_there(configs);
	k->modules_dir = modules_of(modules, u.release);
	k->release = xstrdup(u.release);
	k->version = xstrdup(u.release);
	k->branch = xstrdup("host");
	if (!k->image)
		return err_set(err, ENOENT,
			       "the running kernel's image /boot/vmlinuz-%s is not on this "
			       "machine; try --kernel debian", u.release);
	return 0;
}

/* The source of a tree: itself, or for a directory made by O= its "source". */
static char *source_of(const char *tree)
{
	_free_ char *kbuild = path_join(tree, "Kbuild");
	_free_ char *source = path_join(tree, "source/Kbuild");

	if (file_exists(kbuild))
		return xstrdup(tree);
	return file_exists(source) ? path_join(tree, "source") : NULL;
}

int tree_find(struct kernel *k, const char *cache_dir, const struct log *log, struct err *err)
{
	_free_ char *tree = absolute(k->spec), *image = path_join(tree, TREE_IMAGE);
	_free_ char *config = path_join(tree, ".config"), *source = source_of(tree);
	_free_ char *release = path_join(tree, "include/config/kernel.release");
	_free_ char *uml = path_join(tree, TREE_UML);

	if (kernel_config_value(config, "UML") == 'y' && file_exists(uml)) {
		k->uml = true;
		free(image);
		image = TAKE(uml);
	}
	if (!source && !file_exists(image))
		return err_set(err, ENOENT, "'%s' is no kernel tree: it has no Kbuild file",
			       k->spec);
	if (!file_exists(image))
		return err_set(err, ENOENT,
			       "no kernel is built in '%s': there is no " TREE_IMAGE " (or "
			       TREE_UML ", with ARCH=um); run make there, or try --kernel debian",
			       k->spec);
	if (file_read_line(release, &k->release, NULL) < 0) {
		int r = image_release(image, &k->release, &k->uml, err);

		if (r < 0)
			return r;
	}
	k->image = TAKE(image);
	k->config = file_exists(config) ? TAKE(config) : NULL;
	if (source) {
		k->version = git_line(source, "describe", "--always", "--dirty");
		k->branch = git_line(source, "rev-parse", "--abbrev-ref", "HEAD");
	}
	if (!k->version)
		k->version = xstrdup(k->release);
	if (!k->branch)
		k->branch = xstrdup("tree");
	return 0;
}

/* What kbuild looks at before it accepts O=, and what make headers leaves. */
static bool built_in_place(const char *tree)
{
	static const char *const traces[] = { ".config", "include/config", "usr/include/linux",
					      "scripts/basic/fixdep" };

	for (size_t i = 0; i < ARRAY_SIZE(traces); i++) {
		_free_ char *path = path_join(tree, traces[i]);

		if (file_exists(path))
			return true;
	}
	return false;
}

/* Copies of trees as they were before later edits: a day is longer than any run
 * that may still use them. */
static void sweep(const char *parent)
{
	_free_ char *pattern = path_join(parent, "*");
	struct stat st;
	glob_t found;

	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (stat(found.gl_pathv[i], &st) == 0 &&
		    clock_wall_ms() - st.st_mtime * 1000ll > KEEP_MS)
			dir_remove(found.gl_pathv[i], NULL);
	globfree(&found);
}

/* A clean copy of the parts, in the cache under its stamp. */
static int copy(const char *tree, struct str list, const char *dest, const struct log *log,
		struct err *err)
{
	_cleanup_(dir_removep) char *temp = NULL;
	_free_ char *parent = path_dir(dest), *dot_git = path_join(tree, ".git");
	int r;

	if (!file_exists(dot_git))
		return err_set(err, EINVAL,
			       "'%s' was built in place and is no git checkout, so its own files "
			       "can't be told from built ones; run make mrproper there and build "
			       "with O=",
			       tree);
	log_info(log, "copying what the tests need of %s", tree);
	sweep(parent);
	r = dir_temp(parent, "tmp.", &temp, err);
	if (r == 0)
		r = parts_copy(tree, list, temp, err);
	if (r < 0)
		return r;
	/* Another run may have been faster with the same. */
	if (rename(temp, dest) < 0 && !file_exists(dest))
		return err_sys(err, errno, "rename '%s' to '%s'", temp, dest);
	return 0;
}

int tree_source(struct kernel *k, const char *cache_dir, const struct log *log,
		struct err *err)
{
	_free_ char *given = absolute(k->spec), *tree = source_of(given), *dest = NULL;
	_free_ char *real = tree ? absolute(tree) : NULL;
	struct buf list = {};
	uint64_t stamp;
	int r;

	if (!real)
		return err_set(err, ENOENT, "'%s' has no kernel source", k->spec);
	r = parts_list(real, &list, err);
	stamp = parts_stamp(real, buf_str(&list));
	if (r == 0 && built_in_place(real)) {
		dest = xasprintf("%s/trees/%016" PRIx64, cache_dir, stamp);
		r = file_exists(dest) ? 0 : copy(real, buf_str(&list), dest, log, err);
		utimensat(AT_FDCWD, dest, NULL, 0); /* in use now: see sweep() */
	}
	buf_done(&list);
	if (r < 0)
		return r;
	k->source_id = xasprintf("tree_%016" PRIx64, stamp);
	k->source = dest ? TAKE(dest) : TAKE(real);
	return 0;
}
