/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/make.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/make-log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/units.h"

#define ARGS_MAX    64
#define PROGRESS_MS 500
#define GRACE_MS    5000 /* in which make removes what it was writing */
#define LOG_MAX     (256u << 20)

struct running {
	const struct make *make;
	struct proc proc;
	struct loop *loop;
	struct loop_watch *output, *end, *timer, *grace, *signals[3];
	int fd, log_fd;
	uint64_t steps;
	unsigned column; /* of a line that may begin a step; 3: it does not */
	int64_t start;
	int log_error; /* of writing the log; -errno */
	bool stopped;
};

static void tell(struct running *r)
{
	const struct make *m = r->make;
	struct kernel_progress p = {
		.what = m->what,
		.steps = r->steps,
		.steps_all = m->steps_all,
		.elapsed_ms = clock_mono_ms() - r->start,
		.left_ms = -1,
	};

	/* By the steps that are left at the speed of the last build, or of this one
	 * where it is far enough to tell: the machine may be busier today. */
	if (m->steps_all > p.steps && m->took_ms > 0) {
		double left = (double)(m->steps_all - p.steps);
		double then = (double)m->took_ms / (double)m->steps_all;
		double now = p.steps ? (double)p.elapsed_ms / (double)p.steps : then;
		double weight = (double)p.steps / (double)m->steps_all;

		p.left_ms = (int64_t)(left * (now * weight + then * (1 - weight)));
	}
	if (m->order->progress)
		m->order->progress(m->order->ctx, &p);
}

/* A step of kbuild begins its line with two blanks and a word in capitals: what
 * compilers say between them, in thousands of lines or none, is no work. */
static void count_steps(struct running *r, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (r->column == 2 && p[i] >= 'A' && p[i] <= 'Z')
			r->steps++;
		if (p[i] == '\n')
			r->column = 0;
		else
			r->column = r->column < 2 && p[i] == ' ' ? r->column + 1 : 3;
	}
}

/* Returns false when there is nothing more for now. */
static bool take_output(struct running *r)
{
	char chunk[16384];
	ssize_t n = read(r->fd, chunk, sizeof(chunk));

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		if (n == 0)
			r->output = loop_unwatch(r->output);
		return false;
	}
	count_steps(r, chunk, (size_t)n);
	if (r->log_error == 0)
		r->log_error = file_write_all(r->log_fd, chunk, (size_t)n);
	return true;
}

static void on_output(void *ctx, int fd, unsigned ready)
{
	take_output(ctx);
}

static void on_timer(void *ctx)
{
	struct running *r = ctx;

	utimensat(AT_FDCWD, r->make->mark, NULL, 0);
	tell(r);
	loop_timer_set(r->timer, PROGRESS_MS);
}

static void on_end(void *ctx, int fd, unsigned ready)
{
	struct running *r = ctx;

	r->end = loop_unwatch(r->end);
	loop_stop(r->loop);
}

static void on_grace(void *ctx)
{
	struct running *r = ctx;

	proc_kill(&r->proc, SIGKILL);
}

/* Make removes what it was writing, and ends. */
static void on_signal(void *ctx)
{
	struct running *r = ctx;

	if (r->stopped) {
		proc_kill(&r->proc, SIGKILL);
		return;
	}
	r->stopped = true;
	proc_kill(&r->proc, SIGTERM);
	loop_timer_set(r->grace, GRACE_MS);
}

/*
 * In a process namespace of its own: whatever ends make, or us, ends all that it
 * started with it. Where that is not allowed a session has to do.
 */
static int start(struct running *r, const char *const *argv, int out, struct err *err)
{
	static const char *const env[] = { "LC_ALL=C", NULL };
	static const unsigned long ways[] = { CLONE_NEWPID, CLONE_NEWUSER | CLONE_NEWPID, 0 };
	struct proc_spec spec = { .argv = argv, .env = env, .dir = r->make->dir,
				  .in = PROC_NULL, .out = out, .err = out, .session = true };
	int e = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		spec.unshare = ways[i];
		if (ways[i] == CLONE_NEWPID && geteuid() != 0)
			continue;
		e = proc_start(&spec, &r->proc, err);
		if (e != -EPERM && e != -ENOSPC && e != -EINVAL && e != -EACCES)
			break;
	}
	return e;
}

static void watch(struct running *r)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction now;

	r->output = loop_io(r->loop, r->fd, LOOP_READ, on_output, r);
	r->end = loop_io(r->loop, r->proc.fd, LOOP_READ, on_end, r);
	r->timer = loop_timer(r->loop, on_timer, r);
	r->grace = loop_timer(r->loop, on_grace, r);
	loop_timer_set(r->timer, PROGRESS_MS);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			r->signals[i] = loop_signal(r->loop, numbers[i], on_signal, r);
}

