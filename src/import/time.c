/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/run.h"

/* Days since 1970 of the proleptic Gregorian calendar (H. Hinnant, "chrono-
 * Compatible Low-Level Date Algorithms", days_from_civil). */
static int64_t days_of(int64_t y, int m, int d)
{
	int64_t era, yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

int64_t import_time_ms(int year, int month, int day, int hour, int minute, int second)
{
	static const int DAYS[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 ||
	    day > DAYS[month - 1] || hour > 23 || minute > 59 || second > 60 || hour < 0 ||
	    minute < 0 || second < 0)
		return -1;
	return (((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000;
}

/* Takes @n digits and, when not 0, the byte @then off the front. */
static bool take(struct str *s, size_t n, char then, int *ret)
{
	*ret = 0;
	if (s->n < n + (then != 0))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		*ret = *ret * 10 + (s->p[i] - '0');
	}
	if (then && s->p[n] != then)
		return false;
	*s = str_from(*s, n + (then != 0));
	return true;
}

static bool take_offset(struct str s, int *ret_minutes)
{
	int sign, h, m = 0;

	*ret_minutes = 0;
	if (s.n == 0 || str_eq(s, STR("Z")) || str_eq(s, STR("z")) || str_eq(s, STR(" UTC")))
		return true;
	if (s.p[0] != '+' && s.p[0] != '-')
		return false;
	sign = s.p[0] == '-' ? -1 : 1;
	s = str_from(s, 1);
	if (!take(&s, 2, 0, &h))
		return false;
	if (s.n && s.p[0] == ':')
		s = str_from(s, 1);
	if ((s.n && !take(&s, 2, 0, &m)) || s.n || h > 23 || m > 59)
		return false;
	*ret_minutes = sign * (h * 60 + m);
	return true;
}

int import_time_parse(struct str s, int64_t *ret_ms)
{
	int year, month, day, hour, minute, second, offset, ms = 0;
	int64_t t;

	s = str_trim(s);
	if (!take(&s, 4, '-', &year) || !take(&s, 2, '-', &month) || !take(&s, 2, 0, &day) ||
	    s.n == 0 || (s.p[0] != 'T' && s.p[0] != ' ' && s.p[0] != 't'))
		return 0;
	s = str_from(s, 1);
	if (!take(&s, 2, ':', &hour) || !take(&s, 2, ':', &minute) || !take(&s, 2, 0, &second))
		return 0;
	if (s.n && s.p[0] == '.') {
		int scale = 100;

		for (s = str_from(s, 1); s.n && s.p[0] >= '0' && s.p[0] <= '9';
		     s = str_from(s, 1), scale /= 10)
			ms += (s.p[0] - '0') * scale;
	}
	t = import_time_ms(year, month, day, hour, minute, second);
	if (t < 0 || !take_offset(s, &offset))
		return 0;
	t += ms - (int64_t)offset * 60000;
	if (t < 0)
		return 0;
	*ret_ms = t;
	return 1;
}
