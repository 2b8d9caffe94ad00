/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz: any bytes through the console's finder. Beside memory errors it looks
 * for promises that are broken: another split of the input gives other splats,
 * a bound is passed, a splat without a kind or a title, lines that are not
 * there.
 *
 *	meson setup build-fuzz --native-file presets/fuzz.ini
 *	ninja -C build-fuzz && build-fuzz/fuzz/fuzz-console fuzz/corpus/console \
 *		tests/fixtures/console
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tap/console.h"
#include "tap/gather.h"
#include "tap/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	uint64_t hash, splats, lines;
};

static void add(struct seen *s, struct str x)
{
	s->hash = str_hash(STR("\xff"), str_hash(x, s->hash));
}

static void add_int(struct seen *s, int64_t v)
{
	add(s, str_n((const char *)&v, sizeof(v)));
}

/* What is kept as text comes back the same. */
static void check_frames(const struct event_splat *e)
{
	struct event_frame back[EVENT_FRAMES_MAX];
	struct buf text = {};
	unsigned n;

	trace_print(e->frames, e->n_frames, &text);
	n = trace_read(buf_str(&text), back);
	assert(n == e->n_frames);
	for (unsigned i = 0; i < n; i++) {
		assert(str_eq(back[i].function, e->frames[i].function));
		assert(str_eq(back[i].module, e->frames[i].module));
		assert(back[i].offset == e->frames[i].offset && back[i].size == e->frames[i].size);
		assert(back[i].unsure == e->frames[i].unsure);
		assert(back[i].inlined == e->frames[i].inlined);
	}
	buf_done(&text);
}

static void on_event(void *ctx, const struct event *ev)
{
	const struct event_splat *e = ev->splat;
	struct seen *s = ctx;

	assert(ev->type == EVENT_SPLAT && e->kind.n && e->title.n && e->fingerprint.n == 16);
	assert(e->line >= 1 && e->lines >= 1 && e->line + e->lines - 1 <= s->lines);
	assert(e->text.n && e->text.n <= GATHER_TEXT_MAX && e->n_frames <= EVENT_FRAMES_MAX);
	assert(e->pid >= -1 && e->cpu >= -1);
	check_frames(e);
	s->splats++;
	add(s, e->kind);
	add(s, e->title);
	add(s, e->text);
	add(s, e->fingerprint);
	add(s, e->task);
	add(s, e->taint);
	add_int(s, (int64_t)e->line);
	add_int(s, (int64_t)e->lines);
	add_int(s, e->pid);
	add_int(s, e->cpu);
	add_int(s, e->fatal);
	add_int(s, ev->program);
}

static struct seen find(const char *p, size_t n, size_t chunk, uint64_t lines)
{
	struct seen s = { .hash = STR_HASH_INIT, .lines = lines };
	struct console *c = console_new((struct event_sink){ on_event, &s });

	for (size_t i = 0; i < n; i += chunk)
		console_feed(c, p + i, n - i < chunk ? n - i : chunk);
	console_end(c);
	console_free(c);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	size_t chunk = size ? 1 + data[0] % 61 : 1;
	uint64_t lines = size && p[size - 1] != '\n', fast = 0, slow = 0;
	struct seen whole, split;

	for (size_t i = 0; i < size; i++)
		lines += p[i] == '\n';
	whole = find(p, size, size ? size : 1, lines);
	split = find(p, size, chunk, lines);
	assert(whole.hash == split.hash && whole.splats == split.splats);
	assert(scan_find(p, p + size, &fast) == scan_find_anywhere(p, p + size, &slow));
	assert(fast == slow);
	return 0;
}