static void unwatch(struct running *r)
{
	r->output = loop_unwatch(r->output);
	r->end = loop_unwatch(r->end);
	r->timer = loop_unwatch(r->timer);
	r->grace = loop_unwatch(r->grace);
	for (size_t i = 0; i < ARRAY_SIZE(r->signals); i++)
		r->signals[i] = loop_unwatch(r->signals[i]);
}

static int judge(const struct running *r, int code, struct err *err)
{
	const char *path = r->make->log_path;
	struct buf text = {};
	struct str why;
	int e;

	if (r->stopped)
		return err_set(err, EINTR,
			       "stopped; what is built stays, and the next call goes on from "
			       "there");
	if (r->log_error < 0)
		return err_sys(err, -r->log_error, "write '%s'", path);
	if (code == 0)
		return 0;
	if (file_read(path, LOG_MAX, &text, NULL) < 0)
		buf_clear(&text);
	why = make_log_error(buf_str(&text));
	e = err_set(err, EIO, "make failed (%d): %.*s; all of it is in %s", code,
		    (int)(why.n < 240 ? why.n : 240), why.p ? why.p : "", path);
	buf_done(&text);
	return e;
}

static unsigned cores(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

/* What a caller's environment, or a make that runs us, would have a say with. */
static const char *const UNSET[] = {
	"ARCH", "CROSS_COMPILE", "CC", "LD", "LLVM", "KCFLAGS", "KAFLAGS", "KBUILD_OUTPUT",
	"KCONFIG_CONFIG", "KCONFIG_ALLCONFIG", "KBUILD_EXTRA_SYMBOLS", "INSTALL_MOD_PATH",
	"LOCALVERSION", "MAKEFLAGS", "MFLAGS", "GNUMAKEFLAGS", "MAKELEVEL", "W", "C", "V", "O",
	"SUBARCH",
};

/* Process 1 of a namespace gets no signal that it does not catch, and make's last
 * word when it is ended is such a one to itself. */
#define SHELL "trap : TERM INT HUP; \"$@\"; exit $?"

int make_run(const struct make *m, uint64_t *ret_steps, struct err *err)
{
	_cleanup_(closep) int rd = -1, wr = -1, log_fd = -1;
	_free_ char *jobs = xasprintf("-j%u", cores()), *allconfig = NULL;
	const char *argv[2 * ARRAY_SIZE(UNSET) + ARGS_MAX + 16] = { "sh", "-c", SHELL, "sh",
								    "env" };
	struct running r = { .make = m, .proc.fd = -1, .start = clock_mono_ms() };
	int fds[2], status = 0, e;
	size_t n = 5;

	for (size_t i = 0; i < ARRAY_SIZE(UNSET); i++) {
		argv[n++] = "-u";
		argv[n++] = UNSET[i];
	}
	if (m->allconfig)
		argv[n++] = allconfig = xasprintf("KCONFIG_ALLCONFIG=%s", m->allconfig);
	argv[n++] = "make";
	argv[n++] = jobs;
	argv[n++] = "--no-print-directory";
	for (const char *const *w = m->words; *w && n < ARRAY_SIZE(argv) - 1; w++)
		argv[n++] = *w;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe for make");
	rd = r.fd = fds[0];
	wr = fds[1];
	fcntl(rd, F_SETFL, O_NONBLOCK); /* make's end stays as it is */
	log_fd = r.log_fd = open(m->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (log_fd < 0)
		return err_sys(err, errno, "write '%s'", m->log_path);
	e = start(&r, argv, wr, err);
	closep(&wr);
	wr = -1;
	if (e < 0)
		return e;
	r.loop = loop_new();
	watch(&r);
	loop_run(r.loop);
	proc_wait(&r.proc, true, &status, NULL);
	while (take_output(&r))
		; /* what is left in the pipe */
	unwatch(&r);
	loop_free(r.loop);
	if (m->order->progress)
		m->order->progress(m->order->ctx, NULL);
	*ret_steps = r.steps;
	return judge(&r, proc_exit_code(status), err);
}

/* Whoever has the lock left its number there; anybody may have left anything. */
static uint64_t holder(const char *path)
{
	_free_ char *line = NULL;
	uint64_t pid = 0;

	if (file_read_line(path, &line, NULL) < 0 || !str_to_u64(str_of(line), &pid))
		return 0;
	return pid;
}

int make_lock(const char *path, const char *what, const struct log *log, int *ret,
	      struct err *err)
{
	char pid[24];
	int fd = -1, r = file_lock(path, false, &fd, err);

	if (r == 0) {
		log_info(log, "waiting for process %" PRIu64 ", a taproom that %s", holder(path),
			 what);
		r = file_lock(path, true, &fd, err);
	}
	if (r < 0)
		return r;
	snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, pid, strlen(pid), 0);
	*ret = fd;
	return 0;
}
