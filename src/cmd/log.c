/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/decoder.h"
#include "cmd/history.h"
#include "kernel/decode.h"

struct log_options {
	struct cmd_common common;
	struct decoder_options decoder;
	const char *lines, *file, *artefact;
	bool console;
};

#define AT(field) .offset = offsetof(struct log_options, field)

static const struct opt OPTS[] = {
	{ .type = OPT_TYPE_FLAG, .name = "console", AT(console),
	  .help = "the machines' consoles: the kernel's own words" },
	{ .type = OPT_TYPE_STR, .name = "artefact", .arg = "KIND", AT(artefact),
	  .help = "another file that a machine left: config, the kernel's configuration; "
		  "coverage, as lcov writes it" },
	{ .type = OPT_TYPE_STR, .name = "lines", .arg = "FROM-TO", AT(lines),
	  .help = "only these lines of the log, as 'taproom runs --json' gives them" },
	{ .type = OPT_TYPE_STR, .name = "file", .arg = "FILE", AT(file),
	  .help = "instead of a run's log this one, decoded by --symbols; - is standard input" },
	OPT_GROUP("Decoding", DECODER_OPTIONS, struct log_options, decoder),
	OPT_GROUP("Common", CMD_COMMON, struct log_options, common),
	OPT_END,
};

const struct opt_command cmd_log_help = {
	.usage = "taproom log RUN [SELECTOR] [options]\n"
		 "       taproom log --file FILE --symbols PATH [options]",
	.summary = "Prints what a run's tests printed: all, one program's, or one result's lines.",
	.text = "SELECTOR is suite, suite/test or suite/test/subtest; * and ? match. Several logs "
		"stand each under a heading. On a terminal control sequences are made visible.\n"
		HISTORY_RUN_HELP,
	.opts = OPTS,
	.examples = "  taproom log latest mptcp/pm_netlink\n"
		    "  taproom log 17 'mptcp/mptcp_join.sh/*fastclose*'\n"
		    "  taproom log latest --console --decode\n"
		    "  taproom log latest --artefact config | grep MPTCP\n"
		    "  dmesg | taproom log --file - --symbols ~/linux\n",
};

/* ---- what to print ---- */

struct part {
	unsigned program, job; /* program 0: the job's console */
	uint64_t from, to;     /* 0, 0: all */
	uint64_t line;         /* of the result itself, where that is apart; else 0 */
	const char *artefact;  /* its kind, instead of a log; NULL: none */
	char *title;
	bool exact; /* is the selector, letter by letter */
};

struct search {
	struct decoder *decoder; /* NULL: logs stay as they are */
	bool console;
	const char *artefact;  /* as asked */
	char *suite, *test, *subtest; /* NULL: any */
	struct part *v;
	size_t n, cap;
	char *program; /* that is told now: "suite/name" */
	bool inside;   /* and it fits */
	char *near;    /* the name that is most like the selector */
	unsigned distance;
	const char *selector;
};

static void search_done(struct search *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].title);
	free(s->v);
	free(s->suite);
	free(s->test);
	free(s->subtest);
	free(s->program);
	free(s->near);
}

static void search_init(struct search *s, const char *selector, bool console)
{
	struct str rest = str_of(selector), word;
	char **parts[] = { &s->suite, &s->test };

	*s = (struct search){ .console = console, .selector = selector, .distance = UINT32_MAX };
	for (size_t i = 0; i < ARRAY_SIZE(parts) && rest.p; i++) {
		word = str_cut(&rest, '/');
		*parts[i] = xstrndup(word.p, word.n);
	}
	if (rest.p && rest.n)
		s->subtest = xstrndup(rest.p, rest.n);
}

static bool fits(const char *pattern, struct str name)
{
	_free_ char *text = xstrndup(name.p ? name.p : "", name.n);

	return !pattern || strcmp(pattern, text) == 0 || str_glob(pattern, text);
}

/* A test's name fits with and without its ".sh". */
static bool fits_test(const char *pattern, struct str name)
{
	if (fits(pattern, name))
		return true;
	if (!str_ends(name, STR(".sh")))
		return false;
	name.n -= 3;
	return fits(pattern, name);
}

