/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/accel.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"

#define PROBE_NS       20000000ll /* enough to tell 1 M from 1 G */
#define PROBE_LIMIT_MS 2000
#define LOOPS          65535      /* between two exits */
#define GUEST_SIZE     4096

/*
 * A guest of ten bytes in real mode at address 0:
 *   again: mov cx, 0xffff
 *   loop:  dec cx
 *          jnz loop
 *          out 0x10, al   ; we get control
 *          jmp again
 */
static const unsigned char CODE[] = { 0xb9, 0xff, 0xff, 0x49, 0x75, 0xfd,
				      0xe6, 0x10, 0xeb, 0xf6 };

/* What the child found. */
struct probe {
	double rate;     /* loops per second */
	int error;       /* errno, of .what */
	char what[32];
};

static int failed(struct probe *p, const char *what)
{
	p->error = errno;
	snprintf(p->what, sizeof(p->what), "%s", what);
	return 0;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int count_loops(int cpu, const struct kvm_run *run, struct probe *p)
{
	int64_t begin = now_ns(), ns;
	double loops = 0;

	do {
		if (ioctl(cpu, KVM_RUN, 0) < 0)
			return failed(p, "KVM_RUN");
		if (run->exit_reason != KVM_EXIT_IO) {
			errno = EIO;
			return failed(p, "the guest's exit");
		}
		loops += LOOPS;
		ns = now_ns() - begin;
	} while (ns < PROBE_NS);
	p->rate = loops * 1e9 / (double)ns;
	return 0;
}

/* In a child: it may hang, and everything it opens ends with it. */
static int probe_kvm(void *result)
{
	struct probe *p = result;
	struct kvm_userspace_memory_region memory = { .memory_size = GUEST_SIZE };
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rflags = 2 };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, cpu, size;
	void *ram, *run;

	if (kvm < 0)
		return failed(p, "open");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		return failed(p, "KVM_CREATE_VM");
	ram = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ram == MAP_FAILED)
		return failed(p, "mmap");
	memcpy(ram, CODE, sizeof(CODE));
	memory.userspace_addr = (uintptr_t)ram;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &memory) < 0)
		return failed(p, "KVM_SET_USER_MEMORY_REGION");
	cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (cpu < 0 || size < (int)sizeof(struct kvm_run))
		return failed(p, "KVM_CREATE_VCPU");
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
	if (run == MAP_FAILED || ioctl(cpu, KVM_GET_SREGS, &sregs) < 0)
		return failed(p, "KVM_GET_SREGS");
	sregs.cs.base = sregs.cs.selector = 0;
	if (ioctl(cpu, KVM_SET_SREGS, &sregs) < 0 || ioctl(cpu, KVM_SET_REGS, &regs) < 0)
		return failed(p, "KVM_SET_REGS");
	return count_loops(cpu, run, p);
}

static int judge(char *why, size_t size)
{
	struct probe p = {};
	int r = proc_call(probe_kvm, &p, sizeof(p), PROBE_LIMIT_MS, NULL);

	if (r == -ETIMEDOUT)
		snprintf(why, size, "/dev/kvm hangs: a loop of %d took more than %d s", LOOPS,
			 PROBE_LIMIT_MS / 1000);
	else if (r < 0)
		snprintf(why, size, "/dev/kvm can't be tried: %s", strerror(-r));
	else if (p.error)
		snprintf(why, size, "/dev/kvm does not work: %s: %s", p.what,
			 strerror(p.error));
	else if (p.rate < ACCEL_KVM_MIN)
		snprintf(why, size, "/dev/kvm is slow: %.1f million loops/s, and only from "
			 "%.0f on is it faster than tcg", p.rate / 1e6, ACCEL_KVM_MIN / 1e6);
	else
		snprintf(why, size, "/dev/kvm runs %.0f million loops/s", p.rate / 1e6);
	return r == 0 && !p.error && p.rate >= ACCEL_KVM_MIN;
}

int accel_kvm(const char *cache_dir, char *why, size_t size, bool *ret_fresh)
{
	int r;

	*ret_fresh = false;
	/* What a look tells needs no memory: it may change at any time. */
	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		snprintf(why, size, errno == ENOENT
				 ? "there is no /dev/kvm"
				 : "/dev/kvm may not be opened: add yourself to group kvm");
		return 0;
	}
	r = trial_recall(cache_dir, "kvm-probe", why, size);
	if (r >= 0)
		return r;
	r = judge(why, size);
	*ret_fresh = true;
	trial_learn(cache_dir, "kvm-probe", r, why);
	return r;
}

void accel_learn(const char *cache_dir, const struct trial_pair *pair, bool reached,
		 const char *why)
{
	_free_ char *name = trial_name("kvm-trial", pair);

	trial_learn(cache_dir, name, reached, reached ? "reached" : why);
}

int accel_tried(const char *cache_dir, const struct trial_pair *pair, struct accel *a)
{
	_free_ char *name = trial_name("kvm-trial", pair);
	char why[sizeof(a->why)];
	size_t n = strlen(a->why);
	int r = trial_recall(cache_dir, name, why, sizeof(why));

	a->trial = r < 0;
	if (r == 0)
		snprintf(a->why, sizeof(a->why), "kvm did not boot this kernel: %.200s",
			 why);
	else if (r > 0)
		snprintf(a->why + n, sizeof(a->why) - n, "; a guest reached its agent on it");
	return r != 0;
}

int accel_choose(const char *asked, const char *cache_dir, const struct trial_pair *pair,
		 const struct log *log, struct accel *ret, struct err *err)
{
	bool good;

	*ret = (struct accel){ .name = "tcg" };
	if (strcmp(asked, "tcg") == 0) {
		snprintf(ret->why, sizeof(ret->why), "asked for");
		return 0;
	}
	if (strcmp(asked, "kvm") != 0 && strcmp(asked, "auto") != 0)
		return err_set(err, EINVAL, "no accelerator '%s'; there are auto, kvm and tcg",
			       asked);
	good = accel_kvm(cache_dir, ret->why, sizeof(ret->why), &ret->fresh);
	if (good && pair)
		good = accel_tried(cache_dir, pair, ret) != 0;
	if (good)
		ret->name = "kvm";
	else if (strcmp(asked, "kvm") == 0)
		return err_set(err, ENODEV, "%s; --accel auto takes tcg then", ret->why);
	if (ret->fresh)
		log_info(log, "accelerator %s: %s", ret->name, ret->why);
	else
		log_debug(log, "accelerator %s: %s", ret->name, ret->why);
	return 0;
}
