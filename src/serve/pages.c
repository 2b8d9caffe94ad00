/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct kept {
	char *path;
	size_t path_n;
	uint64_t state;       /* of the store, when it was rendered */
	enum web_page_id id;
	struct web_args args; /* strings are the site's of that state */
	uint64_t hash;        /* of the plain body */
	struct buf body[ENCODE_N];
	bool tried[ENCODE_N]; /* and without a body: not worth it */
};

struct pages {
	struct store *store;
	const char *version;
	unsigned window;
	struct web_site *site;
	uint64_t state;       /* counts the sites there were */
	int64_t changed;      /* store_changed() of it */
	int64_t asked_ms;
	struct kept kept[PAGES_N];
	struct kept big;      /* the last one that was too large to keep */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct pages *pages_new(struct store *store, const char *version, unsigned window)
{
	struct pages *p = xcalloc(1, sizeof(*p));

	p->store = store;
	p->version = version;
	p->window = window;
	return p;
}

static void kept_done(struct kept *k)
{
	free(k->path);
	for (int i = 0; i < ENCODE_N; i++)
		buf_done(&k->body[i]);
	*k = (struct kept){};
}

struct pages *pages_free(struct pages *p)
{
	if (!p)
		return NULL;
	for (unsigned i = 0; i < PAGES_N; i++)
		kept_done(&p->kept[i]);
	kept_done(&p->big);
	web_site_free(p->site);
	free(p);
	return NULL;
}

/* A new site where the store has changed; asked once in PAGES_FRESH_MS. */
static int refresh(struct pages *p, struct err *err)
{
	int64_t now = now_ms(), changed;
	struct web_site *site;
	int r;

	if (p->site && now - p->asked_ms < PAGES_FRESH_MS)
		return 0;
	r = store_changed(p->store, &changed, err);
	if (r < 0)
		return r;
	p->asked_ms = now;
	if (p->site && changed == p->changed)
		return 0;
	r = web_site_new(p->store, p->version, p->window, &site, err);
	if (r < 0)
		return r;
	web_site_free(p->site);
	p->site = site;
	p->changed = changed;
	p->state++;
	return 0;
}

static void rendered(struct kept *k, struct buf *body)
{
	uint64_t hash = str_hash(buf_str(body), STR_HASH_INIT);

	if (k->hash == hash && k->body[ENCODE_NONE].n == body->n)
		return;
	for (int i = 0; i < ENCODE_N; i++) {
		buf_done(&k->body[i]);
		k->tried[i] = false;
	}
	k->hash = hash;
	k->body[ENCODE_NONE] = *body;
	*body = (struct buf){};
}

/* 1, 0 or an error; @ret is what to answer with. */
static int render(struct pages *p, struct str path, struct kept *k, struct kept **ret,
		  struct err *err)
{
	_cleanup_(buf_done) struct buf body = {};
	enum web_page_id id;
	struct web_args args;
	struct out o;
	int r = web_route(p->site, path, &id, &args);

	if (r <= 0)
		return r;
	if (id != WEB_LOG_RAW && id != WEB_CONSOLE_RAW) {
		out_to_buf(&o, &body);
		r = WEB_PAGES[id].render(p->site, &args, &o, err);
		if (r == -ENOENT)
			return 0;
		if (r == 0)
			r = out_flush(&o);
		if (r < 0)
			return err_wrap(err, r, "page '%.*s'", STR_FMT(path));
	}
	if (body.n > PAGES_BODY_MAX)
		k = &p->big;
	if (k->path_n != path.n || !k->path || memcmp(k->path, path.p, path.n) != 0) {
		kept_done(k);
		k->path = xstrndup(path.p, path.n);
		k->path_n = path.n;
	}
	rendered(k, &body);
	k->state = p->state;
	k->id = id;
	k->args = args;
	*ret = k;
	return 1;
}

int pages_get(struct pages *p, struct str path, enum encoding encoding, struct pages_page *ret,
	      struct err *err)
{
	struct kept *k = &p->kept[str_hash(path, STR_HASH_INIT) % PAGES_N];
	int r = refresh(p, err);

	if (r < 0)
		return r;
	if (!k->path || k->state != p->state || !str_eq(str_n(k->path, k->path_n), path)) {
		r = render(p, path, k, &k, err);
		if (r <= 0)
			return r;
	}
	if (!k->tried[encoding]) {
		k->tried[encoding] = true;
		if (encoding)
			encode(encoding, buf_str(&k->body[ENCODE_NONE]), &k->body[encoding]);
	}
	*ret = (struct pages_page){ .id = k->id, .args = k->args };
	ret->encoding = k->body[encoding].n ? encoding : ENCODE_NONE;
	ret->body = buf_str(&k->body[ret->encoding]);
	/* One for each encoding: they are different bytes (RFC 9110, 8.8.3.3). */
	snprintf(ret->tag, sizeof(ret->tag), "\"%016" PRIx64 "%s%s\"", k->hash,
		 ret->encoding ? "-" : "", ret->encoding ? ENCODE_NAMES[ret->encoding] : "");
	return 1;
}
