/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/query.h"

#include <inttypes.h>

const char *const WEB_KNOWN_WORDS[WEB_KNOWN_N] = {
	[WEB_KNOWN_ANY] = "", [WEB_KNOWN_YES] = "yes", [WEB_KNOWN_NO] = "no",
};

enum type { TEXT, COUNT, RUN, STATUS, KNOWN, SORT, SPAN };

static const struct key {
	const char *name;
	enum type type;
	size_t offset;
	uint32_t max; /* COUNT */
} KEYS[WEB_KEY_N] = {
	[WEB_KEY_BRANCH] = { "branch", TEXT, offsetof(struct web_query, branch), 0 },
	[WEB_KEY_MODE] = { "mode", TEXT, offsetof(struct web_query, mode), 0 },
	[WEB_KEY_MACHINE] = { "machine", TEXT, offsetof(struct web_query, machine), 0 },
	[WEB_KEY_SUITE] = { "suite", TEXT, offsetof(struct web_query, suite), 0 },
	[WEB_KEY_NAME] = { "name", TEXT, offsetof(struct web_query, name), 0 },
	[WEB_KEY_STATUS] = { "status", STATUS, offsetof(struct web_query, status), 0 },
	[WEB_KEY_FLIPS] = { "flips", COUNT, offsetof(struct web_query, flips), WEB_COUNT_MAX },
	[WEB_KEY_DAYS] = { "days", COUNT, offsetof(struct web_query, days), WEB_DAYS_MAX },
	[WEB_KEY_KNOWN] = { "known", KNOWN, offsetof(struct web_query, known), 0 },
	[WEB_KEY_SORT] = { "sort", SORT, offsetof(struct web_query, sort), 0 },
	[WEB_KEY_BEFORE] = { "before", RUN, offsetof(struct web_query, before), 0 },
	[WEB_KEY_SKIP] = { "skip", COUNT, offsetof(struct web_query, skip), WEB_COUNT_MAX },
	[WEB_KEY_A] = { "a", SPAN, offsetof(struct web_query, a), 0 },
	[WEB_KEY_B] = { "b", SPAN, offsetof(struct web_query, b), 0 },
	[WEB_KEY_FIND] = { "find", TEXT, offsetof(struct web_query, find), 0 },
	[WEB_KEY_LINE] = { "line", COUNT, offsetof(struct web_query, line), WEB_LINE_NO_MAX },
	[WEB_KEY_BRANCHES] = { "branches", COUNT, offsetof(struct web_query, branches),
			       WEB_COUNT_MAX },
	[WEB_KEY_BRANCH_NAME] = { "branch-name", TEXT, offsetof(struct web_query, branch_name), 0 },
	[WEB_KEY_BR_PFX] = { "br-pfx", TEXT, offsetof(struct web_query, br_pfx), 0 },
	[WEB_KEY_REMOTE] = { "remote", TEXT, offsetof(struct web_query, remote), 0 },
	[WEB_KEY_FORMAT] = { "format", TEXT, offsetof(struct web_query, format), 0 },
};

static void *at(struct web_query *q, const struct key *k)
{
	return (char *)q + k->offset;
}

static const void *in(const struct web_query *q, const struct key *k)
{
	return (const char *)q + k->offset;
}

/* ---- parsing ---- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Length, or -EINVAL. @to has room for WEB_VALUE_MAX. */
static int decode(struct str s, char *to)
{
	int n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i] == '+' ? ' ' : s.p[i];

		if (c == '%') {
			int high = i + 2 < s.n ? hex(s.p[i + 1]) : -1;
			int low = i + 2 < s.n ? hex(s.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -EINVAL;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0' || n == WEB_VALUE_MAX)
			return -EINVAL;
		to[n++] = c;
	}
	return n;
}

static int word_of(struct str value, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (str_eq(value, str_of(words[i])))
			return i;
	return -EINVAL;
}

static int number(struct str value, uint64_t max, uint64_t *ret)
{
	return str_to_u64(value, ret) && *ret <= max ? 0 : -EINVAL;
}

static int span(struct str value, struct web_span *ret)
{
	ptrdiff_t dots = str_find(value, STR(".."));
	struct str last = dots < 0 ? value : str_from(value, (size_t)dots + 2);
	uint64_t first_n = 0, last_n = 0;
	int r = number(dots < 0 ? value : str_n(value.p, (size_t)dots), INT64_MAX, &first_n);

	if (r == 0)
		r = number(last, INT64_MAX, &last_n);
	*ret = (struct web_span){ (int64_t)first_n, (int64_t)last_n };
	/* A run's number is above 0; of two either both are, or there is none. */
	return r == 0 && !first_n == !last_n ? 0 : -EINVAL;
}

