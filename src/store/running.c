/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running: the programs that run now, as words of a run's counts (inside.h):
 *
 *   at=JOB.PROGRAM.ATTEMPT.BEGIN-MS.MODE/MACHINE/SUITE/NAME
 *
 * What they are called may be anything: in names all but letters, digits and "-_" is %XX.
 */
#include <ctype.h>
#include <inttypes.h>

#include "base/mem.h"
#include "store/recorder.h"
#include "tap/parse.h"

static const struct str WORD = STR("at=");

static void put_name(struct buf *b, struct str s)
{
	s.n = s.n < TAP_NAME_MAX ? s.n : TAP_NAME_MAX;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x80 && (isalnum(c) || c == '-' || c == '_'))
			buf_add(b, s.p + i, 1);
		else
			buf_printf(b, "%%%02X", c);
	}
}

static void running_add(struct buf *words, const struct store_running *r)
{
	const struct str names[] = { r->mode, r->machine, r->suite, r->name };

	buf_printf(words, "%s%.*s%u.%u.%u.%" PRId64, words->n ? " " : "", STR_FMT(WORD), r->job,
		   r->program, r->attempt, r->begin_ms);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		buf_add(words, i ? "/" : ".", 1);
		put_name(words, names[i]);
	}
}

void record_running(struct store_record *r, struct buf *words)
{
	unsigned told = 0;

	for (size_t i = 0; i < r->n_open && told < STORE_RUNNING_MAX; i++) {
		const struct execution *x = r->open[i];
		const struct setting *s = record_job(r, x->job)->setting;

		if (x->ended)
			continue;
		told++;
		running_add(words, &(struct store_running){
			.job = x->job, .program = x->number, .attempt = x->attempt,
			.begin_ms = x->begin_ms, .mode = s->mode, .machine = s->machine,
			.suite = x->program->suite, .name = x->program->name });
	}
}

static bool take_number(struct str *s, uint64_t max, uint64_t *ret)
{
	return str_to_u64(str_cut(s, '.'), ret) && *ret <= max;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool take_name(struct str *s, struct buf *text)
{
	for (struct str x = str_cut(s, '/'); x.n; x = str_from(x, 1)) {
		char c = x.p[0];

		if (c == '%') {
			if (x.n < 3 || hex(x.p[1]) < 0 || hex(x.p[2]) < 0)
				return false;
			c = (char)(hex(x.p[1]) << 4 | hex(x.p[2]));
			x = str_from(x, 2);
		}
		buf_add(text, &c, 1);
	}
	return true;
}

static bool take(struct str s, struct buf *text, struct store_running *ret)
{
	struct str *const names[] = { &ret->mode, &ret->machine, &ret->suite, &ret->name };
	size_t ends[ARRAY_SIZE(names)];
	uint64_t v[4];

	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		if (!take_number(&s, i == 3 ? INT64_MAX : UINT32_MAX, &v[i]))
			return false;
	*ret = (struct store_running){ .job = (unsigned)v[0], .program = (unsigned)v[1],
				       .attempt = (unsigned)v[2], .begin_ms = (int64_t)v[3] };
	buf_clear(text);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!s.p || !take_name(&s, text))
			return false;
		ends[i] = text->n;
	}
	for (size_t i = 0, at = 0; i < ARRAY_SIZE(names); at = ends[i++])
		*names[i] = str_n(text->p ? text->p + at : "", ends[i] - at);
	return ret->name.n > 0;
}

bool store_running_next(struct str *words, struct buf *text, struct store_running *ret)
{
	while (words->n) {
		struct str word = str_cut(words, ' ');

		if (str_starts(word, WORD) && take(str_from(word, WORD.n), text, ret))
			return true;
	}
	return false;
}
