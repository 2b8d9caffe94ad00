/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that dies at any byte, one whose bytes are damaged, and one that sends
 * more than it may. The conversation is a file of what a guest said: argv[1].
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "machine/agent.h"
#include "tap.h"

/* What was told, by kind. */
struct told {
	unsigned hello, output, exited, beat, file, fetched;
};

struct peer {
	struct told told;
	struct agent agent;
	unsigned broken, late; /* told after broken() */
	bool hold, quiet; /* quiet: asks for nothing */
	char why[256];
};

static struct peer *peer_of(struct machine *m)
{
	struct peer *p = (struct peer *)m;

	p->late += p->broken;
	return p;
}

static void act(struct peer *p)
{
	static const char *const argv[] = { "true", NULL };

	agent_start(&p->agent, &(struct machine_command){ .argv = argv }, NULL);
	agent_fetch(&p->agent, "/file", 1000000, NULL);
	agent_input(&p->agent, STR("01234567890123456789"), NULL);
	agent_hold(&p->agent, p->hold);
}

static void on_hello(struct machine *m, struct str release)
{
	peer_of(m)->told.hello++;
	if (!peer_of(m)->quiet)
		act(peer_of(m));
}

static void on_output(struct machine *m, unsigned stream, int64_t ms, struct str bytes)
{
	peer_of(m)->told.output++;
}

static void on_exited(struct machine *m, const struct machine_exit *exit)
{
	peer_of(m)->told.exited++;
	act(peer_of(m));
}

static void on_room(struct machine *m)
{
}

static void on_beat(struct machine *m, const struct machine_beat *beat)
{
	peer_of(m)->told.beat++;
}

static void on_file(struct machine *m, struct str bytes)
{
	peer_of(m)->told.file++;
}

static void on_fetched(struct machine *m, int status, const char *why)
{
	peer_of(m)->told.fetched++;
	act(peer_of(m));
}

static void on_broken(struct machine *m, const char *why)
{
	struct peer *p = peer_of(m);

	p->broken++;
	snprintf(p->why, sizeof(p->why), "%s", why);
}

static const struct agent_events EVENTS = {
	.hello = on_hello,	.output = on_output, .exited = on_exited, .input_room = on_room,
	.beat = on_beat,	.file = on_file,     .fetched = on_fetched,
	.broken = on_broken,
};

static void on_end(void *ctx)
{
	loop_stop(ctx);
}

/* The guest says @s and dies. */
static void hear(struct peer *p, struct str s)
{
	struct loop *loop = loop_new();
	struct loop_watch *end = loop_timer(loop, on_end, loop);
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0)
		return;
	agent_open(&p->agent, fd[0], false, loop, &EVENTS, (struct machine *)p);
	while (s.n && !p->broken) {
		size_t n = s.n < 65536 ? s.n : 65536;

		if (write(fd[1], s.p, n) != (ssize_t)n)
			break;
		s = str_from(s, n);
		loop_timer_set(end, 0);
		loop_run(loop);
	}
	close(fd[1]);
	loop_timer_set(end, 0);
	loop_run(loop);
	agent_close(&p->agent);
	loop_unwatch(end);
	loop_free(loop);
}

/* What @s holds whole frames of. */
static struct told count(struct str s)
{
	struct told t = {};
	struct frame f;

	while (frame_cut(&s, &f, NULL) > 0) {
		t.hello += f.head.type == PROTO_HELLO;
		t.output += f.head.type == PROTO_OUTPUT;
		t.exited += f.head.type == PROTO_EXIT;
		t.beat += f.head.type == PROTO_BEAT;
		t.file += f.head.type == PROTO_FILE;
		t.fetched += f.head.type == PROTO_FETCHED;
	}
	return t;
}

