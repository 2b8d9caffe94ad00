/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: one boot of a slot's machine, as it is told. */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"
#include "run/after.h"
#include "run/slot.h"

/* @end, @reason: of JOB_END. */
static void job_emit(struct slot *s, enum event_type type, const char *end, const char *reason)
{
	const struct run_setting *setting = s->lot->setting;
	struct machine_facts f = {};
	struct utsname host;
	struct event_job info = {
		.mode = str_of(setting->mode),
		.time_ms = clock_wall_ms(),
		.console_path = str_of(s->console_path),
		.end = str_of(end),
		.reason = str_of(reason),
	};
	struct event ev = { .type = type, .job = s->job, .job_info = &info };
	const char *identity = setting->identity;
	_free_ char *why = NULL;

	machine_facts(s->machine, &f);
	uname(&host);
	info.machine = str_of(f.kind);
	info.accel = str_of(f.accel);
	if (identity)
		why = xasprintf("%s%skernel built of %s", f.why ? f.why : "",
				f.why && f.why[0] ? "; " : "", identity);
	info.why = str_of(why ? why : f.why);
	info.kernel = str_of(f.release ? f.release : setting->config.release);
	info.host = str_of(host.nodename);
	info.cpus = f.cpus;
	info.memory = f.memory;
	event_emit(&s->run->sink, &ev);
}

void slot_artefact(struct slot *s, const char *kind, const char *path)
{
	struct event_artefact a = { .kind = str_of(kind), .path = str_of(path) };

	event_emit(&s->run->sink, &(struct event){ .type = EVENT_ARTEFACT, .job = s->job,
						   .artefact = &a });
}

/* What the kernel was made of is told once of all machines that have it. */
void slot_job_begin(struct slot *s)
{
	if (s->job_open)
		return;
	job_emit(s, EVENT_JOB_BEGIN, "", "");
	s->job_open = true;
	if (!s->lot->job && s->lot->setting->kernel_config)
		slot_artefact(s, "config", s->lot->setting->kernel_config);
	s->lot->job = s->job;
}

/* An end as asked for is none where the evidence is incomplete. */
void slot_job_tell_end(struct slot *s, enum machine_death how, const char *why)
{
	_free_ char *lost = NULL;

	slot_job_begin(s);
	if (how == MACHINE_STOPPED && s->console_error) {
		how = MACHINE_HOST_DISK;
		why = lost = xasprintf("its console could not be written: %s",
				       strerror(-s->console_error));
	}
	s->console_error = 0;
	if (s->console_fd >= 0)
		close(s->console_fd);
	s->console_fd = -1;
	s->console = console_free(s->console);
	job_emit(s, EVENT_JOB_END, MACHINE_ENDS[how].word, how == MACHINE_STOPPED ? "" : why);
	after_done(s);
	free(s->console_path);
	s->console_path = NULL;
	s->job_open = false;
}
