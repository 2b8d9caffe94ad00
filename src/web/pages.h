/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Between the files of this room: the functions in the table of pages, and
 * the pieces of HTML that several pages use.
 */
#include "web/tests.h"
#include "web/web.h"

#define WEB_RENDER(name)                                                                       \
	int name(const struct web_site *site, const struct web_args *args, struct out *out,    \
		 struct err *err)
#define WEB_EACH(name)                                                                         \
	int name(const struct web_site *site, web_args_fn fn, void *ctx, struct err *err)

WEB_RENDER(web_style);
WEB_RENDER(web_script);
WEB_RENDER(web_live_script);
WEB_RENDER(web_splat_page);
WEB_RENDER(web_splats_page);
WEB_RENDER(web_matrix_page);
WEB_RENDER(web_about_page);
WEB_RENDER(web_log_raw);
WEB_RENDER(web_console_raw);
WEB_RENDER(web_artefact);
WEB_RENDER(web_log_page);
WEB_RENDER(web_console_page);
WEB_RENDER(web_diff_page);
WEB_RENDER(web_run_page);
WEB_RENDER(web_flakes_page);
WEB_RENDER(web_runs_page);
WEB_RENDER(web_overview_page);
WEB_RENDER(web_test_page);
WEB_RENDER(web_badge);
WEB_RENDER(web_atom);
WEB_RENDER(web_json_feed);
WEB_RENDER(web_metrics);
WEB_RENDER(web_nipa_results);
WEB_RENDER(web_nipa_remotes);
WEB_RENDER(web_nipa_filters);
WEB_RENDER(web_api_overview);
WEB_RENDER(web_api_run);
WEB_RENDER(web_api_runs);
WEB_RENDER(web_api_flakes);
WEB_RENDER(web_api_changes);
WEB_RENDER(web_api_diff);
WEB_RENDER(web_api_test);
WEB_RENDER(web_api_tests);
WEB_RENDER(web_api_splats);
WEB_RENDER(web_api_matrix);
WEB_RENDER(web_api_about);
WEB_EACH(web_each_splat);
WEB_EACH(web_each_suite);
WEB_EACH(web_each_log);
WEB_EACH(web_each_console);
WEB_EACH(web_each_artefact);
WEB_EACH(web_each_diff);
WEB_EACH(web_each_run);
WEB_EACH(web_each_test);
WEB_EACH(web_each_branch_mode);
WEB_EACH(web_each_branch);
WEB_EACH(web_each_mode);
WEB_EACH(web_each_runs_before);
WEB_EACH(web_each_branch_mode_older);
WEB_EACH(web_each_branch_older);
WEB_EACH(web_each_mode_older);
WEB_EACH(web_each_older);

/* FNV-1a, 32 bits (draft-eastlake-fnv): names of files, not security. */
uint32_t web_hash(struct str s);
uint32_t web_asset_hash(enum web_page_id page);
/* Letters, digits and "._-" stay; if anything else was in it, a hash follows,
 * so that two names never become one. */
void web_slug(struct out *out, struct str s);

/* The sides that .a and .b ask for, of the history's runs: a run that has not ended is
 * none of them. -EINVAL: they are not both asked for, -ENOENT: there is no such run. */
struct judge_side;
int web_sides(const struct web_site *site, const struct web_query *q, struct judge_side *ret,
	      struct err *err);

/* ---- html.c: a page being written ---- */

struct web_html {
	const struct web_site *site;
	struct out *out;
	enum web_page_id page;
	const struct web_args *args;
	/* Not a page of the site: an error, so many levels below its root. */
	bool lost;
	unsigned up;
};

/* Head, menu and the opening <main>; @title is text. */
void html_begin(struct web_html *h, struct str title);
void html_end(struct web_html *h);

void html_root(struct web_html *h);                      /* "../" for each level */
void html_text(struct web_html *h, const char *s);       /* escaped */
void html_list(struct web_html *h, struct str s);        /* "a,b" with room to wrap */
void html_href(struct web_html *h, enum web_page_id page, const struct web_args *args);
/* To flakes, asked so: on a server by a query; as files to the page there is for
 * branch, mode and age, with the rest behind it, which a script reads. */
void html_flakes_href(struct web_html *h, const struct web_query *q);
/* A form that asks a server for two runs, or ranges, to compare. */
void html_diff_form(struct web_html *h);
/* Opens <a> to the page of a test, where it has one, and says so. */
bool html_test_begin(struct web_html *h, const struct web_test *test);
/* "mptcp/mptcp_join.sh/subtest", with a link to its page where it has one. */
void html_test_name(struct web_html *h, const struct judge_series *s);
/* Opens <a> to a line of a log. */
void html_line_link(struct web_html *h, enum web_page_id page, const struct web_args *args,
		    uint64_t line);
