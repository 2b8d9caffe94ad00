/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/decoder.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"
#include "kernel/decode.h"
#include "kernel/kernel.h"
#include "plan/plan.h"
#include "tap/trace.h"

#define JOBS_MAX 4096 /* of a run: what further ones say is not decoded */

#define AT(field) .offset = offsetof(struct decoder_options, field)

const struct opt DECODER_OPTIONS[] = {
	{ .type = OPT_TYPE_FLAG, .name = "decode", AT(decode),
	  .help = "put the place in the source after each function+0xOFFSET/0xSIZE" },
	{ .type = OPT_TYPE_STR, .name = "symbols", .arg = "PATH", AT(symbols),
	  .help = "the kernel's debug info: a vmlinux, its tree, a directory like "
		  "/usr/lib/debug, or one module [default: the run's kernel tree, the cache, "
		  "/usr/lib/debug, /lib/modules]" },
	{ .type = OPT_TYPE_FLAG, .name = "fetch-symbols", AT(fetch),
	  .help = "bring the debug info of a Debian kernel into the cache: 2 GB" },
	OPT_END,
};

bool decoder_wanted(const struct decoder_options *o)
{
	return o->decode || o->symbols || o->fetch;
}

void decoder_init(struct decoder *d, struct cmd *c, const struct decoder_options *o)
{
	*d = (struct decoder){ .cmd = c, .opt = o };
}

/* ---- which kernel ---- */

/* The next word of a command line that was quoted for the shell, as run does:
 * plain, or in '...' with '\'' for a quote. NULL at the end. */
static char *next_word(const char **at)
{
	struct buf word = {};
	bool quoted = false;
	const char *c = *at;

	while (*c == ' ')
		c++;
	if (!*c)
		return NULL;
	for (; *c && (quoted || *c != ' '); c++) {
		if (*c == '\'')
			quoted = !quoted;
		else if (*c == '\\' && !quoted && c[1])
			buf_add(&word, ++c, 1);
		else
			buf_add(&word, c, 1);
	}
	*at = c;
	return buf_take(&word);
}

/* Of "cd DIR && taproom run --kernel WORD --config FILE ...". */
struct call {
	char *dir, *kernel, *config;
};

static void set(char **value, const char *text)
{
	free(*value);
	*value = xstrdup(text);
}

static void read_call(struct call *c, const char *command)
{
	const struct {
		const char *option;
		char **value;
	} WANTED[] = { { "cd", &c->dir }, { "-C", &c->dir }, { "--directory", &c->dir },
		       { "--kernel", &c->kernel }, { "--config", &c->config } };
	char **next = NULL, *word;

	for (; (word = next_word(&command)); free(word)) {
		char **here = next;

		next = NULL;
		for (size_t i = 0; !here && i < ARRAY_SIZE(WANTED); i++) {
			size_t n = strlen(WANTED[i].option);

			if (strcmp(word, WANTED[i].option) == 0)
				next = WANTED[i].value;
			else if (n > 2 && strncmp(word, WANTED[i].option, n) == 0 && word[n] == '=')
				set(WANTED[i].value, word + n + 1);
		}
		if (here)
			set(here, word);
	}
}

static void call_done(struct call *c)
{
	free(c->dir);
	free(c->kernel);
	free(c->config);
}

/* A file's name is one in the call's directory. */
static char *in_dir(const char *dir, const char *name)
{
	char *full = dir && name && name[0] != '/' ? path_join(dir, name) : NULL;

	if (full && file_exists(full))
		return full;
	free(full);
	return xstrdup(name); /* "debian", or gone */
}

/* The kernel that a call meant: its option, else what its configuration names
 * (as that is now), else the tree it was made in. */
static char *kernel_of_command(const char *command)
{
	_cleanup_(call_done) struct call c = {};
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_free_ char *config = NULL;

	read_call(&c, command);
	if (c.kernel)
		return in_dir(c.dir, c.kernel);
	config = in_dir(c.dir, c.config);
	if (c.dir && plan_load(config, c.dir, &plan, NULL) == 0 && plan->kernel)
		return in_dir(c.dir, plan->kernel);
	return xstrdup(c.dir);
}

