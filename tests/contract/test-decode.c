/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log --decode and show --decode, as a user calls them: argv[1] is taproom. The
 * kernel is what the compiler makes of a small tree (unit/symbols-tree.h).
 */
#include <fcntl.h>

#include "base/proc.h"
#include "unit/store-place.h"
#include "unit/symbols-tree.h"

#define WORDS_MAX 24

struct world {
	struct place place;
	struct tree tree;
	const char *taproom;
	char *console, *text; /* a file, and what is in it */
	char *frame, *place_of;
	struct buf out, err;
};

/* ---- runs with a splat ---- */

struct said {
	const struct world *w;
	const char *id, *call, *in; /* "taproom run CALL", where there is a @ in it: @in */
	const char *release;
	bool placed; /* its splat was told with the places */
};

static void say_splat_run(struct event_sink sink, const void *arg)
{
	const struct said *s = arg;
	const char *at = strchr(s->call, '@');
	_free_ char *placed = xasprintf("Call Trace:\n %s\n", s->w->place_of);
	_free_ char *command = at ? xasprintf("%.*s%s%s", (int)(at - s->call), s->call, s->in,
					      at + 1) : xstrdup(s->call);
	struct event_run run = { .id = str_of(s->id), .title = STR("mptcp"),
				 .command = str_of(command), .time_ms = 1700000000000 };
	struct event_job job = { .mode = STR("normal"), .machine = STR("qemu"),
				 .kernel = str_of(s->release), .time_ms = 1700000001000 };
	struct event_splat splat = {
		.kind = STR("warning"), .title = STR("WARNING in mptcp_close"),
		.fingerprint = STR("0123456789abcdef"),
		.text = str_of(s->placed ? placed : s->w->text), .line = 2, .lines = 3,
	};
	struct event ev = { .type = EVENT_RUN_BEGIN, .run = &run };

	event_emit(&sink, &ev);
	ev = (struct event){ .type = EVENT_JOB_BEGIN, .job = 1, .job_info = &job };
	event_emit(&sink, &ev);
	say_begin(sink, 1, 1, "pm_netlink.sh", 1);
	say_simple(sink, 1, 1, 0, STATUS_PASS);
	ev = (struct event){ .type = EVENT_SPLAT, .job = 1, .program = 1, .splat = &splat };
	event_emit(&sink, &ev);
	say_end(sink, 1, 1, "pm_netlink.sh", 1, STATUS_PASS, s->w->console);
	job.console_path = str_of(s->w->console);
	ev = (struct event){ .type = EVENT_JOB_END, .job = 1, .job_info = &job };
	event_emit(&sink, &ev);
	run.conclusion = STR("Unstable");
	ev = (struct event){ .type = EVENT_RUN_END, .run = &run };
	event_emit(&sink, &ev);
}

/* Run 1 is of the tree's kernel, 2 of one that nobody has, 3 says it is of the
 * tree's directory, where meanwhile another kernel is; then other ways to name
 * the tree; 8 was told decoded, and its kernel is gone. */
static void make_history(struct world *w)
{
	const char *tree = w->tree.dir;
	_free_ char *config = path_join(tree, "taproom.yaml");
	_free_ char *boot = path_join(tree, "arch/x86/boot");
	_free_ char *text = xasprintf("kernel: %s\nsuites:\n  - name: a\n    kind: exec\n"
				      "    tests: [\"true\"]\n", tree);
	const struct said RUNS[] = {
		{ w, "20260131-090501-abcd", "cd / && taproom run 'a b' --kernel @ mptcp", tree,
		  TREE_RELEASE },
		{ w, "20260131-090502-abcd", "taproom run --kernel debian", NULL, "0.0.1-none" },
		{ w, "20260131-090503-abcd", "taproom run --kernel=@", tree, "6.12.0-older" },
		{ w, "20260131-090504-abcd", "taproom run --kernel @/arch/x86/boot/bzImage", tree,
		  TREE_RELEASE },
		{ w, "20260131-090505-abcd", "cd @/net && taproom run mptcp", tree, TREE_RELEASE },
		{ w, "20260131-090506-abcd", "taproom run -C @ --kernel vmlinux", tree,
		  TREE_RELEASE },
		{ w, "20260131-090507-abcd", "taproom run --kernel '", NULL, TREE_RELEASE },
		{ w, "20260131-090508-abcd", "taproom run", NULL, "0.0.1-none", true },
	};

	dir_make(boot, NULL);
	file_write(config, str_of(text), 0644, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(RUNS); i++)
		record(&w->place, say_splat_run, &RUNS[i], NULL);
}

