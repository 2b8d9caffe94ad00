/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "machine/pages.h"

#define MAGIC       "taproom-ready 1\n"
#define STATE_MAX   (64u << 20)
#define HEAD_MAX    (SNAPSHOT_KEY_MAX + 1024)
#define NEW_PREFIX  ".new-"
#define REFUSED_MAX 16   /* sentences, of a few bytes */
#define REFUSED_S   3600 /* then it is tried again */

static char *ready_dir(const char *cache_dir)
{
	return path_join(cache_dir, "ready");
}

static char *key_dir(const char *cache_dir, struct str key)
{
	_free_ char *dir = ready_dir(cache_dir);

	return xasprintf("%s/%016" PRIx64, dir, str_hash(key, STR_HASH_INIT));
}

static bool file_in(const char *dir, const char *name)
{
	_free_ char *path = path_join(dir, name);

	return file_exists(path);
}

/* ---- what one says of itself ---- */

/* Its sums come before the key, so that what is compared is all of the file. */
static void head_make(struct buf *b, struct str key, uint64_t size, const struct pages *ram,
		      struct str state, struct str console)
{
	buf_add_str(b, STR(MAGIC));
	buf_printf(b, "ram %" PRIu64 " %" PRIu64 " %016" PRIx64 "\n", size, ram->bytes, ram->sum);
	buf_printf(b, "state %zu %016" PRIx64 "\nconsole %zu %016" PRIx64 "\n", state.n,
		   pages_sum(state), console.n, pages_sum(console));
	buf_add_str(b, key);
}

static int damaged(const char *cache_dir, const struct snapshot *s, const char *what,
		   struct err *err)
{
	_cleanup_(closep) int lock = -1;

	/* Whoever makes one holds the lock: then there may be a new one already. */
	if (snapshot_lock(cache_dir, &lock, NULL) > 0)
		dir_remove(s->dir, NULL);
	return err_set(err, EBADMSG, "the ready machine '%s' is damaged: %s; removed", s->dir,
		       what);
}

static int state_read(const struct snapshot *s, struct buf *ret)
{
	_free_ char *path = xasprintf("/proc/self/fd/%d", s->state);
	int r = file_read(path, STATE_MAX, ret, NULL);

	return r < 0 ? r : ret->n == 0 ? -ENODATA : 0;
}

int snapshot_open(const char *cache_dir, struct str key, struct snapshot *ret, struct err *err)
{
	_free_ char *head = NULL, *ram = NULL, *state = NULL, *console = NULL, *refused = NULL;
	_cleanup_(buf_done) struct buf why = {};
	struct stat st = {};

	*ret = (struct snapshot)SNAPSHOT_NONE;
	ret->dir = key_dir(cache_dir, key);
	if (!file_exists(ret->dir))
		return 0;
	refused = path_join(ret->dir, "refused");
	if (file_read(refused, 1024, &why, NULL) == 0) {
		if (stat(refused, &st) == 0 && time(NULL) - st.st_mtime > REFUSED_S)
			return 0;
		return err_set(err, ENOTSUP, "%s", buf_str(&why).p);
	}
	head = path_join(ret->dir, "head");
	ram = path_join(ret->dir, "ram");
	state = path_join(ret->dir, "state");
	console = path_join(ret->dir, "console");
	ret->ram = open(ram, O_RDONLY | O_CLOEXEC);
	ret->state = open(state, O_RDONLY | O_CLOEXEC);
	if (ret->ram < 0 || ret->state < 0 || fstat(ret->ram, &st) < 0 ||
	    file_read(head, HEAD_MAX, &ret->head, NULL) < 0 ||
	    file_read(console, SNAPSHOT_CONSOLE_MAX, &ret->console, NULL) < 0)
		return damaged(cache_dir, ret, "a file of it is missing", err);
	ret->size = (uint64_t)st.st_size;
	/* What else it says is compared when its memory is. */
	if (!str_ends(buf_str(&ret->head), key) || ret->size == 0)
		return damaged(cache_dir, ret, "it is of other facts", err);
	return 1;
}

int snapshot_check(const char *cache_dir, struct str key, struct snapshot *s, int copy_to,
		   struct err *err)
{
	_cleanup_(buf_done) struct buf want = {}, state = {};
	struct pages ram;

	if (state_read(s, &state) < 0)
		return damaged(cache_dir, s, "its state can't be read", err);
	if (pages_walk(s->ram, s->size, SNAPSHOT_BYTES_MAX, copy_to, &ram) < 0)
		return damaged(cache_dir, s, "its memory can't be read", err);
	head_make(&want, key, s->size, &ram, buf_str(&state), buf_str(&s->console));
	if (!str_eq(buf_str(&s->head), buf_str(&want)))
		return damaged(cache_dir, s, "its checksums differ", err);
	s->bytes = ram.bytes;
	return 0;
}

void snapshot_done(struct snapshot *s)
{
	closep(&s->ram);
	closep(&s->state);
	buf_done(&s->console);
	buf_done(&s->head);
	free(s->dir);
	*s = (struct snapshot)SNAPSHOT_NONE;
}

/* ---- all of them ---- */

/* Tells of each directory of a name that is a hash. */
static void each(const char *dir, void (*fn)(void *ctx, const char *path), void *ctx)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		_free_ char *path = path_join(dir, e->d_name);

		if (e->d_name[0] != '.' && strcmp(e->d_name, "lock") != 0)
			fn(ctx, path);
	}
	if (d)
		closedir(d);
}

/* Of those that have the file @what, how many, and which was used least lately. */
struct oldest {
	const char *what;
	unsigned n;
	char *path;
	struct timespec when;
};

