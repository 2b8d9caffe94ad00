/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/kind.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/units.h"
#include "machine/door.h"
#include "machine/life.h"

const struct machine_kind MACHINE_KINDS[] = {
	{ "qemu", "a virtual machine with a kernel of its own", &machine_qemu_ops,
	  machine_qemu_probe },
	{ "uml", "User Mode Linux, a kernel that is a process", &machine_uml_ops,
	  machine_uml_probe },
	{ "host", "fresh namespaces on the running kernel", &machine_host_ops,
	  machine_host_probe },
};
const unsigned MACHINE_KINDS_N = ARRAY_SIZE(MACHINE_KINDS);

extern const char machine_guest_start[], machine_guest_end[];

struct str machine_guest(void)
{
	return str_n(machine_guest_start, (size_t)(machine_guest_end - machine_guest_start));
}

int machine_memfd(const char *name, struct str data, int *ret, struct err *err)
{
	_cleanup_(closep) int fd = memfd_create(name, MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "make an anonymous file");
	r = file_write_all(fd, data.p, data.n);
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, r < 0 ? -r : errno, "fill an anonymous file");
	*ret = fd;
	fd = -1;
	return 0;
}

int machine_socketpair(int *ret_ours, int *ret_theirs, struct err *err)
{
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		return err_sys(err, errno, "make a pair of sockets");
	fcntl(s[0], F_SETFL, O_NONBLOCK);
	*ret_ours = s[0];
	*ret_theirs = s[1];
	return 0;
}

int machine_guest_config(const struct machine *m, struct buf *b, struct err *err)
{
	static const char *const roots[] = {
		[MACHINE_ROOT_OVERLAY] = "overlay",
		[MACHINE_ROOT_RO] = "ro",
		[MACHINE_ROOT_RW] = "rw",
	};

	buf_printf(b, "root %s\nhostname taproom\n", roots[m->config.root]);
	if (b->n >= PROTO_CONFIG_MAX)
		return err_set(err, E2BIG, "more shares and modules than can be told");
	return 0;
}

static const char *copy(struct machine *m, const char *s)
{
	return s ? arena_strndup(&m->arena, s, strlen(s)) : NULL;
}

static const char *const *copy_list(struct machine *m, const char *const *v)
{
	const char **to;
	size_t n = 0;

	while (v && v[n])
		n++;
	to = arena_alloc(&m->arena, (n + 1) * sizeof(*to));
	for (size_t i = 0; i < n; i++)
		to[i] = copy(m, v[i]);
	return to;
}

static void config_copy(struct machine *m, const struct machine_config *from)
{
	struct machine_config *c = &m->config;
	struct machine_share *shares;

	*c = *from;
	c->image = copy(m, from->image);
	c->release = copy(m, from->release);
	c->config = copy(m, from->config);
	c->modules_dir = copy(m, from->modules_dir);
	c->accel = copy(m, from->accel ? from->accel : "auto");
	c->uml_time = copy(m, from->uml_time);
	c->append = copy_list(m, from->append);
	c->qemu_opts = copy_list(m, from->qemu_opts);
	c->needed = copy_list(m, from->needed);
	c->dump = copy(m, from->dump);
	c->vmlinux = copy(m, from->vmlinux);
	c->enter = copy(m, from->enter);
	c->work_dir = copy(m, from->work_dir);
	c->cache_dir = copy(m, from->cache_dir);
	shares = arena_alloc(&m->arena, (from->n_shares + 1) * sizeof(*shares));
	for (unsigned i = 0; i < from->n_shares; i++)
		shares[i] = (struct machine_share){ copy(m, from->shares[i].dir),
						    from->shares[i].rw };
	c->shares = shares;
}

static int path_check(const char *what, const char *path, struct err *err)
{
	if (path && path[0] != '/')
		return err_set(err, EINVAL, "%s '%s' is no absolute path", what, path);
	if (path && strchr(path, '\n'))
		return err_set(err, EINVAL, "%s '%s' has a newline in its name", what, path);
	return 0;
}

