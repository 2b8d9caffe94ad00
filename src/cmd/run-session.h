/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Session: what one call of `run` or `bisect` holds, and one run of it: from the plan
 * of a source by its first boot to its record in the history.
 */
#include "base/loop.h"
#include "cmd/cmd.h"
#include "cmd/progress.h"
#include "cmd/run-coverage.h"
#include "cmd/run-decode.h"
#include "cmd/run-keep.h"
#include "cmd/run-options.h"
#include "cmd/run-past.h"
#include "cmd/run-plan.h"
#include "cmd/verdict.h"
#include "report/report.h"
#include "run/run.h"
#include "store/store.h"

struct run_session {
	struct cmd *cmd;
	struct run_options opt;
	char *cache_dir, *log_dir, *command, *title, *dump;
	struct run_plan plan;
	struct excuses *excuses;     /* NULL: no rules */
	struct knowns *knowns;       /* the same */
	const char *branch;          /* the tree's label; NULL: the usual */
	const char *const *selectors;
	size_t n_selectors;
	struct run_past past;        /* of --resume; .id 0: none */
	bool past_is_told;           /* right now */
	struct store *store;
	struct run_deaths *deaths;   /* of all runs */
	struct event_sink also;      /* hears every run too; .fn NULL: nobody */
	bool silent;                 /* results are not printed */
	struct buf note;             /* of the progress line: "run 12, 8.3 % of 12 [...]" */
	struct run_work work;
	struct log log;              /* above the progress line */
	struct loop *loop;
	/* Of the run that goes on. */
	struct progress *progress;
	struct verdict *verdict;
	struct store_record *record;
	struct run_coverage *coverage; /* NULL: no kernel counts */
	struct run_decode *decode;
	const struct report_format *format;
	struct report_options report_options;
	struct report *report;       /* NULL until the run has begun */
	struct run *run;
	struct run_keep *keep;       /* of the last run; NULL: machines end */
	unsigned interrupts;         /* signals that asked for an end */
	int64_t id;                  /* of the last run in the history; 0: none */
};

/* .cmd and .opt stay as they are. */
void run_session_init(struct run_session *s, struct cmd *c);
void run_session_done(struct run_session *s);

/* Everything up to the first boot, of one of the trees. */
int run_session_prepare(struct run_session *s, const struct plan_source *source,
			struct err *err);
/* What the plan's rules, the history and a run's files need; after prepare(). */
int run_session_open(struct run_session *s, struct err *err);
/* One run, to its record. Returns the exit code or -errno. */
int run_session_once(struct run_session *s, struct err *err);
/* What is the plan's goes with it: prepare() may follow. */
void run_session_close_plan(struct run_session *s);
/* How long tests took, for whoever asks before a run. */
void run_session_expect(struct run_session *s);
/* How many machines at a time, and of what. */
void run_session_room(struct run_session *s, struct run_config *c);
/* SIGINT and SIGTERM end the run that goes on, and are counted. */
struct run_session_signals {
	struct loop_watch *sigint, *sigterm;
};
struct run_session_signals run_session_watch(struct run_session *s);
void run_session_unwatch(struct run_session_signals *w);
/* -errno of what could not be begun. */
int run_session_exit_code(int error);
