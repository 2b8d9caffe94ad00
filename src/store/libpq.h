/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Libpq: PostgreSQL's library, with the twenty that it brings (TLS, Kerberos,
 * LDAP) only there when a store is on a server. Inside postgres.c only.
 */
#include <libpq-fe.h>

#include "base/library.h"

#define LIBPQ(F) \
	F(PQclear) F(PQconnectdb) F(PQdb) F(PQenterPipelineMode) F(PQerrorMessage) F(PQexec) \
	F(PQexecPrepared) F(PQexitPipelineMode) F(PQfinish) F(PQgetResult) F(PQgetlength) \
	F(PQgetvalue) F(PQhost) F(PQntuples) F(PQpipelineStatus) F(PQpipelineSync) \
	F(PQprepare) F(PQreset) F(PQresultErrorField) F(PQresultStatus) F(PQsendPrepare) \
	F(PQsendQueryParams) F(PQsendQueryPrepared) F(PQsetNoticeReceiver) F(PQstatus) \
	F(PQtransactionStatus)

struct libpq {
	struct library library;
	LIBPQ(LIBRARY_POINTER)
};

int libpq_open(struct libpq *pq, struct err *err); /* as library_open() */
