/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Filter: the form above the grid. A server answers it; among files a script
 * filters what is in the page, and without one the form is not shown.
 */
#include "web/grid.h"

void filter_write(struct grid *g);
