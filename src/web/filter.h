/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Filter: the form above a grid, flakes or a matrix. A server answers it; among files a script
 * filters what is in the page, and without one the form is not shown.
 */
#include "web/grid.h"

#define FILTER_MACHINES 30 /* bits of a script's number */

void filter_write(struct grid *g);
void filter_matrix_write(struct web_html *h);
/* In the order in which the history has them; further ones can't be chosen. */
unsigned filter_machines(const struct web_history *h, struct str ret[static FILTER_MACHINES]);
