/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Chart: one test on one axis as a picture: above how often it failed, a step for
 * each stretch with one rate and the band of its 95 %; below every run in which
 * it was, and what it said. Along time, so that charts below each other compare.
 * A picture is drawn in 1000 steps of its width, and is as long as its exceptions.
 */
#include "judge/past.h"
#include "web/pages.h"

struct web_scale {
	int64_t from_ms, to_ms; /* from < to */
};

/* A scale of nothing fits nothing yet: { INT64_MAX, INT64_MIN }. */
void chart_widen(struct web_scale *s, int64_t ms);
void chart_heads(struct web_html *h, const struct web_scale *s); /* its months or years */
void chart_write(struct web_html *h, const struct web_scale *s, const struct judge_past *p);
/* Medians of the program's durations. Nothing, where none is known. */
void chart_times(struct web_html *h, const struct web_scale *s, const struct judge_past *p);
