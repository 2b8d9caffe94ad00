/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How machines end: each witness, made up, and the name that it leads to. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"
#include "base/units.h"
#include "machine/pulse.h"
#include "machine/verdict.h"
#include "run/deaths.h"
#include "tap.h"

#define EXITED(code) ((code) << 8)

static const struct {
	const char *name, *console;
	struct witness w;
	enum machine_death how;
	const char *says;
} ROWS[] = {
	{ "as asked", "", { .asked = true }, MACHINE_STOPPED, "stopped" },
	{ "asked, and did not", "", { .asked = true, .status = -1 }, MACHINE_STOPPED,
	  "stopped; it had to be killed" },
	{ "asked, whatever was before", "Kernel panic - not syncing: x\n", { .asked = true },
	  MACHINE_STOPPED, "stopped" },
	{ "a panic", "[    4.242424] Kernel panic - not syncing: sysrq triggered crash\n",
	  { .status = SIGKILL }, MACHINE_PANICKED,
	  "Kernel panic - not syncing: sysrq triggered crash" },
	{ "a panic behind printk's caller",
	  "[    4.242424][   T12] Kernel panic - not syncing: Attempted to kill init! "
	  "exitcode=0x00000100\n", {}, MACHINE_PANICKED,
	  "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100" },
	{ "only the first panic", "Kernel panic - not syncing: a\nKernel panic - not syncing: b\n",
	  {}, MACHINE_PANICKED, "Kernel panic - not syncing: a" },
	{ "a panic that only a device saw", "", { .panic_device = true }, MACHINE_PANICKED,
	  "the guest's kernel panicked; its console does not say of what" },
	{ "an oops that killed it",
	  "BUG: kernel NULL pointer dereference, address: 0\nOops: 0002 [#1]\n"
	  "Kernel panic - not syncing: Fatal exception in interrupt\n", {}, MACHINE_OOPSED,
	  "BUG: kernel NULL pointer dereference, address: 0 (Kernel panic - not syncing: Fatal "
	  "exception in interrupt)" },
	{ "an oops that it never came back from", "kernel BUG at net/mptcp/subflow.c:1!\n",
	  { .status = -1, .mute_ms = 30000, .cpu_ms = -1 }, MACHINE_OOPSED,
	  "no sign of life since kernel BUG at net/mptcp/subflow.c:1!" },
	{ "an oops that it survived", "Oops: general protection fault\n", {}, MACHINE_POWERED_OFF,
	  "it powered itself off" },
	{ "a hang", "", { .status = -1, .mute_ms = 30000, .cpu_ms = 29500, .name = "QEMU" },
	  MACHINE_HUNG, "no sign of life for 30.0 s, in which QEMU used 29.5 s of a processor" },
	{ "a hang of a stopped VMM", "",
	  { .status = -1, .mute_ms = 31000, .state = 'T', .name = "QEMU" }, MACHINE_HUNG,
	  "no sign of life for 31.0 s: QEMU is stopped by a signal" },
	{ "a lockup that panics", "Kernel panic - not syncing: softlockup: hung tasks\n", {},
	  MACHINE_HUNG, "Kernel panic - not syncing: softlockup: hung tasks" },
	{ "hung tasks that panic", "Kernel panic - not syncing: hung_task: blocked tasks\n", {},
	  MACHINE_HUNG, "Kernel panic - not syncing: hung_task: blocked tasks" },
	{ "no memory left",
	  "Kernel panic - not syncing: System is deadlocked on memory\n", {}, MACHINE_GUEST_MEMORY,
	  "Kernel panic - not syncing: System is deadlocked on memory" },
	{ "powered off", "", {}, MACHINE_POWERED_OFF, "it powered itself off" },
	{ "rebooted", "", { .shutdown = STR("guest-reset") }, MACHINE_POWERED_OFF,
	  "the guest rebooted" },
	{ "namespaces that were rebooted", "", { .namespaces = true, .status = SIGHUP },
	  MACHINE_POWERED_OFF, "the guest rebooted" },
	{ "namespaces that were powered off", "", { .namespaces = true, .status = SIGINT },
	  MACHINE_POWERED_OFF, "it powered itself off" },
	{ "killed", "", { .status = SIGKILL, .name = "QEMU" }, MACHINE_KILLED,
	  "QEMU was killed by signal 9 (Killed)" },
	{ "told to end", "", { .shutdown = STR("host-signal"), .name = "QEMU" }, MACHINE_KILLED,
	  "QEMU was told to end by a signal" },
	{ "its own fault", "", { .status = SIGSEGV, .name = "QEMU" }, MACHINE_VANISHED,
	  "QEMU was killed by signal 11 (Segmentation fault)" },
	{ "an exit code", "",
	  { .status = EXITED(1), .name = "QEMU", .vmm = STR("qemu: no such device"),
	    .guest = STR("load a module: No such file") }, MACHINE_VANISHED,
	  "QEMU ended with exit code 1: qemu: no such device; the guest said: load a module: No "
	  "such file" },
	{ "killed for memory", "", { .status = SIGKILL, .host_kills = 1, .name = "QEMU" },
	  MACHINE_HOST_MEMORY,
	  "QEMU was killed by signal 9 (Killed), when the host was out of memory" },
	{ "another was killed for memory", "",
	  { .status = EXITED(1), .host_kills = 1, .name = "QEMU" }, MACHINE_VANISHED,
	  "QEMU ended with exit code 1" },
	{ "a page that the host could not give", "", { .status = SIGBUS, .name = "QEMU" },
	  MACHINE_HOST_MEMORY, "QEMU was killed by signal 7 (Bus error)" },
	{ "no memory to begin with", "",
	  { .booting = true, .status = EXITED(1), .name = "QEMU",
	    .vmm = STR("cannot set up guest memory 'ram': Cannot allocate memory") },
	  MACHINE_HOST_MEMORY,
	  "QEMU ended with exit code 1: cannot set up guest memory 'ram': Cannot allocate memory" },
	{ "no disk", "",
	  { .status = EXITED(1), .name = "QEMU", .vmm = STR("write: No space left on device") },
	  MACHINE_HOST_DISK, "QEMU ended with exit code 1: write: No space left on device" },
	{ "did not boot", "Kernel panic - not syncing: No working init found.\n",
	  { .booting = true, .status = EXITED(0) }, MACHINE_BOOT_FAILED,
	  "Kernel panic - not syncing: No working init found." },
	{ "powered off before it was ready", "", { .booting = true }, MACHINE_BOOT_FAILED,
	  "it powered itself off" },
};

