/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Sequential: when a test has been repeated often enough. Pure.
 *
 * Whoever looks after every run and stops when it suits must not use an interval
 * made for a number of runs that was fixed before: it would be wrong far more often
 * than it says. What holds at every moment at once is a mixture of likelihoods
 * beside the likelihood of one rate p,
 *
 *   B(k + a, n - k + b) / B(a, b) / (p^k (1 - p)^(n - k)),
 *
 * which exceeds 1/e at any time with a chance of at most e when p is the rate
 * (Ville's inequality; H. Robbins, "Statistical Methods Related to the Law of the
 * Iterated Logarithm", Annals of Mathematical Statistics 41(5), 1970, section 2, has
 * it with a = b = 1, where it is 1 / ((n + 1) C(n, k) p^k (1 - p)^(n - k))). Here
 * a = b = 1/2, as in stat/rate.h.
 */
#include <stdint.h>

/* The logarithm of that. k <= n, 0 < p < 1, a > 0, b > 0. */
double stat_mixture_log(uint64_t k, uint64_t n, double p, double a, double b);

/* Whether a test that failed @k times of @n surely fails more often than @rate (1),
 * less often (-1), or whether that is open (0). May be asked after every run: over
 * all of them it is wrong with a chance of at most @error. 0 < rate, error < 1. */
int stat_sure(uint64_t k, uint64_t n, double rate, double error);

/*
 * How many passes in a row show that a commit does not have what made a test fail
 * @k times of @n: the chance that one which has it passes so often, its rate being
 * known as Beta(k + 1/2, n - k + 1/2) only, is at most @error. That chance is the
 * product over i < m of (b + i) / (a + b + i) (beta-binomial with no success; as
 * stat_beta_binomial_tail()'s source). At most @max, which it returns for more too.
 */
uint64_t stat_passes(uint64_t k, uint64_t n, double error, uint64_t max);
/* The chance itself, after @m passes. */
double stat_passes_error(uint64_t k, uint64_t n, uint64_t m);
