/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/mem.h"
#include "report/formats.h"

struct report_program *report_program_of(struct report_programs *ps, const struct event *ev)
{
	struct report_program *p;

	for (unsigned i = ps->n; i-- > 0;)
		if (ps->v[i]->id == ev->program)
			return ps->v[i];
	p = xcalloc(1, sizeof(*p));
	p->id = ev->program;
	p->job = ev->job;
	ARRAY_GROW(ps->v, ps->n, ps->cap);
	ps->v[ps->n++] = p;
	return p;
}

struct report_program *report_program_begin(struct report_programs *ps, const struct event *ev)
{
	struct report_program *p = report_program_of(ps, ev);

	p->begun = true;
	buf_add_str(&p->suite, ev->prog->suite);
	buf_add_str(&p->name, ev->prog->name);
	p->attempt = ev->prog->attempt;
	p->begin_ms = ev->prog->time_ms;
	return p;
}

static void program_free(struct report_program *p)
{
	buf_done(&p->suite);
	buf_done(&p->name);
	buf_done(&p->text);
	buf_done(&p->more);
	buf_done(&p->last);
	free(p);
}

void report_program_end(struct report_program *p)
{
	buf_done(&p->text);
	buf_done(&p->more);
	buf_done(&p->last);
	p->n_same = 0;
	memset(p->counts, 0, sizeof(p->counts));
	p->n = p->n_more = p->hidden = 0;
	p->any_bad = false;
	p->ended = true;
}

void report_programs_done(struct report_programs *ps)
{
	for (unsigned i = 0; i < ps->n; i++)
		program_free(ps->v[i]);
	free(ps->v);
	*ps = (struct report_programs){};
}

void report_excuse(struct buf *b, const char *word, const struct event_excuse *e)
{
	buf_printf(b, "%s: %.*s", word, STR_FMT(e->reason));
	if (e->owner.n || e->until.n)
		buf_printf(b, " (%.*s%s%s%.*s)", STR_FMT(e->owner),
			   e->owner.n && e->until.n ? ", " : "", e->until.n ? "until " : "",
			   STR_FMT(e->until));
	if (e->link.n)
		buf_printf(b, " %.*s", STR_FMT(e->link));
}
