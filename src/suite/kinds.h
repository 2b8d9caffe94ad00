/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Kinds: the functions behind the rows of SUITE_KINDS. Inside suite/ only.
 */
#include "suite/suite.h"

int kselftest_list(const struct plan_suite *suite, const struct suite_context *ctx,
		   struct plan_tests *tests, struct err *err);
int exec_list(const struct plan_suite *suite, const struct suite_context *ctx,
	      struct plan_tests *tests, struct err *err);
int kunit_list(const struct plan_suite *suite, const struct suite_context *ctx,
	       struct plan_tests *tests, struct err *err);
int bpf_list(const struct plan_suite *suite, const struct suite_context *ctx,
	     struct plan_tests *tests, struct err *err);
int static_list(const struct plan_suite *suite, const struct suite_context *ctx,
		struct plan_tests *tests, struct err *err);
int packetdrill_list(const struct plan_suite *suite, const struct suite_context *ctx,
		     struct plan_tests *tests, struct err *err);

/* The seconds of "timeout=N" in a kselftest "settings" file, 0 for none; 45 as
 * the kernel's runner has it where it says nothing sensible. */
unsigned kselftest_settings_timeout(struct str settings);