static void found(struct search *s, struct part part, char *title)
{
	ARRAY_GROW(s->v, s->n, s->cap);
	part.title = title;
	part.exact = s->selector && strcmp(s->selector, title) == 0;
	s->v[s->n++] = part;
}

/* A name may hold what a glob is made of, "[ OK ]": then it is meant as it is. */
static void prefer_exact(struct search *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++)
		kept += s->v[i].exact;
	if (kept == 0)
		return;
	kept = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].exact)
			s->v[kept++] = s->v[i];
		else
			free(s->v[i].title);
	}
	s->n = kept;
}

static void consider(struct search *s, const char *name)
{
	unsigned d = s->selector ? str_distance(str_of(s->selector), str_of(name)) : UINT32_MAX;

	if (d >= s->distance)
		return;
	free(s->near);
	s->near = xstrdup(name);
	s->distance = d;
}

static void on_program(struct search *s, const struct event *ev)
{
	const struct event_program *p = ev->prog;
	bool bare = s->suite && !s->test;

	free(s->program);
	s->program = xasprintf("%.*s/%.*s", STR_FMT(p->suite), STR_FMT(p->name));
	/* One word is a suite, or a test that everybody knows by its name. */
	s->inside = (fits(s->suite, p->suite) && fits_test(s->test, p->name)) ||
		    (bare && fits_test(s->suite, p->name));
	consider(s, s->program);
}

static void on_program_end(struct search *s, const struct event *ev)
{
	if (s->inside && !s->subtest && ev->prog->log_path.n)
		found(s, (struct part){ .program = ev->program, .job = ev->job },
		      xstrdup(s->program));
}

static void on_result(struct search *s, const struct event *ev)
{
	const struct event_result *r = ev->result;
	_cleanup_(buf_done) struct buf path = {};
	_free_ char *full = NULL;

	if (!s->inside || !s->subtest)
		return;
	for (unsigned i = 0; i < r->depth; i++) {
		if (i)
			buf_add(&path, "/", 1);
		buf_add_str(&path, r->path[i]);
	}
	full = xasprintf("%s/%.*s", s->program, STR_FMT(buf_str(&path)));
	consider(s, full);
	/* A result that nobody printed has no lines but its program's. */
	if (fits(s->subtest, buf_str(&path)))
		found(s, (struct part){
				 .program = ev->program,
				 .job = ev->job,
				 .from = r->line_from ? r->line_from : r->line,
				 .to = r->line_to,
				 .line = r->line > r->line_to ? r->line : 0,
			 },
		      TAKE(full));
}

static void on_event(void *ctx, const struct event *ev)
{
	struct search *s = ctx;

	if (s->decoder)
		decoder_event(s->decoder, ev);
	if (s->artefact) {
		if (ev->type == EVENT_ARTEFACT && str_eq(ev->artefact->kind, str_of(s->artefact)))
			found(s, (struct part){ .job = ev->job, .artefact = s->artefact },
			      xasprintf("%s of machine %u", s->artefact, ev->job));
		return;
	}
	if (s->console) {
		if (ev->type == EVENT_JOB_END && ev->job_info->console_path.n)
			found(s, (struct part){ .job = ev->job },
			      xasprintf("console of machine %u (%.*s)", ev->job,
					STR_FMT(ev->job_info->machine)));
		return;
	}
	switch (ev->type) {
	case EVENT_PROGRAM_BEGIN: on_program(s, ev); break;
	case EVENT_PROGRAM_END: on_program_end(s, ev); break;
	case EVENT_RESULT: on_result(s, ev); break;
	default: break;
	}
}

static int nothing_found(const struct search *s, int64_t id, struct err *err)
{
	if (s->console || s->artefact)
		return err_set(err, ENOENT, "run %" PRId64 " kept no %s", id,
			       s->artefact ? s->artefact : "console");
	if (!s->selector)
		return err_set(err, ENOENT, "run %" PRId64 " kept no log", id);
	if (s->near)
		return err_set(err, ENOENT, "run %" PRId64 " has no log of '%s'; nearest is '%s'",
			       id, s->selector, s->near);
	return err_set(err, ENOENT, "run %" PRId64 " has no log of '%s': no test finished in it",
		       id, s->selector);
}

