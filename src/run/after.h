/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * After: what a slot does when no test is left for its machine (run.h: run_after).
 * Private to run/.
 */
#include "run/slot.h"

/* Begins it, or what is next of it; at its end the machine goes. */
void after_begin(struct slot *s);
/* The machine's doings while no test runs. */
void after_output(struct slot *s, unsigned stream, struct str bytes);
void after_exited(struct slot *s, const struct machine_exit *e);
void after_deadline(struct slot *s);
/* The machine is gone. */
void after_done(struct slot *s);
