/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Migrate: what SQL alone can't do of the way from one version to the next.
 * Called between MIGRATIONS[v] and MIGRATION_ENDS[v], in their transaction.
 */
#include "store/db.h"

/* Executions of a row each into slices. */
int migrate_from_2(struct db *db, struct err *err);
