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
 * The highest rate that it surely exceeds, after @k failures of @n: the true one is
 * below that with a chance of at most @error, whenever that is asked. 0 where k is 0.
 */
double stat_surely_more(uint64_t k, uint64_t n, double error);

/*
 * How many passes in a row show that a commit does not have what makes a test fail at
 * @rate, or more often: the least m for which (1 - rate)^m <= @error; at least 1, at most
 * @max, which it returns for more too. 0 < rate <= 1.
 */
uint64_t stat_passes(double rate, double error, uint64_t max);
