/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine room's pure parts, and what a hostile guest may send. */
#include <elf.h>
#include <lzma.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/file.h"
#include "base/inflate.h"
#include "base/mem.h"
#include "base/proc.h"
#include "machine/accel.h"
#include "machine/agent.h"
#include "machine/frame.h"
#include "machine/initramfs.h"
#include "machine/modules.h"
#include "machine/vmlinux.h"
#include "tap.h"

/* ---- initramfs ---- */

static void archive(struct initramfs *a)
{
	*a = (struct initramfs){};
	initramfs_dir(a, "dev", 0755);
	initramfs_node(a, "dev/console", S_IFCHR | 0600, 5, 1);
	initramfs_file(a, "init", 0755, STR("hello"));
	initramfs_end(a);
}

static void test_initramfs(struct tap *t)
{
	static const char want[] =
		/* magic, inode, mode, uid, gid, links, mtime, size, major, minor,
		 * rmajor, rminor, name size, check */
		"07070100000000000041ed000000000000000000000002000000000000000000000000"
		"0000000000000000000000000000000400000000dev\0\0\0";
	static const char *const list[] = { "cpio", "--quiet", "-itv", NULL };
	_cleanup_(initramfs_done) struct initramfs a = {}, b = {}, small = {};
	_cleanup_(buf_done) struct buf out = {};
	_free_ char *cpio = proc_find("cpio");
	struct proc_spec s = { .argv = list, .out = PROC_SAME, .err = PROC_SAME };
	FILE *f = tmpfile();

	archive(&a);
	archive(&b);
	ok(t, str_eq(buf_str(&a.out), buf_str(&b.out)), "the same entries, the same bytes");
	ok(t, str_starts(buf_str(&a.out), str_n(want, sizeof(want) - 1)), "a directory");
	is_int(t, (int64_t)a.out.n % 4, 0, "padded");
	small.out.max = 64;
	initramfs_file(&small, "x", 0644, STR("y"));
	initramfs_file(&small, "z", 0644, STR("y"));
	is_int(t, initramfs_end(&small), -EFBIG, "too much is said at the end");
	if (!cpio || !f) {
		ok(t, true, "cpio reads it # SKIP no program 'cpio'");
	} else {
		fwrite(a.out.p, 1, a.out.n, f);
		fflush(f);
		rewind(f);
		s.in = fileno(f);
		is_int(t, proc_run(&s, &out, NULL, 5000, NULL), 0, "cpio reads it");
		ok(t, strstr(buf_str(&out).p, "crw-------") && strstr(out.p, "5,   1") &&
			      strstr(out.p, "init"), "and sees the same");
	}
	if (f)
		fclose(f);
}

/* ---- frames ---- */

static struct str header(char *to, uint32_t magic, unsigned type, unsigned stream,
			 unsigned command, uint32_t length)
{
	struct proto_header h = {
		.magic = magic,
		.type = (uint8_t)type,
		.stream = (uint8_t)stream,
		.command = (uint16_t)command,
		.length = length,
		.time_ns = 1,
	};

	memcpy(to, &h, sizeof(h));
	return str_n(to, sizeof(h));
}

