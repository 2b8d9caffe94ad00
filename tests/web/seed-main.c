/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * web-seed SITE RUNS STORE [hostile]: a store in the directory STORE, and a site exported
 * from it; SITE "": the store alone.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "seed.h"
#include "web/web.h"

static int site(struct store *store, const char *dir, struct err *err)
{
	struct web_exported done;
	struct web_site *site = NULL;
	int r = web_site_new(store, "0", 0, &site, err);

	if (r >= 0)
		r = web_export(site, dir, false, &done, err);
	web_site_free(site);
	return r;
}

int main(int argc, char **argv)
{
	_free_ char *path = NULL;
	struct store *store = NULL;
	struct err err = {};
	int r;

	if (argc < 4) {
		fprintf(stderr, "usage: web-seed SITE RUNS STORE [hostile]\n");
		return 2;
	}
	path = path_join(argv[3], "history.db");
	r = store_open(path, STORE_WRITE, &store, &err);
	if (r >= 0)
		r = seed_store(store, argv[3], (unsigned)strtoul(argv[2], NULL, 10), argc > 4,
			       &err);
	if (r >= 0 && argv[1][0])
		r = site(store, argv[1], &err);
	store_close(store);
	if (r < 0)
		fprintf(stderr, "web-seed: %s\n", err.text);
	return r < 0;
}
