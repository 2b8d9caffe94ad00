/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Accel: which accelerator a virtual machine gets, and why. /dev/kvm may exist
 * and work and yet emulate every instruction, many times slower than QEMU's
 * own translator (TCG), or hang. So KVM counts only where it was seen to run
 * fast: a loop in a tiny guest, timed. The answer is kept for as long as the
 * host is up (boot_id).
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"

struct accel {
	const char *name; /* "kvm", "tcg" */
	char why[256];    /* a sentence */
	bool fresh;       /* measured just now, not remembered */
};

/* Loops per second below which TCG is the better choice; TCG does 0.2 G/s,
 * real hardware more than 1 G/s. */
#define ACCEL_KVM_MIN 500000000.0

/* @asked: "auto", "kvm", "tcg". "kvm" fails, with the reason, where it is not
 * to be trusted. @cache_dir may be NULL: nothing is remembered. */
int accel_choose(const char *asked, const char *cache_dir, const struct log *log,
		 struct accel *ret, struct err *err);
/* Returns 1 when KVM can be trusted, 0 when not; @why says so with figures. */
int accel_kvm(const char *cache_dir, char *why, size_t size, bool *ret_fresh);
