/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The constructs of tests/constructs: each whole, with every split of its bytes,
 * and emitted as TAP and read again. Arguments: their directory, and the rules.
 */
#include "constructs.h"
#include "report/report.h"
#include "tap.h"

#define SHOW_MAX 100 /* lines of what was wrong */

/* What a dump leaves out: a log that was emitted has other lines, and numbers
 * of its own; what was implied has a line there. */
enum dump_kind { DUMP_ALL, DUMP_TREE };

struct dump {
	struct buf text;
	enum dump_kind kind;
};

static void add_path(struct buf *b, const struct event_result *r)
{
	for (unsigned i = 0; i < r->depth; i++)
		buf_printf(b, "%s%.*s", i ? " > " : "", STR_FMT(r->path[i]));
}

static void add_fields(struct buf *b, const struct event_result *r)
{
	if (!r->leaf)
		buf_printf(b, " | parent");
	if (r->reason.n)
		buf_printf(b, " | because %.*s", STR_FMT(r->reason));
	if (r->duration_ms >= 0)
		buf_printf(b, " | %" PRId64 "ms", r->duration_ms);
	if (r->exit_code != -1)
		buf_printf(b, " | exit=%d", r->exit_code);
	if (r->ordinal > 1)
		buf_printf(b, " | x%u", r->ordinal);
}

static void add_line(struct buf *b, uint64_t line)
{
	if (line)
		buf_printf(b, "%" PRIu64 " ", line);
	else
		buf_printf(b, "- ");
}

static void on_event(void *ctx, const struct event *ev)
{
	struct dump *d = ctx;
	const struct event_result *r = ev->result;

	if (ev->type == EVENT_PROBLEM && d->kind == DUMP_ALL) {
		add_line(&d->text, ev->problem->line);
		buf_printf(&d->text, "! %s\n", PROBLEM_NAMES[ev->problem->what]);
	} else if (ev->type == EVENT_RESULT) {
		if (d->kind == DUMP_ALL)
			add_line(&d->text, r->line);
		if (d->kind == DUMP_ALL && r->number >= 0)
			buf_printf(&d->text, "#%" PRId64 " ", r->number);
		buf_printf(&d->text, "%s ", STATUS_INFO[r->status].name);
		add_path(&d->text, r);
		add_fields(&d->text, r);
		buf_printf(&d->text, "%s\n",
			   r->implied && d->kind == DUMP_ALL ? " | implied" : "");
	}
}

static void add_verdict(struct buf *b, const struct tap_summary *s)
{
	const struct {
		const char *word;
		bool set;
	} flags[] = {
		{ "skip-all", s->skip_all },	 { "bailed-out", s->bailed_out },
		{ "truncated", s->truncated },	 { "plan-broken", s->plan_broken },
		{ "empty", !s->results && !s->problems && !s->skip_all },
	};
	const char *between = ": ";

	buf_printf(b, "%s", REPORT_VERDICTS[report_verdict(s)]);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (flags[i].set) {
			buf_printf(b, "%s%s", between, flags[i].word);
			between = " ";
		}
	}
	buf_printf(b, "\n");
}

/* @chunk: bytes at a time; 0: all at once. */
static void parse(struct event_sink sink, struct str in, size_t chunk, enum tap_end end,
		  struct tap_summary *ret)
{
	struct tap_options none = {};
	struct tap_parser *p = tap_parser_new(&none, sink);

	while (chunk && in.n > chunk) {
		tap_parse(p, in.p, chunk);
		in = str_from(in, chunk);
	}
	tap_parse(p, in.p, in.n);
	tap_parse_end(p, end, ret);
	tap_parser_free(p);
}

static void dump(struct dump *d, struct str in, size_t chunk, enum tap_end end)
{
	struct tap_summary sum;

	parse((struct event_sink){ on_event, d }, in, chunk, end, &sum);
	if (d->kind == DUMP_ALL)
		add_verdict(&d->text, &sum);
}

/* In the form of the files, to be read and, if it is right, pasted. */
static void show(const char *head, struct str s)
{
	unsigned lines = 0;

	printf("# %s\n# > ", head);
	for (size_t i = 0; i < s.n && lines < SHOW_MAX; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '\n' && i + 1 < s.n)
			printf(++lines < SHOW_MAX ? "\n# > " : "\n# ...");
		else if (c == '\n')
			break;
		else if (c == '\\')
			printf("\\\\");
		else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8_len(str_from(s, i))))
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	putchar('\n');
}

static void check(struct tap *t, const struct construct *c)
{
	struct dump d = {};
	bool same;

	dump(&d, buf_str(&c->in), 0, c->end);
	same = str_eq(buf_str(&d.text), buf_str(&c->want));
	tap_todo(t, same, c->todo, "%s:%u: %.*s", c->file, c->line, STR_FMT(c->title));
	if (!same) {
		show("want:", buf_str(&c->want));
		show("got:", buf_str(&d.text));
	}
	buf_done(&d.text);
}