static int config_check(const struct machine_kind *kind, const struct machine_config *c,
			struct err *err)
{
	int r = path_check("kernel image", c->image, err);

	if (r == 0)
		r = path_check("modules", c->modules_dir, err);
	if (r == 0)
		r = path_check("work directory", c->work_dir, err);
	if (r == 0)
		r = path_check("dump", c->dump, err);
	if (r == 0 && (c->gdb || c->dump) && !kind->ops->dump)
		r = err_set(err, EINVAL, "a machine '%s' has neither --gdb nor --dump: use qemu",
			    kind->name);
	if (c->n_shares > PROTO_SHARES_MAX)
		return err_set(err, E2BIG, "%u shares; a machine takes %d", c->n_shares,
			       PROTO_SHARES_MAX);
	for (unsigned i = 0; r == 0 && i < c->n_shares; i++) {
		r = path_check("share", c->shares[i].dir, err);
		if (r == 0 && access(c->shares[i].dir, F_OK) < 0)
			r = err_sys(err, errno, "share '%s'", c->shares[i].dir);
	}
	if (r == 0 && kind->ops->needs_kernel && (!c->image || !c->release))
		r = err_set(err, EINVAL, "a machine '%s' needs a kernel", kind->name);
	if (r == 0 && kind->ops->needs_kernel &&
	    c->image_is_uml != (kind->ops == &machine_uml_ops))
		r = err_set(err, ENOEXEC, "'%s' is %s; give --machine %s, or another --kernel",
			    c->image, c->image_is_uml ? "User Mode Linux"
						      : "no User Mode Linux",
			    c->image_is_uml ? "uml" : "qemu");
	if (r == 0 && !kind->ops->needs_kernel && c->net)
		r = err_set(err, EINVAL, "a machine '%s' has no network; leave --net away",
			    kind->name);
	return r;
}

static const struct machine_kind *kind_find(const char *name)
{
	for (unsigned i = 0; i < MACHINE_KINDS_N; i++)
		if (strcmp(MACHINE_KINDS[i].name, name) == 0)
			return &MACHINE_KINDS[i];
	return NULL;
}

static int begin(const struct machine_kind *k, const struct machine_config *config,
		 struct loop *loop, const struct log *log, const struct machine_events *events,
		 void *ctx, struct machine **ret, struct err *err)
{
	struct machine *m;
	int r = config_check(k, config, err);

	if (r < 0)
		return r;
	m = xcalloc(1, sizeof(*m));
	*m = (struct machine){ .kind = k, .loop = loop, .log = log, .events = events,
			       .ctx = ctx };
	m->facts = (struct machine_facts){ .kind = k->name, .accel = "", .why = m->accel_why,
					   .cpus = config->cpus, .memory = config->memory,
					   .boot_ms = -1, .cold = m->cold_why };
	config_copy(m, config);
	if (!k->ops->again && !config->enter) {
		snprintf(m->cold_why, sizeof(m->cold_why), "a machine '%s' can't be kept", k->name);
		log_debug(log, "a cold boot: %s", m->cold_why);
	}
	r = life_begin(m, err);
	if (r < 0) {
		machine_free(m);
		return err_wrap(err, r, "machine '%s'", k->name);
	}
	*ret = m;
	return 0;
}

int machine_boot(const char *kind, const struct machine_config *config, struct loop *loop,
		 const struct log *log, const struct machine_events *events, void *ctx,
		 struct machine **ret, struct err *err)
{
	const struct machine_kind *k = kind_find(kind);

	if (!k)
		return err_set(err, EINVAL, "no machine '%s'; there are qemu, uml and host", kind);
	return begin(k, config, loop, log, events, ctx, ret, err);
}

int machine_enter(const char *dir, const char *work_dir, struct loop *loop,
		  const struct log *log, const struct machine_events *events, void *ctx,
		  struct machine **ret, struct err *err)
{
	static const struct machine_kind kept = {
		"kept", "a machine that another process keeps", &machine_kept_ops, NULL,
	};
	struct machine_config c = { .enter = dir, .work_dir = work_dir };

