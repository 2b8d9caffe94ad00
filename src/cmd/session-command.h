/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a session's options make of its command: whose it is, where, with which
 * environment and limits. Pure, but for the host's user database: the guest
 * sees the same.
 */
#include "base/mem.h"
#include "cmd/session.h"
#include "machine/machine.h"

#define SESSION_GROUPS_MAX 256

struct session_command {
	struct machine_command command; /* borrows from here, and from the order */
	struct machine_user user;
	uint32_t groups[SESSION_GROUPS_MAX];
	struct opt_list env;
	struct opt_list needed; /* of the host's files: config.needed of machine/machine.h */
	struct arena arena;
	const char *shell; /* the user's */
	const char *argv[2];
};

/* @cwd: ours. */
int session_command_make(struct session_command *c, const struct session_order *order,
			 const char *cwd, struct err *err);
/* What is known only once the kernel runs: the prompt's words. */
void session_command_ready(struct session_command *c, const char *release);
void session_command_done(struct session_command *c);
