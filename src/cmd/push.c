/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/inflate.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/units.h"
#include "cmd/history.h"
#include "cmd/known.h"
#include "notify/http.h"

#define RUN_MAX (256u << 20) /* bytes of a run as events: as much as is taken */

struct push_options {
	struct cmd_common common;
	const char *to, *file, *token_file;
};

#define AT(field) .offset = offsetof(struct push_options, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_STR, .name = "to", .arg = "URL", AT(to),
	  .help = "where 'taproom web --push' answers: https://ci.example.org/" },
	{ .type = OPT_TYPE_STR, .name = "file", .arg = "FILE", AT(file),
	  .help = "instead of RUN: what 'taproom run --json' or 'taproom report' wrote" },
	{ .type = OPT_TYPE_STR, .name = "token-file", .arg = "FILE", AT(token_file),
	  .help = "the token that 'taproom token add' printed [default: $TAPROOM_TOKEN]" },
	OPT_GROUP("Common", CMD_COMMON, struct push_options, common),
	OPT_END,
};

const struct opt_command cmd_push_help = {
	.usage = "taproom push {RUN | --file FILE} --to URL [options]",
	.summary = "Sends a run, with its logs, to another taproom.",
	.text = "The run is sent as it is, and is there as a whole or not at all. One that is "
		"there already changes nothing, so it can be tried again. The token comes from "
		"$TAPROOM_TOKEN or a file, never from the command line, which others can read. "
		"A FILE is a report of the format json or events, plain, or as zstd or gzip. "
		HISTORY_RUN_HELP,
	.opts = OPTS,
	.examples = "  taproom push latest --to https://ci.example.org/\n"
		    "  taproom run mptcp; taproom push latest --to http://localhost:8080/\n"
		    "  taproom push --file run.json --to https://ci.example.org/\n",
};

static int token_of(const struct push_options *o, char **ret, struct err *err)
{
	const char *env = getenv("TAPROOM_TOKEN");

	if (o->token_file)
		return file_read_line(o->token_file, ret, err);
	if (!env || !*env)
		return err_set(err, EINVAL, "no token: set TAPROOM_TOKEN, or give --token-file; "
			       "'taproom token add' makes one where the run goes to");
	*ret = xstrdup(env);
	return 0;
}

/* What the other side says is wrong; it may be anybody. */
static int refused(const struct http_answer *a, const char *to, struct err *err)
{
	cJSON *j = cJSON_ParseWithLength(a->body.p ? a->body.p : "", a->body.n);
	const char *why = cJSON_GetStringValue(cJSON_GetObjectItem(j, "error"));
	_cleanup_(buf_done) struct buf text = {};
	struct out out;

	out_to_buf(&out, &text);
	if (why)
		out_term(&out, str_of(why));
	out_flush(&out);
	cJSON_Delete(j);
	return err_set(err, EACCES, "'%s' did not take the run: %ld%s%.300s", to, a->status,
		       text.n ? ", " : "", text.n ? text.p :
		       a->status == 404 ? ", it takes none" : "");
}

/* @known: it was there before. */
static int understand(const struct http_answer *a, const char *to, char **ret_id, bool *known,
		      struct err *err)
{
	cJSON *j = cJSON_ParseWithLength(a->body.p ? a->body.p : "", a->body.n);
	const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(j, "run"));
	int r = 0;

	*known = cJSON_IsTrue(cJSON_GetObjectItem(j, "known"));
	if (id)
		*ret_id = xstrdup(id);
	else
		r = err_set(err, EPROTO, "'%s' answers %ld, but not as a taproom does", to,
			    a->status);
	cJSON_Delete(j);
	return r;
}

static int send_run(struct str run, const struct push_options *o, struct http_answer *ret,
		    struct err *err)
{
	_cleanup_(buf_done) struct buf packed = { .max = RUN_MAX };
	_free_ char *token = NULL;
	_free_ char *url = xasprintf("%s%sapi/v1/runs", o->to,
				     str_ends(str_of(o->to), STR("/")) ? "" : "/");
	struct http_request q = { .url = url, .body = run,
				  .type = o->file ? "application/json" : "application/x-ndjson" };
	int r = token_of(o, &token, err);

	if (r < 0)
		return r;
	q.token = token;
	if (encode(ENCODE_ZSTD, run, &packed)) {
		q.encoding = ENCODE_NAMES[ENCODE_ZSTD];
		q.body = buf_str(&packed);
	}
	return http_post(&q, ret, err);
}

static void tell(struct cmd *c, const struct push_options *o, const char *id, bool known,
		 size_t bytes)
{
	char size[UNIT_TEXT_MAX];
	struct json j;

	if (o->common.json) {
		json_init(&j, c->out, false);
		json_object(&j);
		json_field_str(&j, "run", str_of(id));
		json_field_bool(&j, "known", known);
		json_end(&j);
		out_char(c->out, '\n');
	} else if (!o->common.quiet) {
		out_lit(c->out, "run ");
		out_term(c->out, str_of(id));
		out_printf(c->out, known ? " was there already\n" : " is there now (%s)\n",
			   size_text(bytes, size));
	}
}

/* Of the store, with its logs; or of a file, as it is. */
static int load(struct cmd *c, const struct push_options *o, const char *spec, struct buf *run)
{
	const struct known_options known = {};
	_cleanup_(buf_done) struct buf packed = {};
	struct err err = {};
	struct out out;
	int r, code;

	if (o->file) {
		r = file_read(o->file, RUN_MAX, &packed, &err);
		if (r >= 0)
			r = inflate_any(buf_str(&packed), RUN_MAX, run, &err);
		return r < 0 ? cmd_fail(c, EXIT_USAGE, &err) : EXIT_PASSED;
	}
	out_to_buf(&out, run);
	code = history_report(c, &o->common, &known, spec, "events", NULL, NULL, &out);
	if (code == EXIT_PASSED && out_flush(&out) < 0) {
		err_set(&err, EFBIG, "the run is larger than %u MiB", RUN_MAX >> 20);
		return cmd_fail(c, EXIT_HARNESS, &err);
	}
	return code;
}

int cmd_push_run(struct cmd *c, int argc, char **argv)
{
	struct push_options o = {};
	_cleanup_(buf_done) struct buf run = { .max = RUN_MAX };
	struct http_answer answer = {};
	_free_ char *id = NULL;
	struct err err = {};
	bool was = false;
	int n, r, code = cmd_options(c, &cmd_push_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	if (o.file && n) {
		err_set(&err, EINVAL, "push takes a run or --file, not also '%s'", argv[1]);
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	code = o.file ? -1 : history_one_operand(c, "push", n, argv);
	if (code >= 0)
		return code;
	if (!o.to) {
		err_set(&err, EINVAL, "where to? give --to URL");
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	code = load(c, &o, argv[1], &run);
	if (code != EXIT_PASSED)
		return code;
	r = send_run(buf_str(&run), &o, &answer, &err);
	if (r == 0 && answer.status != 200 && answer.status != 201)
		r = refused(&answer, o.to, &err);
	else if (r == 0)
		r = understand(&answer, o.to, &id, &was, &err);
	if (r == 0)
		tell(c, &o, id, was, run.n);
	buf_done(&answer.body);
	return r < 0 ? cmd_fail(c, r == -EINVAL ? EXIT_USAGE : EXIT_HARNESS, &err) : EXIT_PASSED;
}
