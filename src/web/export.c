/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/file.h"
#include "web/pages.h"

/* Which files are ours: a heading, then one path per line, sorted. */
#define MANIFEST      ".taproom-site"
#define MANIFEST_HEAD "taproom site 1"
#define MANIFEST_MAX  (64u << 20)
/* Where the next site is built: in the directory, so that moving is renaming,
 * and under one name, so that a killed export leaves nothing for ever. */
#define BUILD_DIR     ".taproom-new"

struct paths {
	char **v;
	size_t n, cap;
};

struct export {
	const struct web_site *site;
	char *dir, *temp;      /* the site; where it is built */
	struct paths made, old;
	char **was;            /* .old.v, sorted */
	struct encoder *encoder; /* NULL: nothing is compressed */
	enum web_page_id page; /* being written */
	struct web_exported *done;
	struct err *err;
};

static void paths_add(struct paths *p, char *path)
{
	ARRAY_GROW(p->v, p->n, p->cap);
	p->v[p->n++] = path;
}

static void paths_done(struct paths *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i]);
	free(p->v);
}

static void export_done(struct export *x)
{
	paths_done(&x->made);
	paths_done(&x->old);
	free(x->was);
	encoder_free(x->encoder);
	dir_removep(&x->temp);
	free(x->dir);
}

/* ---- whose directory it is ---- */

/* A path we could have written: the manifest is a file that anyone may edit,
 * and what it names gets removed. */
static bool path_is_ours(struct str s)
{
	for (struct str part, rest = s; rest.p;) {
		part = str_cut(&rest, '/');
		if (part.n == 0 || part.p[0] == '.')
			return false;
	}
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20)
			return false;
	return s.n < PATH_MAX;
}

static int manifest_read(struct export *x, struct err *err)
{
	_free_ char *path = path_join(x->dir, MANIFEST);
	_cleanup_(buf_done) struct buf b = {};
	struct str rest;
	int r = file_read(path, MANIFEST_MAX, &b, err);

	if (r < 0)
		return r;
	rest = buf_str(&b);
	if (!str_eq(str_cut(&rest, '\n'), STR(MANIFEST_HEAD)))
		return err_set(err, EEXIST, "'%s' does not list exported files; "
					    "export to another directory", path);
	while (rest.p) {
		struct str line = str_cut(&rest, '\n');

		if (line.n && path_is_ours(line))
			paths_add(&x->old, xstrndup(line.p, line.n));
	}
	return 0;
}

static int dir_is_empty(const char *path, struct err *err)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int r = 1;

	if (!d)
		return err_sys(err, errno, "open directory '%s'", path);
	while (r && (e = readdir(d)))
		r = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    strcmp(e->d_name, BUILD_DIR) == 0;
	closedir(d);
	return r;
}

/* Takes the directory: made, ours or empty, and locked by the returned fd. */
static int claim(struct export *x, const char *dir, int *ret_fd, struct err *err)
{
	_cleanup_(closep) int fd = -1;
	_free_ char *manifest = NULL;
	int r = dir_make(dir, err);

	if (r < 0)
		return r;
	x->dir = realpath(dir, NULL);
	if (!x->dir)
		return err_sys(err, errno, "find '%s'", dir);
	fd = open(x->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "open directory '%s'", dir);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, EBUSY, "another export is writing '%s'; wait for it", dir);
	manifest = path_join(x->dir, MANIFEST);
	if (file_exists(manifest)) {
		r = manifest_read(x, err);
	} else {
		r = dir_is_empty(x->dir, err);
		if (r == 0)
			r = err_set(err, EEXIST,
				    "'%s' holds files that are not an exported site; "
				    "choose an empty directory", dir);
	}
	if (r < 0)
		return r;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **sorted(const struct paths *p)
{
	char **v = xmalloc(p->n * sizeof(*v));

	if (p->n) {
		memcpy(v, p->v, p->n * sizeof(*v));
		qsort(v, p->n, sizeof(*v), by_name);
	}
	return v;
}

/* Is it of the last export? */
static bool was_made(const struct export *x, const char *name)
{
	return bsearch(&name, x->was, x->old.n, sizeof(*x->was), by_name);
}

