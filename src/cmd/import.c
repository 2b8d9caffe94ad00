/* SPDX-License-Identifier: GPL-2.0-or-later */
/* taproom import: the results of others, into the history. */
#include "import/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/units.h"
#include "cmd/cmd.h"
#include "run/run.h"
#include "store/store.h"

#define DAMAGED_SHOWN 20  /* sentences; the rest is counted. -v: all */
#define DRAW_MS       100
#define GROUP_MS      250 /* so long others can't write to the store */

struct import_options {
	struct cmd_common common;
	const char *branch, *mode, *machine, *suite, *commit;
};

#define AT(field) .offset = offsetof(struct import_options, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_STR, .name = "branch", .arg = "B", AT(branch),
	  .help = "for runs that name none" },
	{ .type = OPT_TYPE_STR, .name = "commit", .arg = "HASH", AT(commit),
	  .help = "for runs that name none" },
	{ .type = OPT_TYPE_STR, .name = "mode", .arg = "M", AT(mode),
	  .help = "for runs that name none: the kernel's configuration mode" },
	{ .type = OPT_TYPE_STR, .name = "machine", .arg = "M", AT(machine),
	  .help = "for runs that name none: where they ran" },
	{ .type = OPT_TYPE_STR, .name = "suite", .arg = "S", AT(suite),
	  .help = "for tests that name none" },
	OPT_GROUP("Common", CMD_COMMON, struct import_options, common),
	OPT_END,
};

const struct opt_command cmd_import_help = {
	.usage = "taproom import FORMAT PATH... [options]",
	.summary = "Imports results that others recorded.",
	.text = "FORMAT is mptcp-results (a directory, a file, a git checkout), tap, junit, nipa, "
		"kcidb, testclutch, events, or json: what 'taproom report' wrote in that "
		"format; events has the logs.\n"
		"A run that is there already stays as it is: the same PATH twice changes nothing. "
		"A damaged record is reported and counted, the rest goes in.\n"
		"Exit status: 0 all of it is there, 1 something was damaged, 2 usage, 4 nothing "
		"more could be read or kept.",
	.opts = OPTS,
	.examples = "  taproom import mptcp-results results/\n"
		    "  taproom import junit --branch main build/reports/*.xml\n",
};

struct importing {
	struct cmd *cmd;
	struct store *store;
	struct store_record *record;
	struct run_work work; /* logs, until they are kept */
	bool grouped;
	int64_t group_ms;  /* begun */
	uint64_t group_runs;
	bool all; /* every damaged record is told */
	bool draw, drawn;
	uint64_t told;
	int64_t drawn_ms;
};

static void undraw(struct importing *x)
{
	if (x->drawn)
		fputs("\r\033[K", stderr);
	x->drawn = false;
}

static void on_progress(void *ctx, const char *what, uint64_t done, uint64_t all)
{
	struct importing *x = ctx;
	int64_t now;

	if (!x->draw || (now = clock_mono_ms()) < x->drawn_ms + DRAW_MS)
		return;
	x->drawn_ms = now;
	undraw(x);
	if (all)
		fprintf(stderr, "import: %" PRIu64 " of %" PRIu64 " %s", done, all, what);
	else
		fprintf(stderr, "import: %" PRIu64 " %s", done, what);
	x->drawn = true;
	fflush(stderr);
}

static void on_damaged(void *ctx, const char *file, const char *where, const char *why)
{
	struct importing *x = ctx;

	if (x->told++ < DAMAGED_SHOWN || x->all) {
		undraw(x);
		log_warn(&x->cmd->log, "'%s', %s: %s", file, where, why);
	}
}

static int is_uid(void *ctx, const struct store_run *run)
{
	return str_eq(run->uid, *(const struct str *)ctx);
}

static int is_known(struct importing *x, struct str uid, struct err *err)
{
	_free_ char *spec = xstrndup(uid.p, uid.n);
	int64_t id;
	int r = store_run_find(x->store, spec, &id, err);

	/* It finds beginnings too. */
	if (r == -ENOENT || r == -EINVAL)
		return 0;
	return r < 0 ? r : store_run_get(x->store, id, is_uid, &uid, err);
}

/* A sync costs more than a run: those of a moment share one. */
static int group_end(struct importing *x, struct err *err)
{
	int r;

	if (!x->grouped)
		return 0;
	x->grouped = false;
	r = store_group_end(x->store, err);
	if (r == 0)
		x->group_runs = 0;
	return r;
}

static int group_begin(struct importing *x, struct err *err)
{
	int r = x->grouped ? 0 : store_group_begin(x->store, err);

	if (!x->grouped)
		x->group_ms = clock_mono_ms();
	x->grouped = r == 0;
	return r;
}

