/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Constructs: tests/constructs against what readers make of them.
 *
 *	constructs write DATA DIR              DIR/001.log ... , one each
 *	constructs compare DATA DIR READER...  DIR/READER.out: one row per construct
 *
 * READER.out has the form of bench/peers/README. A reader is right when it has
 * the same results, in any order, and the same verdict. So that only what it
 * understands counts, not its vocabulary or its taste:
 *
 *   - only results with a line of their own and without subtests are compared;
 *   - a name may keep its dash, its comment and fields, and lack the " #2" that
 *     makes it unique; where the log has no description it may be empty;
 *   - fail, timeout, error and crash are "fail"; for xfail, xpass and flaky
 *     anything but a failure is right;
 *   - verdicts are "ok" (also: skipped) and "not ok"; of a log without anything
 *     in it any is right.
 *
 * Left out: logs whose end only the runner knows, and our own limits (1.3, 5.7).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/out.h"
#include "constructs.h"
#include "tap/event.h"

#define READERS_MAX 8
#define TITLE_WIDTH 64

struct found {
	struct str status, name;
	bool used;
};

struct founds {
	struct found *v;
	size_t n, cap;
	struct str verdict;
};

struct reader {
	const char *name;
	struct buf text;
	struct founds *by; /* of each construct */
	unsigned right;
};

/* A result of a construct's file: "3 #2 skip a > b | because x | x2". */
struct wanted {
	enum status status;
	struct str name, number;
	bool twice; /* its name has an ordinal */
};

static bool left_out(const struct construct *c)
{
	return c->end != TAP_END_CLEAN || str_eq(c->rule, STR("1.3")) ||
	       str_eq(c->rule, STR("5.7"));
}

/* Returns 1, or 0 for a line that no other reader is asked for. */
static int want_line(struct str line, struct wanted *ret)
{
	ptrdiff_t bar = str_find(line, STR(" | "));
	struct str fields = bar < 0 ? STR("") : str_from(line, (size_t)bar);
	struct str path = bar < 0 ? line : str_n(line.p, (size_t)bar), word;

	*ret = (struct wanted){};
	word = str_cut(&path, ' '); /* the line's number */
	if (str_eq(word, STR("-")) || str_find(fields, STR(" | parent")) >= 0 ||
	    str_find(fields, STR(" | implied")) >= 0)
		return 0;
	word = str_cut(&path, ' ');
	if (word.n && word.p[0] == '#') {
		ret->number = str_from(word, 1);
		word = str_cut(&path, ' ');
	}
	if (!status_from_name(word, &ret->status) || !path.p)
		return 0; /* a problem, the verdict */
	for (ptrdiff_t at; (at = str_find(path, STR(" > "))) >= 0;)
		path = str_from(path, (size_t)at + 3);
	ret->name = path;
	ret->twice = str_find(fields, STR(" | x")) >= 0;
	return 1;
}

static bool same_status(enum status want, struct str got)
{
	static const char *const WORD[STATUS_N] = {
		[STATUS_PASS] = "pass",	   [STATUS_SKIP] = "skip",    [STATUS_FAIL] = "fail",
		[STATUS_TIMEOUT] = "fail", [STATUS_ERROR] = "fail",   [STATUS_CRASH] = "fail",
		[STATUS_MISSING] = "fail",
	};

	if (!WORD[want])
		return !str_eq(got, STR("fail"));
	return str_eq(got, str_of(WORD[want]));
}

static bool is_utf8(struct str s)
{
	while (s.n) {
		size_t n = utf8_len(s);

		if (!n)
			return false;
		s = str_from(s, n);
	}
	return true;
}

static bool same_name(const struct wanted *w, struct str rule, struct str got)
{
	struct str want = w->name;

	if (!is_utf8(want))
		return got.n; /* everyone shows such bytes in his own way */
	got = str_trim(got);
	if (str_starts(got, STR("- ")) && !str_starts(want, STR("- ")))
		got = str_trim(str_from(got, 2));
	if (str_eq(got, STR("-")))
		got = STR("");
	if (w->twice)
		while (want.n && want.p[--want.n] != ' ')
			;
	if (!got.n)
		/* kselftest.h's "# SKIP name" is no description in TAP. */
		return str_eq(want, w->number) || !w->number.n || str_eq(rule, STR("6.7"));
	if (!str_starts(got, want))
		return false;
	got = str_trim(str_from(got, want.n));
	return !got.n || got.p[0] == '#';
}

static bool same_verdict(struct str want, struct str got)
{
	if (str_find(want, STR("empty")) >= 0)
		return true;
	return str_starts(want, STR("fail")) == !str_eq(got, STR("ok"));
}

