/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "suite/bpf-build.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "suite/kselftest-build.h"

#define HOST_BTF "/sys/kernel/btf/vmlinux"

struct job {
	const char *test;
	const struct suite_context *ctx;
};

void bpf_skeletons(struct str source, struct buf *ret)
{
	while (source.n) {
		struct str line = str_trim(str_cut(&source, '\n')), name;
		ptrdiff_t end;

		if (!str_starts(line, STR("#include")))
			continue;
		str_cut(&line, '"');
		name = line.p ? str_cut(&line, '"') : STR_NONE;
		end = str_find(name, STR(".skel.h"));
		end = end >= 0 ? end : str_find(name, STR(".lskel.h"));
		if (end > 0 && !memchr(name.p, '/', (size_t)end))
			buf_printf(ret, "%.*s\n", (int)end, name.p);
	}
}

static int link_one(const char *from_dir, const char *to_dir, const char *name, struct err *err)
{
	_free_ char *from = path_join(from_dir, name), *to = path_join(to_dir, name);

	if (!file_exists(from))
		return err_set(err, ENOENT, "no '%s'", from);
	if (symlink(from, to) < 0 && errno != EEXIST)
		return err_sys(err, errno, "link '%s'", to);
	return 0;
}

/* Links what is in a directory, but for some, or only what ends so. */
static int link_all(const char *from, const char *to, const char *const *but, const char *only,
		    struct err *err)
{
	struct dirent *e;
	DIR *d = NULL;
	int r = dir_make(to, err);

	if (r == 0 && !(d = opendir(from)))
		r = err_sys(err, errno, "directory '%s'", from);
	while (r == 0 && d && (e = readdir(d))) {
		bool skip = e->d_name[0] == '.' ||
			    (only && !str_ends(str_of(e->d_name), str_of(only)));

		for (const char *const *b = but; b && *b; b++)
			skip |= strcmp(e->d_name, *b) == 0;
		if (!skip)
			r = link_one(from, to, e->d_name, err);
	}
	if (d)
		closedir(d);
	return r;
}

/* The C files of the one test. */
static int link_test(const char *from, const char *to, const char *test, struct err *err)
{
	_free_ char *tests = path_join(from, "prog_tests"), *progs = path_join(from, "progs");
	_free_ char *to_tests = path_join(to, "prog_tests"), *to_progs = path_join(to, "progs");
	_free_ char *name = xasprintf("%s.c", test), *path = path_join(tests, name);
	_cleanup_(buf_done) struct buf text = {}, skeletons = {};
	int r = file_read(path, 0, &text, err);

	if (r < 0)
		return err_wrap(err, -ENOENT, "this kernel has no BPF test '%s'", test);
	/* What test_progs itself is finished with (resolve_btfids). */
	buf_printf(&skeletons, "btf_data\n");
	bpf_skeletons(buf_str(&text), &skeletons);
	r = link_all(tests, to_tests, NULL, ".h", err);
	if (r == 0)
		r = link_all(progs, to_progs, NULL, ".h", err);
	if (r == 0)
		r = link_one(tests, to_tests, name, err);
	for (struct str rest = buf_str(&skeletons); r == 0 && rest.n;) {
		struct str one = str_cut(&rest, '\n');
		_free_ char *file = xasprintf("%.*s.c", STR_FMT(one));

		r = link_one(progs, to_progs, file, err);
	}
	return r;
}

static int link_tree(const char *source, const char *tree, const char *test, struct err *err)
{
	static const struct {
		const char *dir;
		const char *but[5];
	} levels[] = {
		{ "", { "tools" } },
		{ "tools", { "testing" } },
		{ "tools/testing", { "selftests" } },
		{ "tools/testing/selftests", { "bpf" } },
		{ "tools/testing/selftests/bpf",
		  { "prog_tests", "progs", "map_tests", "verifier" } },
	};
	static const char *const empty[] = { "map_tests", "verifier" };
	_free_ char *from = xasprintf(BPF_DIR, source), *to = xasprintf(BPF_DIR, tree);
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(levels) && r == 0; i++) {
		_free_ char *a = path_join(source, levels[i].dir);
		_free_ char *b = path_join(tree, levels[i].dir);

		r = link_all(a, b, levels[i].but, NULL, err);
	}
	for (size_t i = 0; i < ARRAY_SIZE(empty) && r == 0; i++) {
		_free_ char *dir = path_join(to, empty[i]);

		r = dir_make(dir, err);
	}
	return r < 0 ? r : link_test(from, to, test, err);
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A file with the types of the kernel that will run. */
static int find_types(const struct suite_context *ctx, const char *temp, char **ret,
		      struct err *err)
{
	_free_ char *dir = ctx->image ? path_dir(ctx->image) : NULL;
	_free_ char *beside = path_join(dir, "vmlinux");
	_free_ char *tree = path_join(dir, "../../../vmlinux"), *copy = NULL;
	_cleanup_(closep) int in = -1, out = -1;
	ssize_t n;
	int r;

