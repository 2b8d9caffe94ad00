/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The static site as files: whole, the same each time, and nobody else's. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
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

static int export(struct here *h, const char *name, unsigned window, struct web_exported *done,
		  struct err *err)
{
	_free_ char *path = path_join(h->dir, name);
	struct web_site *site = NULL;
	int r = web_site_new(h->store, "1.0", window, &site, err);

	if (r >= 0)
		r = web_export(site, path, done, err);
	web_site_free(site);
	return r;
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
