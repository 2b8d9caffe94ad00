/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What events are as JSON, for the formats that are JSON: each function writes
 * the members of an object that is open. A member that says nothing is left away.
 */
#include "base/json.h"
#include "tap/event.h"

void event_json_text(struct json *j, const char *key, struct str s); /* empty: nothing */
void event_json_time(struct json *j, const char *key, int64_t ms);   /* RFC 3339; 0: nothing */
/* @log: with its range of the log. */
void event_json_result(struct json *j, const struct event_result *r, bool log);
/* Of which job and program it is: their numbers, where it has them. */
void event_json_place(struct json *j, const struct event *ev);
void event_json_problem(struct json *j, const struct event_problem *p);
void event_json_excuse(struct json *j, const char *key, const struct event_excuse *e);
/* What a splat is known by; and all the rest of it. */
void event_json_splat(struct json *j, const struct event_splat *s);
void event_json_splat_details(struct json *j, const struct event_splat *s);
void event_json_job(struct json *j, const struct event_job *e);     /* of its begin */
void event_json_run(struct json *j, const struct event_run *e);     /* of its begin */
void event_json_run_end(struct json *j, const struct event_run *e);
