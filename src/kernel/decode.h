/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Decode: text of a kernel with each frame's place in the source behind it.
 *
 *	[   12.345678]  mptcp_foo+0x12/0x34 [mptcp]
 * becomes
 *	[   12.345678]  mptcp_foo+0x12/0x34 [mptcp] (sk_bar at include/net/sock.h:12)
 *	[   12.345678]   (inlined by) mptcp_foo at net/mptcp/protocol.c:123
 *
 * All other bytes stay as they are. Frames are function+0xOFFSET/0xSIZE wherever
 * they stand in a line, as %pS prints them (lib/vsprintf.c): in call traces,
 * behind "RIP: 0010:" and "pc : ", as UML's "[<addr>] fn+...", in headlines.
 * Frames that are decoded already stay.
 */
#include "base/out.h"
#include "kernel/symbols.h"

#define DECODE_LINE_MAX   65536 /* longer ones go through as they are */
#define DECODE_FRAMES_MAX 16    /* of a line; further ones stay */

/* One line, without its newline, to @out; lines that it grows end in "\n" and
 * stand behind it, so @out has no "\n" at its end either. */
void decode_line(struct symbols *s, struct str line, struct out *out);
/* Several lines. */
void decode_text(struct symbols *s, struct str text, struct out *out);

/* A filter: what is written to .in, in pieces of any size, goes decoded to
 * @to. Ends with decode_end(). */
struct decode {
	struct out in;
	struct symbols *symbols; /* NULL: all stays as it is */
	struct out *to;
	struct buf line;
	bool passing; /* inside of a line that is too long */
};
void decode_begin(struct decode *d, struct symbols *s, struct out *to);
int decode_end(struct decode *d); /* 0 or -errno of @to */
