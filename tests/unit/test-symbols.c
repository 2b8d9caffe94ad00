/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Symbols and decode, on what the compiler makes at test time of a small tree. */
#include <stdlib.h>

#include "base/mem.h"
#include "kernel/decode.h"
#include "symbols-tree.h"
#include "tap.h"

/* .kernel, .module: what addr2line of binutils 2.40 can tell us about it. It does
 * not read split debug info, nor inlined functions in a module of DWARF 4. */
static const struct {
	struct tree_way way;
	enum { NOTHING, FIRST_LINE, ALL } kernel, module;
} WAYS[] = {
	{ { "DWARF 5", "-g -gdwarf-5" }, ALL, ALL },
	{ { "DWARF 4", "-g -gdwarf-4" }, ALL, FIRST_LINE },
	{ { "DWARF 4 with types apart", "-g -gdwarf-4 -fdebug-types-section" }, ALL, FIRST_LINE },
	{ { "compressed sections", "-g -gdwarf-5 -gz" }, ALL, ALL },
	{ { "split debug info", "-g -gdwarf-5 -gsplit-dwarf" }, NOTHING, NOTHING },
	{ { "built elsewhere", "-g -gdwarf-5", .elsewhere = true }, ALL, ALL },
	{ { "built elsewhere, DWARF 4", "-g -gdwarf-4", .elsewhere = true }, ALL, FIRST_LINE },
};

static struct symbols *open_tree(struct tap *t, const char *where)
{
	struct symbols *s = NULL;
	struct err err = {};

	if (symbols_open(&(struct symbols_from){ .where = where }, &s, &err) < 0)
		ok(t, false, "open: %s", err.text);
	return s;
}

/* ---- against the marks in the source ---- */

/* A frame, and the marks of its places, innermost first. */
static const struct {
	const char *function;
	bool module, exact;
	const char *marks[4]; /* "function mark" */
} MARKS[] = {
	{ "kernel_init", .marks = { NULL } },
	{ "mptcp_close", .marks = { "mptcp_close close-call" } },
	{ "mptcp_close", .exact = true, .marks = { "mptcp_close close-after" } },
	{ "complain", .marks = { "complain complain-call" } },
	{ "mptcp_recvmsg",
	  .marks = { "sock_put sock-put-call", "sock_release sock-release-call",
		     "mptcp_recvmsg recvmsg-release" } },
	{ "mptcp_recvmsg", .exact = true,
	  .marks = { "sock_put sock-put-after", "sock_release sock-release-call",
		     "mptcp_recvmsg recvmsg-release" } },
	{ "mptcp_subflow", .module = true,
	  .marks = { "sock_put sock-put-call", "sock_release sock-release-call",
		     "mptcp_subflow subflow-release" } },
	{ "helper", .module = true,
	  .marks = { "sock_put sock-put-call", "helper module-helper-put" } },
	{ "mptcp_init", .module = true, .marks = { "mptcp_init module-init-call" } },
};

static void put_places(struct buf *b, const struct symbols_place *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_printf(b, "%s%s %s:%u", i ? "\n" : "", p[i].function, p[i].file, p[i].line);
}

static void put_marks(struct buf *b, const char *const marks[4])
{
	for (unsigned i = 0; i < 4 && marks[i]; i++) {
		struct str mark = str_of(marks[i]), function = str_cut(&mark, ' ');
		const char *file = "no such mark";
		unsigned line = tree_line(mark.p, &file);

		buf_printf(b, "%s%.*s %s:%u", i ? "\n" : "", STR_FMT(function), file, line);
	}
}

static void test_marks(struct tap *t, const struct tree *tree, const struct tree_way *way)
{
	struct symbols *s = open_tree(t, tree->dir);
	unsigned n[2];
	struct tree_function *v[2] = { tree_functions(tree->vmlinux, &n[0]),
				       tree_functions(tree->module, &n[1]) };

	for (size_t i = 0; s && i < ARRAY_SIZE(MARKS); i++) {
		_free_ char *name = xasprintf("%s: %s%s%s", way->name, MARKS[i].function,
					      MARKS[i].module ? " [mptcp]" : "",
					      MARKS[i].exact ? ", by register" : "");
		bool m = MARKS[i].module;
		const struct tree_function *f = tree_function(v[m], n[m], MARKS[i].function);
		const struct symbols_place *p;
		_cleanup_(buf_done) struct buf got = {}, want = {};

		if (!MARKS[i].marks[0])
			continue;
		if (!f || !f->ret) {
			ok(t, false, "%s: no call in it", name);
			continue;
		}
		put_places(&got, p, symbols_look_up(s, &(struct symbols_query){
			.function = str_of(f->name), .offset = f->ret, .size = f->size,
			.module = m ? STR("mptcp") : STR(""), .exact = MARKS[i].exact }, &p));
		put_marks(&want, MARKS[i].marks);
		is_str(t, buf_str(&got).p, buf_str(&want).p, name);
	}
	for (int k = 0; k < 2; k++)
		free(v[k]);
	symbols_close(s);
}

