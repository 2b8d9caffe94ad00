/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * JSON, written as a stream (RFC 8259). Keys and structure are the caller's:
 * json_key() or the _field helpers inside an object, bare values in an array.
 * Nesting up to JSON_DEPTH, checked by assert.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/out.h"

#define JSON_DEPTH 32

struct json {
	struct out *out;
	unsigned depth;
	bool indent;            /* one value per line, 2 spaces */
	bool after_key;
	bool full[JSON_DEPTH];  /* this level holds something already */
	char kind[JSON_DEPTH];  /* '{' or '[' */
};

void json_init(struct json *j, struct out *out, bool indent);
void json_object(struct json *j);
void json_array(struct json *j);
void json_end(struct json *j); /* closes what was opened last */
void json_key(struct json *j, const char *key);
void json_str(struct json *j, struct str s); /* p == NULL writes null */
void json_int(struct json *j, int64_t v);
void json_real(struct json *j, double v);    /* not finite writes null */
void json_bool(struct json *j, bool v);
void json_null(struct json *j);
void json_raw(struct json *j, struct str s); /* a value that is JSON already */

void json_field_str(struct json *j, const char *key, struct str s);
void json_field_int(struct json *j, const char *key, int64_t v);
void json_field_real(struct json *j, const char *key, double v);
void json_field_bool(struct json *j, const char *key, bool v);
