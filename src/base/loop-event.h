/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * For what speaks libevent itself (serve/http.c): the base below a loop. It is
 * the loop's; run it and stop it by loop.h alone.
 */
#include "base/loop.h"

struct event_base;

struct event_base *loop_event_base(struct loop *l);
