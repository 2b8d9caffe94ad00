/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests that were renamed: a person says that two are one. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"
#include "cmd/history.h"

#define FILE_MAX_BYTES (1u << 20)
#define ARROW	       " -> "
#define DEPTH_MAX      64 /* as the store's: of chained names */

struct alias_options {
	struct cmd_common common;
	const char *file;
	bool remove;
};

#define AT(field) .offset = offsetof(struct alias_options, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_FLAG,
	  .name = "remove",
	  AT(remove),
	  .help = "OLD is a test of its own again" },
	{ .type = OPT_TYPE_STR,
	  .letter = 'f',
	  .name = "file",
	  .arg = "FILE",
	  AT(file),
	  .help = "confirm what it says, a line each: OLD -> NEW; -: standard input" },
	OPT_GROUP("Common", CMD_COMMON, struct alias_options, common),
	OPT_END,
};

const struct opt_command cmd_alias_help = {
	.usage = "taproom alias [OLD NEW] [options]",
	.summary = "Says that a test was renamed: OLD and NEW are one history. Lists such names.",
	.text = "A test is named as suite/program/test, whole, as 'taproom changes' and 'taproom "
		"history' print it, or by its number there. suite/program alone is the program: "
		"with it go those of its tests that have the same name in the new one. Nothing "
		"that is stored changes; --remove takes it back. Tests that both ran in one run "
		"are two, and are refused.\n"
		"Without operands it lists all such names, in the form that --file reads.\n"
		"Exit status: 0 done, 2 no such test, or they can't be one, 4 the store can't be "
		"written.",
	.opts = OPTS,
	.examples = "  taproom alias 'mptcp/join.sh/old name' 'mptcp/join.sh/new name'\n"
		    "  taproom alias --remove 'mptcp/join.sh/old name'\n"
		    "  taproom alias > names; taproom alias --file names --store other.db\n",
};

/* ---- tests by their names ---- */

struct test {
	int64_t id, into;
	char *name; /* "suite/program/path" */
	char *suite, *program, *key;
	bool whole;
	unsigned nth;
};

struct tests {
	struct test *v;
	size_t n, cap;
};

static void tests_done(struct tests *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].name);
		free(t->v[i].suite);
		free(t->v[i].program);
		free(t->v[i].key);
	}
	free(t->v);
}

static char *copy(struct str s)
{
	return xstrndup(s.p ? s.p : "", s.n);
}

static int on_test(void *ctx, const struct store_test *t)
{
	struct tests *to = ctx;

	ARRAY_GROW(to->v, to->n, to->cap);
	to->v[to->n++] = (struct test){
		.id = t->id,
		.into = t->into_id,
		.whole = t->whole,
		.nth = t->nth,
		.name = xasprintf("%.*s/%.*s%s%.*s", STR_FMT(t->suite), STR_FMT(t->program),
				  t->whole ? "" : "/", STR_FMT(t->path)),
		.suite = copy(t->suite),
		.program = copy(t->program),
		.key = copy(t->key),
	};
	return 0;
}

static struct test *by_id(const struct tests *t, int64_t id)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].id == id)
			return &t->v[i];
	return NULL;
}

/* Its whole name, or its number where none is called so. A name stands for the
 * newest test that bears it. */
static int find(const struct tests *t, const char *word, struct test **ret, struct err *err)
{
	uint64_t number;

	*ret = NULL;
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->v[i].name, word) == 0 && (!*ret || t->v[i].id > (*ret)->id))
			*ret = &t->v[i];
	if (!*ret && str_to_u64(str_of(word), &number) && number <= INT64_MAX)
		*ret = by_id(t, (int64_t)number);
	if (*ret)
		return 0;
	return err_set(err, ENOENT,
		       "no test is called '%.200s': its whole name is wanted, as "
		       "'taproom history' lists it: suite/program/test",
		       word);
}

/* ---- do both run in one run? ---- */

