/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Symbols of objects that are wrong, packed or damaged; see test-symbols.c. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "kernel/symbols.h"
#include "symbols-tree.h"
#include "tap.h"

static const struct tree_way WAYS[] = {
	{ "DWARF 5", "-g -gdwarf-5" },
	{ "DWARF 4, compressed", "-g -gdwarf-4 -gz" },
};

static struct symbols *open_tree(struct tap *t, const char *where)
{
	struct symbols *s = NULL;
	struct err err = {};

	if (symbols_open(&(struct symbols_from){ .where = where }, &s, &err) < 0)
		ok(t, false, "open: %s", err.text);
	return s;
}

/* ---- wrong and packed ones ---- */

static int tool(const char *name, const char *a, const char *b, const char *c)
{
	const char *const argv[] = { name, a, b, c, NULL };
	struct proc_spec spec = { .argv = argv, .in = PROC_NULL, .out = PROC_NULL,
				  .err = PROC_NULL };

	return proc_run(&spec, NULL, NULL, 60000, NULL);
}

/* As kbuild does with --build-id. */
static void link_module(const char *option, const char *from, const char *to)
{
	const char *const argv[] = { "ld", "-r", option, "-o", to, from, NULL };
	struct proc_spec spec = { .argv = argv, .in = PROC_NULL, .out = PROC_NULL,
				  .err = PROC_NULL };

	proc_run(&spec, NULL, NULL, 60000, NULL);
}

static void refused(struct tap *t, const struct symbols_from *from, int code, const char *word)
{
	struct symbols *s = NULL;
	struct err err = {};
	int r = symbols_open(from, &s, &err);

	ok(t, r == code && !s && strstr(err.text, word), "refused: %s", err.text);
	symbols_close(s);
}

static void test_wrong(struct tap *t, const struct tree *tree)
{
	_free_ char *main_c = path_join(tree->dir, "init/main.c");
	_free_ char *bare = path_join(tree->dir, "bare");
	_free_ char *empty = path_join(tree->dir, "empty");
	struct symbols *s;
	const struct symbols_place *p;
	unsigned n;

	refused(t, &(struct symbols_from){ .where = "/no/such/vmlinux" }, -ENOENT, "there is no");
	refused(t, &(struct symbols_from){ .where = main_c }, -ENOEXEC, "is no ELF file");
	refused(t, &(struct symbols_from){ .where = "/dev/null" }, -ENOEXEC, "is no file");
	refused(t, &(struct symbols_from){}, -ENOENT, "--symbols");
	refused(t, &(struct symbols_from){ .release = "0.0.1-none" }, -ENOENT, "0.0.1-none");
	refused(t, &(struct symbols_from){ .release = "../../x" }, -ENOENT, "../../x");
	dir_make(empty, NULL);
	refused(t, &(struct symbols_from){ .where = empty }, -ENOENT, "no vmlinux in");
	if (tool("objcopy", "--strip-debug", tree->vmlinux, bare) == 0)
		refused(t, &(struct symbols_from){ .where = bare }, -ENOENT, "no debug info");
	s = open_tree(t, tree->module);
	if (s) {
		struct tree_function *v = tree_functions(tree->module, &n);
		const struct tree_function *f = tree_function(v, n, "mptcp_subflow");

		is_int(t, symbols_look_up(s, &(struct symbols_query){
			.function = STR("mptcp_subflow"), .module = STR("mptcp"),
			.offset = f->ret, .size = f->size }, &p), 3, "a module alone");
		free(v);
	}
	symbols_close(s);
}

/* Packed as distributions do. */
static void test_packed(struct tap *t, const struct tree *tree)
{
	static const struct {
		const char *program, *ending;
	} PACKERS[] = { { "xz", ".xz" }, { "gzip", ".gz" }, { "zstd", ".zst" } };
	unsigned n;
	struct tree_function *v = tree_functions(tree->module, &n);
	const struct tree_function *f = tree_function(v, n, "mptcp_subflow");

	for (size_t i = 0; i < ARRAY_SIZE(PACKERS); i++) {
		_free_ char *packed = xasprintf("%s%s", tree->module, PACKERS[i].ending);
		const struct symbols_place *p;
		struct symbols *s;

		if (tool(PACKERS[i].program, "-k", "-f", tree->module) != 0) {
			ok(t, true, "%s # SKIP no %s", PACKERS[i].ending, PACKERS[i].program);
			continue;
		}
		s = open_tree(t, packed);
		is_int(t, !s ? 0 : symbols_look_up(s, &(struct symbols_query){
			.function = STR("mptcp_subflow"), .module = STR("mptcp"),
			.offset = f->ret, .size = f->size }, &p), 3, PACKERS[i].ending);
		symbols_close(s);
		unlink(packed);
	}
	free(v);
}

/* ---- another build than the one that was booted ---- */

