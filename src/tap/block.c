/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/block.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"

static void set_seen(struct block *b, uint64_t number)
{
	if (number < BLOCK_SEEN)
		b->seen[number / 64] |= (uint64_t)1 << (number % 64);
}

static bool was_seen(const struct block *b, uint64_t number)
{
	return number < BLOCK_SEEN ? b->seen[number / 64] >> (number % 64) & 1
				   : number < b->next;
}

static void count(struct tap_parser *p, unsigned k, enum status status)
{
	struct block *b = &p->blocks[k];

	b->count++;
	b->any = true;
	b->worst = status_worst(b->worst, status);
}

/* A result without a line of its own. */
static void imply(struct tap_parser *p, unsigned k, struct block_name *name, enum status status,
		  bool leaf, struct str reason)
{
	struct block *b = &p->blocks[k];
	struct event_result r = {
		.status = status,
		.leaf = leaf,
		.implied = true,
		.number = -1,
		.line = p->sum.lines,
		.line_from = b->last_line + 1 < p->sum.lines ? b->last_line + 1 : p->sum.lines,
		.duration_ms = -1,
		.exit_code = -1,
		.reason = reason,
	};

	r.line_to = r.line;
	set_seen(b, b->next++);
	count(p, k, status);
	block_say(p, k, name, &r);
}

static void say_missing(struct tap_parser *p, unsigned k, uint64_t number)
{
	struct event_result r = {
		.status = STATUS_MISSING,
		.leaf = true,
		.implied = true,
		.number = (int64_t)number,
		.duration_ms = -1,
		.exit_code = -1,
	};
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	block_name_set(p, &p->own, k, str_of(text));
	count(p, k, STATUS_MISSING);
	block_say(p, k, &p->own, &r);
}

/* The plan against what came. */
static void document_end(struct tap_parser *p, unsigned k)
{
	struct block *b = &p->blocks[k];
	uint64_t owed = b->planned && b->plan > b->count ? b->plan - b->count : 0;

	if (k == 0 && b->planned && b->plan == 0 && !b->any)
		p->sum.skip_all = true;
	if (!b->planned || b->plan == b->count)
		return;
	p->sum.plan_broken = true;
	block_problem(p, PROBLEM_PLAN_MISMATCH, b->plan_line,
		      "%" PRIu64 " planned, %" PRIu64 " seen", b->plan, b->count);
	if (owed > p->missing_left) {
		block_problem(p, PROBLEM_TOO_MANY, b->plan_line,
			      "%" PRIu64 " more are missing than are listed",
			      owed - p->missing_left);
		owed = p->missing_left;
	}
	p->missing_left -= owed;
	for (uint64_t n = 1; owed; n++) {
		if (n >= BLOCK_SEEN && n < b->next)
			n = b->next; /* all below count as seen: they can be very many */
		if (was_seen(b, n))
			continue;
		say_missing(p, k, n);
		owed--;
	}
}

static void document_begin(struct block *b)
{
	b->announced = b->planned = b->numbered = b->escapes = false;
	b->plan = b->plan_line = b->count = b->last.n = 0;
	b->next = 1;
	b->skip_reason = STR("");
	memset(b->seen, 0, sizeof(b->seen));
}

void block_new_document(struct tap_parser *p, unsigned k)
{
	if (k == 0) {
		block_end_all(p, CLOSE_CUT, block_inside(p));
		return;
	}
	document_end(p, k);
	document_begin(&p->blocks[k]);
}

unsigned block_around(const struct tap_parser *p, struct lex_place at)
{
	unsigned k = p->n - 1;

	while (k && !lex_within(at, p->blocks[k].at))
		k--;
	return k;
}

/* Where the stream can't be held longer, numbers stand for the names. */
static void name_all(struct tap_parser *p)
{
	char text[24];

	block_problem(p, PROBLEM_TOO_MANY, p->sum.lines,
		      "too many results before the line that names their parent");
	for (unsigned k = 1; k < p->n; k++) {
		if (p->blocks[k].named)
			continue;
		snprintf(text, sizeof(text), "%" PRIu64, p->blocks[k - 1].count + 1);
		block_name_set(p, &p->blocks[k].name, k - 1, str_of(text));
		p->blocks[k].named = true;
	}
	p->unnamed = 0;
	block_release(p);
}

