/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine that is kept, of each kind, and who enters it by its door, as another
 * process would: what he runs, how he leaves, and that it stays as it is.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "bench.h"

/* Who keeps it. */
struct keeper {
	bool inside, dead;
	unsigned comes, leaves;
	enum machine_death how;
};

static void on_used(void *ctx, bool inside)
{
	struct keeper *k = ctx;

	k->inside = inside;
	k->comes += inside;
	k->leaves += !inside;
}

static void on_died(void *ctx, struct machine *m, enum machine_death how, const char *why)
{
	struct keeper *k = ctx;

	k->dead = true;
	k->how = how;
}

static const struct machine_events EVENTS = { .died = on_died };

static void wait_until(struct bench *b, const bool *what, bool is)
{
	for (unsigned i = 0; i < 400 && *what != is; i++)
		bench_turn(b, 100);
	b->timed_out = false;
}

static void left_alone(struct bench *b, struct keeper *k, const char *what)
{
	b->m = machine_free(b->m);
	wait_until(b, &k->inside, false);
	ok(b->tap, !k->inside && !k->dead, "%s: it stays", what);
}

static void test_inside(struct bench *b, struct keeper *k, const char *dir)
{
	const char *argv[] = { "sh", "-c", "trap '' HUP; echo on; sleep 1000", NULL };
	struct machine *second;
	struct err err = {};
	uint64_t n;

	if (!ok(b->tap, bench_enter(b, dir), "is entered"))
		return;
	wait_until(b, &k->inside, true);
	ok(b->tap, k->inside, "who keeps it knows");
	bench_shell(b, "cat /run/mark; echo err >&2; exit 7");
	is_int(b->tap, bench_code(b), 7, "a command in it");
	is_str(b->tap, bench_text(&b->out), "left\n", "finds what was left there");
	is_str(b->tap, bench_text(&b->errs), "err\n", "its streams apart");
	bench_shell(b, "head -c 3000000 /dev/zero");
	n = b->n_out;
	is_int(b->tap, (int64_t)n, 3000000, "more than there is room for at once");
	ok(b->tap, machine_fetch(b->m, "/run/mark", 100, &err) == 0, "a file is asked for");
	while (!b->fetches && !b->deaths && !b->timed_out)
		bench_turn(b, BENCH_WAIT_MS);
	is_str(b->tap, bench_text(&b->file), "left\n", "and comes");
	ok(b->tap, machine_enter(dir, b->work, b->loop, NULL, &EVENTS, k, &second, &err) == -EBUSY,
	   "not by a second one: %s", err.text);
	bench_stop(b);
	is_int(b->tap, b->how, MACHINE_STOPPED, "is left");
	left_alone(b, k, "asked to stop");

	if (!ok(b->tap, bench_enter(b, dir), "is entered again"))
		return;
	bench_start(b, &(struct machine_command){ .argv = argv });
	for (unsigned i = 0; i < 100 && !b->out.n; i++)
		bench_turn(b, 100);
	is_str(b->tap, bench_text(&b->out), "on\n", "a command that does not hang up");
	left_alone(b, k, "who goes without a word");
	if (!ok(b->tap, bench_enter(b, dir), "and the next enters"))
		return;
	bench_shell(b, "pgrep -x sleep || cat /run/mark");
	is_str(b->tap, bench_text(&b->out), "left\n", "where nothing of it runs");
	bench_shell(b, "yes | head -c 30000000 > /run/much; wc -c < /run/much");
	is_str(b->tap, bench_text(&b->out), "30000000\n", "it works");
}

static void test_kind(struct tap *t, const char *kind, const struct kernel *kernel,
		      const struct machine_config *with)
{
	struct keeper k = {};
	struct machine_facts facts;
	struct machine *m;
	struct bench b;
	struct err err = {};
	_free_ char *dir = NULL;

	bench_init(&b, t, kernel);
	dir = path_join(b.work, "door");
	if (!ok(t, bench_boot(&b, kind, with), "%s: boots", kind))
		goto out;
	bench_shell(&b, "echo left > /run/mark");
	m = b.m;
	b.m = NULL;
	ok(t, machine_keep(m, &EVENTS, on_used, &k, &err) == 0 && file_exists(dir), "is kept");
	free(dir);
	dir = xstrdup(b.work);
	/* Who enters has a directory of its own. */
	free(b.work);
	dir_temp("/tmp", "taproom-contract-", &b.work, NULL);
	test_inside(&b, &k, dir);
	machine_facts(m, &facts);
	kill((pid_t)facts.pid, SIGKILL);
	wait_until(&b, &k.dead, true);
	ok(t, k.dead, "when it dies, who keeps it is told: %s", MACHINE_ENDS[k.how].word);
	while (b.m && !b.deaths && !b.timed_out)
		bench_turn(&b, BENCH_WAIT_MS);
	ok(t, b.how == MACHINE_VANISHED, "so is who is inside: %s", b.why);
	b.m = machine_free(b.m);
	machine_free(m);
	ok(t, !bench_enter(&b, dir), "then there is none to enter");
	dir_removep(&dir);
	dir = NULL;
out:
	b.m = machine_free(b.m);
	bench_done(&b);
}

int main(void)
{
	static const struct {
		const char *kind;
		struct machine_config with;
	} rows[] = {
		{ "host", {} },
		{ "uml", {} },
		{ "uml", { .uml_time = "inf" } },
		{ "qemu", {} },
	};
	struct tap t = {};

	TAP_HEADER();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(buf_done) struct buf why = {};
		struct kernel kernel = {};
		const struct machine_kind *kind = MACHINE_KINDS;

		while (strcmp(kind->name, rows[i].kind) != 0)
			kind++;
		if (kind->probe("/tmp", &why) <= 0)
			ok(&t, true, "%s # SKIP %s", kind->name, why.p);
		else if (!bench_kernel(kind->name, &kernel, "/tmp"))
			ok(&t, true, "%s # SKIP no kernel for it", kind->name);
		else if (rows[i].with.uml_time && !bench_time_travels(&kernel))
			ok(&t, true, "simulated time # SKIP its kernel has none");
		else
			test_kind(&t, kind->name, &kernel, &rows[i].with);
		kernel_done(&kernel);
	}
	return tap_done(&t);
}
