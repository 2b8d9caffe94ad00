/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/hold.h"

#include "base/mem.h"

#define NO_RECORD ((size_t)-1)

/* Followed by name, key and reason (a problem: its message as the name). */
struct hold_record {
	size_t before, next; /* offsets in the buffer */
	size_t parent;       /* offset; NO_RECORD: above what is held */
	bool problem;
	enum problem what;
	struct hold_result h;
	size_t name_n, key_n, reason_n;
};

static struct hold_record *at(struct hold *h, size_t offset)
{
	return (void *)(h->bytes.p + offset);
}

static void append(struct hold *h, struct hold_record *rec, struct str name, struct str key,
		   struct str reason)
{
	static const char pad[16];
	size_t offset = h->bytes.n, total;

	h->bytes.max = 2 * HOLD_MAX;
	rec->name_n = name.n;
	rec->key_n = key.n;
	rec->reason_n = reason.n;
	total = sizeof(*rec) + name.n + key.n + reason.n;
	rec->before = h->any ? h->last : NO_RECORD;
	rec->next = offset + (total + 15) / 16 * 16;
	rec->parent = NO_RECORD;
	buf_add(&h->bytes, rec, sizeof(*rec));
	buf_add_str(&h->bytes, name);
	buf_add_str(&h->bytes, key);
	buf_add_str(&h->bytes, reason);
	buf_add(&h->bytes, pad, rec->next - h->bytes.n);
	h->last = offset;
	h->any = true;
}

void hold_done(struct hold *h)
{
	buf_done(&h->bytes);
}

void hold_result(struct hold *h, const struct hold_result *r)
{
	struct hold_record rec = { .h = *r };

	append(h, &rec, r->name, r->key, r->r.reason);
}

void hold_problem(struct hold *h, const struct event_problem *p)
{
	struct hold_record rec = { .problem = true, .what = p->what };

	rec.h.r.line = p->line;
	append(h, &rec, p->message, STR(""), STR(""));
}

/* A record's parent is the nearest one after it that stands one level up. */
static void find_parents(struct hold *h)
{
	size_t nearest[TAP_DEPTH_MAX + 1];

	for (unsigned i = 0; i <= TAP_DEPTH_MAX; i++)
		nearest[i] = NO_RECORD;
	for (size_t o = h->last; o != NO_RECORD; o = at(h, o)->before) {
		struct hold_record *rec = at(h, o);
		unsigned level = rec->h.level;

		if (rec->problem)
			continue;
		rec->parent = level ? nearest[level - 1] : NO_RECORD;
		nearest[level] = o;
		/* What is deeper and earlier belongs to this one. */
		for (unsigned i = level + 1; i <= TAP_DEPTH_MAX; i++)
			nearest[i] = NO_RECORD;
	}
}

static void say_result(struct hold *h, struct hold_record *rec, const struct hold_reader *to)
{
	struct str path[TAP_DEPTH_MAX + 1], keys[TAP_DEPTH_MAX + 1];
	unsigned n = TAP_DEPTH_MAX + 1, first = rec->h.level;

	if (rec->h.elided || rec->h.silent)
		return;
	for (struct hold_record *up = rec;; up = at(h, up->parent)) {
		const char *text = (const char *)(up + 1);

		first = up->h.level;
		if (!up->h.elided) {
			n--;
			path[n] = str_n(text, up->name_n);
			keys[n] = str_n(text + up->name_n, up->key_n);
		}
		if (up->parent == NO_RECORD)
			break;
	}
	rec->h.name = path[TAP_DEPTH_MAX];
	rec->h.key = keys[TAP_DEPTH_MAX];
	rec->h.r.reason = str_n((const char *)(rec + 1) + rec->name_n + rec->key_n,
				rec->reason_n);
	to->result(to->ctx, &rec->h, first, path + n, keys + n, TAP_DEPTH_MAX + 1 - n);
}

void hold_release(struct hold *h, const struct hold_reader *to)
{
	if (!h->any)
		return;
	find_parents(h);
	for (size_t o = 0; o < h->bytes.n; o = at(h, o)->next) {
		struct hold_record *rec = at(h, o);

		if (rec->problem)
			to->problem(to->ctx, &(struct event_problem){
				.what = rec->what,
				.line = rec->h.r.line,
				.message = str_n((const char *)(rec + 1), rec->name_n),
			});
		else
			say_result(h, rec, to);
	}
	buf_clear(&h->bytes);
	h->any = false;
}