unsigned block_open(struct tap_parser *p, struct lex_place at)
{
	struct block *up = &p->blocks[p->n - 1], *b = up + 1;

	if (p->n > TAP_DEPTH_MAX) {
		if (!p->depth_told)
			block_problem(p, PROBLEM_TOO_MANY, p->sum.lines,
				      "more than %d blocks inside each other", TAP_DEPTH_MAX);
		p->depth_told = true;
		return 0;
	}
	document_begin(b);
	b->names_mark = p->names.n;
	b->keys_mark = p->keys.n;
	b->at = at;
	b->last_line = up->last_line;
	b->worst = STATUS_SKIP;
	b->any = b->named = b->adopted = b->told = b->pending.set = false;
	b->escapes = up->escapes; /* until a header says otherwise */
	p->n++;
	p->unnamed++;
	if (up->pending.set && lex_within(at, up->pending.at)) {
		up->pending.set = false;
		block_rename(p, p->n - 1, str_n(up->pending.text, up->pending.n));
	} else if (up->planned && up->count >= up->plan && up->last.n) {
		/* All that was planned is there: who speaks now is the last one. */
		block_problem(p, PROBLEM_BAD_SYNTAX, p->sum.lines,
			      "subtests after the result of '%.*s'", (int)up->last.n,
			      up->last.text);
		block_name_copy(&b->name, &up->last);
		b->named = b->adopted = true;
		p->unnamed--;
	}
	return p->n - 1;
}

void block_rename(struct tap_parser *p, unsigned k, struct str name)
{
	struct block *b = &p->blocks[k];

	assert(k);
	if (b->named)
		return;
	block_name_set(p, &b->name, k - 1, name);
	b->named = true;
	p->unnamed--;
	if (!p->unnamed)
		block_release(p);
}

static const struct close_row {
	enum status status;
	struct str reason;
} CLOSES[] = {
	[CLOSE_LOST] = { STATUS_MISSING, STR("no result line") },
	[CLOSE_CUT] = { STATUS_ERROR, STR("the log ends inside it") },
	[CLOSE_CRASH] = { STATUS_CRASH, STR("the machine died during it") },
};

/* Announced, and nothing of it came but perhaps plain lines. */
static void pending_end(struct tap_parser *p, unsigned k, enum block_close how)
{
	struct block *b = &p->blocks[k];

	if (!b->pending.set)
		return;
	b->pending.set = false;
	if (how != CLOSE_CUT && how != CLOSE_CRASH)
		return;
	block_name_set(p, &p->own, k, str_n(b->pending.text, b->pending.n));
	imply(p, k, &p->own, CLOSES[how].status, true, CLOSES[how].reason);
}

static void close_top(struct tap_parser *p, enum block_close how)
{
	unsigned k = p->n - 1;
	struct block *b = &p->blocks[k], *up = b - 1;
	enum status status = CLOSES[how].status;

	pending_end(p, k, how);
	document_end(p, k);
	names_leave(&p->names, b->names_mark, k);
	names_leave(&p->keys, b->keys_mark, k);
	p->n--;
	p->unnamed -= !b->named;
	if (b->adopted && p->hold.any) {
		/* Its parent was said before it. */
		hold_result(&p->hold, &(struct hold_result){
			.level = k - 1, .silent = true,
			.name = str_n(b->name.text, b->name.n),
			.key = buf_str(&b->name.key) });
		if (!p->unnamed)
			block_release(p);
	}
	if (how == CLOSE_MATCHED || b->adopted)
		return;
	if (!b->named && !up->announced && !up->count) {
		/* All of the stream is indented or commented: no level at all. */
		up->worst = status_worst(up->worst, b->worst);
		if (p->hold.any)
			hold_result(&p->hold, &(struct hold_result){ .level = k - 1,
								     .elided = true });
		if (!p->unnamed)
			block_release(p);
		return;
	}
	if (!b->named) {
		char text[24];

		snprintf(text, sizeof(text), "%" PRIu64, up->next);
		block_name_set(p, &b->name, k - 1, str_of(text));
	}
	imply(p, k - 1, &b->name, status_worst(status, b->worst), !b->any, CLOSES[how].reason);
}

