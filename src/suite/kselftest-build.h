/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Building one kselftest target, once per source and compiler:
 *
 *   <cache>/selftests/<source>-<compiler>/obj      what make O= leaves; headers
 *   <cache>/selftests/<source>-<compiler>/<target> installed
 *   <cache>/selftests/<source>-<compiler>/<target>.log
 *
 * Inside suite/ only.
 */
#include "suite/suite.h"

/* Directory of the installed target, which holds kselftest-list.txt. Builds
 * when it is not there. Caller frees. */
int kselftest_build(const char *target, const struct suite_context *ctx, char **ret,
		    struct err *err);
