/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What several machines need that write one history: partitions are made while
 * others read and write, a run has one recorder.
 */
#include "store/postgres.h"

#include "base/mem.h"

#define PERIOD_MS (INT64_C(30) * 86400000)

static int64_t period_of(int64_t ms)
{
	return ms >= 0 ? ms / PERIOD_MS : -((PERIOD_MS - 1 - ms) / PERIOD_MS);
}

/* CREATE TABLE ... PARTITION OF would wait for all who read or write the table, and they
 * for each other. Attached, it waits for nobody (since PostgreSQL 12). */
static int make_partition(struct postgres *p, const char *table, int64_t nth, struct err *err)
{
	_free_ char *name = xasprintf("%s_%s%lld", table, nth < 0 ? "m" : "p",
				      (long long)(nth < 0 ? -nth : nth));
	_free_ char *is_there = xasprintf("SELECT count(*) FROM pg_class WHERE relname = '%s'"
					  " AND relnamespace = 'taproom'::regnamespace", name);
	_free_ char *text = xasprintf(
		"CREATE TABLE %s (LIKE %s INCLUDING ALL);"
		"ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%lld) TO (%lld)",
		name, table, table, name, (long long)(nth * PERIOD_MS),
		(long long)((nth + 1) * PERIOD_MS));
	int64_t n;
	int r = postgres_answer(p, is_there, &n, err);

	return r < 0 || n ? r : postgres_simple(p, text, err);
}

/* The partitions for runs of this time. */
int postgres_run_begins(struct db *db, int64_t begin_ms, struct err *err)
{
	static const char *const tables[] = { "slice", "times" };
	struct postgres *p = postgres_of(db);
	int64_t nth = period_of(begin_ms);
	int r;

	for (size_t i = 0; i < p->n_periods; i++)
		if (p->periods[i] == nth)
			return 0;
	if (nth < -10000 || nth > 100000)
		return err_set(err, EINVAL, "store '%s': no run can have begun at that time",
			       p->name);
	r = postgres_simple(p, "BEGIN; SELECT pg_advisory_xact_lock(" POSTGRES_LOCK ")", err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(tables); i++)
		r = make_partition(p, tables[i], nth, err);
	if (r == 0)
		r = postgres_simple(p, "COMMIT", err);
	if (r < 0) {
		postgres_simple(p, "ROLLBACK", NULL);
		return r;
	}
	ARRAY_GROW(p->periods, p->n_periods, p->cap_periods);
	p->periods[p->n_periods++] = nth;
	return 0;
}

static int64_t claim_key(struct str uid)
{
	return (int64_t)str_hash(uid, STR_HASH_INIT);
}

/* A lock of the session: it goes with its holder, whatever ended that. */
int postgres_claim(struct db *db, struct str uid, struct err *err)
{
	_free_ char *text = xasprintf("SELECT pg_try_advisory_lock(%lld)::int",
				      (long long)claim_key(uid));
	int64_t mine;
	int r = postgres_answer(postgres_of(db), text, &mine, err);

	return r < 0 || mine ? r :
	       err_set(err, EBUSY, "run '%.*s' is being recorded already", STR_FMT(uid));
}

void postgres_release(struct db *db, struct str uid)
{
	_free_ char *text = xasprintf("SELECT pg_advisory_unlock(%lld)::int",
				      (long long)claim_key(uid));
	int64_t mine;

	/* Where it can't be asked the connection is gone, and the lock with it. */
	postgres_answer(postgres_of(db), text, &mine, NULL);
}

bool postgres_claimed(struct db *db, struct str uid)
{
	uint64_t key = (uint64_t)claim_key(uid);
	_free_ char *text = xasprintf(
		"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND"
		" database = (SELECT oid FROM pg_database WHERE datname = current_database())"
		" AND classid = %u AND objid = %u", (unsigned)(key >> 32), (unsigned)key);
	int64_t n;

	/* A run is not lost because nobody could be asked. */
	return postgres_answer(postgres_of(db), text, &n, NULL) < 0 || n > 0;
}
