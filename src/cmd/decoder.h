/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The decoder of a command: --decode and what goes with it, and for each kernel
 * of a run its debug info, opened once when the first text of it is decoded.
 */
#include "cmd/cmd.h"
#include "kernel/symbols.h"
#include "tap/event.h"

struct decoder_options {
	bool decode;
	const char *symbols;
	bool fetch;
};
extern const struct opt DECODER_OPTIONS[];

/* --symbols and --fetch-symbols mean --decode. */
bool decoder_wanted(const struct decoder_options *o);

struct decoder_kernel {
	char *release; /* "": unknown */
	struct symbols *symbols; /* NULL: none was found, which was said */
};

struct decoder {
	struct cmd *cmd;
	const struct decoder_options *opt;
	char *kernel, *version; /* of the run: --kernel, and the package's version */
	char **releases;        /* by job, from 1 on */
	size_t n_releases;
	struct decoder_kernel *v;
	size_t n, cap;
	struct err err; /* the first kernel that --symbols does not fit to */
};

void decoder_init(struct decoder *d, struct cmd *c, const struct decoder_options *o);
/* Learns from a run's events which kernel each job had. */
void decoder_event(struct decoder *d, const struct event *ev);
/*
 * For the text of that job (0: of no run). Debug info that nobody named and
 * that is not there is a warning, once, and *ret is NULL: texts stay as they
 * are. What --symbols named and can't be used is -EINVAL with the reason.
 */
int decoder_symbols(struct decoder *d, unsigned job, struct symbols **ret, struct err *err);
/* report_options.decode. */
int decoder_splat(void *ctx, const struct event *splat, struct buf *ret);
/* Says what could not be decoded, frees. */
void decoder_done(struct decoder *d);
