/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Options as tables: one row is parsing, help and the man page's check at
 * once. Rows write into a struct of the caller's at an offset. A table ends
 * with OPT_END; OPT_GROUP puts another table under a heading (--kernel and
 * friends are shared by four commands).
 *
 * "--name value", "--name=value", "-nvalue"; "--" ends options; options and
 * operands may be mixed. Strings borrow from argv.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/out.h"

enum opt_type {
	OPT_TYPE_END,
	OPT_TYPE_GROUP,    /* .help heading, .group table; .offset moves its rows */
	OPT_TYPE_FLAG,     /* bool: set to true */
	OPT_TYPE_COUNT,    /* int: ++ */
	OPT_TYPE_STR,      /* const char * */
	OPT_TYPE_LIST,     /* struct opt_list: appended */
	OPT_TYPE_INT,      /* int >= 0 */
	OPT_TYPE_SIZE,     /* uint64_t bytes */
	OPT_TYPE_DURATION, /* int64_t ms */
};

struct opt {
	enum opt_type type;
	char letter;          /* 0: none */
	const char *name;     /* without "--" */
	const char *arg;      /* "DIR"; NULL for flags */
	const char *help;     /* one or more sentences; wrapped to 80 columns */
	size_t offset;
	const struct opt *group;
	const char *const *choices; /* STR: NULL-ended, or NULL for anything */
	bool several;         /* STR: comma-separated ones of them */
	bool positive;              /* INT, SIZE, DURATION: 0 is refused */
};

struct opt_list {
	const char **v;
	size_t n, cap;
};

void opt_list_add(struct opt_list *l, const char *s);
void opt_list_done(struct opt_list *l);

/* A table under a heading; its rows' offsets count from that member. */
#define OPT_GROUP(heading_, table_, struct_, member_)                        \
	{ .type = OPT_TYPE_GROUP, .help = heading_, .group = table_,         \
	  .offset = offsetof(struct_, member_) }
#define OPT_END { .type = OPT_TYPE_END }

struct opt_command {
	const char *usage;    /* "taproom run [SELECTOR...] [options]" */
	const char *summary;  /* one line: lists and man pages use it too */
	const char *text;     /* paragraphs, may be NULL */
	const struct opt *opts;
	const char *examples; /* indented lines, may be NULL */
};

/*
 * Parses argv[1..]. Operands are moved to the front of argv[1..], their number
 * returned in *ret_n. With @stop_at_operand the first operand ends options
 * (exec's command line). Returns 0, 1 when --help was asked for, or -EINVAL
 * with a sentence that names near options.
 */
int opt_parse(const struct opt_command *cmd, bool stop_at_operand, int argc, char **argv,
	      void *base, int *ret_n, struct err *err);
void opt_help(struct out *out, const struct opt_command *cmd);
/* Wraps @text to 80 columns behind @indent blanks; @column is where we are. */
void opt_wrap(struct out *out, const char *text, unsigned indent, unsigned column);
