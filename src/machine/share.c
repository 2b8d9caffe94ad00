/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/share.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "machine/trial.h"

#define HELP_MAX (64U << 10)
#define HELP_WAIT_MS 10000

/* Where distributions put it; few have it in PATH. */
static const char *const SERVERS[] = {
	"/usr/lib/qemu/virtiofsd",
	"/usr/libexec/virtiofsd",
	"/usr/lib/virtiofsd",
	"virtiofsd",
};

/* Its help tells which of the two it is: they have had each other's paths. */
static int server_ask(struct share_server *s, struct err *err)
{
	const char *argv[] = { s->path, "--help", NULL };
	struct proc_spec spec = { .argv = argv, .in = PROC_NULL, .err = PROC_NULL };
	_cleanup_(buf_done) struct buf help = { .max = HELP_MAX };
	int r = proc_run(&spec, &help, NULL, HELP_WAIT_MS, err);

	if (r < 0)
		return r;
	s->rust = strstr(buf_str(&help).p, "--shared-dir") != NULL;
	s->announces = strstr(buf_str(&help).p, "--no-announce-submounts") != NULL;
	if (r > 0 || (!s->rust && !strstr(buf_str(&help).p, "source=")))
		return err_set(err, ENOEXEC, "'%s --help' is not what a virtiofsd says", s->path);
	return 0;
}

/* Its help is asked for once: each boot would wait for it. */
static int server_know(struct share_server *s, const char *cache_dir, struct err *err)
{
	const struct trial_pair pair = { s->path, "" };
	_free_ char *name = trial_name("virtiofsd", &pair);
	char how[16];
	int r = trial_recall(cache_dir, name, how, sizeof(how));

	if (r >= 0) {
		s->rust = r;
		s->announces = strcmp(how, "announces") == 0;
		return 0;
	}
	r = server_ask(s, err);
	if (r == 0)
		trial_learn(cache_dir, name, s->rust, s->announces ? "announces" : "silent");
	return r;
}

int share_server_find(const char *cache_dir, struct share_server *ret, struct err *err)
{
	const char *named = getenv(SHARE_SERVER_ENV);
	int r;

	*ret = (struct share_server){};
	if (named && named[0]) {
		ret->path = proc_find(named);
		if (!ret->path)
			return err_set(err, ENOENT, SHARE_SERVER_ENV ": no program '%s'", named);
	}
	for (size_t i = 0; i < ARRAY_SIZE(SERVERS) && !ret->path; i++)
		ret->path = proc_find(SERVERS[i]);
	if (!ret->path)
		return 0;
	r = server_know(ret, cache_dir, err);
	if (r < 0)
		share_server_done(ret);
	return r < 0 ? r : 1;
}

void share_server_done(struct share_server *s)
{
	free(s->path);
	*s = (struct share_server){};
}

/*
 * A listening socket and one that is connected to it. Between the two it has a
 * name, in a directory that is ours; it is reached through its descriptor,
 * because the name of a socket is short (unix(7)).
 */
static int sockets_make(const char *work_dir, int *ret_listen, int *ret_connected,
			struct err *err)
{
	_cleanup_(closep) int dir = open(work_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closep) int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_(closep) int connected = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int r = 0;

	if (dir < 0 || listener < 0 || connected < 0)
		return err_sys(err, errno, "make a socket in '%s'", work_dir);
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/virtiofs", dir);
	unlink(a.sun_path);
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_sys(err, errno, "make a socket in '%s'", work_dir);
	if (listen(listener, 1) < 0 ||
	    connect(connected, (struct sockaddr *)&a, sizeof(a)) < 0)
		r = err_sys(err, errno, "connect a socket in '%s'", work_dir);
	unlink(a.sun_path);
	if (r < 0)
		return r;
	*ret_listen = listener;
	*ret_connected = connected;
	listener = connected = -1;
	return 0;
}

int share_serve(const struct share_server *s, const char *dir, bool rw, const char *work_dir,
		int words, struct proc *ret, int *ret_fd, struct err *err)
{
	_cleanup_(closep) int listener = -1, connected = -1;
	_free_ char *fd = NULL, *source = NULL;
	const char *argv[16] = { s->path };
	struct proc_spec spec = { .argv = argv, .in = PROC_NULL, .out = PROC_NULL, .err = words,
				  .session = true };
	unsigned n = 1;
	int r = sockets_make(work_dir, &listener, &connected, err);

	if (r < 0)
		return r;
	fd = xasprintf("--fd=%d", listener);
	source = xasprintf(s->rust ? "--shared-dir=%s" : "source=%s", dir);
	argv[n++] = fd;
	if (s->rust) {
		argv[n++] = source;
		/* Below an overlay nobody writes: the guest may keep what it read. */
		argv[n++] = rw ? "--cache=auto" : "--cache=always";
		argv[n++] = "--sandbox=chroot";
		argv[n++] = "--log-level=error";
		/* An overlay shows nothing of a mount that was announced. */
		if (s->announces)
			argv[n++] = "--no-announce-submounts";
	} else {
		argv[n++] = "-o";
		argv[n++] = source;
		argv[n++] = "-o";
		argv[n++] = rw ? "cache=auto" : "cache=always";
		argv[n++] = "-o";
		argv[n++] = "sandbox=chroot,log_level=err";
	}
	spec.keep[0] = listener;
	spec.n_keep = 1;
	/* That the guest mounts it read-only binds the guest as long as it likes. */
	if (!rw) {
		spec.unshare = CLONE_NEWNS;
		spec.read_only = true;
	}
	r = proc_start(&spec, ret, err);
	if (r < 0)
		return r;
	*ret_fd = connected;
	connected = -1;
	return 0;
}

bool share_failed(const struct proc *servers, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		siginfo_t ended = {};

		/* Both end well when they lose their VMM. */
		if (waitid(P_PID, (id_t)servers[i].pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    ended.si_pid && (ended.si_code != CLD_EXITED || ended.si_status != 0))
			return true;
	}
	return false;
}
