/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The finder of splats alone, on files: how many it finds. Compare its user time
 * with that of wc -l on the same file.
 *
 *	build/bench/generate console 100 >quiet.log
 *	perf stat -r 10 build/bench/console quiet.log; perf stat -r 10 wc -l quiet.log
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "tap/console.h"

#define CHUNK 65536

static void on_splat(void *ctx, const struct event *ev)
{
	++*(uint64_t *)ctx;
}

int main(int argc, char **argv)
{
	_free_ char *chunk = xmalloc(CHUNK);

	for (int i = 1; i < argc; i++) {
		uint64_t splats = 0;
		struct console *c = console_new((struct event_sink){ on_splat, &splats });
		int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
		ssize_t n;

		if (fd < 0) {
			perror(argv[i]);
			return 1;
		}
		while ((n = read(fd, chunk, CHUNK)) > 0)
			console_feed(c, chunk, (size_t)n);
		console_end(c);
		console_free(c);
		close(fd);
		printf("%s: %" PRIu64 " splats\n", argv[i], splats);
	}
	return 0;
}
