/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int library_open(struct library *l, const char *file, const char *package, void *table,
		 const struct library_function *functions, size_t n, struct err *err)
{
	/* Some leave functions for exit() behind, others threads: none is ever
	 * unmapped. */
	void *handle = dlopen(file, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);

	l->handle = NULL;
	if (!handle)
		return err_set(err, ENOENT, "library '%s' can't be loaded (%s): install %s", file,
			       dlerror(), package);
	for (size_t i = 0; i < n; i++) {
		void *function = dlsym(handle, functions[i].name);

		if (!function) {
			dlclose(handle);
			return err_set(err, ENOSYS, "library '%s' has no '%s': update %s", file,
				       functions[i].name, package);
		}
		memcpy((char *)table + functions[i].offset, &function, sizeof(function));
	}
	l->handle = handle;
	return 0;
}

void library_close(struct library *l)
{
	if (l->handle)
		dlclose(l->handle);
	l->handle = NULL;
}
