/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/after.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"

#define OUTPUT_MAX (64u << 20)
#define SAID_MAX   512

/*
 * Documentation/dev-tools/kmemleak.rst. An object that changed since the last scan is
 * no leak yet, nor is one that is younger than 5 s: so it is looked twice. `verbose`
 * has the kernel tell each on its console, where splats are found.
 */
static const char LEAKS[] =
	"d=/sys/kernel/debug; k=$d/kmemleak; m=/sys/module/kmemleak/parameters\n"
	"[ -e $k ] || mount -t debugfs none $d 2>&1\n"
	"[ -e $k ] || { echo 'its kernel has no kmemleak'; exit 1; }\n"
	"echo 1 >$m/verbose && echo scan >$k || exit\n"
	"sleep 6\n"
	"echo scan >$k\n";

/* Documentation/dev-tools/gcov.rst. The files of debugfs have no size: they are read,
 * not copied by it. */
static const char COVERAGE[] =
	"d=/sys/kernel/debug; g=$d/gcov\n"
	"[ -e $g ] || mount -t debugfs none $d >&2\n"
	"[ -e $g ] || { echo 'its kernel counts no coverage' >&2; exit 1; }\n"
	"cd $g && find . -name '*.gcda' | while IFS= read -r f; do\n"
	"	echo \":${f#.}\" && base64 \"$f\" || exit\n"
	"done\n";

const struct run_after RUN_AFTER_LEAKS = {
	.what = "look for leaked memory",
	.argv = (const char *const[]){ "/bin/sh", "-c", LEAKS, NULL },
	.limit_ms = 300000,
};

const struct run_after RUN_AFTER_COVERAGE = {
	.what = "fetch the coverage",
	.argv = (const char *const[]){ "/bin/sh", "-c", COVERAGE, NULL },
	.kind = "gcov",
	.limit_ms = 120000,
};

static const struct run_after *current(const struct slot *s)
{
	return s->lot->setting->after[s->after - 1];
}

static void close_output(struct slot *s)
{
	if (s->after_path)
		closep(&s->after_fd);
	s->after_fd = -1;
	free(s->after_path);
	s->after_path = NULL;
	s->after_bytes = 0;
	buf_clear(&s->after_said);
	s->after_said.max = SAID_MAX;
}

static int open_output(struct slot *s, const struct run_after *a, struct err *err)
{
	if (!a->kind)
		return 0;
	s->after_path = xasprintf("%s/%s-%u", s->run->config.log_dir, a->kind, s->job);
	s->after_fd = open(s->after_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return s->after_fd < 0 ? err_sys(err, errno, "write '%s'", s->after_path) : 0;
}

static void warn(struct slot *s, const char *why)
{
	log_warn(s->run->log, "machine %u: can't %s: %s", s->job, current(s)->what, why);
}

void after_begin(struct slot *s)
{
	const struct run_after *a = s->used && !s->run->stopped && !s->run->overtime
					    ? s->lot->setting->after[s->after] : NULL;
	struct machine_command cmd = { .merge = a && !a->kind };
	struct err err = {};

	if (!a) {
		slot_home(s);
		return;
	}
	s->after++;
	s->after_runs = true;
	close_output(s);
	cmd.argv = a->argv;
	if (open_output(s, a, &err) == 0 && machine_start(s->machine, &cmd, &err) == 0) {
		loop_timer_set(s->deadline, a->limit_ms);
		return;
	}
	warn(s, err.text);
	s->after_runs = false;
	slot_home(s);
}

void after_output(struct slot *s, unsigned stream, struct str bytes)
{
	if (!s->after_runs)
		return;
	if (stream == 2 || !current(s)->kind) {
		buf_add_str(&s->after_said, bytes); /* bounded: its first words */
		return;
	}
	s->after_bytes += bytes.n;
	if (s->after_bytes <= OUTPUT_MAX && file_write_all(s->after_fd, bytes.p, bytes.n) < 0)
		s->after_bytes = OUTPUT_MAX + 1;
}

void after_exited(struct slot *s, const struct machine_exit *e)
{
	const struct run_after *a;
	struct str said = str_trim(buf_str(&s->after_said));
	int code = e->status < 0 ? -1 : proc_exit_code(e->status);

	if (!s->after_runs)
		return;
	a = current(s);
	loop_timer_set(s->deadline, -1);
	s->after_runs = false;
	if (code == 0 && s->after_bytes > OUTPUT_MAX) {
		warn(s, "what it gave is too large, or can't be written");
	} else if (code == 0) {
		if (a->kind)
			slot_artefact(s, a->kind, s->after_path);
	} else if (e->status < 0) {
		warn(s, e->why);
	} else {
		_free_ char *why = said.n ? xstrndup(said.p, said.n)
					  : xasprintf("it ended with %d", code);

		warn(s, why);
	}
	after_begin(s);
}

void after_deadline(struct slot *s)
{
	if (!s->after_runs)
		return;
	warn(s, "it did not end in time");
	s->after_runs = false;
	slot_home(s);
}

void after_done(struct slot *s)
{
	close_output(s);
	buf_done(&s->after_said);
	s->after = 0;
	s->after_runs = false;
}
