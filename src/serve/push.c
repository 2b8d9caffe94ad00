/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/push.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/inflate.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/units.h"
#include "import/import.h"
#include "serve/tokens.h"
#include "store/store.h"

#define PLAIN_MAX (256u << 20) /* unpacked */
#define HOUR_MS   3600000

/* What one token did lately; forgotten with the server. */
struct account {
	char name[TOKEN_NAME_MAX];
	double runs;       /* that it may still send now */
	int64_t at_ms;
};

struct push {
	char *url, *path, *scratch;
	const struct log *log;
	struct store *store;
	struct tokens tokens;
	struct timespec written; /* the file, when it was read */
	struct account accounts[TOKENS_MAX];
	unsigned n_accounts;
};

/* One run on its way into the store. */
struct arrival {
	struct push *push;
	const struct token *token;
	struct store_record *record;
	struct event_sink sink;
	char id[200], branch[TOKEN_BRANCH_MAX + 64];
	bool known, refused;
};

struct push *push_new(const char *url, const char *tokens, const char *scratch,
		      const struct log *log)
{
	struct push *p = xcalloc(1, sizeof(*p));

	p->url = url ? xstrdup(url) : NULL;
	p->path = xstrdup(tokens);
	p->scratch = xstrdup(scratch);
	p->log = log;
	return p;
}

struct push *push_free(struct push *p)
{
	if (!p)
		return NULL;
	store_close(p->store);
	tokens_done(&p->tokens);
	free(p->url);
	free(p->path);
	free(p->scratch);
	free(p);
	return NULL;
}

/* ---- who ---- */

/* A token that is revoked is so at once: the file is read again when it changed. */
static int refresh(struct push *p, struct err *err)
{
	struct stat st = {};
	struct tokens t;
	int r;

	stat(p->path, &st);
	if (st.st_mtim.tv_sec == p->written.tv_sec && st.st_mtim.tv_nsec == p->written.tv_nsec)
		return 0;
	r = tokens_read(p->path, &t, err);
	if (r < 0)
		return r;
	tokens_done(&p->tokens);
	p->tokens = t;
	p->written = st.st_mtim;
	return 0;
}

static struct account *account(struct push *p, const struct token *t)
{
	struct account *a;

	for (unsigned i = 0; i < p->n_accounts; i++)
		if (strcmp(p->accounts[i].name, t->name) == 0)
			return &p->accounts[i];
	/* Names of tokens that are gone: the oldest gives way. */
	a = &p->accounts[p->n_accounts < TOKENS_MAX ? p->n_accounts++ : 0];
	*a = (struct account){ .runs = (double)t->runs_per_hour, .at_ms = clock_mono_ms() };
	memcpy(a->name, t->name, sizeof(a->name));
	return a;
}

/* A bucket that fills in an hour. */
static bool may_send(struct push *p, const struct token *t)
{
	struct account *a = account(p, t);
	double most = (double)t->runs_per_hour;
	int64_t now = clock_mono_ms();

	a->runs += (double)(now - a->at_ms) / HOUR_MS * most;
	a->runs = a->runs > most ? most : a->runs;
	a->at_ms = now;
	if (a->runs < 1)
		return false;
	a->runs -= 1;
	return true;
}

/* ---- the run ---- */

static int is_same(void *ctx, const struct store_run *run)
{
	return str_eq(run->uid, str_of((const char *)ctx));
}

/* Branches are told by the first event, after the id: what is not allowed is said
 * to nobody. */
static void on_event(void *ctx, const struct event *ev)
{
	struct arrival *a = ctx;

	if (ev->type == EVENT_RUN_BEGIN) {
		snprintf(a->branch, sizeof(a->branch), "%.*s", STR_FMT(ev->run->branch));
		a->refused = !str_glob(a->token->branches, a->branch);
	}
	if (!a->refused)
		event_emit(&a->sink, ev);
}

static int on_begin(void *ctx, struct str uid, struct event_sink *ret, struct err *err)
{
	struct arrival *a = ctx;
	int64_t id;
	int r;

	snprintf(a->id, sizeof(a->id), "%.*s", STR_FMT(uid));
	r = store_run_find(a->push->store, a->id, &id, NULL);
	if (r == 0)
		r = store_run_get(a->push->store, id, is_same, a->id, err);
	else
		r = r == -ENOENT || r == -EINVAL ? 0 : r;
	a->known = r == 1;
	if (r)
		return r < 0 ? r : 0;
	r = store_record_new(a->push->store, &a->record, err);
	if (r < 0)
		return r;
	store_record_durable(a->record, STORE_PER_RUN);
	a->sink = store_record_sink(a->record);
	*ret = (struct event_sink){ on_event, a };
	return 1;
}

