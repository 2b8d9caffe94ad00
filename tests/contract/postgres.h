/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A PostgreSQL of the test's own: made in a directory, reached through a socket
 * there and in no other way, gone with the test.
 */
#include <sys/types.h>

struct postgres_server {
	char *dir, *url;
	pid_t pid;
};

/* 0, or -ENOENT with the reason why there can be none here. */
int postgres_start(struct postgres_server *p, const char **ret_why);
void postgres_stop(struct postgres_server *p);
