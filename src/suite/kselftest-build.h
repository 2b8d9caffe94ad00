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

/* Directory of the installed target, which holds kselftest-list.txt. Builds
 * when it is not there. Caller frees. */
int kselftest_build(const char *target, const struct suite_context *ctx, char **ret,
		    struct err *err);
