/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Guest: the static program that is PID 1 of the machine, be that a kernel of
 * its own or a set of namespaces on the host. It makes the file system, then
 * runs commands for the launcher (guest/proto.h). libc only, no sanitizer, no
 * threads; the system calls of one boot, in the order they stand here.
 *
 * What fails before the launcher listens ends the machine with one sentence
 * on standard error, which is the console or the launcher's pipe.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/proto.h"

enum root_mode {
	ROOT_OVERLAY,
	ROOT_RO,
	ROOT_RW,
};

struct share {
	bool rw;
	const char *tag; /* "-": none */
	const char *dir;
};

#define INSMOD_MAX 64

/* Strings point into the text that was parsed. */
struct config {
	const char *fs;       /* "virtiofs", "9p", "hostfs", "scratch" */
	const char *from;     /* its tag or directory */
	const char *port;     /* a device of /dev; NULL: a virtio port */
	bool simulated;       /* time */
	enum root_mode root;
	const char *hostname;
	const char *release, *modules; /* NULL: none */
	const char *insmod[INSMOD_MAX];
	unsigned n_insmod;
	struct share shares[PROTO_SHARES_MAX];
	unsigned n_shares;
	bool net;
	bool wait;            /* the rest comes by the port */
	bool own_kernel;      /* PID 1 of a kernel, not only of namespaces */
};

/* Ends the machine with a sentence; adds the words of errno when @code. */
__attribute__((noreturn, format(printf, 2, 3))) void die(int code, const char *fmt, ...);
__attribute__((noreturn)) void power_off(void);

/* Reads all of @fd into @text, NUL-terminated; dies when it is larger. */
void config_read(int fd, char *text, size_t size);
/* Cuts @text into @c; dies on a line that it does not know. */
void config_parse(char *text, struct config *c);

void modules_load(const struct config *c);

/* Makes the root and enters it. Returns a descriptor of the host's root. */
int root_enter(const struct config *c);
/* The kernel's own file systems, devices, /run and /tmp, in the new root. */
void mounts_make(const struct config *c, int host);
/* Shares and the kernel's modules, from @host; then lets go of it. */
void shares_make(const struct config *c, int host);
/* mkdir -p; returns 0 or -errno. */
int make_dirs(const char *path);

/* Loopback up, hostname, sysctls; eth0 when asked. */
void system_setup(const struct config *c);
int write_text(const char *path, const char *text); /* 0 or -errno */

/* Opens the launcher's port: the device that was named, or a virtio port, which
 * is waited for. Dies without one. */
int port_open(const struct config *c);

/* Waits for PROTO_RESUME, becomes that machine, and returns the port; its
 * configuration is in @text then. */
int resume_wait(const struct config *c, char *text, size_t size);

/* On the host, as the first process of namespaces: runs a kernel of processes
 * (argv[0], User Mode Linux) that sees the host's files and can't write them. */
__attribute__((noreturn)) void cage_run(const struct config *c, char **argv);

/* A command and the ends of its pipes; -1: closed. */
struct command {
	int pid;         /* 0: none; stays after its end until told */
	uint16_t number;
	bool terminal;
	bool ended, killed;
	int64_t deadline; /* of what follows its end; CLOCK_MONOTONIC ns, 0: none */
	int in, out, err; /* with a terminal in and out are its master */
	uint32_t room;    /* bytes of output that the launcher takes now */
	struct proto_exit exit;
};

/* @payload of a START frame. Fills @c; c->exit.status < 0: not started, and
 * @why (a sentence) says more when it is not empty. */
void command_start(struct command *c, const char *payload, size_t n, char *why,
		   size_t why_size);
void terminal_resize(int fd, unsigned rows, unsigned columns); /* 0: not known */

/* The launcher's port, and a frame's room in each direction: pages that nothing is
 * put into take no memory. */
struct port {
	int fd;
	bool line;         /* a serial one: what is read off it is told */
	size_t begin, end; /* of what was read and not yet handled */
	char in[2 * (sizeof(struct proto_header) + PROTO_START_MAX)];
	char out[sizeof(struct proto_header) + PROTO_PAYLOAD_MAX];
};

/* Where the next frame's payload is to be put. */
static inline char *port_payload(struct port *p)
{
	return p->out + sizeof(struct proto_header);
}

/* Sends what was put there, @n bytes; ends the machine without a launcher. */
void port_send(struct port *p, unsigned type, unsigned stream, unsigned command, size_t n);
/* Puts a copy there, and sends it. */
void port_say(struct port *p, unsigned type, unsigned command, const void *payload, size_t n);
void port_fill(struct port *p); /* one read */
/* The next whole frame, or false; its payload is there until port_fill(). */
bool port_next(struct port *p, struct proto_header *ret, const char **ret_payload);

/* A file on its way to the launcher. */
struct fetch {
	int fd; /* -1: none */
	uint16_t number;
	uint32_t room;
	uint64_t left; /* of the most that the launcher wants */
};

void fetch_begin(struct fetch *f, struct port *p, const struct proto_header *h,
		 const char *payload);
void fetch_go_on(struct fetch *f, struct port *p); /* with a file, and room */

/* The pulse: when the next one is due, and what it is taken from. */
struct beat {
	int meminfo, vmstat;
	uint64_t kills_before;
	int64_t due_ns; /* CLOCK_MONOTONIC */
};

void beat_init(struct beat *b);
/* True with *@ret filled when one is due; then the next is a second later. */
bool beat_take(struct beat *b, struct proto_beat *ret);
void beat_now(struct beat *b, struct proto_beat *ret); /* due or not */

/* Speaks until the launcher ends it. */
__attribute__((noreturn)) void agent_run(const struct config *c, int port);

int64_t clock_ns(int clock);
