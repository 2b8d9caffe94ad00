/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each of Debian's kernels that is in the cache, generic and cloud, of each version:
 * what they have built in, as modules and not at all differs, and so does the way in
 * which they see the host's files.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "bench.h"

/* A boot, to be kept, then one that starts from it. */
static void test_boot(struct bench *b, const struct machine_share *share)
{
	struct machine_config c = { .shares = share, .n_shares = 1 };
	_free_ char *path = path_join(share->dir, "from-guest");
	_free_ char *script = xasprintf("uname -r; echo out > %s && touch /usr/mine && "
					"modprobe -n loop && cat /etc/hostname > /dev/null", path);
	_free_ char *want = xasprintf("%s\n", b->kernel.release);
	_cleanup_(buf_done) struct buf got = {};
	struct machine_facts f;

	if (!ok(b->tap, bench_boot(b, "qemu", &c), "%s boots", b->kernel.release))
		return;
	machine_facts(b->m, &f);
	ok(b->tap, f.ready, "- from a ready machine%s%s", f.cold[0] ? ", not: " : "", f.cold);
	bench_shell(b, script);
	is_int(b->tap, bench_code(b), 0, "- a command that uses its files");
	is_str(b->tap, bench_text(&b->out), want, "- is on it");
	ok(b->tap, file_read(path, 100, &got, NULL) == 0 && str_eq(buf_str(&got), STR("out\n")),
	   "- what it shares is here");
	ok(b->tap, !file_exists("/usr/mine"), "- what else it writes is not");
	bench_stop(b);
	is_int(b->tap, b->how, MACHINE_STOPPED, "- and stops");
	unlink(path);
}

int main(void)
{
	struct tap t = {};
	struct kernel kernel;
	size_t n = 0;

	TAP_HEADER();
	for (; geteuid() == 0 && bench_kernel_of_debian(n, &kernel); n++) {
		struct machine_share share = { .rw = true };
		_free_ char *shared = NULL;
		struct bench b;

		bench_init(&b, &t, &kernel);
		share.dir = shared = path_join(b.work, "share");
		mkdir(shared, 0755);
		test_boot(&b, &share);
		b.m = machine_free(b.m);
		bench_done(&b);
		kernel_done(&kernel);
	}
	if (n == 0)
		ok(&t, true, "kernels # SKIP %s", geteuid() ? "needs root" : "none in the cache");
	else
		kernel_done(&kernel);
	return tap_done(&t);
}
