/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Known issues in a stream: which failures a rule excuses, and what above them. */
#include "base/mem.h"
#include "tap.h"
#include "tap/known.h"

static bool about(const void *ctx, struct str name)
{
	char text[256];

	snprintf(text, sizeof(text), "%.*s", STR_FMT(name));
	return str_glob(ctx, text);
}

static const struct known_rule RULES[] = {
	{ .about = about, .ctx = "s/a.sh/x*", .say = { .reason = STR("x") } },
	{ .about = about,
	  .ctx = "s/b.sh*",
	  .pattern = "too slow$",
	  .say = { .reason = STR("slow") } },
	{ .about = about,
	  .ctx = "s/m.sh*",
	  .mode = "deb*",
	  .machine = "qemu",
	  .say = { .reason = STR("mode") } },
	{ .about = about, .ctx = "s/n.sh*", .branch = "other", .say = { .reason = STR("never") } },
	{ .about = about, .ctx = "s/a.sh/x", .say = { .reason = STR("the second") } },
};

/*
 * A stream as words, and what each failure of it is known as, "-" where it
 * counts: "a.sh@1" begins a program in job 1 (debug; job 2 is normal), "x:fail" is a
 * result, "g/x:fail" one below g, "g>fail" is g, the parent, "=fail" ends the program.
 */
static const struct {
	const char *words, *want;
} ROWS[] = {
	{ "a.sh@1 x:fail =fail", "x x" },
	{ "a.sh@1 x:pass y:fail =fail", "- -" },
	{ "a.sh@1 x:fail y:fail =fail", "x - -" },
	{ "a.sh@1 x1:fail x2:timeout =fail", "x x x" },
	{ "a.sh@1 x:crash =crash", "- -" },
	{ "a.sh@1 x:error =error", "- -" },
	{ "a.sh@1 x:missing =fail", "- -" },
	{ "a.sh@1 x:fail =timeout", "x -" },
	{ "a.sh@1 x:fail =crash", "x -" },
	{ "a.sh@1 xg/y:fail xg>fail =fail", "x x x" },
	{ "a.sh@1 g/x:fail g>fail =fail", "- - -" },
	{ "a.sh@1 xg/y:fail xg>fail y:fail =fail", "x x - -" },
	{ "a.sh@1 xg/y:fail xg>fail h/y:fail h>fail =fail", "x x - - -" },
	{ "a.sh@1 xg/y:pass xg>fail =fail", "- -" },
	{ "a.sh@1 =fail", "-" },
	{ "b.sh@1 y:fail,it_was_too_slow =fail", "slow slow" },
	{ "b.sh@1 y:fail,no =fail", "- -" },
	{ "b.sh@1 log:fail =fail", "slow slow" },
	{ "b.sh@1 =timeout,too_slow", "slow" },
	{ "m.sh@1 y:fail =fail", "mode mode" },
	{ "m.sh@1 =timeout", "mode" },
	{ "m.sh@2 y:fail =fail", "- -" },
	{ "n.sh@1 y:fail =fail", "- -" },
	{ "a.sh@1 x:fail =fail a.sh@1 y:fail =fail", "x x - -" },
};

static void on_event(void *ctx, const struct event *ev)
{
	const struct event_excuse *known;
	struct buf *b = ctx;

	if (ev->type != EVENT_RESULT && ev->type != EVENT_PROGRAM_END)
		return;
	known = ev->type == EVENT_RESULT ? ev->result->known : ev->prog->known;
	if (!STATUS_INFO[ev->type == EVENT_RESULT ? ev->result->status : ev->prog->status].bad) {
		if (known)
			buf_printf(b, "%sA PASS IS KNOWN", b->n ? " " : "");
		return;
	}
	buf_printf(b, "%s%.*s", b->n ? " " : "", STR_FMT(known ? known->reason : STR("-")));
}

static int read_log(void *ctx, unsigned program, struct str path, uint64_t from, uint64_t to,
		    struct out *out)
{
	/* Much before it, so that only its end is kept. */
	if (from == 7)
		for (int i = 0; i < 100000; i++)
			out_lit(out, "some line before\n");
	out_str(out, from == 7 ? STR("it is too slow\nlast") : STR("nothing"));
	return str_eq(path, STR("/log")) ? 0 : -ENOENT;
}

