/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The static site as files: whole, the same each time, and nobody else's. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/inflate.h"
#include "base/mem.h"
#include "base/proc.h"
#include "seed.h"
#include "tap.h"
#include "web/web.h"

struct here {
	struct tap t;
	char *dir;          /* ours, temporary */
	struct store *store;
};

static int export_of(struct here *h, struct store *store, const char *name, unsigned window,
		     bool encode, struct web_exported *done, struct err *err)
{
	_free_ char *path = path_join(h->dir, name);
	struct web_site *site = NULL;
	int r = web_site_new(store, "1.0", window, &site, err);

	if (r >= 0)
		r = web_export(site, path, encode, done, err);
	web_site_free(site);
	return r;
}

static int export(struct here *h, const char *name, unsigned window, struct web_exported *done,
		  struct err *err)
{
	return export_of(h, h->store, name, window, false, done, err);
}

static bool there(struct here *h, const char *name)
{
	_free_ char *path = path_join(h->dir, name);

	return file_exists(path);
}

static void put(struct here *h, const char *name, const char *text)
{
	_free_ char *path = path_join(h->dir, name), *parent = path_dir(path);

	dir_make(parent, NULL);
	file_write(path, str_of(text), 0644, NULL);
}

static void remove_in(struct here *h, const char *name)
{
	_free_ char *path = path_join(h->dir, name);

	unlink(path);
}

static int differ(struct here *h, const char *a, const char *b)
{
	_free_ char *pa = path_join(h->dir, a), *pb = path_join(h->dir, b);
	const char *const argv[] = { "diff", "-r", pa, pb, NULL };
	struct proc_spec s = { .argv = argv, .in = PROC_NULL, .err = PROC_NULL };
	_cleanup_(buf_done) struct buf out = {};

	return proc_run(&s, &out, NULL, 0, NULL);
}

static void test_export(struct here *h)
{
	struct web_exported first = {}, again = {};
	struct err err = {};

	if (!ok(&h->t, export(h, "a", 0, &first, &err) == 0, "export %s", err.text))
		return;
	ok(&h->t, there(h, "a/index.html") && there(h, "a/flakes.html") &&
		  there(h, "a/run/6.html") && there(h, "a/run/6/log-1.html") &&
		  there(h, "a/run/6/log-1.txt") && there(h, "a/flakes/mode/debug.html"),
	   "the pages are there");
	is_int(&h->t, first.changed, first.files, "all of them are new");
	is_int(&h->t, export(h, "a", 0, &again, &err), 0, "again");
	is_int(&h->t, again.files, first.files, "the same files");
	is_int(&h->t, again.changed, 0, "none has changed");
	is_int(&h->t, again.removed, 0, "none is gone");
	is_int(&h->t, export(h, "b", 0, &again, &err), 0, "elsewhere");
	is_int(&h->t, differ(h, "a", "b"), 0, "the same bytes");
}

/* ---- one more run ---- */

