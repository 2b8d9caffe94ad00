/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Listen: sockets to accept from. "ADDR:PORT", "[::1]:8080", ":8080" (every
 * address), port 0: any; "unix:PATH"; or those that systemd opened before
 * (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS).
 */
#include "base/err.h"

#define LISTEN_TEXT_MAX 160

struct listen {
	int fd;                     /* listening, non-blocking, close-on-exec */
	char url[LISTEN_TEXT_MAX];  /* "http://127.0.0.1:8080/", "unix:/run/x" */
	char *remove;               /* a socket's file to unlink at the end, or NULL */
};

/* A file of a dead server's socket is taken over; one that answers is -EADDRINUSE. */
int listen_open(const char *spec, struct listen *ret, struct err *err);
/* Sockets passed by the service manager: how many there are. Takes them: asks once. */
int listen_passed(struct listen *ret, unsigned max);
void listen_done(struct listen *l); /* unlinks; the descriptor is whose it became */
