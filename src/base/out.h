/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Out: where bytes go. One sink with a sticky error, buffered, and one escape
 * function per context. Writers call and forget; out_close() or out_flush()
 * tells at the end whether all of it arrived.
 *
 * Raw markup is written by out_lit(), which takes string literals only:
 * whatever came from outside has to pass an escape to get in.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"

struct out {
	int (*write)(void *ctx, const char *p, size_t n); /* 0 or -errno */
	void *ctx;
	int fd;
	int error;      /* first -errno; everything after it is dropped */
	uint64_t total; /* bytes accepted */
	size_t n;
	char hold[8192];
};

void out_to_fd(struct out *o, int fd);            /* fd stays the caller's */
void out_to_buf(struct out *o, struct buf *buf);  /* buf must outlive o */
void out_to(struct out *o, int (*write)(void *, const char *, size_t), void *ctx);
int out_flush(struct out *o);                     /* 0 or the sticky -errno */

void out_bytes(struct out *o, const void *p, size_t n);
void out_str(struct out *o, struct str s);        /* as it is: text formats */
void out_char(struct out *o, char c);
void out_printf(struct out *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
#define out_lit(o, literal) out_bytes((o), "" literal, sizeof(literal) - 1)

/*
 * Escapes. Each takes any bytes, valid UTF-8 or not, and writes something
 * valid in its context. Invalid UTF-8 becomes U+FFFD, except in JSON and on
 * the terminal, where it becomes \u00XX and \xXX: visible and searchable.
 */
void out_html(struct out *o, struct str s);   /* text and quoted attributes */
void out_url(struct out *o, struct str s);    /* one path or query component */
void out_json(struct out *o, struct str s);   /* inside quotes, without them */
void out_xml(struct out *o, struct str s);    /* XML 1.0 text and attributes */
void out_metrics(struct out *o, struct str s); /* OpenMetrics label, inside quotes */
void out_term(struct out *o, struct str s);   /* no control reaches a terminal */
void out_github(struct out *o, struct str s); /* workflow command data */

/* Length of the UTF-8 sequence at s, 0 when it is invalid (RFC 3629). */
size_t utf8_len(struct str s);