static void test_verdicts(struct tap *t)
{
	bool seen[MACHINE_DEATHS] = {
		/* judged by others: the slot, the agent's reader */
		[MACHINE_SILENT] = true, [MACHINE_DEADLINE] = true, [MACHINE_PROTOCOL] = true,
	};

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
		struct witness w = ROWS[i].w;
		struct witness_console c = {};
		_cleanup_(buf_done) struct buf why = {};

		witness_console(&c, str_of(ROWS[i].console));
		w.console = &c;
		is_str(t, MACHINE_ENDS[verdict(&w, &why)].word, MACHINE_ENDS[ROWS[i].how].word,
		       ROWS[i].name);
		is_str(t, buf_str(&why).p, ROWS[i].says, "- and says");
		seen[ROWS[i].how] = true;
	}
	for (unsigned i = 0; i < MACHINE_DEATHS; i++)
		ok(t, seen[i], "%s is shown above", MACHINE_ENDS[i].word);
}

static void test_words(struct tap *t)
{
	enum machine_death how;

	for (unsigned i = 0; i < MACHINE_DEATHS; i++) {
		const struct machine_end *e = &MACHINE_ENDS[i];

		ok(t, machine_end_find(str_of(e->word), &how) == 1 && how == i, "%s is found",
		   e->word);
		ok(t, e->what && (e->todo || i == MACHINE_STOPPED), "- says what and what to do");
	}
	is_int(t, machine_end_find(STR("nothing"), &how), 0, "a word that is none");
	is_int(t, machine_end_of_error(-ENOSPC), MACHINE_HOST_DISK, "ENOSPC");
	is_int(t, machine_end_of_error(-ENOMEM), MACHINE_HOST_MEMORY, "ENOMEM");
	is_int(t, machine_end_of_error(-ENOENT), MACHINE_BOOT_FAILED, "any other");
}

/* A console line and the option that it asks for. */
static const struct {
	const char *line, *lacks; /* NULL: none */
} HINTS[] = {
	{ "Initramfs unpacking failed: compression method gzip not configured", "CONFIG_RD_GZIP" },
	{ "Initramfs unpacking failed: write error", "memory" },
	{ "Failed to execute /init (error -8)", "CONFIG_BINFMT_ELF" },
	{ "check access for rdinit=/none failed: -2, ignoring", "CONFIG_BLK_DEV_INITRD" },
	{ "VFS: Unable to mount root fs on unknown-block(0,0)", "CONFIG_BLK_DEV_INITRD" },
	{ "Warning: unable to open an initial console.", "CONFIG_SERIAL_8250_CONSOLE" },
	{ "taproom: no port named org.taproom.agent (CONFIG_VIRTIO_CONSOLE)",
	  "CONFIG_VIRTIO_CONSOLE" },
	{ "taproom: mount virtiofs 'taproom0' on '/host': No such device", "CONFIG_VIRTIO_FS" },
	{ "taproom: mount 9p 'taproom0' on '/host': No such device", "CONFIG_9P_FS" },
	{ "9pnet: Could not find request transport: virtio", "CONFIG_NET_9P_VIRTIO" },
	{ "taproom: mount an overlay (CONFIG_OVERLAY_FS): No such device", "CONFIG_OVERLAY_FS" },
	{ "virtio: disagrees about version of symbol module_layout", "modules of its own build" },
	{ "virtio: version magic '6.1.0 SMP' should be '6.12.0 SMP'", "modules of its own build" },
	{ "taproom: load module 'virtio.ko': Key was rejected by service",
	  "modules that are signed" },
	{ "Error loading uncompressed kernel without PVH ELF Note", "CONFIG_PVH" },
	{ "Kernel panic - not syncing: IO-APIC + timer doesn't work!", "time" },
	{ "Kernel panic - not syncing: System is deadlocked on memory", "memory" },
	{ "Run /init as init process", NULL },
	{ "", NULL },
};

