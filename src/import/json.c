/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report of a run as JSON (report/json.c writes it: `taproom run --json`, `taproom
 * report RUN --format json`): one object, "run", "jobs", "programs" with their "results"
 * and "problems", "splats" and "problems" of jobs. It has no logs.
 *
 * A document of hundreds of megabytes is never a tree: it is cut where its parts stand
 * (import/values.h), and one object after another is read. One that does not hold
 * all of its run, a summary, or of one that had not ended, is refused.
 */
#include <inttypes.h>
#include <stdio.h>

#include "import/retell.h"
#include "import/text.h"

struct document {
	struct retell tell;
	const char *file;
	struct place {
		const char *what; /* NULL: not in one */
		uint64_t n;       /* counts from 1; 0: there is only one */
	} at[2];         /* "program", 3, "result", 17 */
	struct buf head; /* of a program: what is not in its lists */
};

enum { RUN, JOBS, PROGRAMS, SPLATS, PROBLEMS, LEFT_OUT, PART_N };
static const char *const PARTS[PART_N] = {
	"run", "jobs", "programs", "splats", "problems", "left_out",
};

enum { P_RESULTS, P_PROBLEMS, P_LEFT_OUT, P_N };
static const char *const PROGRAM_PARTS[P_N] = { "results", "problems", "results_left_out" };

static void document_done(struct document *d)
{
	retell_done(&d->tell);
	buf_done(&d->head);
}

typedef const char *each_fn(struct document *d, struct str text, const char *word,
			    struct err *err, int *ret);

static const char *one(struct document *d, struct str text, const char *word, struct err *err,
		       int *ret)
{
	const char *why = NULL;
	_cleanup_(value_freep) cJSON *v = retell_read(&d->tell, text, &why);

	return v ? retell_say(&d->tell, str_of(word), v, err, ret) : why;
}

/* Each element of a list; one that is missing has none. @what: of them. */
static const char *each(struct document *d, unsigned level, const char *what, struct str list,
			each_fn *fn, const char *word, struct err *err, int *ret)
{
	struct str in = list.p ? value_inside(list, '[') : STR(""), element;
	const char *why = NULL;
	int r = 1;

	d->at[level] = (struct place){ what, 1 };
	if (!in.p)
		return "they are no array, or its brackets don't match";
	while (!why && *ret == 0 && (r = value_cut(&in, NULL, &element)) > 0) {
		why = fn(d, element, word, err, ret);
		d->at[level].n += !why;
	}
	if (r < 0)
		why = "it is no JSON";
	if (!why)
		d->at[level] = (struct place){};
	return why;
}

/* Its begin, what is in it, and its end. */
static const char *program(struct document *d, struct str text, const char *word,
			   struct err *err, int *ret)
{
	_cleanup_(value_freep) cJSON *v = NULL;
	struct retell *t = &d->tell;
	struct str parts[P_N];
	const char *why = value_members(text, PROGRAM_PARTS, P_N, parts, &d->head);

	if (!why && (!parts[P_RESULTS].p || parts[P_LEFT_OUT].p))
		return "not all of its results are in it";
	v = why ? NULL : retell_read(t, buf_str(&d->head), &why);
	if (!v)
		return why;
	/* Reports did not always tell the number: then their order does. */
	t->program = t->programs.n + 1;
	why = retell_say(t, STR("program-begin"), v, err, ret);
	t->program = t->begun;
	if (!why)
		why = each(d, 1, "result", parts[P_RESULTS], one, "result", err, ret);
	if (!why)
		why = each(d, 1, "problem", parts[P_PROBLEMS], one, "problem", err, ret);
	if (!why)
		why = retell_say(t, STR("program-end"), v, err, ret);
	t->program = 0;
	return why;
}

static const char *inside(struct document *d, const struct str *parts, struct err *err, int *ret)
{
	const struct {
		const char *what, *word;
		each_fn *fn;
		struct str list;
	} LISTS[] = {
		{ "job", "job-begin", one, parts[JOBS] },
		{ "program", NULL, program, parts[PROGRAMS] },
		{ "splat", "splat", one, parts[SPLATS] },
		{ "problem", "problem", one, parts[PROBLEMS] },
		{ "job", "job-end", one, parts[JOBS] },
	};
	const char *why = NULL;

	for (size_t i = 0; !why && *ret == 0 && i < ARRAY_SIZE(LISTS); i++)
		why = each(d, 0, LISTS[i].what, LISTS[i].list, LISTS[i].fn, LISTS[i].word, err,
			   ret);
	return why;
}

static const char *whole(struct document *d, struct str text, struct err *err, int *ret)
{
	_cleanup_(value_freep) cJSON *run = NULL;
	struct retell *t = &d->tell;
	struct str parts[PART_N];
	const char *why = value_members(text, PARTS, PART_N, parts, NULL);

	if (why)
		return why;
	if (!parts[RUN].p || !parts[JOBS].p || !parts[PROGRAMS].p)
		return "it is no report of a run";
	if (parts[LEFT_OUT].p)
		return "not all of its run is in it";
	d->at[0].what = "run";
	run = retell_read(t, parts[RUN], &why);
	if (!run)
		return why;
	if (!cJSON_IsNumber(value_get(run, "exit_code")))
		return "it has no end";
	t->im->counts.records++;
	import_time_parse(value_str(run, "end"), &t->end_ms);
	why = retell_say(t, STR("run-begin"), run, err, ret);
	if (why || !t->open || t->known)
		return why;
	why = inside(d, parts, err, ret);
	if (why || *ret < 0)
		return why;
	d->at[0].what = "run";
	return retell_say(t, STR("run-end"), run, err, ret);
}

int import_json_text(struct import *im, const char *name, struct str text, struct err *err)
{
	_cleanup_(document_done) struct document d = { .tell.im = im, .file = name };
	_cleanup_(buf_done) struct buf at = {};
	const char *why;
	int e = 0;

	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_from(text, 3);
	why = whole(&d, text, err, &e);
	if (!why)
		return e;
	for (unsigned i = 0; i < ARRAY_SIZE(d.at) && d.at[i].what; i++) {
		buf_printf(&at, ", %s", d.at[i].what);
		if (d.at[i].n)
			buf_printf(&at, " %" PRIu64, d.at[i].n);
	}
	return err_set(err, EBADMSG, "'%s'%s: %s; nothing of it is taken", name,
		       at.n ? at.p : "", why);
}

/* What a stream begins with (report/events.c). */
static bool is_stream(struct str text)
{
	text = str_trim(text);
	if (!str_starts(text, STR("{")))
		return true;
	text = str_trim(str_from(text, 1));
	return str_starts(text, STR("\"taproom\"")) || str_starts(text, STR("\"event\""));
}

int import_taproom_text(struct import *im, const char *name, struct str text, struct err *err)
{
	return is_stream(text) ? import_events_text(im, name, text, err)
			       : import_json_text(im, name, text, err);
}

static int read_file(struct import *im, const char *path, struct err *err)
{
	_cleanup_(import_file_done) struct import_file f = {};
	int r = import_file_read(path, &f, err);

	return r < 0 ? r : import_json_text(im, f.name, buf_str(&f.text), err);
}

const struct import_format import_json = {
	.name = "json",
	.summary = "a run of taproom without its logs: taproom report RUN --format json",
	.read = read_file,
};
