/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Known issues on pages: rules of whoever exports or serves, by which a failure is
 * somebody's and does not count. Judged rates are what they are, rule or not.
 */
#include "judge/judge.h"
#include "web/pages.h"

struct web_excuse {
	struct event_excuse say;
	bool some; /* only failures that fit a pattern, which no rate of them knows */
};

struct web_rules {
	/* The first rule that is about it; its strings live as long as the site. */
	bool (*find)(const void *ctx, const struct judge_series *s, struct web_excuse *ret);
	const void *ctx;
};

/* False where the site has no rules. */
bool web_known_find(const struct web_site *site, const struct judge_series *s,
		    struct web_excuse *ret);
/* The same for a result of a run: the test with web_test_hash() @test in @mode. */
bool web_known_find_test(const struct web_site *site, uint64_t test, struct str mode,
			 struct web_excuse *ret);
/* " known", with all of it for whoever asks. */
void html_known_pill(struct web_html *h, const struct web_excuse *e);
/* "Known: reason (owner, until 2026-12-31) link" */
void html_known(struct web_html *h, const struct web_excuse *e);