static void test_booted(struct tap *t, const struct tree *tree)
{
	static const struct {
		const char *name, *option;
		unsigned places;
	} BOOTED[] = {
		{ "the same build", "--build-id=0x1111111111111111", 3 },
		{ "another build", "--build-id=0x2222222222222222", 0 },
	};
	_free_ char *dir = path_join(tree->dir, "debug"), *kernel = path_join(dir, "vmlinux");
	_free_ char *module = path_join(dir, "mptcp.ko");
	_free_ char *cache = path_join(tree->dir, "cache");
	_free_ char *modules = xasprintf("%s/debian/linux-image-%s_1/lib/modules/%s", cache,
					 TREE_RELEASE, TREE_RELEASE);
	_free_ char *booted = path_join(modules, "mptcp.ko");
	unsigned n;
	struct tree_function *v = tree_functions(tree->module, &n);
	const struct tree_function *f = tree_function(v, n, "mptcp_subflow");

	dir_make(dir, NULL);
	dir_make(modules, NULL);
	tool("cp", tree->vmlinux, kernel, NULL);
	link_module(BOOTED[0].option, tree->module, module);
	for (size_t i = 0; i < ARRAY_SIZE(BOOTED); i++) {
		struct symbols_from from = { .where = dir, .release = TREE_RELEASE,
					     .cache_dir = cache };
		const struct symbols_place *p;
		struct symbols *s = NULL;
		struct err err = {};

		link_module(BOOTED[i].option, tree->module, booted);
		if (symbols_open(&from, &s, &err) < 0) {
			ok(t, false, "%s: %s", BOOTED[i].name, err.text);
			continue;
		}
		is_int(t, symbols_look_up(s, &(struct symbols_query){
			.function = STR("mptcp_subflow"), .module = STR("mptcp"),
			.offset = f->ret, .size = f->size }, &p), BOOTED[i].places,
		       BOOTED[i].name);
		symbols_close(s);
	}
	free(v);
}

/* ---- damaged ones ---- */

/* Everything there is, asked of a damaged object; answers don't matter. */
static void ask_all(const char *path, const struct tree_function *v, unsigned n, bool module)
{
	struct symbols *s = NULL;
	const struct symbols_place *p;

	if (symbols_open(&(struct symbols_from){ .where = path }, &s, NULL) < 0)
		return;
	for (unsigned i = 0; i < n; i++)
		for (uint64_t at = 0; at < v[i].size; at += 5)
			symbols_look_up(s, &(struct symbols_query){
				.function = str_of(v[i].name), .offset = at, .size = v[i].size,
				.module = module ? STR("damaged") : STR("") }, &p);
	symbols_close(s);
}

/* file_write() waits for the disk. */
static void put_file(const char *path, struct str s)
{
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || file_write_all(fd, s.p, s.n) < 0)
		abort();
}

#define ROUNDS 250

static void test_damaged(struct tap *t, const struct tree *tree, bool module)
{
	const char *from = module ? tree->module : tree->vmlinux;
	_free_ char *path = path_join(tree->dir, module ? "damaged.ko" : "damaged");
	_cleanup_(buf_done) struct buf whole = {}, bad = {};
	unsigned n, seed = 1;
	struct tree_function *v = tree_functions(from, &n);

	file_read(from, 0, &whole, NULL);
	for (unsigned i = 0; i < 96; i++) {
		put_file(path, str_n(whole.p, whole.n * i / 96));
		ask_all(path, v, n, module);
	}
	ok(t, true, "%s cut at 96 places", module ? "module" : "vmlinux");
	for (unsigned i = 0; i < ROUNDS; i++) {
		buf_clear(&bad);
		buf_add_str(&bad, buf_str(&whole));
		for (unsigned k = 0; k <= i % 24; k++) {
			seed = seed * 1103515245 + 12345;
			bad.p[(seed >> 8) % bad.n] = (char)(seed >> 3);
		}
		put_file(path, buf_str(&bad));
		ask_all(path, v, n, module);
	}
	ok(t, true, "%s with wrong bytes, %d times", module ? "module" : "vmlinux", ROUNDS);
	unlink(path);
	free(v);
}

int main(void)
{
	_cleanup_(tree_done) struct tree tree;
	struct tap t = {};

	tree_init(&tree);
	if (!tree.gcc)
		skip_all("no gcc for x86-64");
	TAP_HEADER();
	for (size_t i = 0; i < ARRAY_SIZE(WAYS); i++) {
		_cleanup_(buf_done) struct buf words = {};

		if (!ok(&t, tree_build(&tree, &WAYS[i], &words) == 0, "built as %s",
			WAYS[i].name)) {
			printf("# %s\n", buf_str(&words).p);
			continue;
		}
		if (i == 0) {
			test_wrong(&t, &tree);
			test_packed(&t, &tree);
			test_booted(&t, &tree);
		}
		test_damaged(&t, &tree, false);
		test_damaged(&t, &tree, true);
	}
	return tap_done(&t);
}