/* ---- against addr2line ---- */

/* Ours for every byte of every function as lines of "function file:line". */
static void ours(struct symbols *s, const struct tree_function *v, unsigned n, bool module,
		 bool first, struct buf *addresses, struct buf *ret)
{
	for (unsigned i = 0; i < n; i++) {
		if (module && !v[i].text)
			continue; /* addr2line knows but one section at address 0 */
		for (uint64_t at = 0; at < v[i].size; at++) {
			const struct symbols_place *p;
			unsigned got = symbols_look_up(s, &(struct symbols_query){
				.function = str_of(v[i].name), .offset = at, .size = v[i].size,
				.module = module ? STR("mptcp") : STR(""), .exact = true }, &p);

			buf_printf(addresses, "0x%" PRIx64 "\n", v[i].address + at);
			buf_printf(ret, "= %s+%u\n", v[i].name, (unsigned)at);
			if (first && got)
				buf_printf(ret, "%s:%u", p->file, p->line);
			else
				put_places(ret, p, got);
			buf_printf(ret, "\n");
		}
	}
}

/* Theirs in the same form: "0xADDRESS", then a line with the function and one
 * with file:line for each. */
static void theirs(const char *root, struct str text, const char *names, bool first_line,
		   struct buf *ret)
{
	struct str title = str_of(names), function = STR_NONE;
	bool first = true;

	while (text.n) {
		struct str line = str_cut(&text, '\n');
		ptrdiff_t more = str_find(line, STR(" (discriminator"));

		if (str_starts(line, STR("0x"))) {
			struct str own = STR_NONE;

			while (title.n && !str_starts(own, STR("= ")))
				own = str_cut(&title, '\n');
			buf_printf(ret, "%s%.*s\n", ret->n ? "\n" : "", STR_FMT(own));
			first = true;
			continue;
		}
		if (!function.p) {
			function = line;
			continue;
		}
		if (more >= 0)
			line.n = (size_t)more;
		if (str_starts(line, str_of(root)))
			line = str_from(line, strlen(root) + 1);
		if (str_starts(line, STR("obj/../")))
			line = str_from(line, strlen("obj/../"));
		if (!first_line)
			buf_printf(ret, "%s%.*s %.*s", first ? "" : "\n", STR_FMT(function),
				   STR_FMT(line));
		else if (first)
			buf_printf(ret, "%.*s", STR_FMT(line));
		function = STR_NONE;
		first = false;
	}
	buf_printf(ret, "\n");
}

/* The first place where the two differ. */
static void tell_difference(struct str a, struct str b)
{
	struct str title = STR("");

	while (a.n && b.n) {
		struct str x = str_cut(&a, '\n'), y = str_cut(&b, '\n');

		if (str_starts(x, STR("= ")))
			title = x;
		if (str_eq(x, y))
			continue;
		printf("# %.*s\n#  got: %.*s\n# want: %.*s\n", STR_FMT(title), STR_FMT(x),
		       STR_FMT(y));
		return;
	}
}

static void test_yardstick(struct tap *t, const struct tree *tree, const struct tree_way *way,
			   bool module, bool first)
{
	_cleanup_(buf_done) struct buf addresses = {}, mine = {}, raw = {}, other = {};
	const char *object = module ? tree->module : tree->vmlinux;
	struct symbols *s = open_tree(t, tree->dir);
	unsigned n;
	struct tree_function *v = tree_functions(object, &n);

	if (s) {
		ours(s, v, n, module, first, &addresses, &mine);
		if (tree_addr2line(object, buf_str(&addresses), &raw) < 0) {
			ok(t, true, "%s: as addr2line # SKIP no addr2line", way->name);
		} else {
			theirs(tree->dir, buf_str(&raw), buf_str(&mine).p, first, &other);
			if (!ok(t, mine.n > 1000 && str_eq(buf_str(&mine), buf_str(&other)),
				"%s: every address of the %s as addr2line%s", way->name,
				module ? "module" : "kernel", first ? ", first line" : ""))
				tell_difference(buf_str(&mine), buf_str(&other));
		}
	}
	free(v);
	symbols_close(s);
}