	if (!ctx->image || !ctx->vmlinux) {
		*ret = xstrdup(HOST_BTF);
		return 0;
	}
	if (is_file(beside) || is_file(tree)) {
		*ret = is_file(beside) ? TAKE(beside) : TAKE(tree);
		return 0;
	}
	r = ctx->vmlinux(ctx->image, ctx->cache_dir, &in, err);
	if (r < 0)
		return r;
	copy = path_join(temp, "vmlinux");
	if (r == 0)
		return err_set(err, ENOENT, "'%s' does not tell its types: it is packed in a way "
			       "that is not known; give the tree that it was built in", ctx->image);
	out = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return err_sys(err, errno, "write '%s'", copy);
	lseek(in, 0, SEEK_SET);
	do
		n = copy_file_range(in, NULL, out, NULL, 1u << 30, 0);
	while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		return err_sys(err, errno, "write '%s'", copy);
	*ret = TAKE(copy);
	return 0;
}

static int keep(const struct suite_build *b, const char *temp, const char *obj, struct err *err)
{
	_free_ char *done = path_join(temp, "install"), *from = path_join(obj, "test_progs");
	_free_ char *to = path_join(done, "test_progs");
	int r = dir_make(done, err);

	if (r < 0)
		return r;
	if (!file_exists(from))
		return suite_build_failed(b, 0, err);
	if (rename(from, to) < 0 || rename(done, b->dest) < 0)
		return err_sys(err, errno, "rename '%s' to '%s'", from, b->dest);
	return 0;
}

static int build(const struct suite_build *b, const char *jobs, const char *headers,
		 const void *arg, struct err *err)
{
	const struct job *job = arg;
	_cleanup_(dir_removep) char *temp = NULL;
	_free_ char *tree = NULL, *obj = NULL, *dir = NULL, *types = NULL, *output = NULL;
	_free_ char *target = NULL, *btf = NULL;
	_free_ char *uapi = xasprintf("KHDR_INCLUDES=-isystem %s/usr/include", headers);
	int r = dir_temp(b->root, "tmp.", &temp, err);

	if (r < 0)
		return r;
	tree = path_join(temp, "tree");
	obj = path_join(temp, "obj");
	dir = xasprintf(BPF_DIR, tree);
	output = xasprintf("OUTPUT=%s", obj);
	target = path_join(obj, "test_progs");
	r = dir_make(obj, err);
	if (r == 0)
		r = link_tree(b->source, tree, job->test, err);
	if (r == 0)
		r = find_types(job->ctx, temp, &types, err);
	if (r < 0)
		return r;
	btf = xasprintf("VMLINUX_BTF=%s", types);
	/* What only other tests want: modules, programs, linked objects, LLVM's libraries. */
	const char *const argv[] = { "make", jobs, "--no-print-directory", "-C", dir, output, btf,
				     uapi, "TRUNNER_EXTRA_FILES=", "LINKED_SKELS=", "LSKELS=",
				     "LSKELS_EXTRA=", "SKEL_BLACKLIST=", "feature-llvm=0", target,
				     NULL };

	r = suite_make(b, argv, err);
	return r < 0 ? r : keep(b, temp, obj, err);
}

static int compiler_hash(uint64_t *h, struct err *err)
{
	static const char *const argv[] = { "clang", "--version", NULL };
	_cleanup_(buf_done) struct buf out = { .max = 65536 };
	struct proc_spec spec = { .argv = argv, .in = PROC_NULL, .out = PROC_NULL,
				  .err = PROC_NULL };
	int r = proc_run(&spec, &out, NULL, 10000, err);

	if (r == 0)
		*h = str_hash(buf_str(&out), *h);
	return r > 0 ? err_set(err, EIO, "clang --version failed (exit code %d)", r) : r;
}

int bpf_build(const char *test, const struct suite_context *ctx, char **ret, struct err *err)
{
	struct job job = { test, ctx };
	uint64_t h = STR_HASH_INIT;
	struct stat st = {};
	int r = compiler_hash(&h, err);

	if (r == 0 && stat(ctx->image ? ctx->image : HOST_BTF, &st) < 0)
		r = err_sys(err, errno, "'%s'", ctx->image ? ctx->image : HOST_BTF);
	if (r < 0)
		return r;
	h = str_hash(str_n((char *)&st.st_size, sizeof(st.st_size)), h);
	h = str_hash(str_n((char *)&st.st_mtim, sizeof(st.st_mtim)), h);
	_free_ char *name = xasprintf("bpf-%s-%08" PRIx32, test, (uint32_t)h);

	return suite_build(name, ctx, build, &job, ret, err);
}
