/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Units: durations, sizes and clocks, as people write them and as we store
 * them. Time is in milliseconds, sizes in bytes, unless a name says otherwise.
 */
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* "90", "90s", "1m30s", "2h", "250ms", "1d"; a bare number is seconds. */
int duration_parse(struct str s, int64_t *ret_ms, struct err *err);
/* "512", "512K", "1G" (powers of 1024); a bare number is bytes. */
int size_parse(struct str s, uint64_t *ret_bytes, struct err *err);

#define UNIT_TEXT_MAX 32
/* "850 ms", "12.3 s", "2m 05s", "1h 02m"; returns @text. */
const char *duration_text(int64_t ms, char text[static UNIT_TEXT_MAX]);
/* "12:05" and "1:02:05", for clocks that count up. */
const char *duration_clock(int64_t ms, char text[static UNIT_TEXT_MAX]);
/* "812 B", "34.3 MB" (powers of 1000, as disks and downloads are told). */
const char *size_text(uint64_t bytes, char text[static UNIT_TEXT_MAX]);
/* "2026-01-31 09:05" in UTC. */
const char *date_text(int64_t unix_ms, char text[static UNIT_TEXT_MAX]);
/* "2026-01-31T09:05:07.123Z" (RFC 3339). */
const char *date_rfc3339(int64_t unix_ms, char text[static UNIT_TEXT_MAX]);

int64_t clock_mono_ms(void); /* CLOCK_MONOTONIC */
int64_t clock_wall_ms(void); /* CLOCK_REALTIME, since 1970 */
