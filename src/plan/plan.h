/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Plan: what to do. The configuration (taproom.yaml, or the built-in MPTCP
 * plan), and the choice of tests by selectors. Starts nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* A test of a kselftest suite with arguments or an environment of its own. */
struct plan_variant {
	char *name;       /* "mptcp_connect_mmap.sh"; never NULL */
	char *test;       /* the program; NULL: the one of that name */
	char *args;       /* "-m mmap", parted by blanks; NULL: none */
	char *each;       /* words, parted by blanks: one variant for each, which is
			   * appended to name and args; NULL: this one only */
	char **env;       /* "K=V" */
	unsigned env_count;
	char *timeout;    /* NULL: the suite's */
};

/* One suite of the configuration. */
struct plan_suite {
	char *name;       /* "mptcp"; first part of a selector; no '/', ':', '!' or blank */
	char *kind;       /* "kselftest", "exec" */
	char *target;     /* kselftest: TARGETS= directory, "net/mptcp" */
	char *dir;        /* exec: directory of programs, or working directory */
	char **tests;     /* default choice, in this order; globs; n == 0: all;
			   * exec: an entry with a blank is a command line */
	unsigned tests_count;
	char **env;       /* "K=V" */
	unsigned env_count;
	char *timeout;    /* of one test; NULL: the suite's own */
	char **modes, **machines; /* only in these; globs; n == 0: in all */
	unsigned modes_count, machines_count;
	char **default_modes; /* globs: of the default plan only there; n == 0: in all */
	unsigned default_modes_count;
	char *program;    /* packetdrill: its path */
	char *since;      /* static: a commit; only what differs from it; NULL: all */
	char **slow;      /* globs: not by default where the machine is translated */
	unsigned slow_count;
	struct plan_variant *variants;
	unsigned variants_count;
};

/* Jobs and tests of the matrix that are left out, or one more that is in. */
struct plan_where {
	char *mode, *machine; /* exclude: globs, NULL: any; include: names, NULL: each */
	char **tests;     /* exclude: suite, suite/test, globs; include: selectors */
	unsigned tests_count;
};

/* What `taproom run` does where its options do not say it. Text as in the file;
 * below it the same as numbers, 0: not said. */
struct plan_run {
	char **trees, **modes, **machines;
	unsigned trees_count, modes_count, machines_count;
	char **tests;     /* selectors */
	unsigned tests_count;
	struct plan_where *include, *exclude;
	unsigned include_count, exclude_count;
	char *timeout, *job_timeout, *test_timeout, *silent_timeout;
	char *repeat, *retries, *jobs, *split, *fail_fast;
	int64_t timeout_ms, job_timeout_ms, test_timeout_ms, silent_timeout_ms;
	unsigned repeat_n, retries_n, jobs_n, split_n;
	bool fail_fast_on;
};

/* A tree that is tested. */
struct plan_tree {
	char *name;
	char *kernel;     /* as --kernel; NULL: there are branches */
	char *branch;     /* its label; NULL: the kernel's, or the branch's name */
	char **branches;  /* of the git repository here; each is a run of its own */
	unsigned branches_count;
};

/* A rule: splats that do not count. */
struct plan_ignore {
	char *pattern;    /* PCRE2, in the title or the text; never NULL */
	char *reason;     /* never NULL */
	char *link, *owner;
	char *until;      /* the last day that it holds, "2026-12-31"; NULL: always */
};

/* A rule: a known issue, for which failures of tests are excused. */
struct plan_known {
	char *test;       /* suite, suite/test or suite/test/subtest, globs; never NULL */
	char *pattern;    /* PCRE2, in a failure's reason or log; NULL: any failure */
	char *branch, *mode, *machine; /* globs; NULL: any */
	char *reason;     /* never NULL */
	char *link, *owner;
	char *since;      /* the day it was written, "2026-01-31"; NULL: unknown */
	char *until;      /* the last day that it holds, "2026-12-31"; NULL: always */
};

/* How long runs are kept: the first rule whose branch fits decides. */
struct plan_keep {
	char *branch;     /* a glob; never NULL */
	char *logs, *runs;         /* "90d"; NULL: for ever */
	int64_t logs_ms, runs_ms;  /* the same; -1: for ever. Not in the file */
};

