/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/trial.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"

static uint64_t identity(uint64_t hash, const char *path)
{
	struct stat st = {};
	uint64_t facts[4];

	hash = str_hash(str_of(path), hash);
	if (stat(path, &st) == 0) {
		facts[0] = (uint64_t)st.st_ino;
		facts[1] = (uint64_t)st.st_size;
		facts[2] = (uint64_t)st.st_mtim.tv_sec;
		facts[3] = (uint64_t)st.st_mtim.tv_nsec;
		hash = str_hash(str_n((const char *)facts, sizeof(facts)), hash);
	}
	return hash;
}

char *trial_name(const char *what, const struct trial_pair *pair)
{
	uint64_t hash = identity(identity(STR_HASH_INIT, pair->vmm), pair->image);

	return xasprintf("%s-%016llx", what, (unsigned long long)hash);
}

static char *boot_id(void)
{
	char *boot = NULL;

	return file_read_line("/proc/sys/kernel/random/boot_id", &boot, NULL) < 0 ?
	       xstrdup("?") : boot;
}

/* The file: boot_id, a blank, 0 or 1, a blank, the sentence. */
int trial_recall(const char *cache_dir, const char *name, char *why, size_t size)
{
	_free_ char *path = cache_dir ? path_join(cache_dir, name) : NULL;
	_free_ char *boot = boot_id(), *line = NULL;
	size_t n = strlen(boot);

	if (!path || file_read_line(path, &line, NULL) < 0 || strncmp(line, boot, n) != 0 ||
	    strlen(line) < n + 4 || line[n] != ' ' || (line[n + 1] != '0' && line[n + 1] != '1'))
		return -ENOENT;
	snprintf(why, size, "%s", line + n + 3);
	return line[n + 1] == '1';
}

void trial_learn(const char *cache_dir, const char *name, bool good, const char *why)
{
	_free_ char *path = cache_dir ? path_join(cache_dir, name) : NULL;
	_free_ char *boot = boot_id();
	_free_ char *text = xasprintf("%s %d %s\n", boot, good, why);

	if (path && dir_make(cache_dir, NULL) == 0)
		file_write(path, str_of(text), 0644, NULL);
}
