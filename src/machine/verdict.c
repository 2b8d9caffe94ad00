/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine/verdict.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "base/units.h"

#define PANIC "Kernel panic - not syncing"

/* Panics that only end what has a better name (kernel/panic.c's callers, 6.12). */
static const struct {
	struct str text;
	enum machine_death how;
} PANICS[] = {
	{ STR(PANIC ": Fatal exception"), MACHINE_OOPSED },
	{ STR(PANIC ": Fatal hardware error"), MACHINE_PANICKED },
	{ STR(PANIC ": System is deadlocked on memory"), MACHINE_GUEST_MEMORY },
	{ STR(PANIC ": Out of memory"), MACHINE_GUEST_MEMORY },
	{ STR(PANIC ": out of memory"), MACHINE_GUEST_MEMORY },
	{ STR(PANIC ": softlockup: hung tasks"), MACHINE_HUNG },
	{ STR(PANIC ": Hard LOCKUP"), MACHINE_HUNG },
	{ STR(PANIC ": hung_task: blocked tasks"), MACHINE_HUNG },
	{ STR(PANIC ": RCU Stall"), MACHINE_HUNG },
};

/* arch/x86/kernel/{dumpstack,traps}.c, arch/x86/mm/fault.c; um: trap.c */
static const struct str OOPSES[] = {
	STR("Oops: "), STR("BUG: unable to handle "), STR("BUG: kernel NULL pointer"),
	STR("kernel BUG at "), STR("general protection fault"), STR("PANIC: double fault"),
	STR("Kernel mode fault at"),
};

/* What QEMU and the C library say when the host has no more. */
static const struct {
	struct str text;
	enum machine_death how;
} WORDS[] = {
	{ STR("Cannot allocate memory"), MACHINE_HOST_MEMORY },
	{ STR("cannot set up guest memory"), MACHINE_HOST_MEMORY },
	{ STR("Resource temporarily unavailable"), MACHINE_HOST_MEMORY },
	{ STR("out of memory"), MACHINE_HOST_MEMORY },
	{ STR("No space left on device"), MACHINE_HOST_DISK },
	{ STR("Disk quota exceeded"), MACHINE_HOST_DISK },
};

static bool has(struct str s, struct str what)
{
	return str_find(s, what) >= 0;
}

static void keep(char to[static WITNESS_LINE], struct str line)
{
	size_t n = line.n < WITNESS_LINE ? line.n : WITNESS_LINE - 1;

	memcpy(to, line.p, n);
	to[n] = '\0';
}

/* Behind "[    1.234567] " and "[    T1] ". */
static struct str message(struct str line)
{
	while (line.n && line.p[0] == '[') {
		const char *end = memchr(line.p, ']', line.n);

		if (!end)
			break;
		line = str_trim(str_from(line, (size_t)(end + 1 - line.p)));
	}
	return str_trim(line);
}

static bool is_oops(struct str line)
{
	for (size_t i = 0; i < ARRAY_SIZE(OOPSES); i++)
		if (str_starts(line, OOPSES[i]))
			return true;
	return false;
}

static void line_end(struct witness_console *c)
{
	struct str line = message(str_n(c->line, c->n));
	const char *hint;
	ptrdiff_t at;

	c->n = 0;
	c->skip = false;
	if (!c->panic[0] && (at = str_find(line, STR(PANIC))) >= 0)
		keep(c->panic, str_from(line, (size_t)at));
	else if (!c->oops[0] && is_oops(line))
		keep(c->oops, line);
	/* Not "Memory cgroup out of memory": that one a test has made for itself. */
	if (str_starts(line, STR("Out of memory: Killed process")) ||
	    str_starts(line, STR("Out of memory (oom_kill_allocating_task): Killed process"))) {
		ptrdiff_t sizes = str_find(line, STR(" total-vm:"));

		keep(c->memory, sizes > 0 ? str_n(line.p, (size_t)sizes) : line);
		c->memory_kills++;
	}
	if (!c->hint[0] && (hint = witness_hint(line)))
		keep(c->hint, str_of(hint));
}

void witness_console(struct witness_console *c, struct str bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		if (bytes.p[i] == '\n') {
			line_end(c);
		} else if (!c->skip) {
			/* No control characters: what is kept becomes a sentence. */
			c->line[c->n] = (unsigned char)bytes.p[i] < ' ' || bytes.p[i] == 127
						? ' ' : bytes.p[i];
			c->skip = ++c->n == sizeof(c->line) - 1;
		}
	}
}

void witness_console_clear(struct witness_console *c)
{
	*c = (struct witness_console){};
}

