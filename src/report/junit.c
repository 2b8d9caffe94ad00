/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JUnit XML, as Jenkins' xunit plugin and Maven Surefire read it
 * (surefire-test-report.xsd): one testsuite per program, one testcase per leaf.
 * A testsuite carries its counts in front, so it waits for its end.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"
#include "report/formats.h"

#define SUITE_MAX  (16u << 20) /* bytes of testcases; then another suite begins */
#define OUTPUT_MAX 65536       /* of one case's log */

struct report {
	struct out *out;
	const struct report_options *opt;
	struct report_programs programs;
	uint64_t splats;
};

static void put_attr(struct out *o, const char *name, struct str value)
{
	out_printf(o, " %s=\"", name);
	out_xml(o, value);
	out_char(o, '"');
}

static void put_seconds(struct out *o, int64_t ms)
{
	if (ms >= 0)
		out_printf(o, " time=\"%" PRId64 ".%03d\"", ms / 1000, (int)(ms % 1000));
}

struct testcase {
	struct str class_name, name, reason;
	enum status status;
	int64_t duration_ms;
	uint64_t from, to; /* lines of its log; 0: none */
	const struct event_excuse *known;
};

/* What fails as it is known to: skipped, as pytest tells its expected failures;
 * no reader of JUnit has another word that is neither a pass nor a failure. */
static void put_known(struct out *o, const struct testcase *c)
{
	_cleanup_(buf_done) struct buf b = {};

	report_excuse(&b, "known", c->known);
	if (c->reason.n)
		buf_printf(&b, "; %.*s", STR_FMT(c->reason));
	out_lit(o, "<skipped");
	put_attr(o, "message", buf_str(&b));
	put_attr(o, "type", STR("known"));
	out_lit(o, "/>");
}

/* The element that says how it ended, by the status table. */
static void put_outcome(struct out *o, const struct testcase *c)
{
	const struct status_info *info = &STATUS_INFO[c->status];
	struct str message = c->reason.n ? c->reason : str_of(info->label);

	if (!info->junit)
		return;
	out_printf(o, "<%s", info->junit);
	put_attr(o, "message", message);
	if (info->bad)
		put_attr(o, "type", str_of(info->name));
	out_lit(o, "/>");
}

struct limited {
	struct out *to;
	size_t left;
};

static int write_limited(void *ctx, const char *p, size_t n)
{
	struct limited *l = ctx;
	size_t take = n < l->left ? n : l->left;

	out_xml(l->to, str_n(p, take));
	l->left -= take;
	return 0;
}

static void put_log(struct report *r, struct out *o, unsigned program, const struct testcase *c)
{
	struct limited l = { .to = o, .left = OUTPUT_MAX };
	struct out raw;

	if (!r->opt->log || !c->to || !STATUS_INFO[c->status].bad)
		return;
	out_lit(o, "<system-out>");
	out_to(&raw, write_limited, &l);
	r->opt->log(r->opt->log_ctx, 0, program, c->from, c->to, &raw);
	out_flush(&raw);
	out_lit(o, "</system-out>");
}

static void add_case(struct report *r, struct report_program *p, const struct testcase *c)
{
	struct out o;

	p->counts[c->status]++;
	p->n_known += c->known != NULL;
	p->n++;
	p->any_bad |= STATUS_INFO[c->status].bad;
	if (r->opt->summary)
		return;
	out_to_buf(&o, &p->text);
	out_lit(&o, "    <testcase");
	put_attr(&o, "name", c->name);
	put_attr(&o, "classname", c->class_name);
	put_seconds(&o, c->duration_ms);
	out_char(&o, '>');
	if (c->known)
		put_known(&o, c);
	else
		put_outcome(&o, c);
	put_log(r, &o, p->id, c);
	out_lit(&o, "</testcase>\n");
	out_flush(&o);
}

static uint64_t counted(const struct report_program *p, const char *element)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < STATUS_N; i++)
		if (STATUS_INFO[i].junit && strcmp(STATUS_INFO[i].junit, element) == 0)
			n += p->counts[i];
	return n;
}

static void put_suite(struct report *r, struct report_program *p, struct str name,
		      int64_t duration_ms)
{
	struct out *o = r->out;
	char time[UNIT_TEXT_MAX];

	out_lit(o, "  <testsuite");
	put_attr(o, "name", name);
	out_printf(o, " tests=\"%" PRIu64 "\" failures=\"%" PRIu64 "\" errors=\"%" PRIu64
		      "\" skipped=\"%" PRIu64 "\"",
		   p->n, counted(p, "failure") - p->n_known, counted(p, "error"),
		   counted(p, "skipped") + p->n_known);
	put_seconds(o, duration_ms);
	if (p->begin_ms)
		put_attr(o, "timestamp", str_of(date_rfc3339(p->begin_ms, time)));
	out_lit(o, ">\n");
	out_str(o, buf_str(&p->text));
	if (p->more.n) {
		out_lit(o, "    <system-err>");
		out_xml(o, buf_str(&p->more));
		out_lit(o, "</system-err>\n");
	}
	out_lit(o, "  </testsuite>\n");
	buf_clear(&p->text);
	buf_clear(&p->more);
	memset(p->counts, 0, sizeof(p->counts));
	p->n = p->n_more = p->n_known = 0;
	p->any_bad = false;
}

static struct buf program_name(const struct report_program *p, char between)
{
	struct buf b = {};

	buf_add_str(&b, buf_str(&p->suite));
	buf_add(&b, &between, p->suite.n > 0);
	buf_add_str(&b, buf_str(&p->name));
	return b;
}

