/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PostgreSQL. Everything lives in a schema of its own, "taproom". Text from
 * outside is bytes (bytea): it need not be valid in any encoding. Statements are
 * sql.c's with $N for ?N, prepared when first asked, values and answers binary.
 *
 * Statements without an answer are queued (libpq's pipeline mode): a whole
 * transaction, COMMIT included, is one round trip. An error in it is told by
 * the first call that waits, at the latest by commit.
 */
#include "store/postgres.h"

#include <endian.h>
#include <stdlib.h>

#include "base/mem.h"

/* Of pg_type.dat: they never change. */
#define OID_BYTEA 17
#define OID_INT8  20

/* Moves on with every transaction in the cluster, also on a standby. */
#define CHANGED                                                                              \
	"SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"                 \
	" ELSE pg_current_wal_insert_lsn() END - '0/0'::pg_lsn)::bigint"

#define DATABASE                                                                             \
	"SELECT convert_to('PostgreSQL ' || current_setting('server_version'), 'UTF8'),"      \
	" pg_database_size(current_database()), version FROM store"

#define ARGS_MAX  24
/* Queued statements whose answers have not been read: small ones, so that
 * neither side can wait for the other to read. */
#define QUEUE_MAX 64

struct failure {
	const char *state; /* SQLSTATE, or the class it begins with */
	int code;
	const char *say;
};

static const struct failure FAILURES[] = {
	{ "23505", EEXIST, "has that already" },
	{ "53100", ENOSPC, "can't grow: no space left; free some and repeat" },
	{ "40001", EBUSY, "is used by another program at the same place; repeat" },
	{ "40P01", EBUSY, "is used by another program at the same place; repeat" },
	{ "55P03", EBUSY, "is locked by another program; try again when that is done" },
	{ "57014", EBUSY, "did not answer in time; try again" },
	{ "53300", EBUSY, "has no connection left; try again" },
	{ "57P", ECONNRESET, "ended the connection; try again" },
	{ "08", ECONNRESET, "lost the connection; try again" },
	{ "42501", EACCES, "can't be used: no permission" },
	{ "25006", EROFS, "can't be written: it is read-only" },
	{ "XX001", EBADMSG, "is damaged" },
	{ "XX002", EBADMSG, "is damaged" },
};

static int fail(struct postgres *p, const PGresult *res, struct err *err)
{
	const char *state = res ? p->pq.PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	const char *text = res ? p->pq.PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;

	for (size_t i = 0; state && i < ARRAY_SIZE(FAILURES); i++)
		if (strncmp(state, FAILURES[i].state, strlen(FAILURES[i].state)) == 0)
			return err_set(err, FAILURES[i].code, "store '%s' %s", p->name,
				       FAILURES[i].say);
	if (!text)
		text = p->pq.PQerrorMessage(p->conn);
	struct str line = str_trim(str_of(text));

	if (p->pq.PQstatus(p->conn) != CONNECTION_OK)
		return err_set(err, ECONNRESET, "store '%s': %.*s", p->name, STR_FMT(line));
	return err_set(err, EIO, "store '%s': %.*s", p->name, STR_FMT(line));
}

/* ---- the queue ---- */

/* Waits until all that was queued is done. */
static int flush(struct postgres *p, struct err *err)
{
	int r = 0;

	if (p->pq.PQpipelineStatus(p->conn) == PQ_PIPELINE_OFF)
		return 0;
	if (!p->pq.PQpipelineSync(p->conn))
		r = fail(p, NULL, err);
	for (bool synced = false; !synced;) {
		PGresult *res = p->pq.PQgetResult(p->conn);
		ExecStatusType status = p->pq.PQresultStatus(res);

		synced = status == PGRES_PIPELINE_SYNC ||
			 (!res && p->pq.PQstatus(p->conn) != CONNECTION_OK);
		if (r == 0 && status == PGRES_FATAL_ERROR && res)
			r = fail(p, res, err);
		p->pq.PQclear(res);
	}
	p->queued = 0;
	p->pq.PQexitPipelineMode(p->conn);
	if (r == 0 && p->pq.PQstatus(p->conn) != CONNECTION_OK)
		r = fail(p, NULL, err);
	return r;
}

static int queue_text(struct postgres *p, const char *text, struct err *err)
{
	if (p->pq.PQpipelineStatus(p->conn) == PQ_PIPELINE_OFF &&
	    !p->pq.PQenterPipelineMode(p->conn))
		return fail(p, NULL, err);
	p->queued++;
	return p->pq.PQsendQueryParams(p->conn, text, 0, NULL, NULL, NULL, NULL, 1) ?
	       0 : fail(p, NULL, err);
}

/* ---- statements ---- */

struct bound {
	int64_t ints[ARGS_MAX];
	const char *values[ARGS_MAX];
	int lengths[ARGS_MAX], formats[ARGS_MAX];
	Oid types[ARGS_MAX];
};

static int bind(struct postgres *p, const struct db_arg *args, size_t n, struct bound *b,
		struct err *err)
{
	for (size_t i = 0; i < n && i < ARGS_MAX; i++) {
		const struct db_arg *a = &args[i];

		b->formats[i] = 1;
		if (a->type == 'i') {
			b->ints[i] = (int64_t)htobe64((uint64_t)a->i);
			b->values[i] = (const char *)&b->ints[i];
			b->lengths[i] = sizeof(b->ints[i]);
			b->types[i] = OID_INT8;
			continue;
		}
		if (a->s.n > INT32_MAX)
			return err_set(err, EFBIG, "store '%s': a value is too big", p->name);
		b->types[i] = OID_BYTEA;
		b->values[i] = a->type == 'n' ? NULL : a->s.p ? a->s.p : "";
		b->lengths[i] = a->type == 'n' ? 0 : (int)a->s.n;
	}
	return 0;
}

static void set_name(char *name, size_t size, enum sql sql)
{
	snprintf(name, size, "s%d", (int)sql);
}

/* Ours are written with ?N. */
static char *dollars(const char *text)
{
	char *copy = xstrdup(text);

	for (char *c = copy; *c; c++)
		if (*c == '?')
			*c = '$';
	return copy;
}

static int prepare(struct postgres *p, enum sql sql, size_t n, const struct bound *b,
		   bool queued, struct err *err)
{
	_free_ char *text = NULL;
	char name[16];
	PGresult *res;
	int r = 0;

	if (p->prepared[sql])
		return 0;
	/* A server watches over itself. */
	text = dollars(sql == SQL_CHECK ? "SELECT 'ok'::bytea" :
		       sql == SQL_CHANGED ? CHANGED :
		       sql == SQL_DATABASE ? DATABASE : SQL[sql]);
	set_name(name, sizeof(name), sql);
	if (queued) {
		p->queued++;
		r = p->pq.PQsendPrepare(p->conn, name, text, (int)n, b->types) ? 0 :
									   fail(p, NULL, err);
	} else {
		res = p->pq.PQprepare(p->conn, name, text, (int)n, b->types);
		if (p->pq.PQresultStatus(res) != PGRES_COMMAND_OK)
			r = fail(p, res, err);
		p->pq.PQclear(res);
	}
	p->prepared[sql] = r == 0;
	return r;
}

static int postgres_query(struct db *db, enum sql sql, const struct db_arg *args, size_t n,
			  struct db_rows *ret, struct err *err)
{
	struct postgres *p = postgres_of(db);
	struct bound b = {};
	char name[16];
	PGresult *res;
	int r = flush(p, err);

	*ret = (struct db_rows){ .db = db, .at = -1 };
	if (r == 0)
		r = bind(p, args, n, &b, err);
	if (r == 0)
		r = prepare(p, sql, n, &b, false, err);
	if (r < 0)
		return r;
	set_name(name, sizeof(name), sql);
	res = p->pq.PQexecPrepared(p->conn, name, (int)n, b.values, b.lengths, b.formats, 1);
	if (p->pq.PQresultStatus(res) != PGRES_TUPLES_OK &&
	    p->pq.PQresultStatus(res) != PGRES_COMMAND_OK) {
		r = fail(p, res, err);
		p->pq.PQclear(res);
		return r;
	}
	ret->state = res;
	return 0;
}

/* Inside a transaction nobody needs to know at once. */
static int postgres_run(struct db *db, enum sql sql, const struct db_arg *args, size_t n,
			struct err *err)
{
	struct postgres *p = postgres_of(db);
	struct db_rows rows = {};
	struct bound b = {};
	char name[16];
	int r;

	if (!db->depth) {
		r = postgres_query(db, sql, args, n, &rows, err);
		db_rows_done(&rows);
		return r;
	}
	r = p->queued >= QUEUE_MAX ? flush(p, err) : 0;
	if (r == 0)
		r = bind(p, args, n, &b, err);
	if (r < 0)
		return r;
	if (p->pq.PQpipelineStatus(p->conn) == PQ_PIPELINE_OFF &&
	    !p->pq.PQenterPipelineMode(p->conn))
		return fail(p, NULL, err);
	r = prepare(p, sql, n, &b, true, err);
	if (r < 0)
		return r;
	set_name(name, sizeof(name), sql);
	p->queued++;
	return p->pq.PQsendQueryPrepared(p->conn, name, (int)n, b.values, b.lengths, b.formats, 1) ?
	       0 : fail(p, NULL, err);
}

static int postgres_next(struct db_rows *r, struct err *err)
{
	struct postgres *p = postgres_of(r->db);

	return ++r->at < p->pq.PQntuples(r->state);
}

static int64_t postgres_integer(struct db_rows *r, int column)
{
	struct postgres *p = postgres_of(r->db);
	const char *v = p->pq.PQgetvalue(r->state, r->at, column);
	uint64_t v64;
	uint32_t v32;

	switch (p->pq.PQgetlength(r->state, r->at, column)) {
	case 8: memcpy(&v64, v, 8); return (int64_t)be64toh(v64);
	case 4: memcpy(&v32, v, 4); return (int32_t)be32toh(v32);
	case 1: return *v; /* boolean */
	default: return 0;
	}
}

static struct str postgres_bytes(struct db_rows *r, int column)
{
	struct postgres *p = postgres_of(r->db);

	return str_n(p->pq.PQgetvalue(r->state, r->at, column),
		     (size_t)p->pq.PQgetlength(r->state, r->at, column));
}

static void postgres_done(struct db_rows *r)
{
	postgres_of(r->db)->pq.PQclear(r->state);
}

/* ---- transactions ---- */

int postgres_simple(struct postgres *p, const char *text, struct err *err)
{
	PGresult *res;
	int r = flush(p, err);

	if (r < 0)
		return r;
	res = p->pq.PQexec(p->conn, text);
	if (p->pq.PQresultStatus(res) != PGRES_COMMAND_OK &&
	    p->pq.PQresultStatus(res) != PGRES_TUPLES_OK)
		r = fail(p, res, err);
	p->pq.PQclear(res);
	return r;
}

int postgres_answer(struct postgres *p, const char *text, int64_t *ret, struct err *err)
{
	PGresult *res;
	int r = flush(p, err);

	*ret = 0;
	if (r < 0)
		return r;
	res = p->pq.PQexec(p->conn, text);
	if (p->pq.PQresultStatus(res) != PGRES_TUPLES_OK)
		r = fail(p, res, err);
	else if (p->pq.PQntuples(res))
		*ret = strtoll(p->pq.PQgetvalue(res, 0, 0), NULL, 10);
	p->pq.PQclear(res);
	return r;
}

static int set_up(struct postgres *p, struct err *err)
{
	memset(p->prepared, 0, sizeof(p->prepared));
	return postgres_simple(p, POSTGRES_SETUP, err);
}

static int postgres_begin(struct db *db, enum db_how how, struct err *err)
{
	struct postgres *p = postgres_of(db);
	int r = 0;

	if (p->pq.PQstatus(p->conn) != CONNECTION_OK) {
		p->pq.PQreset(p->conn);
		p->queued = 0;
		r = p->pq.PQstatus(p->conn) == CONNECTION_OK ? set_up(p, err) :
							       fail(p, NULL, err);
	}
	if (r == 0)
		r = how == DB_READ
			    ? postgres_simple(p, "BEGIN ISOLATION LEVEL REPEATABLE READ"
						 " READ ONLY", err)
			    : queue_text(p, "BEGIN", err);
	if (r == 0 && how == DB_LAZY)
		r = queue_text(p, "SET LOCAL synchronous_commit = off", err);
	return r;
}

static int postgres_commit(struct db *db, struct err *err)
{
	struct postgres *p = postgres_of(db);
	int r = queue_text(p, "COMMIT", err);

	return r < 0 ? r : flush(p, err);
}

static void postgres_rollback(struct db *db)
{
	struct postgres *p = postgres_of(db);

	flush(p, NULL);
	if (p->pq.PQtransactionStatus(p->conn) != PQTRANS_IDLE)
		postgres_simple(p, "ROLLBACK", NULL);
	/* What was prepared in it may be gone, or not: ask again. */
	memset(p->prepared, 0, sizeof(p->prepared));
	postgres_simple(p, "DEALLOCATE ALL", NULL);
}

static int postgres_share(struct db *db, struct err *err)
{
	int r = postgres_simple(postgres_of(db),
				"SELECT pg_advisory_xact_lock(" POSTGRES_LOCK ")", err);

	return r < 0 ? r : 1;
}

static void postgres_close(struct db *db)
{
	struct postgres *p = postgres_of(db);

	if (p->conn)
		p->pq.PQfinish(p->conn);
	library_close(&p->pq.library);
	free(p->periods);
	free(p->name);
	free(p);
}

static const struct db_driver DRIVER = {
	.close = postgres_close,
	.begin = postgres_begin,
	.commit = postgres_commit,
	.rollback = postgres_rollback,
	.run = postgres_run,
	.query = postgres_query,
	.next = postgres_next,
	.integer = postgres_integer,
	.bytes = postgres_bytes,
	.done = postgres_done,
	.share = postgres_share,
	.run_begins = postgres_run_begins,
	.claim = postgres_claim,
	.release = postgres_release,
	.claimed = postgres_claimed,
};

/* ---- opening ---- */

/* -1: no store there. */
static int version_of(struct postgres *p, int64_t *ret, struct err *err)
{
	int r = postgres_answer(p, "SELECT count(*) FROM pg_tables WHERE schemaname = 'taproom'"
				   " AND tablename = 'store'", ret, err);

	if (r == 0 && *ret == 0)
		*ret = -1;
	else if (r == 0)
		r = postgres_answer(p, "SELECT version FROM taproom.store", ret, err);
	return r;
}

static int migrate(struct postgres *p, struct err *err)
{
	int r = postgres_simple(p, "BEGIN; SELECT pg_advisory_xact_lock(" POSTGRES_LOCK ")", err);
	int64_t version = -1;

	if (r == 0)
		r = version_of(p, &version, err);
	for (int v = version < 0 ? POSTGRES_FIRST : (int)version; r == 0 && v < DB_VERSION; v++)
		r = postgres_simple(p, POSTGRES_MIGRATIONS[v], err);
	if (r == 0)
		r = postgres_simple(p, "COMMIT", err);
	if (r < 0)
		postgres_simple(p, "ROLLBACK", NULL);
	return r;
}

static int check_version(struct postgres *p, enum store_mode mode, struct err *err)
{
	int64_t version;
	int r = version_of(p, &version, err);

	if (r < 0)
		return r;
	if (version > DB_VERSION)
		return err_set(err, ENOTSUP,
			       "store '%s' was written by a newer taproom (format %d, this one "
			       "knows %d): update taproom", p->name, (int)version, DB_VERSION);
	if (version < 0 && mode == STORE_READ)
		return err_set(err, ENOENT, "no store in '%s' yet: 'taproom run' makes it",
			       p->name);
	return version < DB_VERSION ? migrate(p, err) : 0;
}

static void no_notice(void *ctx, const PGresult *res)
{
}

int db_postgres_open(const char *url, enum store_mode mode, struct db **ret, struct err *err)
{
	struct postgres *p = xcalloc(1, sizeof(*p));
	int r;

	p->db.driver = &DRIVER;
	r = libpq_open(&p->pq, err);
	if (r < 0) {
		postgres_close(&p->db);
		return r;
	}
	p->conn = p->pq.PQconnectdb(url);
	/* Not the address as it was given: it may hold a password. */
	p->name = xasprintf("postgresql://%s/%s",
			    p->pq.PQhost(p->conn) ? p->pq.PQhost(p->conn) : "",
			    p->pq.PQdb(p->conn) ? p->pq.PQdb(p->conn) : "");
	p->db.name = p->name;
	p->pq.PQsetNoticeReceiver(p->conn, no_notice, NULL);
	if (p->pq.PQstatus(p->conn) != CONNECTION_OK) {
		struct str line = str_trim(str_of(p->pq.PQerrorMessage(p->conn)));

		r = err_set(err, ECONNREFUSED, "store '%s': %.*s", p->name, STR_FMT(line));
	} else {
		r = set_up(p, err);
		if (r == 0)
			r = check_version(p, mode, err);
	}
	if (r < 0)
		postgres_close(&p->db);
	else
		*ret = &p->db;
	return r;
}
