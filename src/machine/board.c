/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* It tells of its devices by ACPI, and of those behind PCI by a window only. */
static const struct need MICROVM[] = {
	{ "ACPI", NULL, "the devices of a microvm" },
	{ "PCI_MMCONFIG", NULL, "the devices of a microvm" },
};

static char *name_of(const struct machine *m, const char *vmm)
{
	const struct trial_pair pair = { vmm, m->config.image };
	bool kvm = strcmp(m->facts.accel, "kvm") == 0;

	return trial_name(kvm ? "microvm-kvm" : "microvm-tcg", &pair);
}

/* NULL: it can, as far as it is known without a boot. */
static const char *why_not(struct qemu *q, int known)
{
	const struct machine_config *c = &q->m->config;

	if (!q->guest.text.n)
		return "its .config is not known";
	if (!guest_kernel_has(&q->guest, MICROVM, ARRAY_SIZE(MICROVM)))
		return "it lacks CONFIG_ACPI or CONFIG_PCI_MMCONFIG";
	/* There is no timer to measure the clock by. */
	if (q->tcg && !q->tsc_khz)
		return "how fast this host's clock counts is not known";
	if (c->qemu_opts[0])
		return "what --qemu-opt adds is for a PC";
	/* What fails is to be blamed on one of them. */
	if (q->m->accel_trial)
		return "no guest has reached its agent on this kvm yet";
	if (q->m->board_failed || known == 0)
		return "it did not boot on a microvm";
	if (known < 0 && (c->once || c->gdb || !c->cache_dir))
		return "it was not tried on a microvm yet";
	return NULL;
}

const char *board_choose(struct qemu *q)
{
	struct machine *m = q->m;
	_free_ char *name = name_of(m, q->program);
	char how[sizeof(m->board_how)];
	const char *why;
	int known;

	m->board_trial = false;
	if (m->run.keep.stage != MACHINE_COLD)
		return "pc";
	known = trial_recall(m->config.cache_dir, name, how, sizeof(how));
	why = why_not(q, known);
	m->board_trial = !why && known < 0;
	log_debug(m->log, "board %s%s%s", why ? "q35" : "microvm", why ? ": " : "", why ? why : "");
	/* Timers and interrupt controllers of the first PCs are emulated at length, and
	 * nothing needs them. */
	return why ? "q35" : "microvm,auto-kernel-cmdline=off,pcie=on,pit=off,pic=off";
}

void board_booted(struct machine *m, const char *vmm)
{
	_free_ char *name = name_of(m, vmm);

	/* That a microvm is no good for this kernel is only known when q35 is. */
	if (m->board_trial || m->board_failed)
		trial_learn(m->config.cache_dir, name, m->board_trial,
			    m->board_trial ? "reached" : m->board_how);
	m->board_trial = false;
}

bool board_again(struct machine *m, const char *how)
{
	if (!m->board_trial)
		return false;
	m->board_trial = false;
	m->board_failed = true;
	snprintf(m->board_how, sizeof(m->board_how), "%s", how);
	log_debug(m->log, "a microvm did not boot: %s", how);
	return true;
}
