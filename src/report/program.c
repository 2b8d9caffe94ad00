/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/mem.h"
#include "report/formats.h"

struct report_program *report_program_of(struct report_programs *ps, const struct event *ev)
{
	struct report_program *p;

	for (unsigned i = 0; i < ps->n; i++)
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
	free(p);
}

void report_program_end(struct report_programs *ps, struct report_program *p)
{
	for (unsigned i = 0; i < ps->n; i++) {
		if (ps->v[i] != p)
			continue;
		memmove(ps->v + i, ps->v + i + 1, (ps->n - i - 1) * sizeof(*ps->v));
		ps->n--;
		break;
	}
	program_free(p);
}

void report_programs_done(struct report_programs *ps)
{
	for (unsigned i = 0; i < ps->n; i++)
		program_free(ps->v[i]);
	free(ps->v);
	*ps = (struct report_programs){};
}
