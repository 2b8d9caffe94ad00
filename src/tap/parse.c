/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader: bytes to lines, lines to what they mean where they stand. Most
 * lines of a log are none of ours: one look at the first byte tells, so they
 * cost a memchr(). A line that is whole in the input is read in place.
 */
#include "tap/parse.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tap/block.h"

#define MISSING_MAX 65536 /* results implied by plans, in one stream */
#define PART        16384 /* bytes that are looked over at once: less than the first cache */

/* What was told until now is what this TAP says again; another one does not. */
static void tap_begins(struct tap_parser *p, struct lex_place at)
{
	if (!lex_same(at, p->told.at))
		return;
	if (!p->hears)
		told_begin(&p->told, at, p->sum.lines);
	p->hears = false;
}

static void on_header(struct tap_parser *p, const struct lex_line *l)
{
	unsigned k = block_around(p, l->at);

	if (lex_same(p->blocks[k].at, l->at)) {
		if (k)
			block_close_above(p, k, CLOSE_LOST);
		block_new_document(p, k);
	} else {
		block_close_above(p, k, CLOSE_LOST);
		k = block_open(p, l->at);
		if (!k)
			return;
	}
	tap_begins(p, l->at);
	p->blocks[k].announced = true;
	p->blocks[k].escapes = l->escapes;
}

/* "# Subtest: x" may name the block it stands in, or the one that follows. */
static unsigned settle_name(struct tap_parser *p, unsigned k, struct str result)
{
	struct block *b = &p->blocks[k];
	struct str name = str_n(b->pending.text, b->pending.n);

	if (!k || !b->pending.set || !lex_same(b->pending.at, b->at) || b->count || b->planned)
		return k;
	b->pending.set = false;
	if (str_starts(str_trim(result), name))
		return k;
	if (b->named && !str_eq(name, str_n(b->name.text, b->name.printed))) {
		/* The last one's result line was lost. */
		p->blocks[k - 1].pending = b->pending;
		p->blocks[k - 1].pending.set = true;
		block_close_above(p, k - 1, CLOSE_LOST);
		return block_open(p, b->at);
	}
	block_rename(p, k, name);
	return k;
}

static void set_plan(struct tap_parser *p, unsigned k, const struct lex_line *l)
{
	struct block *b = &p->blocks[k];
	struct str reason = lex_skip_reason(l->text);

	if (l->too_large)
		block_problem(p, PROBLEM_TOO_MANY, p->sum.lines,
			      "a plan that no counter holds");
	b->announced = b->planned = true;
	b->plan = l->plan;
	b->plan_line = p->sum.lines;
	b->skip_reason = str_n(b->skip_room, reason.n < sizeof(b->skip_room) ?
						     reason.n : sizeof(b->skip_room));
	memcpy(b->skip_room, reason.p, b->skip_reason.n);
	p->sum.any_plan |= k == 0;
}

static void on_plan(struct tap_parser *p, const struct lex_line *l)
{
	unsigned k = block_around(p, l->at);
	struct block *b = &p->blocks[k];

	if (!lex_same(b->at, l->at)) {
		if (k + 1 < p->n && lex_within(p->blocks[k + 1].at, l->at))
			return; /* between two levels: of none */
		block_close_above(p, k, CLOSE_LOST);
		k = block_open(p, l->at);
	} else if (k + 1 == p->n) {
		k = settle_name(p, k, STR(""));
	}
	b = &p->blocks[k];
	if (!k && l->at.comments + l->at.indent)
		return; /* too deep */
	if (b->planned && (b->count < b->plan || b->plan == l->plan)) {
		block_problem(p, PROBLEM_BAD_SYNTAX, p->sum.lines, "a second plan");
		return;
	}
	if (b->planned) /* a program without a header follows another */
		block_new_document(p, k);
	set_plan(p, k, l);
}

/*
 * In comments, and deeper than what is open, sentences begin with "ok" too:
 * there only a number, or a block that goes without, makes it a result.
 */
static bool is_result(const struct tap_parser *p, unsigned k, const struct lex_line *l)
{
	const struct block *b = &p->blocks[k];

	if (l->number >= 0)
		return true;
	if (!lex_same(b->at, l->at))
		return b->pending.set && lex_within(l->at, b->pending.at) && !l->at.comments;
	return !l->at.comments || (b->announced && !b->numbered);
}

