/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/excuse.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/regex.h"

struct rule {
	struct regex *regex;
	struct event_excuse say;
	char *pattern;
	bool gave_up, told;
};

struct excuses {
	struct event_sink next;
	struct rule *rules;
	unsigned n;
};

int excuses_new(const struct excuse_rule *rules, unsigned n, struct excuses **ret,
		struct err *err)
{
	struct excuses *e = xcalloc(1, sizeof(*e));

	e->rules = xcalloc(n, sizeof(*e->rules));
	for (unsigned i = 0; i < n; i++) {
		int r = regex_new(rules[i].pattern, &e->rules[i].regex, NULL, err);

		if (r < 0) {
			excuses_free(e);
			return err_wrap(err, r, "pattern '%s'", rules[i].pattern);
		}
		e->rules[i].pattern = xstrdup(rules[i].pattern);
		e->rules[i].say = rules[i].say;
		e->n++;
	}
	*ret = e;
	return 0;
}

struct excuses *excuses_free(struct excuses *e)
{
	if (e) {
		for (unsigned i = 0; i < e->n; i++) {
			regex_free(e->rules[i].regex);
			free(e->rules[i].pattern);
		}
		free(e->rules);
		free(e);
	}
	return NULL;
}

static bool matches(struct rule *r, struct str s)
{
	int rc = regex_match(r->regex, s);

	r->gave_up |= rc < 0;
	return rc > 0;
}

static void on_event(void *ctx, const struct event *ev)
{
	struct excuses *e = ctx;
	struct event_splat splat;
	struct event out = *ev;

	for (unsigned i = 0; ev->type == EVENT_SPLAT && i < e->n; i++) {
		if (!matches(&e->rules[i], ev->splat->title) &&
		    !matches(&e->rules[i], ev->splat->text))
			continue;
		splat = *ev->splat;
		splat.excuse = &e->rules[i].say;
		out.splat = &splat;
		break;
	}
	event_emit(&e->next, &out);
}

struct event_sink excuses_sink(struct excuses *e, struct event_sink next)
{
	if (!e)
		return next;
	e->next = next;
	return (struct event_sink){ on_event, e };
}

const char *excuses_gave_up(struct excuses *e)
{
	for (unsigned i = 0; e && i < e->n; i++) {
		if (!e->rules[i].gave_up || e->rules[i].told)
			continue;
		e->rules[i].told = true;
		return e->rules[i].pattern;
	}
	return NULL;
}