struct presence {
	int64_t id;
	int64_t *begin; /* ids of the scan's runs */
	uint32_t n_begin;
	bool *runs; /* of each: it is there */
};

static int on_runs(void *ctx, const struct store_scan_run *runs, uint32_t n)
{
	struct presence *p = ctx;

	p->begin = xcalloc(n + 1u, sizeof(*p->begin));
	p->runs = xcalloc(n + 1u, sizeof(*p->runs));
	p->n_begin = n;
	for (uint32_t i = 0; i < n; i++)
		p->begin[i] = runs[i].id;
	return 0;
}

static int on_series(void *ctx, const struct store_scanned *s)
{
	struct presence *p = ctx;

	if (s->id != p->id)
		return 0;
	for (size_t i = 0; i < s->n_present; i++)
		for (uint32_t k = 0; k < s->present[i].n; k++)
			p->runs[s->lane->runs[s->present[i].from + k]] = true;
	return 0;
}

static void presence_done(struct presence *p)
{
	free(p->begin);
	free(p->runs);
}

static int look(struct store *s, int64_t id, struct presence *p, struct err *err)
{
	struct store_scan_filter f = { .series_id = id };

	p->id = id;
	return store_scan(s, &f, on_runs, on_series, p, err);
}

/* Of the runs in which both are, how many and the newest. */
static int together(struct store *s, int64_t a, int64_t b, uint32_t *ret_n, int64_t *ret_run,
		    struct err *err)
{
	_cleanup_(presence_done) struct presence x = {}, y = {};
	int r = look(s, a, &x, err);

	if (r == 0)
		r = look(s, b, &y, err);
	*ret_n = 0;
	for (uint32_t i = 0, k = 0; r == 0 && i < x.n_begin && k < y.n_begin;) {
		if (x.begin[i] == y.begin[k] && x.runs[i] && y.runs[k]) {
			*ret_run = x.begin[i];
			++*ret_n;
		}
		/* Both are in the order of time, of all runs. */
		i++;
		k++;
	}
	return r;
}

/* ---- one alias ---- */

/* What it stands for now. */
static struct test *end_of(const struct tests *t, struct test *x)
{
	for (int i = 0; x->into && i < DEPTH_MAX; i++) {
		struct test *next = by_id(t, x->into);

		if (!next)
			break;
		x = next;
	}
	return x;
}

static int check(struct store *s, const struct tests *t, struct test *old, struct test *new,
		 struct err *err)
{
	uint32_t n = 0;
	int64_t run = 0;
	int r;

	if (old == new)
		return err_set(err, EINVAL,
			       "'%.200s' is '%.200s': a test can't be its own earlier "
			       "name",
			       old->name, new->name);
	if (old->whole != new->whole)
		return err_set(err, EINVAL, "'%.200s' is a %s and '%.200s' a %s: they can't be one",
			       old->name, old->whole ? "program" : "test of a program", new->name,
			       new->whole ? "program" : "test of a program");
	if (end_of(t, new) == old)
		return err_set(err, EINVAL,
			       "'%.200s' is an earlier name of '%.200s' already: taproom "
			       "alias --remove '%.200s' takes that back",
			       new->name, old->name, new->name);
	if (old->into)
		return err_set(err, EINVAL,
			       "'%.200s' is an earlier name of '%.200s' already: taproom "
			       "alias --remove '%.200s' takes that back",
			       old->name, end_of(t, old)->name, old->name);
	r = together(s, old->id, end_of(t, new)->id, &n, &run, err);
	if (r == 0 && n)
		return err_set(err, EINVAL,
			       "'%.200s' and '%.200s' both ran in %u run%s, the last of "
			       "them %" PRId64 ": they are two tests",
			       old->name, new->name, n, n == 1 ? "" : "s", run);
	return r;
}