/* Names from @from to @to of the path. */
static struct buf joined(const struct event_result *e, unsigned from, unsigned to)
{
	struct buf b = {};

	for (unsigned i = from; i < to; i++) {
		buf_add(&b, " / ", i > from ? 3 : 0);
		buf_add_str(&b, e->path[i]);
	}
	return b;
}

static void add_result(struct report *r, struct report_program *p, const struct event_result *e,
		       unsigned from)
{
	struct buf class_name = p->begun ? program_name(p, '.') : joined(e, 0, from);
	struct buf name = joined(e, from, e->depth);

	if (!class_name.n)
		buf_add_str(&class_name, STR("results"));
	add_case(r, p, &(struct testcase){
		.class_name = buf_str(&class_name),
		.name = buf_str(&name),
		.reason = e->reason,
		.status = e->status,
		.duration_ms = e->duration_ms,
		.from = e->line_from,
		.to = e->line_to,
		.known = e->known,
	});
	buf_done(&class_name);
	buf_done(&name);
}

/* Of a parsed stream: an outermost parent is a suite; the childless between two
 * of them (.n_more) are one, too. */
static void parsed_result(struct report *r, struct report_program *p,
			  const struct event_result *e)
{
	bool parent = e->depth == 1 && !e->leaf;

	if (e->depth > 1 && p->n_more)
		put_suite(r, p, STR("results"), -1);
	p->n_more += e->depth == 1 && e->leaf;
	if (e->leaf)
		add_result(r, p, e, e->depth > 1);
	else if (parent && STATUS_INFO[e->status].bad && !p->any_bad)
		add_result(r, p, e, 0);
	if (parent)
		put_suite(r, p, e->path[0], e->duration_ms);
	else if (p->text.n > SUITE_MAX)
		put_suite(r, p, e->depth > 1 ? e->path[0] : STR("results"), -1);
}

static void program_end(struct report *r, const struct event *ev)
{
	struct report_program *p = report_program_of(&r->programs, ev);
	const struct event_program *e = ev->prog;
	struct buf name = program_name(p, '/'), class_name = program_name(p, '.');

	if (p->attempt > 1)
		buf_printf(&name, " (attempt %u)", p->attempt);
	if (status_end_counts(e->status, p->counts))
		add_case(r, p, &(struct testcase){
			.class_name = buf_str(&class_name),
			.name = buf_str(&p->name),
			.reason = e->reason,
			.status = e->status,
			.duration_ms = e->duration_ms,
			.from = 1,
			.to = e->log_lines,
			.known = e->known,
		});
	put_suite(r, p, buf_str(&name), e->duration_ms);
	report_program_end(p);
	buf_done(&name);
	buf_done(&class_name);
}

static void note(struct report *r, const struct event *ev, struct str what, struct str text,
		 uint64_t line)
{
	struct report_program *p = report_program_of(&r->programs, ev);

	if (p->more.n < OUTPUT_MAX)
		buf_printf(&p->more, "%.*s: %.*s (line %" PRIu64 ")\n", STR_FMT(what),
			   STR_FMT(text), line);
}

static void on_event(struct report *r, const struct event *ev)
{
	struct report_program *p;

	switch (ev->type) {
	case EVENT_PROGRAM_BEGIN: report_program_begin(&r->programs, ev); break;
	case EVENT_PROGRAM_END: program_end(r, ev); break;
	case EVENT_RESULT:
		p = report_program_of(&r->programs, ev);
		if (r->opt->parsed)
			parsed_result(r, p, ev->result);
		else if (ev->result->leaf)
			add_result(r, p, ev->result, 0);
		if (!r->opt->parsed && p->text.n > SUITE_MAX) {
			struct buf name = program_name(p, '/');

			put_suite(r, p, buf_str(&name), -1);
			buf_done(&name);
		}
		break;
	case EVENT_PROBLEM:
		note(r, ev, str_of(PROBLEM_NAMES[ev->problem->what]), ev->problem->message,
		     ev->problem->line);
		break;
	case EVENT_SPLAT:
		note(r, ev, ev->splat->excuse ? STR("ignored") : ev->splat->kind, ev->splat->title,
		     ev->splat->line);
		break;
	case EVENT_RUN_BEGIN:
	case EVENT_RUN_END:
	case EVENT_JOB_BEGIN:
	case EVENT_JOB_END:
	case EVENT_ARTEFACT: break;
	}
}

static struct report *begin(struct out *out, const struct report_options *opt)
{
	struct report *r = xcalloc(1, sizeof(*r));

	r->out = out;
	r->opt = opt;
	out_lit(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
	return r;
}

static void end(struct report *r)
{
	for (unsigned i = 0; i < r->programs.n; i++) {
		struct report_program *p = r->programs.v[i];
		struct buf name = program_name(p, '/');

		if (p->attempt > 1)
			buf_printf(&name, " (attempt %u)", p->attempt);
		if (!p->ended)
			buf_clear(&name);
		if (!name.n)
			buf_add_str(&name, r->opt->parsed ? STR("results") : STR("run"));
		if (p->n || p->more.n)
			put_suite(r, p, buf_str(&name), -1);
		buf_done(&name);
	}
	out_lit(r->out, "</testsuites>\n");
	report_programs_done(&r->programs);
	free(r);
}

const struct report_format report_junit = {
	.name = "junit",
	.every_result = true,
	.summary = "JUnit XML, for Jenkins, GitLab and the like",
	.begin = begin,
	.event = on_event,
	.end = end,
};
