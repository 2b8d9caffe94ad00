/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/build.h"

#include <assert.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/units.h"
#include "kernel/checkout.h"
#include "kernel/counters.h"
#include "kernel/fragments.h"
#include "kernel/make.h"
#include "kernel/store-away.h"
#include "kernel/tool.h"

#define CONFIG_MAX    (4u << 20)
#define REASONS_MAX   16 /* the search for one reads all Kconfig files */

/* What an architecture is to make. */
struct arch {
	const char *name;
	const char *target, *image; /* below O= */
	const char *file;           /* its name in the cache */
	bool uml;
};

static const struct arch ARCHS[] = {
	{ "x86_64", "bzImage", "arch/x86/boot/bzImage", "bzImage", false },
	{ "um", "linux", "linux", "linux", true },
};

/* One build: where things are, and what they are made of. */
struct build {
	const struct kernel_order *order;
	const struct arch *arch;
	struct checkout from;
	struct kconfig want;
	struct counters counters;
	char *compiler;  /* first line of its --version */
	char *wishes;    /* the options, as text */
	char *name;      /* "<arch>-<mode>-<key>" */
	char *identity;  /* see struct kernel */
	char *dest;      /* <cache>/kernels/<name> */
	char *objects;   /* <cache>/objects/<place>-<arch>-<mode>-<base> */
	char *took;      /* <cache>/objects/<arch>-<mode>-<base>.took */
	char *log_path, *mark;
	bool ccache;
	uint64_t steps_all;
	int64_t took_ms;
};

static void build_done(struct build *b)
{
	char **all[] = { &b->compiler, &b->wishes, &b->name, &b->identity, &b->dest, &b->objects,
			 &b->took, &b->log_path, &b->mark };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		freep(all[i]);
	kconfig_done(&b->want);
	counters_done(&b->counters);
	checkout_done(&b->from);
}

static const struct arch *arch_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ARCHS); i++)
		if (strcmp(ARCHS[i].name, name) == 0)
			return &ARCHS[i];
	return NULL;
}

static int compiler_line(bool llvm, char **ret, struct err *err)
{
	const char *const argv[] = { llvm ? "clang" : "gcc", "--version", NULL };
	struct buf out = { .max = 65536 };
	struct str rest;
	int r = tool_run(argv, NULL, &out, err);

	if (r < 0) {
		r = err_wrap(err, r, "building a kernel needs %s", argv[0]);
	} else {
		rest = buf_str(&out);
		rest = str_trim(str_cut(&rest, '\n'));
		*ret = xstrndup(rest.p, rest.n);
	}
	buf_done(&out);
	return r;
}

static uint64_t hash(const char *s, uint64_t seed)
{
	return str_hash(str_n(s, strlen(s) + 1), seed);
}

/* Everything that decides about what comes out. */
static void name_it(struct build *b)
{
	const struct kernel_order *o = b->order;
	const char *parts[] = { b->from.id, o->arch, o->base, b->wishes, b->compiler };
	const char *cache = o->cache_dir;
	uint64_t key = STR_HASH_INIT, config = STR_HASH_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		key = hash(parts[i], key);
	config = hash(b->wishes, hash(o->base, config));
	b->name = xasprintf("%s-%s-%016" PRIx64, o->arch, o->mode, key);
	b->identity = xasprintf("%s %s, mode %s, %s, configuration %08" PRIx32, b->from.version,
				b->from.id, o->mode, b->compiler,
				(uint32_t)(config ^ config >> 32));
	b->dest = xasprintf("%s/kernels/%s", cache, b->name);
	b->objects = xasprintf("%s/objects/%s-%s-%s-%s", cache, b->from.place, o->arch, o->mode,
			       o->base);
	b->took = xasprintf("%s/objects/%s-%s-%s.took", cache, o->arch, o->mode, o->base);
	b->log_path = path_join(b->objects, "make.log");
	b->mark = path_join(b->objects, "writing");
}

/* A mode's name becomes part of paths. */
static int check(const struct kernel_order *o, struct err *err)
{
	if (!o->mode[0] || strlen(o->mode) > 64 || o->mode[0] == '.' ||
	    o->mode[strcspn(o->mode, "/: \t\n$'\"\\*?[")])
		return err_set(err, EINVAL, "a mode can't be called '%s'", o->mode);
	if (strcmp(o->base, "defconfig") != 0 && strcmp(o->base, "tiny") != 0)
		return err_set(err, EINVAL, "no base configuration '%s': there are defconfig and "
			       "tiny", o->base);
	return 0;
}