/* Chunks of every size: so there is a cut at every byte. */
static void check_splits(struct tap *t, const struct construct *c)
{
	struct dump whole = {}, d = {};
	size_t chunk = 0, most = c->in.n < 1000 ? c->in.n : 100;
	bool same = true;

	dump(&whole, buf_str(&c->in), 0, c->end);
	while (same && ++chunk < most) {
		buf_clear(&d.text);
		dump(&d, buf_str(&c->in), chunk, c->end);
		same = str_eq(buf_str(&d.text), buf_str(&whole.text));
	}
	ok(t, same, "in pieces: %s:%u: %.*s", c->file, c->line, STR_FMT(c->title));
	if (!same) {
		printf("# of %zu bytes\n", chunk);
		show("whole:", buf_str(&whole.text));
		show("in pieces:", buf_str(&d.text));
	}
	buf_done(&whole.text);
	buf_done(&d.text);
}

struct emit {
	const struct report_format *format;
	struct report *report;
};

static void on_emit(void *ctx, const struct event *ev)
{
	struct emit *e = ctx;

	e->format->event(e->report, ev);
}

static void emit(struct buf *ret, struct str in, enum tap_end end)
{
	struct tap_summary sum = {};
	struct report_options opt = { .parsed = &sum };
	struct emit e = { report_format_find("tap", NULL) };
	struct out out;

	out_to_buf(&out, ret);
	e.report = e.format->begin(&out, &opt);
	parse((struct event_sink){ on_emit, &e }, in, 0, end, &sum);
	e.format->end(e.report);
	out_flush(&out);
}

/* Paths, statuses, reasons, fields and ordinals are the same. Every status has
 * a word; lines, problems and what was implied are of the log that was read. */
static void check_emitted(struct tap *t, const struct construct *c)
{
	struct dump want = { .kind = DUMP_TREE }, got = { .kind = DUMP_TREE };
	struct buf emitted = {};
	bool same;

	dump(&want, buf_str(&c->in), 0, c->end);
	emit(&emitted, buf_str(&c->in), c->end);
	dump(&got, buf_str(&emitted), 0, TAP_END_CLEAN);
	same = str_eq(buf_str(&got.text), buf_str(&want.text));
	tap_todo(t, same == !c->unsaid.n, c->todo, "emitted%s: %s:%u: %.*s",
		 c->unsaid.n ? " it is another" : "", c->file, c->line, STR_FMT(c->title));
	if (same == (c->unsaid.n != 0)) {
		show("emitted:", buf_str(&emitted));
		show("want:", buf_str(&want.text));
		show("got:", buf_str(&got.text));
	}
	buf_done(&want.text);
	buf_done(&got.text);
	buf_done(&emitted);
}

/* Every construct has a rule, every rule a construct: "*4.2* Planned ..." */
static void check_rules(struct tap *t, const struct constructs *all, const char *path)
{
	struct buf text = {};
	struct err err = {};
	unsigned rules = 0;

	if (file_read(path, 0, &text, &err) < 0)
		printf("# %s\n", err.text);
	for (struct str rest = buf_str(&text); rest.p;) {
		struct str line = str_cut(&rest, '\n');
		ptrdiff_t n = str_starts(line, STR("*")) ?
				      str_find(str_from(line, 1), STR("* ")) : -1;
		struct str rule = n > 0 ? str_n(line.p + 1, (size_t)n) : STR("");
		unsigned users = 0;

		if (!rule.n || rule.p[0] < '0' || rule.p[0] > '9')
			continue;
		rules++;
		if (str_find(line, STR("test-limits.c")) >= 0)
			continue; /* its results are too many to be written down */
		for (size_t i = 0; i < all->n; i++)
			users += str_eq(all->v[i].rule, rule);
		ok(t, users, "rule %.*s has a construct", STR_FMT(rule));
	}
	ok(t, rules > 10, "there are rules");
	for (size_t i = 0; i < all->n; i++) {
		const struct construct *c = &all->v[i];
		_free_ char *head = xasprintf("\n*%.*s* ", STR_FMT(c->rule));

		if (!c->rule.n || str_find(buf_str(&text), str_of(head)) < 0)
			ok(t, false, "%s:%u: no rule '%.*s'", c->file, c->line,
			   STR_FMT(c->rule));
	}
	buf_done(&text);
}

int main(int argc, char **argv)
{
	struct constructs all = {};
	struct tap t = {};

	if (argc != 3) {
		fprintf(stderr, "usage: test-constructs DIRECTORY RULES\n");
		return 2;
	}
	TAP_HEADER();
	constructs_load(&all, argv[1]);
	is_str(&t, all.wrong.p ? all.wrong.p : "", "", "the files are well-formed");
	for (size_t i = 0; i < all.n; i++)
		check(&t, &all.v[i]);
	for (size_t i = 0; i < all.n; i++)
		check_splits(&t, &all.v[i]);
	for (size_t i = 0; i < all.n; i++)
		check_emitted(&t, &all.v[i]);
	check_rules(&t, &all, argv[2]);
	constructs_done(&all);
	return tap_done(&t);
}
