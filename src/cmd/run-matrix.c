/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/run-matrix.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"
#include "run/forecast.h"

#define NAME_WIDTH 36

struct sum {
	int64_t ms;     /* of those that are known */
	size_t unknown, n;
};

static struct sum sum_of(const struct plan_tests *t)
{
	struct sum s = { .n = t->n };

	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].expect_ms < 0)
			s.unknown++;
		else
			s.ms += t->v[i].expect_ms;
	}
	return s;
}

/* With as many machines; what is unknown takes no time. */
static int64_t end_of(const struct run_plan *p, unsigned machines)
{
	_free_ int64_t *ms = xcalloc(run_plan_tests(p), sizeof(*ms));
	size_t n = 0;

	for (unsigned i = 0; i < p->n_parts; i++)
		for (size_t k = 0; k < p->parts[i].tests.n; k++)
			if (p->parts[i].tests.v[k].expect_ms > 0)
				ms[n++] = p->parts[i].tests.v[k].expect_ms;
	return run_forecast(ms, n, machines ? machines : 1);
}

static void expected_text(const struct sum *s, struct buf *b)
{
	char text[UNIT_TEXT_MAX];

	if (s->unknown == s->n) {
		buf_printf(b, "unknown");
		return;
	}
	buf_printf(b, "%s", duration_text(s->ms, text));
	if (s->unknown)
		buf_printf(b, " and %zu unknown", s->unknown);
}

static void print_test(struct out *out, const struct plan_test *t)
{
	_free_ char *name = xasprintf("%s/%s", t->suite, t->name);
	char text[UNIT_TEXT_MAX];

	out_lit(out, "  ");
	out_term(out, str_of(name));
	out_printf(out, "%*s  %s\n", strlen(name) < 44 ? (int)(44 - strlen(name)) : 0, "",
		   t->expect_ms < 0 ? "unknown" : duration_text(t->expect_ms, text));
}

static void print_part(struct out *out, const struct run_part *part, bool tests)
{
	_free_ char *name = xasprintf("%s on %s", part->mode.name, part->machine);
	_cleanup_(buf_done) struct buf expected = {};
	struct sum s = sum_of(&part->tests);

	expected_text(&s, &expected);
	out_term(out, str_of(name));
	out_printf(out, "%*s %4zu test%s  ",
		   strlen(name) < NAME_WIDTH ? (int)(NAME_WIDTH - strlen(name)) : 0, "", s.n,
		   s.n == 1 ? " " : "s");
	out_str(out, buf_str(&expected));
	out_lit(out, "\n");
	for (size_t i = 0; tests && i < part->tests.n; i++)
		print_test(out, &part->tests.v[i]);
}

static void print_text(const struct run_plan *p, const char *branch, unsigned machines,
		       bool tests, struct out *out)
{
	struct sum all = {};
	char text[UNIT_TEXT_MAX];

	if (branch) {
		out_term(out, str_of(branch));
		out_lit(out, "\n");
	}
	for (unsigned i = 0; i < p->n_parts; i++) {
		struct sum s = sum_of(&p->parts[i].tests);

		print_part(out, &p->parts[i], tests);
		all.n += s.n;
		all.unknown += s.unknown;
	}
	out_printf(out, "%u job%s, %zu test%s, ", p->n_parts, p->n_parts == 1 ? "" : "s", all.n,
		   all.n == 1 ? "" : "s");
	if (all.unknown == all.n)
		out_lit(out, "expected time unknown: the history has none of them");
	else
		out_printf(out, "about %s", duration_text(end_of(p, machines), text));
	if (all.unknown < all.n && machines > 1)
		out_printf(out, " with %u machines at a time", machines);
	if (all.unknown && all.unknown < all.n)
		out_printf(out, ", without the %zu unknown", all.unknown);
	out_lit(out, "\n");
}

static void json_ms(struct json *j, const char *key, int64_t ms)
{
	json_key(j, key);
	if (ms < 0)
		json_null(j);
	else
		json_int(j, ms);
}

static void json_part(struct json *j, const struct run_part *part)
{
	struct sum s = sum_of(&part->tests);

	json_object(j);
	json_field_str(j, "mode", str_of(part->mode.name));
	json_field_str(j, "machine", str_of(part->machine));
	json_ms(j, "expected_ms", s.unknown == s.n ? -1 : s.ms);
	json_field_int(j, "unknown", (int64_t)s.unknown);
	json_key(j, "tests");
	json_array(j);
	for (size_t i = 0; i < part->tests.n; i++) {
		const struct plan_test *t = &part->tests.v[i];

		json_object(j);
		json_field_str(j, "suite", str_of(t->suite));
		json_field_str(j, "name", str_of(t->name));
		json_ms(j, "expected_ms", t->expect_ms);
		json_end(j);
	}
	json_end(j);
	json_end(j);
}

void run_matrix_print(const struct run_plan *p, const char *branch, unsigned machines,
		      bool tests, struct json *j, struct out *out)
{
	int64_t end = end_of(p, machines);

	if (!j) {
		print_text(p, branch, machines, tests, out);
		return;
	}
	json_object(j);
	if (branch)
		json_field_str(j, "branch", str_of(branch));
	json_field_int(j, "machines", machines);
	json_ms(j, "expected_ms", end ? end : -1);
	json_key(j, "jobs");
	json_array(j);
	for (unsigned i = 0; i < p->n_parts; i++)
		json_part(j, &p->parts[i]);
	json_end(j);
	json_end(j);
}

/* A test of several jobs is one line. */
static bool was_listed(const struct run_plan *p, unsigned part, const struct plan_test *t)
{
	for (unsigned i = 0; i < part; i++)
		for (size_t k = 0; k < p->parts[i].tests.n; k++) {
			const struct plan_test *o = &p->parts[i].tests.v[k];

			if (strcmp(o->suite, t->suite) == 0 && strcmp(o->name, t->name) == 0)
				return true;
		}
	return false;
}

void run_list_print(const struct run_plan *p, bool as_json, struct out *o)
{
	struct json j;

	json_init(&j, o, false);
	if (as_json)
		json_array(&j);
	for (unsigned i = 0; i < p->n_parts; i++)
		for (size_t k = 0; k < p->parts[i].tests.n; k++) {
			const struct plan_test *t = &p->parts[i].tests.v[k];
			_free_ char *selector = xasprintf("%s/%s", t->suite, t->name);

			if (was_listed(p, i, t))
				continue;
			if (as_json)
				json_str(&j, str_of(selector));
			else
				out_printf(o, "%s\n", selector);
		}
	if (as_json)
		json_end(&j);
}
