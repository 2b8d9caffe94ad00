/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/track.h"

#include "store/pack.h"

#define SEGMENT_MAX  (1u << 22) /* executions */
#define TIMELINE_MAX (1u << 30) /* bytes */

static int64_t minus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t plus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

void segment_pack(const struct track_entry *v, size_t n, struct buf *ret, struct buf *times)
{
	int64_t run = 0, outcome = 0, time = 0;

	for (size_t i = 0; i < n;) {
		int64_t step = minus(v[i].run_id, run);
		size_t k = i + 1;

		while (k < n && minus(v[k].run_id, v[k - 1].run_id) == step &&
		       v[k].outcome_id == v[i].outcome_id && v[k].attempt == v[i].attempt)
			k++;
		pack_uint(ret, k - i - 1);
		pack_int(ret, step);
		pack_int(ret, minus(v[i].outcome_id, outcome));
		pack_uint(ret, v[i].attempt);
		run = v[k - 1].run_id;
		outcome = v[i].outcome_id;
		i = k;
	}
	for (size_t i = 0; i < n; i++) {
		pack_int(times, minus(v[i].duration_ms, time));
		time = v[i].duration_ms;
	}
}

static int take_times(struct str times, struct track_entry *v, size_t n)
{
	int64_t time = 0, step;

	for (size_t i = 0; i < n; i++) {
		if (!unpack_int(&times, &step))
			return -EBADMSG;
		v[i].duration_ms = time = plus(time, step);
	}
	return times.n ? -EBADMSG : 0;
}

int segment_unpack(struct str body, const struct str *times, struct track_entry **v, size_t *n,
		   size_t *cap)
{
	size_t before = *n;
	struct track_entry e = { .duration_ms = -1 };

	while (body.n) {
		uint64_t more, attempt;
		int64_t step, outcome;

		if (!unpack_uint(&body, &more) || !unpack_int(&body, &step) ||
		    !unpack_int(&body, &outcome) || !unpack_uint(&body, &attempt) ||
		    more > SEGMENT_MAX - (*n - before))
			return -EBADMSG;
		e.outcome_id = plus(e.outcome_id, outcome);
		e.attempt = (unsigned)attempt;
		for (uint64_t i = 0; i <= more; i++) {
			e.run_id = plus(e.run_id, step);
			ARRAY_GROW(*v, *n, *cap);
			(*v)[(*n)++] = e;
		}
	}
	return times ? take_times(*times, *v + before, *n - before) : 0;
}

/* ---- the timeline ---- */

static void pack_text(struct buf *b, struct str s)
{
	pack_uint(b, s.n);
	buf_add_str(b, s);
}

static int unpack_text(struct str *s, struct str *ret)
{
	uint64_t n;

	if (!unpack_uint(s, &n) || n > s->n)
		return 0;
	*ret = str_n(s->p, n);
	*s = str_from(*s, n);
	return 1;
}

static size_t branch_of(struct str **v, size_t *n, size_t *cap, struct str branch)
{
	for (size_t i = 0; i < *n; i++)
		if (str_eq((*v)[i], branch))
			return i;
	ARRAY_GROW(*v, *n, *cap);
	(*v)[*n] = branch;
	return (*n)++;
}

static const char DIGITS[] = "0123456789abcdef";

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (digit(s.p[i]) < 0)
			return false;
	return s.n % 2 == 0;
}

static void pack_commit(struct buf *lengths, struct buf *text, struct str commit)
{
	if (!is_hex(commit)) {
		pack_uint(lengths, (uint64_t)commit.n * 2);
		buf_add_str(text, commit);
		return;
	}
	pack_uint(lengths, commit.n / 2 * 2 + 1);
	for (size_t i = 0; i < commit.n; i += 2) {
		char c = (char)(digit(commit.p[i]) << 4 | digit(commit.p[i + 1]));

		buf_add_str(text, str_n(&c, 1));
	}
}

/* Digits go to @to, which has room for them. */
static int unpack_commit(struct str *lengths, struct str *text, char **to, struct str *ret)
{
	uint64_t n;

	if (!unpack_uint(lengths, &n) || n / 2 > text->n)
		return -EBADMSG;
	*ret = str_n(text->p, n / 2);
	*text = str_from(*text, n / 2);
	if (!(n & 1))
		return 0;
	for (size_t i = 0; i < n / 2; i++) {
		(*to)[2 * i] = DIGITS[(unsigned char)ret->p[i] >> 4];
		(*to)[2 * i + 1] = DIGITS[ret->p[i] & 15];
	}
	*ret = str_n(*to, n / 2 * 2);
	*to += ret->n;
	return 0;
}

