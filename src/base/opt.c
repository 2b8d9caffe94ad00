/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/opt.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"

#define WIDTH 80
#define HELP_COLUMN 26

void opt_list_add(struct opt_list *l, const char *s)
{
	ARRAY_GROW(l->v, l->n, l->cap);
	l->v[l->n++] = s;
}

void opt_list_done(struct opt_list *l)
{
	free(l->v);
	*l = (struct opt_list){};
}

/* A row found: groups move their rows' values. */
struct found {
	const struct opt *opt;
	size_t offset;
};

/* Walks a table and its groups; @match decides, @ctx is its own. */
static bool find(const struct opt *o, bool (*match)(const struct opt *, void *), void *ctx,
		 struct found *ret)
{
	for (; o->type != OPT_TYPE_END; o++) {
		if (o->type == OPT_TYPE_GROUP && find(o->group, match, ctx, ret)) {
			ret->offset += o->offset;
			return true;
		}
		if (o->type != OPT_TYPE_GROUP && match(o, ctx)) {
			*ret = (struct found){ o, o->offset };
			return true;
		}
	}
	return false;
}

static bool match_name(const struct opt *o, void *ctx)
{
	return o->name && str_eq(str_of(o->name), *(struct str *)ctx);
}

static bool match_letter(const struct opt *o, void *ctx)
{
	return o->letter && o->letter == *(char *)ctx;
}

struct nearest {
	struct str wanted;
	const char *name;
	unsigned distance;
};

static bool match_near(const struct opt *o, void *ctx)
{
	struct nearest *n = ctx;
	unsigned d = o->name ? str_distance(str_of(o->name), n->wanted) : ~0u;

	if (d < n->distance) {
		n->distance = d;
		n->name = o->name;
	}
	return false;
}

static int unknown_option(const struct opt_command *cmd, struct str name, struct err *err)
{
	struct nearest near = { .wanted = name, .distance = (unsigned)(name.n / 3 + 2) };
	struct found none;

	find(cmd->opts, match_near, &near, &none);
	if (near.name)
		return err_set(err, EINVAL, "no option '--%.*s'; did you mean '--%s'?",
			       STR_FMT(name), near.name);
	return err_set(err, EINVAL, "no option '--%.*s'; --help lists them", STR_FMT(name));
}

static bool is_choice(const struct opt *o, struct str value)
{
	for (const char *const *c = o->choices; *c; c++)
		if (str_eq(value, str_of(*c)))
			return true;
	return false;
}

static int check_choice(const struct opt *o, const char *value, struct err *err)
{
	struct str rest = str_of(value);
	struct buf list = {};
	int r;

	if (!o->choices)
		return 0;
	while (o->several && rest.p && is_choice(o, str_cut(&rest, ',')))
		if (!rest.p)
			return 0;
	if (!o->several && is_choice(o, rest))
		return 0;
	for (const char *const *c = o->choices; *c; c++)
		buf_printf(&list, "%s%s", c == o->choices ? "" : ", ", *c);
	r = err_set(err, EINVAL, "--%s: '%s' is none of %s", o->name, value, list.p);
	buf_done(&list);
	return r;
}

static int set_value(struct found f, const char *value, void *base, struct err *err)
{
	void *at = (char *)base + f.offset;
	const struct opt *o = f.opt;
	bool zero = false;
	uint64_t u;
	int r = 0;

	switch (o->type) {
	case OPT_TYPE_FLAG: *(bool *)at = true; break;
	case OPT_TYPE_COUNT: ++*(int *)at; break;
	case OPT_TYPE_LIST: opt_list_add(at, value); break;
	case OPT_TYPE_STR:
		r = check_choice(o, value, err);
		if (r == 0)
			*(const char **)at = value;
		return r;
	case OPT_TYPE_INT:
		if (!str_to_u64(str_of(value), &u) || u > 1000000)
			return err_set(err, EINVAL, "--%s: '%s' is no number from 0 to 1000000",
				       o->name, value);
		*(int *)at = (int)u;
		zero = u == 0;
		break;
	case OPT_TYPE_SIZE:
		r = size_parse(str_of(value), at, err);
		zero = r == 0 && *(uint64_t *)at == 0;
		break;
	case OPT_TYPE_DURATION:
		r = duration_parse(str_of(value), at, err);
		zero = r == 0 && *(int64_t *)at == 0;
		break;
	case OPT_TYPE_END:
	case OPT_TYPE_GROUP: assert(!"no value of its own");
	}
	if (zero && o->positive)
		return err_set(err, EINVAL, "--%s: '%s' is nothing; leave it out for the default",
			       o->name, value);
	return r < 0 ? err_wrap(err, r, "--%s", o->name) : 0;
}

