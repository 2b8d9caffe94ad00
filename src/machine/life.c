/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/life-inside.h"

#include <cjson/cJSON.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/units.h"
#include "machine/share.h"
#include "machine/tail.h"

#define STOP_MS      5000  /* a guest that was asked to power off */
#define PANIC_MS     4000  /* a kernel that panicked and does not reboot */
#define ALIVE_MS     1500  /* a beat so long after a panic: it was none */
#define HELPER_MS    1000  /* a machine that ends takes its helpers along first */
#define TRACE_MS     1000  /* what is said behind a panic, before memory is dumped */
#define DUMP_MS      300000

static void said_read(struct machine *m, unsigned voice)
{
	int fd = m->run.said[voice];
	char chunk[4096];
	ssize_t n = 0;

	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0) {
		log_debug(m->log, "%s: %.*s", m->kind->name,
			  STR_FMT(str_trim(str_n(chunk, (size_t)n))));
		tail_add(&m->words[voice], chunk, (size_t)n);
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		m->w_said[voice] = loop_unwatch(m->w_said[voice]);
}

static void helper_failed(struct machine *m)
{
	_cleanup_(buf_done) struct buf b = {};

	said_read(m, MACHINE_HELPERS);
	tail_last_lines(buf_str(&m->words[MACHINE_HELPERS]), 2, &b);
	life_die(m, m->state == MACHINE_BOOTING ? MACHINE_BOOT_FAILED : MACHINE_VANISHED,
	    "the server of the host's files ended%s%s", b.n ? ": " : "", buf_str(&b).p);
}

static void on_dumped(void *ctx, const struct cJSON *ret, const char *problem)
{
	struct machine *m = ctx;

	if (problem) {
		log_warn(m->log, "the guest's memory could not be written to '%s': %s",
			 m->config.dump, problem);
		unlink(m->config.dump);
	} else {
		m->facts.dump = m->config.dump;
		log_warn(m->log, "the guest's memory is in %s", m->config.dump);
	}
	proc_kill(&m->run.vmm, SIGKILL);
}

/* It has panicked and said all that it had to say. */
static void after_panic(struct machine *m)
{
	if (m->config.dump && !m->dumping && m->kind->ops->dump(m, on_dumped, m) == 0) {
		m->dumping = true;
		loop_timer_set(m->timer, DUMP_MS);
		return;
	}
	proc_kill(&m->run.vmm, SIGKILL);
}

/* Neither the guest nor the test is to blame for what else this host does. */
static void boot_late(struct machine *m)
{
	int64_t passed = clock_mono_ms() - m->booted_ms, wait = pulse_wait_ms(m->run.vmm.pid);
	int64_t left = m->accel_trial ? 0 : pulse_left(m->run.timeout_ms, wait, passed);
	char how[128], text[UNIT_TEXT_MAX];

	if (left > 0) {
		loop_timer_set(m->timer, left);
		return;
	}
	snprintf(how, sizeof(how), "not ready after %s%s", duration_text(passed, text),
		 wait > passed / 4 ? ", in which the host hardly let it run" : "");
	life_boot_failed(m, MACHINE_BOOT_FAILED, how);
}

static void on_timeout(void *ctx)
{
	struct machine *m = ctx;

	if (m->state == MACHINE_STOPPING) {
		life_die(m, MACHINE_STOPPED, "stopped; it had to be killed");
	} else if (m->panicked) {
		after_panic(m);
	} else if (m->helper_ended) {
		helper_failed(m);
	} else if (m->state == MACHINE_BOOTING) {
		boot_late(m);
	}
}

void life_console(struct machine *m, struct str bytes)
{
	m->console_spoke = true;
	tail_add(&m->tail, bytes.p, bytes.n);
	witness_console(&m->seen, bytes);
	examine_heard(m);
	if (!m->panicked && m->seen.panic[0]) {
		m->panicked = true;
		m->panic_ms = clock_mono_ms();
		loop_timer_set(m->timer, m->config.dump ? TRACE_MS : PANIC_MS);
	}
	/* Whoever starts from what is kept now, hears it then. */
	if (m->run.keep.stage == MACHINE_MAKE)
		buf_add_str(&m->run.keep.console, bytes);
	else if (m->events->console)
		m->events->console(m->ctx, m, bytes);
}

void life_listen(struct machine *m)
{
	char chunk[16384];
	ssize_t n = 0;

	while (m->run.console >= 0 && (n = read(m->run.console, chunk, sizeof(chunk))) > 0)
		life_console(m, str_n(chunk, (size_t)n));
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		m->w_console = loop_unwatch(m->w_console);
}

static void on_console(void *ctx, int fd, unsigned ready)
{
	life_listen(ctx);
}

static void on_said(void *ctx, int fd, unsigned ready)
{
	struct machine *m = ctx;

	said_read(m, fd == m->run.said[MACHINE_VMM] ? MACHINE_VMM : MACHINE_HELPERS);
}

