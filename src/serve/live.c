/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/live.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/units.h"
#include "web/api.h"

#define PIECE 65536 /* what is on its way to one who listens */

/* What is said of one run, or of all; there as long as somebody listens. */
struct topic {
	struct topic *next;
	int64_t run;              /* 0: all */
	uint64_t state;           /* of the store, when it was looked at */
	struct buf now;           /* the event that says how it is */
	uint64_t version;         /* counts them */
	bool over;                /* nothing will follow */
	/* Programs that ended, in the order in which that was seen. */
	struct said {
		int64_t end_ms;
		unsigned program;
		char *event;
	} *said;
	size_t n_said, cap_said;
	unsigned *known;          /* their numbers, ascending */
	size_t n_known;
	unsigned clients;
};

struct client {
	struct live *live;
	struct client *next, **at;
	struct http_request *q;
	struct topic *topic;
	size_t told;              /* programs */
	uint64_t version;         /* of .now that it has; 0: none */
	int64_t last_ms;          /* it was told something */
	bool greeted, beat;
};

struct live {
	struct store *store;
	const struct log *log;
	struct topic *topics;
	struct client *clients;
	unsigned n_clients;
	bool stopping;
};

/* ---- what is said ---- */

static void run_fields(struct json *j, int64_t id, enum store_run_state state, uint64_t tests,
		       uint64_t ended, struct str running)
{
	json_object(j);
	json_field_int(j, "run", id);
	json_field_str(j, "state", str_of(API_STATES[state]));
	if (tests) {
		json_field_int(j, "tests", (int64_t)tests);
		json_field_int(j, "ended", (int64_t)ended);
	}
	if (state == STORE_RUN_RUNNING)
		api_running(j, running);
}

