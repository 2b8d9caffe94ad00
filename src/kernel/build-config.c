/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration of a kernel that is built, and what of it did not stick. */
#include "kernel/build-inside.h"

#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define CONFIG_MAX    (4u << 20)
#define REASONS_MAX   16 /* the search for one reads all Kconfig files */

/* Nothing but what is wanted: everything else that can be is off. */
static int configure_tiny(const struct build *b, struct err *err)
{
	_free_ char *path = path_join(b->objects, "wanted.config");
	int r = file_write(path, str_of(b->wishes), 0644, err);

	return r < 0 ? r : MAKE(b, "configure", path, NULL, err, "allnoconfig");
}

static int configure_default(const struct build *b, struct err *err)
{
	_free_ char *path = path_join(b->objects, ".config");
	struct buf base = {}, merged = {};
	int r = MAKE(b, "configure", NULL, NULL, err, "defconfig");

	if (r == 0)
		r = file_read(path, CONFIG_MAX, &base, err);
	if (r == 0) {
		kconfig_merge(&b->want, buf_str(&base), &merged);
		r = file_write(path, buf_str(&merged), 0644, err);
	}
	buf_done(&base);
	buf_done(&merged);
	return r < 0 ? r : MAKE(b, "configure", NULL, NULL, err, "olddefconfig");
}

/* One line per option that did not stick, to be told now and whenever this kernel
 * is found again. */
struct unstuck {
	const struct build *b;
	struct str result;
	struct buf text;
	unsigned n;
};

static void on_unstuck(void *ctx, const struct kconfig_option *o, const char *got)
{
	struct unstuck *u = ctx;
	struct buf why = { .max = 512 };

	if (u->n++ < REASONS_MAX)
		kconfig_why(u->b->from.dir, o->name, u->b->order->arch, u->result, &why);
	buf_printf(&u->text, "CONFIG_%s=%s (%s) is %s%s%.*s\n", o->name, o->value, o->from, got,
		   why.n ? ": " : "", STR_FMT(buf_str(&why)));
	buf_done(&why);
}

static int write_unstuck(const struct build *b, struct err *err)
{
	_free_ char *config = path_join(b->objects, ".config");
	_free_ char *path = path_join(b->objects, "unstuck");
	struct unstuck u = { .b = b };
	struct buf result = {};
	int r = file_read(config, CONFIG_MAX, &result, err);

	if (r == 0) {
		u.result = buf_str(&result);
		kconfig_unstuck(&b->want, u.result, on_unstuck, &u);
		r = file_write(path, buf_str(&u.text), 0644, err);
	}
	buf_done(&u.text);
	buf_done(&result);
	return r;
}

void build_tell_unstuck(const char *dir, const struct log *log)
{
	_free_ char *path = path_join(dir, "unstuck");
	struct buf text = {};

	if (file_read(path, 0, &text, NULL) < 0)
		buf_clear(&text);
	for (struct str rest = buf_str(&text); rest.n;) {
		struct str line = str_cut(&rest, '\n');

		log_warn(log, "option did not stick: %.*s", STR_FMT(line));
	}
	buf_done(&text);
}

int build_configure(const struct build *b, struct err *err)
{
	_free_ char *path = path_join(b->objects, "configured"), *was = NULL;
	int r = 0;

	if (file_read_line(path, &was, NULL) < 0 || strcmp(was, b->name) != 0) {
		unlink(path);
		r = strcmp(b->order->base, "tiny") == 0 ? configure_tiny(b, err)
							 : configure_default(b, err);
		if (r == 0)
			r = write_unstuck(b, err);
		if (r == 0)
			r = file_write(path, str_of(b->name), 0644, err);
	}
	if (r == 0)
		build_tell_unstuck(b->objects, b->order->log);
	return r;
}
