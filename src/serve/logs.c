/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/logs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"
#include "serve/range.h"

#define LOOKS_MAX 64 /* at readers, for one piece */

struct reader {
	struct reader *next, **at;  /* of .first */
	struct logs *logs;
	struct http_request *q;
	int64_t run;
	unsigned program, job;
	uint64_t from, end;         /* of the log: what is not read yet */
	size_t piece;               /* the last one; it counts until the next */
	size_t left;                /* of what was sent, when it was looked at */
	int64_t took_ms;            /* it was seen to take something */
};

struct logs {
	struct store *store;
	const struct log *log;
	struct reader *first, **last; /* who was seen to take something last is the last */
	struct logs_stats stats;
};

struct logs *logs_new(struct store *store, const struct log *log)
{
	struct logs *l = xcalloc(1, sizeof(*l));

	l->store = store;
	l->log = log;
	l->last = &l->first;
	return l;
}

struct logs *logs_free(struct logs *l)
{
	free(l);
	return NULL;
}

struct logs_stats logs_stats(const struct logs *l)
{
	return l->stats;
}

/* ---- who waits ---- */

static void take_out(struct reader *r)
{
	*r->at = r->next;
	if (r->next)
		r->next->at = r->at;
	else
		r->logs->last = r->at;
}

static void put_last(struct reader *r)
{
	r->next = NULL;
	r->at = r->logs->last;
	*r->at = r;
	r->logs->last = &r->next;
}

static void took(struct reader *r, int64_t now)
{
	r->took_ms = now;
	take_out(r);
	put_last(r);
}

static void reader_done(void *ctx)
{
	struct reader *r = ctx;

	take_out(r);
	r->logs->stats.readers--;
	r->logs->stats.bytes -= r->piece;
	free(r);
}

/* Closes the one that has taken nothing for the longest time; false: there is none that
 * has not for long enough. Who was seen last to take may have taken since. */
static bool close_one(struct logs *l, const struct reader *but)
{
	int64_t now = clock_mono_ms();

	for (unsigned i = 0; l->first && i < LOOKS_MAX; i++) {
		struct reader *r = l->first;
		size_t left;

		if (r == but || now - r->took_ms < LOGS_SILENT_MS)
			return false;
		left = http_stream_left(r->q);
		if (left >= r->left) {
			l->stats.closed++;
			http_stream_close(r->q); /* is done with it */
			return true;
		}
		r->left = left;
		took(r, now);
	}
	return false;
}

static size_t room(struct reader *r)
{
	struct logs *l = r->logs;

	while (l->stats.bytes + LOGS_PIECE > LOGS_BYTES && close_one(l, r))
		;
	return l->stats.bytes + LOGS_PIECE > LOGS_BYTES ? LOGS_PIECE_MIN : LOGS_PIECE;
}

static int reader_more(void *ctx, struct buf *piece)
{
	struct reader *r = ctx;
	struct logs *l = r->logs;
	struct err err = {};
	uint64_t n;
	int e;

	l->stats.bytes -= r->piece;
	r->piece = 0;
	took(r, clock_mono_ms());
	n = room(r);
	n = r->end - r->from < n ? r->end - r->from : n;
	if (!n)
		return 0;
	e = store_log_bytes(l->store, r->run, r->program, r->job, r->from, (size_t)n, piece, &err);
	if (e == 0 && piece->n != n)
		e = err_set(&err, EBADMSG, "a log of run %" PRId64 " became shorter", r->run);
	if (e < 0) {
		log_warn(l->log, "%s", err.text);
		return e;
	}
	r->from += n;
	r->piece = r->left = (size_t)n;
	l->stats.bytes += n;
	return 1;
}

/* ---- one request ---- */

static void begin(struct reader *r, int status, uint64_t n)
{
	put_last(r);
	r->took_ms = clock_mono_ms();
	r->logs->stats.readers++;
	http_reply_stream(r->q, status, (int64_t)n, reader_more, reader_done, r);
}

static int range(struct reader *r, uint64_t size)
{
	uint64_t from, n;
	char text[80];

	switch (range_parse(http_header(r->q, "Range"), size, &from, &n)) {
	case RANGE_WRONG:
		snprintf(text, sizeof(text), "bytes */%" PRIu64, size);
		http_set(r->q, "Content-Range", str_of(text));
		free(r);
		return 416;
	case RANGE_PART:
		snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from,
			 from + n - 1, size);
		http_set(r->q, "Content-Range", str_of(text));
		r->from = from;
		r->end = from + n;
		begin(r, 206, n);
		return 0;
	case RANGE_NONE:
		r->end = size;
		begin(r, 200, size);
	}
	return 0;
}

int logs_answer(struct logs *l, struct http_request *q, const struct pages_page *page,
		struct err *err)
{
	bool console = page->id == WEB_CONSOLE_RAW;
	unsigned program = console ? 0 : page->args.program, job = console ? page->args.job : 0;
	struct reader *r;
	uint64_t size;
	char tag[80];
	int e = store_log_size(l->store, page->args.run, program, job, &size, err);

	if (e < 0)
		return e == -ENOENT ? 404 : e;
	if (l->stats.readers >= LOGS_READERS && !close_one(l, NULL))
		return 503;
	/* A log that was kept is never written again. */
	snprintf(tag, sizeof(tag), "\"%" PRId64 "-%u-%u-%" PRIu64 "\"", page->args.run, program,
		 job, size);
	http_set(q, "Content-Type", str_of(WEB_PAGES[page->id].type));
	http_set(q, "ETag", str_of(tag));
	http_set(q, "Accept-Ranges", STR("bytes"));
	http_set(q, "Cache-Control", STR("no-cache"));
	if (http_has_tag(q, tag)) {
		http_reply(q, 304, STR(""));
		return 0;
	}
	r = xcalloc(1, sizeof(*r));
	*r = (struct reader){ .logs = l, .q = q, .run = page->args.run, .program = program,
			      .job = job };
	return range(r, size);
}
