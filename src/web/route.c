/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a path back to a page: the other direction of web_path(). */
#include "web/matrix.h"
#include "web/pages.h"

#define ROUTE_MAX 1024

static const char DIGITS[] = "0123456789abcdef";

/* @slug is a path's word for a branch or a mode; the site knows which. */
static bool unslug(const struct web_site *site, struct str slug, bool branch, struct str *ret)
{
	for (unsigned i = 0; i < site->n_choices; i++) {
		struct str name = branch ? site->choices[i].branch : site->choices[i].mode;
		_cleanup_(buf_done) struct buf b = {};
		struct out o;

		out_to_buf(&o, &b);
		web_slug(&o, name);
		if (out_flush(&o) == 0 && str_eq(buf_str(&b), slug)) {
			*ret = name;
			return true;
		}
	}
	return false;
}

static bool unsplat(const struct web_site *site, struct str slug, const struct web_splat **ret)
{
	for (unsigned i = 0; i < site->n_splats; i++) {
		_cleanup_(buf_done) struct buf b = {};
		struct out o;

		out_to_buf(&o, &b);
		web_slug(&o, site->splats[i].fingerprint);
		if (out_flush(&o) == 0 && str_eq(buf_str(&b), slug)) {
			*ret = &site->splats[i];
			return true;
		}
	}
	return false;
}

static bool number(struct str s, uint64_t max, uint64_t *ret)
{
	return str_to_u64(s, ret) && *ret <= max;
}

/* Its last 16 digits say which; that the rest is right is seen by who called. */
static bool untest(const struct web_site *site, struct str slug, const struct web_test **ret)
{
	uint64_t hash = 0;

	if (slug.n < 16)
		return false;
	for (size_t i = slug.n - 16; i < slug.n; i++) {
		const char *digit = memchr(DIGITS, slug.p[i], 16);

		if (!digit)
			return false;
		hash = hash << 4 | (uint64_t)(digit - DIGITS);
	}
	*ret = web_tests_find(&site->history->tests, hash);
	return *ret && ((*ret)->page || site->live);
}

static bool unsuite(const struct web_site *site, struct str slug, struct str *ret)
{
	struct str v[MATRIX_SUITES];
	unsigned n = matrix_suites(site->history, v, MATRIX_SUITES);

	for (unsigned i = 0; i < n; i++) {
		_cleanup_(buf_done) struct buf b = {};
		struct out o;

		out_to_buf(&o, &b);
		web_slug(&o, v[i]);
		if (out_flush(&o) == 0 && str_eq(buf_str(&b), slug)) {
			*ret = v[i];
			return true;
		}
	}
	return false;
}

/* One {field} of a pattern. */
static bool field(const struct web_site *site, struct str name, struct str value,
		  struct web_args *a)
{
	uint64_t v;

	if (str_eq(name, STR("branch")))
		return unslug(site, value, true, &a->q.branch);
	if (str_eq(name, STR("mode")))
		return unslug(site, value, false, &a->q.mode);
	if (str_eq(name, STR("suite")))
		return unsuite(site, value, &a->q.suite);
	if (str_eq(name, STR("test")))
		return untest(site, value, &a->test);
	if (str_eq(name, STR("splat")))
		return unsplat(site, value, &a->splat);
	if (str_eq(name, STR("kind"))) {
		if (event_kind_fits(value))
			snprintf(a->kind, sizeof(a->kind), "%.*s", STR_FMT(value));
		return event_kind_fits(value);
	}
	if (str_eq(name, STR("hash")))
		return value.n == 8;
	if (str_eq(name, STR("run")) && number(value, INT64_MAX, &v))
		a->run = (int64_t)v;
	else if (str_eq(name, STR("before")) && number(value, INT64_MAX, &v))
		a->q.before = (int64_t)v;
	else if (str_eq(name, STR("program")) && number(value, UINT32_MAX, &v))
		a->program = (unsigned)v;
	else if (str_eq(name, STR("job")) && number(value, UINT32_MAX, &v))
		a->job = (unsigned)v;
	else
		return false;
	return true;
}

/* "run/{run}.html": what is between the fields must be there as it is. A value
 * holds no '/'; it may hold what follows it ("v6.1.html.html"). */
static bool match(const struct web_site *site, struct str pattern, struct str path,
		  struct web_args *a)
{
	struct str literal = str_cut(&pattern, '{'), name;

	if (!str_starts(path, literal))
		return false;
	path = str_from(path, literal.n);
	if (!pattern.p)
		return path.n == 0;
	name = str_cut(&pattern, '}');
	for (size_t n = 1; n <= path.n && path.p[n - 1] != '/'; n++)
		if (match(site, pattern, str_from(path, n), a) &&
		    field(site, name, str_n(path.p, n), a))
			return true;
	return false;
}

int web_route(const struct web_site *site, struct str path, enum web_page_id *ret_page,
	      struct web_args *ret_args)
{
	if (path.n > ROUTE_MAX)
		return 0;
	if (path.n == 0)
		path = STR("index.html");
	for (unsigned i = 0; i < WEB_PAGE_N; i++) {
		_cleanup_(buf_done) struct buf b = {};
		struct web_args a = {};
		struct out o;

		if ((WEB_PAGES[i].served && !site->live) ||
		    !match(site, str_of(WEB_PAGES[i].path), path, &a))
			continue;
		/* One page, one address: "run/017.html" is none. */
		out_to_buf(&o, &b);
		web_path((enum web_page_id)i, &a, &o);
		if (out_flush(&o) < 0 || !str_eq(buf_str(&b), path))
			continue;
		*ret_page = (enum web_page_id)i;
		*ret_args = a;
		return 1;
	}
	return 0;
}
