/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Libcurl, with the cryptography it brings, only there when something is sent.
 * Inside http.c only.
 */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "base/library.h"

#define LIBCURL(F) \
	F(curl_easy_cleanup) F(curl_easy_getinfo) F(curl_easy_init) F(curl_easy_perform) \
	F(curl_easy_setopt) F(curl_easy_strerror) F(curl_global_init) F(curl_slist_append) \
	F(curl_slist_free_all)

struct libcurl {
	struct library library;
	LIBCURL(LIBRARY_POINTER)
};

/* As library_open(): with OpenSSL's, or else with GnuTLS's. */
int libcurl_open(struct libcurl *c, struct err *err);
