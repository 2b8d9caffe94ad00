/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events: runs as another taproom told them (report/events.c says the format), a line
 * an object, logs and all.
 */
#include <inttypes.h>

#include "import/retell.h"
#include "import/text.h"

struct reader {
	struct retell tell;
	const char *file;
	uint64_t line;
	bool header;            /* of a run */
};

static void reader_done(struct reader *r)
{
	retell_done(&r->tell);
}

/* Why the line can't be; or NULL, and *ret: 0 or an error that ends it all. */
static const char *line(struct reader *r, const cJSON *v, struct err *err, int *ret)
{
	struct str word = value_str(v, "event");
	const char *why;

	if (str_eq(value_str(v, "taproom"), STR("events"))) {
		if (r->tell.open)
			return "a header inside of a run";
		r->header = value_int(v, "version", 0) == 1;
		return r->header ? NULL : "it is of a newer taproom";
	}
	if (!r->header && str_eq(word, STR("run-begin")))
		return "a run begins where none can";
	why = retell_say(&r->tell, word, v, err, ret);
	if (!why && !r->tell.open)
		r->header = false;
	return why;
}

static int damaged(struct reader *r, const char *why, struct err *err)
{
	return err_set(err, EBADMSG, "'%s', line %" PRIu64 ": %s; %s", r->file, r->line, why,
		       r->tell.open ? "nothing of its run is taken"
				    : "only what stands before is taken");
}

int import_events_text(struct import *im, const char *name, struct str text, struct err *err)
{
	_cleanup_(reader_done) struct reader r = { .tell.im = im, .file = name,
						  .tell.files.scratch = im->scratch };
	int e = 0;

	while (text.n && e == 0) {
		struct str s = str_cut(&text, '\n');
		_cleanup_(value_freep) cJSON *v = NULL;
		const char *why = NULL;

		r.line++;
		if (!str_trim(s).n)
			continue;
		v = retell_read(&r.tell, s, &why);
		if (v)
			why = line(&r, v, err, &e);
		im->counts.records += v && str_eq(value_str(v, "event"), STR("run-begin"));
		if (why)
			return damaged(&r, why, err);
	}
	if (e == 0 && r.tell.open)
		return damaged(&r, "the run has no end", err);
	return e;
}

static int read_file(struct import *im, const char *path, struct err *err)
{
	_cleanup_(import_file_done) struct import_file f = {};
	int r = import_file_read(path, &f, err);

	return r < 0 ? r : import_events_text(im, f.name, buf_str(&f.text), err);
}

const struct import_format import_events = {
	.name = "events",
	.summary = "another taproom's runs with their logs: taproom report RUN --format events",
	.read = read_file,
};