/* The machine's process has ended: read what it left, then judge. */
static void on_vmm_end(void *ctx, int fd, unsigned ready)
{
	struct machine *m = ctx;
	_cleanup_(buf_done) struct buf how = {};
	enum machine_death death;
	int status = 0;

	m->w_vmm = loop_unwatch(m->w_vmm);
	proc_wait(&m->run.vmm, true, &status, NULL);
	m->run.refused = WIFEXITED(status) && WEXITSTATUS(status);
	life_listen(m);
	said_read(m, MACHINE_VMM);
	qmp_drain(&m->monitor);
	agent_drain(&m->agent);
	death = life_verdict(m, status, &how);
	if (m->state != MACHINE_BOOTING)
		life_die(m, death, "%s", how.p);
	else if (share_failed(m->run.helpers, m->run.n_helpers))
		helper_failed(m);
	else
		life_boot_failed(m, death, how.p);
}

/* Without its files the guest hangs: better an end than a deadline. But it
 * also ends when the machine does, and then that is what is to be told. */
static void on_helper_end(void *ctx, int fd, unsigned ready)
{
	struct machine *m = ctx;

	for (unsigned i = 0; i < m->run.n_helpers; i++)
		m->w_helpers[i] = loop_unwatch(m->w_helpers[i]);
	m->helper_ended = true;
	if (m->state == MACHINE_BOOTING || m->state == MACHINE_UP)
		loop_timer_set(m->timer, HELPER_MS);
}

/* It was asked where it hangs, and it still does. */
static void hang_told(void *ctx)
{
	struct machine *m = ctx;
	_cleanup_(buf_done) struct buf why = {};
	char text[UNIT_TEXT_MAX];
	int64_t mute = clock_mono_ms() - m->pulse.beat_ms;
	enum machine_death death;

	if (mute < m->mute_ms) {
		log_warn(m->log, "the guest gave no sign of life for %s; it goes on",
			 duration_text(m->mute_ms, text));
		m->mute_ms = 0;
		loop_timer_set(m->w_pulse, PULSE_LOOK_MS);
		return;
	}
	m->mute_ms = mute;
	death = life_verdict(m, -1, &why);
	life_die(m, death, "%s", why.p);
}

static void on_pulse(void *ctx)
{
	struct machine *m = ctx;
	int64_t now = clock_mono_ms(), wait = pulse_wait_ms(m->run.vmm.pid);
	int64_t mute = pulse_look(&m->pulse, now, wait);
	char state;

	/* What was used while it was well is not used by its hanging. */
	if (now - m->pulse.beat_ms < 2 * PULSE_LOOK_MS)
		m->pulse.cpu_ms = pulse_cpu_ms(m->run.vmm.pid, &state);
	loop_timer_set(m->w_pulse, PULSE_LOOK_MS);
	agent_ping(&m->agent);
	if (!mute || m->state != MACHINE_UP || m->panicked || m->helper_ended)
		return;
	m->mute_ms = mute;
	switch (examine_begin(m, hang_told, m)) {
	case 0: loop_timer_set(m->w_pulse, -1); break;
	case -EBUSY: m->mute_ms = 0; break; /* somebody looks at it already */
	default: hang_told(m);
	}
}

static void on_beat(struct machine *m, const struct machine_beat *beat)
{
	int64_t now = clock_mono_ms();

	pulse_beat(&m->pulse, now);
	/* A test has written the words of a panic to the console. */
	if (m->panicked && !m->dumping && m->state == MACHINE_UP && now - m->panic_ms > ALIVE_MS) {
		m->panicked = false;
		witness_console_clear(&m->seen);
		if (!m->helper_ended)
			loop_timer_set(m->timer, -1);
	}
	if (m->events->beat)
		m->events->beat(m->ctx, m, beat);
}

static void on_waiting(struct machine *m)
{
	if (m->state == MACHINE_BOOTING && m->kind->ops->waiting)
		m->kind->ops->waiting(m);
}

static void on_hello(struct machine *m, struct str release)
{
	if (m->state != MACHINE_BOOTING)
		return;
	if (!m->helper_ended)
		loop_timer_set(m->timer, -1);
	m->state = MACHINE_UP;
	m->facts.boot_ms = clock_mono_ms() - m->booted_ms;
	pulse_begin(&m->pulse, m->config.gdb       ? -1
			       : m->config.hang_ms ? m->config.hang_ms
						   : agent_hang_ms(&m->agent),
		    clock_mono_ms());
	m->w_pulse = loop_timer(m->loop, on_pulse, m);
	loop_timer_set(m->w_pulse, PULSE_LOOK_MS);
	snprintf(m->release, sizeof(m->release), "%.*s", STR_FMT(release));
	m->facts.release = m->release;
	if (m->kind->ops->booted)
		m->kind->ops->booted(m);
	m->events->ready(m->ctx, m);
}

static void on_output(struct machine *m, unsigned stream, int64_t time_ms, struct str bytes)
{
	if (m->events->output)
		m->events->output(m->ctx, m, stream, time_ms, bytes);
}