/*
 * A mode: how a kernel is configured. Entries of `config`, of which the last word
 * about an option counts:
 *   builtin:NAME                 a fragment of ours: normal, debug, btf, mptcp
 *   kernel/configs/debug.config  a file of the kernel's tree
 *   ./own.config, /own.config    a file beside the configuration, or anywhere
 *   CONFIG_FOO=y                 one option
 *   -e FOO -d BAR --set-val N 3  words, as of --config
 */
struct plan_mode {
	char *name;       /* "debug"; becomes part of file names */
	char *from;       /* a mode that it is on top of; NULL: none */
	char *base;       /* "defconfig", "tiny"; NULL: from's, else defconfig */
	char **config;
	unsigned config_count;
	char *memory;     /* of its machine: "2G"; NULL: from's, else as usual */
	char *compiler;   /* "gcc", "clang"; NULL: from's, else gcc */
};

/* Commands of a shell around the tests. All may be NULL. */
struct plan_hooks {
	char *prepare;    /* on the host, before the kernel is built or found */
	char *pre, *post; /* in each machine, before its first test and behind its last */
	char *run;        /* in the tests' place */
};

struct plan {
	char *path;       /* file it came from; NULL: built in */
	char *kernel;     /* --kernel default */
	char *branch;     /* label; NULL: the kernel's */
	struct plan_suite *suites;
	unsigned suites_count;
	struct plan_ignore *ignore;
	unsigned ignore_count;
	struct plan_known *known;
	unsigned known_count;
	struct plan_keep *keep;
	unsigned keep_count;
	struct plan_mode *modes;
	unsigned modes_count;
	struct plan_tree *trees;
	unsigned trees_count;
	struct plan_run run;
	struct plan_hooks hooks;
};

#define PLAN_FILE "taproom.yaml"

/* @path NULL: looked for in @dir and its parents, then in the user's
 * configuration directory ($XDG_CONFIG_HOME/taproom, else ~/.config/taproom),
 * else built in. Errors carry file, line, column. A relative `dir` of a suite
 * becomes one beside the file. */
int plan_load(const char *path, const char *dir, struct plan **ret, struct err *err);
/* As from a file of that name (@path NULL: messages say "configuration"). */
int plan_parse(struct str text, const char *path, struct plan **ret, struct err *err);
struct plan *plan_free(struct plan *p);
void plan_freep(struct plan **p); /* for _cleanup_ */

/* A mode with all that it is on top of. Borrows from the plan. */
#define PLAN_MODE_CONFIG_MAX 256
struct plan_mode_all {
	const char *name, *base;
	const char *config[PLAN_MODE_CONFIG_MAX + 1]; /* NULL-ended */
	unsigned n_config;
	uint64_t memory;  /* bytes; 0: not said */
	bool clang;
};
/* @p NULL: only the built-in ones: normal, debug, btf-normal, btf-debug. A mode of
 * the configuration goes before a built-in one of its name, and may be on top of
 * it. -ENOENT with the names that there are. */
int plan_mode_find(const struct plan *p, const char *name, struct plan_mode_all *ret,
		   struct err *err);

/* What the tests run in: every mode on every kind of machine, without what `exclude`
 * has, and with what `include` adds. */
#define PLAN_JOBS_MAX 256
struct plan_job {
	char *mode, *machine;           /* machine: "auto" where it is not said */
	const struct plan_where *only;  /* only its tests; NULL: the usual ones */
};
struct plan_jobs {
	struct plan_job *v;
	size_t n, cap;
};
/* @modes, @machines: of the command line, comma-separated; NULL: `run`'s. */
int plan_jobs_make(const struct plan *p, const char *modes, const char *machines,
		   struct plan_jobs *ret, struct err *err);
void plan_jobs_done(struct plan_jobs *jobs);
/* Does the suite run there at all? Does `exclude` leave the test? */
bool plan_suite_fits(const struct plan_suite *s, const char *mode, const char *machine);
struct plan_test;
bool plan_test_fits(const struct plan *p, const char *mode, const char *machine,
		    const struct plan_test *t);