/* Tests of a program that have the same name in the other one. */
static int alias_below(struct store *s, const struct tests *t, const struct test *old,
		       const struct test *new, size_t *ret_n, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->n; i++) {
		const struct test *a = &t->v[i];

		if (a->whole || a->into || strcmp(a->suite, old->suite) != 0 ||
		    strcmp(a->program, old->program) != 0)
			continue;
		for (size_t k = 0; k < t->n; k++) {
			const struct test *b = &t->v[k];

			if (b->whole || b == a || a->nth != b->nth ||
			    strcmp(b->suite, new->suite) != 0 ||
			    strcmp(b->program, new->program) != 0 || strcmp(a->key, b->key) != 0)
				continue;
			r = store_alias(s, a->id, b->id, err);
			++*ret_n;
			break;
		}
	}
	return r;
}

static int confirm(struct cmd *c, struct store *s, const char *old_word, const char *new_word,
		   struct err *err)
{
	_cleanup_(tests_done) struct tests t = {};
	struct store_tests_filter all = {};
	struct test *old, *new;
	size_t n = 0;
	int r = store_tests(s, &all, on_test, &t, err);

	if (r == 0)
		r = find(&t, old_word, &old, err);
	if (r == 0)
		r = find(&t, new_word, &new, err);
	if (r < 0)
		return r;
	if (old != new && old->into && end_of(&t, old) == end_of(&t, new) &&
	    end_of(&t, new) != old) {
		log_info(&c->log, "'%s' is an earlier name of '%s' already", old->name, new->name);
		return 0;
	}
	r = check(s, &t, old, new, err);
	if (r == 0)
		r = store_alias(s, old->id, new->id, err);
	if (r == 0 && old->whole)
		r = alias_below(s, &t, old, new, &n, err);
	if (r < 0)
		return r;
	if (n)
		log_info(&c->log, "'%s' is an earlier name of '%s', and %zu of its tests with it",
			 old->name, new->name, n);
	else
		log_info(&c->log, "'%s' is an earlier name of '%s'", old->name, new->name);
	return 0;
}

static int remove_one(struct cmd *c, struct store *s, const char *word, struct err *err)
{
	_cleanup_(tests_done) struct tests t = {};
	struct store_tests_filter all = {};
	struct test *old;
	size_t n = 0;
	int r = store_tests(s, &all, on_test, &t, err);

	if (r == 0)
		r = find(&t, word, &old, err);
	if (r < 0)
		return r;
	if (!old->into)
		return err_set(err, EINVAL,
			       "'%.200s' is no earlier name of another test; 'taproom "
			       "alias' lists those that are",
			       old->name);
	r = store_alias(s, old->id, 0, err);
	/* What went with the program comes back with it. */
	for (size_t i = 0; r == 0 && old->whole && i < t.n; i++) {
		const struct test *a = &t.v[i];
		const struct test *b = a->into ? by_id(&t, a->into) : NULL;
		const struct test *new = by_id(&t, old->into);

		if (a->whole || !b || !new || strcmp(a->suite, old->suite) != 0 ||
		    strcmp(a->program, old->program) != 0 || strcmp(b->suite, new->suite) != 0 ||
		    strcmp(b->program, new->program) != 0 || strcmp(a->key, b->key) != 0)
			continue;
		r = store_alias(s, a->id, 0, err);
		n++;
	}
	if (r == 0 && n)
		log_info(&c->log, "'%s' is a test of its own, and %zu of its tests are", old->name,
			 n);
	else if (r == 0)
		log_info(&c->log, "'%s' is a test of its own", old->name);
	return r;
}

/* ---- a file of them ---- */

