/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/judging.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"
#include "store/store.h"

/* The thread's alone until its address is through the pipe, then the loop's. */
struct work {
	char *url;
	int fd; /* to write to */
	struct buf mark;
	struct judged judged;
};

struct judging {
	struct loop *loop;
	char *url;
	judging_done_fn done;
	void *ctx;
	int fd; /* to read from; -1: nothing is being judged */
	struct loop_watch *watch;
};

static void work_free(struct work *w)
{
	web_history_free(w->judged.history);
	buf_done(&w->mark);
	free(w->url);
	free(w);
}

static void judge(struct work *w)
{
	struct judged *j = &w->judged;
	struct store *s = NULL;
	int r = store_open(w->url, STORE_READ, &s, &j->err);

	j->begin_ms = clock_mono_ms();
	if (r >= 0)
		r = store_mark(s, &w->mark, &j->err);
	if (r >= 0)
		r = web_history_new(s, &j->history, &j->err);
	if (r < 0)
		j->history = NULL;
	store_close(s);
	j->mark = buf_str(&w->mark);
	j->took_ms = clock_mono_ms() - j->begin_ms;
}

static void *work(void *ctx)
{
	struct work *w = ctx;
	int fd = w->fd;

	judge(w);
	/* An address fits into a pipe at once; nobody may want it any more. */
	if (write(fd, &w, sizeof(w)) != (ssize_t)sizeof(w))
		work_free(w);
	close(fd);
	return NULL;
}

static void on_ready(void *ctx, int fd, unsigned ready)
{
	struct judging *j = ctx;
	struct work *w = NULL;
	ssize_t n = read(fd, &w, sizeof(w));

	if (n < 0)
		return;
	j->watch = loop_unwatch(j->watch);
	close(fd);
	j->fd = -1;
	if (n != (ssize_t)sizeof(w))
		return;
	j->done(j->ctx, &w->judged);
	w->judged.history = NULL;
	work_free(w);
}

struct judging *judging_new(struct loop *loop, const char *url, judging_done_fn done, void *ctx)
{
	struct judging *j = xcalloc(1, sizeof(*j));

	*j = (struct judging){ .loop = loop, .done = done, .ctx = ctx, .fd = -1 };
	j->url = url ? xstrdup(url) : NULL;
	return j;
}

void judging_start(struct judging *j)
{
	struct work *w;
	sigset_t all, old;
	pthread_t thread;
	int p[2];

	if (j->fd >= 0 || pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
		return; /* without descriptors: the next change tries again */
	w = xcalloc(1, sizeof(*w));
	w->url = j->url ? xstrdup(j->url) : NULL;
	w->fd = p[1];
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&thread, NULL, work, w) == 0) {
		pthread_detach(thread);
		j->fd = p[0];
		j->watch = loop_io(j->loop, p[0], LOOP_READ, on_ready, j);
	} else {
		close(p[0]);
		close(p[1]);
		work_free(w);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct judging *judging_free(struct judging *j)
{
	struct work *w = NULL;

	if (!j)
		return NULL;
	loop_unwatch(j->watch);
	if (j->fd >= 0 && read(j->fd, &w, sizeof(w)) == (ssize_t)sizeof(w))
		work_free(w);
	closep(&j->fd);
	free(j->url);
	free(j);
	return NULL;
}