static bool same_bytes(const char *a, const char *b)
{
	_cleanup_(closep) int fa = open(a, O_RDONLY | O_CLOEXEC);
	_cleanup_(closep) int fb = open(b, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char ba[16384], bb[16384];
	struct stat sa, sb;

	if (fa < 0 || fb < 0 || fstat(fa, &sa) < 0 || fstat(fb, &sb) < 0 ||
	    sa.st_size != sb.st_size || !S_ISREG(sb.st_mode))
		return false;
	if (sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino)
		return true;
	for (;;) {
		ssize_t na = read(fa, ba, sizeof(ba)), nb = read(fb, bb, sizeof(bb));

		if (na < 0 || na != nb || memcmp(ba, bb, (size_t)na) != 0)
			return false;
		if (na == 0)
			return true;
	}
}

/* ---- building ---- */

/* A second name for what was compressed by the last export: the page is the same. */
static bool encoded_before(struct export *x, const char *name, const char *to)
{
	_free_ char *from = path_join(x->dir, name);
	struct stat st;

	return was_made(x, name) && lstat(from, &st) == 0 && S_ISREG(st.st_mode) &&
	       link(from, to) == 0;
}

/* 1: @to is there, 0: it would not be smaller. */
static int encode_to(struct export *x, enum encoding how, const char *plain, const char *to)
{
	_cleanup_(closep) int from = open(plain, O_RDONLY | O_CLOEXEC), fd = -1;
	int r;

	if (from >= 0)
		fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (from < 0 || fd < 0)
		return err_sys(x->err, errno, "write '%s'", to);
	r = encoder_file(x->encoder, how, from, fd, x->err);
	if (r == 0 && unlink(to) < 0)
		return err_sys(x->err, errno, "remove '%s'", to);
	return r < 0 ? err_wrap(x->err, r, "compress '%s'", plain) : r;
}

/* Beside page @name, at @path as it is built. */
static int encode_page(struct export *x, const char *name, const char *path)
{
	_free_ char *there = path_join(x->dir, name);
	bool same = same_bytes(path, there);
	struct stat st;

	for (int how = 1; how < ENCODE_N; how++) {
		_free_ char *packed = xasprintf("%s%s", name, ENCODE_SUFFIXES[how]);
		_free_ char *to = path_join(x->temp, packed);
		int r = same && encoded_before(x, packed, to)
				? 1 : encode_to(x, (enum encoding)how, path, to);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (stat(to, &st) == 0)
			x->done->bytes += (uint64_t)st.st_size;
		x->done->files++;
		x->done->encoded++;
		paths_add(&x->made, TAKE(packed));
	}
	return 0;
}

static int write_page(void *ctx, const struct web_args *args)
{
	struct export *x = ctx;
	_cleanup_(closep) int fd = -1;
	_cleanup_(buf_done) struct buf name = {};
	_free_ char *path = NULL, *parent = NULL;
	struct out o;
	int r;

	out_to_buf(&o, &name);
	web_path(x->page, args, &o);
	out_flush(&o);
	path = path_join(x->temp, name.p);
	parent = path_dir(path);
	r = dir_make(parent, x->err);
	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(x->err, errno, "write '%s'", path);
	out_to_fd(&o, fd);
	r = WEB_PAGES[x->page].render(x->site, args, &o, x->err);
	if (r < 0)
		return err_wrap(x->err, r, "page %s", name.p);
	r = out_flush(&o);
	if (r < 0)
		return err_sys(x->err, -r, "write '%s'", path);
	x->done->files++;
	x->done->bytes += o.total;
	paths_add(&x->made, xstrndup(name.p, name.n));
	return x->encoder ? encode_page(x, name.p, path) : 0;
}

static int build(struct export *x)
{
	const struct web_args none = {};
	int r = 0;

	for (unsigned i = 0; i < WEB_PAGE_N && r >= 0; i++) {
		x->page = (enum web_page_id)i;
		if (WEB_PAGES[i].served)
			continue;
		r = WEB_PAGES[i].each ? WEB_PAGES[i].each(x->site, write_page, x, x->err)
				      : write_page(x, &none);
	}
	return r;
}

/* ---- moving in ---- */

static int manifest_write(struct export *x, char *const *a, size_t n_a, char *const *b,
			  size_t n_b)
{
	_free_ char *path = path_join(x->dir, MANIFEST);
	_cleanup_(buf_done) struct buf text = { .max = MANIFEST_MAX };
	size_t i = 0, k = 0;
	int r = buf_add_str(&text, STR(MANIFEST_HEAD "\n"));

	while (r == 0 && (i < n_a || k < n_b)) {
		int order = i == n_a ? 1 : k == n_b ? -1 : strcmp(a[i], b[k]);

		r = buf_printf(&text, "%s\n", order <= 0 ? a[i] : b[k]);
		i += order <= 0;
		k += order >= 0;
	}
	if (r < 0)
		return err_sys(x->err, -r, "list the site's files");
	return file_write(path, buf_str(&text), 0644, x->err);
}

/* Before a page is another: there is never one compressed that says something else. */
static int remove_encoded(struct export *x, const char *name)
{
	for (int how = 1; how < ENCODE_N; how++) {
		_free_ char *packed = xasprintf("%s%s", name, ENCODE_SUFFIXES[how]);
		_free_ char *path = path_join(x->dir, packed);

		if (was_made(x, packed) && unlink(path) < 0 && errno != ENOENT)
			return err_sys(x->err, errno, "remove '%s'", path);
	}
	return 0;
}

static int move_in(struct export *x, const char *name)
{
	_free_ char *from = path_join(x->temp, name), *to = path_join(x->dir, name);
	_free_ char *parent = path_dir(to);
	int r;

	if (same_bytes(from, to))
		return 0;
	r = dir_make(parent, x->err);
	if (r >= 0)
		r = remove_encoded(x, name);
	if (r < 0)
		return r;
	if (rename(from, to) < 0)
		return err_sys(x->err, errno, "write '%s'", to);
	x->done->changed++;
	return 0;
}

/* Of the last export, no longer made; and directories that this empties. */
static int remove_stale(struct export *x, char *const *made)
{
	for (size_t i = 0; i < x->old.n; i++) {
		char *name = x->old.v[i];
		_free_ char *path = NULL;

		if (bsearch(&name, made, x->made.n, sizeof(*made), by_name))
			continue;
		path = path_join(x->dir, name);
		if (unlink(path) == 0)
			x->done->removed++;
		else if (errno != ENOENT)
			return err_sys(x->err, errno, "remove '%s'", path);
		for (char *slash; (slash = strrchr(path, '/')) > path + strlen(x->dir);) {
			*slash = '\0';
			if (rmdir(path) < 0)
				break;
		}
	}
	return 0;
}

static int install(struct export *x)
{
	_free_ char **made = sorted(&x->made);
	/* First both lists: what is moved in is ours from the first moment. */
	int r = manifest_write(x, made, x->made.n, x->was, x->old.n);

	for (size_t i = 0; i < x->made.n && r >= 0; i++)
		r = move_in(x, x->made.v[i]);
	if (r >= 0)
		r = remove_stale(x, made);
	if (r >= 0)
		r = manifest_write(x, made, x->made.n, NULL, 0);
	return r;
}

int web_export(const struct web_site *site, const char *dir, bool encode,
	       struct web_exported *ret, struct err *err)
{
	struct web_exported done = {};
	_cleanup_(export_done) struct export x = { .site = site, .done = &done, .err = err };
	_cleanup_(closep) int lock = -1;
	int r = claim(&x, dir, &lock, err);

	if (r < 0)
		return r;
	x.was = sorted(&x.old);
	x.encoder = encode ? encoder_new() : NULL;
	x.temp = path_join(x.dir, BUILD_DIR);
	r = dir_remove(x.temp, err);
	if (r >= 0)
		r = build(&x);
	if (r >= 0)
		r = install(&x);
	if (r < 0)
		return r;
	*ret = done;
	return 0;
}
