/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/metrics.h"

#include <assert.h>
#include <inttypes.h>

#include "base/units.h"

#define END "# EOF\n"

static_assert(METRICS_PAGE + WEB_PAGE_N <= HTTP_LABELS, "a label for each kind of page");

static const char *route_of(unsigned label)
{
	return label == METRICS_OTHER ? "" : label == METRICS_PUSH ? "push"
	       : label == METRICS_LIVE ? "events" : WEB_PAGES[label - METRICS_PAGE].path;
}

static void answers(struct out *o, const struct http_stats *http)
{
	out_lit(o, "# TYPE taproom_http_answers counter\n"
		   "# HELP taproom_http_answers Answers by what was asked for, as addresses are "
		   "made, and status; nothing that there is: an empty route.\n");
	for (unsigned i = 0; i < METRICS_PAGE + WEB_PAGE_N; i++)
		for (unsigned status = 2; status <= 5; status++) {
			if (!http->answers[i][status])
				continue;
			out_lit(o, "taproom_http_answers_total{route=\"");
			out_metrics(o, str_of(route_of(i)));
			out_printf(o, "\",status=\"%uxx\"} %" PRIu64 "\n", status,
				   http->answers[i][status]);
		}
}

static void number(struct out *o, const char *name, const char *type, const char *help,
		   uint64_t value)
{
	out_printf(o, "# TYPE taproom_%s %s\n# HELP taproom_%s %s\ntaproom_%s%s %" PRIu64 "\n",
		   name, type, name, help, name, type[0] == 'c' ? "_total" : "", value);
}

static void seconds(struct out *o, const char *name, const char *help, int64_t ms)
{
	out_printf(o, "# TYPE taproom_%s_seconds gauge\n# UNIT taproom_%s_seconds seconds\n"
		      "# HELP taproom_%s_seconds %s\ntaproom_%s_seconds %" PRId64 ".%03d\n", name,
		   name, name, help, name, ms / 1000, (int)(ms % 1000));
}

void metrics_write(struct str body, const struct http_server *http, const struct pages *pages,
		   unsigned followers, struct logs_stats logs, struct buf *ret)
{
	const struct pages_stats s = pages_stats(pages);
	struct out o;

	out_to_buf(&o, ret);
	if (body.n >= sizeof(END) - 1)
		out_str(&o, str_n(body.p, body.n - (sizeof(END) - 1)));
	answers(&o, http_stats(http));
	number(&o, "connections", "gauge", "Connections that are open.", http_connections(http));
	number(&o, "pages_kept", "counter", "Pages that were there when they were asked for.",
	       s.hits);
	number(&o, "pages_rendered", "counter", "Pages that were made.", s.renders);
	number(&o, "pages_kept_bytes", "gauge", "What is kept of them.", s.bytes);
	number(&o, "followers", "gauge", "Who listens to events.", followers);
	number(&o, "log_readers", "gauge", "Who is being sent a log.", logs.readers);
	number(&o, "log_waiting_bytes", "gauge", "What waits for them to take it.", logs.bytes);
	number(&o, "log_readers_closed", "counter", "Those that took nothing, closed for others.",
	       logs.closed);
	seconds(&o, "judged_age", "Since when the judgement is what it is.",
		clock_mono_ms() - s.judged_ms);
	seconds(&o, "judging", "How long the last judgement took.", s.took_ms);
	number(&o, "judged_behind", "gauge", "1: the store says more than is judged yet.",
	       s.behind);
	out_lit(&o, END);
	out_flush(&o);
}
