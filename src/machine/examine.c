/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/examine.h"

#include "base/units.h"
#include "machine/kind.h"

/* It has said all of an answer when it says no more for so long, and gives none
 * when it has not begun after so long; and then there is an end to it. */
#define ANSWERED_MS 300
#define NONE_MS     1500
#define ALL_MS      8000
#define LOOK_MS     50

/* What the processors do, what waits for ever, then everything. */
static const char KEYS[] = { 'l', 'w', 't' };

static void look(void *ctx);

int examine_begin(struct machine *m, void (*told)(void *ctx), void *ctx)
{
	struct examine *x = &m->examine;

	if (!m->kind->ops->sysrq)
		return -ENOTSUP;
	if (x->timer)
		return -EBUSY;
	*x = (struct examine){ .told = told, .ctx = ctx, .began_ms = clock_mono_ms(),
			       .answered = true };
	x->timer = loop_timer(m->loop, look, m);
	loop_timer_set(x->timer, 0);
	return 0;
}

void examine_end(struct machine *m)
{
	m->examine.timer = loop_unwatch(m->examine.timer);
}

void examine_heard(struct machine *m)
{
	m->examine.heard_ms = clock_mono_ms();
	m->examine.answered = true;
}

/* Returns false when there is nothing more to ask. */
static bool ask(struct machine *m)
{
	struct examine *x = &m->examine;

	if (x->step == ARRAY_SIZE(KEYS) || m->kind->ops->sysrq(m, KEYS[x->step], NULL) < 0)
		return false;
	x->step++;
	x->answered = false;
	x->heard_ms = clock_mono_ms();
	return true;
}

static void look(void *ctx)
{
	struct machine *m = ctx;
	struct examine *x = &m->examine;
	int64_t now = clock_mono_ms(), quiet = now - x->heard_ms;
	bool goes_on = now - x->began_ms < ALL_MS;

	if (quiet >= (x->answered ? ANSWERED_MS : NONE_MS))
		/* Who does not answer the first is not asked again. */
		goes_on = goes_on && (x->answered || x->step > 1) && ask(m);
	if (goes_on) {
		loop_timer_set(x->timer, LOOK_MS);
		return;
	}
	examine_end(m);
	x->told(x->ctx);
}
