/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Between programs.c, which collects a run's programs, and results.c, which
 * writes one of them.
 */
#include "web/pages.h"

#define PROBLEMS_MAX 50
#define JOBS_MAX     1024  /* whose modes are remembered */

/* An event_result, kept until its program ends. */
struct result {
	struct str name, path;
	enum status status;
	bool leaf, implied;
	uint64_t line, line_from, line_to;
	int64_t duration_ms;
	int exit_code;
	unsigned ordinal;
	struct str reason;
	struct event_excuse known; /* .reason empty: it counts */
	uint64_t test;            /* web_test_hash(); of a group: 0 */
};

/* A flaw of the stream itself: an event_problem, kept. */
struct trouble {
	const char *what;
	uint64_t line;
	struct str message;
};

struct program {
	struct program *next;
	unsigned id, job, attempt;
	struct str suite, name;
	struct result *results;
	size_t n_results, cap_results;
	struct trouble problems[PROBLEMS_MAX];
	unsigned n_problems, more_problems;
	uint64_t counts[STATUS_N], hidden;
	struct web_nth nth;
	struct arena arena;
};

struct web_programs {
	struct web_html *h;
	int64_t run;
	bool modes;
	unsigned budget;          /* excerpts left */
	struct program *open;     /* began, not ended */
	struct str mode[JOBS_MAX];
	uint32_t *ids;            /* hashes of the ids that are taken */
	size_t n_ids, cap_ids;
	struct arena arena;
};

static inline struct str program_mode(const struct web_programs *p, unsigned job)
{
	return job < JOBS_MAX ? p->mode[job] : STR("");
}

/* One fold, open where something is wrong. @end NULL: it never ended. */
void program_write(struct web_programs *p, const struct program *g,
		   const struct event_program *end);
