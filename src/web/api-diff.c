/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two runs or ranges: `taproom diff --json`, and the API's. */
#include "web/api.h"

static void json_side(struct json *j, const char *key, const struct judge_run *runs,
		      const struct judge_side *x)
{
	json_key(j, key);
	json_object(j);
	api_run(j, "first", &runs[x->from]);
	api_run(j, "last", &runs[x->to - 1]);
	json_end(j);
}

static void json_tally(struct json *j, const char *key, const struct judge_tally *t)
{
	json_key(j, key);
	json_object(j);
	json_field_str(j, "did", str_of(JUDGE_DID_NAMES[t->did]));
	json_field_int(j, "failed", t->failed);
	json_field_int(j, "n", judge_tally_n(t));
	json_end(j);
}

static void json_test(struct json *j, const struct judge_compared_test *x,
		      const struct api_known *known)
{
	_cleanup_(buf_done) struct buf words = {};

	json_object(j);
	json_field_str(j, "what", str_of(JUDGE_DIFFERS[x->d.what].name));
	api_axis(j, x->d.s->lane->axis);
	api_series(j, x->d.s);
	json_tally(j, "a", &x->d.t[JUDGE_SIDE_A]);
	json_tally(j, "b", &x->d.t[JUDGE_SIDE_B]);
	if (known && x->d.what == JUDGE_FAILS)
		known->tell(known->ctx, j, x->d.s);
	if (x->d.what == JUDGE_FAILS) {
		stat_mine_tell(&x->test, &x->mine, &words);
		json_key(j, "mine");
		json_object(j);
		json_field_str(j, "says", str_of(JUDGE_SAYS[x->mine.says]));
		json_field_real(j, "chance", x->mine.chance);
		if (x->mine.any > 0)
			json_field_real(j, "chance_any", x->mine.any);
		api_rate(j, "before", &x->test.before);
		json_field_str(j, "words", buf_str(&words));
		json_end(j);
	}
	json_end(j);
}

void api_diff(struct json *j, const struct judge_compared *d, const struct judge_run *runs,
	      const struct judge_side side[JUDGE_SIDES], const struct api_known *known)
{
	json_object(j);
	json_side(j, "a", runs, &side[JUDGE_SIDE_A]);
	json_side(j, "b", runs, &side[JUDGE_SIDE_B]);
	json_key(j, "differences");
	json_array(j);
	for (size_t i = 0; i < d->n; i++)
		json_test(j, &d->v[i], known);
	json_end(j);
	json_key(j, "together");
	json_array(j);
	for (size_t i = 0; i < d->n_joints; i++) {
		json_object(j);
		api_axis(j, d->joints[i].axis);
		json_field_str(j, "says", str_of(JUDGE_SAYS[d->joints[i].j.says]));
		json_field_real(j, "chance", d->joints[i].j.chance);
		json_field_int(j, "failing", d->joints[i].j.failing);
		json_end(j);
	}
	json_end(j);
	json_key(j, "unchanged");
	json_object(j);
	for (unsigned i = JUDGE_DID_ABSENT + 1; i < JUDGE_DID_N; i++)
		json_field_int(j, JUDGE_DID_NAMES[i], (int64_t)d->found.same[i]);
	json_end(j);
	json_end(j);
}
