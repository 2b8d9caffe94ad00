/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The plan without a configuration file: MPTCP. Written as such a file, so it
 * is also the example of one, and read by the same reader. Inside plan/ only.
 */
extern const char PLAN_BUILTIN[];
