/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Agent: the launcher's end of the conversation with the guest. Keeps the
 * order of things (hello first, one command at a time, output only of the
 * command that runs) and reports to its machine; what breaks the order ends
 * the machine through broken().
 */
#include <stdbool.h>

#include "base/loop.h"
#include "machine/frame.h"
#include "machine/machine.h"

/* Called with the machine, from agent_read(). */
struct agent_events {
	void (*hello)(struct machine *m, struct str release);
	void (*output)(struct machine *m, unsigned stream, int64_t time_ms, struct str bytes);
	void (*exited)(struct machine *m, const struct machine_exit *exit);
	void (*input_room)(struct machine *m);
	void (*beat)(struct machine *m, const struct machine_beat *beat);
	void (*broken)(struct machine *m, const char *why);
};

struct agent {
	int fd; /* non-blocking; -1: none */
	struct loop *loop;
	struct loop_watch *readable, *writable;
	const struct agent_events *events;
	struct machine *machine;
	struct buf in, out;
	char note[256];
	uint64_t ready_ns;  /* guest's clock at its hello; 0: none yet */
	uint32_t on_way;    /* input that the command has not yet read */
	uint16_t command;   /* number of the last one */
	bool running, waiting; /* waiting: input_room() is owed */
};

/* Takes @fd. */
void agent_open(struct agent *a, int fd, struct loop *loop, const struct agent_events *events,
		struct machine *m);
void agent_close(struct agent *a); /* also of a zeroed one */
/* What the port holds just now, without waiting; for a machine that ended. */
void agent_drain(struct agent *a);

int agent_start(struct agent *a, const struct machine_command *cmd, struct err *err);
int agent_input(struct agent *a, struct str bytes, struct err *err);
int agent_tell(struct agent *a, enum proto_type type, struct str payload, struct err *err);
