/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/json.h"
#include "base/units.h"
#include "cmd/known.h"
#include "run/run.h"
#include "serve/push.h"
#include "serve/serve.h"
#include "serve/tokens.h"
#include "store/store.h"
#include "web/known.h"
#include "web/web.h"

#define LISTEN "127.0.0.1:8080"

struct options {
	struct cmd_common common;
	struct known_options known;
	struct opt_list listen;
	const char *tokens;
	bool push;
	int runs;
};

static const struct opt OPTIONS[] = {
	{ .type = OPT_TYPE_LIST, .name = "listen", .arg = "ADDR:PORT",
	  .help = "where to listen: an address and a port, or unix:PATH; may be given more "
		  "than once [default: " LISTEN ", or what systemd passes]",
	  .offset = offsetof(struct options, listen) },
	{ .type = OPT_TYPE_INT, .name = "runs", .arg = "N",
	  .help = "how many runs, the newest, the pages list [default: 100]",
	  .offset = offsetof(struct options, runs) },
	{ .type = OPT_TYPE_FLAG, .name = "push",
	  .help = "take runs that others push, from who has a token (taproom token)",
	  .offset = offsetof(struct options, push) },
	{ .type = OPT_TYPE_STR, .name = "tokens", .arg = "FILE",
	  .help = "where tokens are kept [default: ~/.local/share/taproom/tokens]",
	  .offset = offsetof(struct options, tokens) },
	OPT_GROUP("Known issues", KNOWN_OPTIONS, struct options, known),
	OPT_GROUP("Common", CMD_COMMON, struct options, common),
	OPT_END,
};

const struct opt_command cmd_web_help = {
	.usage = "taproom web [--listen ADDR:PORT]... [options]",
	.summary = "Serves the web pages.",
	.text = "Answers with the pages that 'taproom export' writes, as they are now, and with "
		"every filter, order and older page that is asked for; runs that are recorded "
		"meanwhile appear within a second. Without --push it only reads the store. It "
		"serves plain HTTP: for TLS, or for who may read, put a proxy in front. SIGTERM "
		"and Ctrl-C end it when the answers that are on their way are sent.",
	.opts = OPTIONS,
	.examples = "  taproom web\n"
		    "  taproom web --listen :80\n"
		    "  taproom web --listen unix:/run/taproom/web.sock\n",
};

struct web {
	struct loop *loop;
	struct serve *serve;
};

static void on_signal(void *ctx)
{
	struct web *w = ctx;

	serve_stop(w->serve);
}

static void on_stopped(void *ctx)
{
	struct web *w = ctx;

	loop_stop(w->loop);
}

static void tell(struct cmd *c, const struct options *opt, const struct serve *s)
{
	struct json j;

	if (opt->common.json) {
		json_init(&j, c->out, true);
		json_object(&j);
		json_key(&j, "listening");
		json_array(&j);
		for (unsigned i = 0; serve_url(s, i); i++)
			json_str(&j, str_of(serve_url(s, i)));
		json_end(&j);
		json_end(&j);
	} else if (!opt->common.quiet) {
		for (unsigned i = 0; serve_url(s, i); i++) {
			out_lit(c->out, "Listening on ");
			out_term(c->out, str_of(serve_url(s, i)));
			out_lit(c->out, "\n");
		}
	}
	out_flush(c->out);
}

/* Each connection is one: as many as we are allowed to have. */
static void raise_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int serve(struct cmd *c, struct options *opt, const struct plan *plan,
		 struct store *store, struct err *err)
{
	const struct known_asked asked = { plan, clock_wall_ms() };
	const struct web_rules rules = { known_web, &asked };
	struct serve_config config = { .store = store, .url = opt->common.store,
				       .version = TAPROOM_VERSION,
				       .window = (unsigned)opt->runs, .rules = &rules };
	_free_ char *tokens = opt->tokens ? xstrdup(opt->tokens) : tokens_default_path();
	_free_ char *cache = cmd_cache_dir();
	struct run_work work = { .lock = -1 };
	struct loop_watch *signals[2] = {};
	struct web w = { .loop = loop_new() };
	int r;

	if (!opt->listen.n && !getenv("LISTEN_FDS"))
		opt_list_add(&opt->listen, LISTEN);
	opt_list_add(&opt->listen, NULL);
	config.listen = opt->listen.v;
	raise_files();
	signal(SIGPIPE, SIG_IGN);
	r = opt->push ? run_work_open(cache, &work, err) : 0;
	if (r >= 0 && opt->push)
		config.push = push_new(opt->common.store, tokens, work.path, &c->log);
	if (r >= 0)
		r = serve_new(w.loop, &c->log, &config, on_stopped, &w, &w.serve, err);
	if (r == 0) {
		signals[0] = loop_signal(w.loop, SIGINT, on_signal, &w);
		signals[1] = loop_signal(w.loop, SIGTERM, on_signal, &w);
		tell(c, opt, w.serve);
		loop_run(w.loop);
		loop_unwatch(signals[0]);
		loop_unwatch(signals[1]);
	}
	serve_free(w.serve);
	push_free(config.push);
	run_work_close(&work);
	loop_free(w.loop);
	return r;
}

/* Where runs are pushed to there may be none yet. */
static int open_store(const struct options *opt, struct store **ret, struct err *err)
{
	int r = 0;

	if (opt->push)
		r = store_open(opt->common.store, STORE_WRITE, ret, err);
	if (r < 0)
		return r;
	if (opt->push)
		*ret = store_close(*ret);
	return store_open(opt->common.store, STORE_READ, ret, err);
}

int cmd_web_run(struct cmd *c, int argc, char **argv)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	struct options opt = {};
	struct store *store = NULL;
	struct err err = {};
	int n, r = cmd_options(c, &cmd_web_help, false, argc, argv, &opt, &opt.common, &n);

	if (r >= 0)
		return r;
	if (n > 0)
		r = err_set(&err, EINVAL, "web takes no operand, but got '%s'", argv[1]);
	else if (opt.runs > WEB_RUNS_MAX)
		r = err_set(&err, EINVAL, "--runs takes at most %d", WEB_RUNS_MAX);
	else
		r = known_load(&opt.known, &plan, &err);
	if (r >= 0)
		r = open_store(&opt, &store, &err);
	if (r >= 0)
		r = 0;
	if (r == 0)
		r = serve(c, &opt, plan, store, &err);
	store_close(store);
	opt_list_done(&opt.listen);
	if (r < 0)
		return cmd_fail(c, r == -EINVAL || r == -ENOENT ? EXIT_USAGE : EXIT_HARNESS, &err);
	return EXIT_PASSED;
}
