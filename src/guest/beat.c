/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

/* Kept open, with what the kernel reads them into: a guest that is out of
 * memory still has a pulse. */
static int proc_open(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The number behind @key in a file of "key[:] number" lines; 0 without one. */
static uint64_t proc_number(int fd, const char *key)
{
	char text[16384];
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
	size_t length = strlen(key);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) == 0)
			return strtoull(line + length, NULL, 10);
	}
	return 0;
}

void beat_init(struct beat *b)
{
	b->meminfo = proc_open("/proc/meminfo");
	b->vmstat = proc_open("/proc/vmstat");
	/* In namespaces these are the host's, and its past is not ours. */
	b->kills_before = proc_number(b->vmstat, "oom_kill ");
	b->due_ns = clock_ns(CLOCK_MONOTONIC);
}

bool beat_take(struct beat *b, struct proto_beat *ret)
{
	int64_t now = clock_ns(CLOCK_MONOTONIC);

	if (now < b->due_ns)
		return false;
	/* Not one for each second that was missed. */
	b->due_ns = now + PROTO_BEAT_MS * 1000000ll;
	beat_now(b, ret);
	return true;
}

void beat_now(struct beat *b, struct proto_beat *ret)
{
	struct sysinfo info;

	if (sysinfo(&info) < 0)
		memset(&info, 0, sizeof(info));
	*ret = (struct proto_beat){
		.uptime_ms = (uint64_t)clock_ns(CLOCK_BOOTTIME) / 1000000,
		.memory_kb = (uint64_t)info.totalram * info.mem_unit / 1024,
		.available_kb = proc_number(b->meminfo, "MemAvailable:"),
		.oom_kills = proc_number(b->vmstat, "oom_kill ") - b->kills_before,
		.processes = info.procs,
	};
	for (unsigned i = 0; i < 3; i++)
		ret->load[i] = (uint32_t)(info.loads[i] * 100 >> SI_LOAD_SHIFT);
}
