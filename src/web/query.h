/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Query: which part of a page is asked for, as it stands in its address behind
 * the '?': "branch=net&status=fail&sort=cost". A server parses it, links print
 * it; what was printed is parsed as the same. What is at its default is not
 * printed, so that an address is short and there is one for each view. A page
 * says which keys it takes; the others say nothing there.
 *
 * Keys that nobody knows are skipped (others add theirs to links), values that
 * can't be are an error. "+" is a space, as forms send it.
 */
#include "base/err.h"
#include "base/mem.h"
#include "base/out.h"
#include "judge/flakes.h"

/* In the order in which they are printed. */
enum web_key {
	WEB_KEY_BRANCH,
	WEB_KEY_MODE,
	WEB_KEY_MACHINE,
	WEB_KEY_SUITE,
	WEB_KEY_NAME,
	WEB_KEY_STATUS,
	WEB_KEY_FLIPS,
	WEB_KEY_DAYS,
	WEB_KEY_KNOWN,
	WEB_KEY_SORT,
	WEB_KEY_BEFORE,
	WEB_KEY_SKIP,
	WEB_KEY_A,
	WEB_KEY_B,
	WEB_KEY_FIND,
	WEB_KEY_LINE,
	WEB_KEY_BRANCHES,
	WEB_KEY_BRANCH_NAME,
	WEB_KEY_BR_PFX,
	WEB_KEY_REMOTE,
	WEB_KEY_FORMAT,
	WEB_KEY_N,
};
#define WEB_TAKES(key) (UINT32_C(1) << WEB_KEY_##key)
#define WEB_TAKES_ALL  ((UINT32_C(1) << WEB_KEY_N) - 1)

#define WEB_QUERY_MAX  4096 /* bytes of it all, as they are sent */
#define WEB_VALUE_MAX  512  /* bytes of one value, decoded */
#define WEB_DAYS_MAX   36500
#define WEB_COUNT_MAX  1000000
#define WEB_LINE_NO_MAX 4000000000 /* of a log */

enum web_known {
	WEB_KNOWN_ANY,
	WEB_KNOWN_YES, /* a rule excuses it, or all that failed was excused: flaky */
	WEB_KNOWN_NO,
	WEB_KNOWN_N,
};
extern const char *const WEB_KNOWN_WORDS[WEB_KNOWN_N]; /* "yes", "no"; any: "" */

/* "17", or "17..25": runs from one to the other in time, both included; 0: none. */
struct web_span {
	int64_t first, last;
};

struct web_query {
	struct str branch, mode, machine, suite; /* equal; empty: any */
	/* Of "suite/program/path": a part of it, in any case; with one of *?[ a
	 * glob of all of it. Empty: any. */
	struct str name;
	uint32_t status;      /* 1 << enum status: had one of them; 0: failed, or was flaky */
	uint32_t flips;       /* at least so many */
	uint32_t days;        /* runs begun in so many days up to the newest; 0: the newest 1000 */
	enum web_known known;
	enum judge_sort sort;
	int64_t before;       /* only runs older than this one; 0: from the newest */
	uint32_t skip;        /* rows, from the top */
	struct web_span a, b; /* to compare */
	struct str find;      /* in a log, in any case; empty: nothing is searched */
	uint32_t line;        /* of a log, from which on; 0: the first */
	/* netdev's, see web/nipa.c. */
	uint32_t branches;
	struct str branch_name, br_pfx, remote, format;
};

/* @text: without the '?'. @takes: WEB_TAKES() of the keys that are looked at. Strings
 * of *ret live in @arena, or are literals. -EINVAL: a sentence says which value;
 * *ret is not to be used then. */
int web_query_parse(struct str text, uint32_t takes, struct arena *arena,
		    struct web_query *ret, struct err *err);
/* With its '?' in front; nothing at all when all of it is at its default. @html:
 * for an attribute ("&amp;"). */
void web_query_print(const struct web_query *q, bool html, struct out *out);
/* Whether "suite/program/path" fits .name. */
bool web_query_names(const struct web_query *q, struct str suite, struct str program,
		     struct str path);
