/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building a kernel, as it is typed: what is built is found again, an interrupted
 * build goes on, two at once build once, and the source stays as it is.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/units.h"
#include "contract/kernel-tree.h"
#include "tap.h"

#define WAIT_MS 60000

struct world {
	struct tap t;
	const char *taproom;
	char *dir, *tree, *env;
	struct buf out, err;
};

/* "{}" stands for the directory of it all. */
static char *filled(struct world *w, const char *word)
{
	const char *at = strstr(word, "{}");

	return at ? xasprintf("%.*s%s%s", (int)(at - word), word, w->dir, at + 2) : xstrdup(word);
}

#define WORDS_MAX 16
struct words {
	char *own[WORDS_MAX];
	const char *v[WORDS_MAX];
};

static void words_make(struct world *w, const char *const *words, struct words *ret)
{
	*ret = (struct words){ .v = { w->taproom, "build" } };
	for (size_t i = 0; words[i]; i++)
		ret->v[i + 2] = ret->own[i] = filled(w, words[i]);
}

static void words_done(struct words *w)
{
	for (size_t i = 0; i < WORDS_MAX; i++)
		free(w->own[i]);
}

static struct proc_spec spec(struct world *w, const struct words *words, const char *const *env)
{
	return (struct proc_spec){ .argv = words->v, .env = env, .dir = w->tree, .in = PROC_NULL,
				   .out = PROC_NULL, .err = PROC_NULL, .session = true };
}

/* Runs "taproom build WORDS..." in the tree; the exit code. */
static int build(struct world *w, const char *const *words)
{
	const char *const env[] = { w->env, NULL };
	struct words list;
	struct proc_spec s;
	struct err err = {};
	int r;

	words_make(w, words, &list);
	s = spec(w, &list, env);
	buf_clear(&w->out);
	buf_clear(&w->err);
	r = proc_run(&s, &w->out, &w->err, WAIT_MS, &err);
	if (r < 0)
		printf("# %s\n", err.text);
	buf_add(&w->out, "", 0);
	buf_add(&w->err, "", 0);
	words_done(&list);
	return r;
}
#define BUILD(w, ...) build(w, (const char *const[]){ __VA_ARGS__, NULL })

static bool has(const struct buf *b, const char *what)
{
	return str_find(buf_str(b), str_of(what)) >= 0;
}

static void comment(const struct world *w)
{
	printf("# out: %.*s\n# err: %.*s\n", STR_FMT(buf_str(&w->out)), STR_FMT(buf_str(&w->err)));
}

/* The value behind a key of what build prints; caller frees. */
static char *printed(const struct world *w, const char *key)
{
	for (struct str rest = buf_str(&w->out); rest.n;) {
		struct str line = str_trim(str_cut(&rest, '\n'));
		struct str name = str_cut(&line, ' ');

		if (str_eq(name, str_of(key)) && line.p) {
			line = str_trim(line);
			return xstrndup(line.p, line.n);
		}
	}
	return xstrdup("");
}

/* What make did since the last call, "one two link"; caller frees. The three
 * sources are made in any order: told as the rows have them. */
