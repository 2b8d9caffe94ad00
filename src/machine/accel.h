/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Accel: which accelerator a virtual machine gets, and why. /dev/kvm may exist
 * and work and yet emulate every instruction, many times slower than QEMU's
 * own translator (TCG), or hang. So KVM counts only where it was seen to run
 * fast: a loop in a tiny guest, timed; and where a guest then reached its agent,
 * which is tried once per VMM and kernel, with a short deadline. The answers are
 * kept for as long as the host is up (boot_id).
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "machine/trial.h"

struct accel {
	const char *name; /* "kvm", "tcg" */
	char why[256];    /* a sentence */
	bool fresh;       /* measured just now, not remembered */
	bool trial;       /* kvm, and no guest has reached its agent on it yet */
};

/* How long a trial may take to reach the agent: on hardware it is a second. */
#define ACCEL_TRIAL_MS 2500

/* Loops per second below which TCG is the better choice; TCG does 0.2 G/s,
 * real hardware more than 1 G/s. */
#define ACCEL_KVM_MIN 500000000.0

/* @asked: "auto", "kvm", "tcg". "kvm" fails, with the reason, where it is not
 * to be trusted. @cache_dir may be NULL: nothing is remembered. @pair may be
 * NULL: only the host is judged. */
int accel_choose(const char *asked, const char *cache_dir, const struct trial_pair *pair,
		 const struct log *log, struct accel *ret, struct err *err);
/* How a trial ended: @reached its agent, or not, and then @why in a sentence. */
void accel_learn(const char *cache_dir, const struct trial_pair *pair, bool reached,
		 const char *why);
/* Adds what was learnt of @pair to @a, of a host whose KVM is good: a sentence,
 * or that the next boot is the trial. Returns 0 where no guest reached its agent. */
int accel_tried(const char *cache_dir, const struct trial_pair *pair, struct accel *a);
/* Returns 1 when KVM can be trusted, 0 when not; @why says so with figures. */
int accel_kvm(const char *cache_dir, char *why, size_t size, bool *ret_fresh);
