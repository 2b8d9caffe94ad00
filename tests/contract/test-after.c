/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After the tests: what is done in a machine before it goes, on the host's kind, which
 * needs no kernel. What is given becomes an artefact, what can't be done is a warning,
 * and neither changes what the run says.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "run/run.h"
#include "tap.h"

struct heard {
	struct loop *loop;
	struct buf files;    /* "kind: text;" */
	struct buf warnings;
	unsigned programs;
};

static void on_event(void *ctx, const struct event *ev)
{
	struct heard *h = ctx;
	_cleanup_(buf_done) struct buf text = {};
	_free_ char *path = NULL;

	h->programs += ev->type == EVENT_PROGRAM_END;
	if (ev->type != EVENT_ARTEFACT)
		return;
	path = xstrndup(ev->artefact->path.p, ev->artefact->path.n);
	file_read(path, 4096, &text, NULL);
	buf_printf(&h->files, "%.*s: %.*s;", STR_FMT(ev->artefact->kind),
		   STR_FMT(str_trim(buf_str(&text))));
}

static void on_log(void *ctx, enum log_level level, struct str text)
{
	struct heard *h = ctx;

	if (level <= LOG_WARN)
		buf_printf(&h->warnings, "%.*s\n", STR_FMT(text));
}

static void on_done(void *ctx)
{
	struct heard *h = ctx;

	loop_stop(h->loop);
}

#define SH(script) (const char *const[]){ "/bin/sh", "-c", script, NULL }

static const struct {
	const char *name;
	struct run_after after[3];
	const char *files, *warning; /* warning NULL: none */
} ROWS[] = {
	{ "what it gives", { { "look", SH("echo one; echo no >&2"), "gcov", 60000 } },
	  "gcov: one;", NULL },
	{ "one after another",
	  { { "a", SH("echo one"), "first", 60000 }, { "b", SH("true"), NULL, 60000 },
	    { "c", SH("echo two"), "second", 60000 } }, "first: one;second: two;", NULL },
	{ "what can't be had", { { "look", SH("echo 'no such thing' >&2; exit 1"), "gcov", 60000 },
				 { "b", SH("echo two"), "second", 60000 } },
	  "second: two;", "machine 1: can't look: no such thing" },
	{ "without a word", { { "look", SH("exit 3"), NULL, 60000 } },
	  "", "machine 1: can't look: it ended with 3" },
	{ "no such program", { { "look", (const char *const[]){ "/nowhere", NULL }, NULL, 60000 } },
	  "", "machine 1: can't look: " },
	{ "what hangs", { { "look", SH("echo half; sleep 600"), "gcov", 300 },
			  { "b", SH("echo two"), "second", 60000 } },
	  "", "machine 1: can't look: it did not end in time" },
	{ "too much", { { "look", SH("head -c 70000000 /dev/zero"), "gcov", 60000 } },
	  "", "machine 1: can't look: what it gave is too large" },
};

static int run(const char *dir, const struct run_after *after, struct heard *h, struct err *err)
{
	struct plan_tests tests = {};
	struct plan_test *t = plan_tests_add(&tests);
	struct log log = { .level = LOG_INFO, .line = on_log, .ctx = h };
	_free_ char *config = path_join(dir, "config");
	struct run_setting setting = { .machine = "host", .mode = "normal", .tests = &tests,
				       .cpus = 1, .kernel_config = config };
	struct run_config c = { .settings = &setting, .n_settings = 1, .work_dir = dir,
				.log_dir = dir, .slots = 1, .id = "20260101-000000-000001" };
	struct run *r = NULL;
	int code;

	file_write(config, STR("CONFIG_X=y\n"), 0644, NULL);
	setting.config.cache_dir = dir;
	for (unsigned i = 0; i < ARRAY_SIZE(ROWS[0].after) && after[i].what; i++)
		setting.after[i] = &after[i];
	t->suite = xstrdup("x");
	t->name = xstrdup("true");
	t->argv = xcalloc(2, sizeof(*t->argv));
	t->argv[0] = xstrdup("true");
	h->loop = loop_new();
	code = run_start(&c, h->loop, &log, (struct event_sink){ on_event, h }, on_done, h, &r,
			 err);
	if (code == 0) {
		loop_run(h->loop);
		code = run_exit_code(r);
	}
	run_free(r);
	loop_free(h->loop);
	plan_tests_done(&tests);
	return code;
}

int main(void)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_cleanup_(buf_done) struct buf why = {};
	struct tap t = {};

	TAP_HEADER();
	if (dir_temp("/tmp", "taproom-after.", &dir, NULL) < 0)
		return 1;
	for (unsigned i = 0; i < MACHINE_KINDS_N; i++)
		if (strcmp(MACHINE_KINDS[i].name, "host") == 0 &&
		    MACHINE_KINDS[i].probe(dir, &why) <= 0)
			skip_all("no machine 'host' here");
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		_free_ char *files = xasprintf("config: CONFIG_X=y;%s", ROWS[i].files);
		struct heard h = {};
		struct err err = {};

		is_int(&t, run(dir, ROWS[i].after, &h, &err), 0, ROWS[i].name);
		is_int(&t, h.programs, 1, "- one test ran");
		is_str(&t, h.files.p ? h.files.p : "", files, "- its files");
		ok(&t, ROWS[i].warning ? h.warnings.n && strstr(h.warnings.p, ROWS[i].warning)
				       : !h.warnings.n, "- %s",
		   ROWS[i].warning ? ROWS[i].warning : "nothing to warn of");
		if (err.text[0] || h.warnings.n)
			printf("# %s%.*s", err.text, STR_FMT(buf_str(&h.warnings)));
		buf_done(&h.files);
		buf_done(&h.warnings);
	}
	return tap_done(&t);
}
