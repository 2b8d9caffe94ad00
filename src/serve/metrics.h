/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Metrics of the server itself, OpenMetrics: behind those of the history at /metrics.
 */
#include "serve/http.h"
#include "serve/logs.h"
#include "serve/pages.h"

enum metrics_label {
	METRICS_OTHER,            /* nothing that there is */
	METRICS_PUSH,
	METRICS_LIVE,
	METRICS_PAGE,             /* and on: + enum web_page_id */
};

/* @body: what the page of metrics says; ret: the same with the server's, whole. */
void metrics_write(struct str body, const struct http_server *http, const struct pages *pages,
		   unsigned followers, struct logs_stats logs, struct buf *ret);
