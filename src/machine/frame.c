/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/frame.h"

#include "base/mem.h"

struct frame_kind {
	const char *name;
	uint32_t min, max; /* bytes of its payload */
};

/* What a guest may say, and how long it may be. */
static const struct frame_kind FRAMES[] = {
	/* One of another version may look otherwise behind its version. */
	[PROTO_HELLO] = { "hello", sizeof(uint32_t), 4096 },
	[PROTO_OUTPUT] = { "output", 1, PROTO_PAYLOAD_MAX },
	[PROTO_EXIT] = { "exit", sizeof(struct proto_exit), sizeof(struct proto_exit) },
	[PROTO_NOTE] = { "note", 1, 4096 },
	[PROTO_TAKEN] = { "taken", sizeof(uint32_t), sizeof(uint32_t) },
	[PROTO_READ] = { "read", sizeof(uint32_t), sizeof(uint32_t) },
	[PROTO_BEAT] = { "beat", sizeof(struct proto_beat), sizeof(struct proto_beat) },
	[PROTO_CLOSED] = { "closed", 0, 0 },
	[PROTO_FILE] = { "file", 1, PROTO_PAYLOAD_MAX },
	[PROTO_WAITING] = { "waiting", 0, 0 },
	[PROTO_FETCHED] = { "fetched", sizeof(int32_t), sizeof(int32_t) + 512 },
};

/* What a launcher may. */
static const struct frame_kind TOLD[] = {
	[PROTO_START] = { "start", sizeof(struct proto_start), PROTO_START_MAX },
	[PROTO_INPUT] = { "input", 0, PROTO_PAYLOAD_MAX },
	[PROTO_SIGNAL] = { "signal", 1, 1 },
	[PROTO_RESIZE] = { "resize", sizeof(struct proto_resize), sizeof(struct proto_resize) },
	[PROTO_POWEROFF] = { "poweroff", 0, 0 },
	[PROTO_WELCOME] = { "welcome", sizeof(struct proto_welcome),
			    sizeof(struct proto_welcome) },
	[PROTO_ROOM] = { "room", sizeof(uint32_t), sizeof(uint32_t) },
	[PROTO_CLOSE] = { "close", 0, 0 },
	[PROTO_PING] = { "ping", 0, 0 },
	[PROTO_FETCH] = { "fetch", sizeof(struct proto_fetch) + 2,
			  sizeof(struct proto_fetch) + 4096 },
};

static int check(const struct proto_header *h, const struct frame_kind *kinds, size_t n,
		 struct err *err)
{
	if (h->magic != PROTO_MAGIC)
		return err_set(err, EPROTO, "a frame begins with %#x", h->magic);
	if (h->type >= n || !kinds[h->type].name)
		return err_set(err, EPROTO, "a frame of the unknown type %u", h->type);
	if (h->length < kinds[h->type].min || h->length > kinds[h->type].max)
		return err_set(err, EPROTO, "a frame '%s' of %u bytes", kinds[h->type].name,
			       h->length);
	if (h->type == PROTO_OUTPUT && h->stream != 1 && h->stream != 2)
		return err_set(err, EPROTO, "output on the unknown stream %u", h->stream);
	return 0;
}

static int cut(struct str *rest, const struct frame_kind *kinds, size_t n, struct frame *ret,
	       struct err *err)
{
	int r;

	if (rest->n < sizeof(ret->head))
		return 0;
	memcpy(&ret->head, rest->p, sizeof(ret->head));
	r = check(&ret->head, kinds, n, err);
	if (r < 0)
		return r;
	if (rest->n - sizeof(ret->head) < ret->head.length)
		return 0;
	ret->payload = str_n(rest->p + sizeof(ret->head), ret->head.length);
	*rest = str_from(*rest, sizeof(ret->head) + ret->head.length);
	return 1;
}

int frame_cut(struct str *rest, struct frame *ret, struct err *err)
{
	return cut(rest, FRAMES, ARRAY_SIZE(FRAMES), ret, err);
}

int frame_cut_told(struct str *rest, struct frame *ret, struct err *err)
{
	return cut(rest, TOLD, ARRAY_SIZE(TOLD), ret, err);
}

int frame_add(struct buf *b, enum proto_type type, unsigned stream, unsigned command,
	      struct str payload)
{
	struct proto_header h = {
		.magic = PROTO_MAGIC,
		.type = (uint8_t)type,
		.stream = (uint8_t)stream,
		.command = (uint16_t)command,
		.length = (uint32_t)payload.n,
	};
	size_t before = b->n, max = type == PROTO_START ? PROTO_START_MAX : PROTO_PAYLOAD_MAX;

	if (payload.n > max || buf_add(b, &h, sizeof(h)) < 0)
		return -EFBIG;
	if (buf_add_str(b, payload) < 0) {
		b->n = before;
		return -EFBIG;
	}
	return 0;
}
