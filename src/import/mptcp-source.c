/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the arrays are: files of a directory, or all that git remembers of them. */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "import/git.h"
#include "import/mptcp.h"

#define ENTRIES_MAX 100000 /* of one directory */

int mptcp_name(struct str path, struct str *ret_branch, struct str *ret_mode)
{
	struct str at[2] = {};

	if (!str_ends(path, STR(".json")))
		return 0;
	path.n -= 5;
	for (struct str rest = path; rest.p;) {
		at[0] = at[1];
		at[1] = str_cut(&rest, '/');
	}
	if (!at[0].n || !at[1].n || at[1].p[0] == '.')
		return 0;
	*ret_branch = at[0];
	*ret_mode = at[1];
	return 1;
}

static int read_file(struct mptcp_records *r, const char *path, struct err *err)
{
	_cleanup_(buf_done) struct buf text = { .max = IMPORT_FILE_MAX };
	_free_ char *full = realpath(path, NULL);
	struct str branch, mode;
	int e;

	if (!full)
		return err_sys(err, errno, "open '%s'", path);
	if (!mptcp_name(str_of(full), &branch, &mode))
		return err_set(err, EINVAL, "'%s' is no <branch>/<mode>.json", path);
	e = file_read(path, IMPORT_FILE_MAX, &text, err);
	return e < 0 ? e : mptcp_records_add(r, branch, mode, path, buf_str(&text), err);
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* @depth: 2 for the root, 1 for a branch's directory. */
static int read_directory(struct mptcp_records *r, const char *path, int depth, struct err *err)
{
	struct dirent **names;
	int n = scandir(path, &names, visible, alphasort), e = 0;

	if (n < 0)
		return err_sys(err, errno, "read directory '%s'", path);
	if (n > ENTRIES_MAX)
		e = err_set(err, EFBIG, "more than %d files in '%s'", ENTRIES_MAX, path);
	for (int i = 0; i < n; i++) {
		_free_ char *file = path_join(path, names[i]->d_name);
		struct stat st;

		if (e == 0 && stat(file, &st) == 0) {
			if (S_ISDIR(st.st_mode) && depth > 0)
				e = read_directory(r, file, depth - 1, err);
			else if (S_ISREG(st.st_mode) && str_ends(str_of(file), STR(".json")))
				e = read_file(r, file, err);
		}
		if (r->im->progress)
			r->im->progress(r->im->ctx, path, (uint64_t)i + 1, (uint64_t)n);
		free(names[i]);
	}
	free(names);
	return e;
}

static int on_content(void *ctx, struct str path, struct str content, uint64_t done,
		      uint64_t all, struct err *err)
{
	_free_ char *name = xstrndup(path.p, path.n);
	struct mptcp_records *r = ctx;
	struct str branch, mode;

	if (r->im->progress)
		r->im->progress(r->im->ctx, "commits", done, all);
	if (!mptcp_name(path, &branch, &mode))
		return 0;
	if (!content.p) {
		import_damaged(r->im, name, "it is too large", "a version of the file");
		return 0;
	}
	return mptcp_records_add(r, branch, mode, name, content, err);
}

int mptcp_source(struct mptcp_records *r, const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(err, errno, "open '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return read_file(r, path, err);
	if (git_is_repository(path))
		return git_past(path, STR(".json"), IMPORT_FILE_MAX, on_content, r, err);
	return read_directory(r, path, 1, err);
}
