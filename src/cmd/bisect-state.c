/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/bisect-state.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define HEAD     "taproom-bisect 1\n"
#define WHY_MAX  512
#define FILE_MAX (64u << 20)

static const char *const WORDS[] = {
	[BISECT_PASS] = "pass", [BISECT_FAIL] = "fail", [BISECT_SKIP] = "skip",
};

static void entries_done(struct bisect_state *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].commit);
		free(s->v[i].why);
	}
	free(s->v);
	s->v = NULL;
	s->n = s->cap = 0;
}

static void remember(struct bisect_state *s, const struct bisect_entry *e)
{
	ARRAY_GROW(s->v, s->n, s->cap);
	s->v[s->n++] = *e;
}

static int parse_rate(struct bisect_state *s, struct str line)
{
	struct str k = str_cut(&line, ' ');

	if (!str_to_u64(k, &s->rate_k) || !str_to_u64(line, &s->rate_n))
		return -EINVAL;
	return s->rate_k <= s->rate_n ? 0 : -EINVAL;
}

static int parse(struct bisect_state *s, struct str line)
{
	struct str word = str_cut(&line, ' '), commit = str_cut(&line, ' ');
	struct bisect_entry e = {};
	uint64_t run = 0;
	size_t i = 0;

	while (i < ARRAY_SIZE(WORDS) && !str_eq(word, str_of(WORDS[i])))
		i++;
	if (i == ARRAY_SIZE(WORDS) || !commit.n)
		return -EINVAL;
	e.what = (enum bisect_what)i;
	if (e.what != BISECT_SKIP && (!str_to_u64(line, &run) || run > INT64_MAX))
		return -EINVAL;
	e.run = (int64_t)run;
	e.commit = xstrndup(commit.p, commit.n);
	e.why = e.what == BISECT_SKIP ? xstrndup(line.p ? line.p : "", line.n) : NULL;
	remember(s, &e);
	return 0;
}

/* Lines of "dir" and "call" go to @ret_dir and @ret_call, where they are wanted. A last
 * line without its end was being written when we were killed. Returns how much holds. */
static int read_state(struct bisect_state *s, struct str text, char **ret_dir,
		      char **ret_call, size_t *ret_size)
{
	struct str rest = text;

	if (!str_starts(text, STR(HEAD)))
		return -EINVAL;
	rest = str_from(rest, strlen(HEAD));
	while (memchr(rest.p ? rest.p : "", '\n', rest.n)) {
		struct str line = str_cut(&rest, '\n'), after = line;
		struct str word = str_cut(&after, ' ');
		char **to = str_eq(word, STR("dir")) ? ret_dir
			    : str_eq(word, STR("call")) ? ret_call : NULL;
		int r = 0;

		if (to && !*to)
			*to = xstrndup(after.p, after.n);
		else if (str_eq(word, STR("rate")))
			r = parse_rate(s, after);
		else if (!to)
			r = parse(s, line);
		if (r < 0)
			return r;
		if (!rest.p)
			break;
	}
	*ret_size = text.n - rest.n;
	return 0;
}

static int write_line(struct bisect_state *s, struct str line, struct err *err)
{
	int r = file_write_all(s->fd, line.p, line.n);

	if (r == 0 && fdatasync(s->fd) < 0)
		r = -errno;
	return r < 0 ? err_sys(err, -r, "write '%s'", s->path) : 0;
}

static int write_head(struct bisect_state *s, const char *dir, const char *call,
		      struct err *err)
{
	_cleanup_(buf_done) struct buf b = {};

	if (ftruncate(s->fd, 0) < 0)
		return err_sys(err, errno, "write '%s'", s->path);
	buf_printf(&b, HEAD "dir %s\ncall %s\n", dir, call);
	return write_line(s, buf_str(&b), err);
}

int bisect_state_restart(struct bisect_state *s, const char *dir, const char *call,
			 struct err *err)
{
	entries_done(s);
	s->rate_k = s->rate_n = 0;
	return write_head(s, dir, call, err);
}

