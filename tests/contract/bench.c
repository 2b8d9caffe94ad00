/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#include <dirent.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/proc.h"

static void on_ready(void *ctx, struct machine *m)
{
	struct bench *b = ctx;

	b->ready = true;
	loop_stop(b->loop);
}

static void on_console(void *ctx, struct machine *m, struct str bytes)
{
	struct bench *b = ctx;

	buf_add_str(&b->console, bytes);
}

static void on_output(void *ctx, struct machine *m, unsigned stream, int64_t time_ms,
		      struct str bytes)
{
	struct bench *b = ctx;

	b->order &= time_ms >= b->last_ms;
	b->last_ms = time_ms;
	if (stream == 1) {
		b->n_out += bytes.n;
		for (size_t i = 0; i < bytes.n; i++)
			b->sum += (unsigned char)bytes.p[i];
	}
	buf_add_str(stream == 1 ? &b->out : &b->errs, bytes);
}

static void on_exited(void *ctx, struct machine *m, const struct machine_exit *exit)
{
	struct bench *b = ctx;

	b->exits++;
	b->exit = *exit;
	snprintf(b->exit_why, sizeof(b->exit_why), "%s", exit->why ? exit->why : "");
	snprintf(b->memory, sizeof(b->memory), "%s", exit->memory ? exit->memory : "");
	loop_stop(b->loop);
}

static void on_died(void *ctx, struct machine *m, enum machine_death how, const char *why)
{
	struct bench *b = ctx;

	b->deaths++;
	b->how = how;
	snprintf(b->why, sizeof(b->why), "%s", why);
	loop_stop(b->loop);
}

static void on_room(void *ctx, struct machine *m)
{
	struct bench *b = ctx;

	loop_stop(b->loop);
}

static void on_beat(void *ctx, struct machine *m, const struct machine_beat *beat)
{
	struct bench *b = ctx;

	b->beats++;
	b->beat = *beat;
}

static void on_file(void *ctx, struct machine *m, struct str bytes)
{
	struct bench *b = ctx;

	buf_add_str(&b->file, bytes);
}

static void on_fetched(void *ctx, struct machine *m, int status, const char *why)
{
	struct bench *b = ctx;

	b->fetches++;
	b->fetch_status = status;
	snprintf(b->fetch_why, sizeof(b->fetch_why), "%s", why);
	loop_stop(b->loop);
}

static const struct machine_events EVENTS = {
	.ready = on_ready,
	.console = on_console,
	.output = on_output,
	.exited = on_exited,
	.input_room = on_room,
	.file = on_file,
	.fetched = on_fetched,
	.beat = on_beat,
	.died = on_died,
};

static void on_timer(void *ctx)
{
	struct bench *b = ctx;

	b->timed_out = true;
	loop_stop(b->loop);
}

void bench_turn(struct bench *b, int64_t ms)
{
	b->timed_out = false;
	loop_timer_set(b->timer, ms);
	loop_run(b->loop);
	loop_timer_set(b->timer, -1);
}

static void begin(struct bench *b)
{
	buf_clear(&b->out);
	buf_clear(&b->errs);
	b->out.max = 1 << 20;
	b->n_out = b->sum = 0;
	b->exits = 0;
	b->beats = 0;
	b->order = true;
}

int bench_start(struct bench *b, const struct machine_command *cmd)
{
	struct err err = {};
	int r;

	begin(b);
	r = machine_start(b->m, cmd, &err);
	if (r < 0)
		printf("# %s\n", err.text);
	return r;
}

void bench_wait_exit(struct bench *b)
{
	b->timed_out = false;
	while (!b->exits && !b->deaths && !b->timed_out)
		bench_turn(b, BENCH_WAIT_MS);
}

void bench_run(struct bench *b, const struct machine_command *cmd)
{
	if (bench_start(b, cmd) == 0)
		bench_wait_exit(b);
}

void bench_shell(struct bench *b, const char *script)
{
	const char *argv[] = { "sh", "-c", script, NULL };

	bench_run(b, &(struct machine_command){ .argv = argv });
}

int bench_code(const struct bench *b)
{
	return b->exits == 1 ? proc_exit_code(b->exit.status) : -1;
}

/* The release of an unpacked package, from its modules. */
static char *release_in(const char *modules)
{
	DIR *d = opendir(modules);
	struct dirent *e;
	char *release = NULL;

	while (d && !release && (e = readdir(d)))
		if (e->d_name[0] != '.')
			release = xstrdup(e->d_name);
	if (d)
		closedir(d);
	return release;
}

