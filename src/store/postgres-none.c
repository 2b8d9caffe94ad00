/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In the place of postgres.c where libpq was not there to build with. */
#include "store/db.h"

int db_postgres_open(const char *url, enum store_mode mode, struct db **ret, struct err *err)
{
	return err_set(err, EPROTONOSUPPORT, "this taproom was built without PostgreSQL: "
		       "install libpq-dev and build it again, or use a file");
}