/* What is tested, one run each: the trees named by @trees (comma-separated; NULL:
 * `run`'s, else all). Without trees one with NULLs: the usual kernel. */
struct plan_source {
	char *kernel, *branch;
};
struct plan_sources {
	struct plan_source *v;
	size_t n, cap;
};
int plan_sources_make(const struct plan *p, const char *trees, struct plan_sources *ret,
		      struct err *err);
void plan_sources_done(struct plan_sources *s);

/* Is the rule's last day not over? */
bool plan_ignore_holds(const struct plan_ignore *rule, int64_t now_ms);
bool plan_known_holds(const struct plan_known *rule, int64_t now_ms);
/* Is it about the test of that name, "suite/program" or "suite/program/path"?
 * A rule about a test is about all below it; a program may lack its ".sh". */
bool plan_known_about(const struct plan_known *rule, struct str name);
/* 0 o'clock UTC of the rule's first day, and of that behind its last; 0: none. */
void plan_known_days(const struct plan_known *rule, int64_t *ret_since_ms,
		     int64_t *ret_expires_ms);

/* Name of an entry of `tests` that is a program with a path or a command line:
 * without the directories, as slashes part a selector. Caller frees. */
char *plan_entry_name(const char *entry);
/* Does one of the globs match? A name matches with or without ".sh". */
bool plan_globs_match(char *const *globs, unsigned n, const char *name);
/* Place of a test in the suite's default choice, from 0; -1: not in it. */
int plan_suite_rank(const struct plan_suite *s, const char *test);

/* A test as suites list them. */
struct plan_test {
	char *suite, *name;    /* "mptcp", "pm_netlink.sh" */
	char *collection;      /* kselftest's name of the suite, "net/mptcp"; NULL: none */
	char **argv;           /* NULL-ended; run in the machine */
	char **env;            /* NULL-ended; may be NULL */
	char *dir;
	int64_t timeout_ms;    /* 0: none */
	int64_t expect_ms;     /* from history; -1: unknown */
	unsigned attempts;     /* that an interrupted run made of it, and goes on from */
	bool kselftest_codes;  /* its exit codes are kselftest.h's, 2 is xfail; else
				* 0 is a pass, 4 a skip, all others are failures */
	bool by_default;       /* in the plan's default choice */
	char *doubt;           /* why a pass of it proves little; NULL: it does */
	char *subtests;        /* globs of "suite/test/subtest" selectors, one per line;
				* NULL: all; see plan_subtest_chosen() */
	char **append;         /* what its machine's kernel must have been booted with;
				* NULL: nothing. NULL-ended */
	bool at_boot;          /* the kernel runs it while it boots, because of .append, and
				* tells its results on the console; argv only tells them
				* again. It gets a machine of its own, which boots */
	bool on_console;       /* what it did when its machine died, or argv told nothing, is
				* on the console: as at_boot, but started by argv */
	char **expects;        /* the results it will tell, if that is known, in their order:
				* "name" or "parent/name"; NULL-ended; NULL: unknown */
	bool side_by_side;     /* they do not come in that order */
	bool wants_results;    /* no result is `missing`, whatever it exited with */
	char *dialect;         /* how it tells its results, see tap/dialect.h; NULL: TAP */
	char *unable;          /* why it can't run here, and what mends it: it is skipped
				* with these words; NULL: it can */
};

struct plan_tests {
	struct plan_test *v;
	size_t n, cap;
};

struct plan_test *plan_tests_add(struct plan_tests *t); /* zeroed, expect_ms -1 */
void plan_tests_done(struct plan_tests *t);
bool plan_subtest_chosen(const struct plan_test *t, const char *subtest);

/*
 * Keeps what the selectors choose, in the order of the list: `suite` (its
 * default choice), `suite/test`, `suite/test/subtest`, globs, kselftest's
 * `target:test`, `!selector` excludes, wherever it stands. A test's name
 * matches with or without ".sh". None, or only exclusions: the default choice.
 * A selector that matches nothing is an error that names near ones.
 */
int plan_select(struct plan_tests *tests, const char *const *selectors, size_t n,
		struct err *err);
