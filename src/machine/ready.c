/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/ready.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/units.h"
#include "machine/life.h"

/* To come up from one that was kept: a second of it, on a host that is not crowded. */
#define READY_MS 30000
/* What the cache's disk must have left before another is kept. */
#define ROOM_WANTED (2ull << 30)
/* One more when what is made here changes: arguments, or their order. */
#define FORM 1

/* ---- which one ---- */

/* A file that is replaced is another. */
static void key_file(struct buf *key, const char *what, const char *path)
{
	struct stat st = {};

	(void)!stat(path, &st); /* missing is a fact too */
	buf_printf(key, "%s %s %llx-%llx-%llx-%llx.%09ld\n", what, path,
		   (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
		   (unsigned long long)st.st_size, (unsigned long long)st.st_mtim.tv_sec,
		   st.st_mtim.tv_nsec);
}

/* All that the kept machine depends on. Not in it: what is told after. */
static void key_make(struct qemu *q, struct buf *key)
{
	const struct machine_facts *f = &q->m->facts;
	_free_ char *boot = NULL;

	/* Its clock counts this processor's ticks, and KVM is this kernel's. */
	file_read_line("/proc/sys/kernel/random/boot_id", &boot, NULL);
	buf_printf(key, "form %d\nhost %s\nagent %016" PRIx64 "\n", FORM, boot ? boot : "?",
		   str_hash(machine_guest(), STR_HASH_INIT));
	key_file(key, "qemu", q->program);
	key_file(key, "firmware", QEMU_QBOOT);
	key_file(key, "image", q->m->config.image);
	for (size_t i = 0; i < q->guest.modules.n; i++)
		key_file(key, "module", q->guest.modules.v[i].path);
	buf_printf(key, "accel %s\ncpus %u\nmemory %" PRIu64 "\nline ", q->accel.name, f->cpus,
		   f->memory);
	qemu_kernel_line(q, key);
	buf_add_str(key, STR("\n"));
}

__attribute__((format(printf, 2, 3))) static void cold(struct machine *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->cold_why, sizeof(m->cold_why), fmt, ap);
	va_end(ap);
	log_debug(m->log, "a cold boot: %s", m->cold_why);
}

static const char *why_cold(const struct qemu *q)
{
	const struct machine *m = q->m;
	const struct machine_config *c = &m->config;

	if (c->cold)
		return "asked for";
	if (!c->cache_dir)
		return "there is no cache to keep a machine in";
	if (c->gdb)
		return "a debugger sees all of a boot";
	if (c->qemu_opts[0])
		return "what --qemu-opt adds may not be kept";
	if (q->guest.packed)
		return "what it needs of the host's files is packed for it alone";
	if (m->accel_trial)
		return "no guest has reached its agent on this kvm yet";
	return NULL;
}

static int anonymous(const char *name, uint64_t size, int *ret)
{
	*ret = memfd_create(name, MFD_CLOEXEC);
	return *ret < 0 || ftruncate(*ret, (off_t)size) < 0 ? -errno : 0;
}

static bool make(struct machine *m)
{
	struct machine_keep *k = &m->run.keep;
	const char *cache = m->config.cache_dir;
	struct err err = {};
	uint64_t room;
	int r = snapshot_lock(cache, &k->lock, &err);

	if (r == 0) {
		cold(m, "another taproom is just making a ready machine");
		return false;
	}
	if (r > 0)
		r = dir_free_space(cache, &room, &err);
	if (r == 0 && room < ROOM_WANTED)
		r = err_set(&err, ENOSPC, "the disk of '%s' is nearly full", cache);
	if (r == 0)
		r = anonymous("taproom-ram", m->facts.memory, &k->ram);
	if (r == 0)
		r = anonymous("taproom-state", 0, &k->state);
	if (r < 0)
		cold(m, "%s", err.text[0] ? err.text : "no memory to make a ready machine in");
	return r == 0;
}

void ready_choose(struct qemu *q)
{
	struct machine *m = q->m;
	struct machine_keep *k = &m->run.keep;
	const char *why = why_cold(q);
	struct err err = {};
	int r = 0;

	k->stage = MACHINE_COLD;
	k->virtiofs = q->virtiofs;
	if (m->ready_failed)
		return; /* told when it did */
	if (why) {
		cold(m, "%s", why);
		return;
	}
	buf_clear(&m->ready_key);
	key_make(q, &m->ready_key);
	r = snapshot_open(m->config.cache_dir, buf_str(&m->ready_key), &k->from, &err);
	if (r == -ENOTSUP) {
		cold(m, "%s", err.text);
		return;
	}
	if (r < 0)
		log_debug(m->log, "%s", err.text);
	/* The server of the files maps the memory: it must be the same for both. */
	if (r > 0 && k->from.size == m->facts.memory &&
	    (!q->virtiofs || anonymous("taproom-ram", k->from.size, &k->ram) == 0)) {
		k->stage = MACHINE_READY;
		m->run.timeout_ms = READY_MS;
		return;
	}
	snapshot_done(&k->from);
	if (!make(m))
		return;
	log_debug(m->log, "no ready machine yet: this boot makes it");
	k->stage = MACHINE_MAKE;
}

