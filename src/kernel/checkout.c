/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/checkout.h"

#include <fts.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "kernel/make.h"
#include "kernel/tool.h"

#define EDITED_MAX    (256u << 20) /* of one file that is not committed */
#define WORKTREES_MAX 64
#define GIT           "git:"

char *checkout_tree(const char *dir)
{
	_free_ char *kbuild = path_join(dir, "Kbuild");
	_free_ char *source = path_join(dir, "source/Kbuild"), *at = path_join(dir, "source");

	if (file_exists(kbuild))
		return realpath(dir, NULL);
	return file_exists(source) ? realpath(at, NULL) : NULL;
}

/* Makefile's outputmakefile; include/generated for any architecture. */
bool checkout_built_in_place(const char *tree)
{
	static const char *const traces[] = { ".config", "include/config",
					      "arch/x86/include/generated",
					      "arch/um/include/generated" };

	for (size_t i = 0; i < ARRAY_SIZE(traces); i++) {
		_free_ char *path = path_join(tree, traces[i]);

		if (file_exists(path))
			return true;
	}
	return false;
}

/* What git says, without its last newline; NULL where it fails. */
static char *git_says(const char *dir, const char *const *words)
{
	/* No lock is taken in somebody's repository, nothing there refreshed. */
	const char *argv[16] = { "git", "--no-optional-locks" };
	struct buf out = {}, said = {};
	char *text = NULL;
	size_t n = 2;

	while (*words && n < ARRAY_SIZE(argv) - 1)
		argv[n++] = *words++;
	if (tool_exit_code(argv, dir, &out, &said, NULL) == 0) {
		struct str s = str_trim(buf_str(&out));

		text = xstrndup(s.p, s.n);
	}
	buf_done(&out);
	buf_done(&said);
	return text;
}

#define git_says(dir, ...) git_says(dir, (const char *const[]){ __VA_ARGS__, NULL })

static uint64_t hash_file(const char *path, uint64_t h)
{
	struct buf text = {};
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n > 0)
		return str_hash(str_n(target, (size_t)n), h);
	if (file_read(path, EDITED_MAX, &text, NULL) == 0)
		h = str_hash(buf_str(&text), h);
	buf_done(&text);
	return h;
}

/* What "git status -z" lists, names and contents; 0: nothing. */
static int hash_edits(const char *dir, uint64_t *ret, struct err *err)
{
	static const char *const argv[] = { "git", "--no-optional-locks", "status", "--porcelain",
					    "-z", "--untracked-files=all", NULL };
	struct buf out = {};
	uint64_t h = STR_HASH_INIT;
	struct str rest;
	int r = tool_run(argv, dir, &out, err);

	for (rest = buf_str(&out); r == 0 && rest.n;) {
		struct str entry = str_cut(&rest, '\0');
		_free_ char *name = entry.n > 3 ? xstrndup(entry.p + 3, entry.n - 3) : NULL;
		_free_ char *path = name ? path_join(dir, name) : NULL;

		h = str_hash(str_n(entry.p, entry.n + 1), h);
		if (path)
			h = hash_file(path, h);
	}
	*ret = r == 0 && out.n ? h : 0;
	buf_done(&out);
	return r;
}

