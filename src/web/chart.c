/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/chart.h"

#include <inttypes.h>
#include <time.h>

#include "web/history.h"

#define WIDTH  1000
#define RATES  30 /* height of the rates */
#define STRIP  36 /* where the strip begins, */
#define HEIGHT 46 /* and ends */
#define TIMES  36 /* height of the durations */
#define BINS   100

void chart_widen(struct web_scale *s, int64_t ms)
{
	s->from_ms = ms < s->from_ms ? ms : s->from_ms;
	s->to_ms = ms >= s->to_ms ? ms + 1 : s->to_ms;
}

static double along(const struct web_scale *s, int64_t ms)
{
	return (double)(ms - s->from_ms) / (double)(s->to_ms - s->from_ms);
}

static unsigned x_of(const struct web_html *h, const struct web_scale *s,
		     const struct judge_axis *a, uint32_t place)
{
	double x = along(s, judge_run_at(h->site->history->runs, a, place)->begin_ms);

	return (unsigned)((x < 0 ? 0 : x > 1 ? 1 : x) * (WIDTH - 3));
}

/* ---- months ---- */

static const unsigned STEPS[] = { 1, 2, 3, 6, 12, 24, 60, 120 };

void chart_heads(struct web_html *h, const struct web_scale *s)
{
	time_t first = (time_t)(s->from_ms / 1000);
	int64_t months = (s->to_ms - s->from_ms) / INT64_C(2629746000);
	unsigned step = 0;
	struct tm tm;

	while (step + 1 < ARRAY_SIZE(STEPS) && months / STEPS[step] > 6)
		step++;
	out_lit(h->out, "<svg class=\"months\" aria-hidden=\"true\">");
	if (gmtime_r(&first, &tm)) {
		tm.tm_mday = 1;
		tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
		tm.tm_mon -= tm.tm_mon % (int)(STEPS[step] < 12 ? STEPS[step] : 12);
		for (unsigned i = 0; i < 24; i++, tm.tm_mon += (int)STEPS[step]) {
			int64_t ms = (int64_t)timegm(&tm) * 1000;
			char text[16];

			if (ms >= s->to_ms)
				break;
			/* The last one must have room, on a narrow screen too. */
			if (ms < s->from_ms || along(s, ms) > 0.88)
				continue;
			strftime(text, sizeof(text), STEPS[step] < 12 ? "%b %Y" : "%Y", &tm);
			out_printf(h->out, "<text x=\"%.1f%%\" y=\"12\">%s</text>",
				   100 * along(s, ms), text);
		}
	}
	out_lit(h->out, "</svg>");
}

/* ---- rates ---- */

static double height_of(double rate)
{
	return RATES - 1 - rate * (RATES - 2);
}

/* A failure in a hundred is seen: the step is a line that is never at the floor,
 * unless it is nothing at all. */
static void rates(struct web_html *h, const struct web_scale *s, const struct judge_past *p)
{
	struct out *o = h->out;

	out_lit(o, "<path class=\"band\" d=\"");
	for (size_t i = 0; i <= p->n_changes; i++) {
		struct judge_segment g = judge_past_segment(p, i);
		unsigned from = x_of(h, s, p->axis, g.from), to = x_of(h, s, p->axis, g.to - 1);

		if (g.rate.n)
			out_printf(o, "M%u %.1fH%uV%.1fH%uz", from, height_of(g.rate.high), to + 3,
				   height_of(g.rate.low), from);
	}
	out_lit(o, "\"/><path class=\"rate\" d=\"");
	for (size_t i = 0; i <= p->n_changes; i++) {
		struct judge_segment g = judge_past_segment(p, i);

		if (g.rate.n)
			out_printf(o, "M%u %.1fH%u", x_of(h, s, p->axis, g.from),
				   height_of(g.rate.rate), x_of(h, s, p->axis, g.to - 1) + 3);
	}
	out_lit(o, "\"/>");
	if (!p->n_changes)
		return;
	out_lit(o, "<path class=\"cut\" d=\"");
	for (size_t i = 0; i < p->n_changes; i++)
		out_printf(o, "M%u 0V%d", x_of(h, s, p->axis, p->changes[i].run), HEIGHT);
	out_lit(o, "\"/>");
}

/* ---- the strip ---- */