static int on_begin(void *ctx, struct str uid, struct event_sink *ret, struct err *err)
{
	struct importing *x = ctx;
	int r = is_known(x, uid, err);

	if (r)
		return r < 0 ? r : 0;
	r = group_begin(x, err);
	if (r == 0)
		r = store_record_new(x->store, &x->record, err);
	if (r < 0)
		return r;
	store_record_durable(x->record, STORE_PER_RUN);
	*ret = store_record_sink(x->record);
	return 1;
}

static int on_end(void *ctx, struct err *err)
{
	struct importing *x = ctx;
	int r = store_record_error(x->record, err);

	x->record = store_record_free(x->record);
	x->group_runs += r == 0;
	if (r == 0 && clock_mono_ms() >= x->group_ms + GROUP_MS)
		r = group_end(x, err);
	return r;
}

static void tell_json(struct cmd *c, const struct import_counts *n, int64_t ms)
{
	struct json j;

	json_init(&j, c->out, false);
	json_object(&j);
	json_field_int(&j, "records", (int64_t)n->records);
	json_field_int(&j, "runs", (int64_t)n->runs);
	json_field_int(&j, "known", (int64_t)n->known);
	json_field_int(&j, "damaged", (int64_t)n->damaged);
	json_field_int(&j, "results", (int64_t)n->results);
	json_field_int(&j, "duration_ms", ms);
	json_end(&j);
	out_char(c->out, '\n');
}

static void tell_text(struct cmd *c, const struct import_counts *n, int64_t ms)
{
	char text[UNIT_TEXT_MAX];

	out_printf(c->out, "%" PRIu64 " new run%s with %" PRIu64 " result%s in %s", n->runs,
		   n->runs == 1 ? "" : "s", n->results, n->results == 1 ? "" : "s",
		   duration_text(ms, text));
	if (n->known)
		out_printf(c->out, "; %" PRIu64 " known already", n->known);
	if (n->damaged)
		out_printf(c->out, "; %" PRIu64 " damaged", n->damaged);
	out_char(c->out, '\n');
}

static int import_all(struct importing *x, const struct import_options *o,
		      const struct import_format *format, char **paths, int n,
		      struct import_counts *ret, struct err *err)
{
	struct import im = {
		.branch = o->branch, .mode = o->mode, .machine = o->machine, .suite = o->suite,
		.commit = o->commit, .begin = on_begin, .end = on_end, .damaged = on_damaged,
		.progress = on_progress, .ctx = x, .scratch = x->work.path,
	};
	int r = 0, e;

	for (int i = 0; i < n && r >= 0; i++) {
		r = format->read(&im, paths[i], err);
		x->record = store_record_free(x->record);
		e = group_end(x, r < 0 ? NULL : err);
		r = r < 0 ? r : e;
	}
	undraw(x);
	*ret = im.counts;
	ret->runs -= x->group_runs < ret->runs ? x->group_runs : ret->runs; /* not kept */
	return r;
}

int cmd_import_run(struct cmd *c, int argc, char **argv)
{
	const struct import_format *format;
	struct import_options o = {};
	struct import_counts counts = {};
	struct importing x = { .cmd = c, .work.lock = -1 };
	_free_ char *cache = cmd_cache_dir();
	struct err err = {};
	int64_t begun = clock_mono_ms();
	int n, r, code = cmd_options(c, &cmd_import_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	if (n < 2) {
		err_set(&err, EINVAL, "import: which format, and which files? "
				      "'taproom import --help' tells");
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	format = import_format_find(argv[1], &err);
	if (!format)
		return cmd_fail(c, EXIT_USAGE, &err);
	x.draw = c->terminal && !o.common.quiet;
	x.all = o.common.verbose > 0;
	r = store_open(o.common.store, STORE_WRITE, &x.store, &err);
	if (r >= 0)
		r = run_work_open(cache, &x.work, &err);
	if (r >= 0)
		r = import_all(&x, &o, format, argv + 2, n - 1, &counts, &err);
	store_close(x.store);
	run_work_close(&x.work);
	if (counts.damaged > DAMAGED_SHOWN && !x.all)
		log_warn(&c->log, "%" PRIu64 " more are damaged; -v names all",
			 counts.damaged - DAMAGED_SHOWN);
	if (o.common.json)
		tell_json(c, &counts, clock_mono_ms() - begun);
	else if (r >= 0)
		tell_text(c, &counts, clock_mono_ms() - begun);
	if (r < 0)
		return cmd_fail(c, EXIT_HARNESS, &err);
	return counts.damaged ? EXIT_FAILED : EXIT_PASSED;
}
