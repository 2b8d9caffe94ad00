/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast the time stamp counter runs: measured once a boot of the host, and kept. */
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "machine/tsc.h"
#include "tap.h"

/* What is in the cache before, behind the host's boot or another's. */
static const struct {
	const char *name, *text;
	bool here;     /* of this boot */
	unsigned want; /* 0: it is measured */
} KEPT[] = {
	{ "what was kept is taken", "1234567", true, 1234567 },
	{ "not what another boot kept", "1234567", false, 0 },
	{ "nor a number that can't be", "7", true, 0 },
	{ "nor what is none", "x", true, 0 },
};

int main(void)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *boot = NULL, *path = NULL;
	struct tap t = {};
	unsigned one, two, once;

	TAP_HEADER();
	dir_temp("/tmp", "taproom-tsc-", &dir, NULL);
	path = path_join(dir, "tsc-khz");
	one = tsc_khz(NULL);
	two = tsc_khz(NULL);
	ok(&t, one && abs((int)one - (int)two) < (int)(one / 500), "measured twice: %u and %u kHz",
	   one, two);
	once = tsc_khz(dir);
	is_int(&t, tsc_khz(dir), once, "with a cache, once");
	if (file_read_line("/proc/sys/kernel/random/boot_id", &boot, NULL) < 0)
		boot = xstrdup("?");
	for (size_t i = 0; i < ARRAY_SIZE(KEPT); i++) {
		_free_ char *text = xasprintf("%s %s\n", KEPT[i].here ? boot : "another",
					      KEPT[i].text);
		unsigned khz;

		file_write(path, str_of(text), 0644, NULL);
		khz = tsc_khz(dir);
		ok(&t, KEPT[i].want ? khz == KEPT[i].want
				    : abs((int)khz - (int)one) < (int)(one / 500),
		   "%s: %u", KEPT[i].name, khz);
	}
	return tap_done(&t);
}
