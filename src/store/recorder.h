/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Recorder: what record.c, record-run.c, running.c and resume.c share of a run that is
 * being recorded.
 */
#include "store/execution.h"
#include "store/inside.h"

/* What an execution added to the run's counts: a later attempt replaces it. */
struct counted {
	const struct program *program;
	const struct setting *setting;
	uint64_t counts[STATUS_N];
};

struct record_job {
	unsigned number;
	unsigned ended;  /* programs */
	unsigned notes;  /* problems and splats outside of programs */
	struct setting *setting;
	char *kernel;
};

/* A program whose execution is in the database. */
struct saved {
	unsigned number, job;
};

struct store_record {
	struct store *store;
	enum store_durable durable;
	int64_t run_id, begin_ms;
	struct slicing slice;
	char *uid;
	int lock; /* held while we record */
	struct execution **open;
	size_t n_open, cap_open;
	struct record_job *jobs;
	size_t n_jobs, cap_jobs;
	struct counted *counted;
	size_t n_counted, cap_counted;
	struct saved *saved;
	size_t n_saved, cap_saved;
	uint64_t counts[STATUS_N];
	uint64_t splats;
	uint64_t tests;     /* that are planned; 0: unknown */
	struct err error;   /* what is lost; code 0: nothing */
	struct err unsaved; /* what waits for the next try */
	bool resumed;       /* its row is there: RUN_BEGIN says nothing new */
	bool ended;
};

struct record_job *record_job(struct store_record *r, unsigned number);
/* Adds what runs now to what the run's row counts (running.c). */
void record_running(struct store_record *r, struct buf *words);
void record_job_kernel(struct record_job *job, struct str kernel);
/* The earlier attempt of a program in a setting, which a later one replaces; NULL. */
struct counted *record_earlier(struct store_record *r, const struct program *p,
			       const struct setting *s, unsigned attempt);
/* @before: record_earlier()'s. */
void record_counted(struct store_record *r, const struct counted *now, struct counted *before);

/* Is it written as a whole, at its end? */
static inline bool record_per_run(const struct store_record *r)
{
	return r->durable == STORE_PER_RUN;
}

/* The first one stays. */
void record_keep_error(struct store_record *r, const struct err *err);
/* The slice as it is now. */
int record_slice_store(struct store_record *r, struct err *err);

/* record-run.c */
int record_run_begin(struct store_record *r, const struct event *ev, struct err *err);
int record_run_end(struct store_record *r, const struct event *ev, struct err *err);
int record_job_begin(struct store_record *r, const struct event *ev, struct err *err);
int record_job_end(struct store_record *r, const struct event *ev, struct err *err);
int record_artefact(struct store_record *r, const struct event *ev, struct err *err);
/* What the run's row counts. @more: programs that ended and are not counted yet. */
int record_save_counts(struct store_record *r, const uint64_t counts[static STATUS_N],
		       uint64_t splats, unsigned more, struct err *err);
/* Compresses one file of the run. A log that can't be kept is told, and costs
 * nothing else. Returns its name below the artefact directory, or NULL. */
char *record_keep_file(struct store_record *r, struct str from, const char *name,
		       uint64_t *ret_bytes);
/* Nobody records it any more. */
void record_release(struct store_record *r);