void block_close_above(struct tap_parser *p, unsigned k, enum block_close how)
{
	while (p->n - 1 > k)
		close_top(p, p->n - 2 > k && how == CLOSE_MATCHED ? CLOSE_LOST : how);
}

bool block_inside(const struct tap_parser *p)
{
	for (unsigned k = 1; k < p->n; k++)
		if (!p->blocks[k].adopted && (p->blocks[k].named || p->blocks[k - 1].announced))
			return true;
	return p->blocks[0].pending.set;
}

bool block_owes(const struct tap_parser *p)
{
	return p->blocks[0].planned && p->blocks[0].count < p->blocks[0].plan;
}

static void say_truncated(struct tap_parser *p, enum block_close how)
{
	const struct block *b = &p->blocks[p->n - 1];
	const char *what = how == CLOSE_CRASH ? "the machine died" : "the log ends";
	struct str name = b->pending.set ? str_n(b->pending.text, b->pending.n)
			  : b->named	 ? str_n(b->name.text, b->name.n)
					 : STR("");

	p->sum.truncated = true;
	if (name.n)
		block_problem(p, PROBLEM_TRUNCATED, p->sum.lines, "%s inside '%.*s'", what,
			      STR_FMT(name));
	else
		block_problem(p, PROBLEM_TRUNCATED, p->sum.lines, "%s before its tests do",
			      what);
}

static struct str script_name(struct str s)
{
	for (size_t i = s.n; i > 0; i--)
		if (s.p[i - 1] == ' ') {
			s = str_from(s, i);
			break;
		}
	return str_ends(s, STR(".sh")) ? str_n(s.p, s.n - 3) : s;
}

static void say_told(struct tap_parser *p, unsigned k, unsigned i, enum status status,
		     struct str reason)
{
	struct str script = script_name(k ? str_n(p->blocks[k].name.text, p->blocks[k].name.n)
					  : p->opt.name);
	const struct told_line *l = &p->told.v[i];
	struct str title = told_title(&p->told, l);
	bool running = told_runs(&p->told) && i + 1 == p->told.n;
	struct event_result r = {
		.status = running ? status : l->status,
		.leaf = true,
		.number = i + 1,
		.line = l->to,
		.line_from = l->from,
		.line_to = l->to,
		.duration_ms = l->duration_ms,
		.exit_code = -1,
		.reason = running ? reason : told_reason(&p->told, l),
	};
	char name[TAP_NAME_MAX];
	int n = snprintf(name, sizeof(name), "%.*s%s%.*s", STR_FMT(script),
			 script.n ? ": " : "", STR_FMT(title));

	block_name_set(p, &p->own, k, str_n(name, n < (int)sizeof(name) ? (size_t)n
									  : sizeof(name) - 1));
	set_seen(&p->blocks[k], p->blocks[k].next++);
	count(p, k, r.status);
	block_say(p, k, &p->own, &r);
}

void block_use_told(struct tap_parser *p, enum status status, struct str reason)
{
	unsigned k = p->n - 1;

	if (!p->hears || !p->told.marked)
		return;
	if (p->blocks[k].pending.set)
		k = block_open(p, p->told.at);
	else if (k || p->told.at.comments)
		return;
	p->hears = false;
	block_problem(p, PROBLEM_INCOMPLETE, p->sum.lines,
		      "it ended before its TAP: these are the results that it printed on the way");
	p->blocks[k].told = true;
	for (unsigned i = 0; i < p->told.n; i++)
		if (p->told.v[i].marked || i + 1 == p->told.n)
			say_told(p, k, i, status, reason);
}

void block_end_all(struct tap_parser *p, enum block_close how, bool truncated)
{
	if (how == CLOSE_CUT || how == CLOSE_CRASH)
		if (truncated)
			block_use_told(p, CLOSES[how].status, CLOSES[how].reason);
	if (truncated)
		say_truncated(p, how);
	block_close_above(p, 0, how);
	pending_end(p, 0, how);
	document_end(p, 0);
	document_begin(&p->blocks[0]);
}

/* A number that is not the next one. Nothing depends on it. */
static void check_number(struct tap_parser *p, struct block *b, int64_t number)
{
	if (number < 0) {
		set_seen(b, b->next++);
		return;
	}
	if ((uint64_t)number != b->next)
		block_problem(p, PROBLEM_NUMBERING, p->sum.lines,
			      "number %" PRId64 " where %" PRIu64 " was next", number, b->next);
	b->numbered = true;
	set_seen(b, (uint64_t)number);
	b->next = (uint64_t)number + 1;
}