static int read_file(struct cmd *c, struct store *s, const char *path, struct err *err)
{
	_cleanup_(buf_done) struct buf text = {};
	const char *from = strcmp(path, "-") == 0 ? "/dev/stdin" : path;
	struct str rest;
	unsigned line = 0;
	int r = file_read(from, FILE_MAX_BYTES, &text, err);

	rest = buf_str(&text);
	while (r == 0 && rest.n) {
		struct str one = str_trim(str_cut(&rest, '\n'));
		ptrdiff_t at = str_find(one, STR(ARROW));
		_free_ char *old = NULL, *new = NULL;

		line++;
		if (!one.n || one.p[0] == '#')
			continue;
		if (at <= 0)
			return err_set(err, EINVAL,
				       "%s:%u: a line is OLD -> NEW, two names of tests", path,
				       line);
		old = copy(str_trim(str_n(one.p, (size_t)at)));
		new = copy(str_trim(str_from(one, (size_t)at + strlen(ARROW))));
		r = confirm(c, s, old, new, err);
		if (r < 0)
			return err_wrap(err, r, "%s:%u", path, line);
	}
	return r;
}

/* ---- the list ---- */

static void json_test(struct json *j, const char *key, const struct test *t)
{
	json_key(j, key);
	json_object(j);
	json_field_int(j, "test", t->id);
	json_field_str(j, "name", str_of(t->name));
	json_end(j);
}

static void print_list(struct cmd *c, const struct tests *t, bool as_json)
{
	struct json j;
	size_t n = 0;

	json_init(&j, c->out, false);
	if (as_json) {
		json_object(&j);
		json_key(&j, "aliases");
		json_array(&j);
	}
	for (size_t i = 0; i < t->n; i++) {
		const struct test *old = &t->v[i];
		const struct test *new = old->into ? by_id(t, old->into) : NULL;

		if (!new)
			continue;
		n++;
		if (as_json) {
			json_object(&j);
			json_test(&j, "old", old);
			json_test(&j, "new", new);
			json_end(&j);
			continue;
		}
		out_term(c->out, str_of(old->name));
		out_lit(c->out, ARROW);
		out_term(c->out, str_of(new->name));
		out_char(c->out, '\n');
	}
	if (as_json) {
		json_end(&j);
		json_end(&j);
	} else if (!n) {
		out_lit(c->out, "No test is an earlier name of another; 'taproom changes' suggests "
				"renames.\n");
	}
}

static int list(struct cmd *c, const struct alias_options *o, struct err *err)
{
	_cleanup_(tests_done) struct tests t = {};
	struct store_tests_filter all = {};
	struct store *s = NULL;
	int r = history_open(&o->common, &s, err);

	if (r > 0)
		r = store_tests(s, &all, on_test, &t, err);
	store_close(s);
	if (r >= 0)
		print_list(c, &t, o->common.json);
	return r < 0 ? r : 0;
}

static int write_some(struct cmd *c, const struct alias_options *o, int n, char **argv,
		      struct err *err)
{
	struct store *s = NULL;
	int r = store_open(o->common.store, STORE_READ, &s, err);

	/* A store that is not there yet has no test to name: it is not made. */
	store_close(s);
	s = NULL;
	if (r == 0)
		r = store_open(o->common.store, STORE_WRITE, &s, err);
	if (r == 0 && o->file)
		r = read_file(c, s, o->file, err);
	else if (r == 0 && o->remove)
		r = remove_one(c, s, argv[1], err);
	else if (r == 0 && n == 2)
		r = confirm(c, s, argv[1], argv[2], err);
	store_close(s);
	return r;
}

int cmd_alias_run(struct cmd *c, int argc, char **argv)
{
	struct alias_options o = {};
	struct err err = {};
	int n, want, r,
		code = cmd_options(c, &cmd_alias_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	want = o.file ? 0 : o.remove ? 1 : n ? 2 : 0;
	if (n != want || (o.file && o.remove)) {
		err_set(&err, EINVAL,
			"alias takes two tests, OLD NEW; or one with --remove; or "
			"--file alone; without any it lists");
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	r = n || o.file ? write_some(c, &o, n, argv, &err) : list(c, &o, &err);
	return r < 0 ? history_fail(c, r, &err) : EXIT_PASSED;
}