static void test_hints(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(HINTS); i++) {
		const char *hint = witness_hint(str_of(HINTS[i].line));
		bool right = HINTS[i].lacks ? hint && strncmp(hint, HINTS[i].lacks,
							      strlen(HINTS[i].lacks)) == 0
					    : !hint;

		ok(t, right, "'%s' lacks %s", HINTS[i].line, hint ? hint : "nothing known");
	}
}

/* However the bytes are cut; nothing of it grows. */
static void test_console(struct tap *t)
{
	static const char text[] = "quiet\n"
		"[    1.0] hog invoked oom-killer: gfp_mask=0x1\n"
		"[    1.0] Out of memory: Killed process 7 (h\033]og) total-vm:1kB, anon-rss:2kB\n"
		"[    1.1] Memory cgroup out of memory: Killed process 8 (own) total-vm:1kB\n"
		"[    1.2] Oops: 0000 [#1] SMP\n"
		"[    1.3] Kernel panic - not syncing: x\n";

	for (size_t step = 1; step < 200; step += 13) {
		struct witness_console c = {};

		for (size_t at = 0; at < sizeof(text) - 1; at += step)
			witness_console(&c, str_n(text + at, sizeof(text) - 1 - at < step
							     ? sizeof(text) - 1 - at : step));
		ok(t, strcmp(c.panic, "Kernel panic - not syncing: x") == 0 &&
		      strcmp(c.oops, "Oops: 0000 [#1] SMP") == 0 && c.memory_kills == 1,
		   "a console by %zu bytes", step);
		is_str(t, c.memory, "Out of memory: Killed process 7 (h ]og)", "- whom it killed");
	}
	{
		struct witness_console c = {};
		_cleanup_(buf_done) struct buf b = {};

		for (unsigned i = 0; i < 100000; i++)
			buf_add(&b, "x", 1);
		buf_add_str(&b, STR("Kernel panic - not syncing: far\nOops: next\n"));
		witness_console(&c, buf_str(&b));
		ok(t, !c.panic[0] && strcmp(c.oops, "Oops: next") == 0, "a line without end");
	}
}

/* Seconds; each letter is one: b a beat, . none, Z we were away for a minute, w it
 * waited for a processor. */
static const struct {
	const char *name, *seconds;
	int64_t limit_ms, missed_ms;
} PULSES[] = {
	{ "a good guest", "bbbbbbbbbbbbbbbbbbbb", 5000, 0 },
	{ "one that is missed", "bb.....", 5000, 5000 },
	{ "one that is slow", "bb....bb....b....", 5000, 0 },
	{ "one that never had a pulse", "....................", 5000, 0 },
	{ "not us: we were away", "bbZ...", 5000, 0 },
	{ "we were away, and it is missed all the same", "bbZ....", 5000, 5000 },
	{ "one that the host does not let run", "bbwwwwwwwwwwww", 5000, 0 },
	{ "it may run, and is missed", "bbwww....", 5000, 7000 },
	{ "the host's doing has a bound", "bbwwwwwwwwwwwwwwwwwwwwww", 5000, 22000 },
	{ "- and not before", "bbwwwwwwwwwwwwwwwwwww", 5000, 0 },
	{ "not watched", "b...................", -1, 0 },
};

static void test_pulses(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(PULSES); i++) {
		int64_t now = 1000000, missed = 0, wait = 77;
		struct pulse p;

		pulse_begin(&p, PULSES[i].limit_ms, now);
		for (const char *c = PULSES[i].seconds; *c; c++) {
			int64_t m;

			now += *c == 'Z' ? 60000 : 1000;
			wait += *c == 'w' ? 1000 : 0;
			if (*c == 'b')
				pulse_beat(&p, now);
			m = pulse_look(&p, now, wait);
			missed = m > missed ? m : missed;
		}
		is_int(t, missed, PULSES[i].missed_ms, PULSES[i].name);
	}
}

