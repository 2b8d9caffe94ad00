/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A badge: how the newest run of a branch and mode went, as a small picture. */
#include "web/history.h"
#include "web/pages.h"

#define CHAR_WIDTH 7 /* of the fonts that are asked for, at 11 px: somewhat wide */
#define PADDING    12
#define TEXT_MAX   40

/* White on them has a contrast above 4.5 (WCAG 2.2, 1.4.3). */
static const struct {
	const char *word, *colour;
} COLOURS[] = {
	{ "passed", "#1a7f37" }, { "running", "#57606a" }, { "stopped", "#57606a" },
	{ "lost", "#57606a" }, { "old", "#57606a" }, { "unstable", "#9a6700" },
};

static const char *colour_of(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(COLOURS); i++)
		if (strcmp(COLOURS[i].word, word) == 0)
			return COLOURS[i].colour;
	return "#b42318";
}

/* Columns, roughly: bytes that begin a character. */
static unsigned columns(struct str s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

static struct str cut(struct str s)
{
	size_t n = s.n < TEXT_MAX ? s.n : TEXT_MAX;

	while (n && n < s.n && (s.p[n] & 0xc0) == 0x80)
		n--;
	return str_n(s.p, n);
}

static void half(struct out *o, struct str s, unsigned from, unsigned width, const char *colour)
{
	out_printf(o, "<rect x=\"%u\" width=\"%u\" height=\"20\" fill=\"%s\"/>"
		   "<text x=\"%u\" y=\"14\" textLength=\"%u\">", from, width, colour,
		   from + PADDING / 2, width - PADDING);
	out_xml(o, s);
	out_lit(o, "</text>\n");
}

static const char *word_of(const struct web_site *site, const struct web_args *args)
{
	const struct web_history *w = site->history;

	for (unsigned i = 0; i < site->n_choices; i++) {
		const struct web_choice *c = &site->choices[i];

		if (!str_eq(c->branch, args->q.branch) || !str_eq(c->mode, args->q.mode) ||
		    c->last >= w->n_runs)
			continue;
		return w->runs[w->n_runs - 1].begin_ms - w->runs[c->last].begin_ms >= WEB_STALE_MS
			       ? "old" : web_run_word(c->state, c->exit_code);
	}
	return NULL;
}

int web_badge(const struct web_site *site, const struct web_args *args, struct out *out,
	      struct err *err)
{
	_cleanup_(buf_done) struct buf label = {};
	const char *word = word_of(site, args);
	unsigned left, right;
	struct str text;

	if (!word)
		return err_set(err, ENOENT, "no run of that branch and mode");
	buf_add_str(&label, cut(args->q.branch));
	buf_add(&label, " ", args->q.branch.n && args->q.mode.n);
	buf_add_str(&label, cut(args->q.mode));
	text = buf_str(&label);
	left = columns(text) * CHAR_WIDTH + PADDING;
	right = (unsigned)strlen(word) * CHAR_WIDTH + PADDING;
	out_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"20\""
		   " role=\"img\" font-family=\"Verdana,DejaVu Sans,sans-serif\""
		   " font-size=\"11\" fill=\"#fff\">\n<title>", left + right);
	out_xml(out, text);
	out_printf(out, ": %s</title>\n", word);
	half(out, text, 0, left, "#3d444d");
	half(out, str_of(word), left, right, colour_of(word));
	out_lit(out, "</svg>\n");
	return 0;
}