static void on_exited(struct machine *m, const struct machine_exit *exit)
{
	struct machine_exit e = *exit;

	/* What its kernel said of it before is on its way, by the other stream. */
	life_listen(m);
	if (m->seen.memory_kills > m->memory_kills)
		e.memory = m->seen.memory;
	if (m->events->exited)
		m->events->exited(m->ctx, m, &e);
}

static void on_input_room(struct machine *m)
{
	if (m->events->input_room)
		m->events->input_room(m->ctx, m);
}

static void on_file(struct machine *m, struct str bytes)
{
	if (m->events->file)
		m->events->file(m->ctx, m, bytes);
}

static void on_fetched(struct machine *m, int status, const char *why)
{
	if (m->events->fetched)
		m->events->fetched(m->ctx, m, status, why);
}

static void on_broken(struct machine *m, const char *why)
{
	life_die(m, MACHINE_PROTOCOL, "the guest's agent spoke garbage: %s", why);
}

static const struct agent_events AGENT_EVENTS = {
	.waiting = on_waiting,
	.hello = on_hello,
	.output = on_output,
	.exited = on_exited,
	.input_room = on_input_room,
	.file = on_file,
	.fetched = on_fetched,
	.beat = on_beat,
	.broken = on_broken,
};

/* What QEMU sees of its guest from outside. */
static void on_monitor(void *ctx, const char *name, const struct cJSON *data)
{
	const char *reason =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(data, "reason"));
	struct machine *m = ctx;

	if (strcmp(name, "SHUTDOWN") == 0 && !m->shutdown[0])
		snprintf(m->shutdown, sizeof(m->shutdown), "%s", reason ? reason : "");
	else if (strcmp(name, "GUEST_PANICKED") == 0)
		m->panic_device = true;
	if (m->kind->ops->monitored)
		m->kind->ops->monitored(m, name, data);
}

static const struct qmp_events MONITOR_EVENTS = { .event = on_monitor };

static void watch(struct machine *m)
{
	struct machine_run *r = &m->run;
	int64_t timeout = m->config.boot_timeout_ms ? m->config.boot_timeout_ms
						    : m->kind->ops->boot_timeout_ms;

	if (!r->timeout_ms || r->timeout_ms > timeout)
		r->timeout_ms = timeout;
	m->timer = loop_timer(m->loop, on_timeout, m);
	loop_timer_set(m->timer, m->config.gdb ? -1 : r->timeout_ms);
	m->w_vmm = loop_io(m->loop, r->vmm.fd, LOOP_READ, on_vmm_end, m);
	for (unsigned i = 0; i < r->n_helpers; i++)
		m->w_helpers[i] = loop_io(m->loop, r->helpers[i].fd, LOOP_READ, on_helper_end,
					  m);
	if (r->console >= 0)
		m->w_console = loop_io(m->loop, r->console, LOOP_READ, on_console, m);
	for (unsigned i = 0; i < MACHINE_VOICES; i++)
		if (r->said[i] >= 0)
			m->w_said[i] = loop_io(m->loop, r->said[i], LOOP_READ, on_said, m);
	if (r->monitor >= 0)
		qmp_open(&m->monitor, r->monitor, m->loop, &MONITOR_EVENTS, m);
	r->monitor = -1;
	agent_open(&m->agent, r->port, m->kind->ops->line, m->loop, &AGENT_EVENTS, m);
	r->port = -1;
}

int life_begin(struct machine *m, struct err *err)
{
	int r;

	buf_clear(&m->tail);
	for (unsigned i = 0; i < MACHINE_VOICES; i++)
		buf_clear(&m->words[i]);
	m->state = MACHINE_BOOTING;
	m->panicked = m->console_spoke = m->helper_ended = false;
	m->run = (struct machine_run)MACHINE_RUN_NONE;
	witness_console_clear(&m->seen);
	m->mute_ms = 0;
	m->panic_device = m->dumping = false;
	m->shutdown[0] = '\0';
	m->host_kills = pulse_host_kills();
	m->booted_ms = clock_mono_ms();
	m->boots++;
	r = m->kind->ops->boot(m, err);
	if (r < 0)
		return r;
	m->facts.pid = m->run.vmm.pid;
	machine_traces_write(m);
	if (m->facts.gdb)
		log_warn(m->log, "the guest's kernel is debugged by: gdb %s -ex 'target remote %s'",
			 m->config.vmlinux ? m->config.vmlinux : "VMLINUX", m->facts.gdb);
	watch(m);
	if (m->kind->ops->watched)
		m->kind->ops->watched(m);
	return 0;
}

void machine_stop(struct machine *m)
{
	if (m->state == MACHINE_BOOTING) {
		m->state = MACHINE_STOPPING;
		proc_kill(&m->run.vmm, SIGKILL);
	} else if (m->state == MACHINE_UP) {
		m->state = MACHINE_STOPPING;
		agent_tell(&m->agent, PROTO_POWEROFF, STR_NONE, NULL);
		loop_timer_set(m->timer, STOP_MS);
	}
}
