/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What postgres.c and its schema share. */
#include "store/db.h"

/* "TAPR": one lock for whoever adds to what all writers share. */
#define POSTGRES_LOCK "1413566546"
/* The version with which PostgreSQL began. */
#define POSTGRES_FIRST 2

/* MIGRATIONS[v] leads from version v to v + 1, as in sql.h. */
extern const char *const POSTGRES_MIGRATIONS[DB_VERSION];
extern const char POSTGRES_SETUP[];
