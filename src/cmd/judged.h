/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How judgement is told: what changes, history, diff and flakes share.
 */
#include "cmd/history.h"
#include "judge/changes.h"
#include "judge/words.h"

#define JUDGED_SPARK 30 /* newest runs drawn in a row */

/* "export debug": what names an axis; the machine only @with_machine. */
void judged_axis(struct out *o, const struct judge_axis *a, bool with_machine);
/* "6f3a09c1d2e4 (run 12)" */
void judged_run(struct out *o, const struct judge_run *r);
/* Are there axes of several machines? */
bool judged_machines(const struct judge *j);
/* A mark for each of the last JUDGED_SPARK places before @end; a dot is absent,
 * never a pass. */
void judged_spark(struct cmd *c, const struct judge_series *s, uint32_t end);
void judged_mark(struct cmd *c, uint8_t cell);

/* Columns for a name behind @left others: of the terminal, or plenty in a pipe,
 * where a name that is cut can't be looked for. */
unsigned judged_width(const struct cmd *c, unsigned left);
