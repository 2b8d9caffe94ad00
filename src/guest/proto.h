/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What launcher and guest agent say to each other, over one byte stream (a
 * virtio-serial port in qemu, a socket pair in host). Little-endian, packed,
 * one header per frame. The console is another stream and never comes here.
 * taproom-agent(7) says it in words, for who writes another end of it.
 *
 * The launcher trusts nothing in it: a frame with a wrong magic, an unknown
 * type, a length that its type can't have, more bytes than it gave room for, or
 * one that is out of turn ends the machine as `error`.
 */
#include <stdint.h>

#define PROTO_PORT        "org.taproom.agent" /* /sys/class/virtio-ports/<x>/name */
#define PROTO_VERSION     2
#define PROTO_MAGIC       0x544d5041u         /* "APMT": a lost byte is noticed */
#define PROTO_PAYLOAD_MAX 65536
#define PROTO_START_MAX   (1u << 20)          /* a START's, where the guest offers LONG */
/*
 * Both directions are bounded by who takes: input that was sent and not yet
 * told as taken (PROTO_TAKEN), output and files that were sent and not yet
 * given room for again (PROTO_ROOM). So neither a command that never reads nor
 * a launcher whose reader waits stops anything else; more than that loses the
 * machine.
 */
#define PROTO_INPUT_MAX   (256u << 10)
#define PROTO_OUTPUT_MAX  (1u << 20)

/* On a serial line: bytes that were sent and not yet told as read. User Mode
 * Linux (6.1, 6.12) takes its line's descriptor out of its poll set where the
 * terminal layer throttles it, with 128 of 4096 bytes left, and never puts it
 * back (arch/um/drivers/line.c): so it must never come to that. */
#define PROTO_LINE_WINDOW 3072

enum proto_type {
	/* guest to launcher */
	PROTO_HELLO = 1, /* struct proto_hello, then the kernel release */
	PROTO_OUTPUT,    /* .stream 1 or 2; bytes */
	PROTO_EXIT,      /* struct proto_exit */
	PROTO_NOTE,      /* the agent has something to say: a sentence */
	PROTO_TAKEN,     /* uint32: bytes of input that the command has taken */
	PROTO_BEAT,      /* struct proto_beat, every PROTO_BEAT_MS from the welcome on */
	PROTO_CLOSED,    /* the command has closed its standard input */
	PROTO_FILE,      /* bytes of the file that is fetched */
	PROTO_FETCHED,   /* its end: int32 0 or -errno, then a sentence if so */
	PROTO_READ,      /* uint32: bytes read off the line; only where the port is one */
	PROTO_WAITING,   /* before the hello, with `wait`: tell me which machine I am */
	/* launcher to guest */
	PROTO_START = 64, /* struct proto_start, then what it counts */
	PROTO_INPUT,      /* bytes for standard input; empty: end of it */
	PROTO_SIGNAL,     /* one byte: signal number, to the command's group */
	PROTO_RESIZE,     /* struct proto_resize */
	PROTO_POWEROFF,
	PROTO_WELCOME,    /* struct proto_welcome: the answer to the hello */
	PROTO_ROOM,       /* uint32: bytes of output or of a file that may come */
	PROTO_CLOSE,      /* .stream 1 or 2: nobody reads it; as a closed pipe */
	PROTO_FETCH,      /* struct proto_fetch, then a path and its NUL */
	PROTO_RESUME,     /* struct proto_resume, then its configuration: the answer to WAITING */
	PROTO_PING,       /* answered at once, by a beat */
};

/* It and the version at the head of a hello's payload stay as they are in every
 * version, so that two that do not fit can say so. */
struct proto_header {
	uint32_t magic;
	uint8_t type;
	uint8_t stream;
	uint16_t command;  /* which command or fetch this is of; the launcher counts them */
	uint32_t length;   /* of the payload */
	uint32_t reserved; /* 0 */
	uint64_t time_ns;  /* guest's CLOCK_MONOTONIC; 0 from the launcher */
	uint64_t wall_ns;  /* guest's CLOCK_REALTIME; it may jump, and be wrong */
} __attribute__((packed));

/* What an end can do beyond what every end of its version can. The launcher
 * asks for nothing that the guest did not offer; the guest says nothing that
 * the launcher does not know. Unknown bits are no error. */