/* One long option at argv[*i]; may take argv[*i + 1]. */
static int parse_long(const struct opt_command *cmd, int argc, char **argv, int *i, void *base,
		      struct err *err)
{
	const char *eq = strchr(argv[*i], '=');
	struct str name = str_of(argv[*i] + 2);
	const char *value = eq ? eq + 1 : NULL;
	const struct opt *o;
	struct found f;

	if (eq)
		name.n = (size_t)(eq - name.p);
	if (str_eq(name, STR("help")))
		return 1;
	if (!find(cmd->opts, match_name, &name, &f))
		return unknown_option(cmd, name, err);
	o = f.opt;
	if (!o->arg && value)
		return err_set(err, EINVAL, "--%s takes no value", o->name);
	if (o->arg && !value) {
		if (*i + 1 >= argc)
			return err_set(err, EINVAL, "--%s needs a value: --%s %s", o->name,
				       o->name, o->arg);
		value = argv[++*i];
	}
	return set_value(f, value, base, err);
}

/* A cluster of letters: -qv, -j2, -j 2. */
static int parse_short(const struct opt_command *cmd, int argc, char **argv, int *i, void *base,
		       struct err *err)
{
	for (char *c = argv[*i] + 1; *c; c++) {
		const char *value = NULL;
		const struct opt *o;
		struct found f;
		int r;

		if (!find(cmd->opts, match_letter, c, &f)) {
			if (*c == 'h')
				return 1;
			return err_set(err, EINVAL, "no option '-%c'; --help lists them", *c);
		}
		o = f.opt;
		if (o->arg) {
			if (!c[1] && *i + 1 >= argc)
				return err_set(err, EINVAL, "-%c needs a value: -%c %s", *c, *c,
					       o->arg);
			value = c[1] ? c + 1 : argv[++*i];
		}
		r = set_value(f, value, base, err);
		if (r < 0 || o->arg)
			return r;
	}
	return 0;
}

int opt_parse(const struct opt_command *cmd, bool stop_at_operand, int argc, char **argv,
	      void *base, int *ret_n, struct err *err)
{
	int n = 0;

	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];
		int r = 0;

		if (strcmp(a, "--") == 0 || (stop_at_operand && a[0] != '-')) {
			for (i += strcmp(a, "--") == 0; i < argc; i++)
				argv[1 + n++] = argv[i];
			break;
		}
		if (a[0] == '-' && a[1] == '-')
			r = parse_long(cmd, argc, argv, &i, base, err);
		else if (a[0] == '-' && a[1])
			r = parse_short(cmd, argc, argv, &i, base, err);
		else
			argv[1 + n++] = argv[i];
		if (r != 0)
			return r;
	}
	*ret_n = n;
	return 0;
}

void opt_wrap(struct out *out, const char *text, unsigned indent, unsigned column)
{
	struct str rest = str_of(text);

	while (column < indent) {
		out_char(out, ' ');
		column++;
	}
	while (rest.p) {
		struct str word = str_cut(&rest, ' '), unit;

		/* "95 %" is one word. */
		if (rest.n && rest.p[0] == '%') {
			unit = str_cut(&rest, ' ');
			word.n = (size_t)(unit.p + unit.n - word.p);
		}
		if (column > indent && column + 1 + word.n > WIDTH) {
			out_printf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			out_char(out, ' ');
			column++;
		}
		out_str(out, word);
		column += (unsigned)word.n;
	}
	out_char(out, '\n');
}

static void help_rows(struct out *out, const struct opt *o)
{
	for (; o->type != OPT_TYPE_END; o++) {
		char head[64];
		int n;

		if (o->type == OPT_TYPE_GROUP) {
			out_printf(out, "\n%s:\n", o->help);
			help_rows(out, o->group);
			continue;
		}
		n = snprintf(head, sizeof(head), "  %c%c%s--%s%s%s", o->letter ? '-' : ' ',
			     o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
			     o->arg ? " " : "", o->arg ? o->arg : "");
		out_str(out, str_of(head));
		if (n >= HELP_COLUMN) {
			out_char(out, '\n');
			n = 0;
		}
		opt_wrap(out, o->help, HELP_COLUMN, (unsigned)n);
	}
}

void opt_help(struct out *out, const struct opt_command *cmd)
{
	struct str rest = str_of(cmd->text);

	out_printf(out, "Usage: %s\n\n", cmd->usage);
	opt_wrap(out, cmd->summary, 0, 0);
	while (rest.p) {
		struct str par = str_cut(&rest, '\n');
		_free_ char *copy = xstrndup(par.p, par.n);

		out_char(out, '\n');
		opt_wrap(out, copy, 0, 0);
	}
	/* A group brings a heading of its own. */
	if (cmd->opts->type != OPT_TYPE_GROUP)
		out_lit(out, "\nOptions:\n");
	help_rows(out, cmd->opts);
	if (cmd->examples)
		out_printf(out, "\nExamples:\n%s", cmd->examples);
}
