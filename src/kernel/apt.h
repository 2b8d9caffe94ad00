/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Apt: Debian packages, fetched without the system noticing. Lists, caches and
 * state are our own, sources and keys are the system's, nothing is installed.
 * Formats: apt.conf(5), sources.list(5), deb-control(5).
 *
 * Inside kernel/ only. Callers hold the lock of the directory.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

struct apt {
	char *dir;    /* <cache>/debian/apt/<suite or "system"> */
	char *suite;  /* NULL: the system's own sources */
	char *conf;   /* dir/apt.conf */
	bool updated; /* the lists were read anew by this object */
	struct err trouble; /* what apt-get update said, where it failed */
	const struct log *log;
};

/* Makes the directory and its configuration; no network. */
int apt_open(struct apt *a, const char *parent, const char *suite, const struct log *log,
	     struct err *err);
void apt_done(struct apt *a);
/* Reads the package lists when there are none, they are older than a day, or
 * with @force, at most once per object. A mirror that is away is kept as
 * a->trouble, not an error: older lists, or another mirror's, may do. */
int apt_update(struct apt *a, bool force, struct err *err);
/* Names that begin with @prefix, one per line. */
int apt_names(struct apt *a, const char *prefix, struct buf *ret, struct err *err);
/* Records of a package, every version, the preferred one first; nothing for an
 * unknown one. */
int apt_show(struct apt *a, const char *package, struct buf *ret, struct err *err);
/* Fetches one package into @dir and unpacks it to @dir/tree. */
int apt_unpack(struct apt *a, const char *package, const char *version, const char *dir,
	       struct err *err);

/* One record of apt-cache's output; slices of it. */
struct apt_record {
	struct str package, version, depends, built_using;
	uint64_t size;      /* bytes to fetch */
	uint64_t installed; /* bytes unpacked */
};

/* Takes the next record off @rest. Returns 1, or 0 at the end. */
int apt_record_next(struct str *rest, struct apt_record *ret);
/* The record of that version (NULL: the first). Returns 1 or 0. */
int apt_record_find(struct str text, const char *version, struct apt_record *ret);

/*
 * The rules of choice, without a network.
 */

/* Cloud kernels that track a series and have its source package: the names of
 * "linux-image-X.Y-cloud-amd64" packages, newest first, then the one without a
 * series, one per line. @names as apt_names() gives them. */
void debian_candidates(struct str names, struct buf *ret);
/* The kernel image that a metapackage stands for, or STR_NONE. */
struct str debian_depends_image(struct str depends);
/* "6.1.176-1" of "linux (= 6.1.176-1)", what a User Mode Linux is built of, or STR_NONE. */
struct str debian_built_of_linux(struct str built_using);
/* "6.12" of "linux-image-6.12.117+deb12-cloud-amd64" or of a release; 0 length
 * when there is none. */
struct str debian_series(struct str name);

/* One mirror with one suite, out of sources.list(5) in either format. */
struct apt_source {
	char *uri, *suite, *components, *signed_by;
};

struct apt_sources {
	struct apt_source *v;
	size_t n, cap;
};

#define APT_SOURCES_MAX 256

/* Appends the binary-package sources of one file; what it can't read is left
 * out. @deb822: the "Types:" format. */
void apt_sources_parse(struct apt_sources *s, struct str text, bool deb822);
void apt_sources_done(struct apt_sources *s);
/* Writes deb822 sources for @suite: the mirrors that serve @codename and its
 * security updates. Returns their number; 0: no mirror. */
unsigned apt_sources_derive(const struct apt_sources *s, const char *codename,
			    const char *suite, struct buf *ret);