static int load(struct bisect_state *s, const char *dir, const char *call, struct err *err)
{
	_cleanup_(buf_done) struct buf text = {};
	_free_ char *its_dir = NULL, *its_call = NULL;
	size_t size = 0;
	int r = file_read(s->path, FILE_MAX, &text, err);

	if (r < 0)
		return r;
	if (!text.n || read_state(s, buf_str(&text), &its_dir, &its_call, &size) < 0)
		return bisect_state_restart(s, dir, call, err);
	if (ftruncate(s->fd, (off_t)size) < 0)
		return err_sys(err, errno, "write '%s'", s->path);
	return 0;
}

int bisect_state_open(const char *cache_dir, uint64_t key, const char *dir, const char *call,
		      struct bisect_state *ret, struct err *err)
{
	struct bisect_state s = { .lock = -1, .fd = -1 };
	_free_ char *lock = NULL;
	int r;

	s.path = xasprintf("%s/bisects/%016" PRIx64, cache_dir, key);
	lock = xasprintf("%s.lock", s.path);
	r = file_lock(lock, false, &s.lock, err);
	if (r == 0)
		r = err_set(err, EBUSY, "this bisection goes on already, in another process");
	if (r > 0) {
		s.fd = open(s.path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		r = s.fd < 0 ? err_sys(err, errno, "write '%s'", s.path)
			     : load(&s, dir, call, err);
	}
	if (r < 0) {
		bisect_state_close(&s, false);
		return r;
	}
	*ret = s;
	return 0;
}

int bisect_state_newest(const char *cache_dir, char **ret_dir, char **ret_call,
			struct err *err)
{
	_free_ char *parent = path_join(cache_dir, "bisects"), *newest = NULL;
	_cleanup_(buf_done) struct buf text = {};
	struct timespec best = {};
	DIR *d = opendir(parent);
	struct bisect_state s = {};
	struct dirent *e;
	size_t size;
	int r;

	while (d && (e = readdir(d))) {
		_free_ char *path = path_join(parent, e->d_name);
		struct stat st;

		if (strchr(e->d_name, '.') || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		if (newest && (st.st_mtim.tv_sec < best.tv_sec ||
			       (st.st_mtim.tv_sec == best.tv_sec &&
				st.st_mtim.tv_nsec < best.tv_nsec)))
			continue;
		best = st.st_mtim;
		free(newest);
		newest = TAKE(path);
	}
	if (d)
		closedir(d);
	if (!newest)
		return err_set(err, ENOENT, "no bisection was interrupted");
	*ret_dir = *ret_call = NULL;
	r = file_read(newest, FILE_MAX, &text, err);
	if (r == 0 && (read_state(&s, buf_str(&text), ret_dir, ret_call, &size) < 0 ||
		       !*ret_dir || !*ret_call))
		r = err_set(err, EINVAL, "'%s' is no state of a bisection; remove it", newest);
	entries_done(&s);
	return r;
}

int bisect_state_add(struct bisect_state *s, enum bisect_what what, const char *commit,
		     int64_t run, const char *why, struct err *err)
{
	_cleanup_(buf_done) struct buf b = {};
	struct bisect_entry e = { .what = what, .commit = xstrdup(commit), .run = run };

	if (what == BISECT_SKIP) {
		e.why = xasprintf("%.*s", WHY_MAX, why);
		for (char *c = e.why; *c; c++)
			if (*c == '\n')
				*c = ' ';
		buf_printf(&b, "%s %s %s\n", WORDS[what], commit, e.why);
	} else {
		buf_printf(&b, "%s %s %" PRId64 "\n", WORDS[what], commit, run);
	}
	remember(s, &e);
	return write_line(s, buf_str(&b), err);
}

int bisect_state_rate(struct bisect_state *s, uint64_t k, uint64_t n, struct err *err)
{
	_cleanup_(buf_done) struct buf b = {};

	s->rate_k = k;
	s->rate_n = n;
	buf_printf(&b, "rate %" PRIu64 " %" PRIu64 "\n", k, n);
	return write_line(s, buf_str(&b), err);
}

void bisect_state_close(struct bisect_state *s, bool forget)
{
	_free_ char *lock = s->path ? xasprintf("%s.lock", s->path) : NULL;

	if (forget && s->path) {
		unlink(s->path);
		unlink(lock);
	}
	entries_done(s);
	closep(&s->lock);
	closep(&s->fd);
	free(s->path);
	*s = (struct bisect_state){ .lock = -1, .fd = -1 };
}
