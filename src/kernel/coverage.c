/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/coverage.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "kernel/store-away.h"
#include "kernel/tool.h"

#define FILES_MAX     4096
#define TEXT_MAX      (64u << 20)
#define TRACEFILE_MAX (256u << 20)
#define BRANCHES      "lcov_branch_coverage=1"

/* ---- what a kernel counted ---- */

/* The notes that there are: "net/mptcp/protocol". */
struct notes {
	char **v;
	size_t n, cap;
};

static void notes_done(struct notes *x)
{
	for (size_t i = 0; i < x->n; i++)
		free(x->v[i]);
	free(x->v);
	*x = (struct notes){};
}

static int on_notes(void *ctx, const char *below, struct err *err)
{
	struct notes *x = ctx;

	if (x->n == FILES_MAX)
		return 0;
	ARRAY_GROW(x->v, x->n, x->cap);
	x->v[x->n++] = xstrndup(below, strlen(below) - strlen(".gcno"));
	return 0;
}

/* Which of them "/any/where/net/mptcp/protocol.gcda" is about; NULL: none. */
static const char *notes_find(const struct notes *x, struct str path)
{
	for (size_t i = 0; i < x->n; i++) {
		_free_ char *end = xasprintf("/%s.gcda", x->v[i]);

		if (str_ends(path, str_of(end)))
			return x->v[i];
	}
	return NULL;
}

/* Writes one machine's files below @dir, the notes beside them. Returns how many. */
static int unpack(const struct notes *x, const char *counters, struct str text, const char *dir,
		  struct err *err)
{
	int n = 0, r = 0;

	while (text.n && r >= 0) {
		struct str line = str_cut(&text, '\n'), rest = text, data;
		_cleanup_(buf_done) struct buf bytes = { .max = TEXT_MAX };
		const char *name = str_starts(line, STR(":")) ? notes_find(x, str_from(line, 1))
							      : NULL;

		while (rest.n && rest.p[0] != ':')
			str_cut(&rest, '\n');
		data = str_n(text.p, text.n - rest.n);
		text = rest;
		if (!name)
			continue;
		for (struct str piece; data.n && r == 0;) {
			piece = str_cut(&data, '\n');
			r = base64_read(piece, &bytes);
		}
		if (r == 0) {
			_free_ char *gcda = xasprintf("%s/%s.gcda", dir, name);
			_free_ char *gcno = xasprintf("%s/%s.gcno", dir, name);
			_free_ char *from = xasprintf("%s/%s.gcno", counters, name);
			_free_ char *parent = path_dir(gcda);

			r = dir_make(parent, err);
			if (r == 0)
				r = file_write(gcda, buf_str(&bytes), 0644, err);
			if (r == 0)
				r = store_away_copy(from, gcno, err);
			n++;
		} else {
			r = err_set(err, EBADMSG, "the counts of '%s' came damaged", name);
		}
	}
	return r < 0 ? r : n;
}

static int lcov(const char *const *argv, struct err *err)
{
	_free_ char *there = proc_find(argv[0]);
	_cleanup_(buf_done) struct buf out = { .max = 1 << 20 };

	if (!there)
		return err_set(err, ENOENT, "coverage is read by %s, which is missing: "
			       "apt-get install lcov", argv[0]);
	return tool_run(argv, NULL, &out, err);
}

/* What lines of other directories do, of headers, is not asked. A file that is there from
 * several machines, or that several include, is told as often. */
static int lcov_capture(const struct notes *x, const char *work, const char *to, struct err *err)
{
	const char *const words[] = { "lcov", "--quiet", "--capture", "--rc", BRANCHES,
				      "--directory", work, "--output-file", to };
	const char **argv = xcalloc(ARRAY_SIZE(words) + 2 * x->n + 1, sizeof(*argv));
	char **own = xcalloc(x->n, sizeof(*own));
	size_t k = ARRAY_SIZE(words), n = 0;
	int r;

	memcpy(argv, words, sizeof(words));
	for (size_t i = 0; i < x->n; i++) {
		_free_ char *dir = path_dir(x->v[i]), *pattern = xasprintf("*/%s/*", dir);

		if (n && strcmp(own[n - 1], pattern) == 0)
			continue;
		argv[k++] = "--include";
		argv[k++] = own[n++] = TAKE(pattern);
	}
	r = lcov(argv, err);
	while (n)
		free(own[--n]);
	free(own);
	free(argv);
	return r;
}

int coverage_capture(const char *counters, const char *const *files, size_t n, const char *work,
		     const char *to, struct err *err)
{
	_cleanup_(notes_done) struct notes notes = {};
	_free_ char *each = path_join(work, "each.info");
	int found = 0, r = dir_files(counters, ".gcno", on_notes, &notes, err);

	for (size_t i = 0; i < n && r >= 0; i++) {
		_cleanup_(buf_done) struct buf text = {};
		_free_ char *dir = xasprintf("%s/%zu", work, i);

		r = file_read(files[i], TEXT_MAX, &text, err);
		if (r == 0)
			r = unpack(&notes, counters, buf_str(&text), dir, err);
		found += r > 0 ? r : 0;
	}
	if (r < 0)
		return r;
	if (!found)
		return err_set(err, ENODATA, "the kernel counted nothing in the chosen "
			       "directories");
	r = lcov_capture(&notes, work, each, err);
	return r < 0 ? r : coverage_merge((const char *const[]){ each }, 1, to, err);
}

int coverage_merge(const char *const *files, size_t n, const char *to, struct err *err)
{
	const char **argv = xcalloc(2 * n + 7, sizeof(*argv));
	size_t k = 0;
	int r;

	argv[k++] = "lcov";
	argv[k++] = "--quiet";
	argv[k++] = "--rc";
	argv[k++] = BRANCHES;
	for (size_t i = 0; i < n; i++) {
		argv[k++] = "--add-tracefile";
		argv[k++] = files[i];
	}
	argv[k++] = "--output-file";
	argv[k++] = to;
	r = lcov(argv, err);
	free(argv);
	return r;
}

int coverage_pages(const char *file, const char *title, const char *dir, struct err *err)
{
	const char *argv[] = { "genhtml", "--quiet", "--branch-coverage", "--title", title,
			       "--output-directory", dir, file, NULL };

	return lcov(argv, err);
}

/* ---- totals ---- */

static void count(struct coverage_part *p, struct str hits)
{
	uint64_t n;

	p->found++;
	p->hit += str_to_u64(hits, &n) && n > 0; /* a branch that was not reached: "-" */
}

/* Its totals are there or not, by who wrote it: they are counted. */
int coverage_read(const char *file, struct coverage *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf text = {};
	struct coverage c = {};
	int r = file_read(file, TRACEFILE_MAX, &text, err);

	if (r < 0)
		return r;
	for (struct str rest = buf_str(&text); rest.n;) {
		struct str line = str_cut(&rest, '\n'), word = str_cut(&line, ':');
		struct str field = str_cut(&line, ',');

		if (str_eq(word, STR("DA"))) {
			count(&c.lines, str_cut(&line, ','));
		} else if (str_eq(word, STR("FNDA"))) {
			count(&c.functions, field);
		} else if (str_eq(word, STR("BRDA"))) {
			str_cut(&line, ','); /* block */
			str_cut(&line, ','); /* branch */
			count(&c.branches, line);
		}
	}
	*ret = c;
	return 0;
}