/* Both, where a better name is found behind the first. */
static enum machine_death panic(const struct witness_console *c, struct buf *why)
{
	struct str line = str_of(c->panic);
	enum machine_death how = MACHINE_PANICKED;

	for (size_t i = 0; i < ARRAY_SIZE(PANICS); i++)
		if (str_starts(line, PANICS[i].text)) {
			how = PANICS[i].how;
			break;
		}
	if (c->oops[0] && how == MACHINE_OOPSED)
		buf_printf(why, "%s (%s)", c->oops, c->panic);
	else
		buf_printf(why, "%s", c->panic);
	return how;
}

static enum machine_death hang(const struct witness *w, struct buf *why)
{
	const struct witness_console *c = w->console;
	char text[UNIT_TEXT_MAX];

	if (c->oops[0]) {
		buf_printf(why, "no sign of life since %s", c->oops);
		return MACHINE_OOPSED;
	}
	buf_printf(why, "no sign of life for %s", duration_text(w->mute_ms, text));
	if (w->state == 'T' || w->state == 't')
		buf_printf(why, ": %s is stopped by a signal", w->name);
	else if (w->cpu_ms >= 0)
		buf_printf(why, ", in which %s used %s of a processor", w->name,
			   duration_text(w->cpu_ms, text));
	return MACHINE_HUNG;
}

/* It has ended, and nobody has asked it to: what is left are its own words. */
static enum machine_death ended(const struct witness *w, struct buf *why)
{
	enum machine_death how = MACHINE_VANISHED;
	int sig = WIFSIGNALED(w->status) ? WTERMSIG(w->status) : 0;

	for (size_t i = 0; i < ARRAY_SIZE(WORDS) && how == MACHINE_VANISHED; i++)
		if (WEXITSTATUS(w->status) && has(w->vmm, WORDS[i].text))
			how = WORDS[i].how;
	if (sig == SIGKILL && w->host_kills)
		how = MACHINE_HOST_MEMORY;
	/* The host could not give a page that was promised. */
	else if (sig == SIGBUS)
		how = MACHINE_HOST_MEMORY;
	/* Signals that a program gives itself are its own death. */
	/* pid_namespaces(7): RESTART is SIGHUP, POWER_OFF is SIGINT. */
	else if (w->namespaces && (sig == SIGINT || sig == SIGHUP))
		how = MACHINE_POWERED_OFF;
	else if (sig && sig != SIGABRT && sig != SIGSEGV && sig != SIGILL && sig != SIGFPE)
		how = MACHINE_KILLED;
	else if (str_eq(w->shutdown, STR("host-signal")))
		how = MACHINE_KILLED;
	else if (!sig && WEXITSTATUS(w->status) == 0)
		how = MACHINE_POWERED_OFF;
	if (how == MACHINE_POWERED_OFF)
		buf_printf(why, "%s", sig == SIGHUP || str_eq(w->shutdown, STR("guest-reset"))
						? "the guest rebooted" : "it powered itself off");
	else if (sig)
		buf_printf(why, "%s was killed by signal %d (%s)%s", w->name, sig, strsignal(sig),
			   how == MACHINE_HOST_MEMORY && sig == SIGKILL
				   ? ", when the host was out of memory" : "");
	else if (how == MACHINE_KILLED)
		buf_printf(why, "%s was told to end by a signal", w->name);
	else
		buf_printf(why, "%s ended with exit code %d", w->name, WEXITSTATUS(w->status));
	if (w->vmm.n)
		buf_printf(why, ": %.*s", STR_FMT(w->vmm));
	if (!w->booting && w->guest.n)
		buf_printf(why, "; the guest said: %.*s", STR_FMT(w->guest));
	return how;
}

static enum machine_death judge(const struct witness *w, struct buf *why)
{
	const struct witness_console *c = w->console;

	if (c->panic[0])
		return panic(c, why);
	if (w->panic_device) {
		buf_printf(why, "the guest's kernel panicked; its console does not say of what");
		return MACHINE_PANICKED;
	}
	if (w->mute_ms > 0)
		return hang(w, why);
	return ended(w, why);
}

enum machine_death verdict(const struct witness *w, struct buf *why)
{
	enum machine_death how;

	if (w->asked) {
		buf_printf(why, w->status < 0 ? "stopped; it had to be killed" : "stopped");
		return MACHINE_STOPPED;
	}
	how = judge(w, why);
	/* Before it was ready no test is to blame; what the host lacks is its own name. */
	if (w->booting && how != MACHINE_HOST_MEMORY && how != MACHINE_HOST_DISK &&
	    how != MACHINE_KILLED)
		how = MACHINE_BOOT_FAILED;
	return how;
}
