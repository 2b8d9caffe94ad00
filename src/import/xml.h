/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * XML from strangers, by expat: elements with their text, told at their end. A
 * document that declares entities is refused (they can grow without limit);
 * nothing outside of it is read; nesting is bounded.
 */
#include "base/err.h"
#include "base/str.h"

#define XML_TEXT_MAX 65536 /* bytes of one element's text that are kept */

/* NULL when there is none. */
const char *xml_attribute(const char *const *attributes, const char *name);

struct xml_reader {
	/* Non-zero refuses the document, with @err set. */
	int (*begin)(void *ctx, const char *name, const char *const *attributes,
		     struct err *err);
	int (*end)(void *ctx, const char *name, struct str text, struct err *err);
	void *ctx;
};

/* 0, or < 0 with line and reason (-EBADMSG when it is no XML). */
int xml_read(const struct xml_reader *reader, struct str document, struct err *err);