/* ---- names that occur twice, sizes ---- */

static void test_names(struct tap *t, const struct tree *tree)
{
	struct symbols *s = open_tree(t, tree->dir);
	unsigned n, helpers = 0, copies = 0, cold = 0;
	struct tree_function *v = tree_functions(tree->vmlinux, &n);
	const struct tree_function *first = tree_function(v, n, "kernel_init");

	for (unsigned i = 0; s && i < n; i++) {
		struct symbols_query q = { .function = str_of(v[i].name), .offset = v[i].ret,
					   .size = v[i].size };
		_cleanup_(buf_done) struct buf got = {};
		const struct symbols_place *p;
		unsigned found = v[i].ret ? symbols_look_up(s, &q, &p) : 0;

		put_places(&got, p, found);
		if (strcmp(v[i].name, "helper") == 0) {
			/* The linker put main.c's first. */
			const char *mark = v[i].address > first->address ?
						   "protocol-helper-call" : "main-helper-call";
			const char *file;
			unsigned line = tree_line(mark, &file);
			_free_ char *want = xasprintf("helper %s:%u", file, line);

			helpers++;
			is_str(t, buf_str(&got).p, want, "the one of its size");
			q.size += 0x1000;
			is_int(t, symbols_look_up(s, &q, &p), 0, "none of another size");
		}
		if (strstr(v[i].name, ".constprop.") || strstr(v[i].name, ".isra.")) {
			copies++;
			ok(t, found && str_find(buf_str(&got), STR("copied ")) == 0, "%s: %s",
			   v[i].name, buf_str(&got).p);
		}
		cold += strstr(v[i].name, ".cold") != NULL;
	}
	is_int(t, helpers, 2, "two functions of one name");
	printf("# %u copies by the compiler, %u cold parts\n", copies, cold);
	free(v);
	symbols_close(s);
}

/* ---- a whole console ---- */

/* <function> is a frame at its first call, {mark} that mark's file:line. */
static const char CONSOLE[] =
	"[    1.000001] Linux version 6.12.0 (gcc) #1 SMP\r\n"
	"[    2.500000] ------------[ cut here ]------------\n"
	"[    2.500000] WARNING: CPU: 0 PID: 71 at net/mptcp/protocol.c:12 <mptcp_close>\n"
	"[    2.500001] Modules linked in: mptcp\n"
	"[    2.500002] RIP: 0010:<mptcp_close>\n"
	"[    2.500003] Code: 0f 0b <0f> 0b +0x1 a+0x/0x2 b+0x1/0x c+0x1 d+0xg/0x1\n"
	"[    2.500004] Call Trace:\n"
	"[    2.500005]  <TASK>\n"
	"[    2.500006]  <mptcp_recvmsg>\n"
	"[    2.500007][   T71]  ? <mptcp_subflow> [mptcp]\n"
	"[    2.500008]  <mptcp_subflow> [mptcp 0123456789abcdef0123456789abcdef01234567]\r\n"
	"[    2.500009]  [<0000000060012345>] <complain>\n"
	"[    2.500010]  ? gone+0x1/0x2\n"
	"[    2.500011]  ? far+0x1/0x2 [far_away]\n"
	"<4>[    2.500012] pc : <mptcp_close>\n"
	"lr : <mptcp_close> (P)\n"
	"#0: (&x){+.+.}, at: <complain>, <mptcp_close>\n"
	"(<complain> [mptcp])\n"
	"<mptcp_close> (net/old.c:5)\n"
	"ok 1 a test's line\n"
	"<complain>";