void ready_args_memory(struct qemu *q)
{
	const struct machine_keep *k = &q->m->run.keep;
	unsigned long long size = q->m->facts.memory;
	struct machine_args *a = &q->args;

	machine_args_add(a, "-object");
	/* The server of the files maps the guest's memory. */
	if (k->stage == MACHINE_COLD) {
		machine_args_add(a, "memory-backend-memfd,id=ram,share=on,size=%llu", size);
		return;
	}
	machine_args_add(a,
			 "memory-backend-file,id=ram,share=%s,size=%llu,mem-path=/proc/self/fd/%d",
			 k->ram < 0 ? "off" : "on", size, k->ram < 0 ? k->from.ram : k->ram);
	if (k->stage == MACHINE_READY) {
		machine_args_add(a, "-incoming");
		machine_args_add(a, "defer");
	}
}

/* ---- both ways ---- */

/* Its end leads to ready_again(). */
static void failed(struct machine *m, const char *why)
{
	if (m->run.keep.saved || m->state != MACHINE_BOOTING || !m->w_vmm || m->ready_failed)
		return;
	m->ready_failed = true;
	cold(m, "%s: %s", m->run.keep.stage == MACHINE_MAKE ? "a machine can't be kept"
							   : "a ready machine can't be used", why);
	proc_kill(&m->run.vmm, SIGKILL);
}

static void on_answer(void *ctx, const cJSON *ret, const char *why)
{
	if (why)
		failed(ctx, why);
}

/* The stream has all but the memory, which is where it is. */
static void migrate(struct machine *m, const char *command)
{
	static const char capable[] =
		"{\"capabilities\":[{\"capability\":\"x-ignore-shared\",\"state\":true},"
		"{\"capability\":\"events\",\"state\":true}]}";
	int state = m->run.keep.stage == MACHINE_MAKE ? m->run.keep.state : m->run.keep.from.state;
	struct qmp *q = &m->monitor;
	struct err err = {};
	int r = qmp_command(q, "migrate-set-capabilities", capable, -1, on_answer, m, &err);

	if (r == 0)
		r = qmp_command(q, "getfd", "{\"fdname\":\"state\"}", state, on_answer, m, &err);
	if (r == 0)
		r = qmp_command(q, command, "{\"uri\":\"fd:state\"}", -1, on_answer, m, &err);
	if (r < 0)
		failed(m, err.text);
}

/* ---- making one ---- */

void ready_waiting(struct machine *m)
{
	struct machine_keep *k = &m->run.keep;

	if (k->stage != MACHINE_MAKE || k->asked)
		return;
	k->asked = true;
	migrate(m, "migrate");
}

/* It has stopped, and its memory with it. */
static void save(struct machine *m)
{
	struct machine_keep *k = &m->run.keep;
	struct snapshot_parts p = { k->ram, k->state, m->facts.memory, STR_NONE };
	int64_t begin = clock_mono_ms();
	struct err err = {};
	int r = 0;

	life_listen(m);
	p.console = buf_str(&k->console);
	if (p.console.n > SNAPSHOT_CONSOLE_MAX)
		failed(m, "its kernel said too much on its console");
	else
		r = snapshot_save(m->config.cache_dir, buf_str(&m->ready_key), &p, &err);
	k->disk_full = r == -ENOSPC || r == -EDQUOT;
	if (r < 0)
		failed(m, err.text);
	if (m->ready_failed)
		return;
	k->saved = true;
	log_debug(m->log, "the ready machine was written in %d ms",
		  (int)(clock_mono_ms() - begin));
	proc_kill(&m->run.vmm, SIGKILL);
}

/* ---- starting from one ---- */

void ready_watched(struct machine *m)
{
	struct machine_keep *k = &m->run.keep;
	int64_t begin = clock_mono_ms();
	struct err err = {};

	if (k->stage != MACHINE_READY)
		return;
	/* While QEMU starts. */
	if (snapshot_check(m->config.cache_dir, buf_str(&m->ready_key), &k->from, k->ram,
			   &err) < 0) {
		failed(m, err.text);
		return;
	}
	log_debug(m->log, "from a ready machine: %" PRIu64 " MiB read in %d ms",
		  k->from.bytes >> 20, (int)(clock_mono_ms() - begin));
	migrate(m, "migrate-incoming");
}