static int world_init(struct world *w, const char *taproom)
{
	static const struct tree_way way = { "DWARF 5", "-g -gdwarf-5" };
	const struct tree_function *f;
	struct tree_function *v;
	const char *file;
	unsigned n, line;

	*w = (struct world){ .taproom = taproom };
	place_init(&w->place);
	tree_init(&w->tree);
	if (!w->tree.gcc || tree_build(&w->tree, &way, NULL) != 0)
		return -1;
	v = tree_functions(w->tree.vmlinux, &n);
	f = tree_function(v, n, "mptcp_close");
	line = tree_line("close-call", &file);
	w->frame = xasprintf("mptcp_close+0x%x/0x%x", f->ret, (unsigned)f->size);
	w->place_of = xasprintf("%s (%s:%u)", w->frame, file, line);
	w->text = xasprintf("Call Trace:\n <TASK>\n %s\n gone+0x1/0x2 [gone]\n", w->frame);
	w->console = path_join(w->place.dir, "console");
	free(v);
	return file_write(w->console, str_of(w->text), 0644, NULL);
}

static void world_done(struct world *w)
{
	place_done(&w->place);
	tree_done(&w->tree);
	free(w->console);
	free(w->text);
	free(w->frame);
	free(w->place_of);
	buf_done(&w->out);
	buf_done(&w->err);
}

/* ---- what is said to what ---- */

/* In a line VMLINUX, TREE, MODULE and CONSOLE stand for their paths. */
static const struct {
	const char *line;
	int code;
	bool decoded; /* the frame has its place behind it */
	const char *out, *err; /* has this; NULL: anything, and nothing */
	bool piped;   /* the console comes through standard input */
} ROWS[] = {
	{ "log 1 --console --decode", 0, true, "<TASK>", "1 frame of module gone not decoded" },
	{ "log 1 pm_netlink --decode", 0, true, NULL, "1 frame of module gone" },
	{ "log 1 --console --decode --lines 3", 0, true, NULL, NULL },
	{ "log 1 --console --symbols VMLINUX", 0, true, NULL, "1 frame of module gone" },
	{ "log 1 --console", 0, false, "gone+0x1/0x2 [gone]\n", NULL },
	{ "log 2 --console --decode", 0, false, "gone+0x1/0x2 [gone]\n",
	  "frames are not decoded: no debug info of kernel 0.0.1-none" },
	{ "log 2 --console --symbols TREE", 2, false, NULL, "is of kernel " TREE_RELEASE },
	{ "log 3 --console --decode", 0, false, NULL, "no debug info of kernel 6.12.0-older" },
	{ "log 3 --console --symbols VMLINUX", 2, false, NULL, "the log is of 6.12.0-older" },
	{ "log 4 --console --decode", 0, true, NULL, "module gone" },
	{ "log 5 --console --decode", 0, true, NULL, "module gone" },
	{ "log 6 --console --decode", 0, true, NULL, "module gone" },
	{ "log 7 --console --decode", 0, false, "gone", "no debug info of kernel" },
	{ "log 1 --console --symbols /none", 2, false, NULL, "there is no '/none'" },
	{ "show 1 --decode", 0, true, "WARNING in mptcp_close", "1 frame of module gone" },
	{ "show 1", 0, false, "WARNING in mptcp_close", NULL },
	{ "show 1 --json --decode", 0, true, "\"decoded\":\"Call Trace:\\n <TASK>\\n",
	  "1 frame of module gone" },
	{ "show 1 --json", 0, false, "\"splats\":[", NULL },
	{ "show 2 --decode", 0, false, "WARNING in mptcp_close", "no debug info of kernel" },
	{ "show 8 --decode", 0, true, "Call Trace:", NULL },
	{ "show 8 --json --decode", 0, true, "\"decoded\":\"Call Trace:\\n", NULL },
	{ "show 8 --symbols TREE", 0, true, "WARNING in mptcp_close", NULL },
	{ "show 3 --symbols TREE", 2, false, "WARNING in mptcp_close", "the log is of" },
	{ "log --file CONSOLE --symbols VMLINUX", 0, true, "<TASK>", "1 frame of module gone" },
	{ "log --file CONSOLE --symbols TREE -q", 0, true, NULL, "1 frame of module gone" },
	{ "log --file - --symbols TREE", 0, true, NULL, "1 frame of module gone", true },
	{ "log --file CONSOLE --symbols MODULE", 0, false, NULL, "only module mptcp was given" },
	{ "log --file CONSOLE", 2, false, NULL, "--symbols" },
	{ "log --file /none --symbols VMLINUX", 2, false, NULL, "/none" },
	{ "log --file CONSOLE --symbols CONSOLE", 2, false, NULL, "is no ELF file" },
	{ "log 1 --file CONSOLE --symbols TREE", 2, false, NULL, "don't go with it" },
};

