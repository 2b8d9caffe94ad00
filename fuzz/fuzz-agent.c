/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz: the launcher's end of the agent's protocol, with a guest that says the
 * input's bytes. The launcher does what it can: a command and a fetch as soon as
 * they may be, input whenever there is room, output held and let go. Whatever
 * comes, its callbacks keep the order of things and their bounds, and nothing is
 * told after broken().
 */
#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "machine/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FETCH_MAX 100000
#define PIECE     8192

struct peer {
	struct agent agent;
	bool hello, broken, running, fetching;
	uint64_t out, file; /* bytes since the command, the fetch began */
	uint64_t held_at;   /* .out when it was told to wait */
	int64_t last_ms;
	unsigned turns;
};

static struct peer *peer_of(struct machine *m)
{
	return (struct peer *)m;
}

static void is_text(const char *s)
{
	for (; *s; s++)
		assert(*s >= ' ' && *s <= '~');
}

static void act(struct peer *p)
{
	static const char *const argv[] = { "true", NULL };
	struct machine_command c = { .argv = argv, .terminal = p->turns++ & 1 };

	if (!p->running && agent_start(&p->agent, &c, NULL) == 0) {
		p->running = true;
		p->out = p->held_at = 0;
	}
	if (!p->fetching && agent_fetch(&p->agent, "/file", FETCH_MAX, NULL) == 0) {
		p->fetching = true;
		p->file = 0;
	}
	agent_ping(&p->agent);
	for (unsigned i = 0; i < 8 && agent_input(&p->agent, STR("0123456789"), NULL) == 0; i++)
		;
}

static void on_hello(struct machine *m, struct str release)
{
	struct peer *p = peer_of(m);

	assert(!p->broken && !p->hello && release.n && release.n <= 64);
	p->hello = true;
	act(p);
}

static void on_output(struct machine *m, unsigned stream, int64_t ms, struct str bytes)
{
	struct peer *p = peer_of(m);

	assert(!p->broken && p->running && (stream == 1 || stream == 2));
	assert(bytes.n && bytes.n <= PROTO_PAYLOAD_MAX && ms >= p->last_ms);
	p->last_ms = ms;
	p->out += bytes.n;
	if (p->held_at)
		assert(p->out - p->held_at <= PROTO_OUTPUT_MAX);
	if (bytes.p[0] == 'h' || bytes.p[0] == 'g') {
		agent_hold(&p->agent, bytes.p[0] == 'h');
		p->held_at = bytes.p[0] == 'h' ? p->out : 0;
	} else if (bytes.p[0] == 'c') {
		agent_close_stream(&p->agent, stream, NULL);
	}
}

static void on_exited(struct machine *m, const struct machine_exit *exit)
{
	struct peer *p = peer_of(m);

	assert(!p->broken && p->running);
	assert(exit->status >= -4095 && exit->user_ms >= 0 && exit->system_ms >= 0);
	if (exit->why)
		is_text(exit->why);
	p->running = false;
	act(p);
}

static void on_input_room(struct machine *m)
{
	assert(!peer_of(m)->broken && peer_of(m)->running);
	agent_input(&peer_of(m)->agent, STR("more"), NULL);
}

static void on_beat(struct machine *m, const struct machine_beat *beat)
{
	assert(!peer_of(m)->broken && peer_of(m)->hello);
}

static void on_file(struct machine *m, struct str bytes)
{
	struct peer *p = peer_of(m);

	p->file += bytes.n;
	assert(!p->broken && p->fetching && p->file <= FETCH_MAX);
}

static void on_fetched(struct machine *m, int status, const char *why)
{
	struct peer *p = peer_of(m);

	assert(!p->broken && p->fetching && status <= 0);
	is_text(why);
	p->fetching = false;
	act(p);
}

static void on_broken(struct machine *m, const char *why)
{
	assert(!peer_of(m)->broken);
	peer_of(m)->broken = true;
}

static const struct agent_events EVENTS = {
	.hello = on_hello,
	.output = on_output,
	.exited = on_exited,
	.input_room = on_input_room,
	.beat = on_beat,
	.file = on_file,
	.fetched = on_fetched,
	.broken = on_broken,
};

static void on_end(void *ctx)
{
	loop_stop(ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct loop *loop = loop_new();
	struct loop_watch *end = loop_timer(loop, on_end, loop);
	struct peer p = {};
	char heard[PIECE];
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
		abort();
	signal(SIGPIPE, SIG_IGN);
	fcntl(s[1], F_SETFL, O_NONBLOCK);
	agent_open(&p.agent, s[0], false, loop, &EVENTS, (struct machine *)&p);
	for (size_t at = 0; at < size && !p.broken;) {
		size_t n = size - at < PIECE ? size - at : PIECE;
		ssize_t w = write(s[1], data + at, n);

		at += w > 0 ? (size_t)w : 0;
		loop_timer_set(end, 0);
		loop_run(loop);
		while (read(s[1], heard, sizeof(heard)) > 0)
			;
	}
	close(s[1]);
	loop_timer_set(end, 0);
	loop_run(loop);
	agent_close(&p.agent);
	loop_unwatch(end);
	loop_free(loop);
	return 0;
}
