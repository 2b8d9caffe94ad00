/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz: flat TAP against Perl's TAP::Parser, which tap-parser.pl asks in a process
 * of its own. The bytes choose the lines of a log, out of what both claim to
 * read: versions 12 and 13, plans, results with and without numbers, names,
 * directives, comments, YAML, words. Each result's status, number, name and
 * reason, and whether the plan was kept, must be the same, except where one of
 * RULES says why not; docs/reading-logs.md says what decides each.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tap/parse.h"

#define LINES_MAX 40
#define COPY_MAX  12 /* bytes of a name that are the input's own */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of the process; a fuzzer has no end at which it could be closed. */
static int to_perl = -1, from_perl = -1;

static const char *const NAMES[] = {
	"", "a", "b c", "x: y", "issue #42", "page.html#skip", "C# todo", "1", "ok", "- d",
	"--", "a # b", "12 ports", "with [brackets]", "a\\\\b",
};

static const char *const ENDS[] = {
	"", "", "", " # SKIP", " # skip why", " # Skipped: why", " # TODO", " # todo later",
	" #TODO x", " # because", "  #  SKIP   y ", " # a # SKIP b", " # TODO # SKIP",
};

static const char *const OTHERS[] = {
	"# comment\n", "\n", "words 1..2 ok 3\n", "pragma +fuzz\n", "okay\n", "not okay\n",
	"# ok so far\n",
};

struct choice {
	const uint8_t *p;
	size_t n;
};

static unsigned choose(struct choice *c, unsigned below)
{
	if (!c->n)
		return 0;
	c->n--;
	return *c->p++ % below;
}

/* A name out of few letters, most of them with a meaning somewhere. */
static void own_name(struct choice *c, struct buf *b)
{
	static const char ALPHABET[] = "a b#-.:1\\SKIPtodo[]=";

	for (unsigned n = choose(c, COPY_MAX); n; n--)
		buf_add(b, &ALPHABET[choose(c, sizeof(ALPHABET) - 1)], 1);
}

static void result_line(struct choice *c, struct buf *b, unsigned number)
{
	unsigned what = choose(c, 16);

	buf_printf(b, what & 1 ? "not ok" : "ok");
	if (what & 2)
		buf_printf(b, " %u", what & 4 ? number : choose(c, 5));
	what = choose(c, ARRAY_SIZE(NAMES) + 2);
	if (what >= ARRAY_SIZE(NAMES)) {
		buf_printf(b, " ");
		own_name(c, b);
	} else if (NAMES[what][0]) {
		buf_printf(b, "%s%s", choose(c, 2) ? " - " : " ", NAMES[what]);
	}
	buf_printf(b, "%s\n", ENDS[choose(c, ARRAY_SIZE(ENDS))]);
	if (choose(c, 8) == 7)
		buf_printf(b, "  ---\n  a: 1\n  b: 1..3\n  ...\n");
}

static void make_log(struct choice *c, struct buf *b)
{
	unsigned n = choose(c, LINES_MAX), results = 0, plan = choose(c, 4);

	if (choose(c, 2))
		buf_printf(b, "TAP version 13\n");
	if (plan == 1)
		buf_printf(b, "1..%u\n", choose(c, 8));
	for (unsigned i = 0; i < n; i++) {
		if (choose(c, 4))
			result_line(c, b, ++results);
		else
			buf_printf(b, "%s", OTHERS[choose(c, ARRAY_SIZE(OTHERS))]);
	}
	if (plan == 2)
		buf_printf(b, "1..%u\n", results);
	if (plan == 3)
		buf_printf(b, "1..%u\n", choose(c, 8));
}

/* One result as one of us has it. */
struct said {
	struct str ok, number, directive, name, reason;
	bool counted; /* the line has no number */
};

static const struct said OURS[STATUS_N] = {
	[STATUS_PASS] = { STR("ok"), .directive = STR("") },
	[STATUS_FAIL] = { STR("not ok"), .directive = STR("") },
	[STATUS_SKIP] = { STR(""), .directive = STR("SKIP") },
	[STATUS_XFAIL] = { STR("not ok"), .directive = STR("TODO") },
	[STATUS_XPASS] = { STR("ok"), .directive = STR("TODO") },
};

