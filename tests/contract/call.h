/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Commands as they are typed, over a history of the test's own.
 */
#include "unit/store-place.h"
#include "base/proc.h"

struct world {
	struct place place;
	const char *taproom;
	struct buf out, err;
};

/* Runs "taproom WORDS... --store PATH"; words are cut at blanks. */
static inline int call(struct world *w, const char *line)
{
	_free_ char *words = xstrdup(line);
	const char *argv[32] = { w->taproom };
	struct proc_spec spec = { .argv = argv, .in = PROC_NULL };
	struct err err = {};
	size_t n = 1;
	int r;

	for (char *save, *s = strtok_r(words, " ", &save); s; s = strtok_r(NULL, " ", &save))
		argv[n++] = s;
	argv[n++] = "--store";
	argv[n] = w->place.path;
	buf_clear(&w->out);
	buf_clear(&w->err);
	r = proc_run(&spec, &w->out, &w->err, 20000, &err);
	if (r < 0)
		printf("# %s\n", err.text);
	buf_add(&w->out, "", 0);
	buf_add(&w->err, "", 0);
	return r;
}

struct row {
	const char *line;
	int code;
	const char *out, *err; /* has this; NULL: empty */
	const char *never;     /* has not this; NULL: anything */
};

static inline bool has(const struct buf *b, const char *want)
{
	return want ? str_find(buf_str(b), str_of(want)) >= 0 : b->n == 0;
}

static inline void comment(const char *name, const struct buf *b)
{
	for (struct str rest = buf_str(b); rest.n;) {
		struct str line = str_cut(&rest, '\n');

		printf("# %s: %.*s\n", name, STR_FMT(line));
	}
}

static inline void test_rows(struct tap *t, struct world *w, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		int code = call(w, r->line);

		if (ok(t, code == r->code && has(&w->out, r->out) && has(&w->err, r->err) &&
		       (!r->never || !has(&w->out, r->never)), "%s", r->line))
			continue;
		printf("# exit %d\n", code);
		comment("out", &w->out);
		comment("err", &w->err);
	}
}
