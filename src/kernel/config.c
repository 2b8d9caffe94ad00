/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file.h"
#include "kernel/kernel.h"

char kernel_config_value(const char *config_path, const char *name)
{
	struct buf text = {};
	size_t n = strlen(name);
	struct str rest;
	char value = 'n';

	if (!config_path || file_read(config_path, 0, &text, NULL) < 0) {
		buf_done(&text);
		return '?';
	}
	for (rest = buf_str(&text); rest.n;) {
		struct str line = str_cut(&rest, '\n');

		if (!str_starts(line, STR("CONFIG_")))
			continue;
		line = str_from(line, strlen("CONFIG_"));
		if (line.n < n + 2 || memcmp(line.p, name, n) != 0 || line.p[n] != '=')
			continue;
		value = line.p[n + 1];
		if (line.n > n + 2 || (value != 'm' && value != 'n'))
			value = 'y';
		break;
	}
	buf_done(&text);
	return value;
}
