/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/run.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "machine/machine.h"

/* The directory itself is what is locked: nothing in it can go missing first. */
static int lock_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Until it is locked a directory has a name of its own, and is left alone: but
 * not for ever. */
#define NEW         ".new-"
#define SWEEP_AGE_S 60

/* What a killed launcher left: processes first, they may still write. */
static void sweep_one(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	machine_sweep(path);
	while (d && (e = readdir(d))) {
		_free_ char *job = path_join(path, e->d_name);

		if (e->d_name[0] != '.' && e->d_type == DT_DIR)
			machine_sweep(job);
	}
	if (d)
		closedir(d);
	dir_remove(path, NULL);
}

static void sweep(const char *parent)
{
	DIR *d = opendir(parent);
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d))) {
		_free_ char *path = path_join(parent, e->d_name);
		_cleanup_(closep) int fd = -1;

		bool new = strncmp(e->d_name, NEW, sizeof(NEW) - 1) == 0;

		if (e->d_name[0] == '.' && !new)
			continue;
		fd = lock_dir(path);
		if (fd >= 0 && fstat(fd, &st) == 0 &&
		    (!new || time(NULL) - st.st_ctime > SWEEP_AGE_S))
			sweep_one(path);
	}
	if (d)
		closedir(d);
}

int run_work_open(const char *cache_dir, struct run_work *ret, struct err *err)
{
	_free_ char *parent = path_join(cache_dir, "work");
	struct run_work w = { .lock = -1 };
	_free_ char *new = NULL;
	int r = dir_temp(parent, NEW, &new, err);

	if (r < 0)
		return err_wrap(err, r, "work directory");
	w.lock = lock_dir(new);
	w.path = path_join(parent, path_base(new) + sizeof(NEW) - 1);
	/* A name that is taken is another's: unlikely, and then its own does too. */
	if (rename(new, w.path) < 0) {
		free(w.path);
		w.path = TAKE(new);
	}
	sweep(parent);
	*ret = w;
	return 0;
}

void run_work_close(struct run_work *w)
{
	if (w->path)
		dir_remove(w->path, NULL);
	if (w->lock >= 0)
		close(w->lock);
	free(w->path);
	*w = (struct run_work){ .lock = -1 };
}

void run_id_make(int64_t unix_ms, uint32_t random, char id[static RUN_ID_MAX])
{
	time_t s = (time_t)(unix_ms / 1000);
	struct tm tm = {};
	size_t n;

	gmtime_r(&s, &tm);
	n = strftime(id, RUN_ID_MAX, "%Y%m%d-%H%M%S", &tm);
	snprintf(id + n, RUN_ID_MAX - n, "-%06x", random & 0xffffff);
}