/* Behind the name, where a directive or a comment begins: "" or "#...". */
static bool is_comment(struct str s)
{
	s = str_trim(s);
	return !s.n || s.p[0] == '#';
}

static bool begins(struct str name, struct str head)
{
	return str_starts(name, head) && is_comment(str_from(name, head.n));
}

/* Why a difference is none. Each looks at both and says whether it explains it. */
static bool comment_is_reason(const struct said *they, const struct said *we)
{
	return !we->directive.n && !they->directive.n && begins(they->name, we->name);
}

static bool name_is_number(const struct said *they, const struct said *we)
{
	uint64_t n;

	return (str_eq(we->name, they->number) ||
		(we->counted && str_to_u64(we->name, &n))) &&
	       is_comment(they->name) && str_eq(they->directive, we->directive);
}

static bool name_behind_skip(const struct said *they, const struct said *we)
{
	return !they->name.n && str_eq(we->directive, STR("SKIP")) &&
	       str_eq(they->directive, we->directive) && str_eq(we->name, they->reason);
}

/* "page.html#skip": for them a '#' needs no blank. */
static bool mark_without_blank(const struct said *they, const struct said *we)
{
	size_t at = they->name.n;

	return they->directive.n && we->name.n > at && we->name.p[at] == '#' &&
	       str_starts(we->name, they->name);
}

/* "# Skipped: x": for them the word is SKIP alone. */
static bool skipped_is_skip(const struct said *they, const struct said *we)
{
	return !they->directive.n && str_eq(we->directive, STR("SKIP")) &&
	       (begins(they->name, we->name) || is_comment(they->name));
}

/* "issue #42 # SKIP x": they look behind the first '#' only. */
static bool first_mark(const struct said *they, const struct said *we)
{
	return !they->directive.n && we->directive.n && begins(they->name, we->name) &&
	       we->name.n && memchr(we->name.p, '#', we->name.n);
}

/* They keep the dash; both specifications call it decoration. */
static struct str without_dash(struct str s)
{
	s = str_trim(s);
	if (str_eq(s, STR("-")))
		return STR("");
	return str_starts(s, STR("- ")) ? str_trim(str_from(s, 2)) : s;
}

/* "ok 2nd try": for them a number needs no blank behind it. */
static bool glued_number(const struct said *they, const struct said *we)
{
	struct str rest;

	if (!we->counted || !str_starts(we->name, they->number))
		return false;
	rest = without_dash(str_from(we->name, they->number.n));
	return begins(they->name, rest) ||
	       mark_without_blank(they, &(struct said){ .name = rest });
}

static const struct rule {
	const char *name; /* as in docs/reading-logs.md */
	bool (*explains)(const struct said *they, const struct said *we);
} RULES[] = {
	{ "comment", comment_is_reason },
	{ "number", name_is_number },
	{ "name-behind-skip", name_behind_skip },
	{ "mark", mark_without_blank },
	{ "skipped", skipped_is_skip },
	{ "first-mark", first_mark },
	{ "glued-number", glued_number },
};

static bool same(const struct said *they, const struct said *we)
{
	/* A skip is a skip, whatever stands before it. */
	bool status = str_eq(they->directive, we->directive) &&
		      (!we->ok.n || str_eq(they->ok, we->ok));

	return status && str_eq(they->name, we->name) &&
	       (!we->directive.n || str_eq(they->reason, we->reason));
}

struct seen {
	struct buf log;
	struct str answer; /* the rest of it */
	bool plan_broken;
};

static void explain(const struct seen *s, const struct said *they, const struct said *we)
{
	fprintf(stderr, "they: %.*s %.*s [%.*s] '%.*s' {%.*s}\n", STR_FMT(they->ok),
		STR_FMT(they->number), STR_FMT(they->directive), STR_FMT(they->name),
		STR_FMT(they->reason));
	fprintf(stderr, "we:   %.*s %.*s [%.*s] '%.*s' {%.*s}\n%s", STR_FMT(we->ok),
		STR_FMT(we->number), STR_FMT(we->directive), STR_FMT(we->name),
		STR_FMT(we->reason), s->log.p);
}

