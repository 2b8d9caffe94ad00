/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How real machines end: each provoked, named, and what can still be known of it
 * kept. A kernel as in test-machine.c.
 */
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "base/units.h"
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

/* Where the guest's clock jumps it is asked, by ours. A kernel of its own. */
static void test_simulated(struct tap *t)
{
	struct machine_config c = { .hang_ms = HANG_MS, .uml_time = "inf" };
	struct kernel kernel = {};
	struct bench b;

	if (!bench_kernel("uml", &kernel, "/tmp") || !bench_time_travels(&kernel)) {
		ok(t, true, "simulated time # SKIP no User Mode Linux that has it");
		kernel_done(&kernel);
		return;
	}
	bench_init(&b, t, &kernel);
	if (ok(t, bench_boot(&b, "uml", &c), "boots in simulated time")) {
		provoke(&b, "sleep 1000000; echo slept; while :; do sleep 1; done");
		for (int64_t end = clock_mono_ms() + HANG_MS + 3000; clock_mono_ms() < end;)
			bench_turn(&b, 500);
		is_str(t, bench_text(&b.out), "slept\n", "days are slept in no time");
		ok(t, !b.deaths && b.beats >= 3, "one whose clock runs ahead is not missed: %u "
		   "beats", b.beats);
		machine_signal(b.m, SIGKILL, NULL);
		bench_wait_exit(&b);
		provoke(&b, "exec chrt -f 99 sh -c 'while :; do :; done'");
		bench_wait_exit(&b);
		is_str(t, MACHINE_ENDS[b.how].word, "hang", "one that starves is");
		ok(t, strstr(b.why, "no sign of life"), "- and says: %s", b.why);
	}
	b.m = machine_free(b.m);
	bench_done(&b);
	kernel_done(&kernel);
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

/* ---- oops ---- */

/* A system call runs into nowhere, by the debugger's hand: Debian's kernels have
 * nothing that would oops when asked to. */
static void test_oops(struct bench *b, bool fatal)
{
	_free_ char *gdb = proc_find("gdb"), *target = NULL, *stop = NULL;
	const char *argv[] = { "gdb", "-nx", "-batch", "-ex", NULL, "-ex", NULL, "-ex", "continue",
			       "-ex", "delete", "-ex", "set $rip = 0", "-ex", "detach", NULL };
	struct proc_spec spec = { .argv = argv, .in = PROC_NULL };
	struct machine_facts facts;
	struct proc debugger = { .fd = -1 };
	/* Called until the debugger, however late, is there to stop it. */
	const char *cause = fatal ? "echo 1 > /proc/sys/kernel/panic_on_oops;"
				    "while hostname x; do sleep 1; done"
				  : "echo 0 > /proc/sys/kernel/panic_on_oops;"
				    "while :; do hostname x || exit; sleep 1; done";

	if (!gdb) {
		ok(b->tap, true, "an oops # SKIP gdb is not installed");
		return;
	}
	if (!ok(b->tap, bench_boot(b, "qemu", &(struct machine_config){ .gdb = true }),
		"boots, to oops"))
		return;
	machine_facts(b->m, &facts);
	argv[4] = target = xasprintf("target remote %s", facts.gdb);
	bench_shell(b, "sed -n 's/ T __x64_sys_sethostname$//p' /proc/kallsyms");
	argv[6] = stop = xasprintf("hbreak *0x%.*s", STR_FMT(str_trim(buf_str(&b->out))));
	buf_clear(&b->console);
	provoke(b, cause);
	if (proc_start(&spec, &debugger, NULL) < 0)
		return;
	bench_wait_exit(b);
	proc_end(&debugger);
	ok(b->tap, heard(b, "BUG: kernel NULL pointer dereference"), "a kernel that oopses");
	if (fatal) {
		is_str(b->tap, MACHINE_ENDS[b->how].word, "oops", "- and panics of it");
		ok(b->tap, strstr(b->why, "BUG: kernel NULL pointer") &&
			       strstr(b->why, "Fatal exception"), "- says both: %s", b->why);
	} else {
		is_int(b->tap, bench_code(b), 128 + SIGKILL, "- kills who called it");
		bench_shell(b, "echo alive");
		is_str(b->tap, bench_text(&b->out), "alive\n", "- and goes on");
	}
	b->m = machine_free(b->m);
}

/* ---- the host's want ---- */

/* A memory cgroup of our own, of either version. */
static const struct {
	const char *dir, *limit;
} GROUPS[] = {
	{ "/sys/fs/cgroup/memory", "memory.limit_in_bytes" },
	{ "/sys/fs/cgroup", "memory.max" },
};

static bool write_to(const char *dir, const char *name, const char *text)
{
	_free_ char *path = path_join(dir, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && file_write_all(fd, text, strlen(text)) == 0;

	closep(&fd);
	return good;
}

static char *group_make(const char *limit)
{
	for (size_t i = 0; i < ARRAY_SIZE(GROUPS); i++) {
		char *dir = xasprintf("%s/taproom-ends-%d", GROUPS[i].dir, (int)getpid());

		if (mkdir(dir, 0755) == 0 && write_to(dir, GROUPS[i].limit, limit))
			return dir;
		rmdir(dir);
		free(dir);
	}
	return NULL;
}

/* It has started, and then there is no more for it. */
static void test_host_memory(struct bench *b)
{
	_free_ char *group = group_make("67108864"), *pid = NULL;
	struct machine_facts facts;

	if (!group) {
		ok(b->tap, true, "host memory # SKIP no memory cgroup can be made here");
		return;
	}
	if (ok(b->tap, bench_boot(b, "qemu", &(struct machine_config){ .hang_ms = HANG_MS }),
	       "boots, to want memory")) {
		machine_facts(b->m, &facts);
		pid = xasprintf("%d", (int)facts.pid);
		ok(b->tap, write_to(group, "cgroup.procs", pid), "may have 64 MiB more");
		bench_shell(b, "head -c 400M /dev/zero > /run/much; sleep 60");
		is_str(b->tap, MACHINE_ENDS[b->how].word, "host-oom", "takes more");
		ok(b->tap, strstr(b->why, "killed by signal 9") &&
			       strstr(b->why, "the host was out of memory"), "- says: %s", b->why);
		b->m = machine_free(b->m);
	}
	for (unsigned i = 0; i < 100 && rmdir(group) < 0; i++)
		bench_turn(b, 50);
	ok(b->tap, !file_exists(group), "nothing is left in its group");
}

/* Memory that can't be had at all: QEMU behind a limit. */
static void test_no_memory(struct bench *b)
{
	static const char script[] = "#!/bin/sh\nulimit -v 2000000\nexec %s \"$@\"\n";
	_free_ char *qemu = proc_find("qemu-system-x86_64"), *text = xasprintf(script, qemu);
	_free_ char *bin = path_join(b->work, "bin"), *own = path_join(bin, "qemu-system-x86_64");
	_free_ char *before = xstrdup(getenv("PATH")), *path = xasprintf("%s:%s", bin, before);

	dir_make(bin, NULL);
	file_write(own, str_of(text), 0755, NULL);
	setenv("PATH", path, 1);
	ok(b->tap, !bench_boot(b, "qemu", &(struct machine_config){ .memory = 8ull << 30,
								    .cold = true }),
	   "with more than the host gives it does not boot");
	is_str(b->tap, MACHINE_ENDS[b->how].word, "host-oom", "- for want of memory");
	ok(b->tap, strstr(b->why, "Cannot allocate memory"), "- says: %s", b->why);
	b->m = machine_free(b->m);
	setenv("PATH", before, 1);
}

/* A disk without a byte for the cache and for what a machine makes. */
static void test_full_disk(struct bench *b)
{
	_free_ char *dir = path_join(b->work, "full"), *fill = path_join(dir, "fill");
	_free_ char *core = path_join(dir, "vmcore");
	char *work = b->work, *cache = b->cache;

	dir_make(dir, NULL);
	if (mount("none", dir, "tmpfs", 0, "size=128k") < 0) {
		ok(b->tap, true, "a full disk # SKIP no tmpfs can be mounted");
		return;
	}
	b->work = path_join(dir, "work");
	b->cache = path_join(dir, "cache");
	dir_make(b->work, NULL);
	dir_make(b->cache, NULL);
	{
		int fd = open(fill, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		while (file_write_all(fd, "full", 4) == 0)
			;
		closep(&fd);
	}
	if (ok(b->tap, bench_boot(b, "qemu", &(struct machine_config){ .memory = 256u << 20,
								       .dump = core }),
	       "boots without a byte on the disk")) {
		bench_shell(b, "echo alive");
		is_str(b->tap, bench_text(&b->out), "alive\n", "- and works");
		bench_shell(b, "echo c > /proc/sysrq-trigger; sleep 60");
		is_str(b->tap, MACHINE_ENDS[b->how].word, "panic", "- its end is named");
		ok(b->tap, !file_exists(core), "- half a dump is none");
	}
	b->m = machine_free(b->m);
	free(b->work);
	free(b->cache);
	b->work = work;
	b->cache = cache;
	umount2(dir, MNT_DETACH);
}

int main(int argc, char **argv)
{
	struct tap t = {};
	struct kernel kernel = {};
	struct bench b;
	_cleanup_(buf_done) struct buf why = {};
	bool root = geteuid() == 0;

	TAP_HEADER();
	if (argc > 1 && strcmp(argv[1], "simulated") == 0) {
		test_simulated(&t);
		return tap_done(&t);
	}
	if (!root || !bench_kernel("qemu", &kernel, "/tmp")) {
		ok(&t, true, "ends # SKIP %s", root ? "no kernel in the cache" : "needs root");
		return tap_done(&t);
	}
	bench_init(&b, &t, &kernel);
	test_stopped(&b, "host");
	test_stopped(&b, "qemu");
	test_starved(&b);
	test_simulated(&t);
	test_memory(&b);
	test_dump(&b);
	test_gdb(&b);
	test_oops(&b, false);
	test_oops(&b, true);
	test_host_memory(&b);
	test_no_memory(&b);
	test_full_disk(&b);
	bench_done(&b);
	kernel_done(&kernel);
	return tap_done(&t);
}