static const struct {
	const char *name;
	uint32_t magic;
	unsigned type, stream;
	uint32_t length;
	int want; /* of frame_cut(), with no payload behind it */
} HEADERS[] = {
	{ "output, not all there", PROTO_MAGIC, PROTO_OUTPUT, 1, 10, 0 },
	{ "the largest output", PROTO_MAGIC, PROTO_OUTPUT, 2, PROTO_PAYLOAD_MAX, 0 },
	{ "a wrong magic", 0x41414141, PROTO_OUTPUT, 1, 10, -EPROTO },
	{ "nothing but zeros", 0, 0, 0, 0, -EPROTO },
	{ "type 0", PROTO_MAGIC, 0, 0, 0, -EPROTO },
	{ "a launcher's frame", PROTO_MAGIC, PROTO_START, 0, 10, -EPROTO },
	{ "type 255", PROTO_MAGIC, 255, 0, 10, -EPROTO },
	{ "output too long", PROTO_MAGIC, PROTO_OUTPUT, 1, PROTO_PAYLOAD_MAX + 1, -EPROTO },
	{ "output of 4 GiB", PROTO_MAGIC, PROTO_OUTPUT, 1, UINT32_MAX, -EPROTO },
	{ "empty output", PROTO_MAGIC, PROTO_OUTPUT, 1, 0, -EPROTO },
	{ "output on stream 0", PROTO_MAGIC, PROTO_OUTPUT, 0, 1, -EPROTO },
	{ "output on stream 3", PROTO_MAGIC, PROTO_OUTPUT, 3, 1, -EPROTO },
	{ "a hello without a version", PROTO_MAGIC, PROTO_HELLO, 0, 3, -EPROTO },
	{ "a hello too long", PROTO_MAGIC, PROTO_HELLO, 0, 4097, -EPROTO },
	{ "an exit too short", PROTO_MAGIC, PROTO_EXIT, 0, 4, -EPROTO },
	{ "an exit too long", PROTO_MAGIC, PROTO_EXIT, 0, sizeof(struct proto_exit) + 1,
	  -EPROTO },
	{ "a note too long", PROTO_MAGIC, PROTO_NOTE, 0, 4097, -EPROTO },
	{ "taken too short", PROTO_MAGIC, PROTO_TAKEN, 0, 3, -EPROTO },
	{ "a beat too long", PROTO_MAGIC, PROTO_BEAT, 0, sizeof(struct proto_beat) + 1,
	  -EPROTO },
	{ "closed with something in it", PROTO_MAGIC, PROTO_CLOSED, 0, 1, -EPROTO },
	{ "nothing of a file", PROTO_MAGIC, PROTO_FILE, 0, 0, -EPROTO },
	{ "too much of a file", PROTO_MAGIC, PROTO_FILE, 0, PROTO_PAYLOAD_MAX + 1, -EPROTO },
	{ "fetched without a status", PROTO_MAGIC, PROTO_FETCHED, 0, 3, -EPROTO },
};

static void test_frames(struct tap *t)
{
	char raw[sizeof(struct proto_header)];
	_cleanup_(buf_done) struct buf b = {}, big = { .max = 1u << 20 }, start = {};
	_free_ char *payload = xcalloc(1, PROTO_START_MAX + 1);
	struct frame f;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(HEADERS); i++) {
		struct str s = header(raw, HEADERS[i].magic, HEADERS[i].type, HEADERS[i].stream,
				      1, HEADERS[i].length), before = s;

		is_int(t, frame_cut(&s, &f, &err), HEADERS[i].want, HEADERS[i].name);
		ok(t, s.p == before.p && s.n == before.n, "- and nothing was cut");
	}
	buf_add_str(&b, header(raw, PROTO_MAGIC, PROTO_OUTPUT, 1, 7, 3));
	buf_add_str(&b, STR("abc"));
	buf_add_str(&b, header(raw, PROTO_MAGIC, PROTO_OUTPUT, 2, 7, 2));
	buf_add_str(&b, STR("d"));
	for (size_t n = 0; n < sizeof(raw) + 3; n++) {
		struct str s = str_n(b.p, n);

		if (frame_cut(&s, &f, &err) != 0)
			ok(t, false, "%zu bytes are no frame", n);
	}
	{
		struct str s = buf_str(&b);

		is_int(t, frame_cut(&s, &f, &err), 1, "a whole frame");
		ok(t, str_eq(f.payload, STR("abc")) && f.head.command == 7, "- its bytes");
		is_int(t, frame_cut(&s, &f, &err), 0, "the next lacks a byte");
	}
	is_int(t, frame_add(&big, PROTO_INPUT, 0, 1, str_n(raw, PROTO_PAYLOAD_MAX + 1)), -EFBIG,
	       "too large to send");
	is_int(t, frame_add(&start, PROTO_START, 0, 1, str_n(payload, PROTO_START_MAX + 1)),
	       -EFBIG, "a start that is too large");
	is_int(t, (int64_t)(big.n + start.n), 0, "- nothing was added");
	is_int(t, frame_add(&start, PROTO_START, 0, 1, str_n(payload, PROTO_START_MAX)), 0,
	       "the largest start");
}

/* ---- the order of things ---- */

struct peer {
	unsigned hellos, outputs, exits, rooms, beats, broken;
	char why[256];
};

/* agent.c hands its machine through; here it is the peer. */
static struct peer *peer_of(struct machine *m)
{
	return (struct peer *)m;
}

