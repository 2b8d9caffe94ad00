/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"
#include "serve/judging.h"

struct kept {
	char *key;            /* path, and its query */
	size_t key_n;
	uint64_t state;       /* of the store, when it was rendered */
	enum web_page_id id;
	struct web_args args; /* strings are the site's of that state */
	uint64_t hash;        /* of the plain body */
	struct buf body[ENCODE_N];
	bool tried[ENCODE_N]; /* and without a body: not worth it */
};

struct pages {
	struct pages_config c;
	struct web_site *site;
	uint64_t state;       /* counts the sites there were */
	int64_t changed;      /* store_changed() of it */
	int64_t asked_ms;
	struct judging *judging;
	struct buf mark;      /* store_mark() of what is judged */
	int64_t judged_ms, took_ms, behind_ms; /* behind: since when; 0: it isn't */
	struct kept kept[PAGES_N];
	struct kept big;      /* the last one that was too large to keep */
	size_t bytes;
	unsigned hand;        /* whose turn it is to be dropped */
	struct buf moved;
	struct pages_stats stats;
};

/* ---- the site ---- */

static int site_renew(struct pages *p, struct web_history *h, struct err *err)
{
	struct web_site *site;
	int r = web_site_with(p->c.store, p->c.version, p->c.window, h, &site, err);

	if (r < 0)
		return r;
	site->live = true;
	site->rules = p->c.rules;
	web_site_free(p->site);
	p->site = site;
	p->state++;
	return 0;
}

static void on_judged(void *ctx, struct judged *j)
{
	struct pages *p = ctx;
	struct err err = j->err;
	int r = j->history ? site_renew(p, j->history, &err) : -EIO;

	web_history_free(j->history);
	if (r < 0) {
		log_warn(p->c.log, "the history can't be judged anew: %s", err.text);
	} else {
		buf_clear(&p->mark);
		buf_add_str(&p->mark, j->mark);
		p->judged_ms = j->begin_ms;
		p->took_ms = j->took_ms;
		p->behind_ms = 0;
	}
	/* It may have changed meanwhile: the next one who asks looks. */
	p->changed = INT64_MIN;
}

/* A new site where the store has changed; a new judgement where that matters to it. */
static int refresh(struct pages *p, int64_t changed, struct err *err)
{
	_cleanup_(buf_done) struct buf mark = {};
	int r = store_mark(p->c.store, &mark, err);

	if (r >= 0)
		r = site_renew(p, p->site->history, err);
	if (r < 0)
		return r;
	p->changed = changed;
	if (str_eq(buf_str(&mark), buf_str(&p->mark))) {
		p->behind_ms = 0;
		return 0;
	}
	p->behind_ms = p->behind_ms ? p->behind_ms : p->asked_ms;
	judging_start(p->judging);
	return 0;
}

static int is_lost(void *ctx, const struct store_run *run)
{
	return run->state != STORE_RUN_RUNNING;
}

/* A run whose process died says that it did to nobody: it has to be looked at. */
static bool any_died(struct pages *p)
{
	for (unsigned i = 0; i < p->site->n_runs; i++)
		if (p->site->runs[i].state == STORE_RUN_RUNNING &&
		    store_run_get(p->c.store, p->site->runs[i].id, is_lost, NULL, NULL) == 1)
			return true;
	return false;
}

uint64_t pages_refresh(struct pages *p)
{
	int64_t now = clock_mono_ms(), changed;
	struct err err = {};
	int r;

	if (now - p->asked_ms < PAGES_FRESH_MS)
		return p->state;
	p->asked_ms = now;
	r = store_changed(p->c.store, &changed, &err);
	if (r >= 0 && (changed != p->changed || any_died(p)))
		r = refresh(p, changed, &err);
	if (r < 0)
		log_warn(p->c.log, "the store can't be read anew: %s", err.text);
	return p->state;
}

const struct web_site *pages_site(const struct pages *p)
{
	return p->site;
}

struct pages_stats pages_stats(const struct pages *p)
{
	struct pages_stats s = p->stats;

	s.bytes = p->bytes;
	s.judged_ms = p->judged_ms;
	s.took_ms = p->took_ms;
	s.behind = p->behind_ms != 0;
	return s;
}

