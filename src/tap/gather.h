/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Gather: one splat, from the line that may begin it to its end. It takes the
 * lines of one speaker (a caller of printk, where the kernel tells it), says
 * which are its own, and becomes an event. Only tap/console.c uses it.
 */
#include "tap/event.h"
#include "tap/printk.h"
#include "tap/splat.h"
#include "tap/trace.h"

#define GATHER_TEXT_MAX  65536 /* bytes of the text that are kept */
#define GATHER_LINES_MAX 400
#define GATHER_HEAD_MAX  400   /* bytes of the headline that are looked at */
#define GATHER_TASK_MAX  64

struct gather_line {
	struct str message; /* without printk's prefix */
	struct str whole;   /* from the prefix on */
	struct printk printk;
	uint64_t number;
	unsigned program;   /* in which it began */
};

enum gather_stage {
	GATHER_FREE,
	GATHER_PRELUDE, /* "cut here" was seen; no headline yet */
	GATHER_BODY,
	GATHER_TAIL,    /* complete; registers, a panic may follow */
};

struct gather {
	enum gather_stage stage;
	const struct splat_kind *kind;
	const struct splat_prelude *prelude;
	unsigned program;
	uint64_t first, last, n; /* lines */
	int64_t last_us, caller;
	bool stamped, fatal;
	enum { TRACE_NONE, TRACE_RUNS, TRACE_OVER } in_trace;
	bool nmi;                /* other CPUs speak for it */
	bool wants_lock;         /* the lock's place is about to be told */
	char head[GATHER_HEAD_MAX];
	size_t head_n;
	char task[GATHER_TASK_MAX], victim[GATHER_TASK_MAX], taint[32];
	int64_t pid;
	int cpu;
	const char *access;      /* KASAN: "Read", "Write", "" */
	char place[TRACE_NAME_MAX]; /* the headline's function, or the lock's */
	size_t place_n;          /* 0: none was named */
	struct trace trace;
	struct buf text, title;
};

void gather_done(struct gather *g);

/* May this line be of its speaker? */
bool gather_hears(const struct gather *g, const struct gather_line *l);
/* Begins with a line before a headline, or with the headline (or goes on to it). */
void gather_prelude(struct gather *g, const struct splat_prelude *p,
		    const struct gather_line *l);
void gather_begin(struct gather *g, const struct splat_kind *kind, const struct gather_line *l);
/* Does the headline only say again what this is about? */
bool gather_includes(const struct gather *g, const struct splat_kind *kind,
		     const struct gather_line *l);
/* The next line of its speaker. False: it is not its own, and ends it. */
bool gather_add(struct gather *g, const struct gather_line *l);
/* Is it over, by the time of a line of the kernel? */
bool gather_is_silent(const struct gather *g, int64_t us);
/* Says it, where it is one; then it is free. */
void gather_end(struct gather *g, const struct event_sink *sink);
