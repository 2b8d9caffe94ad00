/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/build-inside.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "kernel/fragments.h"
#include "kernel/make.h"
#include "kernel/store-away.h"
#include "kernel/tool.h"

static const struct arch ARCHS[] = {
	{ "x86_64", "bzImage", "arch/x86/boot/bzImage", "bzImage", false },
	{ "um", "linux", "linux", "linux", true },
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
		build_tell_unstuck(b->dest, b->order->log);
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
