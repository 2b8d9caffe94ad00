/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A server in a child, over a real socket, for a client that is not as polite as a
 * browser. It is told to stop, and must end by itself.
 */
#include <stdbool.h>
#include <sys/types.h>

struct server {
	char *dir, *db, *sock; /* by server_init(); db is the caller's to fill */
	char *tokens;          /* a file: it takes pushed runs; NULL: it does not */
	unsigned idle_s;       /* 0: as usual */
	pid_t pid;
};

void server_init(struct server *s, const char *dir);
void server_done(struct server *s);
bool server_start(struct server *s);   /* listens when it returns */
int server_stop(struct server *s);     /* its wait status */
int server_dial(const struct server *s); /* a connection, or -1 */
bool server_tell(int fd, const char *text);
