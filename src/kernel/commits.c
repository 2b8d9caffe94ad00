/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/commits.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kernel/tool.h"

#define LIST_MAX (256u << 20) /* of what git lists: a million commits are 60 MB */

void commit_done(struct commit *c)
{
	free(c->id);
	free(c->subject);
	free(c->author);
	*c = (struct commit){};
}

void commits_add(struct commits *l, const char *id)
{
	if (l->n + 1 >= l->cap) {
		l->cap = l->cap ? l->cap * 2 : 8;
		l->v = xrealloc(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = xstrdup(id);
	l->v[l->n] = NULL;
}

void commits_done(struct commits *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct commits){};
}

/* What git says, without its last newline; NUL-terminated. */
static int git(const char *const *words, struct buf *out, struct err *err)
{
	int r;

	out->max = LIST_MAX;
	r = tool_run(words, NULL, out, err);
	while (r == 0 && out->n && out->p[out->n - 1] == '\n')
		out->p[--out->n] = '\0';
	return r;
}
#define GIT(out, err, ...)                                                                  \
	git((const char *const[]){ "git", "--no-optional-locks", __VA_ARGS__, NULL }, out, err)

int commits_repository(char **ret, struct err *err)
{
	struct buf out = {};
	int r = GIT(&out, NULL, "rev-parse", "--path-format=absolute", "--git-common-dir");

	if (r < 0 || !out.n) {
		buf_done(&out);
		return err_set(err, ENOENT, "this directory is in no git repository; go to the "
			       "kernel's, or give -C DIR");
	}
	*ret = buf_take(&out);
	return 0;
}

int commits_find(const char *ref, struct commit *ret, struct err *err)
{
	_free_ char *spec = xasprintf("%s^{commit}", ref);
	_cleanup_(buf_done) struct buf id = {}, text = {};
	struct str rest, line;
	int r = -ENOENT;

	if (ref[0] != '-')
		r = GIT(&id, NULL, "rev-parse", "--verify", "--quiet", spec);
	if (r < 0 || !id.n)
		return err_set(err, ENOENT, "git knows no commit '%s' here; git fetch brings new "
			       "ones", ref);
	r = GIT(&text, err, "log", "-1", "--no-show-signature", "--format=%s%n%an <%ae>", id.p,
		"--");
	if (r < 0)
		return r;
	rest = buf_str(&text);
	*ret = (struct commit){ .id = xstrdup(id.p) };
	line = str_cut(&rest, '\n');
	ret->subject = xstrndup(line.p, line.n);
	ret->author = xstrndup(rest.p ? rest.p : "", rest.n);
	return 0;
}

int commits_is_ancestor(const char *a, const char *b, struct err *err)
{
	const char *const argv[] = { "git", "--no-optional-locks", "merge-base", "--is-ancestor", a,
				     b, NULL };
	_cleanup_(buf_done) struct buf said = {};
	int r = tool_exit_code(argv, NULL, NULL, &said, err);

	if (r > 1)
		return err_set(err, EIO, "git merge-base failed: %.*s",
			       STR_FMT(tool_complaint(buf_str(&said))));
	return r < 0 ? r : r == 0;
}

int commits_merge_base(const char *a, const char *b, char **ret, struct err *err)
{
	_cleanup_(buf_done) struct buf out = {};
	int r = GIT(&out, NULL, "merge-base", a, b);

	if (r < 0 || !out.n)
		return err_set(err, ENOENT, "%.12s and %.12s have no common history", a, b);
	*ret = xstrndup(out.p, out.n);
	return 0;
}

int commits_parents(const char *id, struct commits *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf out = {};
	int r = GIT(&out, err, "rev-list", "--parents", "-n1", id, "--");
	struct str rest = buf_str(&out);

	if (r < 0)
		return r;
	str_cut(&rest, ' ');
	while (rest.n) {
		struct str word = str_cut(&rest, ' ');
		_free_ char *parent = xstrndup(word.p, word.n);

		commits_add(ret, parent);
	}
	return 0;
}

/* git rev-list OPTION BAD --not GOOD... */
static int rev_list(const char *option, const char *bad, const struct commits *good,
		    struct buf *out, struct err *err)
{
	_free_ const char **argv = xcalloc(good->n + 8, sizeof(*argv));
	size_t n = 0;

	argv[n++] = "git";
	argv[n++] = "--no-optional-locks";
	argv[n++] = "rev-list";
	if (option)
		argv[n++] = option;
	argv[n++] = bad;
	argv[n++] = "--not";
	for (size_t i = 0; i < good->n; i++)
		argv[n++] = good->v[i];
	argv[n] = "--";
	return git(argv, out, err);
}

int commits_between(const char *bad, const struct commits *good, unsigned max,
		    struct commits *ret, bool *ret_more, struct err *err)
{
	_cleanup_(buf_done) struct buf out = {};
	int r = rev_list(NULL, bad, good, &out, err);

	*ret_more = false;
	for (struct str rest = buf_str(&out); r == 0 && rest.n && !*ret_more;) {
		struct str word = str_cut(&rest, '\n');
		_free_ char *id = xstrndup(word.p, word.n);

		*ret_more = ret->n == max;
		if (!*ret_more)
			commits_add(ret, id);
	}
	return r;
}

static bool has(const struct commits *l, struct str id)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(id, str_of(l->v[i])))
			return true;
	return false;
}

