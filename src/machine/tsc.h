/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tsc: how fast this host's time stamp counter runs, which is a guest's under
 * tcg too. A guest measures it against emulated timers, which a host with other
 * things to do runs late: so it is told (tsc_early_khz, kernel-parameters.txt).
 * No door, for this room.
 */

/* In kHz, to some parts in a million; measured once per boot of the host, in 20
 * ms, and kept in @cache_dir (may be NULL). 0: it can't be told. */
unsigned tsc_khz(const char *cache_dir);
