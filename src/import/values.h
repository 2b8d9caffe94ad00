/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Values: JSON from strangers. A large array is first cut into its elements,
 * without looking into them, so that one that is damaged is one that is
 * missing; each is then read by itself, its nesting bounded before.
 */
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* The elements of an array, one after another. */
struct values {
	struct str rest;
	unsigned repairs;
};

/* 1, or 0 when @document is no array. */
int values_begin(struct values *v, struct str document);
/*
 * Returns 1 with the next element, or 0 at the array's end. An element whose
 * brackets don't match is what stands before the next line that begins as it
 * did, so that the rest goes in; without one it is all of the rest. -EBADMSG:
 * the array has no end.
 */
int values_next(struct values *v, struct str *ret);

/*
 * A document of which all is wanted is cut strictly, one level after another: what
 * stands inside of an object's or array's brackets, which is .p NULL when @text is
 * none, or its brackets don't match; then its elements.
 */
struct str value_inside(struct str text, char open);
/* 1 with the next value, of an object's with its key as it is written (else @ret_key
 * is NULL); 0: no more; -EBADMSG: what follows is none. */
int value_cut(struct str *inside, struct str *ret_key, struct str *ret);
/*
 * The members of an object, each where its name stands in @names, none: .p NULL. What
 * others there are becomes an object in @others, or is left when it is NULL. Returns NULL,
 * or a clause: it is no object, or has one of them twice.
 */
const char *value_members(struct str text, const char *const *names, size_t n, struct str *ret,
			  struct buf *others);

/* One value, and nothing behind it. NULL with a clause that says why. */
cJSON *value_read(struct str text, const char **ret_why);
void value_freep(cJSON **v);

/* A member of an object, or NULL; names are equal to the letter. */
const cJSON *value_get(const cJSON *v, const char *name);
struct str value_str(const cJSON *v, const char *name); /* empty: none, or no string */
/* A number, or a string that is one, as integer; @otherwise when there is none. */
int64_t value_int(const cJSON *v, const char *name, int64_t otherwise);
double value_real(const cJSON *v, const char *name, double otherwise);
