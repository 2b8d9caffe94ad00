/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/run-splats.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tap/trace.h"
#include "web/splat.h"

#define KINDS    50   /* that are told */
#define CONSOLES 4096 /* of jobs, by number */

struct kind {
	struct str key; /* its fingerprint; its title where it has none */
	uint64_t n;
	bool told;
};

struct splats {
	struct web_html *h;
	int64_t run;
	struct kind kinds[KINDS];
	unsigned n_kinds;
	uint64_t more; /* splats of other kinds */
	bool consoles[CONSOLES];
	struct arena arena;
};

static struct str key_of(const struct event_splat *e)
{
	return e->fingerprint.n ? e->fingerprint : e->title;
}

static struct kind *kind_of(struct splats *s, const struct event_splat *e)
{
	for (unsigned i = 0; i < s->n_kinds; i++)
		if (str_eq(s->kinds[i].key, key_of(e)))
			return &s->kinds[i];
	return NULL;
}

static void on_count(void *ctx, const struct event *ev)
{
	struct splats *s = ctx;
	struct kind *k;

	if (ev->type == EVENT_JOB_END && ev->job < CONSOLES)
		s->consoles[ev->job] = ev->job_info->console_path.n;
	if (ev->type != EVENT_SPLAT)
		return;
	k = kind_of(s, ev->splat);
	if (!k && s->n_kinds == KINDS) {
		s->more++;
		return;
	}
	if (!k) {
		struct str key = key_of(ev->splat);

		k = &s->kinds[s->n_kinds++];
		k->key = str_n(arena_strndup(&s->arena, key.p ? key.p : "", key.n), key.n);
	}
	k->n++;
}

static void links(struct splats *s, const struct event *ev)
{
	const struct event_splat *e = ev->splat;
	struct web_args args = { .run = s->run, .job = ev->job };
	struct out *o = s->h->out;
	const char *dot = "";

	out_lit(o, "<p class=\"links\">");
	if (e->line && ev->job < CONSOLES && s->consoles[ev->job]) {
		html_line_link(s->h, WEB_CONSOLE, &args, e->line);
		out_printf(o, "Console, line %" PRIu64 "</a>", e->line);
		dot = " · ";
	}
	if (web_site_splat(s->h->site, e->fingerprint)) {
		out_str(o, str_of(dot));
		html_splat_begin(s->h, e->fingerprint);
		out_lit(o, "Where else it was seen</a>");
		dot = " · ";
	}
	if (trace_bare(e->text))
		out_printf(o, "%s<code>taproom show %" PRId64 " --decode</code> names the places "
			      "in the source", dot, s->run);
	out_lit(o, "</p>\n");
}

static void put(struct splats *s, const struct event *ev, uint64_t times)
{
	const struct event_splat *e = ev->splat;
	struct out *o = s->h->out;

	out_lit(o, "<details class=\"splat\">\n<summary>");
	html_mark(s->h, e->excuse ? STATUS_FLAKY : STATUS_CRASH, false);
	out_lit(o, "<span class=\"word\">");
	out_html(o, e->kind);
	out_lit(o, "</span> ");
	out_html(o, e->title);
	out_str(o, e->excuse ? STR(", ignored") : STR(""));
	if (times > 1)
		out_printf(o, " <span class=\"quiet\">%" PRIu64 " times</span>", times);
	out_lit(o, "</summary>\n");
	if (e->excuse) {
		out_lit(o, "<p>Ignored by a rule: ");
		splat_excuse(s->h, e->excuse);
		out_lit(o, "</p>\n");
	}
	splat_about(s->h, e);
	splat_text(s->h, e);
	links(s, ev);
	out_lit(o, "</details>\n");
}

static void on_splat(void *ctx, const struct event *ev)
{
	struct splats *s = ctx;
	struct kind *k = ev->type == EVENT_SPLAT ? kind_of(s, ev->splat) : NULL;

	if (!k || k->told)
		return;
	k->told = true;
	put(s, ev, k->n);
}

int run_splats(struct web_html *h, int64_t run, struct err *err)
{
	struct splats *s = xcalloc(1, sizeof(*s));
	struct store *store = h->site->store;
	int r;

	s->h = h;
	s->run = run;
	out_lit(h->out, "<h2>Kernel splats</h2>\n");
	r = store_replay(store, run, (struct event_sink){ on_count, s }, err);
	if (r >= 0)
		r = store_replay(store, run, (struct event_sink){ on_splat, s }, err);
	if (s->more)
		out_printf(h->out, "<p>%" PRIu64 " of more kinds are in the consoles.</p>\n",
			   s->more);
	arena_done(&s->arena);
	free(s);
	return r;
}
