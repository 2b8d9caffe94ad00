/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge/outage-book.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/pack.h"

/* The number grows when outages are found in another way (stat/outage.c). */
#define MAGIC    "taproom outages 1\n"
#define AXES_MAX 100000
#define RUNS_MAX 10000000

struct page {
	struct str branch, mode, machine;
	int64_t *ids; /* of runs, rising */
	size_t n;
};

struct judge_outage_book {
	struct buf text;   /* the names of axes are in it */
	struct page *pages;
	size_t n, cap;
};

static int by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* ---- the file ---- */

static void add_text(struct buf *b, struct str s)
{
	pack_uint(b, s.n);
	buf_add_str(b, s);
}

static bool take_text(struct str *s, struct str *ret)
{
	uint64_t n;

	if (!unpack_uint(s, &n) || n > s->n)
		return false;
	*ret = str_n(s->p, n);
	*s = str_from(*s, n);
	return true;
}

static void write_sum(struct buf *b)
{
	uint64_t sum = str_hash(buf_str(b), STR_HASH_INIT);

	for (unsigned i = 0; i < 8; i++)
		buf_add(b, &(char){ (char)(sum >> (8 * i)) }, 1);
}

/* Takes it off the end. */
static bool sum_holds(struct str *s)
{
	uint64_t sum = 0;

	if (s->n < 8)
		return false;
	s->n -= 8;
	for (unsigned i = 0; i < 8; i++)
		sum |= (uint64_t)(unsigned char)s->p[s->n + i] << (8 * i);
	return str_hash(*s, STR_HASH_INIT) == sum;
}

static bool take_page(struct str *s, struct page *p)
{
	struct str ids;

	if (!take_text(s, &p->branch) || !take_text(s, &p->mode) ||
	    !take_text(s, &p->machine) || !take_text(s, &ids))
		return false;
	return unpack_ids(ids, RUNS_MAX, &p->ids, &p->n) == 0;
}

/* Is it whole, and of the store as it is now? */
static bool book_read(struct judge_outage_book *b, struct str mark)
{
	struct str rest = buf_str(&b->text), is;
	uint64_t n;

	if (!str_starts(rest, STR(MAGIC)) || !sum_holds(&rest))
		return false;
	rest = str_from(rest, sizeof(MAGIC) - 1);
	if (!take_text(&rest, &is) || !str_eq(is, mark) || !unpack_uint(&rest, &n) ||
	    n > AXES_MAX)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		ARRAY_GROW(b->pages, b->n, b->cap);
		b->pages[b->n] = (struct page){};
		if (!take_page(&rest, &b->pages[b->n++]))
			return false;
	}
	return rest.n == 0;
}

static void write_page(struct buf *b, const struct judge_axis *a, const struct judge_run *runs)
{
	_cleanup_(buf_done) struct buf packed = {};
	_free_ int64_t *ids = NULL;
	struct stat_outages o;

	judge_outages(a, &o);
	ids = xcalloc(o.n_in + 1, sizeof(*ids));
	for (size_t i = 0; i < o.n_in; i++)
		ids[i] = judge_run_at(runs, a, o.in[i])->id;
	/* An older run may have come in later. */
	qsort(ids, o.n_in, sizeof(*ids), by_id);
	pack_ids(ids, o.n_in, &packed);
	add_text(b, a->branch);
	add_text(b, a->mode);
	add_text(b, a->machine);
	add_text(b, buf_str(&packed));
	stat_outages_done(&o);
}

static void book_write(struct buf *b, const struct judge *j, struct str mark)
{
	uint32_t n_runs;
	const struct judge_run *runs = judge_runs(j, &n_runs);
	size_t n;
	const struct judge_axis *axes = judge_axes(j, &n);

	buf_add_str(b, STR(MAGIC));
	add_text(b, mark);
	pack_uint(b, n);
	for (size_t i = 0; i < n; i++)
		write_page(b, &axes[i], runs);
	write_sum(b);
}

/* ---- ---- */

static void book_clear(struct judge_outage_book *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->pages[i].ids);
	free(b->pages);
	buf_done(&b->text);
	*b = (struct judge_outage_book){};
}

struct judge_outage_book *judge_outage_book_free(struct judge_outage_book *b)
{
	if (b)
		book_clear(b);
	free(b);
	return NULL;
}

static int book_make(struct judge_outage_book *b, struct store *s, struct str mark,
		     struct err *err)
{
	const struct judge_filter everything = {};
	struct judge *j;
	int r = judge_load(s, &everything, &j, err);

	if (r < 0)
		return r;
	book_clear(b);
	book_write(&b->text, j, mark);
	judge_free(j);
	if (!book_read(b, mark))
		return err_set(err, EFBIG, "too many outages to hold");
	return 0;
}

static void book_keep(const struct judge_outage_book *b, const char *file)
{
	_free_ char *dir = path_dir(file);

	if (dir_make(dir, NULL) == 0)
		(void)file_write(file, buf_str(&b->text), 0600, NULL);
}

int judge_outage_book_new(struct store *s, const char *file, struct judge_outage_book **ret,
			  struct err *err)
{
	_cleanup_(buf_done) struct buf mark = {};
	struct judge_outage_book *b = xcalloc(1, sizeof(*b));
	bool there;
	int r = store_mark(s, &mark, err);

	there = r == 0 && file && file_read(file, 0, &b->text, NULL) == 0 &&
		book_read(b, buf_str(&mark));
	if (r == 0 && !there) {
		r = book_make(b, s, buf_str(&mark), err);
		if (r == 0 && file)
			book_keep(b, file);
	}
	if (r < 0)
		b = judge_outage_book_free(b);
	*ret = b;
	return r;
}

static const struct page *page_of(const struct judge_outage_book *b, const struct judge_axis *a)
{
	for (size_t i = 0; i < b->n; i++)
		if (str_eq(b->pages[i].branch, a->branch) && str_eq(b->pages[i].mode, a->mode) &&
		    str_eq(b->pages[i].machine, a->machine))
			return &b->pages[i];
	return NULL;
}

struct stat_runs judge_outage_book_places(const struct judge_outage_book *b,
					  const struct judge_axis *a,
					  const struct judge_run *runs)
{
	const struct page *p = page_of(b, a);
	uint32_t *v, n = 0;

	if (!p)
		return (struct stat_runs){};
	v = xcalloc((size_t)a->n + 1, sizeof(*v));
	for (uint32_t i = 0; p->n && i < a->n; i++)
		if (bsearch(&judge_run_at(runs, a, i)->id, p->ids, p->n, sizeof(*p->ids), by_id))
			v[n++] = i;
	return (struct stat_runs){ v, n };
}
