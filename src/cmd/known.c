/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/known.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/units.h"
#include "cmd/judged.h"
#include "web/known.h"

const struct opt KNOWN_OPTIONS[] = {
	{ .type = OPT_TYPE_STR, .name = "config", .arg = "FILE",
	  .help = "configuration with the known issues [default: as 'taproom run' finds it]",
	  .offset = offsetof(struct known_options, config) },
	OPT_END,
};

int known_load(const struct known_options *o, struct plan **ret, struct err *err)
{
	return plan_load(o->config, ".", ret, err);
}

static bool rule_about(const void *ctx, struct str name)
{
	return plan_known_about(ctx, name);
}

static void say_expired(const struct plan *plan, const struct plan_known *r,
			const struct log *log)
{
	if (log)
		log_warn(log,
			 "%s: the rule about '%s' ended on %s: its failures count again%s%s",
			 plan->path ? plan->path : "configuration", r->test, r->until,
			 r->owner ? "; its owner is " : "", r->owner ? r->owner : "");
}

int known_make(const struct plan *plan, int64_t at_ms, const struct log *log,
	       known_log_fn log_fn, void *ctx, struct knowns **ret, struct err *err)
{
	_free_ struct known_rule *rules = xcalloc(plan->known_count + 1, sizeof(*rules));
	unsigned n = 0;

	*ret = NULL;
	for (unsigned i = 0; i < plan->known_count; i++) {
		const struct plan_known *r = &plan->known[i];

		if (!plan_known_holds(r, at_ms)) {
			say_expired(plan, r, log);
			continue;
		}
		rules[n++] = (struct known_rule){
			.about = rule_about, .ctx = r,
			.branch = r->branch, .mode = r->mode, .machine = r->machine,
			.pattern = r->pattern,
			.say = { str_of(r->reason), str_of(r->link), str_of(r->owner),
				 str_of(r->until) },
		};
	}
	return n ? knowns_new(rules, n, log_fn, ctx, ret, err) : 0;
}

void known_warn(struct knowns *k, const struct log *log)
{
	const char *pattern;

	while ((pattern = knowns_gave_up(k)))
		log_warn(log, "the pattern '%s' needs too much time on a log: nothing is excused "
			      "by it there; make it more exact", pattern);
}

int known_log_file(void *ctx, unsigned program, struct str path, uint64_t from, uint64_t to,
		   struct out *out)
{
	_free_ char *name = xstrndup(path.p ? path.p : "", path.n);
	FILE *f = name[0] ? fopen(name, "re") : NULL;
	uint64_t line = 1;
	char piece[65536];

	(void)ctx;
	(void)program;
	if (!f)
		return -ENOENT;
	while (line <= to && fgets(piece, sizeof(piece), f)) {
		struct str s = str_of(piece);

		if (line >= from)
			out_str(out, s);
		line += str_ends(s, STR("\n"));
	}
	fclose(f);
	return 0;
}

/* ---- series ---- */

static bool fits(const char *glob, struct str s)
{
	char text[256];

	if (!glob || !s.n)
		return true;
	snprintf(text, sizeof(text), "%.*s", STR_FMT(s));
	return str_glob(glob, text);
}

bool known_about_series(const struct plan_known *rule, const struct judge_series *s)
{
	const struct judge_axis *a = s->lane->axis;
	_cleanup_(buf_done) struct buf name = {};

	if (!fits(rule->branch, a->branch) || !fits(rule->mode, a->mode) ||
	    !fits(rule->machine, a->machine))
		return false;
	buf_printf(&name, "%.*s/%.*s%s%.*s", STR_FMT(s->lane->suite), STR_FMT(s->lane->program),
		   s->path.n ? "/" : "", STR_FMT(s->path));
	return plan_known_about(rule, buf_str(&name));
}

const struct plan_known *known_of(const struct plan *plan, const struct judge_series *s,
				  int64_t now_ms)
{
	for (unsigned i = 0; plan && i < plan->known_count; i++)
		if (plan_known_holds(&plan->known[i], now_ms) &&
		    known_about_series(&plan->known[i], s))
			return &plan->known[i];
	return NULL;
}

void known_tell(struct buf *b, const struct plan_known *rule)
{
	buf_printf(b, "%s: %s", rule->pattern ? "known in part" : "known", rule->reason);
	if (rule->owner || rule->until)
		buf_printf(b, " (%s%s%s%s)", rule->owner ? rule->owner : "",
			   rule->owner && rule->until ? ", " : "", rule->until ? "until " : "",
			   rule->until ? rule->until : "");
	if (rule->link)
		buf_printf(b, " %s", rule->link);
}

void known_print(struct cmd *c, unsigned indent, const struct plan_known *rule)
{
	_cleanup_(buf_done) struct buf b = {};

	if (!rule)
		return;
	known_tell(&b, rule);
	out_printf(c->out, "%*s", (int)indent, "");
	history_cell(c->out, buf_str(&b), judged_width(c, indent), false);
	out_char(c->out, '\n');
}

void known_json(struct json *j, const char *key, const struct plan_known *rule)
{
	const struct {
		const char *key, *value;
	} rows[] = {
		{ "test", rule->test }, { "pattern", rule->pattern }, { "branch", rule->branch },
		{ "mode", rule->mode }, { "machine", rule->machine }, { "reason", rule->reason },
		{ "link", rule->link }, { "owner", rule->owner }, { "since", rule->since },
		{ "until", rule->until },
	};

	json_key(j, key);
	json_object(j);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].value)
			json_field_str(j, rows[i].key, str_of(rows[i].value));
	json_end(j);
}

bool known_web(const void *ctx, const struct judge_series *s, struct web_excuse *ret)
{
	const struct known_asked *asked = ctx;
	const struct plan_known *r = known_of(asked->plan, s, asked->now_ms);

	if (!r)
		return false;
	*ret = (struct web_excuse){
		.say = { str_of(r->reason), str_of(r->link), str_of(r->owner), str_of(r->until) },
		.some = r->pattern != NULL,
	};
	return true;
}

void known_api(const void *ctx, struct json *j, const struct judge_series *s)
{
	const struct known_asked *asked = ctx;
	const struct plan_known *rule = known_of(asked->plan, s, asked->now_ms);

	if (rule)
		known_json(j, "known", rule);
}
