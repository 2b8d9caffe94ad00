/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * All SQL of the project, in two tables: how the database came to be
 * (migrations, one text per version) and what is asked of it (statements,
 * prepared once each). Nothing else in the program holds a word of SQL.
 */

/*
 * MIGRATIONS[v] leads from version v to v + 1 and writes that number down
 * (user_version, at byte 60 of the file); where SQL alone can't do it, code of
 * migrate.h comes next, and then MIGRATION_ENDS[v]. A text that was released is
 * never edited: the next change is a new text, and tests/fixtures gets a store
 * of the version before it.
 */
#define DB_VERSION 5
extern const char *const MIGRATIONS[DB_VERSION], *const MIGRATION_ENDS[DB_VERSION];

/* For each connection; and what a writer does once the file is ours. */
extern const char DB_SETUP[], DB_SETUP_WRITER[], DB_SYNC[], DB_SYNC_LATER[];

/* "TAPR": PRAGMA application_id, at byte 68 of the file. */
#define DB_APPLICATION_ID 0x54415052

enum sql {
	SQL_BEGIN,
	SQL_BEGIN_READ,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_VERSION,
	SQL_CHANGED,
	SQL_MARK,
	/* Words: what runs share (dict.h). */
	SQL_PROGRAM_FIND,
	SQL_PROGRAM_ADD,
	SQL_PROGRAM_GET,
	SQL_PROGRAMS,
	SQL_SERIES_FIND,
	SQL_SERIES_ADD,
	SQL_SERIES_LIST,
	SQL_SERIES_GET,
	SQL_NAME_FIND,
	SQL_NAME_ADD,
	SQL_NAME_GET,
	SQL_NAMES_OF_SERIES,
	SQL_SHAPE_FIND,
	SQL_SHAPE_ADD,
	SQL_SHAPE_GET,
	SQL_SHAPES_RECENT,
	SQL_OUTCOME_FIND,
	SQL_OUTCOME_ADD,
	SQL_OUTCOME_GET,
	SQL_OUTCOMES,
	SQL_LAYOUT_ADD,
	SQL_LAYOUTS,
	SQL_REASONS_FIND,
	SQL_REASONS_ADD,
	SQL_REASONS_GET,
	SQL_SETTING_FIND,
	SQL_SETTING_ADD,
	SQL_SETTING_GET,
	SQL_ALIASES,
	SQL_ALIAS_PUT,
	SQL_ALIAS_DROP,
	/* Recording. */
	SQL_RUN_ADD,
	SQL_RUN_COUNTS,
	SQL_RUN_JOBS,
	SQL_RUN_END,
	SQL_RUN_RESUME,
	SQL_JOB_ADD,
	SQL_JOB_END,
	SQL_SLICE_ADD,
	SQL_SLICE_SET,
	SQL_TIMES_ADD,
	SQL_TIMES_SET,
	SQL_PROBLEM_ADD,
	SQL_SPLAT_ADD,
	SQL_SPLAT_TEXT,
	SQL_FINGERPRINT_PUT,
	SQL_ARTEFACT_ADD,
	/* Folding (track.h). */
	SQL_UNFOLDED_COUNT,
	SQL_UNFOLDED,
	SQL_FOLDED,
	SQL_UNFOLD_ALL,
	SQL_SEGMENT_LAST,
	SQL_SEGMENT_ADD,
	SQL_SEGMENT_SET,
	SQL_SEGMENTS_OF,
	SQL_SEGMENT_TIMES_OF,
	SQL_SEGMENTS_DROP,
	SQL_TIMELINE_ADD,
	SQL_TIMELINE,
	SQL_TIMELINE_DROP,
	/* Questions. */
	SQL_RUNS,
	SQL_RUNS_OF_BRANCH,
	SQL_RUN_GET,
	SQL_RUN_NTH,
	SQL_RUN_EXISTS,
	SQL_RUN_BY_UID,
	SQL_RUN_IDS,
	SQL_JOBS,
	SQL_SLICES,
	SQL_TIMES,
	SQL_PROBLEMS,
	SQL_SPLATS,
	SQL_FINGERPRINTS,
	SQL_SPLAT_TEXTS,
	SQL_SPLATS_OF,
	SQL_SPLAT_AXES,
	SQL_ARTEFACT,
	SQL_ARTEFACT_KINDS,
	SQL_WINDOW,
	SQL_WINDOW_OF_BRANCH,
	/* The whole (check.c). */
	SQL_DATABASE,
	SQL_FACTS,
	SQL_CHECK,
	SQL_BACKUP,
	SQL_RUNS_BEFORE,
	SQL_ARTEFACTS_OF,
	SQL_ARTEFACTS_DROP,
	SQL_PROBLEMS_DROP,
	SQL_SPLATS_DROP,
	SQL_JOBS_DROP,
	SQL_SLICES_DROP,
	SQL_TIMES_DROP,
	SQL_RUN_DROP,
	/* The way from version 2 (migrate.h). */
	SQL_OLD_EXECUTIONS,
	SQL_OLD_EXCEPTIONS,
	SQL_OLD_SHAPES,
	SQL_OLD_SHAPE_SET,
	SQL_OLD_SERIES,
	SQL_OLD_SERIES_SET,
	SQL_OLD_NAMES,
	SQL_OLD_NAME_SET,
	SQL_N,
};

extern const char *const SQL[SQL_N];