void decoder_event(struct decoder *d, const struct event *ev)
{
	if (ev->type == EVENT_RUN_BEGIN) {
		_free_ char *command = xstrndup(ev->run->command.p, ev->run->command.n);

		d->kernel = kernel_of_command(command ? command : "");
		if (ev->run->commit.n)
			d->version = xstrndup(ev->run->commit.p, ev->run->commit.n);
	} else if (ev->type == EVENT_JOB_BEGIN && ev->job < JOBS_MAX) {
		if (ev->job >= d->n_releases) {
			d->releases = xrealloc(d->releases, ev->job + 1, sizeof(*d->releases));
			while (d->n_releases <= ev->job)
				d->releases[d->n_releases++] = NULL;
		}
		free(d->releases[ev->job]);
		d->releases[ev->job] = xstrndup(ev->job_info->kernel.p, ev->job_info->kernel.n);
	}
}

/* ---- its debug info ---- */

static void advise(struct decoder *d, const char *release, const struct err *why)
{
	char fetch[UNIT_TEXT_MAX], unpacked[UNIT_TEXT_MAX];
	_free_ char *package = NULL;
	uint64_t size, installed;

	if (release && kernel_debug_package(release, &package, &size, &installed) > 0)
		log_warn(&d->cmd->log,
			 "frames are not decoded: %s; or bring Debian's package %s (%s, unpacked "
			 "%s) with --fetch-symbols", why->text, package, size_text(size, fetch),
			 size_text(installed, unpacked));
	else
		log_warn(&d->cmd->log, "frames are not decoded: %s", why->text);
}

static int open_symbols(struct decoder *d, const char *release, struct symbols **ret,
			struct err *err)
{
	_free_ char *cache = cmd_cache_dir();
	struct symbols_from from = {
		.where = d->opt->symbols,
		.kernel = d->kernel,
		.release = release,
		.cache_dir = cache,
	};
	struct err why = {};
	int r = symbols_open(&from, ret, &why);

	if (r == -ENOENT && d->opt->fetch && !d->opt->symbols && release) {
		r = kernel_debug_fetch(d->kernel, release, d->version, cache, &d->cmd->log, &why);
		if (r == 0)
			r = symbols_open(&from, ret, &why);
		if (r < 0)
			return err_set(err, EINVAL, "--fetch-symbols: %s", why.text);
	}
	if (r < 0 && d->opt->symbols)
		return err_set(err, EINVAL, "%s", why.text);
	if (r < 0)
		advise(d, release, &why);
	else
		log_debug(&d->cmd->log, "debug info: %s", symbols_path(*ret));
	return 0;
}

int decoder_symbols(struct decoder *d, unsigned job, struct symbols **ret, struct err *err)
{
	const char *release = job < d->n_releases ? d->releases[job] : NULL;
	struct decoder_kernel *k;
	int r = 0;

	if (release && !release[0])
		release = NULL;
	for (size_t i = 0; i < d->n; i++) {
		if (strcmp(d->v[i].release, release ? release : "") == 0) {
			*ret = d->v[i].symbols;
			return 0;
		}
	}
	ARRAY_GROW(d->v, d->n, d->cap);
	k = &d->v[d->n++];
	*k = (struct decoder_kernel){ .release = xstrdup(release ? release : "") };
	r = open_symbols(d, release, &k->symbols, err);
	*ret = k->symbols;
	return r;
}

int decoder_splat(void *ctx, const struct event *splat, struct buf *ret)
{
	struct decoder *d = ctx;
	struct symbols *s;
	struct out out;

	/* A run that found its debug info told the places already. */
	if (!trace_bare(splat->splat->text)) {
		buf_add_str(ret, splat->splat->text);
		return 1;
	}
	if (decoder_symbols(d, splat->job, &s, d->err.code ? NULL : &d->err) < 0 || !s)
		return 0;
	out_to_buf(&out, ret);
	decode_text(s, splat->splat->text, &out);
	return out_flush(&out) == 0;
}

void decoder_done(struct decoder *d)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].symbols)
			symbols_tell_missing(d->v[i].symbols, &d->cmd->log);
		symbols_close(d->v[i].symbols);
		free(d->v[i].release);
	}
	free(d->v);
	for (size_t i = 0; i < d->n_releases; i++)
		free(d->releases[i]);
	free(d->releases);
	free(d->kernel);
	free(d->version);
	*d = (struct decoder){};
}
