/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"

struct unit {
	struct str name;
	uint64_t factor;
};

static const struct unit DURATIONS[] = {
	{ STR("ms"), 1 },        { STR("s"), 1000 },       { STR("m"), 60000 },
	{ STR("min"), 60000 },   { STR("h"), 3600000 },    { STR("d"), 86400000 },
	{ STR(""), 1000 },
};

static const struct unit SIZES[] = {
	{ STR(""), 1 },
	{ STR("B"), 1 },
	{ STR("K"), 1u << 10 },
	{ STR("M"), 1u << 20 },
	{ STR("G"), 1u << 30 },
	{ STR("T"), (uint64_t)1 << 40 },
	{ STR("KiB"), 1u << 10 },
	{ STR("MiB"), 1u << 20 },
	{ STR("GiB"), 1u << 30 },
};

static const struct unit *unit_find(const struct unit *u, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(u[i].name, name))
			return &u[i];
	return NULL;
}

static size_t span(struct str s, bool digits)
{
	size_t n = 0;

	while (n < s.n && (s.p[n] >= '0' && s.p[n] <= '9') == digits)
		n++;
	return n;
}

/* One or several "number unit" pairs, added up. */
static int parse_sum(struct str s, const struct unit *u, size_t n_units, uint64_t *ret)
{
	uint64_t sum = 0;

	if (s.n == 0)
		return -EINVAL;
	while (s.n) {
		size_t d = span(s, true), w;
		const struct unit *unit;
		uint64_t v;

		if (d == 0 || !str_to_u64(str_n(s.p, d), &v))
			return -EINVAL;
		s = str_from(s, d);
		w = span(s, false);
		unit = unit_find(u, n_units, str_n(s.p, w));
		if (!unit || __builtin_mul_overflow(v, unit->factor, &v) ||
		    __builtin_add_overflow(sum, v, &sum))
			return -EINVAL;
		s = str_from(s, w);
	}
	*ret = sum;
	return 0;
}

int duration_parse(struct str s, int64_t *ret_ms, struct err *err)
{
	uint64_t v;

	if (parse_sum(s, DURATIONS, ARRAY_SIZE(DURATIONS), &v) < 0 || v > INT64_MAX / 2)
		return err_set(err, EINVAL,
			       "'%.*s' is no duration: write 250ms, 90s or 90, 1m30s, 2h or 14d",
			       STR_FMT(s));
	*ret_ms = (int64_t)v;
	return 0;
}

int size_parse(struct str s, uint64_t *ret_bytes, struct err *err)
{
	if (parse_sum(s, SIZES, ARRAY_SIZE(SIZES), ret_bytes) < 0)
		return err_set(err, EINVAL, "'%.*s' is no size: write 512M, 2G or bytes",
			       STR_FMT(s));
	return 0;
}

const char *duration_text(int64_t ms, char text[static UNIT_TEXT_MAX])
{
	if (ms < 1000)
		snprintf(text, UNIT_TEXT_MAX, "%" PRId64 " ms", ms);
	else if (ms < 60000)
		snprintf(text, UNIT_TEXT_MAX, "%.1f s", (double)ms / 1000);
	else if (ms < 3600000)
		snprintf(text, UNIT_TEXT_MAX, "%" PRId64 "m %02" PRId64 "s", ms / 60000,
			 ms / 1000 % 60);
	else
		snprintf(text, UNIT_TEXT_MAX, "%" PRId64 "h %02" PRId64 "m", ms / 3600000,
			 ms / 60000 % 60);
	return text;
}

const char *duration_clock(int64_t ms, char text[static UNIT_TEXT_MAX])
{
	int64_t s = ms / 1000;

	if (s < 3600)
		snprintf(text, UNIT_TEXT_MAX, "%" PRId64 ":%02" PRId64, s / 60, s % 60);
	else
		snprintf(text, UNIT_TEXT_MAX, "%" PRId64 ":%02" PRId64 ":%02" PRId64,
			 s / 3600, s / 60 % 60, s % 60);
	return text;
}

const char *size_text(uint64_t bytes, char text[static UNIT_TEXT_MAX])
{
	static const char *const names[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double v = (double)bytes;
	size_t i = 0;

	while (v >= 1000 && i + 1 < ARRAY_SIZE(names)) {
		v /= 1000;
		i++;
	}
	snprintf(text, UNIT_TEXT_MAX, i ? "%.1f %s" : "%.0f %s", v, names[i]);
	return text;
}

static const char *date_format(int64_t unix_ms, const char *format, char *text)
{
	time_t s = (time_t)(unix_ms / 1000);
	struct tm tm;

	if (!gmtime_r(&s, &tm) || !strftime(text, UNIT_TEXT_MAX, format, &tm))
		snprintf(text, UNIT_TEXT_MAX, "?");
	return text;
}

const char *date_text(int64_t unix_ms, char text[static UNIT_TEXT_MAX])
{
	return date_format(unix_ms, "%Y-%m-%d %H:%M", text);
}

const char *date_rfc3339(int64_t unix_ms, char text[static UNIT_TEXT_MAX])
{
	size_t n;

	date_format(unix_ms, "%Y-%m-%dT%H:%M:%S", text);
	n = strlen(text);
	snprintf(text + n, UNIT_TEXT_MAX - n, ".%03dZ", (int)(unix_ms % 1000));
	return text;
}

static int64_t clock_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}
