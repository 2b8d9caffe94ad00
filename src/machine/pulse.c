/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/pulse.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

void pulse_begin(struct pulse *p, int64_t limit_ms, int64_t now_ms)
{
	*p = (struct pulse){
		.limit_ms = limit_ms ? limit_ms : PULSE_LIMIT_MS,
		.beat_ms = now_ms,
		.look_ms = now_ms,
		.cpu_ms = -1,
		.wait_ms = -1,
	};
}

void pulse_beat(struct pulse *p, int64_t now_ms)
{
	p->beats++;
	p->beat_ms = now_ms;
}

int64_t pulse_look(struct pulse *p, int64_t now_ms, int64_t wait_ms)
{
	int64_t late = now_ms - p->look_ms - PULSE_LOOK_MS;

	p->look_ms = now_ms;
	if (late > PULSE_LOOK_MS)
		p->beat_ms += late;
	if (p->beat_ms > now_ms)
		p->beat_ms = now_ms;
	/* What it waited for while it was well is not what keeps it now. */
	if (now_ms - p->beat_ms < 2 * PULSE_LOOK_MS || p->wait_ms < 0)
		p->wait_ms = wait_ms;
	if (!p->beats || p->limit_ms < 0 ||
	    pulse_left(p->limit_ms, wait_ms - p->wait_ms, now_ms - p->beat_ms) > 0)
		return 0;
	return now_ms - p->beat_ms;
}

int64_t pulse_cpu_ms(pid_t pid, char *ret_state)
{
	_free_ char *path = xasprintf("/proc/%d/stat", (int)pid), *line = NULL;
	uint64_t user, system;
	const char *at;
	char state;

	*ret_state = '\0';
	if (file_read_line(path, &line, NULL) < 0)
		return -1;
	/* proc(5): behind the name, which may hold anything: state, 10 fields, times. */
	at = strrchr(line, ')');
	if (!at || sscanf(at, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
			  &state, &user, &system) != 3)
		return -1;
	*ret_state = state;
	return (int64_t)((user + system) * 1000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* Of the thread that waited most; then of the processes that it has started. */
static int64_t wait_ms(pid_t pid, unsigned depth)
{
	_free_ char *dir = xasprintf("/proc/%d/task", (int)pid);
	DIR *d = opendir(dir);
	struct dirent *e;
	int64_t most = -1;

	while (d && (e = readdir(d))) {
		_free_ char *stat = xasprintf("%s/%s/schedstat", dir, e->d_name), *line = NULL;
		_free_ char *path = xasprintf("%s/%s/children", dir, e->d_name), *children = NULL;
		uint64_t ns;

		if (e->d_name[0] == '.' || file_read_line(stat, &line, NULL) < 0 ||
		    sscanf(line, "%*u %" SCNu64, &ns) != 1)
			continue;
		if ((int64_t)(ns / 1000000) > most)
			most = (int64_t)(ns / 1000000);
		if (!depth || file_read_line(path, &children, NULL) < 0)
			continue;
		for (char *at = children, *end; strtol(at, &end, 10) > 0; at = end) {
			int64_t ms = wait_ms((pid_t)strtol(at, NULL, 10), depth - 1);

			if (ms > most)
				most = ms;
		}
	}
	if (d)
		closedir(d);
	return most;
}

int64_t pulse_wait_ms(pid_t pid)
{
	/* A cage has a kernel below it, and that the guest's processes. */
	return wait_ms(pid, 2);
}

int64_t pulse_left(int64_t limit_ms, int64_t wait_ms, int64_t passed_ms)
{
	int64_t most = PULSE_WAIT_TIMES * limit_ms;

	return limit_ms + (wait_ms < 0 ? 0 : wait_ms < most ? wait_ms : most) - passed_ms;
}

uint64_t pulse_host_kills(void)
{
	_cleanup_(buf_done) struct buf b = {};
	const char *at;

	if (file_read("/proc/vmstat", 0, &b, NULL) < 0)
		return 0;
	at = strstr(buf_str(&b).p, "\noom_kill ");
	return at ? strtoull(at + 10, NULL, 10) : 0;
}
