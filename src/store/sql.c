/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/sql.h"

/*
 * A commit is synced before it is answered: a power cut takes the running
 * program and nothing else. A program ends every few seconds, so it costs
 * nothing that could be noticed.
 */
const char DB_SETUP[] = "PRAGMA foreign_keys = ON;"
			"PRAGMA synchronous = FULL;"
			"PRAGMA trusted_schema = OFF;"
			"PRAGMA cell_size_check = ON;";
const char DB_SETUP_WRITER[] = "PRAGMA journal_mode = WAL;";

/*
 * Statuses, kinds and states are stored as their words, so that sqlite3(1)
 * reads well and no number can be renumbered. Text from outside is kept as it
 * came, byte by byte. `job` and `program` beside a run_id are the numbers that
 * events carry; 0 is none.
 */
const char *const MIGRATIONS[DB_VERSION] = {
	[0] =
	"PRAGMA application_id = 1413566546;" /* DB_APPLICATION_ID */
	"PRAGMA user_version = 1;"

	"CREATE TABLE run ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  uid TEXT NOT NULL UNIQUE,"
	"  title TEXT NOT NULL,"
	"  branch TEXT NOT NULL,"
	"  commit_id TEXT NOT NULL,"
	"  command TEXT NOT NULL,"
	"  begin_ms INTEGER NOT NULL,"
	"  end_ms INTEGER NOT NULL DEFAULT 0,"
	"  state TEXT NOT NULL DEFAULT 'running',"
	"  exit_code INTEGER NOT NULL DEFAULT -1,"
	"  conclusion TEXT NOT NULL DEFAULT '',"
	"  counts TEXT NOT NULL DEFAULT ''," /* "pass=40 skip=1" */
	"  splats INTEGER NOT NULL DEFAULT 0"
	") STRICT;"
	"CREATE INDEX run_begin ON run (begin_ms, id);"
	"CREATE INDEX run_branch ON run (branch, begin_ms, id);"

	"CREATE TABLE job ("
	"  run_id INTEGER NOT NULL REFERENCES run,"
	"  job INTEGER NOT NULL,"
	"  mode TEXT NOT NULL,"
	"  machine TEXT NOT NULL,"
	"  accel TEXT NOT NULL,"
	"  why TEXT NOT NULL,"
	"  kernel TEXT NOT NULL,"
	"  host TEXT NOT NULL,"
	"  cpus INTEGER NOT NULL,"
	"  memory INTEGER NOT NULL,"
	"  begin_ms INTEGER NOT NULL,"
	"  end_ms INTEGER NOT NULL DEFAULT 0,"
	"  PRIMARY KEY (run_id, job)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE program ("
	"  id INTEGER PRIMARY KEY,"
	"  suite TEXT NOT NULL,"
	"  name TEXT NOT NULL,"
	"  UNIQUE (suite, name)"
	") STRICT;"

	/* One result as it was printed. The same test under a new number is another
	 * series with the same key; nth tells keys apart that fall together in one
	 * execution. cuts: length of each name of the path, pack.h's integers. */
	"CREATE TABLE series ("
	"  id INTEGER PRIMARY KEY,"
	"  program_id INTEGER NOT NULL REFERENCES program,"
	"  key TEXT NOT NULL,"
	"  nth INTEGER NOT NULL,"
	"  path TEXT NOT NULL," /* names joined by '/' */
	"  cuts BLOB NOT NULL," /* none: the program itself */
	"  ordinal INTEGER NOT NULL,"
	"  leaf INTEGER NOT NULL,"
	"  UNIQUE (program_id, key, nth, path, cuts, ordinal, leaf)"
	") STRICT;"

	/* The series of an execution in their order, the program itself last. */
	"CREATE TABLE shape ("
	"  id INTEGER PRIMARY KEY,"
	"  hash INTEGER NOT NULL,"
	"  series BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX shape_hash ON shape (hash);"

	"CREATE TABLE execution ("
	"  id INTEGER PRIMARY KEY,"
	"  run_id INTEGER NOT NULL REFERENCES run,"
	"  program INTEGER NOT NULL,"
	"  job INTEGER NOT NULL,"
	"  program_id INTEGER NOT NULL REFERENCES program,"
	"  shape_id INTEGER NOT NULL REFERENCES shape,"
	"  attempt INTEGER NOT NULL,"
	"  status TEXT NOT NULL,"
	"  exit_code INTEGER NOT NULL,"
	"  begin_ms INTEGER NOT NULL,"
	"  end_ms INTEGER NOT NULL,"
	"  duration_ms INTEGER NOT NULL,"
	"  log_lines INTEGER NOT NULL,"
	"  reason TEXT NOT NULL,"
	"  columns BLOB NOT NULL," /* columns.h */
	"  UNIQUE (run_id, program)"
	") STRICT;"
	"CREATE INDEX execution_program ON execution (program_id);"

	/* What is not a plain pass. idx counts in the shape. */
	"CREATE TABLE exception ("
	"  execution_id INTEGER NOT NULL REFERENCES execution,"
	"  idx INTEGER NOT NULL,"
	"  series_id INTEGER NOT NULL REFERENCES series,"
	"  status TEXT NOT NULL,"
	"  reason TEXT NOT NULL,"
	"  PRIMARY KEY (execution_id, idx)"
	") STRICT, WITHOUT ROWID;"

	/* after: results of the program (program 0: programs of the job) before it. */
	"CREATE TABLE problem ("
	"  run_id INTEGER NOT NULL REFERENCES run,"
	"  job INTEGER NOT NULL,"
	"  program INTEGER NOT NULL,"
	"  seq INTEGER NOT NULL,"
	"  after INTEGER NOT NULL,"
	"  what TEXT NOT NULL,"
	"  line INTEGER NOT NULL,"
	"  message TEXT NOT NULL,"
	"  PRIMARY KEY (run_id, job, program, seq)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE splat ("
	"  id INTEGER PRIMARY KEY,"
	"  run_id INTEGER NOT NULL REFERENCES run,"
	"  job INTEGER NOT NULL,"
	"  program INTEGER NOT NULL,"
	"  seq INTEGER NOT NULL,"
	"  after INTEGER NOT NULL,"
	"  kind TEXT NOT NULL,"
	"  title TEXT NOT NULL,"
	"  fingerprint TEXT NOT NULL,"
	"  line INTEGER NOT NULL,"
	"  lines INTEGER NOT NULL,"
	"  text BLOB NOT NULL," /* pack.h */
	"  UNIQUE (run_id, job, program, seq)"
	") STRICT;"

	/* path: below the artefact directory beside the database. */
	"CREATE TABLE artefact ("
	"  run_id INTEGER NOT NULL REFERENCES run,"
	"  job INTEGER NOT NULL,"
	"  program INTEGER NOT NULL,"
	"  kind TEXT NOT NULL," /* log, console */
	"  path TEXT NOT NULL,"
	"  bytes INTEGER NOT NULL," /* as stored */
	"  PRIMARY KEY (run_id, job, program, kind)"
	") STRICT, WITHOUT ROWID;",

	/* What a splat says beside its text, and the rule that excuses it: no
	 * reason, no rule. */
	[1] =
	"PRAGMA user_version = 2;"
	"ALTER TABLE splat ADD COLUMN task TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE splat ADD COLUMN pid INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE splat ADD COLUMN cpu INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE splat ADD COLUMN taint TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE splat ADD COLUMN fatal INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE splat ADD COLUMN frames TEXT NOT NULL DEFAULT '';" /* trace_print() */
	"ALTER TABLE splat ADD COLUMN excuse_reason TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE splat ADD COLUMN excuse_link TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE splat ADD COLUMN excuse_owner TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE splat ADD COLUMN excuse_until TEXT NOT NULL DEFAULT '';",
};

