/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pieces of the server that are functions: ranges, encodings, routes. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/inflate.h"
#include "base/mem.h"
#include "serve/range.h"
#include "tap.h"
#include "web/pages.h"

/* RFC 9110, 14.1.2; sizes are of the whole. */
static const struct {
	const char *header;
	uint64_t size;
	enum range want;
	uint64_t from, n;
} RANGES[] = {
	{ "bytes=0-499", 10000, RANGE_PART, 0, 500 },
	{ "bytes=500-999", 10000, RANGE_PART, 500, 500 },
	{ "bytes=-500", 10000, RANGE_PART, 9500, 500 },
	{ "bytes=9500-", 10000, RANGE_PART, 9500, 500 },
	{ "bytes=0-0", 10000, RANGE_PART, 0, 1 },
	{ "bytes=-1", 10000, RANGE_PART, 9999, 1 },
	{ "bytes=0-", 1, RANGE_PART, 0, 1 },
	{ "bytes=5-99999", 10, RANGE_PART, 5, 5 },
	{ "bytes=-99999", 10, RANGE_PART, 0, 10 },
	{ "Bytes= 1 - 2 ", 10, RANGE_PART, 1, 2 },
	{ "bytes=10-", 10, RANGE_WRONG, 0, 0 },
	{ "bytes=-0", 10, RANGE_WRONG, 0, 0 },
	{ "bytes=0-", 0, RANGE_WRONG, 0, 0 },
	{ "bytes=-5", 0, RANGE_WRONG, 0, 0 },
	{ "", 10, RANGE_NONE, 0, 0 },
	{ "bytes", 10, RANGE_NONE, 0, 0 },
	{ "bytes=", 10, RANGE_NONE, 0, 0 },
	{ "bytes=-", 10, RANGE_NONE, 0, 0 },
	{ "bytes=5-4", 10, RANGE_NONE, 0, 0 },
	{ "bytes=0-1,3-4", 10, RANGE_NONE, 0, 0 },
	{ "bytes=a-b", 10, RANGE_NONE, 0, 0 },
	{ "lines=0-1", 10, RANGE_NONE, 0, 0 },
	{ "bytes=0-99999999999999999999999", 10, RANGE_NONE, 0, 0 },
	{ "bytes=18446744073709551615-", 10, RANGE_WRONG, 0, 0 },
	{ "bytes=0-18446744073709551615", 10, RANGE_PART, 0, 10 },
};

static void test_ranges(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(RANGES); i++) {
		uint64_t from = 0, n = 0;
		enum range got = range_parse(str_of(RANGES[i].header), RANGES[i].size, &from, &n);

		ok(t, got == RANGES[i].want && from == RANGES[i].from && n == RANGES[i].n,
		   "range '%s' of %" PRIu64, RANGES[i].header, RANGES[i].size);
	}
}

static const struct {
	const char *accept;
	enum encoding want;
} ACCEPTS[] = {
	{ "", ENCODE_NONE },
	{ "gzip", ENCODE_GZIP },
	{ "gzip, deflate, br, zstd", ENCODE_ZSTD },
	{ "GZIP", ENCODE_GZIP },
	{ "zstd;q=0, gzip", ENCODE_GZIP },
	{ "zstd ; q=0.000 , gzip;q=0.5", ENCODE_GZIP },
	{ "gzip;q=0", ENCODE_NONE },
	{ "*", ENCODE_ZSTD },
	{ "*;q=0", ENCODE_NONE },
	{ "zstd;q=0, *", ENCODE_GZIP },
	{ "identity", ENCODE_NONE },
	{ "gzipped", ENCODE_NONE },
	{ ",,;,gzip;", ENCODE_GZIP },
	{ "gzip;q=", ENCODE_GZIP },
};