static void say_all(const struct web_site *site, struct out *o)
{
	struct json j;

	out_lit(o, "event: runs\ndata: ");
	json_init(&j, o, false);
	json_object(&j);
	json_field_int(&j, "newest", site->n_runs ? site->by_id[site->n_runs - 1]->id : 0);
	json_key(&j, "running");
	json_array(&j);
	for (unsigned i = 0; i < site->n_runs; i++) {
		const struct web_run *r = &site->runs[i];

		if (r->state != STORE_RUN_RUNNING)
			continue;
		run_fields(&j, r->id, r->state, r->tests, r->ended, r->running);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	out_lit(o, "\n\n");
}

struct telling {
	struct topic *topic;
	struct out *o;
	struct str mode;
	struct arena arena;
};

static int say_run(void *ctx, const struct store_run *r)
{
	struct telling *t = ctx;
	struct json j;

	out_lit(t->o, "event: run\ndata: ");
	json_init(&j, t->o, false);
	run_fields(&j, r->id, r->state, r->tests, r->ended, r->running);
	if (r->state != STORE_RUN_RUNNING) {
		json_field_int(&j, "exit_code", r->exit_code);
		json_field_str(&j, "conclusion", r->conclusion);
	}
	api_counts(&j, r->counts);
	json_end(&j);
	out_lit(t->o, "\n\n");
	t->topic->over = r->state != STORE_RUN_RUNNING;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

static bool is_said(const struct topic *x, unsigned program)
{
	return x->n_known && bsearch(&program, x->known, x->n_known, sizeof(program), by_number);
}

static char *program_event(const struct telling *t, const struct event *ev)
{
	const struct event_program *p = ev->prog;
	struct buf b = {};
	struct json j;
	struct out o;

	out_to_buf(&o, &b);
	json_init(&j, &o, false);
	json_object(&j);
	json_field_int(&j, "program", ev->program);
	json_field_int(&j, "job", ev->job);
	json_field_str(&j, "suite", p->suite);
	json_field_str(&j, "name", p->name);
	json_field_int(&j, "attempt", p->attempt);
	json_field_str(&j, "mode", t->mode);
	json_field_str(&j, "status", str_of(STATUS_INFO[p->status].name));
	if (p->duration_ms >= 0)
		json_field_int(&j, "duration_ms", p->duration_ms);
	if (p->reason.n)
		json_field_str(&j, "reason", p->reason);
	json_end(&j);
	out_flush(&o);
	return buf_take(&b);
}

static void on_event(void *ctx, const struct event *ev)
{
	struct telling *t = ctx;
	struct topic *x = t->topic;

	if (ev->type == EVENT_JOB_BEGIN)
		t->mode = str_n(arena_strndup(&t->arena, ev->job_info->mode.p,
					      ev->job_info->mode.n), ev->job_info->mode.n);
	if (ev->type != EVENT_PROGRAM_END || is_said(x, ev->program))
		return;
	ARRAY_GROW(x->said, x->n_said, x->cap_said);
	x->said[x->n_said++] = (struct said){ ev->prog->time_ms, ev->program,
					      program_event(t, ev) };
}

static int by_end(const void *a, const void *b)
{
	const struct said *x = a, *y = b;

	if (x->end_ms != y->end_ms)
		return x->end_ms < y->end_ms ? -1 : 1;
	return (x->program > y->program) - (x->program < y->program);
}

/* Those behind the first @before are new; they were told job by job. */
static void add_known(struct topic *x, size_t before)
{
	if (x->n_said == before)
		return;
	qsort(x->said + before, x->n_said - before, sizeof(*x->said), by_end);
	x->known = xrealloc(x->known, x->n_said, sizeof(*x->known));
	for (x->n_known = 0; x->n_known < x->n_said; x->n_known++)
		x->known[x->n_known] = x->said[x->n_known].program;
	qsort(x->known, x->n_known, sizeof(*x->known), by_number);
}

/* A store that can't be read now is tried again when it changes. */
static void look_at_run(struct live *l, struct topic *x, struct out *o)
{
	struct telling t = { .topic = x, .o = o };
	size_t before = x->n_said;
	struct err err = {};
	int r = store_run_get(l->store, x->run, say_run, &t, &err);

	if (r == 0)
		r = store_replay(l->store, x->run, (struct event_sink){ on_event, &t }, &err);
	add_known(x, before);
	arena_done(&t.arena);
	if (r == -ENOENT)
		x->over = true;
	else if (r < 0)
		log_warn(l->log, "run %" PRId64 " can't be followed: %s", x->run, err.text);
}

static void look(struct live *l, struct topic *x, const struct web_site *site, uint64_t state)
{
	_cleanup_(buf_done) struct buf b = {};
	struct out o;

	if (x->state == state || x->over)
		return;
	x->state = state;
	out_to_buf(&o, &b);
	if (x->run)
		look_at_run(l, x, &o);
	else
		say_all(site, &o);
	out_flush(&o);
	if (!b.n || str_eq(buf_str(&b), buf_str(&x->now)))
		return;
	buf_clear(&x->now);
	buf_add_str(&x->now, buf_str(&b));
	x->version++;
}

/* ---- who listens ---- */

static void topic_release(struct live *l, struct topic *x)
{
	struct topic **at = &l->topics;

	if (--x->clients)
		return;
	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	for (size_t i = 0; i < x->n_said; i++)
		free(x->said[i].event);
	free(x->said);
	free(x->known);
	buf_done(&x->now);
	free(x);
}

static struct topic *topic_of(struct live *l, int64_t run)
{
	struct topic *x = l->topics;

	while (x && x->run != run)
		x = x->next;
	if (!x) {
		x = xcalloc(1, sizeof(*x));
		x->run = run;
		x->state = UINT64_MAX; /* never looked */
		x->next = l->topics;
		l->topics = x;
	}
	x->clients++;
	return x;
}

static void client_done(void *ctx)
{
	struct client *c = ctx;

	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	c->live->n_clients--;
	topic_release(c->live, c->topic);
	free(c);
}

/* Something to say, until a piece is full; the rest when that is gone. */
static int client_more(void *ctx, struct buf *piece)
{
	struct client *c = ctx;
	const struct topic *x = c->topic;

	if (!c->greeted)
		buf_printf(piece, "retry: 2000\n\n");
	c->greeted = true;
	while (c->told < x->n_said && piece->n < PIECE) {
		buf_printf(piece, "event: program\nid: %zu\ndata: %s\n\n", c->told + 1,
			   x->said[c->told].event);
		c->told++;
	}
	if (c->told == x->n_said && c->version != x->version) {
		buf_add_str(piece, buf_str(&x->now));
		c->version = x->version;
	}
	if (c->beat && !piece->n)
		buf_printf(piece, ":\n\n");
	c->beat = false;
	if (piece->n) {
		c->last_ms = clock_mono_ms();
		return 1;
	}
	return x->over || c->live->stopping ? 0 : HTTP_LATER;
}

static const struct str EVENTS = STR("events");

bool live_is(struct str path, int64_t *ret_run)
{
	uint64_t run;
	struct str rest;

	*ret_run = 0;
	if (str_eq(path, EVENTS))
		return true;
	if (!str_starts(path, STR("run/")))
		return false;
	rest = str_from(path, 4);
	path = str_cut(&rest, '/');
	if (!rest.p || !str_eq(rest, EVENTS) || !str_to_u64(path, &run) || !run ||
	    run > INT64_MAX || path.p[0] == '0')
		return false;
	*ret_run = (int64_t)run;
	return true;
}

int live_answer(struct live *l, struct http_request *q, const struct web_site *site, int64_t run)
{
	struct client *c;
	uint64_t last;

	if (run && !web_site_run(site, run))
		return 404;
	if (l->n_clients == LIVE_CLIENTS || l->stopping)
		return 503;
	c = xcalloc(1, sizeof(*c));
	*c = (struct client){ .live = l, .q = q, .next = l->clients, .at = &l->clients,
			      .last_ms = clock_mono_ms() };
	if (c->next)
		c->next->at = &c->next;
	l->clients = c;
	l->n_clients++;
	c->topic = topic_of(l, run);
	/* The next look is soon; one who is the first waits for nothing. */
	if (c->topic->state == UINT64_MAX)
		look(l, c->topic, site, UINT64_MAX - 1);
	if (run && str_to_u64(http_header(q, "Last-Event-ID"), &last))
		c->told = last < c->topic->n_said ? (size_t)last : c->topic->n_said;
	http_set(q, "Content-Type", STR("text/event-stream"));
	http_set(q, "Cache-Control", STR("no-store"));
	http_set(q, "X-Accel-Buffering", STR("no")); /* nginx: not to be held back */
	http_reply_stream(q, 200, -1, client_more, client_done, c);
	return 0;
}

/* ---- over time ---- */

static void wake(struct live *l)
{
	int64_t now = clock_mono_ms();

	for (struct client *c = l->clients, *next; c; c = next) {
		next = c->next; /* one that has been told its end goes later */
		if (now - c->last_ms >= LIVE_BEAT_MS)
			c->beat = true;
		if (c->beat || l->stopping || c->topic->over || c->told < c->topic->n_said ||
		    c->version != c->topic->version)
			http_stream_wake(c->q);
	}
}

void live_look(struct live *l, const struct web_site *site, uint64_t state)
{
	for (struct topic *x = l->topics; x; x = x->next)
		look(l, x, site, state);
	wake(l);
}

void live_stop(struct live *l)
{
	l->stopping = true;
	wake(l);
}

unsigned live_clients(const struct live *l)
{
	return l->n_clients;
}

struct live *live_new(struct store *store, const struct log *log)
{
	struct live *l = xcalloc(1, sizeof(*l));

	l->store = store;
	l->log = log;
	return l;
}

struct live *live_free(struct live *l)
{
	free(l);
	return NULL;
}
