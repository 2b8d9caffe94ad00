/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A store in a directory of its own for the store's tests, and ways to look at
 * it: through our own code, and past it.
 */
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store-events.h"
#include "store/inside.h"
#include "store/store.h"
#include "tap.h"

/* A fresh directory with a store in it, gone at the end of the test. */
struct place {
	char *dir, *path;
	struct store *s;
	struct err err;
};

static inline void place_init(struct place *p)
{
	*p = (struct place){};
	dir_temp("/tmp", "taproom-store.", &p->dir, NULL);
	p->path = path_join(p->dir, "deep/er/history.db");
	if (store_open(p->path, STORE_WRITE, &p->s, &p->err) < 0)
		printf("# %s\n", p->err.text);
}

static inline void place_done(struct place *p)
{
	store_close(p->s);
	free(p->path);
	dir_removep(&p->dir);
}

/* A value straight from the database, past our own code. */
static inline int64_t ask(const struct place *p, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *stmt = NULL;
	int64_t v = -1;

	if (sqlite3_open_v2(p->path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		v = sqlite3_column_int64(stmt, 0);
	else
		printf("# %s: %s\n", sql, sqlite3_errmsg(db));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return v;
}

static inline bool intact(const struct place *p)
{
	return ask(p, "SELECT integrity_check = 'ok' FROM pragma_integrity_check") == 1 &&
	       ask(p, "SELECT count(*) FROM pragma_foreign_key_check") == 0;
}

/* Records with @say and keeps what was said in @said. */
static inline int64_t record(struct place *p, void (*say)(struct event_sink, const void *),
		      const void *arg, struct buf *said)
{
	struct store_record *r;
	struct event_fan fan = {};
	int64_t id;

	store_record_new(p->s, &r, NULL);
	event_fan_add(&fan, store_record_sink(r));
	if (said)
		event_fan_add(&fan, hear_into(said));
	say(event_fan_sink(&fan), arg);
	id = store_record_run(r);
	p->err = (struct err){};
	if (store_record_error(r, &p->err) < 0)
		printf("# record: %s\n", p->err.text);
	store_record_free(r);
	return id;
}

static inline bool replays(struct tap *t, struct place *p, int64_t id, const struct buf *said,
		    const char *name)
{
	_cleanup_(buf_done) struct buf heard = {};
	int r = store_replay(p->s, id, hear_into(&heard), &p->err);

	if (r < 0)
		printf("# replay: %s\n", p->err.text);
	if (ok(t, r == 0 && str_eq(buf_str(&heard), buf_str(said)), "%s", name))
		return true;
	printf("# heard:\n%s# said:\n%s", heard.p, said->p);
	return false;
}

struct counted_events {
	int64_t programs, results;
};

static inline void count_event(void *ctx, const struct event *ev)
{
	struct counted_events *n = ctx;

	n->programs += ev->type == EVENT_PROGRAM_END;
	n->results += ev->type == EVENT_RESULT;
}

/* Executions of a run, of all runs when @id is 0. */
static inline int64_t executions(struct place *p, int64_t id)
{
	struct counted_events n = {};
	struct store *s = NULL;
	int64_t last = id ? id : ask(p, "SELECT coalesce(max(id), 0) FROM run");

	if (store_open(p->path, STORE_READ, &s, &p->err) < 0)
		return -1;
	for (int64_t i = id ? id : 1; i <= last; i++)
		store_replay(s, i, (struct event_sink){ count_event, &n }, &p->err);
	store_close(s);
	return n.programs;
}

static inline int64_t file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}
