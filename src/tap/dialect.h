/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Dialects: programs that tell their results in lines of their own become KTAP on
 * their way to the reader, line by line, so that a result's place is still its place
 * in the program's log.
 *
 *   test_progs   tools/testing/selftests/bpf/test_progs.c (print_test_result(),
 *                print_subtest_name()): "#188/1   mptcp/base:OK". What it says again
 *                behind "All error logs:" is not told twice.
 *   packetdrill  run_all.py -v of packetdrill: "OK   [/dir/x.pkt (ipv4)]", FAIL, KILL.
 */
#include "tap/parse.h"

struct dialect;

/* NULL for NULL, or a name that is none: what is fed is read as it is. */
struct dialect *dialect_new(const char *name, struct tap_parser *to);
struct dialect *dialect_free(struct dialect *d);
void dialect_feed(struct dialect *d, const char *bytes, size_t n);
void dialect_end(struct dialect *d); /* a last line without its newline */
bool dialect_is(const char *name);