static const char DECODED[] =
	"[    1.000001] Linux version 6.12.0 (gcc) #1 SMP\r\n"
	"[    2.500000] ------------[ cut here ]------------\n"
	"[    2.500000] WARNING: CPU: 0 PID: 71 at net/mptcp/protocol.c:12 <mptcp_close> "
	"({close-after})\n"
	"[    2.500001] Modules linked in: mptcp\n"
	"[    2.500002] RIP: 0010:<mptcp_close> ({close-after})\n"
	"[    2.500003] Code: 0f 0b <0f> 0b +0x1 a+0x/0x2 b+0x1/0x c+0x1 d+0xg/0x1\n"
	"[    2.500004] Call Trace:\n"
	"[    2.500005]  <TASK>\n"
	"[    2.500006]  <mptcp_recvmsg> (sock_put at {sock-put-call})\n"
	"[    2.500006]   (inlined by) sock_release at {sock-release-call}\n"
	"[    2.500006]   (inlined by) mptcp_recvmsg at {recvmsg-release}\n"
	"[    2.500007][   T71]  ? <mptcp_subflow> [mptcp] (sock_put at {sock-put-call})\n"
	"[    2.500007][   T71]     (inlined by) sock_release at {sock-release-call}\n"
	"[    2.500007][   T71]     (inlined by) mptcp_subflow at {subflow-release}\n"
	"[    2.500008]  <mptcp_subflow> [mptcp 0123456789abcdef0123456789abcdef01234567] "
	"(sock_put at {sock-put-call})\r\n"
	"[    2.500008]   (inlined by) sock_release at {sock-release-call}\n"
	"[    2.500008]   (inlined by) mptcp_subflow at {subflow-release}\n"
	"[    2.500009]  [<0000000060012345>] <complain> ({complain-call})\n"
	"[    2.500010]  ? gone+0x1/0x2\n"
	"[    2.500011]  ? far+0x1/0x2 [far_away]\n"
	"<4>[    2.500012] pc : <mptcp_close> ({close-after})\n"
	"lr : <mptcp_close> ({close-after}) (P)\n"
	"#0: (&x){+.+.}, at: <complain> ({complain-call}), <mptcp_close> ({close-call})\n"
	"(<complain> [mptcp])\n"
	"<mptcp_close> (net/old.c:5)\n"
	"ok 1 a test's line\n"
	"<complain> ({complain-call})";

struct places {
	struct tree_function *v[2];
	unsigned n[2];
};

/* Fills in a template; what is in brackets and no function or mark stays. */
static void fill(const struct places *p, const char *template, struct buf *ret)
{
	for (const char *c = template; *c;) {
		const char *end = *c == '<' ? strchr(c, '>') : *c == '{' ? strchr(c, '}') : NULL;
		_free_ char *word = end ? xstrndup(c + 1, (size_t)(end - c) - 1) : NULL;
		const struct tree_function *f = NULL;
		const char *file;
		unsigned line;

		for (int i = 0; word && i < 2 && !f; i++)
			f = tree_function(p->v[i], p->n[i], word);
		if (word && *c == '<' && f) {
			buf_printf(ret, "%s+0x%x/0x%x", f->name, f->ret, (unsigned)f->size);
			c = end + 1;
		} else if (word && *c == '{' && (line = tree_line(word, &file))) {
			buf_printf(ret, "%s:%u", file, line);
			c = end + 1;
		} else {
			buf_add(ret, c++, 1);
		}
	}
}

static void said(void *ctx, enum log_level level, struct str text)
{
	buf_printf(ctx, "%.*s\n", STR_FMT(text));
}

/* @piece: so many bytes at a time. */
static void through(struct symbols *s, struct str text, size_t piece, struct buf *ret)
{
	struct decode d;
	struct out out;

	out_to_buf(&out, ret);
	decode_begin(&d, s, &out);
	for (size_t i = 0; i < text.n; i += piece) {
		out_bytes(&d.in, text.p + i, text.n - i < piece ? text.n - i : piece);
		out_flush(&d.in);
	}
	decode_end(&d);
	out_flush(&out);
}