#define RUN_COLUMNS                                                                         \
	"SELECT id, uid, title, branch, commit_id, command, begin_ms, end_ms, state,"       \
	" exit_code, conclusion, counts, splats,"                                           \
	" (SELECT group_concat(mode) FROM"                                                  \
	"   (SELECT DISTINCT mode FROM job WHERE run_id = run.id ORDER BY job)),"           \
	" (SELECT group_concat(machine) FROM"                                               \
	"   (SELECT DISTINCT machine FROM job WHERE run_id = run.id ORDER BY job)),"        \
	" (SELECT group_concat(kernel) FROM"                                                \
	"   (SELECT DISTINCT kernel FROM job WHERE run_id = run.id AND kernel <> ''"        \
	"    ORDER BY job))"                                                                \
	" FROM run "

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
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_VERSION] = "PRAGMA user_version",

	[SQL_RUN_ADD] = "INSERT INTO run (uid, title, branch, commit_id, command, begin_ms)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_RUN_COUNTS] = "UPDATE run SET counts = ?2, splats = ?3 WHERE id = ?1",
	/* What was not known at the beginning may be told at the end. */
	[SQL_RUN_END] = "UPDATE run SET end_ms = ?2, state = ?3, exit_code = ?4,"
			" conclusion = ?5, branch = CASE ?6 WHEN '' THEN branch ELSE ?6 END,"
			" commit_id = CASE ?7 WHEN '' THEN commit_id ELSE ?7 END WHERE id = ?1",
	[SQL_JOB_ADD] = "INSERT INTO job (run_id, job, mode, machine, accel, why, kernel, host,"
			" cpus, memory, begin_ms)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
	[SQL_JOB_END] = "UPDATE job SET end_ms = ?3,"
			" kernel = CASE ?4 WHEN '' THEN kernel ELSE ?4 END,"
			" accel = CASE ?5 WHEN '' THEN accel ELSE ?5 END,"
			" why = CASE ?6 WHEN '' THEN why ELSE ?6 END"
			" WHERE run_id = ?1 AND job = ?2",
	[SQL_PROGRAM_FIND] = "SELECT id FROM program WHERE suite = ?1 AND name = ?2",
	[SQL_PROGRAM_ADD] = "INSERT INTO program (suite, name) VALUES (?1, ?2)",
	[SQL_SERIES_FIND] = "SELECT id FROM series WHERE program_id = ?1 AND key = ?2 AND"
			    " nth = ?3 AND path = ?4 AND cuts = ?5 AND ordinal = ?6 AND"
			    " leaf = ?7",
	[SQL_SERIES_ADD] = "INSERT INTO series (program_id, key, nth, path, cuts, ordinal, leaf)"
			   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_SHAPE_FIND] = "SELECT id FROM shape WHERE hash = ?1 AND series = ?2",
	[SQL_SHAPE_ADD] = "INSERT INTO shape (hash, series) VALUES (?1, ?2)",
	[SQL_EXECUTION_ADD] =
		"INSERT INTO execution (run_id, program, job, program_id, shape_id, attempt,"
		" status, exit_code, begin_ms, end_ms, duration_ms, log_lines, reason, columns)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
	[SQL_EXCEPTION_ADD] = "INSERT INTO exception (execution_id, idx, series_id, status,"
			      " reason) VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_PROBLEM_ADD] = "INSERT INTO problem (run_id, job, program, seq, after, what, line,"
			    " message) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_SPLAT_ADD] = "INSERT INTO splat (run_id, job, program, seq, after, kind, title,"
			  " fingerprint, line, lines, text, task, pid, cpu, taint, fatal,"
			  " frames, excuse_reason, excuse_link, excuse_owner, excuse_until)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
			  " ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
	[SQL_ARTEFACT_ADD] = "INSERT OR REPLACE INTO artefact (run_id, job, program, kind,"
			     " path, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",

	[SQL_RUNS] = RUN_COLUMNS "WHERE ?1 IS NULL AND " RUNS_WHERE,
	[SQL_RUNS_OF_BRANCH] = RUN_COLUMNS "WHERE branch = ?1 AND " RUNS_WHERE,
	[SQL_RUN_GET] = RUN_COLUMNS "WHERE id = ?1",
	[SQL_RUN_NTH] = "SELECT id, uid FROM run ORDER BY begin_ms DESC, id DESC"
			" LIMIT 1 OFFSET ?1",
	[SQL_RUN_EXISTS] = "SELECT id FROM run WHERE id = ?1",
	[SQL_RUN_BY_UID] = "SELECT id, uid FROM run WHERE uid >= ?1 AND"
			   " substr(uid, 1, length(?1)) = ?1 ORDER BY uid LIMIT 2",
	/* With those whose own row could not be written: their programs were. */
	[SQL_JOBS] = "SELECT numbers.job, mode, machine, accel, why, kernel, host, cpus, memory,"
		     " begin_ms, end_ms FROM"
		     " (SELECT job FROM job WHERE run_id = ?1 UNION"
		     "  SELECT job FROM execution WHERE run_id = ?1 AND job > 0) numbers"
		     " LEFT JOIN job j ON j.run_id = ?1 AND j.job = numbers.job"
		     " ORDER BY numbers.job",
	[SQL_EXECUTIONS] =
		"SELECT e.id, e.program, e.job, p.suite, p.name, e.shape_id, e.attempt,"
		" e.status, e.exit_code, e.begin_ms, e.end_ms, e.duration_ms, e.log_lines,"
		" e.reason, coalesce(j.mode, ''), e.columns"
		" FROM execution e JOIN program p ON p.id = e.program_id"
		" LEFT JOIN job j ON j.run_id = e.run_id AND j.job = e.job"
		" WHERE e.run_id = ?1 AND e.job = ?2 ORDER BY e.program",
	[SQL_EXCEPTIONS] = "SELECT idx, status, reason FROM exception WHERE execution_id = ?1"
			   " ORDER BY idx",
	[SQL_PROBLEMS] = "SELECT seq, after, what, line, message FROM problem"
			 " WHERE run_id = ?1 AND job = ?2 AND program = ?3 ORDER BY seq",
	[SQL_SPLATS] = "SELECT seq, after, kind, title, fingerprint, line, lines, text, task, pid,"
		       " cpu, taint, fatal, frames, excuse_reason, excuse_link, excuse_owner,"
		       " excuse_until"
		       " FROM splat WHERE run_id = ?1 AND job = ?2 AND program = ?3"
		       " ORDER BY seq",
	[SQL_ARTEFACT] = "SELECT path FROM artefact WHERE run_id = ?1 AND"
			 " (?2 = 0 OR job = ?2) AND program = ?3 AND kind = ?4"
			 " ORDER BY job LIMIT 1",
	[SQL_SHAPE_GET] = "SELECT series FROM shape WHERE id = ?1",
	[SQL_SERIES_GET] = "SELECT s.key, s.nth, s.path, s.cuts, s.ordinal, s.leaf,"
			   " s.program_id, p.suite, p.name"
			   " FROM series s JOIN program p ON p.id = s.program_id"
			   " WHERE s.id = ?1",
	[SQL_WINDOW] = "SELECT id FROM run WHERE ?1 IS NULL AND " WINDOW_WHERE,
	[SQL_WINDOW_OF_BRANCH] = "SELECT id FROM run WHERE branch = ?1 AND " WINDOW_WHERE,
	[SQL_GRID_EXECUTIONS] =
		"SELECT e.id, e.shape_id, e.attempt, coalesce(j.mode, '')"
		" FROM execution e LEFT JOIN job j ON j.run_id = e.run_id AND j.job = e.job"
		" WHERE e.run_id = ?1"
		" AND (?2 IS NULL OR e.program_id IN (SELECT id FROM program WHERE suite = ?2))"
		" AND (?3 IS NULL OR j.mode = ?3) ORDER BY e.program",
	/* Attempts that ran to their end; the newest say best what to expect. */
	[SQL_DURATIONS] = "SELECT e.duration_ms FROM execution e"
			  " JOIN job j ON j.run_id = e.run_id AND j.job = e.job"
			  " WHERE e.program_id = (SELECT id FROM program"
			  "  WHERE suite = ?1 AND name = ?2)"
			  " AND (?3 IS NULL OR j.mode = ?3) AND e.duration_ms >= 0"
			  " AND e.status NOT IN ('error', 'crash', 'skip')"
			  " ORDER BY e.id DESC LIMIT ?4",
};
