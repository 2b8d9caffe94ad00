/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole logs against a table of what is in them. Arguments: the table, and
 * directories in which the logs may be; none there: skipped. A row:
 *
 *	NAME | VERDICT COUNT... | OURS | WHY
 *
 * The second column is what others say, or what happened; OURS is "=" where we
 * say the same.
 */
#include "base/file.h"
#include "base/mem.h"
#include "report/report.h"
#include "tap.h"
#include "tap/parse.h"

/* kunit_parser.py's words. Its errors are problems of the log: no status. */
static const struct {
	struct str theirs, ours;
} WORDS[] = {
	{ STR("SUCCESS"), STR("pass") },
	{ STR("SKIPPED"), STR("skip") },
	{ STR("FAILURE"), STR("fail") },
	{ STR("TEST_CRASHED"), STR("fail") },
	{ STR("passed"), STR("pass") },
	{ STR("failed"), STR("fail") },
	{ STR("crashed"), STR("crash") },
	{ STR("skipped"), STR("skip") },
};

static struct str our_word(struct str word)
{
	for (size_t i = 0; i < ARRAY_SIZE(WORDS); i++)
		if (str_eq(word, WORDS[i].theirs))
			return WORDS[i].ours;
	return word;
}

static void nothing(void *ctx, const struct event *ev)
{
}

static void add_counts(struct buf *b, enum report_verdict verdict, const uint64_t *counts)
{
	buf_printf(b, "%s", REPORT_VERDICTS[verdict]);
	for (unsigned i = 0; i < STATUS_N; i++)
		if (counts[i])
			buf_printf(b, " %s=%" PRIu64, STATUS_INFO[i].name, counts[i]);
}

/* The same form of what a row says; 0 when there is something we do not know. */
static int read_counts(struct buf *b, struct str cell)
{
	uint64_t counts[STATUS_N] = {};
	struct str verdict = our_word(str_cut(&cell, ' '));

	while (cell.p) {
		struct str count = str_cut(&cell, ' '), word = our_word(str_cut(&count, '='));
		enum status s;

		if (!status_from_name(word, &s) || !str_to_u64(count, &counts[s]))
			return 0;
	}
	for (unsigned i = 0; i <= REPORT_SKIP; i++) {
		if (str_eq(verdict, str_of(REPORT_VERDICTS[i]))) {
			add_counts(b, (enum report_verdict)i, counts);
			return 1;
		}
	}
	return 0;
}

static void check(struct tap *t, const char *dir, struct str row)
{
	struct str name = str_trim(str_cut(&row, '|')), theirs = str_trim(str_cut(&row, '|'));
	struct str ours = str_trim(str_cut(&row, '|')), why = str_trim(row);
	_cleanup_(buf_done) struct buf in = {}, got = {}, want = {};
	_free_ char *file = xstrndup(name.p, name.n), *path = path_join(dir, file);
	struct tap_options none = {};
	struct tap_summary sum;
	struct tap_parser *p;
	struct err err = {};
	bool same = str_eq(ours, STR("="));

	if (file_read(path, 0, &in, &err) < 0) {
		ok(t, false, "%s", err.text);
		return;
	}
	p = tap_parser_new(&none, (struct event_sink){ nothing, NULL });
	tap_parse(p, in.p, in.n);
	tap_parse_end(p, TAP_END_CLEAN, &sum);
	tap_parser_free(p);
	add_counts(&got, report_verdict(&sum), sum.counts);
	if (!read_counts(&want, same ? theirs : ours) || (!same && !why.n))
		ok(t, false, "%s: what does its row say?", file);
	else
		is_str(t, got.p, want.p, file);
}

int main(int argc, char **argv)
{
	_cleanup_(buf_done) struct buf table = {};
	struct tap t = {};
	struct err err = {};
	const char *dir = NULL;

	if (argc < 3) {
		fprintf(stderr, "usage: test-samples TABLE DIRECTORY...\n");
		return 2;
	}
	for (int i = 2; i < argc && !dir; i++)
		dir = argv[i][0] && file_exists(argv[i]) ? argv[i] : NULL;
	if (!dir)
		skip_all("the logs are not here (TAPROOM_CORPUS)");
	TAP_HEADER();
	if (!ok(&t, file_read(argv[1], 0, &table, &err) == 0, "the table is there"))
		printf("# %s\n", err.text);
	for (struct str rest = buf_str(&table); rest.p;) {
		struct str row = str_cut(&rest, '\n');

		if (row.n && row.p[0] != '#')
			check(&t, dir, row);
	}
	return tap_done(&t);
}