static void test_console(struct tap *t, const struct tree *tree)
{
	struct symbols *s = open_tree(t, tree->vmlinux);
	struct places p;
	_cleanup_(buf_done) struct buf in = {}, want = {}, words = {}, told = {};
	struct log log = { .level = LOG_WARN, .line = said, .ctx = &words };
	static const size_t PIECES[] = { 1, 7, 100000 };

	p.v[0] = tree_functions(tree->vmlinux, &p.n[0]);
	p.v[1] = tree_functions(tree->module, &p.n[1]);
	fill(&p, CONSOLE, &in);
	fill(&p, DECODED, &want);
	for (size_t i = 0; s && i < ARRAY_SIZE(PIECES); i++) {
		_cleanup_(buf_done) struct buf got = {}, twice = {};
		_free_ char *name = xasprintf("a console in pieces of %zu", PIECES[i]);

		through(s, buf_str(&in), PIECES[i], &got);
		is_str(t, buf_str(&got).p, want.p, name);
		through(s, buf_str(&got), PIECES[i], &twice);
		is_str(t, buf_str(&twice).p, want.p, "decoded again: the same");
	}
	if (s) {
		symbols_tell_missing(s, &log);
		buf_printf(&told,
			   "6 frames of the kernel not decoded: no function of that name in "
			   "'%s'\n"
			   "6 frames of module far_away not decoded: no file of it\n"
			   "6 frames of module mptcp not decoded: no function of that name in "
			   "'%s'\n",
			   tree->vmlinux, tree->module);
		/* In the order in which they were met. */
		ok(t, str_find(buf_str(&words), STR("6 frames of the kernel")) >= 0 &&
		      str_find(buf_str(&words), STR("6 frames of module far_away not decoded: "
						    "no file of it\n")) >= 0 &&
		      words.n == told.n, "each is missing once");
	}
	for (int k = 0; k < 2; k++)
		free(p.v[k]);
	symbols_close(s);
}

/* A line without its end must not be held for ever; one that is too long and
 * the ones around it stay what they are. */
static void test_long_lines(struct tap *t, const struct tree *tree)
{
	struct symbols *s = open_tree(t, tree->vmlinux);
	_cleanup_(buf_done) struct buf in = {}, got = {};

	buf_printf(&in, "short\n");
	for (unsigned i = 0; i < DECODE_LINE_MAX / 8; i++)
		buf_printf(&in, "complain+0x9/0x11 ");
	buf_printf(&in, "\nlast");
	through(s, buf_str(&in), 4000, &got);
	ok(t, str_eq(buf_str(&in), buf_str(&got)), "a line of %zu bytes goes through", in.n);
	symbols_close(s);
}

/* ---- another build ---- */

static void test_build_id(struct tap *t, const struct tree *tree)
{
	static const char TEXT[] =
		"CPU: 0 PID: 1 Comm: x Not tainted 6.1.0 #1 "
		"00112233445566778899aabbccddeeff00112233\n";
	struct symbols *s = open_tree(t, tree->vmlinux);
	unsigned n;
	struct tree_function *v = tree_functions(tree->vmlinux, &n);
	const struct tree_function *f = tree_function(v, n, "complain");
	_cleanup_(buf_done) struct buf words = {}, in = {}, got = {};
	struct log log = { .level = LOG_WARN, .line = said, .ctx = &words };

	buf_printf(&in, "%scomplain+0x%x/0x%x", TEXT, f->ret, (unsigned)f->size);
	through(s, buf_str(&in), 4096, &got);
	is_str(t, buf_str(&got).p, in.p, "another build id: nothing is decoded");
	symbols_tell_missing(s, &log);
	ok(t, str_find(buf_str(&words), STR("another build id")) > 0, "it is said");
	free(v);
	symbols_close(s);
}

int main(void)
{
	_cleanup_(tree_done) struct tree tree;
	struct tap t = {};

	tree_init(&tree);
	if (!tree.gcc)
		skip_all("no gcc for x86-64");
	TAP_HEADER();
	for (size_t i = 0; i < ARRAY_SIZE(WAYS); i++) {
		const struct tree_way *way = &WAYS[i].way;
		_cleanup_(buf_done) struct buf words = {};

		if (tree_build(&tree, way, &words) != 0) {
			ok(&t, false, "%s is built: %s", way->name, buf_str(&words).p);
			continue;
		}
		test_marks(&t, &tree, way);
		if (WAYS[i].kernel)
			test_yardstick(&t, &tree, way, false, WAYS[i].kernel == FIRST_LINE);
		if (WAYS[i].module)
			test_yardstick(&t, &tree, way, true, WAYS[i].module == FIRST_LINE);
	}
	tree_build(&tree, &WAYS[0].way, NULL);
	test_names(&t, &tree);
	test_console(&t, &tree);
	test_long_lines(&t, &tree);
	test_build_id(&t, &tree);
	return tap_done(&t);
}
