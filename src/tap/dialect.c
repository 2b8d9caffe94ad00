/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/dialect.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/mem.h"

#define LINE_MAX_BYTES 4096 /* no result is longer; the rest goes by as it is */
#define REASON_MAX     200

struct dialect {
	struct tap_parser *to;
	void (*line)(struct dialect *d, struct str line);
	char text[LINE_MAX_BYTES];
	size_t n;
	bool passing;  /* the line was too long: its rest goes by */
	bool repeats;  /* all that follows was said before */
	unsigned count;
	char reason[REASON_MAX];
};

static void pass(struct dialect *d, struct str line)
{
	tap_parse(d->to, line.p, line.n);
	tap_parse(d->to, "\n", 1);
}

/* "OK": a line of KTAP. What stands in a name must not be read as a directive. */
static void tell(struct dialect *d, bool child, uint64_t number, struct str name,
		 enum status status)
{
	struct buf b = { .max = 2 * LINE_MAX_BYTES };

	buf_printf(&b, "%s%sok %llu ", child ? "    " : "",
		   status == STATUS_PASS || status == STATUS_SKIP ? "" : "not ",
		   (unsigned long long)number);
	for (size_t i = 0; i < name.n; i++)
		buf_add(&b, name.p[i] == '#' ? "_" : name.p + i, 1);
	if (status == STATUS_SKIP)
		buf_printf(&b, " # SKIP");
	else if (status == STATUS_TIMEOUT)
		buf_printf(&b, " # TIMEOUT");
	else if (status == STATUS_FAIL && d->reason[0] &&
		 !tap_is_directive(str_of(d->reason), false))
		buf_printf(&b, " # %s", d->reason);
	d->reason[0] = '\0';
	pass(d, buf_str(&b));
	buf_done(&b);
}

static uint64_t digits(struct str *s)
{
	uint64_t v = 0;
	size_t i = 0;

	for (; i < s->n && i < 9 && isdigit((unsigned char)s->p[i]); i++)
		v = v * 10 + (uint64_t)(s->p[i] - '0');
	*s = str_from(*s, i);
	return i ? v : UINT64_MAX;
}

/* "mptcp/base:OK": cuts the status off. */
static bool cut_status(struct str *name, enum status *ret)
{
	static const struct {
		struct str word;
		enum status status;
	} words[] = {
		{ { ":OK", 3 }, STATUS_PASS },
		{ { ":SKIP", 5 }, STATUS_SKIP },
		{ { ":FAIL", 5 }, STATUS_FAIL },
	};

	for (size_t at = name->n; at-- > 0;) {
		for (size_t i = 0; name->p[at] == ':' && i < ARRAY_SIZE(words); i++) {
			struct str rest = str_from(*name, at);

			if (!str_starts(rest, words[i].word) ||
			    (rest.n > words[i].word.n && rest.p[words[i].word.n] != ' '))
				continue;
			name->n = at;
			*ret = words[i].status;
			return true;
		}
	}
	return false;
}

/* The first "function:FAIL:what" says why. */
static void keep_reason(struct dialect *d, struct str line)
{
	size_t n = line.n < REASON_MAX - 1 ? line.n : REASON_MAX - 1;

	if (d->reason[0] || str_find(line, STR(":FAIL:")) <= 0)
		return;
	for (size_t i = 0; i < n; i++)
		d->reason[i] = line.p[i] == '#' || line.p[i] < ' ' ? '_' : line.p[i];
	d->reason[n] = '\0';
}

static void line_test_progs(struct dialect *d, struct str line)
{
	struct str rest = line;
	enum status status;
	uint64_t number, child = UINT64_MAX;

	d->repeats |= str_eq(str_trim(line), STR("All error logs:"));
	if (d->repeats || !str_starts(line, STR("#"))) {
		if (!d->repeats)
			keep_reason(d, line);
		pass(d, line);
		return;
	}
	rest = str_from(rest, 1);
	number = digits(&rest);
	if (str_starts(rest, STR("/"))) {
		rest = str_from(rest, 1);
		child = digits(&rest);
	}
	if (number == UINT64_MAX || !str_starts(rest, STR(" ")) || !cut_status(&rest, &status)) {
		pass(d, line);
		return;
	}
	rest = str_trim(rest);
	if (child != UINT64_MAX) /* "mptcp/base" */
		str_cut(&rest, '/');
	if (!rest.n)
		pass(d, line);
	else
		tell(d, child != UINT64_MAX, child != UINT64_MAX ? child : number, rest, status);
}

static void line_packetdrill(struct dialect *d, struct str line)
{
	static const struct {
		struct str word;
		enum status status;
	} words[] = {
		{ { "OK   [", 6 }, STATUS_PASS },
		{ { "FAIL [", 6 }, STATUS_FAIL },
		{ { "KILL [", 6 }, STATUS_TIMEOUT },
	};
	struct str name = str_trim(line);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!str_starts(name, words[i].word) || !str_ends(name, STR(")]")))
			continue;
		/* The path differs from machine to machine. */
		for (size_t at = name.n; at-- > words[i].word.n;)
			if (name.p[at] == '/' || at == words[i].word.n) {
				at += name.p[at] == '/';
				name = str_n(name.p + at, name.n - at - 1);
				break;
			}
		tell(d, false, ++d->count, name, words[i].status);
		return;
	}
	pass(d, line);
}

static const struct {
	const char *name;
	void (*line)(struct dialect *d, struct str line);
} DIALECTS[] = {
	{ "test_progs", line_test_progs },
	{ "packetdrill", line_packetdrill },
};

bool dialect_is(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(DIALECTS); i++)
		if (strcmp(DIALECTS[i].name, name) == 0)
			return true;
	return false;
}

struct dialect *dialect_new(const char *name, struct tap_parser *to)
{
	struct dialect *d = NULL;

	for (size_t i = 0; name && i < ARRAY_SIZE(DIALECTS); i++) {
		if (strcmp(DIALECTS[i].name, name) != 0)
			continue;
		d = xcalloc(1, sizeof(*d));
		d->to = to;
		d->line = DIALECTS[i].line;
	}
	return d;
}

struct dialect *dialect_free(struct dialect *d)
{
	free(d);
	return NULL;
}

void dialect_feed(struct dialect *d, const char *bytes, size_t n)
{
	while (n) {
		const char *end = memchr(bytes, '\n', n);
		size_t part = end ? (size_t)(end - bytes) : n;

		if (!d->passing && part > sizeof(d->text) - d->n) {
			tap_parse(d->to, d->text, d->n);
			d->n = 0;
			d->passing = true;
		}
		if (d->passing) {
			tap_parse(d->to, bytes, part + (end != NULL));
			d->passing = !end;
		} else {
			memcpy(d->text + d->n, bytes, part);
			d->n += part;
			if (end)
				d->line(d, str_n(d->text, d->n));
			d->n = end ? 0 : d->n;
		}
		bytes += part + (end != NULL);
		n -= part + (end != NULL);
	}
}

void dialect_end(struct dialect *d)
{
	if (d->n && !d->passing)
		d->line(d, str_n(d->text, d->n));
	d->n = 0;
}
