/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The one vocabulary: whatever produces results says it in events, whatever
 * consumes results is a sink of events. A live run and the replay of a stored
 * one look the same to a sink.
 *
 * Order:  RUN_BEGIN  JOB_BEGIN*  PROGRAM_BEGIN  (RESULT | PROBLEM | SPLAT)*
 *         PROGRAM_END  ...  JOB_END*  RUN_END.
 * Jobs and programs may overlap in time (several machines at once): .job and
 * .program tell them apart. A SPLAT may come after its program's end, but not
 * after its job's: most are only known to be over when something else is said.
 * `taproom parse` has no run: its stream is one program without begin and end.
 *
 * Everything an event points to is borrowed: valid until the sink returns.
 * Sinks can't fail in the middle; they keep their first error and tell it
 * when they are closed.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Best first, so that the worst of a set is its maximum. */
enum status {
	STATUS_SKIP,    /* not run, for a reason that was given */
	STATUS_PASS,
	STATUS_XFAIL,   /* failed, as announced (TODO, XFAIL) */
	STATUS_FLAKY,   /* failed, and the test or a rule says it may */
	STATUS_XPASS,   /* passed although a failure was announced */
	STATUS_MISSING, /* planned, never seen */
	STATUS_FAIL,
	STATUS_TIMEOUT,
	STATUS_ERROR,   /* the harness failed, or the stream was cut */
	STATUS_CRASH,   /* the machine died during it */
	STATUS_N,
};

/* One row per status: the only place that knows how each is written. */
struct status_info {
	const char *name;   /* "pass": JSON, database, CSS class */
	const char *label;  /* "passed": for sentences, "2 passed" */
	const char *mark;   /* one column of UTF-8, readable without colour */
	const char *ansi;   /* SGR parameters */
	bool bad;           /* makes a run fail */
	const char *junit;  /* element: NULL, "failure", "error", "skipped" */
	const char *ctrf;   /* CTRF 0.0.x status */
	const char *kcidb;  /* KCIDB v4 test status */
	const char *nipa;   /* netdev NIPA result */
};

extern const struct status_info STATUS_INFO[STATUS_N];

/* Returns 1 and the status, or 0 for a word that is none. */
int status_from_name(struct str name, enum status *ret);

/*
 * Whether a program's end is a result of its own, one more than the @counts of those that it
 * told: it told none; or the end is bad and none of them is; or it crashed, timed out or could
 * not be tested, and none of them says so.
 */
bool status_end_counts(enum status end, const uint64_t counts[static STATUS_N]);

static inline enum status status_worst(enum status a, enum status b)
{
	return a > b ? a : b;
}

/* A rule of the configuration by which a splat, or a failure, does not count. */
struct event_excuse {
	struct str reason;       /* never empty */
	struct str link, owner;  /* may be empty */
	struct str until;        /* last day that it holds, "2026-12-31"; empty: always */
};

/* What one result line says. */
struct event_result {
	const struct str *path; /* names from the program down; never empty */
	unsigned depth;         /* how many */
	struct str key;         /* path joined by '/', masked: stable across runs */
	enum status status;
	bool leaf;              /* has no results of its own below it */
	bool implied;           /* no line of its own: missing, cut, made by us */
	int64_t number;         /* as printed; -1: none */
	uint64_t line;          /* 1-based, of the result line; 0: none */
	/* Its log, line_from <= line_to. It ends with the result line, but for scripts
	 * that tell their results when they have them and print their TAP at the end. */
	uint64_t line_from, line_to;
	int64_t duration_ms;    /* -1: unknown */
	int exit_code;          /* -1: unknown */
	unsigned ordinal;       /* 1; 2 for the second of the same name, ... */
	struct str reason;      /* comment behind the directive; may be empty */
	/* A known issue excuses it, or, of a parent, all that failed below; NULL: it
	 * counts. See tap/known.h. */
	const struct event_excuse *known;
};

enum problem {
	PROBLEM_PLAN_MISMATCH,
	PROBLEM_NUMBERING,
	PROBLEM_DUPLICATE_NAME,
	PROBLEM_STATUS_MISMATCH, /* parent and children disagree */
	PROBLEM_BAIL_OUT,
	PROBLEM_TRUNCATED,       /* the stream ended inside a block */
	PROBLEM_LONG_LINE,
	PROBLEM_TOO_MANY,        /* a limit was reached; the rest is not kept */
	PROBLEM_DEGRADED,        /* a sign that a pass can't be trusted */
	PROBLEM_BAD_SYNTAX,
	PROBLEM_INCOMPLETE,      /* results told to people stand for TAP that never came */
	PROBLEM_N,
};

extern const char *const PROBLEM_NAMES[PROBLEM_N]; /* "plan-mismatch", ... */

struct event_problem {
	enum problem what;
	uint64_t line;
	struct str message;
};

/* One function of a splat's trace, the innermost first. */
struct event_frame {
	struct str function;   /* "mptcp_foo", as printed: "mptcp_foo.isra.0" */
	struct str module;     /* "mptcp"; empty: the kernel's image */
	uint64_t offset, size; /* in the function, of it; size 0: not printed */
	bool unsure;           /* "? f": was found on the stack, may be stale */
	bool inlined;          /* "[inline]", of a log that was decoded */
};