void timeline_pack(const struct tracked_run *v, size_t n, struct buf *ret)
{
	_cleanup_(buf_done) struct buf head = {}, begins = {}, places = {}, lengths = {};
	_cleanup_(buf_done) struct buf commits = {}, texts = {}, packed = {};
	_free_ struct str *branches = NULL;
	size_t n_branches = 0, cap = 0;
	const struct tracked_run none = {}, *last = &none;

	for (size_t i = 0; i < n; i++)
		pack_uint(&places, branch_of(&branches, &n_branches, &cap, v[i].branch));
	pack_uint(&head, n);
	pack_uint(&head, n_branches);
	for (size_t i = 0; i < n_branches; i++)
		pack_text(&head, branches[i]);
	for (size_t i = 0; i < n; last = &v[i++]) {
		pack_int(&head, minus(v[i].id, last->id));
		pack_int(&begins, minus(v[i].begin_ms, last->begin_ms));
		pack_commit(&lengths, &commits, v[i].commit);
	}
	buf_add_str(&head, buf_str(&begins));
	buf_add_str(&head, buf_str(&places));
	buf_add_str(&head, buf_str(&lengths));
	pack_bytes(buf_str(&head), &packed);
	pack_text(ret, buf_str(&packed));
	pack_bytes(buf_str(&commits), ret);
}

static int unpack_runs(struct str head, struct str commits, char *digits, uint64_t n,
		       const struct str *branches, uint64_t n_branches, struct tracked_run *v)
{
	int64_t last = 0, step;
	uint64_t branch;

	for (uint64_t i = 0; i < n; i++) {
		if (!unpack_int(&head, &step))
			return -EBADMSG;
		v[i].id = last = plus(last, step);
	}
	last = 0;
	for (uint64_t i = 0; i < n; i++) {
		if (!unpack_int(&head, &step))
			return -EBADMSG;
		v[i].begin_ms = last = plus(last, step);
	}
	for (uint64_t i = 0; i < n; i++) {
		if (!unpack_uint(&head, &branch) || branch >= n_branches)
			return -EBADMSG;
		v[i].branch = branches[branch];
		v[i].branch_nth = 0;
	}
	for (uint64_t i = 0; i < n; i++)
		if (unpack_commit(&head, &commits, &digits, &v[i].commit) < 0)
			return -EBADMSG;
	return head.n || commits.n ? -EBADMSG : 0;
}

int timeline_unpack(struct str packed, struct arena *arena, struct tracked_run **v, size_t *n,
		    size_t *cap)
{
	_cleanup_(buf_done) struct buf raw = { .max = TIMELINE_MAX };
	_free_ struct str *branches = NULL;
	uint64_t runs, n_branches;
	struct str head, commits;
	int r;

	if (!unpack_text(&packed, &head) || unpack_bytes(head, TIMELINE_MAX, &raw) < 0)
		return -EBADMSG;
	head = str_n(arena_strndup(arena, raw.p, raw.n), raw.n);
	raw.n = 0;
	if (unpack_bytes(packed, TIMELINE_MAX, &raw) < 0)
		return -EBADMSG;
	commits = str_n(arena_strndup(arena, raw.p, raw.n), raw.n);
	if (!unpack_uint(&head, &runs) || !unpack_uint(&head, &n_branches) || runs > head.n ||
	    n_branches > head.n)
		return -EBADMSG;
	branches = xcalloc(n_branches, sizeof(*branches));
	for (uint64_t i = 0; i < n_branches; i++)
		if (!unpack_text(&head, &branches[i]))
			return -EBADMSG;
	if (*n + runs > *cap) {
		*cap = *n + runs + *n / 2;
		*v = xrealloc(*v, *cap, sizeof(**v));
	}
	r = unpack_runs(head, commits, arena_raw(arena, commits.n * 2 + 1), runs, branches,
			n_branches, *v + *n);
	if (r == 0)
		*n += runs;
	return r;
}