static char *ledger(struct world *w)
{
	static const char *const order[] = { "configure", "one", "two", "three", "link" };
	_free_ char *path = path_join(w->dir, "ledger");
	struct buf text = {}, b = {};

	file_read(path, 0, &text, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		for (struct str rest = buf_str(&text); rest.n;)
			if (str_eq(str_cut(&rest, '\n'), str_of(order[i])))
				buf_printf(&b, "%s%s", b.n ? " " : "", order[i]);
	buf_done(&text);
	file_write(path, STR(""), 0644, NULL);
	return buf_take(&b);
}

static void put(struct world *w, const char *below, const char *text)
{
	kernel_tree_file(w->dir, below, text);
}

static void take_away(struct world *w, const char *below)
{
	_free_ char *path = path_join(w->dir, below);

	unlink(path);
}

/* Waits until the ledger has the word. */
static bool comes(struct world *w, const char *word)
{
	_free_ char *path = path_join(w->dir, "ledger");

	for (int64_t end = clock_mono_ms() + WAIT_MS; clock_mono_ms() < end;) {
		struct buf text = {};
		bool there = file_read(path, 0, &text, NULL) == 0 && has(&text, word);

		buf_done(&text);
		if (there)
			return true;
		poll(NULL, 0, 20);
	}
	return false;
}

/* Does a process work in the directory of it all, but ours? By their command lines. */
static bool any_left(struct world *w)
{
	static const char script[] =
		"for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null |"
		" grep -q \"$1/hold-\" && [ \"$p\" != /proc/$$ ] && echo $p; done; true";
	const char *const argv[] = { "sh", "-c", script, "sh", w->dir, NULL };
	struct proc_spec s = { .argv = argv, .in = PROC_NULL, .out = PROC_NULL, .err = PROC_NULL };
	struct buf out = {};
	bool any;

	proc_run(&s, &out, NULL, WAIT_MS, NULL);
	any = out.n > 0;
	buf_done(&out);
	return any;
}

struct row {
	const char *name;
	const char *words[8];
	const char *path, *text; /* a file of the tree, written before; NULL: none */
	int code;
	const char *did;         /* by the ledger */
	const char *err;         /* is in what is said; NULL: anything */
};

static const struct row ROWS[] = {
	{ "from nothing", { "--kernel", "." }, NULL, NULL, 0, "configure one two three link",
	  "building kernel 6.99.1, mode normal" },
	{ "again: it is found", { "--kernel", "." }, NULL, NULL, 0, "", NULL },
	{ "by another name of the tree", { "--kernel", "{}/tree" }, NULL, NULL, 0, "", NULL },
	{ "an edit builds what it must", { "--kernel", "." }, "tree/two.c", "two, edited\n", 0,
	  "configure two link", "on top of what is built" },
	{ "another option", { "--kernel", ".", "--config", "-e MORE --set-val N 7" }, NULL, NULL, 0,
	  "configure link", NULL },
	{ "the same once more", { "--kernel", ".", "--config", "-e MORE --set-val N 7" }, NULL,
	  NULL, 0, "", NULL },
	{ "another mode has objects of its own", { "--kernel", ".", "--mode", "debug" }, NULL, NULL,
	  0, "configure one two three link", NULL },
	{ "two modes, both there", { "--kernel", ".", "--mode", "debug,normal" }, NULL, NULL, 0, "",
	  NULL },
	{ "tiny", { "--kernel", ".", "--base", "tiny" }, NULL, NULL, 0,
	  "configure one two three link", NULL },
	{ "ARCH=um", { "--kernel", ".", "--machine", "uml" }, NULL, NULL, 0,
	  "configure one two three link", NULL },
	{ "no such option", { "--kernel", ".", "--config", "-e NO_SUCH" }, NULL, NULL, 0,
	  "configure link", "CONFIG_NO_SUCH=y (--config) is n: no such option in this tree" },
	{ "and it is told again", { "--kernel", ".", "--config", "-e NO_SUCH" }, NULL, NULL, 0, "",
	  "CONFIG_NO_SUCH=y (--config) is n: no such option in this tree" },
	{ "a dependency", { "--kernel", ".", "--config", "-e STUBBORN" }, NULL, NULL, 0,
	  "configure link", "CONFIG_STUBBORN=y (--config) is n: it depends on AWAY, not set" },
	{ "a word that is none", { "--kernel", ".", "--config", "--enabel FOO" }, NULL, NULL, 2, "",
	  "'--enabel' is none of -e" },
	{ "no such mode", { "--kernel", ".", "--mode", "fast" }, NULL, NULL, 2, "",
	  "no mode 'fast': there are normal, debug, btf-normal, btf-debug" },
	{ "an image has no modes", { "--kernel", "{}/tree/one.c", "--mode", "debug" }, NULL, NULL,
	  2, "", "is ready made" },
	{ "the running kernel has no base",
	  { "--kernel", ".", "--machine", "host", "--base", "tiny" }, NULL, NULL, 2,
	  "", "a machine 'host' is the running kernel" },
	{ "a mistake in the source", { "--kernel", "." }, "tree/three.c", "#error\n", 4, NULL,
	  "three.c:1:2: error: no three" },
	{ "mended", { "--kernel", "." }, "tree/three.c", "three\n", 0, NULL, NULL },
};

static void test_rows(struct world *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		const struct row *r = &ROWS[i];
		_free_ char *did = NULL;
		int code;

		if (r->path)
			put(w, r->path, r->text);
		code = build(w, r->words);
		did = ledger(w);
		if (ok(&w->t, code == r->code && (!r->did || strcmp(did, r->did) == 0) &&
			      (!r->err || has(&w->err, r->err)), "%s", r->name))
			continue;
		printf("# exit %d, did: %s\n", code, did);
		comment(w);
	}
}

