/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What changed: `taproom changes --json`, and the API's. */
#include "base/units.h"
#include "judge/together.h"
#include "web/api.h"

static void json_series(struct json *j, const char *key, const struct judge_series *s)
{
	json_key(j, key);
	json_object(j);
	api_series(j, s);
	json_end(j);
}

static const struct judge_run *run_at(const struct judge_run *runs, const struct judge_event *e,
				      uint32_t place)
{
	return judge_run_at(runs, e->axis, place);
}

static void json_event(struct json *j, const struct judge_event *e, const struct judge_run *runs,
		       const struct api_known *known)
{
	char date[UNIT_TEXT_MAX];

	json_object(j);
	json_field_str(j, "what", str_of(JUDGE_WHAT_NAMES[e->what]));
	json_field_bool(j, "suspect", e->suspect);
	json_field_str(j, "date", str_of(date_rfc3339(e->ms, date)));
	api_axis(j, e->axis);
	if (e->series)
		api_series(j, e->series);
	if (e->came)
		json_series(j, "into", e->came);
	api_run(j, e->what == JUDGE_OUTAGE ? "first" : "behind", run_at(runs, e, e->last));
	api_run(j, e->what == JUDGE_OUTAGE ? "last" : "up_to", run_at(runs, e, e->run));
	if (e->what <= JUDGE_SKIPS) {
		api_run(j, "behind_99", run_at(runs, e, e->low_last));
		api_run(j, "up_to_99", run_at(runs, e, e->high));
		api_rate(j, "before", &e->before);
		api_rate(j, "after", &e->after);
	}
	if (e->what == JUDGE_VANISHED || e->what == JUDGE_DID_NOT_RUN)
		json_field_int(j, "missed", e->missed);
	if (e->what == JUDGE_RENAMED) {
		_cleanup_(buf_done) struct buf confirm = {};

		judge_rename_command(e, &confirm);
		json_field_real(j, "score", e->score);
		json_field_str(j, "confirm", buf_str(&confirm));
	}
	if (known && e->series)
		known->tell(known->ctx, j, e->series);
	if (e->what == JUDGE_OUTAGE) {
		json_field_int(j, "failures", e->failures);
		json_field_real(j, "expected", e->expected);
	}
	if (e->what == JUDGE_OUTAGE || e->missed)
		json_field_real(j, "chance", e->chance);
	json_end(j);
}

void api_changes(struct json *j, const struct judge_events *e, const struct judge_run *runs,
		 size_t max, const struct api_known *known)
{
	size_t i = 0;

	json_object(j);
	json_key(j, "changes");
	json_array(j);
	for (size_t told = 0; i < e->n && told < max; told++) {
		struct judge_group g = judge_group_next(e, i);

		for (size_t k = 0; k < g.n; k++)
			json_event(j, &g.v[k], runs, known);
		i += g.n;
	}
	json_end(j);
	json_end(j);
}
