/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logs: of a program, of a machine's console. Every line has a number that is
 * a link; the lines of one result are one block. A long log is cut in the
 * middle, but what belongs to a failure stays; the whole of it is the plain
 * text beside the page. Only what is shown is read: 100 MB cost what 4000 lines do.
 * Splats are blocks of the console, and are named above the log of the program
 * during which they came.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "web/log-search.h"
#include "web/pages.h"

#define SHOW_ALL   4000  /* lines; longer logs are cut */
#define SHOW_HEAD  1000
#define SHOW_TAIL  1500
#define SHOW_FROM  2000  /* behind a line that is asked for, */
#define SHOW_ABOVE 20    /* and in front of it */
#define KEEP_HEAD  40    /* lines of a failure that stay: first, last */
#define KEEP_TAIL  160
#define KEEP_MAX   200   /* failures whose lines stay */
#define RANGES_MAX 100000
#define LIST_MAX   100   /* failures named above the log */

struct named {
	struct str name, fingerprint; /* fingerprint: of a splat */
	enum status status;
	unsigned job;                 /* whose console it is in; 0: in this log */
	uint64_t line;
};

struct log {
	unsigned program, job;
	bool console;
	struct str name;               /* "mptcp/pm_netlink.sh" */
	struct web_range *ranges;
	size_t n_ranges, cap_ranges;
	struct web_range *keep;
	size_t n_keep, cap_keep;
	struct named list[LIST_MAX];
	unsigned n_list, more;
	uint64_t total;                /* lines */
	struct log_search found;       /* where something is searched */
	uint64_t first;                /* line that is asked for; 0: none */
	struct arena arena;
};

static void log_free(struct log *l)
{
	free(l->ranges);
	free(l->keep);
	arena_done(&l->arena);
}

/* ---- what the log holds ---- */

static struct str keep_str(struct log *l, struct str s)
{
	return str_n(arena_strndup(&l->arena, s.p ? s.p : "", s.n), s.n);
}

static void name(struct log *l, struct named n)
{
	if (l->n_list == LIST_MAX) {
		l->more++;
		return;
	}
	n.name = keep_str(l, n.name);
	n.fingerprint = keep_str(l, n.fingerprint);
	l->list[l->n_list++] = n;
}

static void add(struct log *l, uint64_t from, uint64_t to, enum status status, struct str text,
		struct str fingerprint)
{
	bool keep = STATUS_INFO[status].bad || status == STATUS_FLAKY;

	if (!to || l->n_ranges == RANGES_MAX)
		return;
	ARRAY_GROW(l->ranges, l->n_ranges, l->cap_ranges);
	l->ranges[l->n_ranges++] = (struct web_range){
		from && from < to ? from : to, to, status, keep
	};
	if (keep)
		name(l, (struct named){ text, fingerprint, status, 0,
					from && from < to ? from : to });
}

static void on_event(void *ctx, const struct event *ev)
{
	struct log *l = ctx;

	if (l->console) {
		if (ev->type == EVENT_SPLAT && ev->job == l->job)
			add(l, ev->splat->line,
			    ev->splat->line + (ev->splat->lines ? ev->splat->lines - 1 : 0),
			    ev->splat->excuse ? STATUS_FLAKY : STATUS_CRASH, ev->splat->title,
			    ev->splat->fingerprint);
		return;
	}
	if (ev->program != l->program)
		return;
	if (ev->type == EVENT_SPLAT)
		name(l, (struct named){ ev->splat->title, ev->splat->fingerprint,
					ev->splat->excuse ? STATUS_FLAKY : STATUS_CRASH, ev->job,
					ev->splat->line });
	if (ev->type == EVENT_PROGRAM_BEGIN) {
		_free_ char *name = xasprintf("%.*s/%.*s", STR_FMT(ev->prog->suite),
					      STR_FMT(ev->prog->name));

		l->name = str_n(arena_strndup(&l->arena, name, strlen(name)), strlen(name));
	} else if (ev->type == EVENT_RESULT && ev->result->leaf) {
		add(l, ev->result->line_from, ev->result->line_to, ev->result->status,
		    ev->result->path[ev->result->depth - 1], STR(""));
	}
}

