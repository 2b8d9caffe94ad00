/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/units.h"
#include "cmd/cmd.h"
#include "serve/tokens.h"

struct options {
	struct cmd_common common;
	const char *tokens, *branches;
	int runs;
	uint64_t size;
};

#define AT(field) .offset = offsetof(struct options, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_STR, .name = "branches", .arg = "GLOB", AT(branches),
	  .help = "add: of which branches it may push runs" },
	{ .type = OPT_TYPE_INT, .name = "runs-per-hour", .arg = "N", AT(runs), .positive = true,
	  .help = "add: how many runs it may push [default: 60]" },
	{ .type = OPT_TYPE_SIZE, .name = "size", .arg = "SIZE", AT(size), .positive = true,
	  .help = "add: how large one may be as it is sent [default: 64M]" },
	{ .type = OPT_TYPE_STR, .name = "tokens", .arg = "FILE", AT(tokens),
	  .help = "where they are kept [default: ~/.local/share/taproom/tokens]" },
	OPT_GROUP("Common", CMD_COMMON, struct options, common),
	OPT_END,
};

const struct opt_command cmd_token_help = {
	.usage = "taproom token add NAME --branches GLOB | list | revoke NAME",
	.summary = "Says who may push runs to 'taproom web'.",
	.text = "add makes a token and prints it, once: only its hash is kept. Who pushes gives it "
		"to 'taproom push'. A token that is revoked is refused at once.",
	.opts = OPTS,
	.examples = "  taproom token add net-ci --branches 'net*'\n"
		    "  taproom token list\n"
		    "  taproom token revoke net-ci\n",
};

static int add(struct cmd *c, const struct options *o, const char *path, const char *name,
	       struct err *err)
{
	struct token t = { .created_ms = (int64_t)time(NULL) * 1000,
			   .runs_per_hour = o->runs ? (uint64_t)o->runs : TOKEN_RUNS,
			   .max_bytes = o->size ? o->size : TOKEN_BYTES };
	char text[TOKEN_TEXT];
	int r;

	if (!o->branches)
		return err_set(err, EINVAL, "which branches may it push? give --branches, '*' for "
					    "all");
	/* What is cut is refused as too long. */
	snprintf(t.name, sizeof(t.name), "%s", name);
	snprintf(t.branches, sizeof(t.branches), "%s", o->branches);
	if (strlen(name) >= sizeof(t.name) || strlen(o->branches) >= sizeof(t.branches))
		return err_set(err, EINVAL, "the name or the glob is too long");
	r = tokens_add(path, &t, text, err);
	if (r == 0 && o->common.json)
		out_printf(c->out, "{\"token\":\"%s\"}\n", text);
	else if (r == 0)
		out_printf(c->out, "%s\n", text);
	return r;
}

static void list_json(struct cmd *c, const struct tokens *t)
{
	struct json j;

	json_init(&j, c->out, true);
	json_array(&j);
	for (size_t i = 0; i < t->n; i++) {
		char date[UNIT_TEXT_MAX];

		json_object(&j);
		json_field_str(&j, "name", str_of(t->v[i].name));
		json_field_str(&j, "branches", str_of(t->v[i].branches));
		json_field_str(&j, "created", str_of(date_rfc3339(t->v[i].created_ms, date)));
		json_field_int(&j, "runs_per_hour", (int64_t)t->v[i].runs_per_hour);
		json_field_int(&j, "max_bytes", (int64_t)t->v[i].max_bytes);
		json_end(&j);
	}
	json_end(&j);
}

static int list(struct cmd *c, const struct options *o, const char *path, struct err *err)
{
	_cleanup_(tokens_done) struct tokens t = {};
	char date[UNIT_TEXT_MAX], size[UNIT_TEXT_MAX];
	int r = tokens_read(path, &t, err);

	if (r < 0)
		return r;
	if (o->common.json) {
		list_json(c, &t);
		return 0;
	}
	if (!t.n)
		out_lit(c->out, "No token yet: 'taproom token add NAME --branches GLOB' makes "
				"one.\n");
	else
		out_printf(c->out, "%-20s %-20s %-10s %8s %8s\n", "NAME", "BRANCHES", "SINCE",
			   "RUNS/H", "SIZE");
	for (size_t i = 0; i < t.n; i++) {
		out_term(c->out, str_of(t.v[i].name));
		out_printf(c->out, "%*s ", (int)(strlen(t.v[i].name) < 20 ? 20 - strlen(t.v[i].name)
									   : 0), "");
		out_term(c->out, str_of(t.v[i].branches));
		out_printf(c->out, "%*s %.10s %8" PRIu64 " %8s\n",
			   (int)(strlen(t.v[i].branches) < 20 ? 20 - strlen(t.v[i].branches) : 0),
			   "", date_rfc3339(t.v[i].created_ms, date), t.v[i].runs_per_hour,
			   size_text(t.v[i].max_bytes, size));
	}
	return 0;
}

int cmd_token_run(struct cmd *c, int argc, char **argv)
{
	struct options o = {};
	_free_ char *path = NULL;
	struct err err = {};
	int n, r, code = cmd_options(c, &cmd_token_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	path = o.tokens ? xstrdup(o.tokens) : tokens_default_path();
	if (n == 2 && strcmp(argv[1], "add") == 0)
		r = add(c, &o, path, argv[2], &err);
	else if (n == 1 && strcmp(argv[1], "list") == 0)
		r = list(c, &o, path, &err);
	else if (n == 2 && strcmp(argv[1], "revoke") == 0)
		r = tokens_remove(path, argv[2], &err);
	else
		r = err_set(&err, EINVAL, "token takes 'add NAME', 'list' or 'revoke NAME'");
	if (r < 0)
		return cmd_fail(c, r == -EINVAL || r == -EEXIST || r == -ENOENT ? EXIT_USAGE :
				   EXIT_HARNESS, &err);
	return EXIT_PASSED;
}