static void peer_hello(struct machine *m, struct str release)
{
	peer_of(m)->hellos++;
}

static void peer_output(struct machine *m, unsigned stream, int64_t ms, struct str bytes)
{
	peer_of(m)->outputs++;
}

static void peer_exited(struct machine *m, const struct machine_exit *exit)
{
	peer_of(m)->exits++;
}

static void peer_room(struct machine *m)
{
	peer_of(m)->rooms++;
}

static void peer_beat(struct machine *m, const struct machine_beat *beat)
{
	peer_of(m)->beats++;
}

static void peer_broken(struct machine *m, const char *why)
{
	peer_of(m)->broken++;
	snprintf(peer_of(m)->why, sizeof(peer_of(m)->why), "%s", why);
}

static const struct agent_events PEER = {
	.hello = peer_hello,
	.output = peer_output,
	.exited = peer_exited,
	.input_room = peer_room,
	.beat = peer_beat,
	.broken = peer_broken,
};

/* Each letter is a frame that the guest sends; the launcher has started
 * command 1 before. h hello, o output, O output of command 2, e exit, n note,
 * t taken (1 byte), b beat, c closed, s an exit whose status is none, L the
 * largest output, f and g a file's bytes and end, v a hello of another version, x
 * one whose release is none, m a frame whose magic is wrong. */
static const struct {
	const char *name, *frames;
	unsigned hellos, outputs, exits, beats;
	const char *why; /* "": all is well */
} ORDERS[] = {
	{ "a good guest", "hone", 1, 1, 1, 0, "" },
	{ "much output", "hooooooooe", 1, 8, 1, 0, "" },
	{ "beats, also after the exit", "hbobebb", 1, 1, 1, 4, "" },
	{ "a beat before the hello", "bh", 0, 0, 0, 0, "a frame before the hello" },
	{ "output before the hello", "oh", 0, 0, 0, 0, "a frame before the hello" },
	{ "two hellos", "hho", 1, 0, 0, 0, "a second hello" },
	{ "another version", "v", 0, 0, 0, 0, "it speaks version 99 of the protocol, this "
	  "taproom version 2: it is the agent of a newer taproom" },
	{ "a release that would move a cursor", "x", 0, 0, 0, 0, "the kernel's release is none" },
	{ "input closed", "hooce", 1, 2, 1, 0, "" },
	{ "input closed twice", "hcc", 1, 0, 0, 0, "an input that was closed twice" },
	{ "an exit status that is none", "hs", 1, 0, 0, 0, "an exit status that is none: 127" },
	{ "a file that nobody asked for", "hf", 1, 0, 0, 0,
	  "a frame of no file that was asked for" },
	{ "its end", "hg", 1, 0, 0, 0, "a frame of no file that was asked for" },
	{ "as much output as there is room for", "hLLLLLLLLLLLLLLLLe", 1, 16, 1, 0, "" },
	{ "output after the exit", "hoeo", 1, 1, 1, 0, "a frame of no command that runs" },
	{ "two exits", "hee", 1, 0, 1, 0, "a frame of no command that runs" },
	{ "output of another command", "hO", 1, 0, 0, 0, "a frame of no command that runs" },
	{ "more taken than given", "ht", 1, 0, 0, 0, "more input taken than was given" },
	{ "a frame that does not begin", "hom", 1, 1, 0, 0, "a frame begins with 0x1" },
};