/* ---- printing ---- */

#define TERMINAL_LINE_MAX 65536

/* Lines to a terminal, so that no test can drive it. */
struct tame {
	struct out *to;
	struct buf line;
};

static void tame_line(struct tame *t, struct str line, bool whole)
{
	if (str_ends(line, STR("\r")))
		line.n--;
	out_term(t->to, line);
	if (whole)
		out_char(t->to, '\n');
}

static int tame_write(void *ctx, const char *p, size_t n)
{
	struct tame *t = ctx;
	struct str rest = str_n(p, n);

	while (rest.p) {
		struct str line = str_cut(&rest, '\n');

		buf_add_str(&t->line, line);
		/* What follows the last newline waits for the rest of its line. */
		if (!rest.p && t->line.n < TERMINAL_LINE_MAX)
			break;
		tame_line(t, buf_str(&t->line), rest.p);
		buf_clear(&t->line);
	}
	return t->to->error;
}

/* The way of a log's bytes: decoded (symbols NULL: as they are), tamed on a
 * terminal, out. */
struct way {
	struct decode decode;
	struct tame tame;
	struct out safe, *in;
};

static void way_begin(struct way *w, struct cmd *c, struct symbols *symbols)
{
	w->in = c->out;
	w->tame = (struct tame){ .to = c->out };
	if (isatty(STDOUT_FILENO)) {
		out_to(&w->safe, tame_write, &w->tame);
		w->in = &w->safe;
	}
	decode_begin(&w->decode, symbols, w->in);
	if (symbols)
		w->in = &w->decode.in;
}

static void way_flush(struct way *w)
{
	out_flush(&w->decode.in);
	if (w->tame.to && w->decode.to == &w->safe)
		out_flush(&w->safe);
}

static void way_end(struct way *w)
{
	decode_end(&w->decode);
	way_flush(w);
	if (w->tame.line.n)
		tame_line(&w->tame, buf_str(&w->tame.line), false);
	buf_done(&w->tame.line);
}

static int print_part(struct cmd *c, struct store *s, int64_t id, struct decoder *d,
		      const struct part *p, struct err *err)
{
	struct symbols *symbols = NULL;
	struct way way;
	int r = d ? decoder_symbols(d, p->job, &symbols, err) : 0;

	if (r < 0)
		return r;
	way_begin(&way, c, symbols);
	r = p->artefact ? store_artefact(s, id, p->job, p->artefact, way.in, err)
			: store_log(s, id, p->program, p->job, p->from, p->to, way.in, err);
	if (r >= 0 && p->line)
		r = store_log(s, id, p->program, p->job, p->line, p->line, way.in, err);
	way_end(&way);
	return r;
}

static int print_all(struct cmd *c, struct store *s, int64_t id, const struct search *found,
		     struct err *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < found->n; i++) {
		if (found->n > 1) {
			out_str(c->out, i ? STR("\n==> ") : STR("==> "));
			history_colour(c, "1");
			out_term(c->out, str_of(found->v[i].title));
			history_colour(c, NULL);
			out_lit(c->out, " <==\n");
		}
		r = print_part(c, s, id, found->decoder, &found->v[i], err);
	}
	return r;
}

/* "10-20", "10-", "10": of every part, or of the one result's. */
static int parse_lines(const char *text, struct search *s, struct err *err)
{
	struct str rest = str_of(text), first = str_cut(&rest, '-');
	uint64_t from, to = 0;

	if (!str_to_u64(first, &from) || from == 0 ||
	    (rest.p && rest.n && (!str_to_u64(rest, &to) || to < from)))
		return err_set(err, EINVAL, "--lines: '%s' is no range; write 10-20, 10- or 10",
			       text);
	if (!rest.p)
		to = from;
	for (size_t i = 0; i < s->n; i++) {
		s->v[i].from = from;
		s->v[i].to = to;
		s->v[i].line = 0;
	}
	return 0;
}

