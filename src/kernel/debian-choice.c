/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kernel/apt.h"

#define IMAGE "linux-image-"
#define CLOUD "cloud-amd64"

static struct str field_value(struct str record, const char *name)
{
	size_t n = strlen(name);

	while (record.n) {
		struct str line = str_cut(&record, '\n');

		if (str_starts(line, str_of(name)) && line.n > n && line.p[n] == ':')
			return str_trim(str_from(line, n + 1));
	}
	return STR_NONE;
}

static uint64_t field_number(struct str record, const char *name, uint64_t unit)
{
	uint64_t v;

	/* No package is near 1 TB; a number that is can't be true. */
	if (!str_to_u64(field_value(record, name), &v) || v > (UINT64_C(1) << 40) / unit)
		return 0;
	return v * unit;
}

int apt_record_next(struct str *rest, struct apt_record *ret)
{
	while (rest->n) {
		ptrdiff_t end = str_find(*rest, STR("\n\n"));
		struct str record = *rest;

		if (end >= 0) {
			record.n = (size_t)end;
			*rest = str_from(*rest, (size_t)end + 2);
		} else {
			*rest = STR_NONE;
		}
		*ret = (struct apt_record){
			.package = field_value(record, "Package"),
			.version = field_value(record, "Version"),
			.depends = field_value(record, "Depends"),
			.built_using = field_value(record, "Built-Using"),
			.size = field_number(record, "Size", 1),
			.installed = field_number(record, "Installed-Size", 1024),
		};
		if (ret->package.n && ret->version.n)
			return 1;
	}
	return 0;
}

int apt_record_find(struct str text, const char *version, struct apt_record *ret)
{
	struct apt_record r;

	while (apt_record_next(&text, &r)) {
		if (version && !str_eq(r.version, str_of(version)))
			continue;
		*ret = r;
		return 1;
	}
	return 0;
}

static size_t digits(struct str s, size_t at)
{
	size_t n = 0;

	while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9')
		n++;
	return n;
}

struct str debian_series(struct str name)
{
	size_t major, minor;

	if (str_starts(name, STR(IMAGE)))
		name = str_from(name, strlen(IMAGE));
	major = digits(name, 0);
	if (!major || major >= name.n || name.p[major] != '.')
		return STR_NONE;
	minor = digits(name, major + 1);
	return minor ? str_n(name.p, major + 1 + minor) : STR_NONE;
}

static bool has_line(struct str text, struct str line)
{
	while (text.n)
		if (str_eq(str_cut(&text, '\n'), line))
			return true;
	return false;
}

/* "linux-image-X.Y-cloud-amd64" and nothing between: one package per series,
 * not one per ABI. */
static bool is_series_package(struct str name, struct str names)
{
	struct str series = debian_series(name);
	_free_ char *source = xasprintf("linux-source-%.*s", STR_FMT(series));
	_free_ char *whole = xasprintf(IMAGE "%.*s-" CLOUD, STR_FMT(series));

	return series.n && str_eq(name, str_of(whole)) && has_line(names, str_of(source));
}

static int newest_first(const void *a, const void *b)
{
	return strverscmp(*(char *const *)b, *(char *const *)a);
}

void debian_candidates(struct str names, struct buf *ret)
{
	struct str rest = names;
	char **v = NULL;
	size_t n = 0, cap = 0;

	while (rest.n) {
		struct str name = str_cut(&rest, '\n');

		if (!is_series_package(name, names))
			continue;
		ARRAY_GROW(v, n, cap);
		v[n++] = xstrndup(name.p, name.n);
	}
	if (n)
		qsort(v, n, sizeof(*v), newest_first);
	for (size_t i = 0; i < n; i++) {
		buf_printf(ret, "%s\n", v[i]);
		free(v[i]);
	}
	free(v);
	if (has_line(names, STR(IMAGE CLOUD)))
		buf_printf(ret, IMAGE CLOUD "\n");
}

struct str debian_built_of_linux(struct str built_using)
{
	while (built_using.n) {
		struct str one = str_trim(str_cut(&built_using, ','));

		if (str_starts(one, STR("linux (= ")) && str_ends(one, STR(")")))
			return str_n(one.p + strlen("linux (= "), one.n - strlen("linux (= )"));
	}
	return STR_NONE;
}

struct str debian_depends_image(struct str depends)
{
	while (depends.n) {
		struct str one = str_trim(str_cut(&depends, ',')), word = str_cut(&one, ' ');

		if (str_starts(word, STR(IMAGE)))
			return word;
	}
	return STR_NONE;
}
