/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is packed for a guest that can't see the host's files, and what is not. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "machine/closure.h"
#include "tap.h"

static char *dir;

static const char *in_dir(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void file(const char *name, const char *text, mode_t mode)
{
	const char *path = in_dir(name);

	file_write(path, str_of(text), mode, NULL);
	chmod(path, mode);
}

static void tree_make(void)
{
	static const char *const dirs[] = { "t", "t/sub", "away", "alone" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		mkdir(in_dir(dirs[i]), 0755);
	file("t/one", "#!/usr/bin/env sort\n", 0755);
	file("t/sub/two", "#!/bin/sh -e\n", 0755);
	file("t/broken", "\177ELF", 0755);
	file("away/in", "x", 0644);
	file("away/aside", "x", 0644);
	file("alone/in", "x", 0644);
	(void)!symlink("../away/in", in_dir("t/link"));
	(void)!symlink("../away", in_dir("t/link-dir"));
	(void)!symlink("loop", in_dir("t/loop"));
	(void)!symlink("..", in_dir("t/up"));
	(void)!symlink("/nowhere", in_dir("t/dangling"));
	(void)!symlink("t", in_dir("through"));
}

/* The archive's names, each on a line that begins and ends it. */
static int pack(const char *const *needed, size_t max, struct buf *names, struct err *err)
{
	_cleanup_(initramfs_done) struct initramfs a = { .out = { .max = max } };
	const struct machine_config c = { .needed = needed, .release = "6.1" };
	_free_ char *path = xasprintf("%s/archive", dir);
	const char *const argv[] = { "cpio", "-it", "--quiet", "-F", path, NULL };
	struct proc_spec spec = { .argv = argv, .in = PROC_NULL, .out = PROC_NULL,
				  .err = PROC_NULL };
	int r = closure_pack(&a, &c, NULL, err);

	if (r < 0)
		return r;
	initramfs_end(&a);
	file_write(path, buf_str(&a.out), 0644, NULL);
	buf_add_str(names, STR("\n"));
	return proc_run(&spec, names, NULL, 0, NULL);
}

static unsigned times(const struct buf *names, const char *name)
{
	_free_ char *line = name[0] == '/' ? xasprintf("\n%s\n", name + 1)
					   : xasprintf("\n%s\n", in_dir(name) + 1);
	struct str rest = buf_str(names);
	unsigned n = 0;
	ptrdiff_t at;

	while ((at = str_find(rest, str_of(line))) >= 0) {
		rest = str_from(rest, (size_t)at + 1);
		n++;
	}
	return n;
}

/* How often each is in it. A name without a slash in front is one of the tree's. */
static const struct {
	const char *name, *what;
	unsigned n;
} ROWS[] = {
	{ "/usr/bin/dash", "a usual program", 1 },
	{ "/bin/sh", "by every way that leads to it: here it is a link's", 0 },
	{ "/usr/bin/sh", "which is there", 1 },
	{ "/proc", "a place to mount on", 1 },
	{ "t/one", "a file of a directory", 1 },
	{ "t/sub", "a directory of it, once", 1 },
	{ "t/sub/two", "a file of that", 1 },
	{ "/usr/bin/sort", "what env starts", 1 },
	{ "t/link", "a link", 1 },
	{ "away/in", "the file behind it", 1 },
	{ "t/link-dir", "a link to a directory", 1 },
	{ "away/aside", "not what is in that", 0 },
	{ "t/loop", "a loop", 1 },
	{ "t/up", "a link upwards", 1 },
	{ "t/dangling", "a link to nowhere", 1 },
	{ "through", "a link on the way", 1 },
	{ "alone", "a directory that ends with a slash", 1 },
	{ "alone/in", "without what is in it", 0 },
};

int main(void)
{
	_cleanup_(dir_removep) char *temp = NULL;
	_cleanup_(buf_done) struct buf names = { .max = 16 << 20 };
	char way[512], through[512];
	const char *needed[] = { way, through, in_dir(""), NULL };
	struct tap t = {};
	struct err err;
	struct stat st;
	int r;

	TAP_HEADER();
	dir_temp("/tmp", "taproom-closure-", &temp, NULL);
	dir = temp;
	if (lstat("/bin", &st) < 0 || !S_ISLNK(st.st_mode)) {
		ok(&t, true, "what is packed # SKIP /bin is no link to usr/bin here");
		return tap_done(&t);
	}
	tree_make();
	snprintf(through, sizeof(through), "%s", in_dir("through"));
	snprintf(way, sizeof(way), "%s", in_dir("alone/"));
	needed[2] = NULL;
	r = pack(needed, 256u << 20, &names, &err);
	if (r < 0)
		printf("# %s\n", err.text);
	is_int(&t, r, 0, "it is an archive, by cpio");
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		is_int(&t, times(&names, ROWS[i].name), ROWS[i].n, ROWS[i].what);
	ok(&t, str_find(buf_str(&names), STR("/libc.so.6\n")) > 0, "libraries of programs");
	is_int(&t, pack(needed, 1 << 20, &names, &err), -EFBIG, "too much");
	ok(&t, strstr(err.text, "too large to pack"), "- says so: %s", err.text);
	snprintf(way, sizeof(way), "%s", in_dir("none"));
	is_int(&t, pack(needed, 256u << 20, &names, &err), -ENOENT, "what is not there");
	ok(&t, strstr(err.text, "/none' is needed"), "- is named: %s", err.text);
	return tap_done(&t);
}
