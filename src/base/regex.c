/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "base/mem.h"

struct regex {
	pcre2_code *code;
	pcre2_match_context *context;
	pcre2_match_data *data;
};

int regex_new(const char *pattern, struct regex **ret, size_t *ret_at, struct err *err)
{
	PCRE2_SIZE at = 0;
	int error;
	struct regex *r = xcalloc(1, sizeof(*r));

	r->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
				PCRE2_MULTILINE | PCRE2_NEVER_UTF, &error, &at, NULL);
	if (!r->code) {
		PCRE2_UCHAR text[128] = "not a pattern";

		pcre2_get_error_message(error, text, sizeof(text));
		if (ret_at)
			*ret_at = at;
		regex_free(r);
		return err_set(err, EINVAL, "%s", (const char *)text);
	}
	r->context = pcre2_match_context_create(NULL);
	r->data = pcre2_match_data_create(1, NULL);
	if (!r->context || !r->data)
		abort();
	pcre2_set_match_limit(r->context, REGEX_STEPS_MAX);
	pcre2_set_depth_limit(r->context, REGEX_DEPTH_MAX);
	pcre2_set_heap_limit(r->context, REGEX_HEAP_MAX);
	*ret = r;
	return 0;
}

int regex_match(struct regex *r, struct str s)
{
	int rc = pcre2_match(r->code, (PCRE2_SPTR)(s.p ? s.p : ""), s.n, 0, 0, r->data,
			     r->context);

	if (rc >= 0)
		return 1;
	return rc == PCRE2_ERROR_NOMATCH ? 0 : -E2BIG;
}

struct regex *regex_free(struct regex *r)
{
	if (r) {
		pcre2_match_data_free(r->data);
		pcre2_match_context_free(r->context);
		pcre2_code_free(r->code);
		free(r);
	}
	return NULL;
}