/* Opens <a> to the splats of that fingerprint, where they have a page, and says so. */
bool html_splat_begin(struct web_html *h, struct str fingerprint);
/* <a href>run 17</a>, or the words alone where the site has no such page. */
void html_run_link(struct web_html *h, int64_t id, const char *before);
/* "export <normal>": what names an axis; the machine only @machine. */
void html_axis(struct web_html *h, const struct judge_axis *a, bool machine);
/* "6f3a09c1d2e4 (run 12)" */
void html_commit_run(struct web_html *h, const struct judge_run *r);
/* A square with the status's mark. Without @labelled a word beside it says the
 * same, and it is hidden from screen readers. */
void html_mark(struct web_html *h, enum status status, bool labelled);
/* "✗ 2 failed  ✓ 50 passed", worst first; without @words the marks say it. */
void html_counts(struct web_html *h, const uint64_t counts[STATUS_N], bool words);
/* One bar, parts in the proportion of the counts. */
void html_bar(struct web_html *h, const uint64_t counts[STATUS_N]);
void html_time(struct web_html *h, int64_t unix_ms);     /* <time>, UTC */
void html_date(struct web_html *h, int64_t unix_ms);     /* the same, day only */
void html_duration(struct web_html *h, int64_t ms);      /* < 0: nothing */
void html_count(struct web_html *h, uint64_t n);         /* 12,345 */
void html_percent(struct web_html *h, double share);     /* "5 %", in one line */
void html_commit(struct web_html *h, struct str commit); /* a hash is cut to 12 */
/* A line that says that more may come, on a server: a script of the site follows
 * @events, an address from where the page is, and shows the page anew. Files: nothing. */
void html_live(struct web_html *h, const char *events);
/* How far a run is that has not come to its end: a bar, and the same in words. */
/* What runs now, or ran when it was lost, and since when: a list. @words: of struct store_run. */
void html_running(struct web_html *h, struct str words);
void html_progress(struct web_html *h, int64_t run, uint64_t ended, uint64_t tests);
/* How a run went: a mark, and the same as a word ("passed", "critical"). */
void html_run_mark(struct web_html *h, enum store_run_state state, int exit_code);
const char *web_run_word(enum store_run_state state, int exit_code);

/* <p class="crumbs">: the way back from a page of @run; ends with "/ ". */
void html_crumbs(struct web_html *h, int64_t run);
/* A fact of a <dl class="facts">: its name, then what is written before fact_end(). */
void html_fact(struct web_html *h, const char *name);
void html_fact_end(struct web_html *h);
void html_fact_text(struct web_html *h, const char *name, struct str s); /* empty: nothing */
/* Ids on a run's page, for links from others: of a program, and of a result
 * that did not pass (@path as store_series says it). */
void html_program_id(struct out *out, struct str mode, struct str suite, struct str program);
void html_result_id(struct out *out, struct str mode, struct str suite, struct str program,
		    struct str path);

/* ---- programs.c: a run's programs, each with its results ---- */

struct web_programs;
/* @modes: whether to name the mode of each; @budget: log excerpts to show. */
struct web_programs *programs_new(struct web_html *h, int64_t run, bool modes, unsigned budget);
struct event_sink programs_sink(struct web_programs *p);
/* Writes those that never ended, frees. */
struct web_programs *programs_free(struct web_programs *p);

/* ---- lines.c: log lines as HTML ---- */

struct web_range {
	uint64_t from, to;   /* 1-based lines, both included */
	enum status status;
	bool keep;           /* stays when the log is cut in the middle */
};

#define WEB_LINE_MAX 1000 /* bytes shown of a line */

/* Numbered, linkable lines of a <pre>. Lines outside of @keep are left out
 * with a note. Feed by lines_out(), finish with lines_done(). */
struct web_lines {
	struct out *out;
	const struct web_range *ranges; /* ascending, disjoint; or NULL */
	size_t n_ranges, at;
	const struct web_range *keep;   /* ascending, disjoint; NULL: everything */
	size_t n_keep, keep_at;
	uint64_t line;       /* number of the line being collected */
	uint64_t skipped;    /* since the last one shown */
	size_t n, dropped;   /* bytes in @text, bytes beyond */
	struct str find;     /* stands out, in any case; empty: nothing does */
	struct str more;     /* address at which a query says which lines; empty: none does */
	bool plain;          /* no numbers: an excerpt */
	bool open;           /* inside a range's block */
	char text[WEB_LINE_MAX];
};

/* A line or a part of one; @find stands out. */
void lines_text(struct out *o, struct str s, struct str find);
void lines_out(struct web_lines *l, struct out *feed);
/* What is fed next is line @line: those before were left out. */
void lines_skip(struct web_lines *l, uint64_t line);
void lines_end(struct web_lines *l); /* of a piece: its last line may have no newline */
void lines_done(struct web_lines *l);
/* The last of lines @from to @to of a program's log, as evidence. */
void html_excerpt(struct web_html *h, int64_t run, unsigned program, unsigned job,
		  uint64_t from, uint64_t to);
