/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A piece of work on Debian's packages: its spec, the lock, where they lie, how they come. */
#include "kernel/debian-inside.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"

void debian_choice_done(struct debian_choice *c)
{
	free(c->package);
	free(c->version);
	*c = (struct debian_choice){};
}

bool debian_name_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789+-.", s.p[i]))
			return false;
	return s.n > 0 && s.n < 128 && s.p[0] != '.' && s.p[0] != '-';
}

int debian_spec_parse(const char *spec, struct debian_spec *ret, struct err *err)
{
	struct str rest = str_of(spec), head = str_cut(&rest, '/'), suite = head;

	str_cut(&suite, ':');
	if ((suite.p && !debian_name_ok(suite)) || (rest.p && !debian_name_ok(rest)))
		return err_set(err, EINVAL,
			       "kernel '%s' is not like debian[:SUITE][/PACKAGE], for example "
			       "debian:trixie or debian/linux-image-amd64", spec);
	*ret = (struct debian_spec){
		.suite = suite.p ? xstrndup(suite.p, suite.n) : NULL,
		.package = rest.p ? xstrndup(rest.p, rest.n) : NULL,
	};
	return 0;
}

void debian_spec_done(struct debian_spec *s)
{
	free(s->suite);
	free(s->package);
	*s = (struct debian_spec){};
}

int debian_open(struct debian *d, const char *spec, const char *cache_dir,
		       const struct log *log, struct err *err)
{
	*d = (struct debian){ .root = path_join(cache_dir, "debian"), .lock = -1, .log = log };
	return debian_spec_parse(spec, &d->spec, err);
}

void debian_close(struct debian *d)
{
	apt_done(&d->apt);
	debian_spec_done(&d->spec);
	free(d->root);
	closep(&d->lock);
}

int debian_begin(struct debian *d, struct err *err)
{
	_free_ char *lock = path_join(d->root, "lock"), *apt = path_join(d->root, "apt");
	_free_ char *stale = path_join(d->root, "tmp.*");
	glob_t found;
	int r;

	if (d->lock >= 0)
		return 0;
	r = file_lock(lock, false, &d->lock, err);
	if (r == 0) {
		log_info(d->log, "another taproom is fetching a kernel, waiting for it");
		r = file_lock(lock, true, &d->lock, err);
	}
	if (r < 0)
		return r;
	if (glob(stale, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			dir_remove(found.gl_pathv[i], NULL);
		globfree(&found);
	}
	return apt_open(&d->apt, apt, d->spec.suite, d->log, err);
}

char *debian_package_dir(const struct debian *d, const char *package, const char *version)
{
	char *path = xasprintf("%s/%s_%s", d->root, package, version);

	/* An epoch's colon would end a path in mount options and make's lists. */
	for (char *c = path + strlen(d->root); *c; c++)
		if (*c == ':')
			*c = '_';
	return path;
}

int debian_fetch(struct debian *d, const struct debian_choice *c, const char *final,
		 int (*finish)(const char *tree, const struct debian_choice *c, struct err *err),
		 struct err *err)
{
	_cleanup_(dir_removep) char *temp = NULL;
	_free_ char *tree = NULL;
	int r = dir_temp(d->root, "tmp.", &temp, err);

	if (r < 0)
		return r;
	tree = path_join(temp, "tree");
	r = apt_unpack(&d->apt, c->package, c->version, temp, err);
	if (r == 0)
		r = finish(tree, c, err);
	if (r < 0)
		return r;
	if (rename(tree, final) < 0)
		return err_sys(err, errno, "rename '%s' to '%s'", tree, final);
	return 0;
}
