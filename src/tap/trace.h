/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Trace: the functions of one call trace. Pure functions on single lines,
 * without printk's prefix, of all architectures' ways to print them:
 *
 *	 ? mptcp_foo+0x12/0x34 [mptcp]               x86, arm64
 *	 [<6053025f>] mptcp_foo+0x12/0x34            UML, riscv, old kernels
 *	RIP: 0010:mptcp_foo+0x12/0x34 [mptcp]        the instruction itself
 *	 mptcp_foo net/mptcp/x.c:12 [inline]         decoded afterwards
 */
#include <stdbool.h>

#include "tap/event.h"

#define TRACE_NAME_MAX 128 /* KSYM_NAME_LEN is 512, mangled Rust; cut there */

/* The frame of a line of a trace. 1, or 0: the line is none. Slices of @line. */
int trace_frame(struct str line, struct event_frame *ret);
/* A function with its offset, anywhere in the line. 1 or 0. */
int trace_find(struct str line, struct event_frame *ret);
/* The place in the source that a decoder put behind the line's frame: "net/x.c:12" of
 * "f+0x1/0x2 [m] (net/x.c:12)". */
bool trace_place(struct str line, struct str *ret);
/* Is there a frame without its place in the text? */
bool trace_bare(struct str text);
/* Without the suffixes of compilers' copies: .isra.0, .constprop.1, .part.2,
 * .cold, .llvm.123. */
struct str trace_plain(struct str function);
/* Does it only report, that is: is it there because the splat is printed? */
bool trace_reports(struct str function);
/* Where user space, an interrupt or a new task came in: says nothing below. */
bool trace_enters(struct str function);

/* As one line each, "? f+0x12/0x34 [mptcp]"; and back. */
void trace_print(const struct event_frame *frames, unsigned n, struct buf *ret);
/* Slices of @text. Returns how many; what is no frame is passed over. */
unsigned trace_read(struct str text, struct event_frame ret[static EVENT_FRAMES_MAX]);

/* A trace that grows, with its own copies of the names. */
struct trace {
	struct event_frame frames[EVENT_FRAMES_MAX];
	unsigned n;
	size_t used;
	char names[EVENT_FRAMES_MAX * TRACE_NAME_MAX];
};

void trace_clear(struct trace *t);
/* What does not fit is left out, the outermost. */
void trace_add(struct trace *t, const struct event_frame *frame);
