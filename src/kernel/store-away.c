/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/store-away.h"

#include <fcntl.h>
#include <fts.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"
#include "kernel/kunit.h"

#define KEEP_MS   (30 * 24 * 60 * 60 * INT64_C(1000))
#define STOPPED_S 10
#define KILLED_S  120

/* copy_file_range(2) shares blocks where the file system can. */
int store_away_copy(const char *from, const char *to, struct err *err)
{
	_cleanup_(closep) int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
	ssize_t n;

	if (in < 0)
		return err_sys(err, errno, "the build left no '%s'", from);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	if (out < 0)
		return err_sys(err, errno, "write '%s'", to);
	do
		n = copy_file_range(in, NULL, out, NULL, 1u << 30, 0);
	while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		return err_sys(err, errno, "write '%s'", to);
	return 0;
}

/* The symbols do not stay, and they alone know its KUnit suites. */
static int keep_kunit(const char *objects, const char *dest, struct err *err)
{
	_free_ char *from = path_join(objects, "vmlinux"), *to = path_join(dest, "kunit");
	_cleanup_(buf_done) struct buf names = {};
	int r = file_exists(from) ? kunit_of_file(from, NULL, &names, err) : 0;

	return r <= 0 ? r : file_write(to, buf_str(&names), 0644, err);
}

int store_away(const char *objects, const char *image, const char *dest, const char *file,
	       const char *identity, struct err *err)
{
	const struct {
		const char *from, *to;
	} rows[] = {
		{ image, file },
		{ ".config", "config" },
		{ "include/config/kernel.release", "release" },
		{ "unstuck", "unstuck" },
		{ "vmlinux", "vmlinux" },
	};
	_free_ char *config = path_join(objects, ".config"), *path = path_join(dest, "identity");
	bool debug_info = kernel_config_value(config, "DEBUG_INFO") == 'y';
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && r == 0; i++) {
		_free_ char *from = path_join(objects, rows[i].from);
		_free_ char *to = path_join(dest, rows[i].to);

		if (strcmp(rows[i].from, "vmlinux") == 0 && !debug_info)
			continue;
		r = store_away_copy(from, to, err);
	}
	if (r == 0)
		r = keep_kunit(objects, dest, err);
	return r < 0 ? r : file_write(path, str_of(identity), 0644, err);
}

static bool is_ours(const char *name)
{
	static const char *const names[] = { "make.log", "configured", "begun", "writing",
					     "unstuck", "wanted.config", ".config" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

void store_away_mend(const char *objects, const char *mark, const struct log *log)
{
	char *const dirs[] = { (char *)objects, NULL };
	FTS *walk = fts_open(dirs, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	_free_ char *said = NULL;
	time_t recent = KILLED_S;
	struct stat end;
	unsigned n = 0;
	FTSENT *e;

	if (stat(mark, &end) < 0)
		end.st_mtime = 0;
	if (file_read_line(mark, &said, NULL) == 0 && strcmp(said, "stopped") == 0)
		recent = STOPPED_S;
	while (walk && (e = fts_read(walk))) {
		const struct stat *st = e->fts_statp;
		bool object = str_ends(str_of(e->fts_name), STR(".o"));

		if (e->fts_info != FTS_F || (e->fts_level == 1 && is_ours(e->fts_name)))
			continue;
		if (st->st_mtime + recent >= end.st_mtime || (object && !st->st_size))
			n += unlink(e->fts_path) == 0;
	}
	if (walk)
		fts_close(walk);
	log_info(log, "the last build was stopped: %u files that it may have left half written are "
		      "built again", n);
}

void store_away_sweep(const char *cache_dir)
{
	static const char *const patterns[] = { "kernels/*", "objects/*" };
	struct stat st;
	glob_t found;

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		_free_ char *pattern = path_join(cache_dir, patterns[i]);

		if (glob(pattern, 0, NULL, &found) != 0)
			continue;
		for (size_t j = 0; j < found.gl_pathc; j++) {
			const char *path = found.gl_pathv[j];
			_free_ char *lock_path = xasprintf("%s.lock", path);
			_cleanup_(closep) int lock = -1;

			if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode) ||
			    clock_wall_ms() - st.st_mtime * 1000ll < KEEP_MS ||
			    file_lock(lock_path, false, &lock, NULL) <= 0)
				continue;
			dir_remove(path, NULL);
		}
		globfree(&found);
	}
}
