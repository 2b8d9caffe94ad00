/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/decode.h"

#include "base/mem.h"

#define OFFSET        STR("+0x")
#define HEX_MAX       16
#define BUILD_ID_LEAST 16 /* digits of a build id in a log; it prints 40 */
#define MODULE_NAME_MAX 64 /* MODULE_NAME_LEN is 56 */
#define INDENT_MAX     8

/* What was found in a line. */
struct frame {
	struct symbols_query q;
	size_t from, to; /* function to module's bracket, in the line */
};

static bool is_name(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
	       c == '.' || c == '$';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* Digits at *at of the line. Returns 1, or 0 without any or with too many. */
static int take_hex(struct str line, size_t *at, uint64_t *ret)
{
	size_t from = *at;

	for (*ret = 0; *at < line.n && hex_value(line.p[*at]) >= 0; ++*at)
		*ret = *ret << 4 | (unsigned)hex_value(line.p[*at]);
	return *at > from && *at - from <= HEX_MAX;
}

static struct str take_word(struct str line, size_t *at, bool (*is)(char))
{
	size_t from = *at;

	while (*at < line.n && is(line.p[*at]))
		++*at;
	return str_n(line.p + from, *at - from);
}

static bool is_module(char c)
{
	return (c != '.' && c != '$' && is_name(c)) || c == '-';
}

static bool is_hex(char c)
{
	return hex_value(c) >= 0;
}

/* " [mptcp]", " [mptcp 0123456789abcdef...]" (CONFIG_STACKTRACE_BUILD_ID). */
static void take_module(struct str line, struct frame *f)
{
	size_t at = f->to;
	struct str module, id = STR("");

	if (!str_starts(str_from(line, at), STR(" [")))
		return;
	at += 2;
	module = take_word(line, &at, is_module);
	if (at < line.n && line.p[at] == ' ') {
		at++;
		id = take_word(line, &at, is_hex);
		if (!id.n)
			return;
	}
	if (at == line.n || line.p[at] != ']' || !module.n || module.n > MODULE_NAME_MAX)
		return;
	f->q.module = module;
	f->q.build_id = id;
	f->to = at + 1;
}

/* " (net/mptcp/protocol.c:123)": our own, or another decoder's. */
static bool is_decoded(struct str rest)
{
	struct str inside;

	if (!str_starts(rest, STR(" (")))
		return false;
	inside = str_from(rest, 2);
	inside = str_cut(&inside, ')');
	return memchr(inside.p, ':', inside.n) != NULL;
}

/* Registers tell the instruction itself, everything else where it returns to. */
static bool is_exact(struct str line, const struct frame *f)
{
	static const struct str BEFORE[] = {
		STR("RIP: "), STR("EIP: "), STR("RIP  "), STR("EIP is at "), STR("pc : "),
		STR("PC is at "), STR("epc : "), STR("NIP "), STR("PC: "), STR("PSW : "),
	};
	struct str before = str_n(line.p, f->from);

	/* kernel/panic.c: "WARNING: CPU: 1 PID: 2 at file.c:3 fn+0x4/0x5" */
	if (str_find(before, STR("WARNING: ")) >= 0 && str_find(before, STR(" at ")) >= 0)
		return true;
	/* arm64 marks a frame whose address is from registers. */
	if (str_starts(str_from(line, f->to), STR(" (P")))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(BEFORE); i++)
		if (str_find(before, BEFORE[i]) >= 0)
			return true;
	return false;
}

/* The next frame from *at on; 0 when there is none. */
static int next_frame(struct str line, size_t *at, struct frame *ret)
{
	for (;;) {
		ptrdiff_t plus = str_find(str_from(line, *at), OFFSET);
		struct frame f = {};

		if (plus < 0)
			return 0;
		f.from = f.to = *at + (size_t)plus;
		while (f.from > *at && is_name(line.p[f.from - 1]))
			f.from--;
		f.q.function = str_n(line.p + f.from, f.to - f.from);
		f.to += OFFSET.n;
		*at = f.to;
		if (!f.q.function.n || !take_hex(line, &f.to, &f.q.offset) ||
		    !str_starts(str_from(line, f.to), STR("/0x")))
			continue;
		f.to += 3;
		if (!take_hex(line, &f.to, &f.q.size))
			continue;
		take_module(line, &f);
		*at = f.to;
		if (is_decoded(str_from(line, f.to)))
			continue;
		f.q.exact = is_exact(line, &f);
		*ret = f;
		return 1;
	}
}

/* ---- writing ---- */

static void put_place(struct out *out, const struct symbols_place *p)
{
	out_str(out, str_of(p->file));
	if (p->line)
		out_printf(out, ":%u", p->line);
	else
		out_lit(out, ":?");
}