static void frame_of(struct buf *b, char letter)
{
	static const struct {
		char letter;
		unsigned type, command;
		size_t length;
	} kinds[] = {
		{ 'h', PROTO_HELLO, 0, sizeof(struct proto_hello) + 3 },
		{ 'v', PROTO_HELLO, 0, sizeof(struct proto_hello) + 3 },
		{ 'o', PROTO_OUTPUT, 1, 5 },
		{ 'O', PROTO_OUTPUT, 2, 5 },
		{ 'e', PROTO_EXIT, 1, sizeof(struct proto_exit) },
		{ 'n', PROTO_NOTE, 1, 5 },
		{ 't', PROTO_TAKEN, 1, 4 },
		{ 'b', PROTO_BEAT, 0, sizeof(struct proto_beat) },
		{ 'c', PROTO_CLOSED, 1, 0 },
		{ 's', PROTO_EXIT, 1, sizeof(struct proto_exit) },
		{ 'L', PROTO_OUTPUT, 1, PROTO_PAYLOAD_MAX },
		{ 'f', PROTO_FILE, 2, 5 },
		{ 'g', PROTO_FETCHED, 2, 4 },
		{ 'x', PROTO_HELLO, 0, sizeof(struct proto_hello) + 3 },
		{ 'm', PROTO_OUTPUT, 1, 5 },
	};
	static char payload[PROTO_PAYLOAD_MAX];
	char raw[sizeof(struct proto_header)];
	size_t i = 0;

	while (kinds[i].letter != letter)
		i++;
	buf_add_str(b, header(raw, letter == 'm' ? 1 : PROTO_MAGIC, kinds[i].type, 1,
			      kinds[i].command, (uint32_t)kinds[i].length));
	memset(payload, 0, sizeof(payload));
	payload[0] = letter == 't' ? 1 : letter == 's' ? 127 : 0;
	if (kinds[i].type == PROTO_HELLO) {
		payload[0] = letter == 'v' ? 99 : PROTO_VERSION;
		memcpy(payload + sizeof(struct proto_hello), letter == 'x' ? "6\x1b[" : "6.1", 3);
	}
	buf_add(b, payload, kinds[i].length);
}

static void on_end(void *ctx)
{
	loop_stop(ctx);
}

/* Sends the frames in pieces of @piece bytes. */
static void converse(struct peer *p, const char *frames, size_t piece)
{
	static const char *const argv[] = { "true", NULL };
	_cleanup_(buf_done) struct buf b = {};
	struct loop *loop = loop_new();
	struct loop_watch *end = loop_timer(loop, on_end, loop);
	struct agent a = {};
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
		return;
	agent_open(&a, s[0], false, loop, &PEER, (struct machine *)p);
	agent_start(&a, &(struct machine_command){ .argv = argv }, NULL);
	for (const char *f = frames; *f; f++)
		frame_of(&b, *f);
	if (piece < 100 && b.n > 10000)
		piece *= 1000;
	for (size_t at = 0; at < b.n; at += piece) {
		size_t n = b.n - at < piece ? b.n - at : piece;

		if (write(s[1], b.p + at, n) < 0)
			break;
		loop_timer_set(end, 0);
		loop_run(loop);
	}
	agent_drain(&a);
	agent_close(&a);
	close(s[1]);
	loop_unwatch(end);
	loop_free(loop);
}

/* What waits in a socket, @n bytes at most. */
static size_t waiting(int fd, char *to, size_t n)
{
	ssize_t got = recv(fd, to, n, MSG_DONTWAIT);

	return got > 0 ? (size_t)got : 0;
}

/* On a serial line no byte is sent that the guest might not have room for. */
static void test_line(struct tap *t)
{
	static const char *const argv[] = { "true", NULL };
	static char big[32768], got[65536];
	_cleanup_(buf_done) struct buf b = {};
	struct loop *loop = loop_new();
	struct loop_watch *end = loop_timer(loop, on_end, loop);
	struct agent a = {};
	struct peer p = {};
	uint32_t n = 1000;
	char raw[sizeof(struct proto_header)];
	int s[2];

	if (!ok(t, socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0, "a line"))
		return;
	memset(big, 'x', sizeof(big) - 1);
	agent_open(&a, s[0], true, loop, &PEER, (struct machine *)&p);
	agent_start(&a, &(struct machine_command){ .argv = argv }, NULL);
	agent_input(&a, str_n(big, sizeof(big)), NULL);
	loop_timer_set(end, 20);
	loop_run(loop);
	is_int(t, (int64_t)waiting(s[1], got, sizeof(got)), PROTO_LINE_WINDOW,
	       "a window of bytes is sent");
	frame_of(&b, 'h');
	buf_add_str(&b, header(raw, PROTO_MAGIC, PROTO_READ, 0, 0, sizeof(n)));
	buf_add(&b, (const char *)&n, sizeof(n));
	(void)!write(s[1], b.p, b.n);
	loop_timer_set(end, 20);
	loop_run(loop);
	is_int(t, (int64_t)waiting(s[1], got, sizeof(got)), 1000, "and as many as were read");
	n = PROTO_LINE_WINDOW + 1;
	buf_clear(&b);
	buf_add_str(&b, header(raw, PROTO_MAGIC, PROTO_READ, 0, 0, sizeof(n)));
	buf_add(&b, (const char *)&n, sizeof(n));
	ok(t, a.readable, "the guest is believed");
	(void)!write(s[1], b.p, b.n);
	loop_timer_set(end, 20);
	loop_run(loop);
	ok(t, !a.readable, "until it read more than was sent");
	agent_close(&a);
	close(s[1]);
	loop_unwatch(end);
	loop_free(loop);
}

