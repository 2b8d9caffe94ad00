/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What blocks say: results under their paths, problems, in the order of the lines. */
#include <stdarg.h>
#include <stdio.h>

#include "tap/block.h"

#define PROBLEMS_MAX 10000

static struct event event_of(const struct tap_parser *p, enum event_type type)
{
	return (struct event){ .type = type, .job = p->opt.job, .program = p->opt.program };
}

static void say_problem(void *ctx, const struct event_problem *problem)
{
	struct tap_parser *p = ctx;
	struct event ev = event_of(p, EVENT_PROBLEM);

	ev.problem = problem;
	event_emit(&p->sink, &ev);
}

void block_problem(struct tap_parser *p, enum problem what, uint64_t line, const char *fmt, ...)
{
	char text[TAP_NAME_MAX + 256];
	struct event_problem problem = { .what = what, .line = line };
	va_list ap;

	if (p->sum.problems++ >= PROBLEMS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	problem.message = str_of(text);
	if (p->sum.problems == PROBLEMS_MAX) {
		problem.what = PROBLEM_TOO_MANY;
		problem.message = STR("too many problems: the rest is only counted");
	}
	if (p->hold.any)
		hold_problem(&p->hold, &problem);
	else
		say_problem(p, &problem);
}

static void join_keys(struct tap_parser *p, unsigned first, const struct str *keys, unsigned n)
{
	buf_clear(&p->key);
	for (unsigned i = 1; i <= first; i++) {
		buf_add_str(&p->key, buf_str(&p->blocks[i].name.key));
		buf_add(&p->key, "/", 1);
	}
	for (unsigned i = 0; i < n; i++) {
		buf_add_str(&p->key, keys[i]);
		buf_add(&p->key, "/", i + 1 < n);
	}
}

/* The names above @first are the open blocks'. @r: but for its path and key. */
static void say(struct tap_parser *p, unsigned first, const struct str *path,
		const struct str *keys, unsigned n, struct event_result *r)
{
	struct str all[2 * TAP_DEPTH_MAX + 2];
	struct event ev = event_of(p, EVENT_RESULT);

	for (unsigned i = 0; i < first; i++)
		all[i] = str_n(p->blocks[i + 1].name.text, p->blocks[i + 1].name.n);
	memcpy(all + first, path, n * sizeof(*path));
	join_keys(p, first, keys, n);
	r->path = all;
	r->depth = first + n;
	r->key = buf_str(&p->key);
	ev.result = r;
	event_emit(&p->sink, &ev);
}

/* hold_reader.result */
static void say_held(void *ctx, const struct hold_result *h, unsigned first,
		     const struct str *path, const struct str *keys, unsigned n)
{
	struct event_result r = h->r;

	say(ctx, first, path, keys, n, &r);
}

void block_release(struct tap_parser *p)
{
	hold_release(&p->hold, &(struct hold_reader){ say_held, say_problem, p });
}

void block_say(struct tap_parser *p, unsigned k, const struct block_name *name,
	       struct event_result *r)
{
	struct str text = str_n(name->text, name->n), key = buf_str(&name->key);

	p->sum.results++;
	p->sum.counts[r->status] += r->leaf;
	p->sum.worst = status_worst(p->sum.worst, r->status);
	if (p->opt.only_count)
		return;
	r->ordinal = name->ordinal;
	if (!p->unnamed && !p->hold.any) {
		say(p, k, &text, &key, 1, r);
		return;
	}
	hold_result(&p->hold, &(struct hold_result){
		.level = k, .name = text, .key = key, .r = *r });
	if (!p->unnamed)
		block_release(p);
}

struct str block_name_cut(struct str s)
{
	size_t max = TAP_NAME_MAX;

	if (s.n <= max)
		return s;
	while (max > TAP_NAME_MAX - 4 && (s.p[max] & 0xc0) == 0x80)
		max--;
	return str_trim(str_n(s.p, max));
}

static void key_set(struct tap_parser *p, struct block_name *name, unsigned k,
		    struct str printed)
{
	uint32_t times;

	buf_clear(&name->key);
	tap_key_append(&name->key, printed);
	times = names_note(&p->keys, k, buf_str(&name->key));
	if (times > 1)
		buf_printf(&name->key, " #%u", times);
}

void block_name_set(struct tap_parser *p, struct block_name *name, unsigned k,
		    struct str printed)
{
	uint32_t times;

	printed = block_name_cut(printed);
	memcpy(name->text, printed.p ? printed.p : "", printed.n);
	name->n = name->printed = printed.n;
	printed.p = name->text;
	times = names_note(&p->names, k, printed);
	name->ordinal = times;
	while (name->ordinal > 1) {
		name->n = name->printed + (size_t)snprintf(name->text + name->printed,
					sizeof(name->text) - name->printed, " #%u",
					name->ordinal);
		if (names_note(&p->names, k, str_n(name->text, name->n)) == 1)
			break;
		name->ordinal++;
	}
	if (times > 1)
		block_problem(p, PROBLEM_DUPLICATE_NAME, p->sum.lines,
			      "'%.*s' is there %u times", STR_FMT(printed), times);
	if (p->names.full && !p->names_told) {
		p->names_told = true;
		block_problem(p, PROBLEM_TOO_MANY, p->sum.lines,
			      "more than %d names: further ones are not compared", NAMES_MAX);
	}
	if (!p->opt.only_count)
		key_set(p, name, k, printed);
}

void block_name_copy(struct block_name *to, const struct block_name *from)
{
	memcpy(to->text, from->text, from->n);
	to->n = from->n;
	to->printed = from->printed;
	to->ordinal = from->ordinal;
	buf_clear(&to->key);
	buf_add_str(&to->key, buf_str(&from->key));
}
