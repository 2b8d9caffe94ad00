/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Web: pages. The only room with HTML. A page is a function of (data, out): a
 * server answers with it, the export writes it to a file, a test compares it.
 *
 * One row of WEB_PAGES is one kind of page: its path, its place in the menu,
 * what writes it, and what lists the pages of that kind. Paths are relative to
 * the site's root and links between pages are relative to each other, so that
 * a site works from a sub-path and from file://.
 *
 * A page reads the store and writes to its `out` as it reads: its memory is
 * bounded by one program's results, not by the run or the log. Pages know no
 * clock, no request and no file: the same store gives the same bytes.
 */
#include "base/err.h"
#include "base/mem.h"
#include "base/out.h"
#include "store/store.h"
#include "web/query.h"

enum web_page_id {
	WEB_STYLE,
	WEB_SCRIPT,
	WEB_LIVE_SCRIPT,
	WEB_SPLAT,
	WEB_LOG_RAW,
	WEB_CONSOLE_RAW,
	WEB_ARTEFACT,
	WEB_LOG,
	WEB_CONSOLE,
	WEB_DIFF,
	WEB_RUN,
	WEB_TEST,
	WEB_ABOUT,
	WEB_SPLATS,
	WEB_MATRIX_SUITE,
	WEB_MATRIX,
	WEB_FLAKES_BRANCH_MODE_OLDER,
	WEB_FLAKES_BRANCH_OLDER,
	WEB_FLAKES_MODE_OLDER,
	WEB_FLAKES_OLDER,
	WEB_FLAKES_BRANCH_MODE,
	WEB_FLAKES_BRANCH,
	WEB_FLAKES_MODE,
	WEB_FLAKES,
	WEB_BADGE,
	WEB_ATOM,
	WEB_JSON_FEED,
	WEB_METRICS,
	WEB_NIPA_RESULTS,
	WEB_NIPA_REMOTES,
	WEB_NIPA_FILTERS,
	WEB_DIFF_ANY,
	WEB_API_OVERVIEW,
	WEB_API_RUN,
	WEB_API_RUNS,
	WEB_API_FLAKES,
	WEB_API_CHANGES,
	WEB_API_DIFF,
	WEB_API_TEST,
	WEB_API_TESTS,
	WEB_API_SPLATS,
	WEB_API_MATRIX,
	WEB_API_ABOUT,
	WEB_RUNS_BEFORE,
	WEB_RUNS,
	WEB_INDEX,
	WEB_PAGE_N,
};

struct web_test; /* web/tests.h */

/* Which page of its kind; fields that the path does not name are ignored. */
struct web_args {
	int64_t run;              /* {run} */
	unsigned program, job;    /* {program}, {job}: as events count them */
	char kind[EVENT_KIND_MAX + 1]; /* {kind}: of a file that a job left */
	const struct web_test *test; /* {test}: the site's */
	const struct web_splat *splat; /* {splat}: the site's */
	struct web_query q;       /* {branch}, {mode}, {before}, and what has no path */
};

/* What column heads and menus need to know of a run. */
struct web_run {
	int64_t id, begin_ms;
	struct str commit, conclusion;
	enum store_run_state state;
	int exit_code;
	uint64_t tests, ended;    /* how far it is, as struct store_run has it */
	struct str running;       /* also */
};

/* A branch and mode that occur together; there is a flakes page for each. */
struct web_choice {
	struct str branch, mode;
	uint32_t last;            /* of the history: the newest run of both, */
	uint32_t branch_last;     /* and of the branch */
	enum store_run_state state; /* of the newest run of both */
	int exit_code;
};

/* Splats of one fingerprint, in all of the history. */
struct web_splat {
	struct str fingerprint, kind, title;
	int64_t first_ms, first_run, last_ms, last_run;
	uint64_t n;
};

#define WEB_SPLATS_MAX   500 /* have a page: those that were seen last */
#define WEB_RUNS_DEFAULT 100
#define WEB_RUNS_MAX     10000
#define WEB_CHOICES_MAX  128
/* Of a flakes page, as files: so far back it can be turned, or as far as runs have pages. */
#define WEB_OLDER_PAGES  4

/* What ran no more for so long tells nothing of now: it is folded, its badge says "old". */
#define WEB_STALE_MS (30 * INT64_C(86400000))