/* A script that was killed has told results, and printed no TAP. */
static void told_instead(struct tap_parser *p, unsigned k, const struct lex_line *l)
{
	const struct block_pending *pending = &p->blocks[k].pending;
	struct lex_result lex;

	if (!p->hears || !p->told.marked || k + 1 != p->n || !pending->set)
		return;
	lex_result(l->text, l->ok, p->blocks[k].escapes, p->has, &p->room, &lex);
	if (str_starts(lex.name, str_n(pending->text, pending->n)))
		block_use_told(p, lex.status, lex.reason);
}

static void on_result(struct tap_parser *p, const struct lex_line *l)
{
	unsigned k = block_around(p, l->at);
	bool here = lex_same(p->blocks[k].at, l->at), children = false;

	if (!is_result(p, k, l))
		return;
	/* Between two levels: it can only be the deeper one's parent. */
	here |= k + 1 < p->n && lex_within(p->blocks[k + 1].at, l->at);
	if (here && !l->ok)
		told_instead(p, k, l);
	if (here) {
		children = k + 1 < p->n;
		block_close_above(p, k, CLOSE_MATCHED);
		if (!children)
			k = settle_name(p, k, l->text);
		p->blocks[k].pending.set = false;
	} else {
		block_close_above(p, k, CLOSE_LOST);
		k = block_open(p, l->at);
		if (!k)
			k = p->n - 1; /* too deep: where there is a place for it */
	}
	block_result(p, k, l, children);
	p->hears &= !lex_within(l->at, p->told.at);
	p->after_result = true;
	p->yaml_of = l->at;
}

static void on_name(struct tap_parser *p, const struct lex_line *l)
{
	unsigned k = block_around(p, l->at);
	struct block_pending *pending = &p->blocks[k].pending;
	struct str name = str_trim(p->has.bracket ? lex_cut_printk(l->text) : l->text);

	if (!name.n)
		return;
	/* Who announces the next one is done with the last. */
	block_close_above(p, k, CLOSE_LOST);
	if (pending->set && lex_within(l->at, pending->at) && !lex_same(l->at, pending->at)) {
		/* A name inside of what was named: its first line. */
		k = block_open(p, l->at);
		pending = &p->blocks[k].pending;
	}
	told_begin(&p->told, (struct lex_place){ l->at.comments + 1, l->at.indent }, p->sum.lines);
	p->hears = true;
	pending->set = true;
	pending->at = l->at;
	name = block_name_cut(name);
	pending->n = name.n;
	memcpy(pending->text, name.p, name.n);
}

static void on_bail(struct tap_parser *p, const struct lex_line *l)
{
	size_t n = l->text.n < TAP_NAME_MAX ? l->text.n : TAP_NAME_MAX;

	block_problem(p, PROBLEM_BAIL_OUT, p->sum.lines, "Bail out!%s%.*s", n ? " " : "",
		      (int)n, l->text.p);
	p->sum.bailed_out = true;
}

static void on_death(struct tap_parser *p, const struct lex_line *l)
{
	if (block_inside(p) || block_owes(p))
		block_end_all(p, CLOSE_CRASH, true);
}

static void on_degraded(struct tap_parser *p, const struct lex_line *l)
{
	if (p->degraded >> l->row & 1)
		return;
	p->degraded |= 1u << l->row;
	block_problem(p, PROBLEM_DEGRADED, p->sum.lines, "%s",
		      LEX_DEGRADED_ROWS[l->row].message);
}

static void (*const ON_LINE[])(struct tap_parser *p, const struct lex_line *l) = {
	[LEX_HEADER] = on_header, [LEX_PLAN] = on_plan,	  [LEX_RESULT] = on_result,
	[LEX_BAIL] = on_bail,	  [LEX_NAME] = on_name,	  [LEX_PANIC] = on_death,
	[LEX_REBOOT] = on_death,  [LEX_DEGRADED] = on_degraded,
};

