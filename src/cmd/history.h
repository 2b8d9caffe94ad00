/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the commands that look back share: the store of the options, the run
 * that is meant, exit codes, columns of text from outside.
 */
#include "base/json.h"
#include "cmd/cmd.h"
#include "store/store.h"

/* For reading. 1, or 0 when there is none yet: an empty history, no error. */
int history_open(const struct cmd_common *common, struct store **ret, struct err *err);
/* As store_run_find(); a store that is not there yet has no such run. */
int history_find(const struct cmd_common *common, const char *spec, struct store **ret_store,
		 int64_t *ret_id, struct err *err);
/* Prints the sentence; a run or test that is not there is the user's mistake. */
int history_fail(struct cmd *c, int r, const struct err *err);

#define HISTORY_RUN_HELP                                                                    \
	"RUN is a number of 'taproom runs', latest, latest-1 (the one before), or the " \
	"beginning of a run's id."

/* -1 when there is one operand; else says so and returns the exit code. */
int history_one_operand(struct cmd *c, const char *command, int n, char **argv);
struct decoder;
struct known_options;
struct verdict;
/* The run as a document of that format, to @out, its splats' texts with it when
 * there is a @decoder (not NULL), and known issues by the rules that held when it
 * began. @verdict (not NULL) hears it too. Returns the exit code. */
int history_report(struct cmd *c, const struct cmd_common *common,
		   const struct known_options *known, const char *spec, const char *format,
		   struct decoder *decoder, struct verdict *verdict, struct out *out);

unsigned history_columns(struct str s); /* that it takes */
/* @s in exactly @width columns: cut with an ellipsis, padded with blanks when
 * @pad. Escaped as out_term() does. */
void history_cell(struct out *out, struct str s, unsigned width, bool pad);
/* @s whole, padded to at least @width columns. For pipes: what is cut can't be
 * looked for. */
void history_field(struct out *out, struct str s, unsigned width);
void history_colour(struct cmd *c, const char *ansi); /* NULL: back to normal */
