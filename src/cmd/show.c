/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/units.h"
#include "cmd/decoder.h"
#include "cmd/history.h"
#include "cmd/known.h"
#include "cmd/verdict.h"

struct show_options {
	struct cmd_common common;
	struct decoder_options decoder;
	struct known_options known;
};

static const struct opt OPTS[] = {
	OPT_GROUP("Decoding", DECODER_OPTIONS, struct show_options, decoder),
	OPT_GROUP("Known issues", KNOWN_OPTIONS, struct show_options, known),
	OPT_GROUP("Common", CMD_COMMON, struct show_options, common),
	OPT_END,
};

const struct opt_command cmd_show_help = {
	.usage = "taproom show RUN [options]",
	.summary = "Shows one run: what did not pass, counts, conclusion; all of it with -v.",
	.text = "With --decode the text of each splat stands below it. The last line says what the "
		"runs before, of the same branch, mode and machine, tell of each failure: flaky, "
		"with its rate, 95 % interval and number of runs; or new, with the number of runs "
		"in which it did not fail. 'taproom diff' tells the chances.\n" HISTORY_RUN_HELP,
	.opts = OPTS,
	.examples = "  taproom show latest\n"
		    "  taproom show 17 -v\n",
};

static void word(struct cmd *c, const char *before, struct str s)
{
	if (s.n == 0)
		return;
	out_str(c->out, str_of(before));
	out_term(c->out, s);
}

/* What the document does not tell: which run it is. */
static int print_head(void *ctx, const struct store_run *r)
{
	struct cmd *c = ctx;
	char text[UNIT_TEXT_MAX];

	out_printf(c->out, "run %" PRId64, r->id);
	word(c, " (", r->uid);
	out_printf(c->out, "), begun %s UTC", date_text(r->begin_ms, text));
	if (r->end_ms > r->begin_ms) /* else nobody told */
		out_printf(c->out, ", took %s", duration_text(r->end_ms - r->begin_ms, text));
	word(c, "\n", r->title);
	word(c, ", branch ", r->branch);
	word(c, ", commit ", r->commit);
	word(c, "\nagain: ", r->command);
	out_lit(c->out, "\n\n");
	return 0;
}

static int print_state(void *ctx, const struct store_run *r)
{
	struct cmd *c = ctx;

	if (r->state == STORE_RUN_LOST)
		out_lit(c->out, "lost: it ended without a word; what had finished is above\n");
	else if (r->state == STORE_RUN_RUNNING)
		out_lit(c->out, "still running; what has finished is above\n");
	else if (r->state == STORE_RUN_STOPPED)
		out_lit(c->out, "stopped by its user; what had finished is above\n");
	return 0;
}

struct judged_run {
	struct cmd *c;
	struct str words;
};

/* A run of ours has the words in its conclusion already. */
static int print_words(void *ctx, const struct store_run *r)
{
	struct judged_run *j = ctx;

	if (str_find(r->conclusion, j->words) < 0)
		out_printf(j->c->out, "From the runs before: %.*s\n", STR_FMT(j->words));
	return 0;
}

static int print_verdict(struct cmd *c, struct store *s, int64_t id, const struct verdict *v)
{
	_cleanup_(buf_done) struct buf words = {};
	struct judged_run j = { .c = c };
	struct err err = {};
	int r = verdict_tell(v, s, id, &words, &err);

	j.words = buf_str(&words);
	if (r == 0 && words.n)
		r = store_run_get(s, id, print_words, &j, &err);
	return r < 0 ? history_fail(c, r, &err) : EXIT_PASSED;
}

static int show_text(struct cmd *c, const struct show_options *o, const char *spec,
		     struct decoder *decoder)
{
	struct verdict *verdict;
	struct store *s = NULL;
	struct err err = {};
	char number[24];
	int64_t id;
	int code, r = history_find(&o->common, spec, &s, &id, &err);

	if (r == 0)
		r = store_run_get(s, id, print_head, c, &err);
	if (r < 0) {
		store_close(s);
		return history_fail(c, r, &err);
	}
	/* By its number: "latest" may be another one by now. */
	snprintf(number, sizeof(number), "%" PRId64, id);
	verdict = verdict_new();
	code = history_report(c, &o->common, &o->known, number, "text", decoder, verdict, c->out);
	if (code == EXIT_PASSED)
		store_run_get(s, id, print_state, c, NULL);
	if (code == EXIT_PASSED)
		code = print_verdict(c, s, id, verdict);
	verdict_free(verdict);
	store_close(s);
	return code;
}

int cmd_show_run(struct cmd *c, int argc, char **argv)
{
	struct show_options o = {};
	struct decoder decoder, *d = NULL;
	struct err err;
	int n, code = cmd_options(c, &cmd_show_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	code = history_one_operand(c, "show", n, argv);
	if (code >= 0)
		return code;
	decoder_init(&decoder, c, &o.decoder);
	if (decoder_wanted(&o.decoder))
		d = &decoder;
	if (o.common.json)
		code = history_report(c, &o.common, &o.known, argv[1], "json", d, NULL, c->out);
	else
		code = show_text(c, &o, argv[1], d);
	err = decoder.err;
	decoder_done(&decoder);
	return code == EXIT_PASSED && err.code ? cmd_fail(c, EXIT_USAGE, &err) : code;
}
