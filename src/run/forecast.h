/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Forecast: when machines that each take the longest test that is left will be done
 * (LPT, Graham, "Bounds on Multiprocessing Timing Anomalies", SIAM J. Appl. Math.
 * 17(2), 1969: at most 4/3 - 1/(3 m) times the best). Pure.
 */
#include <stddef.h>
#include <stdint.h>

/* @ms: how long each test takes; sorted by it, the longest first. @machines >= 1. */
int64_t run_forecast(int64_t *ms, size_t n, unsigned machines);
/* Nobody can be done before that: the longest one, or an equal share. */
int64_t run_forecast_ideal(const int64_t *ms, size_t n, unsigned machines);