static int on_end(void *ctx, struct err *err)
{
	struct arrival *a = ctx;

	if (a->refused)
		return err_set(err, EACCES, "token '%s' is for branches '%s', not for '%s'",
			       a->token->name, a->token->branches, a->branch);
	return store_record_error(a->record, err);
}

static void on_damaged(void *ctx, const char *file, const char *where, const char *why)
{
}

static int on_counted(void *ctx, struct str uid, struct event_sink *ret, struct err *err)
{
	unsigned *runs = ctx;

	return ++*runs > 1 ? err_set(err, EMSGSIZE, "more than one run: send each by itself") : 0;
}

/* Before anything is written: a refusal leaves nothing behind. */
static int must_be_one(struct str text, struct err *err)
{
	unsigned runs = 0;
	struct import im = { .begin = on_counted, .damaged = on_damaged, .ctx = &runs };
	int r = import_taproom_text(&im, "the run", text, err);

	return r < 0 || runs ? r : err_set(err, EBADMSG, "there is no run in it");
}

static int take(struct arrival *a, struct str text, struct err *err)
{
	struct import im = { .begin = on_begin, .end = on_end, .damaged = on_damaged, .ctx = a,
			     .scratch = a->push->scratch };
	int r = must_be_one(text, err);

	if (r >= 0 && !a->push->store)
		r = store_open(a->push->url, STORE_WRITE, &a->push->store, err);
	if (r >= 0)
		r = import_taproom_text(&im, "the run", text, err);
	a->record = store_record_free(a->record);
	return r;
}

/* ---- the answer ---- */

static void answer(struct http_request *q, int status, const char *key, const char *value,
		   bool known)
{
	_cleanup_(buf_done) struct buf b = {};
	struct json j;
	struct out o;

	out_to_buf(&o, &b);
	json_init(&j, &o, false);
	json_object(&j);
	json_field_str(&j, key, str_of(value));
	if (known)
		json_field_bool(&j, "known", true);
	json_end(&j);
	out_flush(&o);
	http_set(q, "Content-Type", STR("application/json"));
	http_set(q, "Cache-Control", STR("no-store"));
	http_reply(q, status, buf_str(&b));
}

static int status_of(int r)
{
	return r == -EACCES ? 403 : r == -EBADMSG || r == -EMSGSIZE ? 422 : r == -EFBIG ? 413 : 500;
}

static void answer_error(struct push *p, struct http_request *q, int r, const struct err *err)
{
	int status = status_of(r);

	if (status == 500)
		log_warn(p->log, "a pushed run: %s", err->text);
	answer(q, status, "error", status == 500 ? "it can't be kept; the server's log says why"
						 : err->text, false);
}

static struct str bearer(struct http_request *q)
{
	struct str s = http_header(q, "Authorization");

	return str_starts_nocase(s, STR("Bearer ")) ? str_trim(str_from(s, 7)) : STR("");
}

static void receive(struct push *p, struct http_request *q, const struct token *token)
{
	struct arrival a = { .push = p, .token = token };
	_cleanup_(buf_done) struct buf plain = { .max = PLAIN_MAX };
	struct err err = {};
	int r = inflate_any(http_body(q), PLAIN_MAX, &plain, &err);

	if (r == 0)
		r = take(&a, buf_str(&plain), &err);
	if (r < 0) {
		answer_error(p, q, r, &err);
		return;
	}
	if (!a.known)
		log_info(p->log, "run %s of branch %s, pushed by %s", a.id, a.branch, token->name);
	answer(q, a.known ? 200 : 201, "run", a.id, a.known);
}

void push_request(struct push *p, struct http_request *q)
{
	const struct token *token;
	struct err err = {};
	int r = refresh(p, &err);

	if (r < 0) {
		answer_error(p, q, -EIO, &err);
		return;
	}
	token = tokens_find(&p->tokens, bearer(q));
	if (!token) {
		http_set(q, "WWW-Authenticate", STR("Bearer realm=\"taproom\""));
		answer(q, 401, "error", "no token, or one that is nobody's: 'taproom token add' "
					"makes one", false);
	} else if (http_body(q).n > token->max_bytes) {
		answer(q, 413, "error", "the run is larger than this token may send", false);
	} else if (!may_send(p, token)) {
		http_set(q, "Retry-After", STR("600"));
		answer(q, 429, "error", "this token has sent as many runs as it may in an hour",
		       false);
	} else {
		receive(p, q, token);
	}
}