static void test_what_is_kept(struct world *w)
{
	_free_ char *image = NULL, *config = NULL, *release = NULL, *identity = NULL;
	struct buf text = {}, options = {};
	_free_ char *source = NULL;

	BUILD(w, "--kernel", ".", "--config", "-d OLD -e MORE");
	image = printed(w, "image");
	config = printed(w, "config");
	release = printed(w, "release");
	identity = printed(w, "identity");
	source = path_join(w->tree, ".config");
	file_read(image, 0, &text, NULL);
	ok(&w->t, has(&text, "one\n") && has(&text, "two, edited\n"),
	   "the image is what was built");
	file_read(config, 0, &options, NULL);
	ok(&w->t, has(&options, "CONFIG_NET=y\n") && has(&options, "CONFIG_MORE=y\n") &&
		  has(&options, "# CONFIG_OLD is not set\n") &&
		  has(&options, "CONFIG_VIRTIO_FS=y\n") && has(&options, "CONFIG_KUNIT=y\n"),
	   "its configuration: base, machine, mode, words");
	is_str(&w->t, release, "6.99.1", "its release");
	ok(&w->t, strstr(identity, "mode normal") && strstr(identity, "gcc") &&
		  strstr(identity, "configuration "), "its identity: %s", identity);
	ok(&w->t, !file_exists(source), "nothing is written into the source");
	buf_done(&text);
	buf_done(&options);
}

/* Starts a build that waits in the middle of "two". */
static bool start_held(struct world *w, const char *text, const struct words *list, int err,
		       struct proc *ret)
{
	const char *const env[] = { w->env, NULL };
	struct proc_spec s = spec(w, list, env);
	struct err e = {};

	free(ledger(w));
	put(w, "tree/one.c", text);
	put(w, "tree/two.c", text);
	put(w, "hold-two", "");
	s.err = err;
	if (proc_start(&s, ret, &e) < 0) {
		printf("# %s\n", e.text);
		return false;
	}
	return comes(w, "two\n");
}

static void test_stopped(struct world *w, int sig, int want_code, int age_ms, const char *text)
{
	const char *const words[] = { "--kernel", ".", NULL };
	_free_ char *did = NULL, *image = NULL;
	struct buf built = {};
	struct proc p = { .fd = -1 };
	struct words list;
	int status = 0;

	words_make(w, words, &list);
	if (!ok(&w->t, start_held(w, text, &list, PROC_NULL, &p),
		"signal %d: a build is under way", sig)) {
		proc_end(&p);
		words_done(&list);
		return;
	}
	free(ledger(w));
	/* What is done and not of the last seconds is not done again. */
	if (age_ms)
		poll(NULL, 0, age_ms);
	/* It alone: what it started is its to end. */
	kill(p.pid, sig);
	p.session = false;
	proc_wait(&p, true, &status, NULL);
	is_int(&w->t, proc_exit_code(status), want_code, "it ends, and says how");
	for (int64_t end = clock_mono_ms() + WAIT_MS; any_left(w) && clock_mono_ms() < end;)
		poll(NULL, 0, 50);
	ok(&w->t, !any_left(w), "nothing that it started is left");
	take_away(w, "hold-two");
	is_int(&w->t, BUILD(w, "--kernel", "."), 0, "the next one goes on");
	did = ledger(w);
	ok(&w->t, strstr(did, "two") && strstr(did, "link") &&
		  (sig != SIGTERM || strcmp(did, "two link") == 0),
	   "with what was half written: %s", did);
	image = printed(w, "image");
	file_read(image, 0, &built, NULL);
	ok(&w->t, has(&built, text) && !has(&built, "half"), "and nothing in it is half written");
	buf_done(&built);
	words_done(&list);
}

