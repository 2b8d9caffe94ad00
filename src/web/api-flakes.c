/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests that fail sometimes: `taproom flakes --json`, and the API's. */
#include <inttypes.h>

#include "base/units.h"
#include "web/api.h"

static void json_cells(struct json *j, const struct judge_flake *x, const uint32_t *runs,
		       uint32_t n_runs)
{
	json_key(j, "runs");
	json_array(j);
	for (uint32_t i = 0; i < n_runs; i++) {
		uint8_t cell = judge_flake_cell(x, runs[i]);

		if (cell >= STATUS_N)
			json_null(j);
		else
			json_str(j, str_of(STATUS_INFO[cell].name));
	}
	json_end(j);
}

static void json_flake(struct json *j, const struct judge_flakes *f, const struct judge_flake *x,
		       const uint32_t *runs, uint32_t n_runs, const struct api_known *known)
{
	const struct judge_lane *l = x->s->lane;
	char date[UNIT_TEXT_MAX];

	json_object(j);
	json_field_str(j, "suite", l->suite);
	json_field_str(j, "program", l->program);
	json_field_str(j, "path", x->s->path);
	json_field_bool(j, "leaf", x->s->leaf);
	json_field_bool(j, "explained", x->explained);
	json_field_str(j, "mode", l->axis->mode);
	json_field_real(j, "rate", x->rate.rate);
	json_field_real(j, "low", x->rate.low);
	json_field_real(j, "high", x->rate.high);
	json_field_int(j, "failed", (int64_t)x->rate.k);
	json_field_int(j, "flaky", (int64_t)x->counts[STATUS_FLAKY]);
	json_field_int(j, "n", (int64_t)x->rate.n);
	if (l->at_least)
		json_field_bool(j, "at_least", true);
	json_field_int(j, "outages", x->outages);
	if (x->last != UINT32_MAX) {
		json_field_int(j, "last_run", f->runs[x->last].id);
		json_field_str(j, "last", str_of(date_rfc3339(f->runs[x->last].begin_ms, date)));
	}
	json_field_int(j, "red", x->cost.red);
	json_field_int(j, "alone", x->cost.alone);
	json_field_real(j, "share", x->cost.share);
	if (x->cost_ms >= 0)
		json_field_int(j, "cost_ms", x->cost_ms);
	json_field_int(j, "test", x->s->id);
	json_field_str(j, "key", x->s->key);
	if (known)
		known->tell(known->ctx, j, x->s);
	json_cells(j, x, runs, n_runs);
	json_end(j);
}

void api_flakes(struct json *j, const struct judge_flakes *f, const struct judge_flake *const *v,
		size_t n, const uint32_t *runs, uint32_t n_runs, const struct api_known *known)
{
	json_object(j);
	json_key(j, "runs");
	json_array(j);
	for (uint32_t i = 0; i < n_runs; i++)
		json_int(j, f->runs[runs[i]].id);
	json_end(j);
	json_field_int(j, "outages", (int64_t)f->n_outages);
	json_key(j, "flakes");
	json_array(j);
	for (size_t i = 0; i < n; i++)
		json_flake(j, f, v[i], runs, n_runs, known);
	json_end(j);
	json_end(j);
}
