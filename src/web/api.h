/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Api: documents as JSON. What `--json` of a command prints and what a server answers
 * below api/v1/ is written here, by the same functions: names that are told once stay.
 * docs/api.md has every field.
 *
 * Whoever calls gives the json; what stands in it is closed when these return 0.
 */
#include "base/json.h"
#include "judge/changes.h"
#include "judge/compare.h"
#include "judge/flakes.h"
#include "store/store.h"

/* Writes a field "known" where a rule of the configuration is about the test. A server
 * has no configuration: it passes NULL. */
struct api_known {
	void (*tell)(const void *ctx, struct json *j, const struct judge_series *s);
	const void *ctx;
};

extern const char *const API_STATES[]; /* by enum store_run_state */

/* ---- parts ---- */

void api_counts(struct json *j, const uint64_t counts[static STATUS_N]); /* "counts" */
void api_running(struct json *j, struct str words); /* "running", of struct store_run */
void api_rate(struct json *j, const char *key, const struct stat_rate *r);
void api_axis(struct json *j, const struct judge_axis *a);     /* fields */
void api_series(struct json *j, const struct judge_series *s); /* fields */
void api_run(struct json *j, const char *key, const struct judge_run *r);

/* ---- documents ---- */

/* One of `taproom runs`; @s: of which its programs are read; NULL: without them. */
int api_runs_one(struct json *j, const struct store_run *r, struct store *s, struct err *err);
/* Those @n of @f; what they said in the @n_runs runs @runs of it. */
void api_flakes(struct json *j, const struct judge_flakes *f, const struct judge_flake *const *v,
		size_t n, const uint32_t *runs, uint32_t n_runs, const struct api_known *known);
/* The newest @max, those that are told together counted once. */
void api_changes(struct json *j, const struct judge_events *e, const struct judge_run *runs,
		 size_t max, const struct api_known *known);
/* @side: the runs that are compared. */
void api_diff(struct json *j, const struct judge_compared *d, const struct judge_run *runs,
	      const struct judge_side side[JUDGE_SIDES], const struct api_known *known);