static int by_inode(const void *a, const void *b)
{
	const ino_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Inodes of all files of a site, sorted: what was moved in has another one. */
struct inodes {
	struct here *h;
	const char *site;
	ino_t *v;
	size_t n, cap;
};

static int add_inode(void *ctx, const char *below, struct err *err)
{
	struct inodes *i = ctx;
	_free_ char *site = path_join(i->h->dir, i->site), *path = path_join(site, below);
	struct stat st;

	if (below[0] == '.') /* the list of files, which is written each time */
		return 0;
	if (lstat(path, &st) < 0)
		return err_sys(err, errno, "look at '%s'", path);
	ARRAY_GROW(i->v, i->n, i->cap);
	i->v[i->n++] = st.st_ino;
	return 0;
}

static struct inodes inodes_of(struct here *h, const char *site)
{
	struct inodes i = { .h = h, .site = site };
	_free_ char *path = path_join(h->dir, site);

	ok(&h->t, dir_files(path, "", add_inode, &i, NULL) == 0 && i.n, "files of %s", site);
	qsort(i.v, i.n, sizeof(*i.v), by_inode);
	return i;
}

static ino_t inode(struct here *h, const char *name)
{
	_free_ char *path = path_join(h->dir, name);
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_ino : 0;
}

/* Six runs, then the same and one more: only what says another thing is written. */
static void test_one_more(struct here *h)
{
	static const char *const STAY[] = { "more/run/1.html", "more/run/3.html",
					    "more/run/1/log-1.html", "more/run/6/log-1.html",
					    "more/run/6/log-1.txt", "more/run/5/diff.html" };
	ino_t was[ARRAY_SIZE(STAY)];
	_free_ char *dir = path_join(h->dir, "seven"), *db = path_join(dir, "history.db");
	struct web_exported first = {}, more = {};
	struct inodes before, after;
	struct store *seven = NULL;
	unsigned fresh = 0;
	struct err err = {};

	dir_make(dir, NULL);
	if (!ok(&h->t, store_open(db, STORE_WRITE, &seven, &err) == 0 &&
		       seed_store(seven, dir, 7, false, &err) == 0 &&
		       export(h, "more", 0, &first, &err) == 0,
		"a site of six runs %s", err.text)) {
		store_close(seven);
		return;
	}
	before = inodes_of(h, "more");
	for (size_t i = 0; i < ARRAY_SIZE(STAY); i++)
		was[i] = inode(h, STAY[i]);
	is_int(&h->t, export_of(h, seven, "more", 0, false, &more, &err), 0, "and of one more");
	after = inodes_of(h, "more");
	for (size_t i = 0; i < after.n; i++)
		fresh += !bsearch(&after.v[i], before.v, before.n, sizeof(*before.v), by_inode);
	is_int(&h->t, more.changed, fresh, "as many files are others as it says");
	ok(&h->t, more.files > first.files && more.changed > more.files - first.files &&
		  more.changed < more.files / 2, "%u of %u: the new ones and a few", more.changed,
	   more.files);
	for (size_t i = 0; i < ARRAY_SIZE(STAY); i++)
		ok(&h->t, was[i] && inode(h, STAY[i]) == was[i], "untouched: %s", STAY[i]);
	is_int(&h->t, export_of(h, seven, "afresh", 0, false, &more, &err), 0, "elsewhere");
	is_int(&h->t, differ(h, "more", "afresh"), 0, "the same bytes as one from nothing");
	free(before.v);
	free(after.v);
	store_close(seven);
}

/* ---- compressed ones beside the pages ---- */

struct packed {
	struct here *h;
	unsigned n, wrong, larger;
};

static int on_packed(void *ctx, const char *below, struct err *err)
{
	struct packed *p = ctx;
	_free_ char *site = path_join(p->h->dir, "z"), *path = path_join(site, below);
	_free_ char *page = xstrndup(path, strlen(path) - (strrchr(path, '.')[1] == 'g' ? 3 : 4));
	_cleanup_(buf_done) struct buf small = {}, back = {}, plain = {};

	p->n++;
	if (file_read(path, 0, &small, err) < 0 || file_read(page, 0, &plain, err) < 0 ||
	    inflate_any(buf_str(&small), plain.n, &back, err) < 0 ||
	    !str_eq(buf_str(&back), buf_str(&plain)))
		p->wrong++;
	p->larger += small.n >= plain.n;
	return 0;
}

static unsigned packed_in(struct here *h, const char *suffix)
{
	_free_ char *site = path_join(h->dir, "z");
	struct packed p = { .h = h };

	dir_files(site, suffix, on_packed, &p, NULL);
	ok(&h->t, p.n && !p.wrong && !p.larger, "%u of *%s are their pages, and smaller", p.n,
	   suffix);
	return p.n;
}

static void test_compressed(struct here *h)
{
	struct web_exported done = {}, again = {};
	struct err err = {};
	unsigned n;
	ino_t was;

	is_int(&h->t, export_of(h, h->store, "z", 2, true, &done, &err), 0, "compressed");
	ok(&h->t, there(h, "z/index.html.gz") && there(h, "z/run/6.html.zst") &&
		  there(h, "z/run/6/log-1.txt.gz"), "pages and logs");
	n = packed_in(h, ".gz") + packed_in(h, ".zst");
	is_int(&h->t, done.encoded, n, "as many as it says");
	is_int(&h->t, done.changed, done.files, "all of them are new");

	was = inode(h, "z/index.html.gz");
	is_int(&h->t, export_of(h, h->store, "z", 2, true, &again, &err), 0, "again");
	is_int(&h->t, again.changed, 0, "none has changed");
	is_int(&h->t, again.files, done.files, "none is gone");
	is_int(&h->t, again.encoded, done.encoded, "nor of the compressed ones");
	is_int(&h->t, again.bytes, done.bytes, "of the same size");
	ok(&h->t, was && was == inode(h, "z/index.html.gz"), "nor made again");

	/* Beside a page that is another, and one that is missing. */
	put(h, "z/run/6.html", "as somebody made it");
	put(h, "z/run/6.html.gz", "and compressed it");
	remove_in(h, "z/run/5.html.gz");
	is_int(&h->t, export_of(h, h->store, "z", 2, true, &again, &err), 0, "once more");
	is_int(&h->t, again.changed, 4, "the page, its two, and the missing one");
	is_int(&h->t, packed_in(h, ".gz") + packed_in(h, ".zst"), n, "all as before");

	put(h, "z/mine.gz", "not of the site");
	is_int(&h->t, export_of(h, h->store, "z", 1, true, &again, &err), 0, "a smaller window");
	ok(&h->t, !there(h, "z/run/5.html.gz") && !there(h, "z/run/5"), "takes its own along");
	is_int(&h->t, export_of(h, h->store, "z", 1, false, &again, &err), 0, "without");
	ok(&h->t, again.encoded == 0 && again.removed > 0 && !there(h, "z/index.html.gz") &&
		  !there(h, "z/index.html.zst"), "none is left");
	ok(&h->t, there(h, "z/mine.gz"), "but what is not ours");
	is_int(&h->t, export(h, "one", 1, &again, &err), 0, "elsewhere");
	remove_in(h, "z/mine.gz");
	is_int(&h->t, differ(h, "z", "one"), 0, "the same bytes");
}

static void test_stale(struct here *h)
{
	struct web_exported done = {};
	struct err err = {};

	put(h, "a/mine.txt", "not of the site");
	is_int(&h->t, export(h, "a", 2, &done, &err), 0, "a smaller window");
	ok(&h->t, done.removed > 0, "old files are removed");
	ok(&h->t, !there(h, "a/run/1.html") && !there(h, "a/run/1"), "and empty directories");
	ok(&h->t, there(h, "a/run/6.html"), "what is shown stays");
	ok(&h->t, there(h, "a/mine.txt"), "so does what is not ours");
}

static void test_refused(struct here *h)
{
	struct web_exported done = {};
	struct err err = {};

	put(h, "home/letter.txt", "dear");
	is_int(&h->t, export(h, "home", 0, &done, &err), -EEXIST, "others' files are refused");
	ok(&h->t, there(h, "home/letter.txt") && !there(h, "home/index.html"), "and untouched");
	put(h, "odd/.taproom-site", "something else\n");
	is_int(&h->t, export(h, "odd", 0, &done, &err), -EEXIST, "so is another's list");
	put(h, "file", "");
	ok(&h->t, export(h, "file", 0, &done, &err) < 0, "a file is no directory");
}

static void test_manifest_is_not_trusted(struct here *h)
{
	struct web_exported done = {};
	struct err err = {};

	put(h, "keep.txt", "outside of the site");
	put(h, "c/.taproom-site",
	    "taproom site 1\n../keep.txt\n/etc/hostname\n.git/config\na//b\nold.html\n");
	put(h, "c/.git/config", "theirs");
	put(h, "c/old.html", "ours, from before");
	is_int(&h->t, export(h, "c", 0, &done, &err), 0, "a list that names others' files");
	ok(&h->t, there(h, "keep.txt") && there(h, "c/.git/config"), "removes none of them");
	ok(&h->t, !there(h, "c/old.html"), "only its own");
}

/* Logs that are gone are told; everything else is there. */
static void test_lost_logs(struct here *h)
{
	_free_ char *artefacts = path_join(h->dir, "history.db.d");
	_cleanup_(buf_done) struct buf page = {};
	_free_ char *log = path_join(h->dir, "f/run/6/log-1.html");
	struct web_exported done = {};
	struct err err = {};

	is_int(&h->t, dir_remove(artefacts, &err), 0, "the logs are lost");
	is_int(&h->t, export(h, "f", 1, &done, &err), 0, "the rest is exported");
	ok(&h->t, file_read(log, 0, &page, &err) == 0 &&
		  str_find(buf_str(&page), STR("gone or broken")) > 0,
	   "the log's page says so");
}

/* Killed while it was building: nothing of that is left by the next. */
static void test_left_over(struct here *h)
{
	struct web_exported done = {};
	struct err err = {};

	put(h, "e/.taproom-new/run/1.html", "half");
	is_int(&h->t, export(h, "e", 1, &done, &err), 0, "after one that was killed");
	ok(&h->t, !there(h, "e/.taproom-new") && !there(h, "e/run/1.html"), "no trace of it");
	ok(&h->t, there(h, "e/run/6.html"), "and a whole site");
}

/* A page that can't be written ends the export before anything moved. */
static void test_nothing_half(struct here *h)
{
	_free_ char *temp = path_join(h->dir, "locked"), *site = path_join(temp, "site");
	struct web_exported done = {};
	struct err err = {};

	is_int(&h->t, export(h, "locked/site", 2, &done, &err), 0, "a site");
	put(h, "locked/site/index.html", "as it was");
	if (geteuid() == 0) {
		ok(&h->t, true, "root writes everywhere # SKIP");
		return;
	}
	chmod(temp, 0555);
	ok(&h->t, export(h, "locked/site", 0, &done, &err) < 0, "nowhere to build the next");
	ok(&h->t, !there(h, "locked/site/run/1.html"), "nothing of it is there");
	chmod(temp, 0755);
}

int main(void)
{
	struct here h = {};
	_free_ char *path = NULL;
	struct err err = {};

	TAP_HEADER();
	if (!ok(&h.t, dir_temp("/tmp", "taproom-export-test-", &h.dir, &err) == 0, "set up"))
		return tap_done(&h.t);
	path = path_join(h.dir, "history.db");
	if (ok(&h.t, store_open(path, STORE_WRITE, &h.store, &err) == 0, "a store") &&
	    ok(&h.t, seed_store(h.store, h.dir, 6, false, &err) == 0, "with a past")) {
		test_export(&h);
		test_one_more(&h);
		test_compressed(&h);
		test_stale(&h);
		test_refused(&h);
		test_manifest_is_not_trusted(&h);
		test_nothing_half(&h);
		test_left_over(&h);
		test_lost_logs(&h);
	}
	if (err.code)
		printf("# %s\n", err.text);
	store_close(h.store);
	dir_removep(&h.dir);
	return tap_done(&h.t);
}
