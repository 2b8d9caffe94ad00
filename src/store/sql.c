/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/sql.h"

/*
 * Written so that both databases understand it; ?N is the Nth value. Where they
 * differ, the driver knows: SQL_BEGIN_READ, SQL_VERSION, SQL_CHANGED, SQL_CHECK, SQL_BACKUP,
 * SQL_DATABASE.
 */

#define RUN_COLUMNS                                                                         \
	"SELECT id, uid, title, branch, commit_id, command, begin_ms, end_ms, state,"       \
	" exit_code, conclusion, counts, splats, modes, machines, kernels FROM run "

/* With its newest name; the program itself has none. */
#define SERIES_COLUMNS                                                                      \
	"SELECT s.program_id, s.id, s.whole, s.nth, s.key, n.path, n.leaf FROM series s"    \
	" LEFT JOIN name n ON n.id = (SELECT max(id) FROM name WHERE series_id = s.id) "

#define HAS_MODE(parameter)                                                                 \
	"(" parameter " IS NULL OR EXISTS"                                                  \
	" (SELECT 1 FROM job WHERE run_id = run.id AND mode = " parameter "))"

/* ?2: mode or NULL, ?3: older than this run or 0, ?4: how many. */
#define RUNS_WHERE                                                                          \
	HAS_MODE("?2") " AND (?3 = 0 OR (begin_ms, id) <"                                   \
	" (SELECT o.begin_ms, o.id FROM run o WHERE o.id = ?3))"                            \
	" ORDER BY begin_ms DESC, id DESC LIMIT ?4"

/* ?2: mode or NULL, ?3: not before, ?4: how many. */
#define WINDOW_WHERE                                                                        \
	"begin_ms >= ?3 AND " HAS_MODE("?2")                                                \
	" ORDER BY begin_ms DESC, id DESC LIMIT ?4"