enum proto_can {
	PROTO_CAN_BEAT = 1 << 0,
	PROTO_CAN_FETCH = 1 << 1,
	PROTO_CAN_USER = 1 << 2,   /* START with has_user */
	PROTO_CAN_LIMITS = 1 << 3, /* START with n_limits */
	PROTO_CAN_TERMINAL = 1 << 4,
	PROTO_CAN_PING = 1 << 5,
	PROTO_CAN_LONG = 1 << 6,   /* START of more than PROTO_PAYLOAD_MAX */
};

struct proto_hello {
	uint32_t version;
	uint32_t can;     /* enum proto_can */
	uint32_t pid;
	uint32_t reserved;
	uint64_t boot_ns; /* CLOCK_BOOTTIME when the agent was ready */
} __attribute__((packed));

struct proto_welcome {
	uint32_t version;
	uint32_t can;
} __attribute__((packed));

/* Followed by n_groups uint32, n_limits struct proto_limit, then n_argv, n_env
 * strings and the directory, each with its NUL. */
struct proto_start {
	uint16_t n_argv, n_env, n_groups, n_limits;
	uint8_t terminal; /* 1: a pty for all three, stream 1 only */
	uint8_t merge;    /* 1: stderr into stdout's pipe, order kept */
	uint8_t has_user; /* 1: uid, gid and groups; 0: root */
	uint8_t reserved;
	uint32_t uid, gid;
	uint16_t rows, columns; /* of the terminal; 0: not known */
	uint32_t room;    /* bytes of output that may come before PROTO_ROOM */
} __attribute__((packed));

/* A number of our own: those of RLIMIT_* differ between architectures. */
enum proto_limit_of {
	PROTO_LIMIT_MEMORY = 1, /* bytes of address space */
	PROTO_LIMIT_FILES,      /* open descriptors */
	PROTO_LIMIT_CPU,        /* seconds */
	PROTO_LIMIT_CORE,       /* bytes of a core file */
};

#define PROTO_UNLIMITED UINT64_MAX
struct proto_limit {
	uint32_t of;
	uint32_t reserved;
	uint64_t value; /* soft and hard */
} __attribute__((packed));

struct proto_exit {
	int32_t status;      /* wait status; < 0: -errno, could not be started */
	uint32_t reserved;
	uint64_t user_us, system_us;
	uint64_t max_rss_kb;
} __attribute__((packed));

/* The guest's pulse. It comes whatever a command does, also one that floods its
 * output; none for several seconds means that the guest's kernel does not run
 * even its first process. One whose clock is no measure of that does not offer BEAT
 * but PING: then the launcher asks, by its own clock. */
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

/* One file at a time, beside the command. Only what open(2) calls a regular
 * file; its size is not told, because the sizes of /proc are none. */
struct proto_fetch {
	uint64_t max;  /* a larger file is -EFBIG */
	uint32_t room; /* as that of a start */
	uint32_t reserved;
} __attribute__((packed));

/* What a machine that was kept must not have in common with others. */
struct proto_resume {
	int64_t wall_ns;     /* CLOCK_REALTIME, now */
	uint8_t entropy[64];
} __attribute__((packed));

/*
 * What the agent is told before it can be spoken to: a text file, PROTO_CONFIG
 * in the initramfs or an inherited descriptor. One fact per line, a word, then
 * its values; the last value goes to the end of the line (paths may hold
 * blanks, never a newline).
 *
 *   from virtiofs|9p TAG    the host's files come from this device, or
 *   from hostfs DIR         User Mode Linux: from this directory of the host, or
 *   from initramfs -        what is needed of them is packed beside the agent, or
 *   from scratch DIR        they are here already; DIR takes a private tmpfs
 *   port DEVICE             of /dev, a serial line; without it a virtio port.
 *                           The launcher keeps to PROTO_LINE_WINDOW on it
 *   time simulated          the clock is no measure of life: a heartbeat only when asked
 *   root overlay|ro|rw
 *   hostname NAME
 *   insmod FILE             of PROTO_MODULES, in this order
 *   modules RELEASE DIR     on the host; shown as /lib/modules/RELEASE
 *   share ro|rw TAG DIR     TAG "-": of the host's files, no device of its own;
 *                           with hostfs it is the directory DIR of the host
 *   net                     bring eth0 up as QEMU's user network wants it
 *   wait                    load modules, then say PROTO_WAITING; the PROTO_RESUME
 *                           that answers it tells all but the modules
 */
#define PROTO_CONFIG     "/taproom.conf"
#define PROTO_MODULES    "/modules"
#define PROTO_CONFIG_MAX 65536
#define PROTO_SHARES_MAX 8
