/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel is made: make's words, how long it takes, and what is kept of it. */
#include "kernel/build-inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"
#include "kernel/make.h"
#include "kernel/store-away.h"

struct words {
	char **v; /* NULL-ended */
	size_t n, cap;
};

static void word(struct words *w, char *s)
{
	if (w->n + 1 >= w->cap)
		w->v = xrealloc(w->v, w->cap = 2 * w->cap + 64, sizeof(*w->v));
	w->v[w->n++] = s;
	w->v[w->n] = NULL;
}

static void words_done(struct words *w)
{
	while (w->n)
		free(w->v[--w->n]);
	free(w->v);
}

static void common_words(const struct build *b, struct words *w)
{
	const char *cc = b->order->llvm ? "clang" : "gcc", *wrap = b->ccache ? "ccache " : "";

	word(w, xasprintf("ARCH=%s", b->order->arch));
	word(w, xasprintf("O=%s", b->objects));
	if (b->order->llvm)
		word(w, xstrdup("LLVM=1"));
	word(w, xasprintf("CC=%s%s", wrap, cc));
	word(w, xasprintf("HOSTCC=%s%s", wrap, cc));
	/* Who built it, and where, is nobody's business. */
	word(w, xstrdup("KBUILD_BUILD_USER=taproom"));
	word(w, xstrdup("KBUILD_BUILD_HOST=taproom"));
	if (b->counters.n)
		word(w, counters_word(&b->counters));
}

int build_make(const struct build *b, const char *what, const char *allconfig,
	       const char *const *targets, uint64_t *ret_steps, struct err *err)
{
	_cleanup_(words_done) struct words w = {};
	struct make m = { .dir = b->from.dir, .log_path = b->log_path, .allconfig = allconfig,
			  .mark = b->mark, .what = what, .order = b->order };
	uint64_t steps;
	int r;

	common_words(b, &w);
	for (; *targets; targets++)
		word(&w, xstrdup(*targets));
	m.words = (const char *const *)w.v;
	if (ret_steps) {
		m.steps_all = b->steps_all;
		m.took_ms = b->took_ms;
	}
	r = make_run(&m, &steps, err);
	if (ret_steps)
		*ret_steps = steps;
	return r;
}

/* "1780 steps in 240000 ms" of the last build from nothing. */
static void read_took(struct build *b)
{
	_free_ char *line = NULL;
	struct str rest, steps;
	uint64_t n, ms;

	if (file_read_line(b->took, &line, NULL) < 0)
		return;
	rest = str_of(line);
	steps = str_cut(&rest, ' ');
	if (str_to_u64(steps, &n) && str_to_u64(str_trim(rest), &ms) && ms < INT64_MAX / 2) {
		b->steps_all = n;
		b->took_ms = (int64_t)ms;
	}
}

/* How many steps an interrupted build got to, by the file that it leaves; of one that
 * was whole, and is edited, nobody knows how much is left: then there is no estimate. */
static void expect_rest(struct build *b, const char *begun, uint64_t *ret_had)
{
	_free_ char *line = NULL;
	uint64_t had = 0;

	*ret_had = 0;
	if (file_read_line(begun, &line, NULL) < 0)
		return;
	if (!str_to_u64(str_of(line), &had) || had >= b->steps_all) {
		b->steps_all = 0;
		return;
	}
	*ret_had = had;
	b->took_ms = (int64_t)((double)b->took_ms * (double)(b->steps_all - had) /
			       (double)b->steps_all);
	b->steps_all -= had;
}

static void note_begun(const char *begun, bool whole, uint64_t steps)
{
	_free_ char *text = xasprintf("%" PRIu64 "\n", steps);

	file_write(begun, whole ? STR("whole\n") : str_of(text), 0644, NULL);
}

/* Under both locks. */
static int make_kernel(struct build *b, struct err *err)
{
	_free_ char *begun = path_join(b->objects, "begun");
	_free_ char *config = path_join(b->objects, ".config");
	bool fresh = !file_exists(begun);
	int64_t start = clock_mono_ms();
	char text[UNIT_TEXT_MAX];
	struct buf took = {};
	uint64_t steps = 0, had;
	int r;

	/* Nobody said goodbye last time: what was being written is half there. */
	if (file_exists(b->mark))
		store_away_mend(b->objects, b->mark, b->order->log);
	read_took(b);
	expect_rest(b, begun, &had);
	unlink(b->log_path);
	r = file_write(b->mark, STR("make writes here, or was killed\n"), 0644, err);
	if (r == 0)
		r = build_configure(b, err);
	if (r == 0 && b->took_ms && fresh)
		log_info(b->order->log, "building kernel %s, mode %s; the last took %s",
			 b->from.version, b->order->mode, duration_text(b->took_ms, text));
	else if (r == 0)
		log_info(b->order->log, "building kernel %s, mode %s%s", b->from.version,
			 b->order->mode, fresh ? "" : "; on top of what is built");
	if (r == 0 && fresh)
		r = file_write(begun, STR("0\n"), 0644, err);
	if (r == 0)
		r = MAKE(b, "build", NULL, &steps, err, b->arch->target);
	if (steps)
		note_begun(begun, r == 0, had + steps);
	if (r == 0 && kernel_config_value(config, "MODULES") == 'y')
		r = MAKE(b, "modules", NULL, NULL, err, "modules");
	/* A make that is stopped removes what it was writing, and only then waits for
	 * those who write it. */
	if (r == -EINTR)
		file_write(b->mark, STR(STORE_AWAY_STOPPED), 0644, NULL);
	if (r == 0 || r == -EIO)
		unlink(b->mark);
	if (r == 0 && fresh) {
		buf_printf(&took, "%" PRIu64 " %" PRId64 "\n", steps, clock_mono_ms() - start);
		file_write(b->took, buf_str(&took), 0644, NULL);
		buf_done(&took);
	}
	if (r == 0)
		log_info(b->order->log, "built in %s: %s",
			 duration_text(clock_mono_ms() - start, text), b->identity);
	return r;
}

/* What is kept, beside its place until all of it is there. */
static int keep(const struct build *b, struct err *err)
{
	_cleanup_(dir_removep) char *temp = NULL;
	_free_ char *parent = path_dir(b->dest), *install = NULL, *modules = NULL;
	int r = dir_temp(parent, "tmp.", &temp, err);

	if (r < 0)
		return r;
	r = store_away(b->objects, b->arch->image, temp, b->arch->file, b->identity, err);
	modules = path_join(b->objects, "modules.order");
	if (r == 0)
		r = counters_keep(&b->counters, b->objects, temp, err);
	if (r == 0 && file_exists(modules)) {
		install = xasprintf("INSTALL_MOD_PATH=%s", temp);
		r = MAKE(b, "install", NULL, NULL, err, install, "modules_install");
	}
	if (r < 0)
		return r;
	if (rename(temp, b->dest) < 0 && !file_exists(b->dest))
		return err_sys(err, errno, "rename '%s' to '%s'", temp, b->dest);
	return 0;
}

int build_locked(struct build *b, struct err *err)
{
	_free_ char *path = xasprintf("%s.lock", b->objects);
	_cleanup_(closep) int lock = -1;
	int r = dir_make(b->objects, err);

	if (r == 0)
		r = make_lock(path, "builds the same tree", b->order->log, &lock, err);
	if (r == 0)
		r = make_kernel(b, err);
	return r < 0 ? r : keep(b, err);
}