static void test_order(struct tap *t)
{
	static const size_t pieces[] = { 1, 7, 100000 };

	for (size_t i = 0; i < ARRAY_SIZE(ORDERS); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(pieces); k++) {
			struct peer p = {};

			converse(&p, ORDERS[i].frames, pieces[k]);
			ok(t, p.hellos == ORDERS[i].hellos && p.outputs == ORDERS[i].outputs &&
				      p.exits == ORDERS[i].exits && p.beats == ORDERS[i].beats,
			   "%s, by %zu bytes",
			   ORDERS[i].name, pieces[k]);
			is_str(t, p.why, ORDERS[i].why, "- judged");
		}
	}
}

/* ---- packed bytes ---- */

static void test_inflate(struct tap *t)
{
	_free_ unsigned char *plain = xcalloc(300000, 1);
	_free_ unsigned char *packed = xcalloc(400000, 1);
	struct str want = str_n((char *)plain, 300000);
	struct {
		const char *name;
		size_t n;
	} kinds[] = { { "gzip", 0 }, { "xz", 0 }, { "zstd", 0 }, { "plain", 300000 } };

	for (unsigned i = 0; i < 300000; i++)
		plain[i] = (unsigned char)(i * i >> 7);
	for (unsigned k = 0; k < ARRAY_SIZE(kinds); k++) {
		_cleanup_(buf_done) struct buf out = {}, cut = {}, small = {};
		z_stream z = { .next_in = plain, .avail_in = 300000, .next_out = packed,
			       .avail_out = 400000 };
		struct err err;

		if (k == 0) {
			deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
			deflate(&z, Z_FINISH);
			kinds[k].n = z.total_out;
			deflateEnd(&z);
		} else if (k == 1) {
			lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, plain, 300000, packed,
						&kinds[k].n, 400000);
		} else if (k == 2) {
			kinds[k].n = ZSTD_compress(packed, 400000, plain, 300000, 1);
		} else {
			memcpy(packed, plain, 300000);
		}
		ok(t, inflate_any(str_n((char *)packed, kinds[k].n), 1 << 20, &out, &err) == 0 &&
			      str_eq(buf_str(&out), want), "%s", kinds[k].name);
		is_int(t, inflate_any(str_n((char *)packed, kinds[k].n), 1000, &small, &err),
		       -EFBIG, "- too large");
		if (k < 3)
			is_int(t, inflate_any(str_n((char *)packed, kinds[k].n / 2), 1 << 20,
					      &cut, &err), -EBADMSG, "- cut short");
	}
}

static const struct {
	const char *option;
	char want;
} OPTIONS[] = {
	{ "A", 'y' }, { "B", 'm' }, { "C", 'n' }, { "AB", 'n' }, { "D", 'y' }, { "E", 'n' },
	{ "F", 'y' },
};

static void test_kconfig(struct tap *t)
{
	static const struct str text = STR("# comment\nCONFIG_A=y\nCONFIG_B=m\n"
					   "# CONFIG_C is not set\nCONFIG_D=\"/sbin/x\"\n"
					   "CONFIG_E=\nXCONFIG_AB=y\nCONFIG_F=17");

	for (size_t i = 0; i < ARRAY_SIZE(OPTIONS); i++)
		is_int(t, kconfig_value(text, OPTIONS[i].option), OPTIONS[i].want,
		       OPTIONS[i].option);
}

/* ---- kernel images ---- */

/* An ELF file with one note segment that holds @type. */
static struct str elf_make(char *to, unsigned type)
{
	Elf64_Ehdr e = { .e_ident = ELFMAG, .e_phoff = sizeof(e), .e_phnum = 1,
			 .e_phentsize = sizeof(Elf64_Phdr) };
	Elf64_Phdr p = { .p_type = PT_NOTE, .p_offset = sizeof(e) + sizeof(p),
			 .p_filesz = sizeof(Elf64_Nhdr) + 8 };
	Elf64_Nhdr n = { .n_namesz = 4, .n_descsz = 4, .n_type = type };

