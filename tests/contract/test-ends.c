/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How real machines end: each provoked, named, and what can still be known of it
 * kept. A kernel as in test-machine.c.
 */
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "bench.h"

#define HANG_MS 5000

static bool heard(struct bench *b, const char *text)
{
	return strstr(bench_text(&b->console), text) != NULL;
}

/* Starts a script, gives it a moment; the rest is the test's. */
static void provoke(struct bench *b, const char *script)
{
	const char *argv[] = { "sh", "-c", script, NULL };

	bench_start(b, &(struct machine_command){ .argv = argv });
}

/* Nothing but the kernel runs any more, not even the first process. */
static void test_starved(struct bench *b)
{
	if (!ok(b->tap, bench_boot(b, "qemu", &(struct machine_config){ .hang_ms = HANG_MS,
									.cpus = 1 }), "boots"))
		return;
	provoke(b, "echo -1 > /proc/sys/kernel/sched_rt_runtime_us && "
		   "exec chrt -f 99 sh -c 'while :; do :; done'");
	bench_wait_exit(b);
	is_str(b->tap, MACHINE_ENDS[b->how].word, "hang", "a guest that starves");
	ok(b->tap, strstr(b->why, "no sign of life"), "- and says: %s", b->why);
	ok(b->tap, heard(b, "Show backtrace of all active CPUs"), "- was asked where it hangs");
	ok(b->tap, heard(b, "Show State") && heard(b, "task:sh "), "- and its console tells");
	b->m = machine_free(b->m);
}

static void test_stopped(struct bench *b, const char *kind)
{
	struct machine_facts facts;

	if (!ok(b->tap, bench_boot(b, kind, &(struct machine_config){ .hang_ms = HANG_MS }),
		"%s boots", kind))
		return;
	provoke(b, "sleep 1000");
	/* It has had a pulse. */
	while (b->beats < 2 && !b->deaths)
		bench_turn(b, 200);
	machine_facts(b->m, &facts);
	kill((pid_t)facts.pid, SIGSTOP);
	bench_wait_exit(b);
	is_str(b->tap, MACHINE_ENDS[b->how].word, "hang", "its process is stopped");
	ok(b->tap, strstr(b->why, "is stopped by a signal"), "- and says: %s", b->why);
	b->m = machine_free(b->m);
	ok(b->tap, kill((pid_t)facts.pid, 0) < 0, "- and is gone");
}

static void test_memory(struct bench *b)
{
	if (!ok(b->tap, bench_boot(b, "qemu", &(struct machine_config){ .memory = 256u << 20 }),
		"boots with little memory"))
		return;
	bench_shell(b, "x=a; while :; do x=$x$x; done");
	is_int(b->tap, bench_code(b), 128 + SIGKILL, "a hog is killed");
	ok(b->tap, strstr(b->memory, "Out of memory: Killed process"), "- for memory: %s",
	   b->memory);
	bench_shell(b, "exit 3");
	is_str(b->tap, b->memory, "", "the next is not");
	bench_shell(b, "sync; echo o > /proc/sysrq-trigger; sleep 60");
	is_str(b->tap, MACHINE_ENDS[b->how].word, "powered-off", "a guest that powers off");
	b->m = machine_free(b->m);
}

/* An ELF core with the notes that tell of its processors. */
static bool is_core(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr head;
	Elf64_Phdr part;

	if (fd < 0 || pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_type != ET_CORE)
		return false;
	for (unsigned i = 0; i < head.e_phnum; i++)
		if (pread(fd, &part, sizeof(part), (off_t)(head.e_phoff + i * sizeof(part))) ==
			    sizeof(part) && part.p_type == PT_NOTE && part.p_filesz)
			return true;
	return false;
}

static void test_dump(struct bench *b)
{
	_free_ char *path = path_join(b->work, "vmcore");
	struct machine_config c = { .memory = 256u << 20, .dump = path };
	struct stat st = {};

	if (!ok(b->tap, bench_boot(b, "qemu", &c), "boots, to be dumped"))
		return;
	bench_shell(b, "echo c > /proc/sysrq-trigger; sleep 60");
	is_str(b->tap, MACHINE_ENDS[b->how].word, "panic", "a panic");
	ok(b->tap, is_core(path), "its memory is an ELF core with notes");
	stat(path, &st);
	ok(b->tap, st.st_size >= 256 << 20, "- all of it: %lld bytes", (long long)st.st_size);
	unlink(path);
	b->m = machine_free(b->m);
}

static void test_gdb(struct bench *b)
{
	_cleanup_(buf_done) struct buf out = {};
	struct machine_facts facts;
	_free_ char *target = NULL, *gdb = proc_find("gdb");
	const char *argv[] = { "gdb", "-nx", "-batch", "-ex", NULL, "-ex", "info registers rip",
			       "-ex", "detach", NULL };
	struct proc_spec spec = { .argv = argv, .in = PROC_NULL, .err = PROC_NULL };

	if (!ok(b->tap, bench_boot(b, "qemu", &(struct machine_config){ .gdb = true }),
		"boots with a debugger's stub"))
		return;
	machine_facts(b->m, &facts);
	ok(b->tap, facts.gdb && file_exists(facts.gdb), "its socket is there");
	argv[4] = target = xasprintf("target remote %s", facts.gdb);
	if (!gdb)
		ok(b->tap, true, "gdb # SKIP it is not installed");
	else
		ok(b->tap, proc_run(&spec, &out, NULL, 60000, NULL) == 0 &&
				   strstr(buf_str(&out).p, "rip "), "gdb reads a register");
	bench_shell(b, "tr ' ' '\\n' < /proc/cmdline | grep -x nokaslr");
	is_str(b->tap, bench_text(&b->out), "nokaslr\n", "the guest goes on, where gdb expects it");
	b->m = machine_free(b->m);
}

int main(void)
{
	struct tap t = {};
	struct kernel kernel = {};
	struct bench b;
	_cleanup_(buf_done) struct buf why = {};
	bool root = geteuid() == 0;

	TAP_HEADER();
	if (!root || !bench_kernel("qemu", &kernel, "/tmp")) {
		ok(&t, true, "ends # SKIP %s", root ? "no kernel in the cache" : "needs root");
		return tap_done(&t);
	}
	bench_init(&b, &t, &kernel);
	test_stopped(&b, "host");
	test_stopped(&b, "qemu");
	test_starved(&b);
	test_memory(&b);
	test_dump(&b);
	test_gdb(&b);
	bench_done(&b);
	kernel_done(&kernel);
	return tap_done(&t);
}