static struct said their_next(struct seen *s)
{
	struct str line = str_cut(&s->answer, '\n');
	struct said they = { .ok = str_cut(&line, '\t') };

	they.number = str_cut(&line, '\t');
	they.directive = str_cut(&line, '\t');
	they.name = without_dash(str_cut(&line, '\t'));
	they.reason = str_trim(line);
	return they;
}

static void on_event(void *ctx, const struct event *ev)
{
	struct seen *s = ctx;
	const struct event_result *r = ev->result;
	struct said they, we;
	char number[24];

	if (ev->type != EVENT_RESULT || r->implied)
		return;
	they = their_next(s);
	we = OURS[r->status];
	assert(r->depth == 1 && (we.ok.n || we.directive.n));
	we.name = r->path[0];
	if (r->ordinal > 1)
		while (we.name.n && we.name.p[--we.name.n] != ' ')
			;
	we.reason = r->reason;
	snprintf(number, sizeof(number), "%" PRId64, r->number);
	/* Without one they count; so do we, but tell that there was none. */
	we.counted = r->number < 0;
	we.number = we.counted ? they.number : str_of(number);
	if (!str_eq(we.number, they.number)) {
		explain(s, &they, &we);
		abort();
	}
	if (same(&they, &we))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(RULES); i++)
		if (RULES[i].explains(&they, &we))
			return;
	explain(s, &they, &we);
	abort();
}

static void transfer(bool out, void *p, size_t n)
{
	char *c = p;

	while (n) {
		ssize_t r = out ? write(to_perl, c, n) : read(from_perl, c, n);

		if (r < 0 && errno == EINTR) /* libFuzzer's own alarm */
			continue;
		if (r <= 0) {
			fprintf(stderr, "fuzz-diff: perl has gone\n");
			abort();
		}
		c += r;
		n -= (size_t)r;
	}
}

static void ask(struct buf *log, struct buf *answer)
{
	uint32_t n = htonl((uint32_t)log->n);
	char part[4096];

	transfer(true, &n, sizeof(n));
	transfer(true, log->p, log->n);
	transfer(false, &n, sizeof(n));
	for (size_t left = ntohl(n); left;) {
		size_t now = left < sizeof(part) ? left : sizeof(part);

		transfer(false, part, now);
		buf_add(answer, part, now);
		left -= now;
	}
}

/* 1: there is no TAP::Parser to compare with. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int in[2], out[2];
	pid_t pid;

	if (to_perl >= 0)
		return 0;
	if (system("perl -MTAP::Parser -e1 2>/dev/null") != 0)
		return 1;
	if (pipe(in) < 0 || pipe(out) < 0)
		abort();
	pid = fork();
	if (pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[1]);
		close(out[0]);
		execlp("perl", "perl", FUZZ_DIR "/tap-parser.pl", NULL);
		_exit(127);
	}
	if (pid < 0)
		abort();
	close(in[0]);
	close(out[1]);
	to_perl = in[1];
	from_perl = out[0];
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct choice c = { data, size };
	struct buf answer = {};
	struct seen s = {};
	struct tap_options none = {};
	struct tap_summary sum;
	struct tap_parser *p;
	struct str last;

	make_log(&c, &s.log);
	if (!s.log.n) {
		buf_done(&s.log);
		return 0;
	}
	ask(&s.log, &answer);
	s.answer = buf_str(&answer);
	p = tap_parser_new(&none, (struct event_sink){ on_event, &s });
	tap_parse(p, s.log.p, s.log.n);
	tap_parse_end(p, TAP_END_CLEAN, &sum);
	tap_parser_free(p);
	last = str_cut(&s.answer, '\n');
	/* No plan is a mistake for them, and none for KTAP. */
	if (!str_starts(last, STR("plan\t")) ||
	    (!str_eq(last, STR("plan\tnone")) &&
	     sum.plan_broken != str_eq(last, STR("plan\tbad")))) {
		fprintf(stderr, "they: %.*s\nwe:   %s\n%s", STR_FMT(last),
			sum.plan_broken ? "bad" : "good", s.log.p);
		abort();
	}
	buf_done(&s.log);
	buf_done(&answer);
	return 0;
}
