/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/pulse.h"

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
	};
}

void pulse_beat(struct pulse *p, int64_t now_ms)
{
	p->beats++;
	p->beat_ms = now_ms;
}

int64_t pulse_look(struct pulse *p, int64_t now_ms)
{
	int64_t late = now_ms - p->look_ms - PULSE_LOOK_MS;

	p->look_ms = now_ms;
	if (late > PULSE_LOOK_MS)
		p->beat_ms += late;
	if (p->beat_ms > now_ms)
		p->beat_ms = now_ms;
	if (!p->beats || p->limit_ms < 0 || now_ms - p->beat_ms < p->limit_ms)
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

uint64_t pulse_host_kills(void)
{
	_cleanup_(buf_done) struct buf b = {};
	const char *at;

	if (file_read("/proc/vmstat", 0, &b, NULL) < 0)
		return 0;
	at = strstr(buf_str(&b).p, "\noom_kill ");
	return at ? strtoull(at + 10, NULL, 10) : 0;
}