static int log_run(struct cmd *c, const struct log_options *o, const char *run,
		   const char *selector, struct err *err)
{
	_cleanup_(search_done) struct search s;
	_cleanup_(decoder_done) struct decoder decoder;
	struct store *store = NULL;
	int64_t id;
	int r;

	decoder_init(&decoder, c, &o->decoder);
	search_init(&s, selector, o->console);
	s.artefact = o->artefact;
	s.decoder = decoder_wanted(&o->decoder) ? &decoder : NULL;
	r = history_find(&o->common, run, &store, &id, err);
	if (r == 0)
		r = store_replay(store, id, (struct event_sink){ on_event, &s }, err);
	prefer_exact(&s);
	if (r == 0 && s.n == 0)
		r = nothing_found(&s, id, err);
	if (r == 0 && o->lines)
		r = parse_lines(o->lines, &s, err);
	if (r == 0)
		r = print_all(c, store, id, &s, err);
	store_close(store);
	return r;
}

/* ---- a log of no run ---- */

static int print_fd(struct way *way, struct cmd *c, int fd, const char *name, struct err *err)
{
	char chunk[8192];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "read '%s'", name);
		if (n == 0 || c->out->error)
			return 0;
		out_bytes(way->in, chunk, (size_t)n);
		/* Somebody may wait for what came through a pipe. */
		way_flush(way);
		out_flush(c->out);
	}
}

static int log_file(struct cmd *c, const struct log_options *o, struct err *err)
{
	_cleanup_(decoder_done) struct decoder decoder;
	_cleanup_(closep) int file = -1;
	struct symbols *symbols = NULL;
	struct way way;
	int r, fd = STDIN_FILENO;

	decoder_init(&decoder, c, &o->decoder);
	if (strcmp(o->file, "-") != 0)
		fd = file = open(o->file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "open '%s'", o->file);
	r = decoder_symbols(&decoder, 0, &symbols, err);
	if (r < 0)
		return r;
	way_begin(&way, c, symbols);
	r = print_fd(&way, c, fd, o->file, err);
	way_end(&way);
	return r;
}

int cmd_log_run(struct cmd *c, int argc, char **argv)
{
	struct log_options o = {};
	struct err err = {};
	int n, r, code = cmd_options(c, &cmd_log_help, false, argc, argv, &o, &o.common, &n);

	if (code >= 0)
		return code;
	if (o.common.json) {
		err_set(&err, EINVAL, "log prints logs as they are, not JSON; "
				      "'taproom runs --json' tells results and their lines");
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	if (o.file) {
		if (n || o.console || o.lines || !o.decoder.symbols) {
			err_set(&err, EINVAL, n || o.console || o.lines ?
				"--file prints all of one file; a run, --console and --lines don't "
				"go with it" :
				"--file: which kernel wrote it? Name its vmlinux or its tree with "
				"--symbols");
			return cmd_fail(c, EXIT_USAGE, &err);
		}
		r = log_file(c, &o, &err);
		return r < 0 ? history_fail(c, r, &err) : EXIT_PASSED;
	}
	if (o.artefact && (o.console || o.lines || n > 2)) {
		err_set(&err, EINVAL, "--artefact prints all of what machines left; a test, "
				      "--console and --lines don't go with it");
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	if (n > 2 || (n == 2 && o.console)) {
		err_set(&err, EINVAL, o.console ?
			"--console prints what the run's machines said; '%s' doesn't go with it" :
			"log takes one run and one selector, not also '%s'", argv[n]);
		return cmd_fail(c, EXIT_USAGE, &err);
	}
	if (n != 2) {
		code = history_one_operand(c, "log", n, argv);
		if (code >= 0)
			return code;
	}
	r = log_run(c, &o, argv[1], n > 1 ? argv[2] : NULL, &err);
	return r < 0 ? history_fail(c, r, &err) : EXIT_PASSED;
}