/* The guest goes on, as this machine. */
static void wake(struct machine *m)
{
	_cleanup_(buf_done) struct buf b = {}, text = {};
	struct proto_resume r = {};
	struct timespec now;
	struct err err = {};
	int e = getrandom(r.entropy, sizeof(r.entropy), 0) == sizeof(r.entropy) ? 0 : -EIO;

	if (e == 0)
		e = qemu_guest_config(m, qemu_fs(m->run.keep.virtiofs), &text, &err);
	life_console(m, buf_str(&m->run.keep.from.console));
	clock_gettime(CLOCK_REALTIME, &now);
	r.wall_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	buf_add(&b, &r, sizeof(r));
	buf_add_str(&b, buf_str(&text));
	if (e == 0)
		e = agent_tell(&m->agent, PROTO_RESUME, buf_str(&b), &err);
	explicit_bzero(&r, sizeof(r));
	explicit_bzero(b.p, b.n);
	if (e < 0)
		failed(m, err.text[0] ? err.text : "no random numbers");
}

static void on_plugged(void *ctx, const cJSON *ret, const char *why)
{
	struct machine *m = ctx;

	if (why)
		failed(m, why);
	else if (--m->run.keep.to_plug == 0)
		wake(m);
}

/* A device of a vhost-user server can't be there while it comes up. */
static void plug(struct machine *m)
{
	struct machine_keep *k = &m->run.keep;
	unsigned n = k->virtiofs ? m->run.n_helpers : 0;
	struct err err = {};

	k->to_plug = n;
	for (unsigned i = 0; i < n; i++) {
		char text[128];

		snprintf(text, sizeof(text), "{\"driver\":\"vhost-user-fs-pci\","
			 "\"chardev\":\"fs%u\",\"tag\":\"taproom%u\"}", i, i);
		if (qmp_command(&m->monitor, "device_add", text, -1, on_plugged, m, &err) < 0) {
			failed(m, err.text);
			return;
		}
	}
	if (n == 0)
		wake(m);
}

void ready_monitored(struct machine *m, const char *name, const struct cJSON *data)
{
	const cJSON *status = cJSON_GetObjectItemCaseSensitive(data, "status");
	struct machine_keep *k = &m->run.keep;

	if (strcmp(name, "MIGRATION") != 0 || !cJSON_IsString(status) || k->saved ||
	    k->stage == MACHINE_COLD || m->state != MACHINE_BOOTING)
		return;
	if (strcmp(status->valuestring, "failed") == 0)
		failed(m, k->stage == MACHINE_MAKE ? "QEMU could not write its state"
						   : "QEMU could not read its state");
	else if (strcmp(status->valuestring, "completed") != 0)
		return;
	else if (k->stage == MACHINE_MAKE)
		save(m);
	else
		plug(m);
}

/* ---- how it went ---- */

void ready_booted(struct machine *m)
{
	m->facts.ready = m->run.keep.stage == MACHINE_READY;
	if (!m->facts.ready)
		return;
	m->cold_why[0] = '\0';
	snapshot_worked(m->config.cache_dir, buf_str(&m->ready_key));
}

bool ready_again(struct machine *m, const char *how)
{
	struct machine_keep *k = &m->run.keep;
	const char *cache = m->config.cache_dir;
	struct str key = buf_str(&m->ready_key);

	if (k->stage == MACHINE_COLD)
		return false;
	if (k->saved)
		return true;
	if (!m->ready_failed) {
		m->ready_failed = true;
		cold(m, "a ready machine %s: %s", k->stage == MACHINE_MAKE ? "did not boot"
									    : "did not start", how);
	}
	/* One that does not boot does not boot: this was the first try of it. */
	if (k->stage == MACHINE_MAKE && !k->asked)
		return false;
	if (k->stage == MACHINE_MAKE && k->disk_full)
		return true;
	if (k->stage == MACHINE_MAKE)
		snapshot_refuse(cache, key, m->cold_why);
	else if (snapshot_lock(cache, &k->lock, NULL) > 0)
		snapshot_failed(cache, key, m->cold_why);
	return true;
}

void machine_kept(const char *cache_dir, struct machine_kept *ret)
{
	*ret = (struct machine_kept){ .n_max = SNAPSHOT_MAX, .bytes_max = SNAPSHOT_BYTES_MAX };
	snapshot_usage(cache_dir, &ret->n, &ret->bytes);
}
