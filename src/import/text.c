/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

int import_file_read(const char *path, struct import_file *ret, struct err *err)
{
	struct stat st;

	*ret = (struct import_file){ .text.max = IMPORT_FILE_MAX };
	ret->path = realpath(path, NULL);
	if (!ret->path || stat(ret->path, &st) < 0)
		return err_sys(err, errno, "open '%s'", path);
	ret->name = path_base(ret->path);
	ret->time_ms = (int64_t)st.st_mtim.tv_sec * 1000;
	return file_read(ret->path, IMPORT_FILE_MAX, &ret->text, err);
}

void import_file_done(struct import_file *f)
{
	buf_done(&f->text);
	free(f->path);
}

void import_content_uid(struct buf *ret, const char *kind, const char *name, struct str text)
{
	char hash[17];
	struct str parts[2] = { str_of(name) };

	snprintf(hash, sizeof(hash), "%016" PRIx64, str_hash(text, STR_HASH_INIT));
	parts[1] = str_of(hash);
	import_uid(ret, kind, parts, 2);
}
