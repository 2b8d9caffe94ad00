/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a machine can end: every end has a name. */
#include <errno.h>

#include "base/mem.h"
#include "machine/machine.h"

#define GUEST MACHINE_BLAME_GUEST
#define HOST  MACHINE_BLAME_HOST

const struct machine_end MACHINE_ENDS[MACHINE_DEATHS] = {
	[MACHINE_STOPPED] = { "stopped", "ended as it was asked to", NULL, MACHINE_BLAME_NONE },
	[MACHINE_BOOT_FAILED] = { "no-boot", "the machine did not boot",
		"read its console: taproom log RUN --console; check the kernel's configuration",
		HOST },
	[MACHINE_PANICKED] = { "panic", "the guest's kernel panicked",
		"read the trace: taproom log RUN --console; keep its memory with --dump", GUEST },
	[MACHINE_OOPSED] = { "oops", "the guest's kernel died of an oops",
		"read the trace: taproom log RUN --console; keep its memory with --dump", GUEST },
	[MACHINE_HUNG] = { "hang", "the guest gave no sign of life",
		"its console ends with where its tasks were, if it still could say; look into it "
		"with --gdb", GUEST },
	[MACHINE_SILENT] = { "silent", "a test said nothing for too long, the guest was alive",
		"its console has where its tasks waited; --silent-timeout is how long it may",
		GUEST },
	[MACHINE_GUEST_MEMORY] = { "guest-oom", "the guest was out of memory",
		"give it more with --memory", GUEST },
	[MACHINE_POWERED_OFF] = { "powered-off", "the guest powered itself off, or rebooted",
		"find out who does that; a test must not", GUEST },
	[MACHINE_KILLED] = { "killed", "the machine's process was killed by a signal",
		"find out who does that: dmesg, the limits of this session", HOST },
	[MACHINE_VANISHED] = { "vmm-died", "the machine's process, or one that it needs, ended",
		"run it with -vv: what it said is there", HOST },
	[MACHINE_HOST_MEMORY] = { "host-oom", "the host was out of memory",
		"less --memory, fewer --jobs", HOST },
	[MACHINE_HOST_DISK] = { "host-disk", "a disk of the host was full",
		"free some space; TMPDIR and XDG_CACHE_HOME move what is written", HOST },
	[MACHINE_DEADLINE] = { "deadline", "the time was over, and it had to be taken away",
		"--test-timeout and --timeout are how long it may take", GUEST },
	[MACHINE_PROTOCOL] = { "protocol", "the guest's agent spoke garbage",
		"a test has written to the agent's port, or the guest's memory is damaged", HOST },
};

int machine_end_find(struct str word, enum machine_death *ret)
{
	for (unsigned i = 0; i < MACHINE_DEATHS; i++)
		if (str_eq(word, str_of(MACHINE_ENDS[i].word))) {
			*ret = (enum machine_death)i;
			return 1;
		}
	return 0;
}

enum machine_death machine_end_of_error(int error)
{
	static const struct {
		int error;
		enum machine_death how;
	} ERRORS[] = {
		{ ENOSPC, MACHINE_HOST_DISK },	 { EDQUOT, MACHINE_HOST_DISK },
		{ EFBIG, MACHINE_HOST_DISK },	 { ENOMEM, MACHINE_HOST_MEMORY },
		{ EAGAIN, MACHINE_HOST_MEMORY }, /* no more processes */
	};

	for (size_t i = 0; i < ARRAY_SIZE(ERRORS); i++)
		if (error == -ERRORS[i].error)
			return ERRORS[i].how;
	return MACHINE_BOOT_FAILED;
}