static int identify_git(struct checkout *c, struct err *err)
{
	_free_ char *tree = git_says(c->dir, "rev-parse", "--verify", "HEAD^{tree}");
	uint64_t edits;
	int r;

	if (!tree)
		return err_set(err, EIO, "git tells no commit of '%s': is it a checkout that this "
			       "user may read (git status)?", c->dir);
	r = hash_edits(c->dir, &edits, err);
	if (r < 0)
		return err_wrap(err, r, "what is edited in '%s'", c->dir);
	c->id = edits ? xasprintf("git_%.16s_%016" PRIx64, tree, edits)
		      : xasprintf("git_%.16s", tree);
	c->version = git_says(c->dir, "describe", "--always", "--dirty");
	if (!c->branch)
		c->branch = git_says(c->dir, "rev-parse", "--abbrev-ref", "HEAD");
	return 0;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Names, sizes and times of all files. */
static uint64_t stamp(const char *dir)
{
	char *const dirs[] = { (char *)dir, NULL };
	FTS *walk = fts_open(dirs, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	uint64_t h = STR_HASH_INIT;
	FTSENT *e;

	while (walk && (e = fts_read(walk))) {
		const struct stat *st = e->fts_statp;

		if (e->fts_info != FTS_F && e->fts_info != FTS_SL)
			continue;
		h = str_hash(str_of(e->fts_path + strlen(dir)), h);
		h = str_hash(str_n((const char *)&st->st_size, sizeof(st->st_size)), h);
		h = str_hash(str_n((const char *)&st->st_mtim, sizeof(st->st_mtim)), h);
	}
	if (walk)
		fts_close(walk);
	return h;
}

/* "6.12.117" of the Makefile's first lines. */
static char *makefile_version(const char *dir)
{
	static const char *const names[] = { "VERSION", "PATCHLEVEL", "SUBLEVEL" };
	_free_ char *path = path_join(dir, "Makefile");
	struct buf text = {}, version = {};
	struct str rest;

	if (file_read(path, 0, &text, NULL) < 0)
		buf_clear(&text);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (rest = buf_str(&text); rest.n;) {
			struct str value = str_cut(&rest, '\n');
			struct str name = str_trim(str_cut(&value, '='));

			if (str_eq(name, str_of(names[i])) && value.p) {
				value = str_trim(value);
				buf_printf(&version, "%s%.*s", version.n ? "." : "",
					   (int)(value.n < 16 ? value.n : 16), value.p);
				break;
			}
		}
	buf_done(&text);
	return version.n ? buf_take(&version) : NULL;
}

static int identify(struct checkout *c, struct err *err)
{
	_free_ char *dot_git = path_join(c->dir, ".git");
	int r = 0;

	if (file_exists(dot_git))
		r = identify_git(c, err);
	else
		c->id = xasprintf("tree_%016" PRIx64, stamp(c->dir));
	if (r < 0)
		return r;
	if (!c->version)
		c->version = makefile_version(c->dir);
	if (!c->version)
		c->version = xstrdup("unknown");
	if (!c->branch)
		c->branch = xstrdup("tree");
	return 0;
}

static char *place_of(const char *dir)
{
	return xasprintf("%.24s-%08" PRIx32, path_base(dir),
			 (uint32_t)str_hash(str_of(dir), STR_HASH_INIT));
}

/*
 * A tree that was built in place, of which make refuses O=: git knows which files
 * are its own. The copy stays, and gets what was edited since.
 */
static int copy_tree(struct checkout *c, const char *cache_dir, const struct log *log,
		     struct err *err)
{
	static const char *const list[] = { "git", "--no-optional-locks", "ls-files", "-z",
					    "--cached", "--others", "--exclude-standard", NULL };
	_free_ char *dot_git = path_join(c->dir, ".git"), *names = NULL, *from = NULL;
	_free_ char *copy = xasprintf("%s/copies/%s", cache_dir, c->place);
	_free_ char *lock = xasprintf("%s.lock", copy), *source = path_join(c->dir, "");
	_free_ char *to = path_join(copy, "");
	struct buf out = {};
	int r;

	if (!file_exists(dot_git))
		return err_set(err, EINVAL,
			       "'%s' was built in place and is no git checkout, so its own files "
			       "can't be told from built ones: run make mrproper there", c->dir);
	log_info(log, "'%s' was built in place: a clean copy of it is built", c->dir);
	r = dir_make(copy, err);
	if (r == 0)
		r = make_lock(lock, "copies the same tree", log, &c->lock, err);
	if (r == 0)
		r = tool_run(list, c->dir, &out, err);
	names = xasprintf("%s.list", copy);
	from = xasprintf("--files-from=%s", names);
	if (r == 0)
		r = file_write(names, buf_str(&out), 0600, err);
	buf_done(&out);
	if (r < 0)
		return r;
	const char *const argv[] = { "rsync", "-a", "--from0", "--ignore-missing-args",
				     "--delete-missing-args", from, source, to, NULL };

	r = tool_run(argv, NULL, NULL, err);
	unlink(names);
	free(c->dir);
	c->dir = TAKE(copy);
	return r;
}

static int open_tree(struct checkout *c, const char *dir, const char *cache_dir,
		     const struct log *log, struct err *err)
{
	int r;

	c->dir = checkout_tree(dir);
	if (!c->dir)
		return err_set(err, ENOENT, "'%s' is no kernel tree: it has no Kbuild file", dir);
	c->place = place_of(c->dir);
	r = identify(c, err);
	if (r == 0 && checkout_built_in_place(c->dir))
		r = copy_tree(c, cache_dir, log, err);
	return r;
}

/*
 * Worktrees: a few per repository, each a run's alone while it goes on. One that
 * is at the commit already is taken first, so that nothing is checked out.
 */
struct worktrees {
	const char *repository; /* its common directory */
	char *parent, *name;
	const char *commit;
};

/* The worktree @i, if it is free. @exact: only if it is at the commit. */
static int take(struct worktrees *w, unsigned i, bool exact, struct checkout *c, struct err *err)
{
	_free_ char *dir = xasprintf("%s/%s-%u", w->parent, w->name, i), *at = NULL;
	_free_ char *lock = xasprintf("%s.lock", dir);
	int r;

	if (exact && !file_exists(dir))
		return 0;
	r = file_lock(lock, false, &c->lock, err);
	if (r <= 0)
		return r;
	at = file_exists(dir) ? git_says(dir, "rev-parse", "--verify", "HEAD") : NULL;
	if (exact && (!at || strcmp(at, w->commit) != 0)) {
		closep(&c->lock);
		c->lock = -1;
		return 0;
	}
	c->dir = TAKE(dir);
	return 1;
}

/* The user's hooks are for the user's checkouts. */
#define NO_HOOKS "core.hooksPath=/dev/null"

static int check_out(const struct worktrees *w, const char *dir, struct err *err)
{
	const char *const add[] = { "git", "-c", NO_HOOKS, "worktree", "add", "--force",
				    "--detach", dir, w->commit, NULL };
	const char *const go[] = { "git", "-c", NO_HOOKS, "checkout", "--force", "--detach",
				   "--quiet", w->commit, NULL };
	_free_ char *dot_git = path_join(dir, ".git"), *works = NULL;

	if (file_exists(dot_git))
		works = git_says(dir, "rev-parse", "--git-dir");
	if (works)
		return tool_run(go, dir, NULL, err);
	/* What is no worktree any more: its repository was moved, or the adding of
	 * it was interrupted. */
	if (file_exists(dir)) {
		int r = dir_remove(dir, err);

		if (r < 0)
			return r;
	}
	return tool_run(add, w->repository, NULL, err);
}

static int open_commit(struct checkout *c, const char *ref, const char *cache_dir,
		       const struct log *log, struct err *err)
{
	_free_ char *spec = xasprintf("%s^{commit}", ref);
	_free_ char *commit = NULL, *common = NULL;
	struct worktrees w = {};
	int r = 0;

	common = git_says(".", "rev-parse", "--path-format=absolute", "--git-common-dir");
	if (!common)
		return err_set(err, ENOENT, "'git:%s': this directory is in no git repository; go "
			       "to the kernel's, or give -C DIR", ref);
	if (ref[0] != '-')
		commit = git_says(".", "rev-parse", "--verify", "--quiet", spec);
	if (!commit)
		return err_set(err, ENOENT, "'git:%s': git knows no such commit here; git fetch "
			       "brings new ones", ref);
	w = (struct worktrees){ .repository = common, .commit = commit,
				.parent = path_join(cache_dir, "worktrees"),
				.name = xasprintf("%08" PRIx32,
						  (uint32_t)str_hash(str_of(common),
								     STR_HASH_INIT)) };
	r = dir_make(w.parent, err);
	for (unsigned i = 0; r == 0 && i < WORKTREES_MAX; i++)
		r = take(&w, i, true, c, err);
	for (unsigned i = 0; r == 0 && i < WORKTREES_MAX; i++)
		r = take(&w, i, false, c, err);
	if (r == 0)
		r = err_set(err, EBUSY, "'git:%s': %u worktrees are in use", ref, WORKTREES_MAX);
	if (r > 0) {
		log_debug(log, "commit %.12s in '%s'", commit, c->dir);
		r = check_out(&w, c->dir, err);
	}
	free(w.parent);
	free(w.name);
	if (r < 0)
		return r;
	c->place = place_of(c->dir);
	c->branch = xstrdup(ref);
	return identify(c, err);
}

int checkout_open(const char *spec, const char *cache_dir, const struct log *log,
		  struct checkout *ret, struct err *err)
{
	struct checkout c = { .lock = -1 };
	int r;

	if (str_starts(str_of(spec), STR(GIT)))
		r = open_commit(&c, spec + strlen(GIT), cache_dir, log, err);
	else
		r = open_tree(&c, spec, cache_dir, log, err);
	if (r < 0) {
		checkout_done(&c);
		return r;
	}
	*ret = c;
	return 0;
}

void checkout_done(struct checkout *c)
{
	free(c->dir);
	free(c->place);
	free(c->id);
	free(c->version);
	free(c->branch);
	closep(&c->lock);
	*c = (struct checkout){ .lock = -1 };
}
