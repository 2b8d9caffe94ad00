/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/git.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"

#define LOG_MAX     (512u << 20) /* bytes of git's list of changes */
#define LOG_WAIT_MS 600000
#define CHUNK       65536

/* No pager, no signature checks, no programs of the repository's own, no network. */
#define GIT(path)                                                                      \
	"git", "--no-pager", "-c", "core.fsmonitor=false", "-c", "log.showSignature=false", \
		"-c", "protocol.allow=never", "-C", (path)

static const char *const ENV[] = { "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0",
				   "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C", NULL };

bool git_is_repository(const char *path)
{
	_free_ char *dot = path_join(path, ".git"), *head = path_join(path, "HEAD"),
		    *objects = path_join(path, "objects");

	return file_exists(dot) || (file_exists(head) && file_exists(objects));
}

/* One change of a file. */
struct change {
	struct str blob, path;
};

struct changes {
	struct buf log;
	struct change *v;
	size_t n, cap;
};

static void changes_done(struct changes *c)
{
	buf_done(&c->log);
	free(c->v);
}

/* ":100644 100644 OLD NEW M" NUL PATH NUL, as git-log(1) prints --raw -z. */
static int parse_log(struct changes *c, struct str suffix, struct err *err)
{
	for (struct str rest = buf_str(&c->log); rest.n;) {
		struct str head = str_cut(&rest, '\0'), path, field = STR_NONE;

		head = str_trim(head);
		if (!str_starts(head, STR(":")))
			continue;
		path = str_cut(&rest, '\0');
		for (int i = 0; i < 4 && head.p; i++)
			field = str_cut(&head, ' ');
		if (!head.p)
			return err_set(err, EBADMSG, "git log said what is not understood");
		if (head.n && head.p[0] == 'D')
			continue;
		if (!str_ends(path, suffix))
			continue;
		ARRAY_GROW(c->v, c->n, c->cap);
		c->v[c->n++] = (struct change){ field, path };
	}
	return 0;
}

static int read_log(const char *path, struct str suffix, struct changes *ret, struct err *err)
{
	const char *argv[] = { GIT(path), "log", "--reverse", "--raw", "-z", "--no-abbrev",
			       "--no-renames", "--no-ext-diff", "--no-textconv", "--format=",
			       "--root", "-m", "HEAD", "--", NULL };
	_cleanup_(buf_done) struct buf said = { .max = CHUNK };
	struct proc_spec spec = { .argv = argv, .env = ENV, .in = PROC_NULL, .out = PROC_NULL,
				  .err = PROC_NULL };
	int r;

	ret->log.max = LOG_MAX;
	r = proc_run(&spec, &ret->log, &said, LOG_WAIT_MS, err);
	if (r < 0)
		return err_wrap(err, r, "read the past of '%s'", path);
	if (r > 0)
		return err_set(err, EIO, "read the past of '%s': git said: %.*s", path,
			       STR_FMT(str_trim(buf_str(&said))));
	return parse_log(ret, suffix, err);
}

/* What `git cat-file --batch` is asked for: a file, so that it can't wait for us
 * while we wait for it. */
static int questions(const struct changes *c, int *ret_fd, struct err *err)
{
	_cleanup_(closep) int fd = memfd_create("blobs", MFD_CLOEXEC);
	_cleanup_(buf_done) struct buf b = { .max = LOG_MAX };
	int r = 0;

	if (fd < 0)
		return err_sys(err, errno, "make a file in memory");
	for (size_t i = 0; i < c->n && r == 0; i++) {
		r = buf_add_str(&b, c->v[i].blob);
		if (r == 0)
			r = buf_add(&b, "\n", 1);
	}
	if (r == 0)
		r = file_write_all(fd, b.p, b.n);
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, r < 0 ? -r : errno, "write a list of files for git");
	*ret_fd = fd;
	fd = -1;
	return 0;
}

struct answers {
	int fd;
	struct buf in;  /* read and not taken */
	size_t at;
};