/* The n-th, by name. */
static bool kernel_in_cache(struct kernel *k, const char *package, size_t n)
{
	const char *cache = getenv("TAPROOM_TEST_CACHE"), *home = getenv("HOME");
	_free_ char *pattern = xasprintf("%s/%staproom/debian/%s", cache ? cache : home,
					 cache ? "" : ".cache/", package);
	glob_t g = {};
	bool found = false;

	if (glob(pattern, 0, NULL, &g) == 0 && n < g.gl_pathc) {
		const char *dir = g.gl_pathv[n];

		k->modules_dir = path_join(dir, "lib/modules");
		k->release = release_in(k->modules_dir);
		k->image = xasprintf("%s/boot/vmlinuz-%s", dir, k->release);
		k->config = xasprintf("%s/boot/config-%s", dir, k->release);
		found = k->release && file_exists(k->image);
	}
	globfree(&g);
	return found;
}

/* What a kind boots: by name, else the first of a package that is there. */
static const struct {
	const char *kind, *variable, *package;
	bool uml;
} KERNELS[] = {
	{ "qemu", "TAPROOM_TEST_KERNEL", "linux-image-*", false },
	{ "uml", "TAPROOM_TEST_UML", "user-mode-linux_*", true },
};

bool bench_kernel(const char *kind, struct kernel *k, const char *cache)
{
	const char *spec = NULL;
	struct err err = {};
	size_t i = 0;

	while (i < ARRAY_SIZE(KERNELS) && strcmp(KERNELS[i].kind, kind) != 0)
		i++;
	*k = (struct kernel){};
	if (i == ARRAY_SIZE(KERNELS))
		return true;
	spec = getenv(KERNELS[i].variable);
	if (!spec) {
		k->uml = KERNELS[i].uml;
		return kernel_in_cache(k, KERNELS[i].package, 0);
	}
	if (kernel_find(spec, cache, NULL, k, &err) == 0)
		return true;
	printf("# %s\n", err.text);
	return false;
}

bool bench_kernel_of_debian(size_t n, struct kernel *k)
{
	*k = (struct kernel){};
	return kernel_in_cache(k, KERNELS[0].package, n);
}

static void boot_begin(struct bench *b)
{
	b->ready = b->timed_out = false;
	b->deaths = 0;
	b->last_ms = 0;
}

static bool wait_ready(struct bench *b)
{
	while (!b->ready && !b->deaths && !b->timed_out)
		bench_turn(b, BENCH_WAIT_MS);
	if (b->deaths)
		printf("# %s\n", b->why);
	return b->ready;
}

bool bench_boot(struct bench *b, const char *kind, const struct machine_config *with)
{
	struct machine_config c = *with;
	struct err err = {};

	boot_begin(b);
	c.image = b->kernel.image;
	c.image_is_uml = b->kernel.uml;
	c.release = b->kernel.release;
	c.modules_dir = b->kernel.modules_dir;
	c.config = b->kernel.config;
	c.work_dir = b->work;
	c.cache_dir = b->cache;
	c.cold |= b->cold;
	if (machine_boot(kind, &c, b->loop, NULL, &EVENTS, b, &b->m, &err) < 0) {
		printf("# %s\n", err.text);
		return false;
	}
	return wait_ready(b);
}

bool bench_enter(struct bench *b, const char *dir)
{
	struct err err = {};

	boot_begin(b);
	if (machine_enter(dir, b->work, b->loop, NULL, &EVENTS, b, &b->m, &err) < 0) {
		printf("# %s\n", err.text);
		return false;
	}
	return wait_ready(b);
}

static void wait_death(struct bench *b)
{
	while (!b->deaths && !b->timed_out)
		bench_turn(b, BENCH_WAIT_MS);
}

void bench_stop(struct bench *b)
{
	machine_stop(b->m);
	wait_death(b);
}

void bench_end(struct bench *b)
{
	machine_end(b->m);
	wait_death(b);
}

void bench_init(struct bench *b, struct tap *t, const struct kernel *kernel)
{
	*b = (struct bench){ .tap = t, .loop = loop_new(), .kernel = *kernel };
	dir_temp("/tmp", "taproom-contract-", &b->work, NULL);
	dir_temp("/tmp", "taproom-contract-", &b->cache, NULL);
	b->timer = loop_timer(b->loop, on_timer, b);
}

void bench_done(struct bench *b)
{
	loop_unwatch(b->timer);
	loop_free(b->loop);
	buf_done(&b->out);
	buf_done(&b->errs);
	buf_done(&b->file);
	buf_done(&b->console);
	dir_removep(&b->work);
	dir_removep(&b->cache);
}

bool bench_time_travels(const struct kernel *k)
{
	_cleanup_(buf_done) struct buf b = {};

	return k->config && file_read(k->config, 0, &b, NULL) == 0 &&
	       strstr(buf_str(&b).p, "CONFIG_UML_TIME_TRAVEL_SUPPORT=y");
}