static void test_encodings(struct tap *t)
{
	static const char LINE[] = "a page is much the same from line to line\n";
	_cleanup_(buf_done) struct buf plain = {}, packed = {};
	char *back;
	uLongf n;

	for (size_t i = 0; i < ARRAY_SIZE(ACCEPTS); i++)
		is_int(t, encode_choose(str_of(ACCEPTS[i].accept)), ACCEPTS[i].want,
		       ACCEPTS[i].accept);
	for (unsigned i = 0; i < 1000; i++)
		buf_add(&plain, LINE, sizeof(LINE) - 1);
	back = xmalloc(plain.n);
	ok(t, encode(ENCODE_ZSTD, buf_str(&plain), &packed) && packed.n < plain.n / 10, "zstd");
	ok(t, ZSTD_decompress(back, plain.n, packed.p, packed.n) == plain.n &&
	      memcmp(back, plain.p, plain.n) == 0, "- and back");
	ok(t, encode(ENCODE_GZIP, buf_str(&plain), &packed) && packed.n < plain.n / 10, "gzip");
	z_stream z = { .next_in = (Bytef *)packed.p, .avail_in = (uInt)packed.n,
		       .next_out = (Bytef *)back, .avail_out = (uInt)plain.n };
	inflateInit2(&z, 31);
	ok(t, inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == plain.n &&
	      memcmp(back, plain.p, plain.n) == 0, "- and back");
	inflateEnd(&z);
	n = 0;
	for (size_t i = 0; i < plain.n; i++)
		plain.p[i] = (char)((n = n * 6364136223846793005u + 1442695040888963407u) >> 56);
	ok(t, !encode(ENCODE_GZIP, buf_str(&plain), &packed) && !packed.n, "noise stays plain");
	ok(t, !encode(ENCODE_ZSTD, STR("short"), &packed), "what is short stays plain");
	free(back);
}

/* A file in pieces, at the sizes where pieces end; @noise: it does not get smaller. */
static const struct {
	size_t n;
	bool noise;
	int want;
} FILES[] = {
	{ 0, false, 0 }, { 511, false, 0 }, { 512, false, 1 }, { 131071, false, 1 },
	{ 131072, false, 1 }, { 131073, false, 1 }, { 262144, false, 1 }, { 1000003, false, 1 },
	{ 4096, true, 0 }, { 1000003, true, 0 },
};

static void test_files(struct tap *t)
{
	struct encoder *e = encoder_new();
	uint64_t n = 1;

	for (size_t i = 0; i < ARRAY_SIZE(FILES); i++) {
		_free_ char *plain = xcalloc(1, FILES[i].n + 1);

		for (size_t k = 0; k < FILES[i].n; k++) {
			n = n * 6364136223846793005u + 1442695040888963407u;
			plain[k] = (char)(FILES[i].noise ? n >> 56 : 'a' + (n >> 62));
		}
		for (int how = 1; how < ENCODE_N; how++) {
			_cleanup_(closep) int from = memfd_create("plain", MFD_CLOEXEC);
			_cleanup_(closep) int to = memfd_create("packed", MFD_CLOEXEC);
			_cleanup_(buf_done) struct buf packed = {}, back = {};
			_free_ char *path = xasprintf("/proc/self/fd/%d", to);
			struct err err = {};

			file_write_all(from, plain, FILES[i].n);
			lseek(from, 0, SEEK_SET);
			ok(t, encoder_file(e, (enum encoding)how, from, to, &err) == FILES[i].want,
			   "%zu bytes%s, %s", FILES[i].n, FILES[i].noise ? " of noise" : "",
			   ENCODE_NAMES[how]);
			if (FILES[i].want)
				ok(t, file_read(path, 0, &packed, &err) == 0 &&
				      inflate_any(buf_str(&packed), FILES[i].n, &back, &err) == 0 &&
				      str_eq(buf_str(&back), str_n(plain, FILES[i].n)),
				   "- and back");
		}
	}
	_cleanup_(closep) int from = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	_cleanup_(closep) int to = memfd_create("packed", MFD_CLOEXEC);
	struct err err = {};

	ok(t, encoder_file(e, ENCODE_ZSTD, from, to, &err) < 0 && err.text[0],
	   "what can't be read is told");
	encoder_free(e);
}