/* Makes @n bytes be there. -EIO: git ended before. */
static int fill(struct answers *a, size_t n, struct err *err)
{
	if (a->at > (1u << 20)) {
		buf_drop(&a->in, a->at);
		a->at = 0;
	}
	while (a->in.n - a->at < n) {
		char chunk[CHUNK];
		ssize_t got = read(a->fd, chunk, sizeof(chunk));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, errno, "read from git");
		if (got == 0)
			return err_set(err, EIO, "git ended before all files were read");
		if (buf_add(&a->in, chunk, (size_t)got) < 0)
			return err_set(err, EFBIG, "git's answer is too long");
	}
	return 0;
}

/* "HASH blob SIZE" NL content NL, or "HASH missing" NL. */
static int answer(struct answers *a, uint64_t *ret_size, struct err *err)
{
	const char *nl;
	struct str line;
	size_t n = 1;
	int r;

	while ((r = fill(a, n, err)) == 0) {
		nl = memchr(a->in.p + a->at, '\n', a->in.n - a->at);
		if (nl || n > 1024)
			break;
		n = a->in.n - a->at + 1;
	}
	if (r < 0)
		return r;
	if (!nl)
		return err_set(err, EBADMSG, "git cat-file said what is not understood");
	line = str_n(a->in.p + a->at, (size_t)(nl - a->in.p) - a->at);
	a->at += line.n + 1;
	if (str_ends(line, STR(" missing")))
		return 0;
	str_cut(&line, ' ');
	str_cut(&line, ' ');
	if (!line.p || !str_to_u64(line, ret_size))
		return err_set(err, EBADMSG, "git cat-file said what is not understood");
	return 1;
}

static int skip(struct answers *a, uint64_t n, struct err *err)
{
	int r = 0;

	while (n && r == 0) {
		size_t step = n < CHUNK ? (size_t)n : CHUNK;

		r = fill(a, step, err);
		a->at += r == 0 ? step : 0;
		n -= step;
	}
	return r;
}

static int read_all(struct answers *a, const struct changes *c, size_t max, git_content_fn fn,
		    void *ctx, struct err *err)
{
	for (size_t i = 0; i < c->n; i++) {
		struct str content = STR_NONE;
		uint64_t size = 0;
		int r = answer(a, &size, err);

		if (r == 0)
			continue;
		if (r > 0)
			r = size <= max ? fill(a, (size_t)size + 1, err) : skip(a, size + 1, err);
		if (r < 0)
			return r;
		if (size <= max) {
			content = str_n(a->in.p + a->at, (size_t)size);
			a->at += (size_t)size + 1;
		}
		r = fn(ctx, c->v[i].path, content, i + 1, c->n, err);
		if (r)
			return r;
	}
	return 0;
}

static int read_contents(const char *path, const struct changes *c, size_t max,
			 git_content_fn fn, void *ctx, struct err *err)
{
	const char *argv[] = { GIT(path), "cat-file", "--batch", NULL };
	_cleanup_(closep) int in = -1, to = -1, from = -1;
	struct answers a = { .in.max = max + (4u << 20) };
	struct proc_spec spec = { .argv = argv, .env = ENV, .err = PROC_NULL };
	struct proc p = {};
	int pipe[2], r = questions(c, &in, err);

	if (r < 0)
		return r;
	if (pipe2(pipe, O_CLOEXEC) < 0)
		return err_sys(err, errno, "make a pipe");
	from = pipe[0];
	to = pipe[1];
	spec.in = in;
	spec.out = to;
	r = proc_start(&spec, &p, err);
	if (r < 0)
		return r;
	closep(&to);
	to = -1;
	a.fd = from;
	r = read_all(&a, c, max, fn, ctx, err);
	proc_end(&p);
	buf_done(&a.in);
	return r;
}

int git_past(const char *path, struct str suffix, size_t max, git_content_fn fn, void *ctx,
	     struct err *err)
{
	_cleanup_(changes_done) struct changes c = {};
	int r = read_log(path, suffix, &c, err);

	return r < 0 || !c.n ? r : read_contents(path, &c, max, fn, ctx, err);
}
