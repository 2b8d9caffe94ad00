/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Ready machines: instead of a boot, a start from a machine that was kept when
 * it had booted (machine/snapshot.h) and was told nothing yet: it has no files,
 * no network, no name, and no command. Those devices are part of the machine
 * that starts from it, and the guest finds them by a scan of its bus; so one
 * that was kept fits every choice of root, shares and network. A stream may lack
 * a device that the machine has; only one that forbids migration (virtiofs) has
 * to be plugged in when it is over.
 *
 * The first boot of a kind makes it: boots, is kept, and is ended; then a
 * machine starts from it, as all that follow. Its console begins with what the
 * one that was kept had said. Whatever goes wrong with that is answered by a cold
 * boot, and only told with -v. For qemu.c only.
 */
#include "machine/qemu.h"

/* Decides how this boot goes: m->run.keep.stage, with what it needs. After
 * qemu_kernel(). Never fails: at worst it is a cold boot. */
void ready_choose(struct qemu *q);

/* QEMU's arguments for the memory, and the rest that a stage needs. */
void ready_args_memory(struct qemu *q);

/* These are in machine_ops. */
void ready_watched(struct machine *m);
void ready_monitored(struct machine *m, const char *name, const struct cJSON *data);
void ready_waiting(struct machine *m);
bool ready_again(struct machine *m, const char *how);
void ready_booted(struct machine *m);
