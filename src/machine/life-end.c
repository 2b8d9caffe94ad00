/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a life ends: what is left behind is removed, the reason is found, and one
 * that did not boot may be tried again.
 */
#include "machine/life-inside.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "machine/door.h"
#include "machine/tail.h"

#define BOOTS_MAX 2

static void keep_done(struct machine_keep *k)
{
	closep(&k->ram);
	closep(&k->state);
	closep(&k->lock);
	snapshot_done(&k->from);
	buf_done(&k->console);
}

/* Ends what one boot made. */
static void run_end(struct machine *m)
{
	struct machine_run *r = &m->run;

	m->w_vmm = loop_unwatch(m->w_vmm);
	m->w_console = loop_unwatch(m->w_console);
	m->timer = loop_unwatch(m->timer);
	m->w_pulse = loop_unwatch(m->w_pulse);
	examine_end(m);
	for (unsigned i = 0; i < MACHINE_VOICES; i++) {
		m->w_said[i] = loop_unwatch(m->w_said[i]);
		closep(&r->said[i]);
	}
	for (unsigned i = 0; i < MACHINE_HELPERS_MAX; i++)
		m->w_helpers[i] = loop_unwatch(m->w_helpers[i]);
	qmp_close(&m->monitor);
	m->agent.door = door_close(m->agent.door);
	proc_end(&r->vmm);
	for (unsigned i = 0; i < r->n_helpers; i++)
		proc_end(&r->helpers[i]);
	agent_close(&m->agent);
	closep(&r->monitor);
	closep(&r->port);
	closep(&r->console);
	keep_done(&r->keep);
	machine_traces_remove(m);
	if (r->scratch)
		dir_remove(r->scratch, NULL);
	free(r->scratch);
	*r = (struct machine_run)MACHINE_RUN_NONE;
}

void life_end(struct machine *m)
{
	m->state = MACHINE_DEAD;
	run_end(m);
	buf_done(&m->tail);
	buf_done(&m->ready_key);
	for (unsigned i = 0; i < MACHINE_VOICES; i++)
		buf_done(&m->words[i]);
}

static void tell_death(void *ctx)
{
	struct machine *m = ctx;

	run_end(m);
	m->events->died(m->ctx, m, m->how, m->why);
}

void life_die(struct machine *m, enum machine_death how, const char *fmt, ...)
{
	va_list ap;

	if (m->state == MACHINE_DEAD)
		return;
	m->state = MACHINE_DEAD;
	m->how = how;
	va_start(ap, fmt);
	vsnprintf(m->why, sizeof(m->why), fmt, ap);
	va_end(ap);
	proc_kill(&m->run.vmm, SIGKILL);
	loop_unwatch(m->timer);
	m->timer = loop_timer(m->loop, tell_death, m);
	loop_timer_set(m->timer, 0);
}

/* What the guest's own program said before it gave up. */
static struct str guest_sentence(const struct machine *m)
{
	struct str s = tail_line_with(&m->tail, STR("taproom: "));

	if (!s.n)
		s = tail_line_with(&m->words[MACHINE_VMM], STR("taproom: "));
	return s.n > 9 ? str_from(s, 9) : s;
}

enum machine_death life_verdict(struct machine *m, int status, struct buf *why)
{
	_cleanup_(buf_done) struct buf words = {};
	struct witness w = {
		.booting = m->state == MACHINE_BOOTING,
		.asked = m->state == MACHINE_STOPPING,
		.console = &m->seen,
		.guest = guest_sentence(m),
		.name = m->kind->ops->vmm,
		.namespaces = !m->kind->ops->needs_kernel,
		.status = status,
		.mute_ms = m->mute_ms,
		.shutdown = str_of(m->shutdown),
		.panic_device = m->panic_device,
		.cpu_ms = -1,
		.host_kills = pulse_host_kills() > m->host_kills,
	};

	tail_last_lines(buf_str(&m->words[MACHINE_VMM]), 2, &words);
	w.vmm = buf_str(&words);
	if (status < 0) {
		w.cpu_ms = pulse_cpu_ms(m->run.vmm.pid, &w.state);
		if (w.cpu_ms >= 0 && m->pulse.cpu_ms >= 0)
			w.cpu_ms -= m->pulse.cpu_ms;
		else
			w.cpu_ms = -1;
	}
	return verdict(&w, why);
}

static void log_words(struct machine *m)
{
	_cleanup_(buf_done) struct buf b = {};

	tail_last_lines(buf_str(&m->tail), 4, &b);
	if (b.n)
		log_debug(m->log, "the console ended with: %s", b.p);
}

/* What it lacks, as far as its last words tell. */
static const char *hint(const struct machine *m)
{
	const char *of_vmm = witness_hint(buf_str(&m->words[MACHINE_VMM]));

	if (m->seen.hint[0])
		return m->seen.hint;
	return of_vmm || m->console_spoke || m->run.refused ? of_vmm : m->kind->ops->mute;
}

void life_boot_failed(struct machine *m, enum machine_death death, const char *how)
{
	struct str said = guest_sentence(m);
	bool of_host = death == MACHINE_HOST_MEMORY || death == MACHINE_HOST_DISK;
	bool hopeless = said.n || !m->console_spoke || of_host || m->config.once;
	_cleanup_(buf_done) struct buf b = {};
	const char *lacks = of_host ? NULL : hint(m);
	struct err err = {};
	int r;

	if (m->kind->ops->again && m->kind->ops->again(m, how)) {
		m->boots--;
		run_end(m);
		r = life_begin(m, &err);
		if (r < 0)
			life_die(m, machine_end_of_error(r), "%s", err.text);
		return;
	}
	log_words(m);
	/* Words of its own are no accelerator's fault. */
	if (!said.n && m->kind->ops->unbooted) {
		int other = m->kind->ops->unbooted(m, how);

		if (other < 0) {
			life_die(m, MACHINE_BOOT_FAILED, "%s", m->accel_why);
			return;
		}
		if (other > 0) {
			m->boots--;
			hopeless = false;
		}
	}
	if (m->boots < BOOTS_MAX && !hopeless) {
		log_warn(m->log, "the machine did not boot (%s); trying once more", how);
		run_end(m);
		r = life_begin(m, &err);
		if (r < 0)
			life_die(m, machine_end_of_error(r), "%s", err.text);
		return;
	}
	if (said.n) {
		life_die(m, death, "the guest could not start: %.*s%s%s", STR_FMT(said),
		    lacks ? "; it most likely lacks " : "", lacks ? lacks : "");
		return;
	}
	/* Behind a panic stands nothing but its trace. */
	if (!m->panicked)
		tail_last_lines(buf_str(&m->tail), 3, &b);
	life_die(m, death, "the machine did not boot: %s%s%s%s%s", how,
	    lacks ? "; it most likely lacks " : "", lacks ? lacks : "",
	    b.n ? "; its console ended with: " : "", b.n ? b.p : "");
}