static bool is_right(const struct construct *c, struct founds *f)
{
	struct str last = STR("");
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		f->v[i].used = false;
	for (struct str rest = buf_str(&c->want); rest.p;) {
		struct str line = str_cut(&rest, '\n');
		struct wanted w;
		bool there = false;

		if (line.n)
			last = line;
		if (!want_line(line, &w))
			continue;
		n++;
		for (size_t i = 0; i < f->n && !there; i++) {
			there = !f->v[i].used && same_status(w.status, f->v[i].status) &&
				same_name(&w, c->rule, f->v[i].name);
			f->v[i].used |= there;
		}
		if (!there)
			return false;
	}
	return n == f->n && same_verdict(last, f->verdict);
}

static void read_results(struct reader *r, size_t n)
{
	struct founds *f = NULL;

	r->by = xcalloc(n, sizeof(*r->by));
	for (struct str rest = buf_str(&r->text); rest.p;) {
		struct str line = str_cut(&rest, '\n'), word;
		uint64_t i;

		if (str_starts(line, STR("== "))) {
			ptrdiff_t dot = str_find(line, STR(".log"));

			f = dot >= 6 && str_to_u64(str_n(line.p + dot - 3, 3), &i) && i < n ?
				    &r->by[i] : NULL;
			continue;
		}
		if (!f || !line.n)
			continue;
		word = str_cut(&line, '\t');
		if (str_eq(word, STR("verdict"))) {
			f->verdict = line;
			continue;
		}
		ARRAY_GROW(f->v, f->n, f->cap);
		f->v[f->n++] = (struct found){ .status = word, .name = line };
	}
}

static int compare(struct constructs *all, const char *dir, int n, char **names)
{
	struct reader readers[READERS_MAX] = {};
	unsigned asked = 0;
	struct err err = {};

	if (n > READERS_MAX)
		n = READERS_MAX;
	printf("%-*s", TITLE_WIDTH, "construct");
	for (int i = 0; i < n; i++) {
		_free_ char *file = xasprintf("%s/%s.out", dir, names[i]);

		readers[i].name = names[i];
		if (file_read(file, 0, &readers[i].text, &err) < 0) {
			fprintf(stderr, "constructs: %s\n", err.text);
			return 1;
		}
		read_results(&readers[i], all->n);
		printf(" %11s", names[i]);
	}
	putchar('\n');
	for (size_t k = 0; k < all->n; k++) {
		const struct construct *c = &all->v[k];
		_free_ char *title = xasprintf("%.*s %.*s", STR_FMT(c->rule), STR_FMT(c->title));

		if (left_out(c))
			continue;
		asked++;
		printf("%-*.*s", TITLE_WIDTH, TITLE_WIDTH, title);
		for (int i = 0; i < n; i++) {
			bool right = is_right(c, &readers[i].by[k]);

			readers[i].right += right;
			printf(" %11s", right ? "right" : "wrong");
		}
		putchar('\n');
	}
	printf("%-*s", TITLE_WIDTH, "");
	for (int i = 0; i < n; i++) {
		_free_ char *score = xasprintf("%u/%u", readers[i].right, asked);

		printf(" %11s", score);
	}
	putchar('\n');
	for (int i = 0; i < n; i++) {
		for (size_t k = 0; k < all->n; k++)
			free(readers[i].by[k].v);
		free(readers[i].by);
		buf_done(&readers[i].text);
	}
	return 0;
}

static int write_all(const struct constructs *all, const char *dir)
{
	struct err err = {};

	for (size_t i = 0; i < all->n; i++) {
		_free_ char *file = xasprintf("%s/%03zu.log", dir, i);

		if (file_write(file, buf_str(&all->v[i].in), 0644, &err) < 0) {
			fprintf(stderr, "constructs: %s\n", err.text);
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct constructs all = {};
	int code = 2;

	if (argc < 4) {
		fprintf(stderr, "usage: constructs write DATA DIR\n"
				"       constructs compare DATA DIR READER...\n");
		return 2;
	}
	constructs_load(&all, argv[2]);
	if (all.wrong.n || !all.n)
		fprintf(stderr, "constructs: %s\n", all.wrong.n ? all.wrong.p : "none there");
	else if (strcmp(argv[1], "write") == 0)
		code = write_all(&all, argv[3]);
	else if (strcmp(argv[1], "compare") == 0)
		code = compare(&all, argv[3], argc - 4, argv + 4);
	constructs_done(&all);
	return code;
}