static void box(struct out *o, unsigned from, unsigned to)
{
	out_printf(o, "M%u %dH%uv%dH%uz", from, STRIP, to + 3, HEIGHT - STRIP, from);
}

static void presence(struct web_html *h, const struct web_scale *s, const struct judge_past *p)
{
	const struct stat_spans *in = &p->s->said.in;
	bool any = false;
	unsigned from = 0, to = 0;

	out_printf(h->out, "<path class=\"%s\" d=\"", p->s->lane->at_least ? "maybe" : "pass");
	for (size_t i = 0; i < in->n; i++) {
		unsigned a = x_of(h, s, p->axis, in->v[i].from);
		unsigned b = x_of(h, s, p->axis, in->v[i].to - 1);

		/* What would touch is drawn as one. */
		if (any && a <= to + 3) {
			to = b > to ? b : to;
			continue;
		}
		if (any)
			box(h->out, from, to);
		from = a;
		to = b;
		any = true;
	}
	if (any)
		box(h->out, from, to);
	out_lit(h->out, "\"/>");
}

/* Of one status. Runs beside each other that both had it, and boxes that touch,
 * are one box. */
static void said(struct web_html *h, const struct web_scale *s, const struct judge_past *p,
		 enum status status)
{
	const struct store_exception *v = p->s->exceptions;
	unsigned from = 0, to = 0;
	uint32_t before = 0;
	bool any = false;

	out_lit(h->out, "<path class=\"");
	html_text(h, STATUS_INFO[status].name);
	out_lit(h->out, "\" d=\"");
	for (size_t i = 0; i < p->s->n_exceptions; i++) {
		unsigned x;

		if (v[i].status != status)
			continue;
		x = x_of(h, s, p->axis, v[i].at);
		if (any && (x <= to + 1 || v[i].at == before + 1)) {
			to = x;
		} else {
			if (any)
				box(h->out, from, to);
			from = to = x;
		}
		any = true;
		before = v[i].at;
	}
	if (any)
		box(h->out, from, to);
	out_lit(h->out, "\"/>");
}

void chart_write(struct web_html *h, const struct web_scale *s, const struct judge_past *p)
{
	out_printf(h->out, "<svg class=\"chart\" viewBox=\"0 0 %d %d\" "
			   "preserveAspectRatio=\"none\" aria-hidden=\"true\">", WIDTH, HEIGHT);
	out_printf(h->out, "<path class=\"floor\" d=\"M0 %dH%d\"/>", RATES, WIDTH);
	rates(h, s, p);
	presence(h, s, p);
	for (int i = 0; i < STATUS_N; i++)
		if (i != STATUS_PASS && p->s->counts[i])
			said(h, s, p, (enum status)i);
	out_lit(h->out, "</svg>");
}

/* ---- durations ---- */

void chart_times(struct web_html *h, const struct web_scale *s, const struct judge_past *p)
{
	_free_ struct stat_time *v = xcalloc((size_t)p->axis->n + 1, sizeof(*v));
	size_t n = judge_times(p->s, 0, p->axis->n, v);
	uint32_t median[BINS], most = 1;
	size_t begin[BINS + 1];

	if (!n)
		return;
	for (size_t i = 0, b = 0; b <= BINS; b++) {
		while (i < n && b < BINS && x_of(h, s, p->axis, v[i].run) < b * WIDTH / BINS)
			i++;
		begin[b] = b < BINS ? i : n;
	}
	for (size_t b = 0; b < BINS; b++) {
		median[b] = stat_time_median(v + begin[b], begin[b + 1] - begin[b]);
		most = median[b] > most ? median[b] : most;
	}
	out_printf(h->out, "<svg class=\"chart times\" viewBox=\"0 0 %d %d\" "
			   "preserveAspectRatio=\"none\" aria-hidden=\"true\">"
			   "<path class=\"floor\" d=\"M0 %dH%d\"/><path class=\"time\" d=\"",
		   WIDTH, TIMES, TIMES - 1, WIDTH);
	for (size_t b = 0; b < BINS; b++)
		if (begin[b] < begin[b + 1])
			out_printf(h->out, "M%zu %dV%.1fh%dV%dz", b * WIDTH / BINS, TIMES - 1,
				   TIMES - 1 - (double)median[b] * (TIMES - 4) / most,
				   WIDTH / BINS - 2, TIMES - 1);
	out_lit(h->out, "\"/></svg>");
}