	e.e_ident[EI_CLASS] = ELFCLASS64;
	memcpy(to, &e, sizeof(e));
	memcpy(to + sizeof(e), &p, sizeof(p));
	memcpy(to + sizeof(e) + sizeof(p), &n, sizeof(n));
	memcpy(to + sizeof(e) + sizeof(p) + sizeof(n), "Xen\0\0\0\0\1", 8);
	return str_n(to, sizeof(e) + sizeof(p) + sizeof(n) + 8);
}

static const struct {
	const char *name;
	unsigned note, version;
	int32_t more;    /* payload's length, beside the truth */
	size_t cut;      /* bytes of the image taken away */
	int want;
} IMAGES[] = {
	{ "a kernel with a PVH entry", 18, 0x20f, 0, 0, 1 },
	{ "one without", 17, 0x20f, 0, 0, 0 },
	{ "an old one", 18, 0x207, 0, 0, 0 },
	{ "a payload beyond the end", 18, 0x20f, 1, 0, -EBADMSG },
	{ "a length of 4 GiB", 18, 0x20f, -1000, 0, -EBADMSG },
	{ "cut short", 18, 0x20f, 0, 8, -EBADMSG },
	{ "a payload cut in its notes", 18, 0x20f, -4, 0, 0 },
	{ "a payload cut in its header", 18, 0x20f, -100, 0, 0 },
};

static void test_vmlinux(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(IMAGES); i++) {
		_cleanup_(buf_done) struct buf out = {};
		char image[4096] = { [0x1f1] = 1 }, elf[512];
		struct str payload = elf_make(elf, IMAGES[i].note);
		uint32_t offset = 0, length = (uint32_t)((int32_t)payload.n + IMAGES[i].more);
		uint16_t version = (uint16_t)IMAGES[i].version;

		memcpy(image + 0x202, "HdrS", 4);
		memcpy(image + 0x206, &version, 2);
		memcpy(image + 0x248, &offset, 4);
		memcpy(image + 0x24c, &length, 4);
		memcpy(image + 1024, payload.p, payload.n);
		is_int(t, vmlinux_extract(str_n(image, 1024 + payload.n - IMAGES[i].cut), &out,
					  NULL), IMAGES[i].want, IMAGES[i].name);
	}
}

/* ---- accelerators ---- */

static void test_accel(struct tap *t)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *path = NULL, *boot = NULL, *text = NULL;
	struct accel a;
	struct err err;

	is_int(t, accel_choose("tcg", NULL, NULL, NULL, &a, &err), 0, "tcg when asked");
	is_str(t, a.name, "tcg", "- is it");
	is_int(t, accel_choose("xen", NULL, NULL, NULL, &a, &err), -EINVAL, "an unknown one");
	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		ok(t, true, "what was seen is remembered # SKIP no /dev/kvm");
		return;
	}
	dir_temp("/tmp", "taproom-accel-", &dir, NULL);
	path = path_join(dir, "kvm-probe");
	file_read_line("/proc/sys/kernel/random/boot_id", &boot, NULL);
	text = xasprintf("%s 0 it was slow\n", boot);
	file_write(path, str_of(text), 0644, NULL);
	is_int(t, accel_choose("auto", dir, NULL, NULL, &a, &err), 0, "auto");
	ok(t, strcmp(a.name, "tcg") == 0 && strcmp(a.why, "it was slow") == 0 && !a.fresh,
	   "what was seen is remembered");
	is_int(t, accel_choose("kvm", dir, NULL, NULL, &a, &err), -ENODEV, "kvm on a bad host");
	ok(t, strstr(err.text, "it was slow"), "- says why");
	file_write(path, STR("another-boot 0 it was slow\n"), 0644, NULL);
	is_int(t, accel_choose("auto", dir, NULL, NULL, &a, &err), 0, "after a reboot");
	ok(t, a.fresh && strstr(a.why, "/dev/kvm"), "- it is measured again");
	printf("# %s\n", a.why);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_initramfs(&t);
	test_frames(&t);
	test_order(&t);
	test_line(&t);
	test_inflate(&t);
	test_kconfig(&t);
	test_vmlinux(&t);
	test_accel(&t);
	return tap_done(&t);
}
