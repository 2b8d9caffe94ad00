/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power cuts: SQLite writes through a layer that remembers what each file held
 * when it was last synced. What a cut leaves is that, and no byte more. And
 * what is done to a store as a whole: old things removed, a copy made.
 */
#include "store-place.h"

/* ---- what is on the disk for sure ---- */

#define FILES_MAX 16

struct synced {
	char *path;
	struct buf data;
};

static struct synced files[FILES_MAX];
static unsigned n_files, n_syncs;
static sqlite3_vfs layer, *base;

/* Our files by the address SQLite gave them. */
static struct {
	sqlite3_file *file;
	const sqlite3_io_methods *real;
	sqlite3_io_methods methods; /* with ours; a log's have no locks */
	char *path;
} opened[FILES_MAX];

static struct synced *synced_of(const char *path)
{
	for (unsigned i = 0; i < n_files; i++)
		if (strcmp(files[i].path, path) == 0)
			return &files[i];
	files[n_files].path = xstrdup(path);
	return &files[n_files++];
}

static int on_sync(sqlite3_file *file, int flags)
{
	int rc = SQLITE_OK;

	for (unsigned i = 0; i < FILES_MAX; i++) {
		if (opened[i].file != file)
			continue;
		struct synced *s = synced_of(opened[i].path);

		rc = opened[i].real->xSync(file, flags);
		buf_clear(&s->data);
		file_read(opened[i].path, 64 << 20, &s->data, NULL);
		n_syncs++;
	}
	return rc;
}

static int on_close(sqlite3_file *file)
{
	for (unsigned i = 0; i < FILES_MAX; i++) {
		if (opened[i].file != file)
			continue;
		free(opened[i].path);
		opened[i].file = NULL;
		return opened[i].real->xClose(file);
	}
	return SQLITE_IOERR;
}

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret)
{
	int rc = base->xOpen(base, name, file, flags, ret);

	if (rc != SQLITE_OK || !name || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
		return rc;
	for (unsigned i = 0; i < FILES_MAX; i++) {
		if (opened[i].file)
			continue;
		opened[i].file = file;
		opened[i].path = xstrdup(name);
		opened[i].real = file->pMethods;
		opened[i].methods = *file->pMethods;
		opened[i].methods.xSync = on_sync;
		opened[i].methods.xClose = on_close;
		file->pMethods = &opened[i].methods;
		break;
	}
	return rc;
}

static void layer_up(void)
{
	sqlite3_initialize();
	base = sqlite3_vfs_find(NULL);
	layer = *base;
	layer.zName = "power";
	layer.xOpen = on_open;
	sqlite3_vfs_register(&layer, 1);
}

static void layer_down(void)
{
	sqlite3_vfs_register(base, 1);
	for (unsigned i = 0; i < n_files; i++) {
		free(files[i].path);
		buf_done(&files[i].data);
	}
	memset(files, 0, sizeof(files));
	n_files = 0;
}

/* ---- cuts ---- */

#define CUTS 40

struct verdict {
	unsigned lost, damaged, unclean;
};

static void tell_problem(void *ctx, struct str sentence)
{
	printf("# %.*s\n", STR_FMT(sentence));
}

/* The store as the cut left it, somewhere else. */
static void look(const struct place *p, unsigned said, struct verdict *v)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL;
	struct counted_events n = {};
	struct store_checked found;
	struct store *s = NULL;
	struct err err = {};

	dir_temp("/tmp", "taproom-store.", &dir, NULL);
	path = path_join(dir, "history.db");
	for (unsigned i = 0; i < n_files; i++) {
		const char *suffix = files[i].path + strlen(p->path);
		_free_ char *to = xasprintf("%s%s", path, suffix);

		file_write(to, buf_str(&files[i].data), 0644, NULL);
	}
	/* Without our layer: this is another machine. */
	sqlite3_vfs_register(base, 1);
	if (store_open(path, STORE_WRITE, &s, &err) < 0 ||
	    store_replay(s, 1, (struct event_sink){ count_event, &n }, &err) < 0) {
		printf("# %s\n", err.text);
		v->damaged++;
	} else {
		v->lost += n.programs < said;
		v->unclean += store_check(s, tell_problem, NULL, &found, &err) != 0;
	}
	store_close(s);
	sqlite3_vfs_register(&layer, 1);
}

static void test_cuts(struct tap *t)
{
	struct verdict v = {};
	struct store_record *r;
	struct event_sink sink;
	struct place p;

	layer_up();
	place_init(&p);
	store_record_new(p.s, &r, NULL);
	sink = store_record_sink(r);
	say_run(sink, EVENT_RUN_BEGIN, "cut");
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	for (unsigned n = 1; n <= CUTS; n++) {
		say_program(sink, 1, n, n % 5 ? "same.sh" : "other.sh", 20 + n % 3, n % 4);
		look(&p, n, &v);
	}
	ok(t, n_syncs >= CUTS, "every program is synced: %u times for %u", n_syncs, CUTS);
	is_int(t, v.damaged, 0, "after each cut the store opens");
	is_int(t, v.lost, 0, "holds every program that was told to be safe");
	is_int(t, v.unclean, 0, "and is clean");
	store_record_free(r);
	place_done(&p);
	layer_down();
}

/* ---- old things, and a copy ---- */

