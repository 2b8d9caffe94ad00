/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a fuzz target on files and directories of files, without a fuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Of targets that need something: not 0 where it is not there. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static void replay_file(struct tap *t, const char *path)
{
	struct buf b = {};
	struct err err = {};

	if (file_read(path, 0, &b, &err) < 0) {
		ok(t, false, "%s", err.text);
	} else {
		/* Exactly as large as the input: an overrun is seen. */
		uint8_t *copy = xmalloc(b.n);

		if (b.n)
			memcpy(copy, b.p, b.n);
		LLVMFuzzerTestOneInput(copy, b.n);
		free(copy);
		ok(t, true, "%s", path_base(path));
	}
	buf_done(&b);
}

static void replay(struct tap *t, const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);

	if (n < 0) {
		replay_file(t, path);
		return;
	}
	for (int i = 0; i < n; i++) {
		_free_ char *file = path_join(path, names[i]->d_name);

		if (names[i]->d_name[0] != '.')
			replay_file(t, file);
		free(names[i]);
	}
	free(names);
}

int main(int argc, char **argv)
{
	struct tap t = {};

	if (LLVMFuzzerInitialize && LLVMFuzzerInitialize(&argc, &argv))
		skip_all("what this target needs is not installed");
	TAP_HEADER();
	for (int i = 1; i < argc; i++)
		replay(&t, argv[i]);
	return tap_done(&t);
}
