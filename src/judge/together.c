/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge/together.h"

#include "base/mem.h"
#include "base/shell-word.h"
#include "judge/words.h"

static bool is_presence(const struct judge_event *e)
{
	return e->what == JUDGE_NEW || e->what == JUDGE_VANISHED ||
	       e->what == JUDGE_DID_NOT_RUN;
}

static bool same_lane(const struct judge_event *a, const struct judge_event *b)
{
	return str_eq(a->series->lane->suite, b->series->lane->suite) &&
	       str_eq(a->series->lane->program, b->series->lane->program);
}

/* Tests of a program that came or went in one run, on any axis; one rename. */
static bool is_together(const struct judge_event *a, const struct judge_event *b)
{
	if (a->what != b->what || a->ms != b->ms || !a->series || !b->series)
		return false;
	if (a->what == JUDGE_RENAMED)
		return a->series->id == b->series->id && a->came->id == b->came->id;
	/* Skips: one cause, on one axis, as they have rates. */
	if (a->what == JUDGE_SKIPS)
		return a->suspect == b->suspect && a->axis == b->axis && same_lane(a, b);
	if (!is_presence(a) || a->series->whole != b->series->whole)
		return false;
	return a->series->whole ? a->series->id == b->series->id : same_lane(a, b);
}

struct judge_group judge_group_next(const struct judge_events *e, size_t from)
{
	struct judge_group g = { &e->v[from], 1 };

	while (from + g.n < e->n && is_together(&e->v[from], &e->v[from + g.n]))
		g.n++;
	return g;
}

void judge_rename_command(const struct judge_event *e, struct buf *b)
{
	_cleanup_(buf_done) struct buf old = {}, new = {};

	judge_name(&old, e->series);
	judge_name(&new, e->came);
	buf_add_str(b, STR("taproom alias "));
	buf_add(&old, "", 1);
	shell_word(b, old.p);
	buf_add_str(b, STR(" "));
	buf_add(&new, "", 1);
	shell_word(b, new.p);
}