const char *const SQL[SQL_N] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_BEGIN_READ] = "BEGIN",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_VERSION] = "PRAGMA user_version",
	[SQL_CHANGED] = "PRAGMA data_version",
	/* The runs that are folded; slices of those that are not, which may still grow. */
	[SQL_MARK] = "SELECT r.newest, (SELECT uid FROM run WHERE id = r.newest), r.folds, r.bytes,"
		     " count(s.id), coalesce(max(s.id), 0), coalesce(sum(length(s.body)), 0)"
		     " FROM (SELECT (SELECT coalesce(max(id), 0) FROM run) AS newest,"
		     "  coalesce((SELECT min(id) FROM run WHERE folded = 0),"
		     "   (SELECT max(id) FROM run) + 1, 0) * 65536 AS first,"
		     "  coalesce(max(id), 0) AS folds, coalesce(sum(length(body)), 0) AS bytes"
		     "  FROM timeline) r LEFT JOIN slice s ON s.id >= r.first"
		     " GROUP BY r.newest, r.folds, r.bytes, r.first",

	[SQL_PROGRAM_FIND] = "SELECT id FROM program WHERE suite = ?1 AND name = ?2",
	[SQL_PROGRAM_ADD] = "INSERT INTO program (suite, name) VALUES (?1, ?2) RETURNING id",
	[SQL_PROGRAM_GET] = "SELECT suite, name FROM program WHERE id = ?1",
	[SQL_PROGRAMS] = "SELECT id, suite, name FROM program ORDER BY suite, name",
	[SQL_SERIES_FIND] = "SELECT id FROM series WHERE program_id = ?1 AND hash = ?2 AND"
			    " whole = ?3 AND nth = ?4 AND key = ?5",
	[SQL_SERIES_ADD] = "INSERT INTO series (program_id, hash, whole, nth, key)"
			   " VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id",
	[SQL_SERIES_LIST] = SERIES_COLUMNS "WHERE s.program_id = ?1 ORDER BY s.id",
	[SQL_SERIES_GET] = SERIES_COLUMNS "WHERE s.id = ?1",
	[SQL_NAME_FIND] = "SELECT id FROM name WHERE series_id = ?1 AND hash = ?2 AND"
			  " ordinal = ?3 AND leaf = ?4 AND path = ?5 AND cuts = ?6",
	[SQL_NAME_ADD] = "INSERT INTO name (series_id, hash, ordinal, leaf, path, cuts)"
			 " VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
	[SQL_NAME_GET] = "SELECT n.series_id, s.program_id, s.whole, s.nth, s.key, n.ordinal,"
			 " n.leaf, n.path, n.cuts FROM name n JOIN series s"
			 " ON s.id = n.series_id WHERE n.id = ?1",
	[SQL_NAMES_OF_SERIES] = "SELECT path, leaf FROM name WHERE series_id = ?1"
				" ORDER BY id DESC",
	[SQL_SHAPE_FIND] = "SELECT id FROM shape WHERE hash = ?1 AND program_id = ?2 AND"
			   " series = ?3",
	[SQL_SHAPE_ADD] = "INSERT INTO shape (hash, program_id, series) VALUES (?1, ?2, ?3)"
			  " RETURNING id",
	[SQL_SHAPE_GET] = "SELECT series, program_id FROM shape WHERE id = ?1",
	[SQL_SHAPES_RECENT] = "SELECT id FROM shape WHERE program_id = ?1"
			      " ORDER BY id DESC LIMIT ?2",
	[SQL_OUTCOME_FIND] = "SELECT id FROM outcome WHERE hash = ?1 AND shape_id = ?2 AND"
			     " body = ?3",
	[SQL_OUTCOME_ADD] = "INSERT INTO outcome (hash, shape_id, body) VALUES (?1, ?2, ?3)"
			    " RETURNING id",
	[SQL_OUTCOME_GET] = "SELECT shape_id, body FROM outcome WHERE id = ?1",
	[SQL_OUTCOMES] = "SELECT id, shape_id, body FROM outcome WHERE id > ?1 ORDER BY id",
	[SQL_LAYOUT_ADD] = "INSERT INTO layout (shape_id, body) VALUES (?1, ?2) RETURNING id",
	[SQL_LAYOUTS] = "SELECT id, body FROM layout WHERE shape_id = ?1 ORDER BY id",
	[SQL_REASONS_FIND] = "SELECT id FROM reasons WHERE hash = ?1 AND body = ?2",
	[SQL_REASONS_ADD] = "INSERT INTO reasons (hash, body) VALUES (?1, ?2) RETURNING id",
	[SQL_REASONS_GET] = "SELECT body FROM reasons WHERE id = ?1",
	[SQL_SETTING_FIND] = "SELECT id FROM setting WHERE mode = ?1 AND machine = ?2",
	[SQL_SETTING_ADD] = "INSERT INTO setting (mode, machine) VALUES (?1, ?2) RETURNING id",
	[SQL_SETTING_GET] = "SELECT mode, machine FROM setting WHERE id = ?1",
	[SQL_ALIASES] = "SELECT series_id, into_id FROM alias ORDER BY series_id",
	[SQL_ALIAS_PUT] = "INSERT INTO alias (series_id, into_id) VALUES (?1, ?2)"
			  " ON CONFLICT (series_id) DO UPDATE SET into_id = excluded.into_id",
	[SQL_ALIAS_DROP] = "DELETE FROM alias WHERE series_id = ?1",

	[SQL_RUN_ADD] = "INSERT INTO run (uid, title, branch, commit_id, command, begin_ms)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
	[SQL_RUN_COUNTS] = "UPDATE run SET counts = ?2, splats = ?3 WHERE id = ?1",
	[SQL_RUN_JOBS] = "UPDATE run SET modes = ?2, machines = ?3, kernels = ?4 WHERE id = ?1",
	/* What was not known at the beginning may be told at the end. */
	[SQL_RUN_END] = "UPDATE run SET end_ms = ?2, state = ?3, exit_code = ?4,"
			" conclusion = ?5, branch = CASE ?6 WHEN '' THEN branch ELSE ?6 END,"
			" commit_id = CASE ?7 WHEN '' THEN commit_id ELSE ?7 END WHERE id = ?1",
	[SQL_RUN_RESUME] = "UPDATE run SET state = 'running', end_ms = 0, exit_code = -1,"
			   " conclusion = '' WHERE id = ?1 AND folded = 0 RETURNING id",
	[SQL_JOB_ADD] = "INSERT INTO job (run_id, job, mode, machine, accel, why, kernel, host,"
			" cpus, memory, begin_ms)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
	[SQL_JOB_END] = "UPDATE job SET end_ms = ?3, ended = ?7, reason = ?8,"
			" kernel = CASE ?4 WHEN '' THEN kernel ELSE ?4 END,"
			" accel = CASE ?5 WHEN '' THEN accel ELSE ?5 END,"
			" why = CASE ?6 WHEN '' THEN why ELSE ?6 END"
			" WHERE run_id = ?1 AND job = ?2",
	[SQL_SLICE_ADD] = "INSERT INTO slice (id, begin_ms, body) VALUES (?1, ?2, ?3)",
	[SQL_SLICE_SET] = "UPDATE slice SET body = ?3 WHERE id = ?1 AND begin_ms = ?2",
	[SQL_TIMES_ADD] = "INSERT INTO times (id, begin_ms, body) VALUES (?1, ?2, ?3)",
	[SQL_TIMES_SET] = "UPDATE times SET body = ?3 WHERE id = ?1 AND begin_ms = ?2",
	[SQL_PROBLEM_ADD] = "INSERT INTO problem (run_id, job, program, seq, after, what, line,"
			    " message) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_SPLAT_ADD] = "INSERT INTO splat (run_id, job, program, seq, after, kind, title,"
			  " fingerprint, line, lines, text, task, pid, cpu, taint, fatal,"
			  " frames, excuse_reason, excuse_link, excuse_owner, excuse_until)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
			  " ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
	[SQL_SPLAT_TEXT] = "UPDATE splat SET text = ?5 WHERE run_id = ?1 AND job = ?2 AND"
			   " program = ?3 AND seq = ?4",
	/* Runs may come in any order of time. */
	[SQL_FINGERPRINT_PUT] =
		"INSERT INTO fingerprint (fingerprint, kind, title, first_ms, first_run,"
		" last_ms, last_run, n) VALUES (?1, ?2, ?3, ?4, ?5, ?4, ?5, 1)"
		" ON CONFLICT (fingerprint) DO UPDATE SET n = fingerprint.n + 1,"
		" title = CASE WHEN excluded.last_ms >= fingerprint.last_ms"
		"  THEN excluded.title ELSE fingerprint.title END,"
		" last_run = CASE WHEN excluded.last_ms >= fingerprint.last_ms"
		"  THEN excluded.last_run ELSE fingerprint.last_run END,"
		" last_ms = CASE WHEN excluded.last_ms >= fingerprint.last_ms"
		"  THEN excluded.last_ms ELSE fingerprint.last_ms END,"
		" first_run = CASE WHEN excluded.first_ms < fingerprint.first_ms"
		"  THEN excluded.first_run ELSE fingerprint.first_run END,"
		" first_ms = CASE WHEN excluded.first_ms < fingerprint.first_ms"
		"  THEN excluded.first_ms ELSE fingerprint.first_ms END",
	[SQL_ARTEFACT_ADD] = "INSERT INTO artefact (run_id, job, program, kind, path, bytes)"
			     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
			     " ON CONFLICT (run_id, job, program, kind)"
			     " DO UPDATE SET path = excluded.path, bytes = excluded.bytes",

	[SQL_UNFOLDED_COUNT] = "SELECT count(*) FROM run WHERE folded = 0",
	[SQL_UNFOLDED] = "SELECT id, uid, state, begin_ms, branch, commit_id FROM run"
			 " WHERE folded = 0 ORDER BY id",
	[SQL_FOLDED] = "UPDATE run SET folded = 1 WHERE id = ?1",
	[SQL_UNFOLD_ALL] = "UPDATE run SET folded = 0 WHERE folded <> 0",
	[SQL_SEGMENT_LAST] = "SELECT id, body, times FROM segment WHERE program_id = ?1 AND"
			     " setting_id = ?2 ORDER BY id DESC LIMIT 1",
	[SQL_SEGMENT_ADD] = "INSERT INTO segment (program_id, setting_id, body, times)"
			    " VALUES (?1, ?2, ?3, ?4)",
	[SQL_SEGMENT_SET] = "UPDATE segment SET body = ?2, times = ?3 WHERE id = ?1",
	[SQL_SEGMENTS_OF] = "SELECT setting_id, body FROM segment WHERE program_id = ?1"
			    " ORDER BY program_id, setting_id, id",
	[SQL_SEGMENT_TIMES_OF] = "SELECT setting_id, body, times FROM segment"
				 " WHERE program_id = ?1 ORDER BY program_id, setting_id, id",
	[SQL_SEGMENTS_DROP] = "DELETE FROM segment",
	[SQL_TIMELINE_ADD] = "INSERT INTO timeline (body) VALUES (?1)",
	[SQL_TIMELINE] = "SELECT body FROM timeline ORDER BY id",
	[SQL_TIMELINE_DROP] = "DELETE FROM timeline",

	[SQL_RUNS] = RUN_COLUMNS "WHERE ?1 IS NULL AND " RUNS_WHERE,
	[SQL_RUNS_OF_BRANCH] = RUN_COLUMNS "WHERE branch = ?1 AND " RUNS_WHERE,
	[SQL_RUN_GET] = RUN_COLUMNS "WHERE id = ?1",
	[SQL_RUN_NTH] = "SELECT id, uid FROM run ORDER BY begin_ms DESC, id DESC"
			" LIMIT 1 OFFSET ?1",
	[SQL_RUN_EXISTS] = "SELECT id FROM run WHERE id = ?1",
	[SQL_RUN_BY_UID] = "SELECT id, uid FROM run WHERE uid >= ?1 AND uid < ?1 || '~' AND"
			   " substr(uid, 1, length(?1)) = ?1 ORDER BY uid LIMIT 2",
	[SQL_RUN_IDS] = "SELECT id, begin_ms FROM run ORDER BY id",
	[SQL_JOBS] = "SELECT job, mode, machine, accel, why, kernel, host, cpus, memory,"
		     " begin_ms, end_ms, ended, reason FROM job WHERE run_id = ?1"
		     " ORDER BY job",
	/* ?1: run << 16, ?2: the next run's, ?3: the run's begin_ms. */
	[SQL_SLICES] = "SELECT id, body FROM slice WHERE id >= ?1 AND id < ?2 AND begin_ms = ?3"
		       " ORDER BY id",
	[SQL_TIMES] = "SELECT body FROM times WHERE id = ?1 AND begin_ms = ?2",
	[SQL_PROBLEMS] = "SELECT seq, after, what, line, message FROM problem"
			 " WHERE run_id = ?1 AND job = ?2 AND program = ?3 ORDER BY seq",
	[SQL_SPLATS] = "SELECT seq, after, kind, title, fingerprint, line, lines, text, task, pid,"
		       " cpu, taint, fatal, frames, excuse_reason, excuse_link, excuse_owner,"
		       " excuse_until"
		       " FROM splat WHERE run_id = ?1 AND job = ?2 AND program = ?3"
		       " ORDER BY seq",
	[SQL_FINGERPRINTS] = "SELECT fingerprint, kind, title, first_ms, first_run, last_ms,"
			     " last_run, n FROM fingerprint ORDER BY last_ms DESC, fingerprint"
			     " LIMIT ?1",
	[SQL_SPLAT_TEXTS] = "SELECT job, program, seq, text FROM splat WHERE run_id = ?1 AND"
			    " (job, program, seq) > (?2, ?3, ?4) ORDER BY job, program, seq"
			    " LIMIT ?5",
	[SQL_SPLATS_OF] = "SELECT s.run_id, s.job, s.program, s.line, s.lines,"
			  " coalesce(j.mode, ''), coalesce(j.machine, ''), s.excuse_reason,"
			  " s.excuse_link, s.excuse_owner, s.excuse_until, r.begin_ms"
			  " FROM splat s JOIN run r ON r.id = s.run_id"
			  " LEFT JOIN job j ON j.run_id = s.run_id AND j.job = s.job"
			  " WHERE s.fingerprint = ?1 ORDER BY s.run_id DESC, s.id DESC LIMIT ?2",
	[SQL_SPLAT_AXES] = "SELECT r.branch, coalesce(j.mode, ''), coalesce(j.machine, ''),"
			   " count(*), count(DISTINCT s.run_id), min(r.begin_ms),"
			   " max(r.begin_ms) FROM splat s JOIN run r ON r.id = s.run_id"
			   " LEFT JOIN job j ON j.run_id = s.run_id AND j.job = s.job"
			   " WHERE s.fingerprint = ?1 GROUP BY 1, 2, 3 ORDER BY 7 DESC, 1, 2, 3",
	[SQL_ARTEFACT] = "SELECT path FROM artefact WHERE run_id = ?1 AND"
			 " (?2 = 0 OR job = ?2) AND program = ?3 AND kind = ?4"
			 " ORDER BY job LIMIT 1",
	[SQL_ARTEFACT_KINDS] = "SELECT kind, path FROM artefact WHERE run_id = ?1 AND job = ?2"
			       " AND program = 0 AND kind <> 'console' ORDER BY kind",
	[SQL_WINDOW] = "SELECT id, begin_ms FROM run WHERE ?1 IS NULL AND " WINDOW_WHERE,
	[SQL_WINDOW_OF_BRANCH] = "SELECT id, begin_ms FROM run WHERE branch = ?1 AND "
				 WINDOW_WHERE,

	[SQL_DATABASE] = "SELECT 'SQLite ' || sqlite_version(), page_count * page_size,"
			 " user_version FROM pragma_page_count(), pragma_page_size(),"
			 " pragma_user_version()",
	[SQL_FACTS] = "SELECT (SELECT count(*) FROM run), (SELECT count(*) FROM program),"
		      " (SELECT count(*) FROM series), (SELECT count(*) FROM outcome),"
		      " a.n, a.bytes, (SELECT min(begin_ms) FROM run WHERE id = a.first)"
		      " FROM (SELECT count(*) AS n, coalesce(sum(bytes), 0) AS bytes,"
		      "  min(run_id) AS first FROM artefact) a",
	[SQL_CHECK] = "PRAGMA integrity_check(20)",
	[SQL_BACKUP] = "VACUUM INTO ?1",
	[SQL_RUNS_BEFORE] = "SELECT id, uid, state, begin_ms, branch FROM run"
			    " WHERE begin_ms < ?1 ORDER BY begin_ms, id",
	[SQL_ARTEFACTS_OF] = "SELECT path, bytes, job, program, kind FROM artefact"
			     " WHERE run_id = ?1 ORDER BY job, program, kind",
	[SQL_ARTEFACTS_DROP] = "DELETE FROM artefact WHERE run_id = ?1",
	[SQL_PROBLEMS_DROP] = "DELETE FROM problem WHERE run_id = ?1",
	[SQL_SPLATS_DROP] = "DELETE FROM splat WHERE run_id = ?1",
	[SQL_JOBS_DROP] = "DELETE FROM job WHERE run_id = ?1",
	[SQL_SLICES_DROP] = "DELETE FROM slice WHERE id >= ?1 AND id < ?2 AND begin_ms = ?3",
	[SQL_TIMES_DROP] = "DELETE FROM times WHERE id >= ?1 AND id < ?2 AND begin_ms = ?3",
	[SQL_RUN_DROP] = "DELETE FROM run WHERE id = ?1",

	[SQL_OLD_EXECUTIONS] =
		"SELECT e.id, e.program, e.job, e.shape_id, e.attempt, e.status, e.exit_code,"
		" e.begin_ms, e.end_ms, e.duration_ms, e.log_lines, e.reason, e.columns,"
		" coalesce(j.mode, ''), coalesce(j.machine, '')"
		" FROM old_execution e LEFT JOIN job j ON j.run_id = e.run_id AND j.job = e.job"
		" WHERE e.run_id = ?1 ORDER BY e.program",
	[SQL_OLD_EXCEPTIONS] = "SELECT idx, status, reason FROM old_exception"
			       " WHERE execution_id = ?1 ORDER BY idx",
	[SQL_OLD_SHAPES] = "SELECT id, series FROM shape",
	[SQL_OLD_SHAPE_SET] = "UPDATE shape SET program_id = ?2 WHERE id = ?1",
	[SQL_OLD_SERIES] = "SELECT id, key FROM series",
	[SQL_OLD_SERIES_SET] = "UPDATE series SET hash = ?2 WHERE id = ?1",
	[SQL_OLD_NAMES] = "SELECT id, path FROM name",
	[SQL_OLD_NAME_SET] = "UPDATE name SET hash = ?2 WHERE id = ?1",
};
