/* SPDX-License-Identifier: GPL-2.0-or-later */
/* web-seed SITE RUNS [hostile]: an exported site for the browser tests. */
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
		r = web_export(site, dir, &done, err);
	web_site_free(site);
	return r;
}

int main(int argc, char **argv)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL;
	struct store *store = NULL;
	struct err err = {};
	int r;

	if (argc < 3) {
		fprintf(stderr, "usage: web-seed SITE RUNS [hostile]\n");
		return 2;
	}
	r = dir_temp("/tmp", "taproom-seed-", &dir, &err);
	if (r < 0) {
		fprintf(stderr, "web-seed: %s\n", err.text);
		return 1;
	}
	path = path_join(dir, "history.db");
	r = store_open(path, STORE_WRITE, &store, &err);
	if (r >= 0)
		r = seed_store(store, dir, (unsigned)strtoul(argv[2], NULL, 10), argc > 3,
			       &err);
	if (r >= 0)
		r = site(store, argv[1], &err);
	store_close(store);
	if (r < 0)
		fprintf(stderr, "web-seed: %s\n", err.text);
	return r < 0;
}