static struct web_choice CHOICES[] = {
	{ STR("net-next"), STR("debug") },
	{ STR("a/b"), STR("btf-normal") },
	{ STR("v6.1.html"), STR("normal") },
};

static const struct {
	const char *path;
	enum web_page_id want; /* WEB_PAGE_N: none */
} ROUTES[] = {
	{ "", WEB_INDEX },
	{ "index.html", WEB_INDEX },
	{ "runs.html", WEB_RUNS },
	{ "flakes.html", WEB_FLAKES },
	{ "run/17.html", WEB_RUN },
	{ "run/17/log-3.txt", WEB_LOG_RAW },
	{ "run/17/console-1.html", WEB_CONSOLE },
	{ "flakes/branch/net-next/debug.html", WEB_FLAKES_BRANCH_MODE },
	{ "flakes/branch/a-b-3a8e75c1.html", WEB_FLAKES_BRANCH },
	{ "flakes/branch/v6.1.html.html", WEB_FLAKES_BRANCH },
	{ "run/017.html", WEB_PAGE_N },
	{ "run/+17.html", WEB_PAGE_N },
	{ "run/.html", WEB_PAGE_N },
	{ "run/99999999999999999999.html", WEB_PAGE_N },
	{ "run/17.html/", WEB_PAGE_N },
	{ "run/17/log-3.txt/../../../etc/passwd", WEB_PAGE_N },
	{ "../flakes.html", WEB_PAGE_N },
	{ "flakes/branch/a/b.html", WEB_PAGE_N },
	{ "flakes/branch/none.html", WEB_PAGE_N },
	{ "flakes/mode/%64ebug.html", WEB_PAGE_N },
	{ "style-00000000.css", WEB_PAGE_N },
	{ "FLAKES.html", WEB_PAGE_N },
	{ "/flakes.html", WEB_PAGE_N },
};

static void test_routes(struct tap *t)
{
	struct web_site site = { .n_choices = ARRAY_SIZE(CHOICES) };
	_cleanup_(buf_done) struct buf style = {}, nul = {};
	enum web_page_id id;
	struct web_args args;
	struct out o;

	memcpy(site.choices, CHOICES, sizeof(CHOICES));
	for (size_t i = 0; i < ARRAY_SIZE(ROUTES); i++) {
		id = WEB_PAGE_N;
		web_route(&site, str_of(ROUTES[i].path), &id, &args);
		is_int(t, id, ROUTES[i].want, *ROUTES[i].path ? ROUTES[i].path : "nothing");
	}
	out_to_buf(&o, &style);
	web_path(WEB_STYLE, &args, &o);
	out_flush(&o);
	ok(t, web_route(&site, buf_str(&style), &id, &args) == 1 && id == WEB_STYLE,
	   "the style sheet by its hash");
	buf_add(&nul, "run/17.html\0", 12);
	ok(t, web_route(&site, buf_str(&nul), &id, &args) == 0, "a NUL is no end");
	ok(t, web_route(&site, STR("run/17/log-3.txt"), &id, &args) == 1 && args.run == 17 &&
	      args.program == 3, "what the path names");
	id = WEB_PAGE_N;
	web_route(&site, STR("flakes/branch/a-b-3a8e75c1/btf-normal.html"), &id, &args);
	ok(t, id == WEB_FLAKES_BRANCH_MODE && str_eq(args.q.branch, STR("a/b")) &&
	      str_eq(args.q.mode, STR("btf-normal")),
	   "names of branch and mode, not their slugs");
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_ranges(&t);
	test_encodings(&t);
	test_files(&t);
	test_routes(&t);
	return tap_done(&t);
}