static int first_site(struct pages *p, struct err *err)
{
	struct web_history *h;
	int r = store_changed(p->c.store, &p->changed, err);

	p->asked_ms = p->judged_ms = clock_mono_ms();
	if (r >= 0)
		r = store_mark(p->c.store, &p->mark, err);
	if (r >= 0)
		r = web_history_new(p->c.store, &h, err);
	if (r < 0)
		return r;
	p->took_ms = clock_mono_ms() - p->judged_ms;
	r = site_renew(p, h, err);
	web_history_free(h);
	return r;
}

int pages_new(const struct pages_config *c, struct pages **ret, struct err *err)
{
	struct pages *p = xcalloc(1, sizeof(*p));
	int r;

	p->c = *c;
	r = first_site(p, err);
	if (r < 0) {
		pages_free(p);
		return r;
	}
	p->judging = judging_new(c->loop, c->url, on_judged, p);
	*ret = p;
	return 0;
}

/* ---- what is kept ---- */

static void kept_done(struct pages *p, struct kept *k)
{
	free(k->key);
	for (int i = 0; i < ENCODE_N; i++) {
		p->bytes -= k->body[i].n;
		buf_done(&k->body[i]);
	}
	*k = (struct kept){};
}

struct pages *pages_free(struct pages *p)
{
	if (!p)
		return NULL;
	judging_free(p->judging);
	for (unsigned i = 0; i < PAGES_N; i++)
		kept_done(p, &p->kept[i]);
	kept_done(p, &p->big);
	web_site_free(p->site);
	buf_done(&p->mark);
	buf_done(&p->moved);
	free(p);
	return NULL;
}

/* Makes room for what @k got. */
static void drop_others(struct pages *p, const struct kept *k)
{
	for (unsigned i = 0; p->bytes > PAGES_BYTES_MAX && i < PAGES_N; i++) {
		struct kept *other = &p->kept[p->hand++ % PAGES_N];

		if (other != k)
			kept_done(p, other);
	}
}

static void rendered(struct pages *p, struct kept *k, struct buf *body)
{
	uint64_t hash = str_hash(buf_str(body), STR_HASH_INIT);

	if (k->hash == hash && k->body[ENCODE_NONE].n == body->n)
		return;
	for (int i = 0; i < ENCODE_N; i++) {
		p->bytes -= k->body[i].n;
		buf_done(&k->body[i]);
		k->tried[i] = false;
	}
	k->hash = hash;
	k->body[ENCODE_NONE] = *body;
	p->bytes += body->n;
	*body = (struct buf){};
	drop_others(p, k);
}

static void encoded(struct pages *p, struct kept *k, enum encoding encoding)
{
	if (k->tried[encoding])
		return;
	k->tried[encoding] = true;
	if (!encoding)
		return;
	encode(encoding, buf_str(&k->body[ENCODE_NONE]), &k->body[encoding]);
	p->bytes += k->body[encoding].n;
	drop_others(p, k);
}

static bool is_of(const struct kept *k, struct str key)
{
	return k->key && str_eq(str_n(k->key, k->key_n), key);
}

/* ---- a page ---- */

struct asked {
	enum web_page_id id;
	struct web_args args;
	struct buf key;
	struct arena arena;   /* of the query's strings */
};

static void asked_done(struct asked *a)
{
	buf_done(&a->key);
	arena_done(&a->arena);
}

/* What the path says goes before what the query says. */
static void merge(struct web_args *args, const struct web_query *q)
{
	const struct web_query path = args->q;

	args->q = *q;
	if (path.branch.n)
		args->q.branch = path.branch;
	if (path.mode.n)
		args->q.mode = path.mode;
	if (path.suite.n)
		args->q.suite = path.suite;
	if (path.before)
		args->q.before = path.before;
}

static void add_query(const struct web_query *q, struct buf *b)
{
	struct out o;

	out_to_buf(&o, b);
	web_query_print(q, false, &o);
	out_flush(&o);
}

/* Which page it is, and under which key it is kept. */
static int understand(struct pages *p, struct str path, struct str query, struct asked *a,
		      struct err *err)
{
	struct web_query q;
	int r = web_route(p->site, path, &a->id, &a->args);

	if (r <= 0)
		return r;
	buf_add_str(&a->key, path);
	if (!WEB_PAGES[a->id].takes || !query.n)
		return 1;
	r = web_query_parse(query, WEB_PAGES[a->id].takes, &a->arena, &q, err);
	if (r < 0)
		return r;
	merge(&a->args, &q);
	add_query(&q, &a->key);
	return 1;
}

