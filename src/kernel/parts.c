/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/parts.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "kernel/tool.h"

/* What "make headers" and tools/testing/selftests reach for. */
static const char *const PARTS[] = {
	"Makefile", "Kbuild", "Kconfig",
	"arch/x86/Makefile*", "arch/x86/include", "arch/x86/entry/syscalls", "arch/x86/tools",
	"include/uapi", "include/asm-generic",
	"kernel/bpf",
	"scripts",
	"tools/arch", "tools/bpf", "tools/build", "tools/include", "tools/lib", "tools/net",
	"tools/scripts", "tools/testing/selftests",
};
#define PARTS_N ARRAY_SIZE(PARTS)

#define LIST_MAX (16u << 20)

bool parts_only_absent(struct str said)
{
	while (said.n) {
		struct str line = str_trim(str_cut(&said, '\n'));

		if (line.n && !str_ends(line, STR("Not found in archive")) &&
		    !str_ends(line, STR("Exiting with failure status due to previous errors")))
			return false;
	}
	return true;
}

int parts_extract(const char *tarball, const char *dir, struct err *err)
{
	bool xz = str_ends(str_of(tarball), STR(".xz"));
	const char *head[] = { "tar", "-x", "-f", tarball, "-C", dir, "--strip-components=1",
			       "--no-same-owner", "--wildcards", "--no-wildcards-match-slash",
			       /* Threads: 24 MB blocks are decompressed side by side. */
			       xz ? "--use-compress-program=xz -T0" : "--auto-compress" };
	const char *argv[ARRAY_SIZE(head) + PARTS_N + 1] = {};
	char *patterns[PARTS_N];
	struct buf said = {};
	int r;

	memcpy(argv, head, sizeof(head));
	for (size_t i = 0; i < PARTS_N; i++)
		argv[ARRAY_SIZE(head) + i] = patterns[i] = path_join("*", PARTS[i]);
	r = tool_exit_code(argv, NULL, NULL, &said, err);
	if (r == 2 && parts_only_absent(buf_str(&said)))
		r = 0;
	if (r > 0)
		r = err_set(err, EIO, "unpacking '%s' failed: %.*s", tarball,
			    STR_FMT(tool_complaint(buf_str(&said))));
	for (size_t i = 0; i < PARTS_N; i++)
		freep(&patterns[i]);
	buf_done(&said);
	return r;
}

int parts_list(const char *tree, struct buf *ret, struct err *err)
{
	static const char *const git[] = { "git", "ls-files", "-z", "--cached", "--others",
					   "--exclude-standard", "--" };
	static const char *const find[] = { "find" };
	_free_ char *dot_git = path_join(tree, ".git");
	bool checkout = file_exists(dot_git);
	const char *argv[ARRAY_SIZE(git) + PARTS_N + 4] = {};
	size_t n = checkout ? ARRAY_SIZE(git) : ARRAY_SIZE(find);
	struct buf said = {};
	int r;

	memcpy(argv, checkout ? git : find, n * sizeof(*argv));
	for (size_t i = 0; i < PARTS_N; i++) {
		/* Unlike git, find takes no patterns. */
		if (!checkout && strchr(PARTS[i], '*'))
			continue;
		argv[n++] = PARTS[i];
	}
	if (!checkout) {
		argv[n++] = "-type";
		argv[n++] = "f";
		argv[n++] = "-print0";
	}
	ret->max = LIST_MAX;
	r = tool_exit_code(argv, tree, ret, &said, err);
	if (r > 0 && (checkout || !ret->n))
		r = err_set(err, EIO, "listing the files of '%s' failed: %.*s", tree,
			    STR_FMT(tool_complaint(buf_str(&said))));
	buf_done(&said);
	return r < 0 ? r : 0;
}

/* Next name of a NUL-separated list; NULL at the end. */
static const char *next_name(struct str *list)
{
	const char *name = list->p;

	if (!list->n)
		return NULL;
	str_cut(list, '\0');
	return name;
}

uint64_t parts_stamp(const char *tree, struct str list)
{
	uint64_t h = STR_HASH_INIT;
	const char *name;

	while ((name = next_name(&list))) {
		_free_ char *path = path_join(tree, name);
		struct stat st = {};

		if (lstat(path, &st) < 0)
			continue;
		h = str_hash(str_n(name, strlen(name) + 1), h);
		h = str_hash(str_n((const char *)&st.st_size, sizeof(st.st_size)), h);
		h = str_hash(str_n((const char *)&st.st_mtim, sizeof(st.st_mtim)), h);
	}
	return h;
}

int parts_copy(const char *tree, struct str list, const char *dir, struct err *err)
{
	_free_ char *names = xasprintf("%s.list", dir), *to = path_join(dir, "");
	_free_ char *from = xasprintf("--files-from=%s", names), *source = path_join(tree, "");
	const char *const argv[] = { "rsync", "-a", "--from0", from, source, to, NULL };
	struct buf there = { .max = LIST_MAX };
	const char *name;
	int r;

	/* Deleted and not committed: git still lists it, rsync would fail. */
	while ((name = next_name(&list))) {
		_free_ char *path = path_join(tree, name);
		struct stat st;

		if (lstat(path, &st) == 0 && !S_ISDIR(st.st_mode))
			buf_add(&there, name, strlen(name) + 1);
	}
	r = file_write(names, buf_str(&there), 0600, err);
	buf_done(&there);
	if (r == 0)
		r = tool_run(argv, NULL, NULL, err);
	unlink(names);
	return r;
}
