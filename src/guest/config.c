/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/guest.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void config_read(int fd, char *text, size_t size)
{
	size_t n = 0;
	ssize_t r = 0;

	while (n < size && (r = read(fd, text + n, size - n)) != 0) {
		if (r < 0 && errno != EINTR)
			die(errno, "read the configuration");
		n += r > 0 ? (size_t)r : 0;
	}
	if (n == size)
		die(0, "the configuration is larger than %zu bytes", size - 1);
	text[n] = '\0';
	close(fd);
}

/* Cuts one word off; what is left may be empty. */
static char *word(char **rest)
{
	char *w = *rest, *blank = strchr(w, ' ');

	*rest = blank ? blank + 1 : w + strlen(w);
	if (blank)
		*blank = '\0';
	return w;
}

static bool set_from(struct config *c, char *rest)
{
	c->fs = word(&rest);
	c->from = rest;
	return *rest;
}

static bool set_root(struct config *c, char *rest)
{
	static const char *const modes[] = { "overlay", "ro", "rw" };

	for (unsigned i = 0; i < 3; i++)
		if (strcmp(rest, modes[i]) == 0) {
			c->root = (enum root_mode)i;
			return true;
		}
	return false;
}

static bool set_port(struct config *c, char *rest)
{
	c->port = rest;
	return *rest;
}

static bool set_time(struct config *c, char *rest)
{
	c->simulated = strcmp(rest, "simulated") == 0;
	return c->simulated;
}

static bool set_hostname(struct config *c, char *rest)
{
	c->hostname = rest;
	return *rest;
}

static bool add_insmod(struct config *c, char *rest)
{
	if (c->n_insmod == INSMOD_MAX)
		return false;
	c->insmod[c->n_insmod++] = rest;
	return *rest;
}

static bool set_modules(struct config *c, char *rest)
{
	c->release = word(&rest);
	c->modules = rest;
	return *rest == '/';
}

static bool add_share(struct config *c, char *rest)
{
	struct share *s = &c->shares[c->n_shares];

	if (c->n_shares++ == PROTO_SHARES_MAX)
		return false;
	s->rw = strcmp(word(&rest), "rw") == 0;
	s->tag = word(&rest);
	s->dir = rest;
	return *rest == '/';
}

static bool set_net(struct config *c, char *rest)
{
	c->net = true;
	return true;
}

static bool set_wait(struct config *c, char *rest)
{
	c->wait = true;
	return true;
}

static const struct {
	const char *key;
	bool (*set)(struct config *c, char *rest);
} KEYS[] = {
	{ "from", set_from },	    { "root", set_root },   { "hostname", set_hostname },
	{ "insmod", add_insmod },   { "modules", set_modules },
	{ "share", add_share },	    { "net", set_net },	    { "port", set_port },
	{ "time", set_time },	    { "wait", set_wait },
};

static void config_line(char *line, struct config *c)
{
	char *rest = line;
	const char *key = word(&rest);

	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
		if (strcmp(KEYS[i].key, key) == 0) {
			if (KEYS[i].set(c, rest))
				return;
			break;
		}
	die(0, "the configuration has a line that makes no sense: '%s %s'", key, rest);
}

void config_parse(char *text, struct config *c)
{
	char *save = NULL;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		config_line(l, c);
	if (!c->fs && !c->wait)
		die(0, "the configuration does not say where the host's files are");
}

void modules_load(const struct config *c)
{
	for (unsigned i = 0; i < c->n_insmod; i++) {
		char path[256];
		int fd;

		snprintf(path, sizeof(path), PROTO_MODULES "/%s", c->insmod[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		/* EEXIST: the kernel has it, built in or by another's dependency. */
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
			die(errno, "load module '%s'", c->insmod[i]);
		close(fd);
		unlink(path);
	}
}