#define EVENT_FRAMES_MAX 64 /* of one splat */

struct event_splat {
	struct str kind;        /* "warning", "oops", ...: taproom-parse(1)'s words */
	struct str title;       /* "WARNING in mptcp_foo", as syzbot's titles */
	struct str text;        /* its lines, the first to the last, bounded */
	struct str fingerprint; /* stable across addresses, offsets, processes; hex */
	uint64_t line, lines;   /* in the console log, with others' in between */
	struct str task;        /* whose fault or report it was, "ip"; empty: unknown */
	int64_t pid;            /* of it; -1: unknown */
	int cpu;                /* -1: unknown */
	struct str taint;       /* letters before it, "G W"; empty: none, or unknown */
	bool fatal;             /* the kernel died of it */
	const struct event_frame *frames;
	unsigned n_frames;      /* up to EVENT_FRAMES_MAX */
	const struct event_excuse *excuse; /* NULL: it counts */
};

struct arena;
/* A copy in @a, with all that it points to. */
struct event_splat *event_splat_copy(struct arena *a, const struct event_splat *s);

struct event_run {
	struct str id;      /* public, unique for ever: "20260131-090507-4f2a" */
	struct str title;   /* what the user asked for, one line */
	struct str branch;  /* "export", "net-next", "debian-6.12" */
	struct str commit;  /* hash, or a package's version */
	int64_t time_ms;    /* since 1970: of begin, or of end */
	struct str command; /* runs it again; shell-quoted */
	size_t tests;       /* that are planned, retries not counted; 0: unknown */
	/* RUN_END only. */
	struct str conclusion; /* "Success", "Unstable: ...", "Critical: ..." */
	int exit_code;
	bool stopped;       /* by the user, before all was done */
};

struct event_job {
	struct str mode;     /* "normal", "debug", ... */
	struct str machine;  /* "qemu", "uml", "host" */
	struct str accel;    /* "kvm", "tcg", "" */
	struct str why;      /* why this machine and accelerator, what the kernel was
			      * built of (source, mode, compiler, configuration) */
	struct str kernel;   /* release: "6.12.117+deb12-cloud-amd64" */
	struct str host;     /* node name */
	unsigned cpus;
	uint64_t memory;     /* bytes */
	int64_t time_ms;
	/* JOB_END only. */
	struct str console_path; /* absolute; empty: none */
	struct str end;      /* how it ended, a word: "stopped", "panic"; empty: unknown */
	struct str reason;   /* the sentence to it; empty when it ended as asked */
};

struct event_program {
	struct str suite;    /* "mptcp" */
	struct str name;     /* "pm_netlink.sh" */
	unsigned attempt;    /* 1, 2 for the first retry, ... */
	int64_t time_ms;     /* of begin, or of end */
	/* Absolute; empty: none, or not yet. From its begin on while it runs. */
	struct str log_path;
	/* PROGRAM_END only. */
	enum status status;  /* worst of exit code, results and machine */
	int exit_code;       /* -1: none */
	int64_t duration_ms;
	struct str reason;
	uint64_t log_lines;
	const struct event_excuse *known; /* as of a result */
};

/* A file that a job leaves beside its logs, told before its end. */
struct event_artefact {
	struct str kind;     /* "config", "coverage": one of each in a job; EVENT_KIND_MAX */
	struct str path;     /* absolute; empty: it is not kept */
};

#define EVENT_KIND_MAX 24 /* bytes; lower case letters */
bool event_kind_fits(struct str kind);

enum event_type {
	EVENT_RUN_BEGIN,
	EVENT_RUN_END,
	EVENT_JOB_BEGIN,
	EVENT_JOB_END,
	EVENT_PROGRAM_BEGIN,
	EVENT_PROGRAM_END,
	EVENT_RESULT,
	EVENT_PROBLEM,
	EVENT_SPLAT,
	EVENT_ARTEFACT,
};

struct event {
	enum event_type type;
	unsigned job;     /* counts from 1 in a run; 0: none */
	unsigned program; /* counts from 1 in a run; 0: none (parse) */
	union {
		const struct event_run *run;
		const struct event_job *job_info;
		const struct event_program *prog;
		const struct event_result *result;
		const struct event_problem *problem;
		const struct event_splat *splat;
		const struct event_artefact *artefact;
	};
};

struct event_sink {
	void (*event)(void *ctx, const struct event *ev);
	void *ctx;
};

static inline void event_emit(const struct event_sink *sink, const struct event *ev)
{
	sink->event(sink->ctx, ev);
}

/* One stream to several sinks, in order. Zero-initialise, then add. */
#define EVENT_FAN_MAX 8
struct event_fan {
	struct event_sink sinks[EVENT_FAN_MAX];
	unsigned n;
};

void event_fan_add(struct event_fan *fan, struct event_sink sink);
struct event_sink event_fan_sink(struct event_fan *fan);
