/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Agent: the launcher's end of the conversation with the guest. Keeps the
 * order of things (hello first, one command and one fetch at a time, output
 * only of the command that runs, never more than there is room for) and reports
 * to its machine; what breaks the order ends the machine through broken().
 *
 * Text of the guest's that it hands on is printable ASCII.
 */
#include <stdbool.h>

#include "base/loop.h"
#include "machine/frame.h"
#include "machine/machine.h"

/* Called with the machine, from agent_read(). */
struct agent_events {
	/* Before the hello: PROTO_RESUME is due. */
	void (*waiting)(struct machine *m);
	void (*hello)(struct machine *m, struct str release);
	void (*output)(struct machine *m, unsigned stream, int64_t time_ms, struct str bytes);
	void (*exited)(struct machine *m, const struct machine_exit *exit);
	void (*input_room)(struct machine *m);
	void (*beat)(struct machine *m, const struct machine_beat *beat);
	void (*file)(struct machine *m, struct str bytes);
	void (*fetched)(struct machine *m, int status, const char *why);
	void (*broken)(struct machine *m, const char *why);
};

/* Bytes that the guest may send: of @window, @used have come since room was
 * last given back. */
struct agent_flow {
	uint32_t window, used;
};

struct agent {
	int fd; /* non-blocking; -1: none */
	struct loop *loop;
	struct loop_watch *readable, *writable;
	const struct agent_events *events;
	struct machine *machine;
	struct buf in, out;
	bool line;          /* a serial line: PROTO_LINE_WINDOW counts */
	uint32_t unread;    /* sent on it and not yet told as read */
	char note[256];
	uint64_t ready_ns;  /* guest's clock at its hello; 0: none yet */
	int64_t last_ms;    /* since then, of the last output */
	int64_t wall_ms;    /* guest's wall clock, of the frame in hand */
	uint32_t can;       /* PROTO_CAN_*: what the guest offered */
	unsigned pings;     /* since its last beat */
	uint16_t last;      /* number of the last command or fetch */

	uint16_t command;   /* number of the last one */
	uint32_t on_way;    /* input that the command has not yet read */
	bool running, waiting; /* waiting: input_room() is owed */
	bool input_closed, held;
	struct agent_flow output;

	uint16_t fetch;     /* number of the last one */
	bool fetching;
	uint64_t fetch_left;
	struct agent_flow file;

	struct door *door;  /* hears what the guest says first; NULL: none */
};

/* Takes @fd; @line: the guest has a serial line at its other end. */
void agent_open(struct agent *a, int fd, bool line, struct loop *loop,
		const struct agent_events *events, struct machine *m);
void agent_close(struct agent *a); /* also of a zeroed one */
/* What the port holds just now, without waiting; for a machine that ended. */
void agent_drain(struct agent *a);

int agent_start(struct agent *a, const struct machine_command *cmd, struct err *err);
int agent_input(struct agent *a, struct str bytes, struct err *err);
void agent_hold(struct agent *a, bool hold);
int agent_close_stream(struct agent *a, unsigned stream, struct err *err);
int agent_fetch(struct agent *a, const char *path, uint64_t max, struct err *err);
/* About the command that runs, or about none. */
int agent_tell(struct agent *a, enum proto_type type, struct str payload, struct err *err);
/* For how long none is no hang, where nobody says it. */
int64_t agent_hang_ms(const struct agent *a);
/* Asks for a beat of one that has none of its own. */
void agent_ping(struct agent *a);
/* For a door: a number of what another asks for, and the asking. */
uint16_t agent_number(struct agent *a);
int agent_pass(struct agent *a, enum proto_type type, unsigned stream, unsigned number,
	       struct str payload, struct err *err);
