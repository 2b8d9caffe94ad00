/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Frames of guest/proto.h, as the launcher reads and writes them. Pure: bytes
 * in, frames out. Nothing that a guest may send makes it read beyond its
 * bytes, or keep more than one frame of them.
 */
#include "base/err.h"
#include "base/str.h"
#include "guest/proto.h"

struct frame {
	struct proto_header head;
	struct str payload; /* of the bytes that were cut */
};

/*
 * Cuts one frame from the front of *@rest. Returns 1; 0 when the bytes do not
 * hold all of it yet; -EPROTO for a frame that no agent of ours would send:
 * nothing that follows it can be trusted.
 */
int frame_cut(struct str *rest, struct frame *ret, struct err *err);
/* The same of what a launcher says, once its guest is up. */
int frame_cut_told(struct str *rest, struct frame *ret, struct err *err);

/* Appends a frame; -EFBIG past @b's limit, then nothing was added. */
int frame_add(struct buf *b, enum proto_type type, unsigned stream, unsigned command,
	      struct str payload);