static const char *word_of(const struct world *w, const char *word)
{
	const struct {
		const char *name, *path;
	} PATHS[] = { { "VMLINUX", w->tree.vmlinux }, { "TREE", w->tree.dir },
		      { "MODULE", w->tree.module }, { "CONSOLE", w->console } };

	for (size_t i = 0; i < ARRAY_SIZE(PATHS); i++)
		if (strcmp(word, PATHS[i].name) == 0)
			return PATHS[i].path;
	return word;
}

static int call(struct world *w, const char *line, int in)
{
	_free_ char *words = xstrdup(line);
	const char *argv[WORDS_MAX] = { w->taproom };
	/* Neither this machine's kernels nor its cache count. */
	const char *const env[] = { "XDG_CACHE_HOME=/nonexistent", NULL };
	struct proc_spec spec = { .argv = argv, .env = env, .in = in };
	struct err err = {};
	size_t n = 1;
	int r;

	for (char *save, *s = strtok_r(words, " ", &save); s; s = strtok_r(NULL, " ", &save))
		argv[n++] = word_of(w, s);
	argv[n++] = "--store";
	argv[n] = w->place.path;
	buf_clear(&w->out);
	buf_clear(&w->err);
	r = proc_run(&spec, &w->out, &w->err, 60000, &err);
	if (r < 0)
		printf("# %s\n", err.text);
	return r;
}

static bool has(const struct buf *b, const char *want)
{
	return str_find(buf_str(b), str_of(want)) >= 0;
}

static void comment(const char *name, const struct buf *b)
{
	for (struct str rest = buf_str(b); rest.n;) {
		struct str line = str_cut(&rest, '\n');

		printf("# %s: %.*s\n", name, STR_FMT(line));
	}
}

int main(int argc, char **argv)
{
	_cleanup_(world_done) struct world w;
	struct tap t = {};

	if (argc < 2)
		skip_all("which taproom?");
	if (world_init(&w, argv[1]) < 0)
		skip_all("no gcc for x86-64");
	TAP_HEADER();
	make_history(&w);
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		_cleanup_(closep) int in = ROWS[i].piped ?
						   open(w.console, O_RDONLY | O_CLOEXEC) : -1;
		int code = call(&w, ROWS[i].line, in);
		bool said = ROWS[i].err ? has(&w.err, ROWS[i].err) : w.err.n == 0;

		if (ok(&t, code == ROWS[i].code && said &&
			   (!ROWS[i].out || has(&w.out, ROWS[i].out)) &&
			   has(&w.out, w.place_of) == ROWS[i].decoded, "%s", ROWS[i].line))
			continue;
		printf("# exit %d\n", code);
		comment("out", &w.out);
		comment("err", &w.err);
	}
	return tap_done(&t);
}