/* "[   12.345678][  T123] " and the like stand before a grown line too. */
static size_t prefix_of(struct str line)
{
	size_t n = 0;

	if (n < line.n && line.p[n] == '<')
		while (n < line.n && line.p[n++] != '>')
			;
	while (n < line.n && line.p[n] == '[') {
		struct str rest = str_from(line, n), inside = str_cut(&rest, ']');

		/* UML's "[<addr>]" belongs to the frame. */
		if (!rest.p || str_starts(inside, STR("[<")))
			break;
		n += inside.n + 1;
		if (rest.n && rest.p[0] == ' ')
			return n + 1;
	}
	return n;
}

/* A grown line: the prefix, then blanks up to below the frame if it is near. */
static void put_indent(struct out *out, struct str line, size_t prefix, size_t from)
{
	out_char(out, '\n');
	out_str(out, str_n(line.p, prefix < from ? prefix : from));
	for (size_t i = prefix; i < from && i < prefix + INDENT_MAX; i++)
		out_char(out, line.p[i] == '\t' ? '\t' : ' ');
	out_char(out, ' ');
}

static void put_more(struct out *out, struct str line, size_t prefix, const struct frame *f,
		     const struct symbols_place *p, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		put_indent(out, line, prefix, f->from);
		out_str(out, p[i].how == SYMBOLS_OR ? STR("(or) ") : STR("(inlined by) "));
		if (p[i].function)
			out_printf(out, "%s at ", p[i].function);
		put_place(out, &p[i]);
	}
}

/* Of "CPU: 0 PID: 1 Comm: x Not tainted 6.1.0 #1 0123456789abcdef..." (lib/
 * dump_stack.c) the last word may be the kernel's build id. */
static void check_build_id(struct symbols *s, struct str line)
{
	size_t at;

	if (str_find(line, STR(" Comm: ")) < 0 || str_find(line, STR("PID: ")) < 0)
		return;
	line = str_trim(line);
	for (at = line.n; at && is_hex(line.p[at - 1]);)
		at--;
	if (at && line.p[at - 1] == ' ' && line.n - at >= BUILD_ID_LEAST)
		symbols_check_build_id(s, str_from(line, at));
}

void decode_line(struct symbols *s, struct str line, struct out *out)
{
	struct frame frames[DECODE_FRAMES_MAX];
	struct symbols_place first;
	const struct symbols_place *places;
	_cleanup_(buf_done) struct buf below = {};
	struct out grown;
	size_t at = 0, done = 0, prefix = prefix_of(line);
	unsigned n = 0;

	check_build_id(s, line);
	out_to_buf(&grown, &below);
	while (n < DECODE_FRAMES_MAX && next_frame(line, &at, &frames[n])) {
		const struct frame *f = &frames[n++];
		unsigned found = symbols_look_up(s, &f->q, &places);

		if (!found)
			continue;
		first = places[0];
		out_str(out, str_n(line.p + done, f->to - done));
		done = f->to;
		out_lit(out, " (");
		/* An inlined one: else its name stands there already. */
		if (found > 1 && first.function && places[1].how == SYMBOLS_INLINED_BY)
			out_printf(out, "%s at ", first.function);
		put_place(out, &first);
		out_char(out, ')');
		put_more(&grown, line, prefix, f, places, found);
	}
	out_str(out, str_from(line, done));
	out_flush(&grown);
	out_str(out, buf_str(&below));
}

/* Most lines of a log have no frame. */
static void decode_one(struct symbols *s, struct str line, struct out *out)
{
	if (s && line.n <= DECODE_LINE_MAX &&
	    (memmem(line.p, line.n, "+0x", 3) || memmem(line.p, line.n, " Comm: ", 7)))
		decode_line(s, line, out);
	else
		out_str(out, line);
}

void decode_text(struct symbols *s, struct str text, struct out *out)
{
	for (struct str rest = text; rest.p;) {
		decode_one(s, str_cut(&rest, '\n'), out);
		if (rest.p)
			out_char(out, '\n');
	}
}

static int decode_write(void *ctx, const char *p, size_t n)
{
	struct decode *d = ctx;

	for (struct str rest = str_n(p, n); rest.p;) {
		struct str line = str_cut(&rest, '\n');
		bool whole = rest.p != NULL;

		if (!d->passing && d->line.n + line.n > DECODE_LINE_MAX) {
			out_str(d->to, buf_str(&d->line));
			buf_clear(&d->line);
			d->passing = true;
		}
		if (d->passing) {
			out_str(d->to, line);
			d->passing = !whole;
		} else if (whole && d->line.n == 0) {
			decode_one(d->symbols, line, d->to);
		} else {
			buf_add_str(&d->line, line);
			if (whole)
				decode_one(d->symbols, buf_str(&d->line), d->to);
		}
		if (whole) {
			buf_clear(&d->line);
			out_char(d->to, '\n');
		}
	}
	return d->to->error;
}

void decode_begin(struct decode *d, struct symbols *s, struct out *to)
{
	*d = (struct decode){ .symbols = s, .to = to };
	out_to(&d->in, decode_write, d);
}

int decode_end(struct decode *d)
{
	out_flush(&d->in);
	if (d->line.n)
		decode_one(d->symbols, buf_str(&d->line), d->to);
	buf_done(&d->line);
	return d->to->error;
}