static int by_from(const void *a, const void *b)
{
	const struct web_range *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

/* Blocks can't overlap: a later one begins behind the one before, or goes. */
static void disjoin(struct log *l)
{
	uint64_t end = 0;
	size_t n = 0;

	if (l->n_ranges)
		qsort(l->ranges, l->n_ranges, sizeof(*l->ranges), by_from);
	for (size_t i = 0; i < l->n_ranges; i++) {
		struct web_range r = l->ranges[i];

		if (r.from <= end)
			r.from = end + 1;
		if (r.from > r.to)
			continue;
		end = r.to;
		l->ranges[n++] = r;
	}
	l->n_ranges = n;
}

static void keep_lines(struct log *l, uint64_t from, uint64_t to)
{
	ARRAY_GROW(l->keep, l->n_keep, l->cap_keep);
	l->keep[l->n_keep++] = (struct web_range){ .from = from, .to = to };
}

/* Which lines stay of a log that is too long: those around what is asked for, or
 * head, tail, and the failures' own. */
static void choose(struct log *l)
{
	size_t failures = 0, n = 0;
	uint64_t total = l->total;

	if (l->first) {
		keep_lines(l, l->first > SHOW_ABOVE ? l->first - SHOW_ABOVE : 1,
			   l->first + SHOW_FROM);
		return;
	}
	keep_lines(l, 1, SHOW_HEAD);
	keep_lines(l, total - SHOW_TAIL + 1, total);
	for (size_t i = 0; i < l->n_ranges && failures < KEEP_MAX; i++) {
		const struct web_range *r = &l->ranges[i];

		if (!r->keep)
			continue;
		failures++;
		if (r->to - r->from < KEEP_HEAD + KEEP_TAIL) {
			keep_lines(l, r->from, r->to);
		} else {
			keep_lines(l, r->from, r->from + KEEP_HEAD - 1);
			keep_lines(l, r->to - KEEP_TAIL + 1, r->to);
		}
	}
	qsort(l->keep, l->n_keep, sizeof(*l->keep), by_from);
	for (size_t i = 1; i < l->n_keep; i++) {
		if (l->keep[i].from > l->keep[n].to + 1)
			l->keep[++n] = l->keep[i];
		else if (l->keep[i].to > l->keep[n].to)
			l->keep[n].to = l->keep[i].to;
	}
	l->n_keep = n + 1;
}

/* ---- writing ---- */

/* Of the console where the splat is in that; it may have had no line. */
static bool place_begin(struct web_html *h, const struct named *n)
{
	struct web_args args = { .run = h->args->run, .job = n->job };

	if (!n->line)
		return false;
	if (n->job)
		html_line_link(h, WEB_CONSOLE, &args, n->line);
	else
		out_printf(h->out, "<a href=\"#L%" PRIu64 "\">", n->line);
	return true;
}

static void entry(struct web_html *h, const struct named *n)
{
	struct out *o = h->out;
	bool link;

	out_lit(o, "<li>");
	html_mark(h, n->status, true);
	link = place_begin(h, n);
	out_html(o, n->name);
	out_str(o, link ? STR("</a>") : STR(""));
	if (n->line)
		out_printf(o, " <span class=\"quiet\">%sline %" PRIu64 "</span>",
			   n->job ? "console, " : "", n->line);
	if (n->fingerprint.n && web_site_splat(h->site, n->fingerprint)) {
		out_lit(o, " · ");
		html_splat_begin(h, n->fingerprint);
		out_lit(o, "where else it was seen</a>");
	}
	out_lit(o, "</li>\n");
}

static void failures(struct web_html *h, const struct log *l)
{
	struct out *o = h->out;

	if (!l->n_list)
		return;
	out_lit(o, "<ul class=\"jump\">\n");
	for (unsigned i = 0; i < l->n_list; i++) {
		const struct named *n = &l->list[i];

		entry(h, n);
	}
	if (l->more)
		out_printf(o, "<li>and %u more</li>\n", l->more);
	out_lit(o, "</ul>\n");
}

static void raw_link(struct web_html *h, const struct log *l)
{
	out_lit(h->out, "<p class=\"links\">");
	html_count(h, l->total);
	out_str(h->out, l->total == 1 ? STR(" line · <a") : STR(" lines · <a"));
	html_href(h, l->console ? WEB_CONSOLE_RAW : WEB_LOG_RAW, h->args);
	out_lit(h->out, ">plain text</a>");
	if (l->n_keep)
		out_lit(h->out, ", which also has what is left out here");
	out_lit(h->out, "</p>\n");
}

static void lines(struct web_html *h, const struct log *l)
{
	static const struct web_range all = { .from = 1 };
	const struct web_range *keep = l->n_keep ? l->keep : &all;
	size_t n = l->n_keep ? l->n_keep : 1;
	_cleanup_(buf_done) struct buf here = {};
	struct web_lines w = { .out = h->out, .ranges = l->ranges, .n_ranges = l->n_ranges,
			       .find = h->args->q.find };
	struct out o;

	out_to_buf(&o, &here);
	web_path(h->page, h->args, &o);
	out_flush(&o);
	/* Its own name is enough: the page is in that directory. */
	if (h->site->live)
		w.more = str_of(path_base(here.p));
	out_lit(h->out, "<pre class=\"log\" id=\"log\" tabindex=\"0\">");
	/* Only what is shown is read, wherever it is. */
	for (size_t i = 0; i < n; i++) {
		struct err gone = {};
		struct out feed;

		lines_skip(&w, keep[i].from);
		lines_out(&w, &feed);
		store_log(h->site->store, h->args->run, l->program, l->job, keep[i].from,
			  keep[i].to, &feed, &gone);
		out_flush(&feed);
		lines_end(&w);
	}
	lines_skip(&w, l->total + 1);
	lines_done(&w);
	out_lit(h->out, "</pre>\n");
}

/* A log that is gone or broken is told; the site is whole without it. */
static void body(struct web_html *h, struct log *l)
{
	const struct web_query *q = &h->args->q;
	struct err gone = {};
	int r = store_log_lines(h->site->store, h->args->run, l->program, l->job, &l->total,
				&gone);

	if (r >= 0 && q->find.n)
		r = log_search(h->site->store, h->args->run, l->program, l->job, l->total,
			       q->find, q->line, &l->found, &gone);
	if (r < 0) {
		/* Not the error's words: they name paths of this machine. */
		out_lit(h->out, "<p class=\"empty\">This log's file is gone or broken.</p>\n");
		return;
	}
	l->first = l->found.n ? l->found.hits[0] : q->line < l->total ? q->line : l->total;
	if (l->total > SHOW_ALL)
		choose(l);
	raw_link(h, l);
	if (h->site->live)
		log_form(h, l->total, &l->found, !l->n_keep);
	if (!q->find.n)
		failures(h, l);
	lines(h, l);
}

static int log_page(struct web_html *h, struct log *l, struct err *err)
{
	_free_ char *title = NULL;
	struct event_sink sink = { on_event, l };
	int r = store_replay(h->site->store, h->args->run, sink, err);

	if (r < 0)
		return r;
	disjoin(l);
	if (l->console)
		l->name = STR("Console");
	title = xasprintf("%.*s, run %" PRId64, STR_FMT(l->name), h->args->run);
	html_begin(h, str_of(title));
	html_crumbs(h, h->args->run);
	out_str(h->out, l->console ? STR("console</p>\n<h1>") : STR("log</p>\n<h1>"));
	out_html(h->out, l->name);
	if (l->console)
		out_printf(h->out, " of machine %u", l->job);
	out_lit(h->out, "</h1>\n");
	body(h, l);
	html_end(h);
	return 0;
}

WEB_RENDER(web_log_page)
{
	struct web_html h = { site, out, WEB_LOG, args };
	_cleanup_(log_free) struct log l = { .program = args->program };

	return log_page(&h, &l, err);
}

WEB_RENDER(web_console_page)
{
	struct web_html h = { site, out, WEB_CONSOLE, args };
	_cleanup_(log_free) struct log l = { .job = args->job, .console = true };

	return log_page(&h, &l, err);
}

/* What can be read of it; the page beside it says what is wrong. */
static int raw(const struct web_site *site, const struct web_args *args, unsigned program,
	       struct out *out)
{
	struct err gone = {};

	store_log(site->store, args->run, program, program ? 0 : args->job, 1, 0, out, &gone);
	return 0;
}

WEB_RENDER(web_log_raw)
{
	return raw(site, args, args->program, out);
}

WEB_RENDER(web_console_raw)
{
	return raw(site, args, 0, out);
}

/* All of a file that a machine left, or what can be read of it. */
WEB_RENDER(web_artefact)
{
	int r = store_artefact(site->store, args->run, args->job, args->kind, out, err);

	return r == -ENOENT ? r : 0;
}

/* ---- which there are ---- */

struct found {
	struct web_args *v;
	size_t n, cap;
	enum web_page_id page;
};

static enum web_page_id page_of(struct str kind)
{
	return str_eq(kind, STR("log")) ? WEB_LOG
					: str_eq(kind, STR("console")) ? WEB_CONSOLE : WEB_ARTEFACT;
}

static int on_file(void *ctx, unsigned job, unsigned program, struct str kind)
{
	struct found *f = ctx;

	if (page_of(kind) != f->page || (f->page == WEB_ARTEFACT && !event_kind_fits(kind)))
		return 0;
	ARRAY_GROW(f->v, f->n, f->cap);
	f->v[f->n] = (struct web_args){ .program = program, .job = program ? 0 : job };
	if (f->page == WEB_ARTEFACT)
		snprintf(f->v[f->n].kind, sizeof(f->v->kind), "%.*s", STR_FMT(kind));
	f->n++;
	return 0;
}

static int each(const struct web_site *site, enum web_page_id page, web_args_fn fn, void *ctx,
		struct err *err)
{
	struct found f = { .page = page };
	int r = 0;

	for (unsigned i = 0; i < site->n_runs && r == 0; i++) {
		f.n = 0;
		r = store_files(site->store, site->runs[i].id, on_file, &f, err);
		for (size_t k = 0; k < f.n && r == 0; k++) {
			f.v[k].run = site->runs[i].id;
			r = fn(ctx, &f.v[k]);
		}
	}
	free(f.v);
	return r;
}

WEB_EACH(web_each_log)
{
	return each(site, WEB_LOG, fn, ctx, err);
}

WEB_EACH(web_each_console)
{
	return each(site, WEB_CONSOLE, fn, ctx, err);
}

WEB_EACH(web_each_artefact)
{
	return each(site, WEB_ARTEFACT, fn, ctx, err);
}
