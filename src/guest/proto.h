/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What launcher and guest agent say to each other, over one byte stream (a
 * virtio-serial port in qemu, a socket pair in host). Little-endian, packed,
 * one header per frame. The console is another stream and never comes here.
 *
 * The launcher trusts nothing in it: a frame with a wrong magic, an unknown
 * type or a length over PROTO_PAYLOAD_MAX ends the machine as `error`.
 */
#include <stdint.h>

#define PROTO_PORT        "org.taproom.agent" /* /sys/class/virtio-ports/<x>/name */
#define PROTO_VERSION     1
#define PROTO_MAGIC       0x544d5041u         /* "APMT": a lost byte is noticed */
#define PROTO_PAYLOAD_MAX 65536
/* Input that was sent and not yet told as taken; a launcher that sends more
 * loses the machine. So a command that never reads stops nothing else. */
#define PROTO_INPUT_MAX   (256u << 10)

enum proto_type {
	/* guest to launcher */
	PROTO_HELLO = 1, /* struct proto_hello, then the kernel release */
	PROTO_OUTPUT,    /* .stream 1 or 2; bytes */
	PROTO_EXIT,      /* struct proto_exit */
	PROTO_NOTE,      /* the agent has something to say: a sentence */
	PROTO_TAKEN,     /* uint32: bytes of input that the command has taken */
	PROTO_BEAT,      /* struct proto_beat, every PROTO_BEAT_MS from the hello on */
	/* launcher to guest */
	PROTO_START = 64, /* struct proto_start, then its strings */
	PROTO_INPUT,      /* bytes for standard input; empty: end of it */
	PROTO_SIGNAL,     /* one byte: signal number, to the command's group */
	PROTO_RESIZE,     /* struct proto_resize */
	PROTO_POWEROFF,
};

struct proto_header {
	uint32_t magic;
	uint8_t type;
	uint8_t stream;
	uint16_t command; /* which command this is of; the launcher counts them */
	uint32_t length;  /* of the payload */
	uint32_t reserved;
	uint64_t time_ns; /* guest's CLOCK_MONOTONIC; 0 from the launcher */
} __attribute__((packed));

struct proto_hello {
	uint32_t version;
	uint32_t pid;
	uint64_t boot_ns; /* CLOCK_BOOTTIME when the agent was ready */
} __attribute__((packed));

/* Followed by n_argv, then n_env strings, then the directory, each with its NUL. */
struct proto_start {
	uint16_t n_argv, n_env;
	uint8_t terminal; /* 1: a pty for all three, stream 1 only */
	uint8_t merge;    /* 1: stderr into stdout's pipe, order kept */
	uint16_t reserved;
} __attribute__((packed));

struct proto_exit {
	int32_t status;      /* wait status; < 0: -errno, could not be started */
	uint64_t user_us, system_us;
	uint64_t max_rss_kb;
} __attribute__((packed));

/* The guest's pulse. It comes whatever a command does, also one that floods its
 * output; none for several seconds means that the guest's kernel does not run
 * even its first process. */
#define PROTO_BEAT_MS 1000
struct proto_beat {
	uint64_t uptime_ms;    /* CLOCK_BOOTTIME */
	uint32_t load[3];      /* of 1, 5, 15 minutes, in hundredths */
	uint32_t processes;
	uint64_t memory_kb;    /* all of it */
	uint64_t available_kb; /* MemAvailable of /proc/meminfo */
	uint64_t oom_kills;    /* since the agent began */
} __attribute__((packed));

struct proto_resize {
	uint16_t rows, columns;
} __attribute__((packed));

/*
 * What the agent is told before it can be spoken to: a text file, PROTO_CONFIG
 * in the initramfs or an inherited descriptor. One fact per line, a word, then
 * its values; the last value goes to the end of the line (paths may hold
 * blanks, never a newline).
 *
 *   from virtiofs|9p TAG    the host's files come from this device, or
 *   from scratch DIR        they are here already; DIR takes a private tmpfs
 *   root overlay|ro|rw
 *   hostname NAME
 *   insmod FILE             of PROTO_MODULES, in this order
 *   modules RELEASE DIR     on the host; shown as /lib/modules/RELEASE
 *   share ro|rw TAG DIR     TAG "-": of the host's files, no device of its own
 *   net                     bring eth0 up as QEMU's user network wants it
 */
#define PROTO_CONFIG     "/taproom.conf"
#define PROTO_MODULES    "/modules"
#define PROTO_CONFIG_MAX 65536
#define PROTO_SHARES_MAX 8