static int build_init(struct build *b, const struct kernel_order *o, struct err *err)
{
	_free_ char *ccache = proc_find("ccache");
	struct buf text = {};
	int r = check(o, err);

	b->order = o;
	b->arch = arch_find(o->arch);
	b->ccache = ccache && !getenv("CCACHE_DISABLE");
	if (r == 0 && !b->arch)
		r = err_set(err, EINVAL, "kernels are built for x86_64 and um, not '%s'", o->arch);
	if (r == 0)
		r = compiler_line(o->llvm, &b->compiler, err);
	if (r == 0)
		r = checkout_open(o->spec, o->cache_dir, o->log, &b->from, err);
	if (r == 0)
		r = fragments_read(o, b->from.dir, &b->want, err);
	if (r == 0)
		r = counters_read(o, b->from.dir, &b->counters, err);
	if (r < 0)
		return r;
	kconfig_text(&b->want, &text);
	for (size_t i = 0; i < b->counters.n; i++)
		buf_printf(&text, "# " COUNTERS_ENTRY "%s\n", b->counters.dirs[i]);
	b->wishes = buf_take(&text);
	name_it(b);
	return 0;
}

/*
 * Make.
 */
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

static int make(const struct build *b, const char *what, const char *allconfig,
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

#define MAKE(b, what, allconfig, ret_steps, err, ...)                                              \
	make(b, what, allconfig, (const char *const[]){ __VA_ARGS__, NULL }, ret_steps, err)

/* Nothing but what is wanted: everything else that can be is off. */
static int configure_tiny(const struct build *b, struct err *err)
{
	_free_ char *path = path_join(b->objects, "wanted.config");
	int r = file_write(path, str_of(b->wishes), 0644, err);

	return r < 0 ? r : MAKE(b, "configure", path, NULL, err, "allnoconfig");
}

static int configure_default(const struct build *b, struct err *err)
{
	_free_ char *path = path_join(b->objects, ".config");
	struct buf base = {}, merged = {};
	int r = MAKE(b, "configure", NULL, NULL, err, "defconfig");

	if (r == 0)
		r = file_read(path, CONFIG_MAX, &base, err);
	if (r == 0) {
		kconfig_merge(&b->want, buf_str(&base), &merged);
		r = file_write(path, buf_str(&merged), 0644, err);
	}
	buf_done(&base);
	buf_done(&merged);
	return r < 0 ? r : MAKE(b, "configure", NULL, NULL, err, "olddefconfig");
}

/* One line per option that did not stick, to be told now and whenever this kernel
 * is found again. */
struct unstuck {
	const struct build *b;
	struct str result;
	struct buf text;
	unsigned n;
};

static void on_unstuck(void *ctx, const struct kconfig_option *o, const char *got)
{
	struct unstuck *u = ctx;
	struct buf why = { .max = 512 };

	if (u->n++ < REASONS_MAX)
		kconfig_why(u->b->from.dir, o->name, u->b->order->arch, u->result, &why);
	buf_printf(&u->text, "CONFIG_%s=%s (%s) is %s%s%.*s\n", o->name, o->value, o->from, got,
		   why.n ? ": " : "", STR_FMT(buf_str(&why)));
	buf_done(&why);
}

static int write_unstuck(const struct build *b, struct err *err)
{
	_free_ char *config = path_join(b->objects, ".config");
	_free_ char *path = path_join(b->objects, "unstuck");
	struct unstuck u = { .b = b };
	struct buf result = {};
	int r = file_read(config, CONFIG_MAX, &result, err);

	if (r == 0) {
		u.result = buf_str(&result);
		kconfig_unstuck(&b->want, u.result, on_unstuck, &u);
		r = file_write(path, buf_str(&u.text), 0644, err);
	}
	buf_done(&u.text);
	buf_done(&result);
	return r;
}

static void tell_unstuck(const char *dir, const struct log *log)
{
	_free_ char *path = path_join(dir, "unstuck");
	struct buf text = {};

	if (file_read(path, 0, &text, NULL) < 0)
		buf_clear(&text);
	for (struct str rest = buf_str(&text); rest.n;) {
		struct str line = str_cut(&rest, '\n');

		log_warn(log, "option did not stick: %.*s", STR_FMT(line));
	}
	buf_done(&text);
}

/* The configuration, unless it is the one of an earlier call. */
static int configure(const struct build *b, struct err *err)
{
	_free_ char *path = path_join(b->objects, "configured"), *was = NULL;
	int r = 0;

	if (file_read_line(path, &was, NULL) < 0 || strcmp(was, b->name) != 0) {
		unlink(path);
		r = strcmp(b->order->base, "tiny") == 0 ? configure_tiny(b, err)
							 : configure_default(b, err);
		if (r == 0)
			r = write_unstuck(b, err);
		if (r == 0)
			r = file_write(path, str_of(b->name), 0644, err);
	}
	if (r == 0)
		tell_unstuck(b->objects, b->order->log);
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
		r = configure(b, err);
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

static int build_locked(struct build *b, struct err *err)
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

static int may_build(const struct build *b, struct err *err)
{
	const struct kernel source = {
		.spec = (char *)b->order->spec,
		.version = b->from.version,
		.branch = b->from.branch,
		.source = b->from.dir,
		.source_id = b->from.id,
	};

	if (!b->order->may_build)
		return 0;
	return b->order->may_build(b->order->may_build_ctx, &source, err);
}

static int find_or_build(struct build *b, struct err *err)
{
	_free_ char *path = xasprintf("%s.lock", b->dest);
	_cleanup_(closep) int lock = -1;
	bool found = true;
	int r = 0;

	if (!file_exists(b->dest)) {
		r = make_lock(path, "builds the same kernel", b->order->log, &lock, err);
		if (r == 0 && !file_exists(b->dest)) {
			store_away_sweep(b->order->cache_dir);
			r = may_build(b, err);
			if (r == 0)
				r = build_locked(b, err);
			found = false;
		}
	}
	if (r == 0 && found) {
		log_debug(b->order->log, "built earlier: %s", b->dest);
		tell_unstuck(b->dest, b->order->log);
	}
	/* In use now: see store_away_sweep(). */
	utimensat(AT_FDCWD, b->dest, NULL, 0);
	utimensat(AT_FDCWD, b->objects, NULL, 0);
	return r;
}

static int fill(struct build *b, struct kernel *k, struct err *err)
{
	_free_ char *release = path_join(b->dest, "release");
	_free_ char *modules = path_join(b->dest, "lib/modules");
	int r = file_read_line(release, &k->release, err);

	if (r < 0)
		return r;
	k->spec = xstrdup(b->order->spec);
	k->version = xstrdup(b->from.version);
	k->branch = xstrdup(b->from.branch);
	k->image = path_join(b->dest, b->arch->file);
	k->config = path_join(b->dest, "config");
	k->counters = b->counters.n ? path_join(b->dest, "counters") : NULL;
	k->modules_dir = file_exists(modules) ? TAKE(modules) : NULL;
	k->uml = b->arch->uml;
	k->source = xstrdup(b->from.dir);
	k->source_id = xstrdup(b->from.id);
	k->identity = xstrdup(b->identity);
	/* A worktree is the run's as long as it needs the tests' source. */
	k->held = b->from.lock + 1;
	b->from.lock = -1;
	return 0;
}

int kernel_build(const struct kernel_order *order, struct kernel *ret, struct err *err)
{
	_cleanup_(build_done) struct build b = { .from.lock = -1 };
	struct kernel k = {};
	int r = build_init(&b, order, err);

	assert(order->cache_dir[0] == '/');
	if (r == 0)
		r = find_or_build(&b, err);
	if (r == 0)
		r = fill(&b, &k, err);
	if (r < 0) {
		kernel_done(&k);
		return r;
	}
	*ret = k;
	return 0;
}

int kernel_build_source(const char *spec, const char *cache_dir, const struct log *log,
			struct kernel *ret, struct err *err)
{
	struct checkout from = { .lock = -1 };
	int r = checkout_open(spec, cache_dir, log, &from, err);

	if (r < 0)
		return r;
	*ret = (struct kernel){
		.spec = xstrdup(spec),
		.version = TAKE(from.version),
		.branch = TAKE(from.branch),
		.source = TAKE(from.dir),
		.source_id = TAKE(from.id),
		.held = from.lock + 1,
	};
	from.lock = -1;
	checkout_done(&from);
	return 0;
}

bool kernel_is_built_from(const char *spec, bool asked)
{
	static const char *const images[] = { "arch/x86/boot/bzImage", "linux" };
	_free_ char *tree = NULL;

	if (str_starts(str_of(spec), STR("git:")))
		return true;
	tree = checkout_tree(spec);
	for (size_t i = 0; tree && !asked && i < ARRAY_SIZE(images); i++) {
		_free_ char *path = path_join(spec, images[i]);

		if (file_exists(path))
			return false;
	}
	return tree != NULL;
}
