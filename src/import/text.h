/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A document in memory, and what is known of a file besides what is in it. */
#include "import/run.h"

struct import_file {
	struct buf text;
	char *path;       /* absolute */
	const char *name; /* without directories */
	int64_t time_ms;  /* last written */
};

int import_file_read(const char *path, struct import_file *ret, struct err *err);
void import_file_done(struct import_file *f);
/* "kind-NAME-HASH": for documents that don't say what run they are. */
void import_content_uid(struct buf *ret, const char *kind, const char *name, struct str text);