static bool earlier(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static void oldest_look(void *ctx, const char *path)
{
	struct oldest *o = ctx;
	struct stat st;

	if (!file_in(path, o->what) || stat(path, &st) < 0)
		return;
	o->n++;
	if (o->path && !earlier(&st.st_mtim, &o->when))
		return;
	free(o->path);
	o->path = xstrdup(path);
	o->when = st.st_mtim;
}

static void trim(const char *dir, const char *what, unsigned max)
{
	for (;;) {
		struct oldest o = { .what = what };
		_free_ char *path = NULL;

		each(dir, oldest_look, &o);
		path = o.path;
		if (o.n <= max || !path || dir_remove(path, NULL) < 0)
			return;
	}
}

struct usage {
	unsigned n;
	uint64_t bytes;
};

static void usage_look(void *ctx, const char *path)
{
	_free_ char *ram = path_join(path, "ram");
	struct usage *u = ctx;
	struct stat st;

	if (stat(ram, &st) < 0)
		return;
	u->n++;
	u->bytes += (uint64_t)st.st_blocks * 512;
}

void snapshot_usage(const char *cache_dir, unsigned *ret_n, uint64_t *ret_bytes)
{
	_free_ char *dir = ready_dir(cache_dir);
	struct usage u = {};

	each(dir, usage_look, &u);
	*ret_n = u.n;
	*ret_bytes = u.bytes;
}

/* ---- making them ---- */

int snapshot_lock(const char *cache_dir, int *ret_fd, struct err *err)
{
	_free_ char *dir = ready_dir(cache_dir), *path = path_join(dir, "lock");
	int r = dir_make(dir, err);
	struct dirent *e;
	DIR *d;

	if (r == 0)
		r = file_lock(path, false, ret_fd, err);
	if (r <= 0)
		return r;
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		_free_ char *left = path_join(dir, e->d_name);

		if (str_starts(str_of(e->d_name), STR(NEW_PREFIX)))
			dir_remove(left, NULL);
	}
	if (d)
		closedir(d);
	return 1;
}

static int write_in(const char *dir, const char *name, struct str text, struct err *err)
{
	_free_ char *path = path_join(dir, name);

	return file_write(path, text, 0600, err);
}

static int save_in(const char *dir, struct str key, const struct snapshot_parts *p,
		   struct err *err)
{
	_free_ char *path = path_join(dir, "ram");
	_cleanup_(buf_done) struct buf head = {}, state = {};
	_cleanup_(closep) int to = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	const struct snapshot from = { .state = p->state };
	struct pages ram;
	int r;

	if (to < 0 || ftruncate(to, (off_t)p->size) < 0)
		return err_sys(err, errno, "write '%s'", path);
	r = pages_walk(p->ram, p->size, SNAPSHOT_BYTES_MAX, to, &ram);
	if (r == -EFBIG)
		return err_set(err, EFBIG, "booted it uses more than %llu MiB of memory",
			       SNAPSHOT_BYTES_MAX >> 20);
	if (r < 0)
		return err_sys(err, -r, "write '%s'", path);
	r = state_read(&from, &state);
	if (r < 0)
		return err_sys(err, -r, "read a machine's state");
	head_make(&head, key, p->size, &ram, buf_str(&state), p->console);
	r = write_in(dir, "state", buf_str(&state), err);
	if (r == 0)
		r = write_in(dir, "console", p->console, err);
	return r < 0 ? r : write_in(dir, "head", buf_str(&head), err);
}

/* @fill makes what is to stand there; then it stands there at once. */
static int replace(const char *cache_dir, struct str key,
		   int (*fill)(const char *dir, struct str key, const void *from, struct err *err),
		   const void *from, struct err *err)
{
	_free_ char *dir = ready_dir(cache_dir), *to = key_dir(cache_dir, key), *new = NULL;
	int r;

	if (key.n > SNAPSHOT_KEY_MAX)
		return err_set(err, E2BIG, "a machine of too many facts");
	r = dir_temp(dir, NEW_PREFIX, &new, err);
	if (r < 0)
		return r;
	r = fill(new, key, from, err);
	if (r == 0)
		dir_remove(to, NULL);
	if (r == 0 && rename(new, to) < 0)
		r = err_sys(err, errno, "name '%s'", to);
	if (r < 0) {
		dir_remove(new, NULL);
		return r;
	}
	trim(dir, "ram", SNAPSHOT_MAX);
	trim(dir, "refused", REFUSED_MAX);
	return 0;
}

static int fill_parts(const char *dir, struct str key, const void *from, struct err *err)
{
	return save_in(dir, key, from, err);
}

static int fill_refusal(const char *dir, struct str key, const void *from, struct err *err)
{
	return write_in(dir, "refused", str_of(from), err);
}

int snapshot_save(const char *cache_dir, struct str key, const struct snapshot_parts *p,
		  struct err *err)
{
	return replace(cache_dir, key, fill_parts, p, err);
}

void snapshot_refuse(const char *cache_dir, struct str key, const char *why)
{
	replace(cache_dir, key, fill_refusal, why, NULL);
}

int snapshot_failed(const char *cache_dir, struct str key, const char *why)
{
	_free_ char *dir = key_dir(cache_dir, key);
	bool worked = file_in(dir, "worked");

	if (!file_exists(dir))
		return 0;
	if (worked)
		dir_remove(dir, NULL);
	else
		snapshot_refuse(cache_dir, key, why);
	return !worked;
}

void snapshot_worked(const char *cache_dir, struct str key)
{
	_free_ char *dir = key_dir(cache_dir, key), *path = path_join(dir, "worked");
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	/* Its directory's time says when it was used last. */
	utimensat(AT_FDCWD, dir, NULL, 0);
}