/*
 * Is the block that just closed the one that this line is the result of? Its
 * own name says so; with another name only a line in sequence is.
 */
static bool is_result_of(struct tap_parser *p, unsigned k, const struct lex_line *l,
			 struct str name)
{
	struct block *child = &p->blocks[k + 1];

	if (!child->named)
		return true;
	if (child->adopted)
		return false;
	if (str_eq(block_name_cut(name), str_n(child->name.text, child->name.printed)))
		return true;
	if (l->number >= 0 && (uint64_t)l->number > p->blocks[k].next) {
		imply(p, k, &child->name, status_worst(STATUS_MISSING, child->worst),
		      !child->any, CLOSES[CLOSE_LOST].reason);
		return false;
	}
	block_problem(p, PROBLEM_BAD_SYNTAX, p->sum.lines, "'%.*s' ends the subtests of '%.*s'",
		      STR_FMT(name), (int)child->name.n, child->name.text);
	return true;
}

/* What the children say about their parent's result. */
static void merge(struct tap_parser *p, const struct block *child, struct event_result *r)
{
	bool bad = STATUS_INFO[r->status].bad;

	if (child->planned && child->plan == 0 && !child->any && r->status == STATUS_PASS) {
		r->status = STATUS_SKIP;
		if (!r->reason.n)
			r->reason = child->skip_reason;
	}
	if (!child->any)
		return;
	r->leaf = false;
	if (bad != STATUS_INFO[child->worst].bad && !child->told)
		block_problem(p, PROBLEM_STATUS_MISMATCH, p->sum.lines,
			      bad ? "not ok, but none of its subtests failed"
				  : "ok, but one of its subtests is: %s",
			      STATUS_INFO[child->worst].name);
	r->status = status_worst(r->status, child->worst);
}

void block_result(struct tap_parser *p, unsigned k, const struct lex_line *l, bool children)
{
	struct block *b = &p->blocks[k];
	struct block_name *name = &b->last;
	struct lex_result lex;
	struct event_result r = { .number = l->number, .line = p->sum.lines, .leaf = true };
	const struct told_line *told;
	bool named = false;
	char text[24];

	lex_result(l->text, l->ok, b->escapes, p->has, &p->room, &lex);
	if (!lex.name.n) {
		snprintf(text, sizeof(text), "%" PRIu64,
			 l->number >= 0 ? (uint64_t)l->number : b->next);
		lex.name = str_of(text);
	}
	r.status = lex.status;
	r.reason = lex.reason;
	r.duration_ms = lex.duration_ms;
	r.exit_code = lex.exit_code;
	r.line_from = b->last_line + 1;
	r.line_to = r.line;
	told = lex_same(p->told.at, b->at) ? told_find(&p->told, l->number, lex.name) : NULL;
	if (told) {
		r.line_from = told->from;
		r.line_to = told->to;
		if (!r.reason.n)
			r.reason = told_reason(&p->told, told);
	}
	if (children && is_result_of(p, k, l, lex.name)) {
		merge(p, &p->blocks[k + 1], &r);
		named = p->blocks[k + 1].named;
	}
	if (l->too_large)
		block_problem(p, PROBLEM_NUMBERING, p->sum.lines,
			      "a number that no counter holds");
	check_number(p, b, l->number);
	if (named)
		block_name_copy(name, &p->blocks[k + 1].name);
	else
		block_name_set(p, name, k, lex.name);
	count(p, k, r.status);
	b->last_line = p->sum.lines;
	block_say(p, k, name, &r);
	if (p->hold.bytes.n > HOLD_MAX)
		name_all(p);
}

void block_done(struct tap_parser *p)
{
	names_done(&p->names);
	names_done(&p->keys);
	for (unsigned k = 0; k <= TAP_DEPTH_MAX; k++) {
		buf_done(&p->blocks[k].name.key);
		buf_done(&p->blocks[k].last.key);
	}
	buf_done(&p->own.key);
	buf_done(&p->key);
	hold_done(&p->hold);
	told_done(&p->told);
}
