/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Renames: a test that is gone and one that came may be the same. These are
 * suggestions, with a score; a person confirms them as an alias, and then it is
 * one history.
 *
 * The score, 0 to 1, is a weighted mean of what is known of the pair:
 *	name	7	1 - edit distance / longer length, in words: Wagner and
 *			Fischer, "The String-to-String Correction Problem",
 *			Journal of the ACM 21(1), 1974; changing a word costs less,
 *			the more of its begin and end stays, but always 1 if its
 *			digits change: IPv4 is not a typo of IPv6
 *	place	2	how near they stand in their program, as shares of its length
 *	time	1	how alike they take long: 0 at a factor of 4
 * times the likeness of the programs' names, when those differ.
 *
 * They can't be the same if one came before the other was gone, and are not
 * taken for it if STAT_RENAME_GAP runs lie between. Pairs are taken best first,
 * each test once; this is the stable matching, and at least half as good as the
 * best sum (Preis, STACS 1999).
 */
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define STAT_RENAME_GAP  200 /* runs */
#define STAT_RENAME_MAX  256 /* looked at, on either side: the first of them */
#define STAT_RENAME_GOOD 0.6 /* the least score that is suggested */

struct stat_name {
	struct str program, key;  /* borrowed; at most 256 bytes of each are read */
	uint32_t first, last;     /* runs it was there in */
	uint32_t place, of;       /* in its program, from 0; of 0: unknown */
	int64_t ms;               /* median duration; < 0: unknown */
};

struct stat_rename {
	size_t gone, came; /* indexes */
	double score, name;
};

/* ret[max], best first. Returns how many. */
size_t stat_renames(const struct stat_name *gone, size_t n_gone, const struct stat_name *came,
		    size_t n_came, struct stat_rename *ret, size_t max);
/* The likeness of two names, 0 to 1; what is called "name" above. */
double stat_name_likeness(struct str a, struct str b);
