/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * with-postgres COMMAND ARG...: runs a test with TAPROOM_TEST_STORE, a history on a
 * PostgreSQL of its own. Where there can be none the test is skipped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "postgres.h"

int main(int argc, char **argv)
{
	struct postgres_server p;
	const char *why;
	int status = -1;
	pid_t pid;

	if (argc < 2)
		return 2;
	if (postgres_start(&p, &why) < 0) {
		postgres_stop(&p);
		printf("1..0 # SKIP %s\n", why);
		return 0;
	}
	pid = fork();
	if (pid == 0) {
		setenv("TAPROOM_TEST_STORE", p.url, 1);
		execv(argv[1], argv + 1);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	postgres_stop(&p);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