struct web_history; /* web/history.h */
struct web_rules;   /* web/known.h */

/* What all pages share: the newest @window runs of a store, which have pages, and
 * the judged history. Borrows @store and @version. Make a new one to see newer
 * runs. */
struct web_site {
	struct store *store;
	const char *version;
	unsigned window;
	/* A server answers, queries too: links have them. Else there are files. */
	bool live;
	const struct web_rules *rules; /* rules that excuse; NULL: there are none */
	struct web_history *history;
	struct web_run *runs;     /* newest first */
	const struct web_run **by_id; /* the same, by id */
	unsigned n_runs, cap_runs;
	struct web_choice choices[WEB_CHOICES_MAX];
	unsigned n_choices;
	struct web_splat *splats; /* seen last first */
	unsigned n_splats, cap_splats;
	int64_t date_ms;          /* when the newest run ended, or began; 0: no runs */
	struct arena arena;
};

int web_site_new(struct store *store, const char *version, unsigned window,
		 struct web_site **ret, struct err *err);
/* The same with a history that is judged already: its runs may be older than those of
 * the store, and a run that it does not have is as one that has not ended. Takes a
 * reference of its own (web/history.h). */
int web_site_with(struct store *store, const char *version, unsigned window,
		  struct web_history *history, struct web_site **ret, struct err *err);
struct web_site *web_site_free(struct web_site *site);
/* The run of that id, or NULL: it is not among the newest, which a site of files has pages
 * of. */
const struct web_run *web_site_run(const struct web_site *site, int64_t id);

/* Whether there is a page of that run, which the history has: a server has one of each. */
bool web_site_has_run(const struct web_site *site, int64_t id);

/* The splats of that fingerprint, or NULL: the site has no page of them. */
const struct web_splat *web_site_splat(const struct web_site *site, struct str fingerprint);

typedef int (*web_args_fn)(void *ctx, const struct web_args *args);

struct web_page {
	/* "run/{run}/log-{program}.html"; {hash} is of the content. */
	const char *path;
	const char *menu;    /* word in the menu, or NULL */
	const char *type;    /* of HTTP */
	/* Writes it. Failures of @out are the caller's to find, in out->error. */
	int (*render)(const struct web_site *site, const struct web_args *args,
		      struct out *out, struct err *err);
	/* Calls @fn for each page of this kind until it returns non-zero, and
	 * returns that. NULL: there is exactly one. @fn may use the store. */
	int (*each)(const struct web_site *site, web_args_fn fn, void *ctx, struct err *err);
	uint32_t takes;      /* WEB_TAKES() of the keys that a server's query may have */
	bool served;         /* only a server has it: it is no file */
	/* Where a server has it: at this page, with what the path says as a query. 0: here. */
	enum web_page_id live;
};

/* Ordered so that a page comes after those it links to: an export that is cut
 * short leaves no dead link. */
extern const struct web_page WEB_PAGES[WEB_PAGE_N];

/* Writes the path; only letters, digits and "./-_" come out, whatever the
 * branch is called. */
void web_path(enum web_page_id page, const struct web_args *args, struct out *out);

/*
 * The other direction: what is at @path, without the leading '/'. The path is any
 * bytes. Returns 1, or 0: no page is there. That a page has an address says not
 * that its run exists: render() answers -ENOENT. Strings in @ret_args are the
 * site's.
 */
int web_route(const struct web_site *site, struct str path, enum web_page_id *ret_page,
	      struct web_args *ret_args);

/*
 * What a server says instead of a page, in the looks of the site: a @title, and what
 * is wrong and what to do. @up: so many levels below the root it was asked for.
 */
void web_error_page(const struct web_site *site, unsigned up, const char *title,
		    const char *sentence, struct out *out);

/*
 * Export: every page as a file below @dir. All are built first, then moved in
 * one by one where their bytes changed; then files of the last export that are
 * no longer made are removed. A directory that holds anything else's files
 * is refused with -EEXIST, one that another export writes with -EBUSY.
 *
 * @encode: beside each page that gets smaller by it, the same compressed, for a web
 * server that sends such a file as it is.
 */
struct web_exported {
	unsigned files, changed, removed;
	unsigned encoded;     /* of .files: compressed ones */
	uint64_t bytes;
};
int web_export(const struct web_site *site, const char *dir, bool encode,
	       struct web_exported *ret, struct err *err);
