/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Loop: the one event loop, over libevent. Watches are level-triggered and
 * stay until freed; a callback may free its own watch. Nothing here sleeps:
 * waiting is a timer or readiness.
 */
#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_watch;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

typedef void (*loop_io_fn)(void *ctx, int fd, unsigned ready);
typedef void (*loop_fn)(void *ctx);

struct loop *loop_new(void); /* aborts where the system gives none */
struct loop *loop_free(struct loop *l);
void loop_run(struct loop *l);  /* until loop_stop(), or no watch is left */
void loop_stop(struct loop *l); /* after the callback that called it */

/* The descriptor stays the caller's, who unwatches it before closing it: the kernel is
 * told of changes once a round (epoll's changelist). */
struct loop_watch *loop_io(struct loop *l, int fd, unsigned what, loop_io_fn fn, void *ctx);
/* One-shot; armed by loop_timer_set(), which may be called again any time.
 * ms < 0 disarms. */
struct loop_watch *loop_timer(struct loop *l, loop_fn fn, void *ctx);
void loop_timer_set(struct loop_watch *w, int64_t ms);
struct loop_watch *loop_signal(struct loop *l, int sig, loop_fn fn, void *ctx);
struct loop_watch *loop_unwatch(struct loop_watch *w); /* NULL is fine; NULL back */