static void test_two_at_once(struct world *w)
{
	const char *const words[] = { "--kernel", ".", NULL };
	const char *const env[] = { w->env, NULL };
	_free_ char *log = path_join(w->dir, "second.err"), *did = NULL, *waits = NULL;
	_cleanup_(closep) int fd = open(log, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct proc first = { .fd = -1 }, second = { .fd = -1 };
	struct words list;
	struct proc_spec s;
	struct buf said = {};
	int a = -1, b = -1;

	words_make(w, words, &list);
	if (!ok(&w->t, start_held(w, "both want it\n", &list, PROC_NULL, &first), "one builds")) {
		proc_end(&first);
		words_done(&list);
		return;
	}
	waits = xasprintf("waiting for process %d, a taproom that builds the same kernel",
			  (int)first.pid);
	s = spec(w, &list, env);
	s.err = fd;
	ok(&w->t, proc_start(&s, &second, NULL) == 0, "another wants the same");
	for (int64_t end = clock_mono_ms() + WAIT_MS; clock_mono_ms() < end;) {
		buf_clear(&said);
		if (file_read(log, 0, &said, NULL) == 0 && has(&said, waits))
			break;
		poll(NULL, 0, 20);
	}
	ok(&w->t, has(&said, waits), "the other waits, and says for whom");
	take_away(w, "hold-two");
	proc_wait(&first, true, &a, NULL);
	if (second.pid > 0)
		proc_wait(&second, true, &b, NULL);
	ok(&w->t, a == 0 && b == 0, "both end well");
	did = ledger(w);
	is_str(&w->t, did, "configure one two link", "each step was done once");
	buf_done(&said);
	words_done(&list);
}

static int git(struct world *w, const char *line, struct buf *out)
{
	_free_ char *words = xstrdup(line);
	const char *argv[16] = { "git", "-c", "user.name=t", "-c", "user.email=t@example.org" };
	struct proc_spec s = { .argv = argv, .dir = w->tree, .in = PROC_NULL, .out = PROC_NULL,
			       .err = PROC_NULL };
	size_t n = 5;

	for (char *save, *word = strtok_r(words, " ", &save); word && n < 15;
	     word = strtok_r(NULL, " ", &save))
		argv[n++] = word;
	return proc_run(&s, out, NULL, WAIT_MS, NULL);
}

static void test_git(struct world *w)
{
	_free_ char *image = NULL, *source = NULL, *did = NULL, *again = NULL, *other = NULL;
	struct buf text = {}, before = {}, after = {};

	git(w, "init -q -b main .", NULL);
	git(w, "add -A", NULL);
	git(w, "commit -q -m first", NULL);
	put(w, "tree/one.c", "second\n");
	is_int(&w->t, git(w, "commit -q -a -m second", NULL), 0, "git: two commits");
	put(w, "tree/two.c", "not committed\n");
	git(w, "status --porcelain", &before);
	is_int(&w->t, BUILD(w, "--kernel", "git:main~1"), 0, "git:REF is built");
	image = printed(w, "image");
	source = printed(w, "source");
	file_read(image, 0, &text, NULL);
	ok(&w->t, !has(&text, "second") && !has(&text, "not committed"), "as it was committed");
	git(w, "status --porcelain", &after);
	ok(&w->t, str_eq(buf_str(&before), buf_str(&after)) && has(&after, " M two.c") &&
		  strncmp(source, w->tree, strlen(w->tree)) != 0, "the checkout is not touched");
	free(ledger(w));
	BUILD(w, "--kernel", "git:HEAD^");
	did = ledger(w);
	is_str(&w->t, did, "", "the same commit by another name is found");
	if (!ok(&w->t, BUILD(w, "--kernel", "git:main") == 0, "git: another commit"))
		comment(w);
	again = ledger(w);
	is_str(&w->t, again, "configure one link", "the next commit builds what differs");
	is_int(&w->t, BUILD(w, "--kernel", "git:no-such-branch"), 4, "no such commit");
	ok(&w->t, has(&w->err, "git knows no such commit here"), "and it says so");
	/* Built in place: make would refuse O=. */
	put(w, "tree/.gitignore", ".config\n");
	put(w, "tree/.config", "CONFIG_NET=y\n");
	is_int(&w->t, BUILD(w, "--kernel", "."), 0, "a tree that was built in place");
	other = printed(w, "image");
	buf_clear(&text);
	file_read(other, 0, &text, NULL);
	ok(&w->t, has(&text, "not committed"), "with what is edited there");
	buf_done(&text);
	buf_done(&before);
	buf_done(&after);
}

int main(int argc, char **argv)
{
	struct world w = {};
	_cleanup_(dir_removep) char *dir = NULL;

	TAP_HEADER();
	if (argc < 2 || dir_temp("/tmp", "taproom-build-", &dir, NULL) < 0 ||
	    kernel_tree_make(dir) < 0)
		return 1;
	w.dir = dir;
	w.taproom = realpath(argv[1], NULL);
	w.tree = path_join(dir, "tree");
	w.env = xasprintf("XDG_CACHE_HOME=%s/cache", dir);
	test_rows(&w);
	test_what_is_kept(&w);
	test_stopped(&w, SIGTERM, 130, 12000, "stopped\n");
	test_stopped(&w, SIGINT, 130, 0, "interrupted\n");
	test_stopped(&w, SIGKILL, 137, 12000, "killed\n");
	test_two_at_once(&w);
	test_git(&w);
	buf_done(&w.out);
	buf_done(&w.err);
	free((char *)w.taproom);
	free(w.tree);
	free(w.env);
	return tap_done(&w.t);
}
