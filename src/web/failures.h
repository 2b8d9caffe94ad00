/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Failures of one test, the newest first, with what was told of each: the reason
 * and where its lines are. Read from the runs themselves, of that program only.
 */
#include "web/pages.h"

#define WEB_FAILURES_MAX 60 /* looked at for one test */

struct web_failure {
	const struct judge_series *s;
	uint32_t run;            /* of the history */
	enum status status;
	/* Only where .told: the run may be gone, or have lost its program. */
	bool told, log;
	unsigned program, job;
	uint64_t from, to;       /* lines of its log; 0: none */
	struct str reason;
};

/* ret[WEB_FAILURES_MAX]; strings live in @arena. Returns how many, or an error. */
int web_failures(const struct web_site *site, const struct web_test *test, struct arena *arena,
		 struct web_failure *ret, struct err *err);

/* By their reasons, numbers aside, as HTML. @machines: name the machine of each. */
void failures_write(struct web_html *h, const struct web_failure *failures, size_t n_failures,
		    bool machines);