static void say(struct event_sink sink, struct str w, unsigned *program, unsigned *job)
{
	struct str reason = w, word = str_cut(&reason, ',');
	_free_ char *why = xstrndup(reason.p ? reason.p : "", reason.n);
	struct event_result r = { .leaf = true };
	struct event_program p = { .suite = STR("s"), .log_path = STR("/log") };
	struct event ev = { .job = *job, .program = *program };
	struct str path[2], rest = word, name;

	for (char *c = why; *c; c++)
		*c = *c == '_' ? ' ' : *c;
	if (word.p[0] == '=') {
		p.reason = str_of(why);
		status_from_name(str_from(word, 1), &p.status);
		ev.type = EVENT_PROGRAM_END;
		ev.prog = &p;
	} else if (memchr(word.p, '@', word.n)) {
		p.name = str_cut(&rest, '@');
		*job = (unsigned)(rest.p[0] - '0');
		ev = (struct event){
			.type = EVENT_PROGRAM_BEGIN, .job = *job, .program = ++*program, .prog = &p
		};
	} else {
		r.leaf = !memchr(word.p, '>', word.n);
		name = str_cut(&rest, r.leaf ? ':' : '>');
		status_from_name(rest, &r.status);
		r.reason = str_of(why);
		r.depth = memchr(name.p, '/', name.n) ? 2 : 1;
		path[0] = r.depth == 2 ? str_cut(&name, '/') : name;
		path[1] = name;
		r.path = path;
		r.line_from = str_eq(name, STR("log")) ? 7 : 1;
		r.line_to = 9;
		ev.type = EVENT_RESULT;
		ev.result = &r;
	}
	event_emit(&sink, &ev);
}

static void check(struct tap *t, struct knowns *k, const char *words, const char *want)
{
	static const struct event_run run = { .branch = STR("export") };
	static const struct event_job jobs[] = { { .mode = STR("debug"), .machine = STR("qemu") },
						 { .mode = STR("normal"),
						   .machine = STR("qemu") } };
	unsigned program = 0, job = 0;
	struct buf got = {};
	struct event_sink sink = knowns_sink(k, (struct event_sink){ on_event, &got });
	struct event ev = { .type = EVENT_RUN_BEGIN, .run = &run };

	event_emit(&sink, &ev);
	for (unsigned i = 0; i < 2; i++) {
		ev = (struct event){ .type = EVENT_JOB_BEGIN, .job = i + 1, .job_info = &jobs[i] };
		event_emit(&sink, &ev);
	}
	for (struct str rest = str_of(words); rest.n;)
		say(sink, str_cut(&rest, ' '), &program, &job);
	is_str(t, got.p, want, words);
	buf_done(&got);
}

static void test_limits(struct tap *t)
{
	static const struct known_rule slow = {
		.about = about, .ctx = "*", .pattern = "^(a+)+$", .say = { .reason = STR("never") }
	};
	static const struct known_rule bad = { .about = about, .ctx = "*", .pattern = "a(b" };
	struct knowns *k = NULL;
	struct buf words = {};
	struct err err = {};

	buf_printf(&words, "a.sh@1 x:fail,");
	for (int i = 0; i < 5000; i++)
		buf_printf(&words, "a");
	buf_printf(&words, "b =fail");
	knowns_new(&slow, 1, NULL, NULL, &k, &err);
	check(t, k, words.p, "- -");
	is_str(t, knowns_gave_up(k), "^(a+)+$", "a pattern that takes too long is given up");
	ok(t, !knowns_gave_up(k), "and told once");
	knowns_free(k);
	k = NULL;
	is_int(t, knowns_new(&bad, 1, NULL, NULL, &k, &err), -EINVAL, "a pattern that is none");
	ok(t, !k, "makes no rules");
	buf_done(&words);
}

int main(void)
{
	struct tap t = {};
	struct knowns *k = NULL;
	struct err err = {};

	TAP_HEADER();
	is_int(&t, knowns_new(RULES, ARRAY_SIZE(RULES), read_log, NULL, &k, &err), 0, "rules");
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		check(&t, k, ROWS[i].words, ROWS[i].want);
	ok(&t, !knowns_gave_up(k), "no pattern took too long");
	knowns_free(k);
	check(&t, NULL, "a.sh@1 x:fail =fail", "- -");
	test_limits(&t);
	return tap_done(&t);
}
