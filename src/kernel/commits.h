/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Commits: what git says of the history of the repository here. Only asked: nothing
 * there is changed, locked or refreshed. Names of commits are full object names.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct commit {
	char *id, *subject, *author; /* author: "Name <mail>" */
};
void commit_done(struct commit *c);

/* A list of names, NULL-ended. */
struct commits {
	char **v;
	size_t n, cap;
};
void commits_add(struct commits *l, const char *id); /* copied */
void commits_done(struct commits *l);

/* What belongs to one repository, however many worktrees: a path. -ENOENT: none here. */
int commits_repository(char **ret, struct err *err);
/* -ENOENT: git knows no such commit. */
int commits_find(const char *ref, struct commit *ret, struct err *err);
/* 1 or 0. */
int commits_is_ancestor(const char *a, const char *b, struct err *err);
/* -ENOENT: they have no common history. */
int commits_merge_base(const char *a, const char *b, char **ret, struct err *err);
int commits_parents(const char *id, struct commits *ret, struct err *err);
/* Those in @bad and in none of @good, newest first; *ret_more: there are more than
 * @max. */
int commits_between(const char *bad, const struct commits *good, unsigned max,
		    struct commits *ret, bool *ret_more, struct err *err);

struct commits_choice {
	char *id;         /* the one that tells most; NULL: none is left. Caller frees */
	unsigned left;    /* that may be the first bad one, @bad too */
	unsigned steps;   /* to come behind it, about */
};
/*
 * git's own choice of what to test next (git-rev-list(1), --bisect-vars). What is in
 * @skipped is gone around as git bisect does it, not to its next neighbour, which is
 * likely broken as well (bisect.c of git, skip_away()).
 */
int commits_choose(const char *bad, const struct commits *good, const struct commits *skipped,
		   struct commits_choice *ret, struct err *err);
