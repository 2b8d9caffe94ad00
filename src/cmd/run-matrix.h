/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Matrix: what `run --dry-run` prints, the jobs and how long each took before, and
 * what `run --list` prints, the tests.
 */
#include "base/json.h"
#include "cmd/run-plan.h"

/* @p: with the expectations of its tests. @machines: at a time. @j: as JSON, into
 * an array that is open; NULL: text to @out. @tests: each by name too. */
void run_matrix_print(const struct run_plan *p, const char *branch, unsigned machines,
		      bool tests, struct json *j, struct out *out);
/* The tests' selectors, each once. */
void run_list_print(const struct run_plan *p, bool as_json, struct out *out);
