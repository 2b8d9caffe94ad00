/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/db.h"

#define NOBODY 65534
#define TRIES  600 /* of 50 ms */

/* Debian keeps its servers beside each other, by version. */
static char *find_bin(void)
{
	char *ret = NULL;
	glob_t g;

	if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &g) == 0 && g.gl_pathc)
		ret = path_dir(g.gl_pathv[g.gl_pathc - 1]);
	globfree(&g);
	return ret;
}

/* It refuses to be started by root, and so do we ask it to be nobody. */
static pid_t start(const char *dir, const char *const *argv)
{
	_free_ char *log = path_join(dir, "log");
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGQUIT);
	if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		_exit(126);
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (chdir(dir) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
}

static int wait_ready(struct postgres_server *p)
{
	for (int i = 0; i < TRIES; i++, nap()) {
		struct db *db;
		struct err err = {};
		int r = db_postgres_open(p->url, STORE_READ, &db, &err);

		/* No store in it: but it answers. */
		if (r == -ENOENT)
			return 0;
		if (r != -ECONNREFUSED || waitpid(p->pid, NULL, WNOHANG) == p->pid)
			break;
	}
	return -EIO;
}

int postgres_start(struct postgres_server *p, const char **ret_why)
{
	_free_ char *bin = find_bin(), *initdb = NULL, *server = NULL, *data = NULL;
	int status;

	*p = (struct postgres_server){};
	*ret_why = "there is no PostgreSQL server here: tools/setup --tests installs it";
	if (!bin)
		return -ENOENT;
	initdb = path_join(bin, "initdb");
	server = path_join(bin, "postgres");
	dir_temp("/tmp", "taproom-pg.", &p->dir, NULL);
	data = path_join(p->dir, "data");
	if (geteuid() == 0 && chown(p->dir, NOBODY, NOBODY) < 0)
		return -errno;
	p->pid = start(p->dir, (const char *[]){ initdb, "-D", data, "-A", "trust", "-U", "taproom",
					   "--no-sync", "--no-locale", "-E", "SQL_ASCII", NULL });
	waitpid(p->pid, &status, 0);
	p->pid = 0;
	*ret_why = "PostgreSQL's initdb failed here";
	if (status != 0)
		return -ENOENT;
	p->pid = start(p->dir, (const char *[]){ server, "-D", data, "-k", p->dir, "-c",
					   "listen_addresses=", "-c", "shared_buffers=32MB",
					   NULL });
	p->url = xasprintf("postgresql://taproom@/postgres?host=%s", p->dir);
	*ret_why = "PostgreSQL did not start here";
	return wait_ready(p) < 0 ? -ENOENT : 0;
}

void postgres_stop(struct postgres_server *p)
{
	if (p->pid > 0) {
		kill(p->pid, SIGINT);
		waitpid(p->pid, NULL, 0);
	}
	free(p->url);
	dir_removep(&p->dir);
	*p = (struct postgres_server){};
}
