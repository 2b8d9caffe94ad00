/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * All SQL of the project, in two tables: how the database came to be
 * (migrations, one text per version) and what is asked of it (statements,
 * prepared once each). Nothing else in the program holds a word of SQL.
 */

/*
 * MIGRATIONS[v] leads from version v to v + 1 and writes that number down
 * (user_version, at byte 60 of the file). A text that was released is never
 * edited: the next change is a new text, and tests/unit/test-store.c gets rows
 * of the version before it.
 */
#define DB_VERSION 2
extern const char *const MIGRATIONS[DB_VERSION];

/* For each connection; and what a writer does once the file is ours. */
extern const char DB_SETUP[], DB_SETUP_WRITER[];

/* "TAPR": PRAGMA application_id, at byte 68 of the file. */
#define DB_APPLICATION_ID 0x54415052

enum sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_VERSION,
	/* Recording. */
	SQL_RUN_ADD,
	SQL_RUN_COUNTS,
	SQL_RUN_END,
	SQL_JOB_ADD,
	SQL_JOB_END,
	SQL_PROGRAM_FIND,
	SQL_PROGRAM_ADD,
	SQL_SERIES_FIND,
	SQL_SERIES_ADD,
	SQL_SHAPE_FIND,
	SQL_SHAPE_ADD,
	SQL_EXECUTION_ADD,
	SQL_EXCEPTION_ADD,
	SQL_PROBLEM_ADD,
	SQL_SPLAT_ADD,
	SQL_ARTEFACT_ADD,
	/* Questions. */
	SQL_RUNS,
	SQL_RUNS_OF_BRANCH,
	SQL_RUN_GET,
	SQL_RUN_NTH,
	SQL_RUN_EXISTS,
	SQL_RUN_BY_UID,
	SQL_JOBS,
	SQL_EXECUTIONS,
	SQL_EXCEPTIONS,
	SQL_PROBLEMS,
	SQL_SPLATS,
	SQL_ARTEFACT,
	SQL_SHAPE_GET,
	SQL_SERIES_GET,
	SQL_WINDOW,
	SQL_WINDOW_OF_BRANCH,
	SQL_GRID_EXECUTIONS,
	SQL_DURATIONS,
	SQL_N,
};

extern const char *const SQL[SQL_N];