	return begin(&kept, &c, loop, log, events, ctx, ret, err);
}

struct machine *machine_free(struct machine *m)
{
	if (!m)
		return NULL;
	life_end(m);
	arena_done(&m->arena);
	free(m);
	return NULL;
}

static int must_be_up(const struct machine *m, struct err *err)
{
	return m->state == MACHINE_UP ? 0 : err_set(err, ESHUTDOWN, "the machine is not up");
}

int machine_start(struct machine *m, const struct machine_command *cmd, struct err *err)
{
	int r = must_be_up(m, err);

	if (r == 0)
		r = agent_start(&m->agent, cmd, err);
	if (r == 0)
		m->memory_kills = m->seen.memory_kills;
	return r;
}

int machine_input(struct machine *m, struct str bytes, struct err *err)
{
	int r = must_be_up(m, err);

	return r < 0 ? r : agent_input(&m->agent, bytes, err);
}

bool machine_input_closed(const struct machine *m)
{
	return m->agent.input_closed;
}

int machine_signal(struct machine *m, int sig, struct err *err)
{
	char byte = (char)sig;
	int r = must_be_up(m, err);

	return r < 0 ? r : agent_tell(&m->agent, PROTO_SIGNAL, str_n(&byte, 1), err);
}

int machine_resize(struct machine *m, unsigned rows, unsigned columns, struct err *err)
{
	struct proto_resize size = { (uint16_t)rows, (uint16_t)columns };
	int r = must_be_up(m, err);

	return r < 0 ? r : agent_tell(&m->agent, PROTO_RESIZE,
				      str_n((char *)&size, sizeof(size)), err);
}

void machine_hold(struct machine *m, bool hold)
{
	if (m->state == MACHINE_UP)
		agent_hold(&m->agent, hold);
}

int machine_close(struct machine *m, unsigned stream, struct err *err)
{
	int r = must_be_up(m, err);

	return r < 0 ? r : agent_close_stream(&m->agent, stream, err);
}

int machine_fetch(struct machine *m, const char *path, uint64_t max, struct err *err)
{
	int r = must_be_up(m, err);

	return r < 0 ? r : agent_fetch(&m->agent, path, max, err);
}

int machine_keep(struct machine *m, const struct machine_events *events,
		 void (*used)(void *ctx, bool inside), void *ctx, struct err *err)
{
	int r = must_be_up(m, err);

	if (r == 0)
		r = door_open(m->config.work_dir, m->release, &m->agent, m->loop, used, ctx,
			      &m->agent.door, err);
	if (r < 0)
		return r;
	examine_end(m); /* it was asked by who had it */
	m->events = events;
	m->ctx = ctx;
	return 0;
}

int64_t machine_wall_ms(const struct machine *m)
{
	return m->agent.wall_ms;
}

int machine_examine(struct machine *m, void (*told)(void *ctx), void *ctx)
{
	return m->state == MACHINE_UP ? examine_begin(m, told, ctx) : -ESHUTDOWN;
}

/* A share that it may write: what it keeps in memory is the host's. */
static bool may_write(const struct machine *m)
{
	for (unsigned i = 0; i < m->config.n_shares; i++)
		if (m->config.shares[i].rw)
			return true;
	return m->config.root == MACHINE_ROOT_RW || !m->kind->ops->needs_kernel;
}

void machine_end(struct machine *m)
{
	if (m->state == MACHINE_UP && !may_write(m)) {
		m->state = MACHINE_STOPPING;
		/* All at once: each gives back the guest's memory, which takes a while. */
		proc_kill(&m->run.vmm, SIGKILL);
		for (unsigned i = 0; i < m->run.n_helpers; i++)
			proc_kill(&m->run.helpers[i], SIGKILL);
	} else {
		machine_stop(m);
	}
}

void machine_facts(const struct machine *m, struct machine_facts *ret)
{
	*ret = m->facts;
}