/* Runs are numbered as they come: one below the newest that is not here was removed. */
static bool was_there(const struct pages *p, int64_t run)
{
	const struct web_site *s = p->site;

	return run > 0 && s->n_runs && run < s->by_id[s->n_runs - 1]->id &&
	       !web_site_run(s, run) && web_history_run(s->history, run) == s->history->n_runs;
}

static int render(struct pages *p, struct asked *a, struct kept *k, struct kept **ret,
		  struct err *err)
{
	_cleanup_(buf_done) struct buf body = {};
	struct out o;
	int r = 0;

	p->stats.renders++;
	if (a->id != WEB_LOG_RAW && a->id != WEB_CONSOLE_RAW) {
		out_to_buf(&o, &body);
		r = WEB_PAGES[a->id].render(p->site, &a->args, &o, err);
		if (r == -ENOENT)
			return was_there(p, a->args.run) ? PAGES_GONE : PAGES_NONE;
		if (r == -EINVAL)
			return r;
		if (r == 0)
			r = out_flush(&o);
		if (r < 0)
			return err_wrap(err, r, "page '%.*s'", STR_FMT(buf_str(&a->key)));
	}
	if (body.n > PAGES_BODY_MAX)
		k = &p->big;
	if (!is_of(k, buf_str(&a->key))) {
		kept_done(p, k);
		k->key_n = a->key.n;
		k->key = buf_take(&a->key);
	}
	rendered(p, k, &body);
	k->state = p->state;
	k->id = a->id;
	k->args = a->args;
	k->args.q = (struct web_query){}; /* its strings go with the question */
	*ret = k;
	return PAGES_FOUND;
}

/* Among files some views have a path of their own; here they are a query. */
static int moved(struct pages *p, const struct asked *a, struct pages_page *ret)
{
	enum web_page_id to = WEB_PAGES[a->id].live ? WEB_PAGES[a->id].live : a->id;
	struct out o;

	buf_clear(&p->moved);
	out_to_buf(&o, &p->moved);
	web_path(to, &a->args, &o);
	web_query_print(&a->args.q, false, &o);
	out_flush(&o);
	*ret = (struct pages_page){ .id = a->id, .args = a->args, .moved = buf_str(&p->moved) };
	return PAGES_FOUND;
}

/* "flakes", "run/7": as one types it, and as files are served elsewhere. */
static int without_html(struct pages *p, struct str path, struct str query, struct asked *a,
			struct pages_page *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf b = {};
	int r;

	buf_add_str(&b, path);
	buf_add_str(&b, STR(".html"));
	r = understand(p, buf_str(&b), query, a, err);
	return r > 0 ? moved(p, a, ret) : r;
}

int pages_get(struct pages *p, struct str path, struct str query, enum encoding encoding,
	      struct pages_page *ret, struct err *err)
{
	_cleanup_(asked_done) struct asked a = {};
	struct kept *k = &p->kept[str_hash(path, STR_HASH_INIT) % PAGES_N];
	int r;

	pages_refresh(p);
	/* Without a query the path is the key: most need no more than this. */
	if (query.n || k->state != p->state || !is_of(k, path)) {
		r = understand(p, path, query, &a, err);
		if (r == 0)
			return without_html(p, path, query, &a, ret, err);
		if (r < 0)
			return r;
		r = PAGES_FOUND;
		if (WEB_PAGES[a.id].live)
			return moved(p, &a, ret);
		k = &p->kept[str_hash(buf_str(&a.key), STR_HASH_INIT) % PAGES_N];
		if (k->state != p->state || !is_of(k, buf_str(&a.key)))
			r = render(p, &a, k, &k, err);
		else
			p->stats.hits++;
		if (r != PAGES_FOUND)
			return r;
	} else {
		p->stats.hits++;
	}
	encoded(p, k, encoding);
	*ret = (struct pages_page){ .id = k->id, .args = k->args };
	ret->encoding = k->body[encoding].n ? encoding : ENCODE_NONE;
	ret->body = buf_str(&k->body[ret->encoding]);
	ret->age_s = p->behind_ms ? (clock_mono_ms() - p->behind_ms) / 1000 + 1 : 0;
	/* One for each encoding: they are different bytes (RFC 9110, 8.8.3.3). */
	snprintf(ret->tag, sizeof(ret->tag), "\"%016" PRIx64 "%s%s\"", k->hash,
		 ret->encoding ? "-" : "", ret->encoding ? ENCODE_NAMES[ret->encoding] : "");
	return PAGES_FOUND;
}
