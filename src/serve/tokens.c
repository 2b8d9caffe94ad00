/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/tokens.h"

#include <inttypes.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/mem.h"

#define FILE_MAX (1u << 20)
#define PREFIX   "tap_" /* so that scanners for leaked secrets know it */

static void hash(struct str text, uint8_t ret[static 32])
{
	struct sha256_ctx c;

	sha256_init(&c);
	sha256_update(&c, text.n, (const uint8_t *)text.p);
	sha256_digest(&c, 32, ret);
}

char *tokens_default_path(void)
{
	const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (xdg && xdg[0] == '/')
		return path_join(xdg, "taproom/tokens");
	return path_join(home && home[0] == '/' ? home : "/root", ".local/share/taproom/tokens");
}

/* ---- the file ---- */

static bool word(struct str *rest, char *to, size_t size)
{
	struct str w = str_cut(rest, ' ');

	if (!w.n || w.n >= size)
		return false;
	memcpy(to, w.p, w.n);
	to[w.n] = '\0';
	return true;
}

static bool unhex(const char *s, uint8_t ret[static 32])
{
	for (int i = 0; i < 32; i++)
		if (sscanf(s + 2 * i, "%2hhx", &ret[i]) != 1)
			return false;
	return s[64] == '\0';
}

static bool number(struct str *rest, uint64_t *ret)
{
	return str_to_u64(str_cut(rest, ' '), ret) && *ret <= INT64_MAX;
}

static bool parse(struct str line, struct token *t)
{
	uint64_t created;
	char hex[65];

	*t = (struct token){};
	if (!word(&line, t->name, sizeof(t->name)) || !word(&line, hex, sizeof(hex)) ||
	    strlen(hex) != 64 || !unhex(hex, t->hash) ||
	    !word(&line, t->branches, sizeof(t->branches)) || !number(&line, &created) ||
	    !number(&line, &t->runs_per_hour) || !number(&line, &t->max_bytes))
		return false;
	t->created_ms = (int64_t)created;
	return !line.p;
}

int tokens_read(const char *path, struct tokens *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf b = {};
	unsigned n = 0;
	int r;

	*ret = (struct tokens){};
	if (!file_exists(path))
		return 0;
	r = file_read(path, FILE_MAX, &b, err);
	for (struct str rest = buf_str(&b); r == 0 && rest.n;) {
		struct str line = str_trim(str_cut(&rest, '\n'));
		struct token t;

		n++;
		if (!line.n)
			continue;
		if (!parse(line, &t) || ret->n == TOKENS_MAX) {
			tokens_done(ret);
			return err_set(err, EBADMSG, "'%s', line %u is no token", path, n);
		}
		ARRAY_GROW(ret->v, ret->n, ret->cap);
		ret->v[ret->n++] = t;
	}
	return r;
}

void tokens_done(struct tokens *t)
{
	free(t->v);
	*t = (struct tokens){};
}

static int write_all(const char *path, const struct tokens *t, struct err *err)
{
	_cleanup_(buf_done) struct buf b = {};

	for (size_t i = 0; i < t->n; i++) {
		const struct token *k = &t->v[i];

		buf_printf(&b, "%s ", k->name);
		for (int h = 0; h < 32; h++)
			buf_printf(&b, "%02x", k->hash[h]);
		buf_printf(&b, " %s %" PRId64 " %" PRIu64 " %" PRIu64 "\n", k->branches,
			   k->created_ms, k->runs_per_hour, k->max_bytes);
	}
	return file_write(path, buf_str(&b), 0600, err);
}

/* Two at a time would lose one's change. */
static int lock(const char *path, int *ret, struct err *err)
{
	_free_ char *name = xasprintf("%s.lock", path);
	int r = file_lock(name, true, ret, err);

	return r < 0 ? r : 0;
}

/* ---- one token ---- */

static struct token *by_name(struct tokens *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->v[i].name, name) == 0)
			return &t->v[i];
	return NULL;
}

static bool is_word(const char *s, size_t max)
{
	size_t n = strcspn(s, " \t\r\n\v\f");

	return n && s[n] == '\0' && n < max;
}

/* In place of '+' and '/' and without '=': as RFC 4648, section 5. */
static int make(char text[static TOKEN_TEXT], struct err *err)
{
	_cleanup_(buf_done) struct buf b = {};
	uint8_t random[32];
	struct out o;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_sys(err, errno, "get random bytes");
	out_to_buf(&o, &b);
	base64_write(&o, str_n((char *)random, sizeof(random)));
	out_flush(&o);
	for (size_t i = 0; i < b.n; i++)
		b.p[i] = b.p[i] == '+' ? '-' : b.p[i] == '/' ? '_' : b.p[i];
	snprintf(text, TOKEN_TEXT, PREFIX "%.43s", b.p);
	return 0;
}

int tokens_add(const char *path, const struct token *new, char ret_text[static TOKEN_TEXT],
	       struct err *err)
{
	_cleanup_(tokens_done) struct tokens t = {};
	_cleanup_(closep) int fd = -1;
	int r;

	if (!is_word(new->name, TOKEN_NAME_MAX))
		return err_set(err, EINVAL, "'%s' is no name for a token: one word, up to %d bytes",
			       new->name, TOKEN_NAME_MAX - 1);
	if (!is_word(new->branches, TOKEN_BRANCH_MAX))
		return err_set(err, EINVAL, "'%s' is no glob of branches: one word, up to %d bytes",
			       new->branches, TOKEN_BRANCH_MAX - 1);
	r = lock(path, &fd, err);
	if (r == 0)
		r = tokens_read(path, &t, err);
	if (r == 0 && by_name(&t, new->name))
		r = err_set(err, EEXIST, "there is a token '%s'; revoke it first", new->name);
	if (r == 0 && t.n == TOKENS_MAX)
		r = err_set(err, E2BIG, "there are %d tokens: that is the most", TOKENS_MAX);
	if (r == 0)
		r = make(ret_text, err);
	if (r < 0)
		return r;
	ARRAY_GROW(t.v, t.n, t.cap);
	t.v[t.n] = *new;
	hash(str_of(ret_text), t.v[t.n++].hash);
	return write_all(path, &t, err);
}

int tokens_remove(const char *path, const char *name, struct err *err)
{
	_cleanup_(tokens_done) struct tokens t = {};
	_cleanup_(closep) int fd = -1;
	struct token *found;
	int r = lock(path, &fd, err);

	if (r == 0)
		r = tokens_read(path, &t, err);
	if (r < 0)
		return r;
	found = by_name(&t, name);
	if (!found)
		return err_set(err, ENOENT, "there is no token '%s'; 'taproom token list' has them",
			       name);
	*found = t.v[--t.n];
	return write_all(path, &t, err);
}

const struct token *tokens_find(const struct tokens *t, struct str text)
{
	const struct token *found = NULL;
	uint8_t h[32];

	hash(text, h);
	for (size_t i = 0; i < t->n; i++)
		if (memeql_sec(h, t->v[i].hash, sizeof(h)))
			found = &t->v[i];
	return found;
}
