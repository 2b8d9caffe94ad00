/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/words.h"

#include "base/file.h"
#include "base/mem.h"
#include "machine/modules.h"

#define CONFIG_MAX (4u << 20)

static bool has(const struct machine_config *c, const char *option)
{
	_cleanup_(buf_done) struct buf text = {};

	return c->config && file_read(c->config, CONFIG_MAX, &text, NULL) == 0 &&
	       kconfig_value(buf_str(&text), option) == 'y';
}

void machine_words(const struct machine_config *c, const char *ret[static MACHINE_WORDS_MAX])
{
	unsigned n = 0;

	/* Self-tests of ciphers: a third of a second of each boot. */
	ret[n++] = "cryptomgr.notests";
	/* KASAN tells its first report alone else, and a later test passes. */
	if (has(c, "KASAN"))
		ret[n++] = "kasan_multi_shot";
	ret[n] = NULL;
}