static void say_dated(struct event_sink sink, const void *arg)
{
	unsigned i = *(const unsigned *)arg;
	struct event_run run = { .branch = i % 2 ? STR("export") : STR("pr-7"),
				 .time_ms = 1700000000000 + i * INT64_C(86400000) };
	struct event ev = { .type = EVENT_RUN_BEGIN, .run = &run };
	char id[16];

	snprintf(id, sizeof(id), "run-%u", i);
	run.id = str_of(id);
	event_emit(&sink, &ev);
	say_job(sink, EVENT_JOB_BEGIN, 1, "normal", NULL);
	say_program(sink, 1, 1, "a.sh", 3, i % 3);
	say_begin(sink, 1, 2, "b.sh", 1);
	say_splat(sink, 1, 2, "WARNING");
	say_end(sink, 1, 2, "b.sh", 1, STATUS_PASS, "/etc/passwd");
	say_job(sink, EVENT_JOB_END, 1, "normal", NULL);
	ev.type = EVENT_RUN_END;
	event_emit(&sink, &ev);
}

static int sum_results(void *ctx, const struct store_scanned *s)
{
	*(uint64_t *)ctx += s->n;
	return 0;
}

static int no_runs(void *ctx, const struct store_scan_run *runs, uint32_t n)
{
	return 0;
}

static void check_clean(struct tap *t, struct place *p)
{
	struct store_checked found;

	is_int(t, store_check(p->s, tell_problem, NULL, &found, &p->err), 0, "it is clean");
}

static void test_gc(struct tap *t)
{
	enum { day = 86400000 };
	static const struct store_scan_filter all = {};
	/* The first that fits decides: what the second says is of other branches. */
	static const struct store_keep_rule pulls[] = { { "pr-*", -1, 5 * day },
							{ "pr*", 1, 1 } };
	static const struct store_keep_rule logs = { NULL, 3 * day, -1 };
	struct store_keep keep = { .rules = pulls, .n = 2, .now_ms = 1700000000000 + 10 * day,
				   .dry = true };
	_free_ char *copy = NULL;
	struct store_collected found;
	uint64_t before = 0, n = 0;
	struct store *s = NULL;
	struct place p;

	place_init(&p);
	for (unsigned i = 1; i <= 10; i++) {
		record(&p, say_dated, &i, NULL);
		if (i == 6)
			store_fold(p.s, 1, NULL);
	}
	copy = path_join(p.dir, "copy.db");
	is_int(t, store_backup(p.s, copy, &p.err), 0, "a copy");
	is_int(t, store_backup(p.s, copy, &p.err), -EEXIST, "is not written over");
	store_scan(p.s, &all, no_runs, sum_results, &before, NULL);
	store_gc(p.s, &keep, &found, &p.err);
	ok(t, found.runs == 2 && found.logs == 2, "two runs of pull requests would go");
	is_int(t, ask(&p, "SELECT count(*) FROM run"), 10, "but only would");
	keep.dry = false;
	is_int(t, store_gc(p.s, &keep, &found, &p.err), 0, "they go");
	is_int(t, ask(&p, "SELECT count(*) FROM run"), 8, "and no others");
	is_int(t, ask(&p, "SELECT count(*) FROM slice"), 8, "with what they said");
	check_clean(t, &p);
	keep = (struct store_keep){ .rules = &logs, .n = 1, .now_ms = keep.now_ms };
	store_gc(p.s, &keep, &found, &p.err);
	is_int(t, (int64_t)found.logs, 4, "logs go before results");
	is_int(t, ask(&p, "SELECT count(*) FROM artefact"), 4, "the young ones stay");
	check_clean(t, &p);
	store_scan(p.s, &all, no_runs, sum_results, &n, NULL);
	is_int(t, (int64_t)(before - n), 2 * 5, "scans know only what is there");
	is_int(t, store_open(copy, STORE_READ, &s, &p.err), 0, "the copy is a store");
	n = 0;
	store_scan(s, &all, no_runs, sum_results, &n, NULL);
	ok(t, n == before, "with everything in it");
	store_close(s);
	ok(t, intact(&p), "the database is intact");
	place_done(&p);
}

/* What a check is for: it must see what is wrong. */
static void test_check(struct tap *t)
{
	static const char *const damages[] = {
		"DELETE FROM segment WHERE id = 1", "UPDATE segment SET times = x'00'",
		"UPDATE run SET folded = 0 WHERE id = 2", "UPDATE outcome SET body = x'02007a'",
		"UPDATE artefact SET path = 'nowhere' WHERE run_id = 1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		_free_ char *sql = xasprintf("PRAGMA foreign_keys = OFF; %s", damages[i]);
		struct store_checked found;
		struct place p;
		sqlite3 *db;

		place_init(&p);
		for (unsigned k = 1; k <= 4; k++)
			record(&p, say_dated, &k, NULL);
		store_fold(p.s, 1, NULL);
		p.s = store_close(p.s);
		sqlite3_open(p.path, &db);
		sqlite3_exec(db, sql, NULL, NULL, NULL);
		sqlite3_close(db);
		store_open(p.path, STORE_WRITE, &p.s, NULL);
		is_int(t, store_check(p.s, tell_problem, NULL, &found, &p.err), 1, damages[i]);
		if (i < 3) {
			store_repair(p.s, &p.err);
			check_clean(t, &p);
		}
		place_done(&p);
	}
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_cuts(&t);
	test_gc(&t);
	test_check(&t);
	return tap_done(&t);
}
