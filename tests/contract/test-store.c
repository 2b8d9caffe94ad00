/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One script of writes and questions, on a file and on PostgreSQL: they answer
 * the same, byte by byte.
 */
#include "postgres.h"
#include "script.h"

static int answers(struct tap *t, const char *url, const char *log, struct buf *b)
{
	struct store *s = NULL;
	struct err err = {};
	int r = store_open(url, STORE_WRITE, &s, &err);

	r = r < 0 ? r : script_write(s, log, &err);
	r = r < 0 ? r : script_ask(s, b, &err);
	store_close(s);
	/* Again in a store that knows nothing yet. */
	r = r < 0 ? r : store_open(url, STORE_READ, &s, &err);
	r = r < 0 ? r : script_ask(s, b, &err);
	if (r == 0)
		store_close(s);
	else
		printf("# %s: %s\n", url, err.text);
	is_int(t, r, 0, "the script goes through");
	return r;
}

static void show_difference(struct str a, struct str b)
{
	while (a.n && b.n) {
		struct str x = str_cut(&a, '\n'), y = str_cut(&b, '\n');

		if (str_eq(x, y))
			continue;
		printf("# file:   %.*s\n# server: %.*s\n", STR_FMT(x), STR_FMT(y));
		return;
	}
}

/* Who reads hears of what others write; without that nothing need be read again. */
static void test_changed(struct tap *t, const char *url)
{
	struct script x = { "change", NULL, 5000, 0 };
	struct store *s = NULL, *other = NULL;
	int64_t before = 0, same = 0, after = 0;

	store_open(url, STORE_WRITE, &other, NULL);
	store_open(url, STORE_READ, &s, NULL);
	store_changed(s, &before, NULL);
	store_changed(s, &same, NULL);
	is_int(t, same, before, "nobody wrote");
	script_run(other, &x, NULL);
	store_changed(s, &after, NULL);
	ok(t, after != before, "somebody did");
	store_close(s);
	store_close(other);
}

static struct str mark(struct store *s, struct buf *b)
{
	buf_clear(b);
	return store_mark(s, b, NULL) == 0 ? buf_str(b) : STR("");
}

/* Equal texts, equal history. */
static void test_mark(struct tap *t, const char *url)
{
	const struct store_keep_rule none = { .logs_ms = -1, .runs_ms = 1 };
	const struct store_keep keep = { .rules = &none, .n = 1, .now_ms = INT64_C(1) << 50 };
	_cleanup_(buf_done) struct buf before = {}, now = {};
	struct store_collected gone;
	struct script x = { "mark", NULL, 6000, 0 }, y = { "mark-2", NULL, 6001, 0 };
	struct store *s = NULL;

	store_open(url, STORE_WRITE, &s, NULL);
	script_run(s, &x, NULL);
	mark(s, &before);
	ok(t, before.n && str_eq(mark(s, &now), buf_str(&before)), "a mark stays");
	script_run(s, &y, NULL);
	ok(t, !str_eq(mark(s, &now), buf_str(&before)), "until a run is recorded");
	mark(s, &before);
	store_alias(s, 4, 5, NULL);
	ok(t, !str_eq(mark(s, &now), buf_str(&before)), "or a test is renamed");
	store_alias(s, 4, 0, NULL);
	ok(t, str_eq(mark(s, &now), buf_str(&before)), "and comes back with the name");
	ok(t, store_gc(s, &keep, &gone, NULL) == 0 && gone.runs > 0 &&
	       !str_eq(mark(s, &now), buf_str(&before)), "or runs are removed");
	store_close(s);
}

static void test_same(struct tap *t, const struct postgres_server *pg)
{
	_cleanup_(buf_done) struct buf file = {}, server = {};
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL, *log = NULL;

	dir_temp("/tmp", "taproom-store.", &dir, NULL);
	path = path_join(dir, "history.db");
	log = path_join(dir, "log");
	file_write(log, STR("one\ntwo\n"), 0644, NULL);
	setenv("XDG_DATA_HOME", dir, 1);
	answers(t, path, log, &file);
	answers(t, pg->url, log, &server);
	ok(t, file.n > 10000 && str_eq(buf_str(&file), buf_str(&server)),
	   "a file and a server answer the same");
	show_difference(buf_str(&file), buf_str(&server));
	test_changed(t, path);
	test_changed(t, pg->url);
}

static void test_marks(struct tap *t, const struct postgres_server *pg)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL;

	dir_temp("/tmp", "taproom-store.", &dir, NULL);
	path = path_join(dir, "history.db");
	test_mark(t, path);
	test_mark(t, pg->url);
}

int main(void)
{
	struct tap t = {};
	struct postgres_server pg;
	const char *why;

	if (postgres_start(&pg, &why) < 0) {
		postgres_stop(&pg);
		skip_all(why);
	}
	TAP_HEADER();
	test_same(&t, &pg);
	test_marks(&t, &pg);
	postgres_stop(&pg);
	return tap_done(&t);
}
