/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>

#include "tap/trace.h"

static uint64_t hash(uint64_t h, struct str s)
{
	return str_hash(STR("\xff"), str_hash(s, h));
}

bool fingerprint_skips(struct str function, const char *words)
{
	struct str rest = str_of(words);

	while (rest.p) {
		struct str word = str_cut(&rest, ',');

		if (word.n && str_find(function, word) >= 0)
			return true;
	}
	return false;
}

void fingerprint(struct str kind, struct str title, const struct event_frame *frames,
		 unsigned n, const char *skip, char ret[static FINGERPRINT_SIZE])
{
	uint64_t h = hash(hash(STR_HASH_INIT, kind), title);
	struct str last = STR("");
	unsigned used = 0;

	for (unsigned i = 0; i < n && used < FINGERPRINT_FRAMES; i++) {
		struct str f = trace_plain(frames[i].function);

		if (trace_enters(f) && used)
			break;
		if (frames[i].unsure || frames[i].inlined || trace_reports(f) || trace_enters(f) ||
		    fingerprint_skips(f, skip) || str_eq(f, last))
			continue;
		h = hash(h, f);
		last = f;
		used++;
	}
	snprintf(ret, FINGERPRINT_SIZE, "%016" PRIx64, h);
}