/* Inside a YAML block: is it over? Nothing in it is ever a result. */
static bool yaml_ends(struct tap_parser *p, const struct lex_line *l)
{
	bool inside = l->at.comments == p->yaml_of.comments && l->at.indent > p->yaml_of.indent;

	switch (l->kind) {
	case LEX_YAML_END:
		p->yaml = !inside;
		return false;
	case LEX_PANIC:
	case LEX_REBOOT:
		break;
	case LEX_HEADER:
	case LEX_PLAN:
	case LEX_RESULT:
	case LEX_BAIL:
	case LEX_NAME:
		if (!inside)
			break;
		return false;
	default:
		return false;
	}
	block_problem(p, PROBLEM_BAD_SYNTAX, p->sum.lines, "a YAML block without its end");
	p->yaml = false;
	return true;
}

static void on_candidate(struct tap_parser *p, struct str line, bool too_long)
{
	bool after = p->after_result;
	struct lex_line l;

	if (p->sum.lines == 1 && str_starts(line, STR("\xef\xbb\xbf")))
		line = str_from(line, 3);
	lex_classify(p->has.junk ? lex_clean(line, p->clean) : lex_chomp(line), &l);
	if (p->yaml && !yaml_ends(p, &l))
		return;
	if (l.printk && l.kind == LEX_OTHER)
		return; /* between two lines of ours */
	p->after_result = false;
	if (p->hears && (l.kind == LEX_NUMBERED ||
			 (l.kind == LEX_OTHER && p->told.n && p->has.bracket)))
		told_note(&p->told, &l, p->sum.lines);
	if (l.kind == LEX_YAML_BEGIN && after && l.at.comments == p->yaml_of.comments &&
	    l.at.indent > p->yaml_of.indent) {
		p->yaml = true;
		return;
	}
	if (l.kind >= sizeof(ON_LINE) / sizeof(ON_LINE[0]) || !ON_LINE[l.kind])
		return;
	if (too_long)
		block_problem(p, PROBLEM_LONG_LINE, p->sum.lines,
			      "longer than %d bytes: the rest is not looked at", TAP_LINE_MAX);
	ON_LINE[l.kind](p, &l);
}

static void on_line(void *ctx, struct str line, bool too_long)
{
	struct tap_parser *p = ctx;

	p->sum.lines++;
	if (line.n && LEX_FIRST[(unsigned char)line.p[0]])
		on_candidate(p, line, too_long);
	else
		p->after_result = false;
}

void tap_parse(struct tap_parser *p, const char *bytes, size_t n)
{
	while (n) {
		size_t part = n < PART ? n : PART;
		struct scan_has has = scan_look(bytes, part);

		p->has.junk |= has.junk;
		p->has.bracket |= has.bracket;
		lines_feed(&p->lines, bytes, part, on_line, p);
		if (!p->lines.open)
			p->has = (struct scan_has){};
		else if (memrchr(bytes, '\n', part))
			p->has = has; /* the open line began in here */
		bytes += part;
		n -= part;
	}
}

void tap_parse_end(struct tap_parser *p, enum tap_end how, struct tap_summary *ret)
{
	static const enum block_close CLOSE[] = {
		[TAP_END_CLEAN] = CLOSE_CUT, [TAP_END_CUT] = CLOSE_CUT,
		[TAP_END_CRASH] = CLOSE_CRASH,
	};
	const struct block *root = &p->blocks[0];
	bool cut;

	/* Half a line says nothing when the writer was killed: "ok 1" of "ok 12". */
	if (how == TAP_END_CLEAN)
		lines_end(&p->lines, on_line, p);
	else
		p->sum.lines += p->lines.open;
	cut = p->yaml || block_inside(p);
	cut |= how != TAP_END_CLEAN && p->hears && p->told.marked;
	if (how != TAP_END_CLEAN && (root->announced || root->count))
		cut |= !root->planned || block_owes(p);
	block_end_all(p, CLOSE[how], cut);
	*ret = p->sum;
}

struct tap_parser *tap_parser_new(const struct tap_options *opt, struct event_sink sink)
{
	struct tap_parser *p = xcalloc(1, sizeof(*p));

	p->opt = *opt;
	p->sink = sink;
	p->n = 1;
	p->blocks[0].next = 1;
	p->hears = true;
	p->missing_left = MISSING_MAX;
	return p;
}

struct tap_parser *tap_parser_free(struct tap_parser *p)
{
	if (p) {
		block_done(p);
		free(p);
	}
	return NULL;
}
