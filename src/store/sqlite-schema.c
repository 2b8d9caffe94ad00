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
			"PRAGMA cell_size_check = ON;"
			"PRAGMA cache_size = -16384;";
const char DB_SYNC[] = "PRAGMA synchronous = FULL;";
const char DB_SYNC_LATER[] = "PRAGMA synchronous = NORMAL;"; /* with the next, or a checkpoint */
const char DB_SETUP_WRITER[] = "PRAGMA journal_mode = WAL;";

/*
 * Kinds and states are stored as their words, so that sqlite3(1) reads well;
 * statuses, of which there are millions, as the letters of code.h. Text from
 * outside is kept as it came, byte by byte. `job` and `program` beside a run_id
 * are the numbers that events carry; 0 is none.
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
	"  kind TEXT NOT NULL," /* log, console, or an artefact's */
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

	/*
	 * Executions are packed many to a row, and what they share is stored once:
	 * outcomes (what was no plain pass), layouts (where in the log), reasons.
	 * hash columns: FNV-1a of the columns behind it, only to find the row.
	 */
	[2] =
	"PRAGMA user_version = 3;"
	"ALTER TABLE run ADD COLUMN modes TEXT NOT NULL DEFAULT '';" /* of its jobs */
	"ALTER TABLE run ADD COLUMN machines TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE run ADD COLUMN kernels TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE run ADD COLUMN folded INTEGER NOT NULL DEFAULT 0;"
	"UPDATE run SET modes = coalesce((SELECT group_concat(mode) FROM"
	"  (SELECT DISTINCT mode FROM job WHERE run_id = run.id ORDER BY job)), ''),"
	" machines = coalesce((SELECT group_concat(machine) FROM"
	"  (SELECT DISTINCT machine FROM job WHERE run_id = run.id ORDER BY job)), ''),"
	" kernels = coalesce((SELECT group_concat(kernel) FROM"
	"  (SELECT DISTINCT kernel FROM job WHERE run_id = run.id AND kernel <> ''"
	"   ORDER BY job)), '');"
	"CREATE INDEX run_unfolded ON run (id) WHERE folded = 0;"

	"ALTER TABLE exception RENAME TO old_exception;"
	"ALTER TABLE execution RENAME TO old_execution;"
	"ALTER TABLE series RENAME TO old_series;"

	/* A test for ever: the program itself (whole), or a result by its stable key;
	 * nth tells keys apart that fall together in one execution. */
	"CREATE TABLE series ("
	"  id INTEGER PRIMARY KEY,"
	"  program_id INTEGER NOT NULL REFERENCES program,"
	"  hash INTEGER NOT NULL,"
	"  whole INTEGER NOT NULL,"
	"  nth INTEGER NOT NULL,"
	"  key TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX series_hash ON series (program_id, hash);"
	/* The names it had, as they were printed. cuts: length of each name of the
	 * path, pack.h's integers; none: the program itself. */
	"CREATE TABLE name ("
	"  id INTEGER PRIMARY KEY,"
	"  series_id INTEGER NOT NULL REFERENCES series,"
	"  hash INTEGER NOT NULL,"
	"  ordinal INTEGER NOT NULL,"
	"  leaf INTEGER NOT NULL,"
	"  path TEXT NOT NULL," /* names joined by '/' */
	"  cuts BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX name_hash ON name (series_id, hash);"
	"INSERT INTO series (program_id, hash, whole, nth, key)"
	"  SELECT program_id, 0, cuts = x'', nth, key FROM old_series"
	"  GROUP BY program_id, cuts = x'', nth, key ORDER BY min(id);"
	"INSERT INTO name (id, series_id, hash, ordinal, leaf, path, cuts)"
	"  SELECT o.id, s.id, 0, o.ordinal, o.leaf, o.path, o.cuts"
	"  FROM old_series o JOIN series s ON s.program_id = o.program_id AND"
	"   s.whole = (o.cuts = x'') AND s.nth = o.nth AND s.key = o.key;"
	/* A renamed test: its history is a part of the other's. */
	"CREATE TABLE alias ("
	"  series_id INTEGER PRIMARY KEY REFERENCES series,"
	"  into_id INTEGER NOT NULL REFERENCES series"
	") STRICT;"

	/* shape.series: numbers of names now. */
	"ALTER TABLE shape ADD COLUMN program_id INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX shape_program ON shape (program_id);"
	"CREATE TABLE outcome ("
	"  id INTEGER PRIMARY KEY,"
	"  hash INTEGER NOT NULL,"
	"  shape_id INTEGER NOT NULL REFERENCES shape,"
	"  body BLOB NOT NULL" /* code.h */
	") STRICT;"
	"CREATE INDEX outcome_hash ON outcome (hash);"
	"CREATE TABLE layout ("
	"  id INTEGER PRIMARY KEY,"
	"  shape_id INTEGER NOT NULL REFERENCES shape,"
	"  body BLOB NOT NULL" /* columns.h */
	") STRICT;"
	"CREATE INDEX layout_shape ON layout (shape_id);"
	"CREATE TABLE reasons ("
	"  id INTEGER PRIMARY KEY,"
	"  hash INTEGER NOT NULL,"
	"  body BLOB NOT NULL" /* code.h */
	") STRICT;"
	"CREATE INDEX reasons_hash ON reasons (hash);"
	"CREATE TABLE setting ("
	"  id INTEGER PRIMARY KEY,"
	"  mode TEXT NOT NULL,"
	"  machine TEXT NOT NULL,"
	"  UNIQUE (mode, machine)"
	") STRICT;"

	/* Executions of a run, slice.h; id = run_id << 16 | number of the slice. */
	"CREATE TABLE slice ("
	"  id INTEGER PRIMARY KEY,"
	"  begin_ms INTEGER NOT NULL," /* the run's */
	"  body BLOB NOT NULL"
	") STRICT;"
	/* The durations of their results. */
	"CREATE TABLE times ("
	"  id INTEGER PRIMARY KEY,"
	"  begin_ms INTEGER NOT NULL,"
	"  body BLOB NOT NULL"
	") STRICT;"

	/* What follows from the slices of runs that are folded: track.h. */
	"CREATE TABLE segment ("
	"  id INTEGER PRIMARY KEY,"
	"  program_id INTEGER NOT NULL REFERENCES program,"
	"  setting_id INTEGER NOT NULL REFERENCES setting,"
	"  body BLOB NOT NULL,"
	"  times BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX segment_track ON segment (program_id, setting_id, id);"
	"CREATE TABLE timeline ("
	"  id INTEGER PRIMARY KEY,"
	"  body BLOB NOT NULL"
	") STRICT;"

	"CREATE TABLE fingerprint ("
	"  fingerprint TEXT PRIMARY KEY,"
	"  kind TEXT NOT NULL,"
	"  title TEXT NOT NULL," /* of the last one */
	"  first_ms INTEGER NOT NULL,"
	"  first_run INTEGER NOT NULL,"
	"  last_ms INTEGER NOT NULL,"
	"  last_run INTEGER NOT NULL,"
	"  n INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX splat_fingerprint ON splat (fingerprint, run_id);"
	"INSERT INTO fingerprint SELECT s.fingerprint, s.kind, s.title, f.first_ms,"
	"  (SELECT id FROM run WHERE begin_ms = f.first_ms AND id IN"
	"   (SELECT run_id FROM splat WHERE fingerprint = s.fingerprint) LIMIT 1),"
	"  f.last_ms, s.run_id, f.n"
	" FROM (SELECT fingerprint, min(r.begin_ms) AS first_ms, max(r.begin_ms) AS last_ms,"
	"   count(*) AS n, max(s.id) AS newest FROM splat s JOIN run r ON r.id = s.run_id"
	"   WHERE fingerprint <> '' GROUP BY fingerprint) f JOIN splat s ON s.id = f.newest;",

	/* How a job's machine ended: a word, and the sentence to it. */
	[3] =
	"PRAGMA user_version = 4;"
	"ALTER TABLE job ADD COLUMN ended TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE job ADD COLUMN reason TEXT NOT NULL DEFAULT '';",

	/* The timeline by columns: what is folded is made anew from the slices. */
	[4] =
	"PRAGMA user_version = 5;"
	"DELETE FROM segment;"
	"DELETE FROM timeline;"
	"UPDATE run SET folded = 0;",
};

const char *const MIGRATION_ENDS[DB_VERSION] = {
	[2] =
	"DROP TABLE old_exception;"
	"DROP TABLE old_execution;"
	"DROP TABLE old_series;",
};
