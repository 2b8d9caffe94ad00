/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Board: which computer QEMU emulates. A machine that is kept takes "pc", the only
 * one that can be given devices while it runs without a port for each. A cold boot
 * takes "microvm", which has next to nothing that a kernel must look for, where the
 * kernel has what that takes and a guest reached its agent on it, which is tried once
 * per QEMU, kernel and accelerator; else "q35". Inside this room only.
 */
#include "machine/qemu.h"

/* How long a trial may take to reach the agent, before q35 is tried. */
#define BOARD_TRIAL_MS 30000

/* The value of -machine; its stage, .config and accelerator are known.
 * Whether it is a trial is in m->board_trial. */
const char *board_choose(struct qemu *q);
/* The agent was reached: a trial, or the boot after one, has told something. */
void board_booted(struct machine *m, const char *vmm);
/* A boot ended before its hello, @how: whether it was a trial, and q35 is next. */
bool board_again(struct machine *m, const char *how);
