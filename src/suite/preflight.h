/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Preflight: what tests want and will not find, before the first of them runs.
 * Scripts are looked through for words that stand for an option of the kernel or a
 * program of the machine (needs.h); a kselftest target's `config` fragment tells
 * the rest. Options are compared with the kernel's own .config, programs with those
 * of the host, which is the machine's file system too.
 *
 * Worst is a test that passes all the same: without sch_netem simult_flows.sh says
 * ok in a few seconds, since nothing was shaped. Such a test gets a doubt, and its
 * passes are told as degraded.
 */
#include "base/err.h"
#include "plan/plan.h"

enum preflight_effect {
	PREFLIGHT_PASSES, /* falsely */
	PREFLIGHT_FAILS,
	PREFLIGHT_SKIPS,
	PREFLIGHT_EFFECTS,
};

/* "may pass without testing", "may fail", "may skip" */
extern const char *const PREFLIGHT_EFFECT_WORDS[PREFLIGHT_EFFECTS];

struct preflight_lack {
	char *name;           /* "NET_SCH_NETEM", "tcpdump" */
	enum preflight_effect effect;
	const char *what;     /* "nothing is delayed or lost"; NULL: just so */
	const char *package;  /* Debian's, of a program; NULL: an option of the kernel */
	struct buf tests;     /* "a.sh, b.sh"; empty: the suite's, nobody knows which */
};

struct preflight_tool {
	const char *name;
	struct buf version;   /* its own words, one line: "ip utility, iproute2-6.1.0" */
};

struct preflight {
	struct preflight_lack *lacks; /* the worst first */
	size_t n_lacks, cap_lacks;
	struct preflight_tool *tools; /* that the chosen tests use, and that are there */
	size_t n_tools, cap_tools;
};

struct preflight_place {
	const char *source;      /* kernel tree, for the fragment; NULL: none */
	const char *config_path; /* the kernel's .config; NULL: unknown, nothing is lacking */
	/* kernel_config_value(): 'y', 'm', 'n', 0 unknown. */
	char (*value)(const char *config_path, const char *name);
	char *(*find)(const char *program); /* proc_find(): NULL when absent; caller frees */
	bool versions;           /* ask the programs; each is given two seconds */
};

/*
 * Looks through the tests of @suite in @tests and sets their .doubt. Free @ret with
 * preflight_done(), also after an error (-EFBIG, what reading files gives).
 */
int preflight(const struct plan_suite *suite, const struct preflight_place *place,
	      struct plan_tests *tests, struct preflight *ret, struct err *err);
void preflight_done(struct preflight *p);
/* Words for --config that add the options that are lacking: "-e A -e B". */
void preflight_options(const struct preflight *p, struct buf *ret);
/* Packages of the programs that are lacking, each once: "tcpdump jq". */
void preflight_packages(const struct preflight *p, struct buf *ret);

/* Does @text, a shell script, use @word outside of comments? */
bool preflight_uses(struct str text, struct str word);
/* Appends CONFIG_X of a fragment's "CONFIG_X=..." lines (but =n), one per line,
 * without the prefix. */
void preflight_wanted(struct str fragment, struct buf *ret);
