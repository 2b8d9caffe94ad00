/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/refuse.h"

#include "base/json.h"

static const struct {
	int status;
	const char *title, *sentence;
} REFUSALS[] = {
	{ 400, "Not understood", "The address says what can't be." },
	{ 404, "No such page", "There is nothing at this address; the menu has what there is." },
	{ 405, "Not allowed", "Only GET and HEAD are answered here." },
	{ 410, "Removed", "This run was removed from the history; the tests it ran are still "
			  "known." },
	{ 414, "Address too long", "The address is longer than any that leads somewhere." },
	{ 416, "Out of range", "The log is shorter than that." },
	{ 500, "Something is wrong here", "The page can't be made; the server's log says why." },
	{ 503, "Too many at once", "As many as can be are following already; try again in a "
				   "while." },
};

static void json(struct http_request *q, int status, const char *sentence)
{
	_cleanup_(buf_done) struct buf b = {};
	struct json j;
	struct out o;

	out_to_buf(&o, &b);
	json_init(&j, &o, false);
	json_object(&j);
	json_field_str(&j, "error", str_of(sentence));
	json_end(&j);
	out_flush(&o);
	http_set(q, "Content-Type", STR("application/json"));
	http_reply(q, status, buf_str(&b));
}

void refuse_answer(const struct web_site *site, struct http_request *q, int status,
		   const char *sentence)
{
	_cleanup_(buf_done) struct buf b = {};
	struct out o;
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(REFUSALS) && REFUSALS[i].status != status)
		i++;
	sentence = sentence ? sentence : REFUSALS[i].sentence;
	http_set(q, "Cache-Control", STR("no-store"));
	if (str_starts(http_path(q), STR(API_PREFIX))) {
		json(q, status, sentence);
		return;
	}
	out_to_buf(&o, &b);
	web_error_page(site, http_depth(q), REFUSALS[i].title, sentence, &o);
	out_flush(&o);
	http_set(q, "Content-Type", STR("text/html; charset=utf-8"));
	http_reply(q, status, buf_str(&b));
}