static bool same(const struct told *a, const struct told *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool at_least(const struct told *a, const struct told *b)
{
	return a->hello >= b->hello && a->output >= b->output && a->exited >= b->exited &&
	       a->beat >= b->beat && a->file >= b->file && a->fetched >= b->fetched;
}

static void test_cut(struct tap *t, struct str all)
{
	size_t bad = 0, where = 0;

	for (size_t n = 0; n <= all.n; n++) {
		struct told want = count(str_n(all.p, n));
		struct peer p = {};

		hear(&p, str_n(all.p, n));
		if (!same(&p.told, &want) || p.broken) {
			bad++;
			where = n;
		}
	}
	if (!ok(t, bad == 0, "dead at each of %zu bytes: what was whole is told", all.n))
		printf("# %zu times wrong, last at %zu\n", bad, where);
}

/* The beginning of the frame that byte @at is of. */
static size_t frame_begin(struct str all, size_t at)
{
	struct str rest = all;
	struct frame f;
	size_t begin = 0;

	while (frame_cut(&rest, &f, NULL) > 0 && all.n - rest.n <= at)
		begin = all.n - rest.n;
	return begin;
}

static void test_flips(struct tap *t, struct str all)
{
	_free_ char *copy = xstrndup("", 0);
	size_t lost = 0, late = 0, silent = 0, broken = 0;
	struct told want = count(all);

	copy = xrealloc(copy, all.n, 1);
	for (size_t bit = 0; bit < all.n * 8; bit++) {
		struct told before = count(str_n(all.p, frame_begin(all, bit / 8)));
		struct peer p = {};

		memcpy(copy, all.p, all.n);
		copy[bit / 8] ^= (char)(1 << bit % 8);
		hear(&p, str_n(copy, all.n));
		lost += !at_least(&p.told, &before);
		late += p.late;
		broken += p.broken;
		silent += !p.broken && !at_least(&want, &p.told);
	}
	is_int(t, (int64_t)lost, 0, "a bit flipped: frames before it are told");
	is_int(t, (int64_t)late, 0, "- nothing is, after the end");
	is_int(t, (int64_t)silent, 0, "- and nothing that was not said");
	ok(t, broken > 0, "- %zu of %zu flips end it", broken, all.n * 8);
}

/* A launcher that holds gives no room back. */
static void test_flood(struct tap *t, struct str all)
{
	static char payload[PROTO_PAYLOAD_MAX];
	_cleanup_(buf_done) struct buf b = {};
	struct peer p = { .hold = true };
	struct str rest = all;
	struct frame hello;

	frame_cut(&rest, &hello, NULL);
	buf_add(&b, all.p, all.n - rest.n);
	for (unsigned i = 0; i <= PROTO_OUTPUT_MAX / PROTO_PAYLOAD_MAX; i++)
		frame_add(&b, PROTO_OUTPUT, 1, 1, str_n(payload, sizeof(payload)));
	hear(&p, buf_str(&b));
	is_int(t, p.told.output, PROTO_OUTPUT_MAX / PROTO_PAYLOAD_MAX, "a flood has its bound");
	is_str(t, p.why, "more bytes than there was room for", "- and ends");
}

static void test_old(struct tap *t, struct str all)
{
	static const char *const argv[] = { "true", NULL };
	static const struct machine_user user = { .uid = 1 };
	struct agent a = { .fd = -1 };
	struct err err = {};

	is_int(t, agent_start(&a, &(struct machine_command){ .argv = argv, .user = &user }, &err),
	       -ENOTSUP, "what an agent did not offer is not asked of it");
	is_str(t, err.text, "the guest's agent can't run a command as another user: it is the "
	       "agent of an older taproom", "- and says so");
	is_int(t, agent_fetch(&a, "/file", 1, &err), -ENOTSUP, "nor a file");
}

/* Which pings a guest that offers @can hears of @asked. */
static unsigned pings(uint32_t can, unsigned asked, bool answers)
{
	struct proto_hello h = { .version = PROTO_VERSION, .can = can };
	_cleanup_(buf_done) struct buf hello = {}, b = {}, heard = {};
	struct proto_beat beat = {};
	struct loop *loop = loop_new();
	struct loop_watch *end = loop_timer(loop, on_end, loop);
	struct peer p = { .quiet = true };
	struct frame f;
	struct str rest;
	char chunk[4096];
	unsigned n = 0;
	ssize_t r;
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) < 0)
		return 0;
	agent_open(&p.agent, fd[0], false, loop, &EVENTS, (struct machine *)&p);
	buf_add(&hello, &h, sizeof(h));
	buf_add_str(&hello, STR("6.12"));
	frame_add(&b, PROTO_HELLO, 0, 0, buf_str(&hello));
	for (unsigned i = 0; i < asked; i++) {
		(void)!write(fd[1], b.p, b.n);
		loop_timer_set(end, 20);
		loop_run(loop);
		agent_ping(&p.agent);
		buf_clear(&b);
		if (answers)
			frame_add(&b, PROTO_BEAT, 0, 0, str_n((char *)&beat, sizeof(beat)));
	}
	loop_timer_set(end, 20);
	loop_run(loop);
	while ((r = read(fd[1], chunk, sizeof(chunk))) > 0)
		buf_add(&heard, chunk, (size_t)r);
	rest = buf_str(&heard);
	while (frame_cut_told(&rest, &f, NULL) > 0)
		n += f.head.type == PROTO_PING;
	agent_close(&p.agent);
	close(fd[1]);
	loop_unwatch(end);
	loop_free(loop);
	return n;
}

static void test_pings(struct tap *t)
{
	static const struct {
		const char *name;
		uint32_t can;
		bool answers;
		unsigned want;
	} rows[] = {
		{ "an agent that knows neither is not asked for beats", 0, false, 0 },
		{ "nor one that has its own", PROTO_CAN_BEAT | PROTO_CAN_PING, true, 0 },
		{ "one that has none is, again and again", PROTO_CAN_PING, true, 3 },
		{ "- also where it does not answer", PROTO_CAN_PING, false, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		is_int(t, pings(rows[i].can, 3, rows[i].answers), rows[i].want, rows[i].name);
}

int main(int argc, char **argv)
{
	_cleanup_(buf_done) struct buf b = {};
	struct tap t = {};
	struct err err = {};

	signal(SIGPIPE, SIG_IGN);
	TAP_HEADER();
	if (!ok(&t, argc > 1 && file_read(argv[1], 0, &b, &err) >= 0, "a conversation"))
		return tap_done(&t);
	test_cut(&t, buf_str(&b));
	test_flips(&t, buf_str(&b));
	test_flood(&t, buf_str(&b));
	test_old(&t, buf_str(&b));
	test_pings(&t);
	return tap_done(&t);
}
