/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "notify/http.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "notify/libcurl.h"

struct sending {
	struct libcurl curl;
	CURL *easy;
	struct curl_slist *headers;
	struct http_answer *answer;
	bool too_large;
	char why[CURL_ERROR_SIZE];
};

static void sending_done(struct sending *s)
{
	if (s->headers)
		s->curl.curl_slist_free_all(s->headers);
	if (s->easy)
		s->curl.curl_easy_cleanup(s->easy);
	library_close(&s->curl.library);
}

/* Who listens to a loopback's packets has the token already. */
static bool is_here(struct str host)
{
	static const struct str here[] = { STR("localhost"), STR("127.0.0.1"), STR("[::1]") };

	for (size_t i = 0; i < ARRAY_SIZE(here); i++)
		if (str_starts(host, here[i]) &&
		    (host.n == here[i].n || strchr(":/", host.p[here[i].n])))
			return true;
	return false;
}

static int check_url(const struct http_request *q, struct err *err)
{
	struct str url = str_of(q->url);

	if (str_starts(url, STR("https://")))
		return 0;
	if (!str_starts(url, STR("http://")))
		return err_set(err, EINVAL, "'%s' is no http:// or https:// address", q->url);
	if (q->token && !is_here(str_from(url, 7)))
		return err_set(err, EINVAL, "'%s' would get the token unencrypted: use https://",
			       q->url);
	return 0;
}

static size_t on_answer(char *p, size_t size, size_t n, void *ctx)
{
	struct sending *s = ctx;

	if (s->answer->body.n + size * n > HTTP_ANSWER_MAX) {
		s->too_large = true;
		return 0;
	}
	return buf_add(&s->answer->body, p, size * n) < 0 ? 0 : size * n;
}

static int add_header(struct sending *s, const char *name, const char *prefix,
		      const char *value, struct err *err)
{
	_free_ char *line = xasprintf("%s: %s%s", name, prefix, value);
	struct curl_slist *v;

	if (value[strcspn(value, "\r\n")])
		return err_set(err, EINVAL, "a line break in '%s'", name);
	v = s->curl.curl_slist_append(s->headers, line);
	if (!v)
		return err_set(err, ENOMEM, "no memory");
	s->headers = v;
	return 0;
}

static int set_up(struct sending *s, const struct http_request *q, struct err *err)
{
	int r = add_header(s, "Content-Type", "", q->type, err);

	/* A server that would say no says so at once. */
	if (r == 0)
		r = add_header(s, "Expect", "", "100-continue", err);
	if (r == 0 && q->encoding)
		r = add_header(s, "Content-Encoding", "", q->encoding, err);
	if (r == 0 && q->token)
		r = add_header(s, "Authorization", "Bearer ", q->token, err);
	if (r < 0)
		return r;
#define SET(option, value) s->curl.curl_easy_setopt(s->easy, option, value)
	SET(CURLOPT_ERRORBUFFER, s->why);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_URL, q->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDS, q->body.n ? q->body.p : "");
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
	SET(CURLOPT_HTTPHEADER, s->headers);
	SET(CURLOPT_WRITEFUNCTION, on_answer);
	SET(CURLOPT_WRITEDATA, s);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, (long)HTTP_STALL_S);
#undef SET
	return 0;
}

static int failure(const struct sending *s, CURLcode code, const char *url, struct err *err)
{
	int e = code == CURLE_OPERATION_TIMEDOUT ? ETIMEDOUT
		: code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
		  code == CURLE_COULDNT_RESOLVE_PROXY ? ECONNREFUSED
		: code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ? EINVAL
		: EPROTO;

	if (s->too_large)
		return err_set(err, EFBIG, "'%s' answers more than %u bytes", url,
			       HTTP_ANSWER_MAX);
	return err_set(err, e, "'%s' can't be reached: %s", url,
		       s->why[0] ? s->why : s->curl.curl_easy_strerror(code));
}

int http_post(const struct http_request *q, struct http_answer *ret, struct err *err)
{
	_cleanup_(sending_done) struct sending s = { .answer = ret };
	CURLcode code;
	int r = check_url(q, err);

	*ret = (struct http_answer){ .body = { .max = HTTP_ANSWER_MAX } };
	if (r == 0)
		r = libcurl_open(&s.curl, err);
	if (r < 0)
		return r;
	if (s.curl.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		s.easy = s.curl.curl_easy_init();
	if (!s.easy)
		return err_set(err, ENOMEM, "libcurl does not start");
	r = set_up(&s, q, err);
	if (r < 0)
		return r;
	code = s.curl.curl_easy_perform(s.easy);
	if (code != CURLE_OK) {
		buf_done(&ret->body);
		return failure(&s, code, q->url, err);
	}
	s.curl.curl_easy_getinfo(s.easy, CURLINFO_RESPONSE_CODE, &ret->status);
	return 0;
}