static void test_proc(struct tap *t)
{
	char state;
	int64_t before = pulse_cpu_ms(getpid(), &state), after;
	volatile uint64_t x = 0;

	ok(t, before >= 0 && state == 'R', "our own time, and that we run");
	for (int64_t end = clock_mono_ms() + 2000; clock_mono_ms() < end;) {
		for (unsigned i = 0; i < 1000000; i++)
			x += i;
		if (pulse_cpu_ms(getpid(), &state) > before + 20)
			break;
	}
	after = pulse_cpu_ms(getpid(), &state);
	ok(t, after > before, "it grows, from %d ms to %d", (int)before, (int)after);
	is_int(t, pulse_cpu_ms(0x3ffffff, &state), -1, "a process that is not there");
	is_int(t, state, 0, "- has no state");
}

static void spin(void)
{
	for (int64_t end = clock_mono_ms() + 400; clock_mono_ms() < end;)
		;
}

/* On one processor two of them wait for each other; one that sleeps does not. */
static void test_wait(struct tap *t)
{
	static const char *const argv[] = { "sleep", "10", NULL };
	struct proc_spec spec = { .argv = argv, .in = PROC_NULL };
	struct proc p = { .fd = -1 };
	cpu_set_t all, one;
	int64_t waited = -1, below, before = pulse_wait_ms(getpid());
	pid_t other;

	is_int(t, pulse_wait_ms(0x3ffffff), -1, "a process that is not there waits for none");
	if (before < 0) {
		ok(t, true, "waiting # SKIP the kernel has no CONFIG_SCHED_INFO");
		return;
	}
	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	other = fork();
	if (other == 0) {
		spin();
		_exit(0);
	}
	spin();
	waited = pulse_wait_ms(other);
	below = pulse_wait_ms(getpid());
	waitpid(other, NULL, 0);
	sched_setaffinity(0, sizeof(all), &all);
	ok(t, below - before >= 50 || waited >= 50, "two on one processor wait: %d and %d ms",
	   (int)(below - before), (int)waited);
	ok(t, below >= waited, "- what a process has started counts: %d", (int)below);
	if (proc_start(&spec, &p, NULL) == 0) {
		/* It has to get there first. */
		waited = -1;
		for (unsigned i = 0; i < 100 && waited != below; i++) {
			waited = pulse_wait_ms(p.pid);
			usleep(100000);
			below = pulse_wait_ms(p.pid);
		}
		ok(t, waited >= 0 && waited == below, "one that sleeps does not: %d, %d ms",
		   (int)waited, (int)below);
	}
	proc_end(&p);
}

/* A limit in which it waited for a processor. */
static const struct {
	const char *name;
	int64_t limit, wait, passed, left;
} LEFT[] = {
	{ "nothing left", 1000, 0, 1000, 0 },
	{ "it waited half of it", 1000, 500, 1000, 500 },
	{ "not known how long", 1000, -1, 1000, 0 },
	{ "and no longer than that", 1000, 500, 1500, 0 },
	{ "a bound", 1000, 99999, 4000, 0 },
};

static void test_left(struct tap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(LEFT); i++)
		is_int(t, pulse_left(LEFT[i].limit, LEFT[i].wait, LEFT[i].passed), LEFT[i].left,
		       LEFT[i].name);
}

static void test_deaths(struct tap *t)
{
	static char suite[] = "s", name_a[] = "a", name_b[] = "b";
	struct plan_test a = { .suite = suite, .name = name_a };
	struct plan_test b = { .suite = suite, .name = name_b };
	struct run_setting one = { .mode = "normal", .machine = "qemu" };
	struct run_setting other = { .mode = "debug", .machine = "qemu" };
	struct run_deaths *d = run_deaths_new();
	const char *why;

	is_int(t, run_deaths_of(d, &one, &a, &why), 0, "no death yet");
	run_deaths_add(d, &one, &a, "panic: one");
	run_deaths_add(d, &one, &b, "hang: other");
	run_deaths_add(d, &one, &a, "oops: two");
	is_int(t, run_deaths_of(d, &one, &a, &why), RUN_DEATHS_MAX, "two of one test");
	is_str(t, why, "oops: two", "- with the last reason");
	is_int(t, run_deaths_of(d, &one, &b, &why), 1, "one of another");
	is_int(t, run_deaths_of(d, &other, &a, &why), 0, "none in another mode");
	run_deaths_free(d);
}

int main(void)
{
	struct tap t = {};

	TAP_HEADER();
	test_verdicts(&t);
	test_words(&t);
	test_hints(&t);
	test_console(&t);
	test_pulses(&t);
	test_proc(&t);
	test_wait(&t);
	test_left(&t);
	test_deaths(&t);
	return tap_done(&t);
}
