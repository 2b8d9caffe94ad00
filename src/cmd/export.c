/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/units.h"
#include "cmd/known.h"
#include "store/store.h"
#include "web/known.h"
#include "web/web.h"

struct options {
	struct cmd_common common;
	struct known_options known;
	int runs;
	bool compress;
};

static const struct opt OPTIONS[] = {
	{ .type = OPT_TYPE_INT, .name = "runs", .arg = "N",
	  .help = "how many runs, the newest, the site shows [default: 100]",
	  .offset = offsetof(struct options, runs) },
	{ .type = OPT_TYPE_FLAG, .name = "compress",
	  .help = "write FILE.gz and FILE.zst too, beside each file that gets smaller by it",
	  .offset = offsetof(struct options, compress) },
	OPT_GROUP("Known issues", KNOWN_OPTIONS, struct options, known),
	OPT_GROUP("Common", CMD_COMMON, struct options, common),
	OPT_END,
};

const struct opt_command cmd_export_help = {
	.usage = "taproom export DIR [options]",
	.summary = "Writes the web pages as a static site.",
	.text = "Writes every page as a file below DIR: runs, results, logs and what flakes. "
		"The site needs no server, opens from a disk and works below any address. DIR "
		"is made when it is missing; it must be empty or hold an earlier export, of "
		"which only what changed is written again.",
	.opts = OPTIONS,
	.examples = "  taproom export site\n"
		    "  taproom export --runs 500 --compress /srv/www/taproom\n",
};

static void report_json(struct cmd *c, const char *index, const struct web_exported *done)
{
	struct json j;

	json_init(&j, c->out, true);
	json_object(&j);
	json_field_str(&j, "open", str_of(index));
	json_field_int(&j, "files", done->files);
	json_field_int(&j, "changed", done->changed);
	json_field_int(&j, "removed", done->removed);
	json_field_int(&j, "compressed", done->encoded);
	json_field_int(&j, "bytes", (int64_t)done->bytes);
	json_end(&j);
}

static void report(struct cmd *c, const struct options *opt, const char *dir,
		   const struct web_exported *done)
{
	_free_ char *index = path_join(dir, "index.html");
	char size[UNIT_TEXT_MAX];

	if (opt->common.json) {
		report_json(c, index, done);
		return;
	}
	if (opt->common.quiet)
		return;
	out_printf(c->out, "%u files, ", done->files);
	if (done->encoded)
		out_printf(c->out, "%u of them compressed, ", done->encoded);
	out_printf(c->out, "%s, %u changed", size_text(done->bytes, size), done->changed);
	if (done->removed)
		out_printf(c->out, ", %u removed", done->removed);
	out_lit(c->out, "\nOpen ");
	out_term(c->out, str_of(index));
	out_lit(c->out, "\n");
}

static int export(const struct options *opt, const char *dir, struct web_exported *done,
		  struct err *err)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	struct known_asked asked = { .now_ms = clock_wall_ms() };
	const struct web_rules rules = { known_web, &asked };
	struct web_site *site = NULL;
	struct store *store;
	int r = known_load(&opt->known, &plan, err);

	if (r >= 0)
		r = store_open(opt->common.store, STORE_READ, &store, err);
	if (r < 0)
		return r;
	asked.plan = plan;
	r = web_site_new(store, TAPROOM_VERSION, (unsigned)opt->runs, &site, err);
	if (r >= 0) {
		site->rules = &rules;
		r = web_export(site, dir, opt->compress, done, err);
	}
	web_site_free(site);
	store_close(store);
	return r;
}

int cmd_export_run(struct cmd *c, int argc, char **argv)
{
	struct options opt = {};
	struct web_exported done;
	struct err err = {};
	int n, r = cmd_options(c, &cmd_export_help, false, argc, argv, &opt, &opt.common, &n);

	if (r >= 0)
		return r;
	if (n != 1) {
		err_set(&err, EINVAL, "export takes one directory: 'taproom export site'");
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	if (opt.runs > WEB_RUNS_MAX) {
		err_set(&err, EINVAL, "--runs takes at most %d", WEB_RUNS_MAX);
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	r = export(&opt, argv[1], &done, &err);
	if (r < 0)
		return cmd_fail(c, r == -EEXIST || r == -ENOENT ? EXIT_USAGE : EXIT_HARNESS, &err);
	report(c, &opt, argv[1], &done);
	return EXIT_PASSED;
}