/* The value of a line "bisect_rev='...'" or "bisect_all=12". */
static struct str variable(const struct buf *vars, const char *name)
{
	for (struct str rest = buf_str(vars); rest.n;) {
		struct str value = str_cut(&rest, '\n'), key = str_cut(&value, '=');

		if (!str_eq(key, str_of(name)))
			continue;
		if (value.n >= 2 && value.p[0] == '\'')
			return str_n(value.p + 1, value.n - 2);
		return value;
	}
	return STR_NONE;
}

static unsigned number(const struct buf *vars, const char *name)
{
	uint64_t n;

	return str_to_u64(variable(vars, name), &n) && n < UINT32_MAX ? (unsigned)n : 0;
}

static unsigned square_root(unsigned n)
{
	unsigned root = 0;

	while ((root + 1) * (root + 1) <= n)
		root++;
	return root;
}

/* As bisect.c of git: by chance, more likely near the best, the same each time. */
#define PRN_MODULO 32768u
static size_t away(size_t count)
{
	unsigned prn = ((unsigned)count * 1103515245u + 12345u) / 65536u % PRN_MODULO;

	return count * prn / PRN_MODULO * square_root(prn) / square_root(PRN_MODULO);
}

/* From the list of all, the best first: "ID (dist=12)". */
static int go_around(const char *bad, const struct commits *good, const struct commits *skipped,
		     char **ret, struct err *err)
{
	_cleanup_(buf_done) struct buf out = {};
	int r = rev_list("--bisect-all", bad, good, &out, err);
	struct str found = STR_NONE;
	size_t n = 0, index = 0;

	for (unsigned pass = 0; pass < 2 && r == 0 && !found.n; pass++) {
		for (struct str rest = buf_str(&out); rest.n && !found.n;) {
			struct str line = str_cut(&rest, '\n'), id = str_cut(&line, ' ');

			if (str_eq(id, str_of(bad)) || has(skipped, id))
				continue;
			if (pass == 0)
				n++;
			else if (!index--)
				found = id;
		}
		index = away(n);
	}
	*ret = found.n ? xstrndup(found.p, found.n) : NULL;
	return r;
}

int commits_choose(const char *bad, const struct commits *good, const struct commits *skipped,
		   struct commits_choice *ret, struct err *err)
{
	_cleanup_(buf_done) struct buf out = {};
	int r = rev_list("--bisect-vars", bad, good, &out, err);
	struct str id = variable(&out, "bisect_rev");

	if (r < 0)
		return r;
	*ret = (struct commits_choice){ .left = number(&out, "bisect_all"),
					.steps = number(&out, "bisect_steps") };
	if (id.n && has(skipped, id))
		return go_around(bad, good, skipped, &ret->id, err);
	if (id.n && !str_eq(id, str_of(bad)))
		ret->id = xstrndup(id.p, id.n);
	else if (ret->left > 1)
		return go_around(bad, good, skipped, &ret->id, err);
	return 0;
}
