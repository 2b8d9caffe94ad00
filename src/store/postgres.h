/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the files of this driver share. */
#include "store/db.h"
#include "store/libpq.h"

/* "TAPR": one lock for whoever adds to what all writers share. */
#define POSTGRES_LOCK "1413566546"
/* The version with which PostgreSQL began. */
#define POSTGRES_FIRST 2

/* MIGRATIONS[v] leads from version v to v + 1, as in sql.h. */
extern const char *const POSTGRES_MIGRATIONS[DB_VERSION];
extern const char POSTGRES_SETUP[];

struct postgres {
	struct db db;
	struct libpq pq;
	PGconn *conn;
	char *name;
	bool prepared[SQL_N];
	unsigned queued;
	int64_t *periods; /* whose partitions are known to be there */
	size_t n_periods, cap_periods;
};

static inline struct postgres *postgres_of(struct db *db)
{
	return (struct postgres *)db; /* its first member */
}

/* One or several statements of ours, outside of what is prepared. */
int postgres_simple(struct postgres *p, const char *text, struct err *err);
/* The first value that @text answers; 0 where it answers none. */
int postgres_answer(struct postgres *p, const char *text, int64_t *ret, struct err *err);

/* postgres-turns.c: of struct db_driver. */
int postgres_run_begins(struct db *db, int64_t begin_ms, struct err *err);
int postgres_claim(struct db *db, struct str uid, struct err *err);
void postgres_release(struct db *db, struct str uid);
bool postgres_claimed(struct db *db, struct str uid);
