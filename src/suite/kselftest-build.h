/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Building one kselftest target, once per source and compiler:
 *
 *   <cache>/selftests/<source>-<compiler>/<target>/     installed
 *   <cache>/selftests/<source>-<compiler>/<target>.log  what make said
 *   <cache>/selftests/headers-<stamp>/usr/include       make headers
 *   <cache>/selftests/lock                              held while building
 *
 * Exporting the headers is nearly all of the work, so they have a stamp of
 * their own: an edit of a test builds that test only.
 *
 * Inside suite/ only.
 */
#include "suite/suite.h"

/* One build: where things are. */
struct suite_build {
	const char *target, *source;
	const struct log *log;
	char *root;     /* <cache>/selftests */
	char *own;      /* root/<source>-<compiler> */
	char *dest;     /* own/<target>, to be made by a rename */
	char *log_path; /* own/<target>.log */
};

/* Makes b->dest. @headers: holds usr/include. */
typedef int suite_build_fn(const struct suite_build *b, const char *jobs, const char *headers,
			   const void *arg, struct err *err);
/* b->dest in @ret, made by @fn if it is not there. Caller frees. */
int suite_build(const char *target, const struct suite_context *ctx, suite_build_fn *fn,
		const void *arg, char **ret, struct err *err);
/* Runs make in the source, or where its -C says, with its output in the log. */
int suite_make(const struct suite_build *b, const char *const *argv, struct err *err);
/* Says why by the log: @code is make's. Returns -EIO. */
int suite_build_failed(const struct suite_build *b, int code, struct err *err);

/* Directory of the installed target, which holds kselftest-list.txt. Builds
 * when it is not there. Caller frees. */
int kselftest_build(const char *target, const struct suite_context *ctx, char **ret,
		    struct err *err);
