/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-decode.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/units.h"
#include "kernel/decode.h"
#include "kernel/kernel.h"
#include "tap/trace.h"

#define LONGEST_MS 10000 /* of all of it: the run waits for its end */

/* Jobs of one kernel. */
struct debug_info {
	const char *image;       /* NULL: of no kernel of the plan */
	char *release;
	int64_t begin_ms;        /* of the first job */
	struct symbols *symbols; /* NULL: there is none */
	bool sought;
};

struct run_decode {
	const struct run_plan *plan;
	const char *cache_dir;
	const struct log *log;
	struct debug_info *v;
	size_t n, cap;
	unsigned *jobs;          /* whose is job i + 1: index in v; UINT32_MAX: nobody's */
	size_t n_jobs, cap_jobs;
	bool any;                /* a splat with frames */
	int64_t left_ms;
	bool late;               /* there was no time for some */
};

struct run_decode *run_decode_new(const struct run_plan *plan, const char *cache_dir,
				  const struct log *log)
{
	struct run_decode *d = xcalloc(1, sizeof(*d));

	*d = (struct run_decode){ .plan = plan, .cache_dir = cache_dir, .log = log,
				  .left_ms = LONGEST_MS };
	return d;
}

struct run_decode *run_decode_free(struct run_decode *d)
{
	if (!d)
		return NULL;
	for (size_t i = 0; i < d->n; i++) {
		symbols_close(d->v[i].symbols);
		free(d->v[i].release);
	}
	free(d->v);
	free(d->jobs);
	free(d);
	return NULL;
}

/* ---- which kernel ---- */

static const char *image_of(const struct run_decode *d, const struct event_job *job)
{
	for (unsigned i = 0; i < d->plan->n_parts; i++) {
		const struct run_part *p = &d->plan->parts[i];

		if (p->kernel && str_eq(job->mode, str_of(p->mode.name)) &&
		    str_eq(job->machine, str_of(p->machine)))
			return p->kernel->image;
	}
	return NULL;
}

static unsigned debug_info_of(struct run_decode *d, const struct event_job *job)
{
	const char *image = image_of(d, job);
	unsigned i = 0;

	while (i < d->n && (d->v[i].image != image ||
			    !str_eq(str_of(d->v[i].release), job->kernel)))
		i++;
	if (i == d->n) {
		ARRAY_GROW(d->v, d->n, d->cap);
		d->v[d->n++] = (struct debug_info){
			.image = image,
			.release = xstrndup(job->kernel.p, job->kernel.n),
			.begin_ms = job->time_ms,
		};
	}
	return i;
}

static void on_event(void *ctx, const struct event *ev)
{
	struct run_decode *d = ctx;

	if (ev->type == EVENT_SPLAT)
		d->any = d->any || trace_bare(ev->splat->text);
	if (ev->type != EVENT_JOB_BEGIN || !ev->job || !ev->job_info->kernel.n)
		return;
	while (d->n_jobs < ev->job) {
		ARRAY_GROW(d->jobs, d->n_jobs, d->cap_jobs);
		d->jobs[d->n_jobs++] = UINT32_MAX;
	}
	d->jobs[ev->job - 1] = debug_info_of(d, ev->job_info);
}

struct event_sink run_decode_sink(struct run_decode *d)
{
	return (struct event_sink){ on_event, d };
}

/* ---- its debug info ---- */

/* What was built while the run went on is another kernel's. */
static bool is_newer(const char *path, int64_t ms)
{
	struct stat st;

	return stat(path, &st) == 0 &&
	       st.st_mtim.tv_sec * INT64_C(1000) + st.st_mtim.tv_nsec / 1000000 > ms;
}

/* Most who run have none, and did not ask for any. */
static void open_symbols(struct run_decode *d, struct debug_info *x)
{
	struct symbols_from from = { .kernel = x->image, .release = x->release,
				     .cache_dir = d->cache_dir };
	struct err err = {};
	int r = symbols_open(&from, &x->symbols, &err);

	if (r == 0 && is_newer(symbols_path(x->symbols), x->begin_ms)) {
		r = err_set(&err, ESTALE, "'%s' was built while the run went on",
			    symbols_path(x->symbols));
		x->symbols = symbols_close(x->symbols);
	}
	if (r == 0)
		log_debug(d->log, "splats are decoded by '%s'", symbols_path(x->symbols));
	else if (r == -ENOENT)
		log_debug(d->log, "splats are not decoded: %s", err.text);
	else
		log_warn(d->log, "splats are not decoded: %s", err.text);
}

static struct symbols *symbols_of(struct run_decode *d, unsigned job)
{
	unsigned i = job && job <= d->n_jobs ? d->jobs[job - 1] : UINT32_MAX;

	if (i >= d->n)
		return NULL;
	if (!d->v[i].sought) {
		d->v[i].sought = true;
		open_symbols(d, &d->v[i]);
	}
	return d->v[i].symbols;
}

/* ---- texts ---- */

/* One that would grow out of all measure stays as it is. */
static int decoded(struct symbols *s, struct str text, struct buf *ret)
{
	struct out out;

	ret->max = STORE_SPLAT_TEXT_MAX;
	out_to_buf(&out, ret);
	decode_text(s, text, &out);
	return out_flush(&out) == 0 && !str_eq(buf_str(ret), text);
}

static int new_text(void *ctx, unsigned job, struct str text, struct buf *ret)
{
	struct run_decode *d = ctx;
	int64_t begin = clock_mono_ms();
	struct symbols *s;
	int r = 0;

	if (!trace_bare(text))
		return 0;
	if (d->left_ms <= 0) {
		d->late = true;
		return 0;
	}
	s = symbols_of(d, job);
	if (s)
		r = decoded(s, text, ret);
	d->left_ms -= clock_mono_ms() - begin;
	return r;
}

void run_decode_stored(struct run_decode *d, struct store *store, int64_t run)
{
	struct err err = {};

	if (!d->any)
		return;
	if (store_splat_texts(store, run, new_text, d, &err) < 0)
		log_warn(d->log, "splats are not decoded: %s", err.text);
	if (d->late)
		log_warn(d->log, "not all splats are decoded: it took more than %d s",
			 LONGEST_MS / 1000);
}

int run_decode_text(void *ctx, const struct event *splat, struct buf *ret)
{
	return new_text(ctx, splat->job, splat->splat->text, ret);
}
