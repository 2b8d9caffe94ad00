/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/logs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "serve/range.h"

#define PIECE 262144 /* what waits for a slow client */

struct log_stream {
	const struct log *log;
	struct store *store;
	int64_t run;
	unsigned program, job;
	uint64_t at, end;
};

static int log_more(void *ctx, struct buf *piece)
{
	struct log_stream *l = ctx;
	uint64_t n = l->end - l->at < PIECE ? l->end - l->at : PIECE;
	struct err err = {};
	int r;

	if (!n)
		return 0;
	r = store_log_bytes(l->store, l->run, l->program, l->job, l->at, (size_t)n, piece, &err);
	if (r == 0 && piece->n != n)
		r = err_set(&err, EBADMSG, "a log of run %" PRId64 " became shorter", l->run);
	if (r < 0) {
		log_warn(l->log, "%s", err.text);
		return r;
	}
	l->at += n;
	return 1;
}

static int range(struct http_request *q, struct log_stream *l, uint64_t size)
{
	uint64_t from, n;
	char text[80];

	switch (range_parse(http_header(q, "Range"), size, &from, &n)) {
	case RANGE_WRONG:
		snprintf(text, sizeof(text), "bytes */%" PRIu64, size);
		http_set(q, "Content-Range", str_of(text));
		free(l);
		return 416;
	case RANGE_PART:
		snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from,
			 from + n - 1, size);
		http_set(q, "Content-Range", str_of(text));
		l->at = from;
		l->end = from + n;
		http_reply_stream(q, 206, (int64_t)n, log_more, free, l);
		return 0;
	case RANGE_NONE:
		l->end = size;
		http_reply_stream(q, 200, (int64_t)size, log_more, free, l);
	}
	return 0;
}

int logs_answer(struct store *s, const struct log *log, struct http_request *q,
		const struct pages_page *page, struct err *err)
{
	bool console = page->id == WEB_CONSOLE_RAW;
	unsigned program = console ? 0 : page->args.program, job = console ? page->args.job : 0;
	struct log_stream *l;
	uint64_t size;
	char tag[80];
	int r = store_log_size(s, page->args.run, program, job, &size, err);

	if (r < 0)
		return r == -ENOENT ? 404 : r;
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
	l = xcalloc(1, sizeof(*l));
	*l = (struct log_stream){ .log = log, .store = s, .run = page->args.run,
				  .program = program, .job = job };
	return range(q, l, size);
}
