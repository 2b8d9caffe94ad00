/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Store away: what is kept of a build, mended of one that was killed, and removed
 * when nobody uses it any more. Inside kernel/ only.
 */
#include "base/err.h"
#include "base/log.h"

/*
 * Copies the image (to @file), the configuration, the release, @identity, what did
 * not stick, and vmlinux where it has debug info, from @objects to @dest, which is
 * there.
 */
int store_away(const char *objects, const char *image, const char *dest, const char *file,
	       const char *identity, struct err *err);

/* One file, to a new one or in its place. */
int store_away_copy(const char *from, const char *to, struct err *err);

/*
 * Make was stopped or killed as it wrote: a file that is newer than its sources
 * looks done to the next one. Removes what may be cut: empty objects, and whatever
 * was written in the time before that of @mark, when make last ran: 10 seconds where
 * it says that make was stopped, which removes itself what it knows of; else two
 * minutes, in which any step of a build ends.
 */
#define STORE_AWAY_STOPPED "stopped\n"
void store_away_mend(const char *objects, const char *mark, const struct log *log);

/* Removes kernels and objects of <cache> that were not used for 30 days. */
void store_away_sweep(const char *cache_dir);