static int set(const struct key *k, struct str value, struct arena *arena, struct web_query *q)
{
	enum status status;
	uint64_t n = 0;
	int r = 0;

	switch (k->type) {
	case TEXT:
		*(struct str *)at(q, k) =
			str_n(arena_strndup(arena, value.p, value.n), value.n);
		return 0;
	case COUNT:
		r = number(value, k->max, &n);
		*(uint32_t *)at(q, k) = (uint32_t)n;
		return r;
	case RUN:
		r = number(value, INT64_MAX, &n);
		*(int64_t *)at(q, k) = (int64_t)n;
		return r;
	case SPAN:
		return span(value, at(q, k));
	case STATUS:
		if (!status_from_name(value, &status))
			return -EINVAL;
		*(uint32_t *)at(q, k) |= UINT32_C(1) << status;
		return 0;
	case KNOWN:
		r = word_of(value, WEB_KNOWN_WORDS, WEB_KNOWN_N);
		*(enum web_known *)at(q, k) = r < 0 ? WEB_KNOWN_ANY : (enum web_known)r;
		break;
	case SORT:
		r = word_of(value, JUDGE_SORTS, JUDGE_SORT_N);
		*(enum judge_sort *)at(q, k) = r < 0 ? JUDGE_SORT_RATE : (enum judge_sort)r;
		break;
	}
	return r < 0 ? r : 0;
}

static const struct key *key_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++)
		if (str_eq(name, str_of(KEYS[i].name)))
			return &KEYS[i];
	return NULL;
}

int web_query_parse(struct str text, uint32_t takes, struct arena *arena,
		    struct web_query *ret, struct err *err)
{
	char name[WEB_VALUE_MAX], value[WEB_VALUE_MAX];

	*ret = (struct web_query){};
	if (text.n > WEB_QUERY_MAX)
		return err_set(err, EINVAL, "the address is longer than %d bytes after its '?'",
			       WEB_QUERY_MAX);
	for (struct str rest = text; rest.p;) {
		struct str v = str_cut(&rest, '&'), k = str_cut(&v, '=');
		int n = decode(k, name), len;
		const struct key *key = n < 0 ? NULL : key_of(str_n(name, (size_t)n));

		/* A form sends its empty fields too. */
		if (!key || !v.n || !(takes >> (key - KEYS) & 1))
			continue;
		len = decode(v, value);
		if (len < 0 || set(key, str_n(value, (size_t)len), arena, ret) < 0)
			return err_set(err, EINVAL, "'%s' can't be '%.*s'; leave it out of the "
				       "address for any", key->name, STR_FMT(v));
	}
	return 0;
}

/* ---- printing ---- */

struct printer {
	struct out *out;
	bool html, any;
};

static void pair(struct printer *p, const char *name, struct str value)
{
	if (!p->any)
		out_char(p->out, '?');
	else
		out_str(p->out, p->html ? STR("&amp;") : STR("&"));
	p->any = true;
	out_str(p->out, str_of(name));
	out_char(p->out, '=');
	out_url(p->out, value);
}

static void pair_number(struct printer *p, const char *name, int64_t n)
{
	char text[24];

	if (!n)
		return;
	snprintf(text, sizeof(text), "%" PRId64, n);
	pair(p, name, str_of(text));
}

static void pair_span(struct printer *p, const char *name, const struct web_span *s)
{
	char text[48];

	if (s->first == s->last) {
		pair_number(p, name, s->first);
		return;
	}
	snprintf(text, sizeof(text), "%" PRId64 "..%" PRId64, s->first, s->last);
	pair(p, name, str_of(text));
}

static void print(struct printer *p, const struct web_query *q, const struct key *k)
{
	const void *v = in(q, k);

	switch (k->type) {
	case TEXT:
		if (((const struct str *)v)->n)
			pair(p, k->name, *(const struct str *)v);
		break;
	case COUNT:
		pair_number(p, k->name, *(const uint32_t *)v);
		break;
	case RUN:
		pair_number(p, k->name, *(const int64_t *)v);
		break;
	case SPAN:
		pair_span(p, k->name, v);
		break;
	case STATUS:
		for (unsigned i = 0; i < STATUS_N; i++)
			if (*(const uint32_t *)v >> i & 1)
				pair(p, k->name, str_of(STATUS_INFO[i].name));
		break;
	case KNOWN:
		if (*(const enum web_known *)v)
			pair(p, k->name, str_of(WEB_KNOWN_WORDS[*(const enum web_known *)v]));
		break;
	case SORT:
		if (*(const enum judge_sort *)v)
			pair(p, k->name, str_of(JUDGE_SORTS[*(const enum judge_sort *)v]));
		break;
	}
}

void web_query_print(const struct web_query *q, bool html, struct out *out)
{
	struct printer p = { out, html, false };

	for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++)
		print(&p, q, &KEYS[i]);
}

/* ---- names ---- */

static void add_lower(struct buf *b, struct str s)
{
	size_t from = b->n;

	buf_add_str(b, s);
	for (size_t i = from; i < b->n; i++)
		if (b->p[i] >= 'A' && b->p[i] <= 'Z')
			b->p[i] |= 0x20;
}

bool web_query_names(const struct web_query *q, struct str suite, struct str program,
		     struct str path)
{
	_cleanup_(buf_done) struct buf name = {}, want = {};

	if (!q->name.n)
		return true;
	add_lower(&want, q->name);
	add_lower(&name, suite);
	buf_add(&name, "/", 1);
	add_lower(&name, program);
	if (path.n)
		buf_add(&name, "/", 1);
	add_lower(&name, path);
	for (size_t i = 0; i < want.n; i++)
		if (strchr("*?[", want.p[i]))
			return str_glob(want.p, name.p);
	return str_find(buf_str(&name), buf_str(&want)) >= 0;
}
