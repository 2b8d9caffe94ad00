/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/tsc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include "base/file.h"
#include "base/mem.h"

#define MEASURE_NS 20000000ll
#define TRIES      50
#define KHZ_MIN    100000u   /* what is outside was measured wrongly */
#define KHZ_MAX    20000000u

struct point {
	uint64_t ticks, between; /* between two reads, around that of the clock */
	int64_t ns;
};

static struct point point_read(void)
{
	struct timespec t;
	struct point p;
	uint64_t before = __rdtsc(), after;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	after = __rdtsc();
	p.ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
	p.between = after - before;
	p.ticks = before + p.between / 2;
	return p;
}

/* The one that was interrupted least. */
static struct point point_take(void)
{
	struct point best = point_read();

	for (unsigned i = 1; i < TRIES; i++) {
		struct point p = point_read();

		if (p.between < best.between)
			best = p;
	}
	return best;
}

static unsigned measure(void)
{
	struct point begin = point_take(), end;
	uint64_t khz;

	do
		end = point_take();
	while (end.ns - begin.ns < MEASURE_NS);
	khz = (uint64_t)((double)(end.ticks - begin.ticks) * 1e6 / (double)(end.ns - begin.ns));
	return end.ticks > begin.ticks && khz >= KHZ_MIN && khz <= KHZ_MAX ? (unsigned)khz : 0;
}

/* The file: boot_id, a blank, the number. */
unsigned tsc_khz(const char *cache_dir)
{
	_free_ char *path = cache_dir ? path_join(cache_dir, "tsc-khz") : NULL;
	_free_ char *boot = NULL, *line = NULL, *text = NULL;
	unsigned khz;
	size_t n;

	if (file_read_line("/proc/sys/kernel/random/boot_id", &boot, NULL) < 0)
		return measure();
	n = strlen(boot);
	if (path && file_read_line(path, &line, NULL) == 0 && strncmp(line, boot, n) == 0 &&
	    sscanf(line + n, " %u", &khz) == 1 && khz >= KHZ_MIN && khz <= KHZ_MAX)
		return khz;
	khz = measure();
	text = xasprintf("%s %u\n", boot, khz);
	/* Not kept, it is measured again. */
	if (path && khz && dir_make(cache_dir, NULL) == 0)
		file_write(path, str_of(text), 0644, NULL);
	return khz;
}
