/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/frame.h"

#include "base/mem.h"

/* What a guest may say, and how long it may be. */
static const struct {
	const char *name;
	uint32_t min, max;
} FRAMES[] = {
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

static int check(const struct proto_header *h, struct err *err)
{
	if (h->magic != PROTO_MAGIC)
		return err_set(err, EPROTO, "a frame begins with %#x", h->magic);
	if (h->type >= ARRAY_SIZE(FRAMES) || !FRAMES[h->type].name)
		return err_set(err, EPROTO, "a frame of the unknown type %u", h->type);
	if (h->length < FRAMES[h->type].min || h->length > FRAMES[h->type].max)
		return err_set(err, EPROTO, "a frame '%s' of %u bytes", FRAMES[h->type].name,
			       h->length);
	if (h->type == PROTO_OUTPUT && h->stream != 1 && h->stream != 2)
		return err_set(err, EPROTO, "output on the unknown stream %u", h->stream);
	return 0;
}

int frame_cut(struct str *rest, struct frame *ret, struct err *err)
{
	int r;

	if (rest->n < sizeof(ret->head))
		return 0;
	memcpy(&ret->head, rest->p, sizeof(ret->head));
	r = check(&ret->head, err);
	if (r < 0)
		return r;
	if (rest->n - sizeof(ret->head) < ret->head.length)
		return 0;
	ret->payload = str_n(rest->p + sizeof(ret->head), ret->head.length);
	*rest = str_from(*rest, sizeof(ret->head) + ret->head.length);
	return 1;
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
	size_t before = b->n;

	if (payload.n > PROTO_PAYLOAD_MAX || buf_add(b, &h, sizeof(h)) < 0)
		return -EFBIG;
	if (buf_add_str(b, payload) < 0) {
		b->n = before;
		return -EFBIG;
	}
	return 0;
}
