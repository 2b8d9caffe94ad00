/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Dict: what runs share, each stored once: programs, names of tests, shapes,
 * outcomes, layouts, reasons, settings. Read when needed, then kept as long as
 * the store is open, so that a thing has one address and is compared by it.
 *
 * Things can be made before the database has them: id 0. dict_*_save() gives
 * them one, inside a transaction of the caller's; a transaction that fails
 * takes it away again (dict_settle()).
 */
#include "base/mem.h"
#include "store/code.h"
#include "store/columns.h"
#include "store/db.h"
#include "store/map.h"

struct program {
	int64_t id;
	struct str suite, name;
	struct program *next;   /* of the same hash */
	struct shape **shapes;  /* seen last first */
	size_t n_shapes, cap_shapes;
	bool recalled;          /* the newest were asked for */
};

/* One test as it was printed. */
struct name {
	int64_t id, series_id;  /* series_id 0: not known yet */
	struct program *program;
	struct str key, path, cuts;
	const struct str *names; /* path, cut */
	unsigned depth;          /* 0: the program itself */
	unsigned nth, ordinal;
	bool leaf;
	struct name *next;
};

struct layout {
	int64_t id;
	struct columns columns;
};

struct shape {
	int64_t id;
	struct program *program;
	struct name **names; /* the program itself is the last */
	size_t n;            /* with it; >= 1 */
	size_t leaves;       /* results below which there are none, without it */
	struct layout **layouts;
	size_t n_layouts, cap_layouts;
	bool layouts_read;
	struct shape *next;
};

struct outcome {
	int64_t id;
	const struct shape *shape;
	struct str body;
	int exit_code;
	struct code_exception *exceptions;
	size_t n;
	struct outcome *next;
};

struct reasons {
	int64_t id;
	struct str body;
	struct reasons *next;
};

struct setting {
	int64_t id;
	struct str mode, machine;
	struct setting *next;
};

/* An id that a transaction gave. */
struct dict_fresh {
	int64_t *id;
	struct map *by_id;
};

struct dict {
	struct db *db;
	struct arena arena;
	struct map program_ids, programs, name_ids, names, shape_ids, shapes, outcome_ids,
		outcomes, reasons_ids, reasons, setting_ids;
	struct setting *settings;
	struct dict_fresh *fresh;
	size_t n_fresh, cap_fresh;
	int64_t last_outcome; /* dict_outcomes() read those up to it */
	struct buf scratch;
	struct ZSTD_CCtx_s *zstd; /* for pack_bytes_fast() */
};

void dict_init(struct dict *d, struct db *db);
void dict_done(struct dict *d);
/* After each transaction in which something was saved. */
void dict_settle(struct dict *d, bool committed);

/* Made when missing; everything is copied. */
struct program *dict_program(struct dict *d, struct str suite, struct str name);
struct name *dict_name(struct dict *d, struct program *p, struct str key, unsigned nth,
		       const struct str *names, unsigned depth, unsigned ordinal, bool leaf);
struct shape *dict_shape(struct dict *d, struct program *p, struct name **names, size_t n);
int dict_outcome(struct dict *d, struct shape *s, struct str body, struct outcome **ret);
struct reasons *dict_reasons(struct dict *d, struct str body);
struct setting *dict_setting(struct dict *d, struct str mode, struct str machine);

/* Saved with all that they are made of. */
int dict_program_save(struct dict *d, struct program *p, struct err *err);
int dict_shape_save(struct dict *d, struct shape *s, struct err *err);
int dict_outcome_save(struct dict *d, struct outcome *o, struct err *err);
int dict_reasons_save(struct dict *d, struct reasons *r, struct err *err);
int dict_setting_save(struct dict *d, struct setting *s, struct err *err);
int dict_layout_add(struct dict *d, struct shape *s, const struct columns *c,
		    struct layout **ret, struct err *err);

/* By what the database calls them. -EBADMSG when it is damaged. */
int dict_program_get(struct dict *d, int64_t id, struct program **ret, struct err *err);
int dict_name_get(struct dict *d, int64_t id, struct name **ret, struct err *err);
int dict_shape_get(struct dict *d, int64_t id, struct shape **ret, struct err *err);
/* All that were not read yet: much faster than one by one. */
int dict_outcomes(struct dict *d, struct err *err);
int dict_outcome_get(struct dict *d, int64_t id, struct outcome **ret, struct err *err);
int dict_reasons_get(struct dict *d, int64_t id, struct reasons **ret, struct err *err);
int dict_setting_get(struct dict *d, int64_t id, struct setting **ret, struct err *err);
int dict_layouts(struct dict *d, struct shape *s, struct err *err); /* reads s->layouts */
int dict_layout_get(struct dict *d, struct shape *s, int64_t id, struct layout **ret,
		    struct err *err);
/* The shapes a program had last into p->shapes, where it has none. */
int dict_recall(struct dict *d, struct program *p, struct err *err);
/* To the front of p->shapes. */
void dict_shape_seen(struct shape *s);

int dict_damaged(struct dict *d, const char *what, int64_t id, struct err *err);
