/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every machine keeps, whatever it is made of. Rows of MACHINE_KINDS that
 * can't run here are skipped with their reason; arguments name the only ones
 * that run. A virtual machine needs a kernel: TAPROOM_TEST_KERNEL, as for
 * --kernel, and TAPROOM_TEST_UML for User Mode Linux, else the first Debian
 * kernel in taproom's cache (which TAPROOM_TEST_CACHE moves). Nothing is fetched. Behind
 * "cold" none is a ready machine.
 */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "bench.h"
#include "refused.h"

static const struct {
	const char *name, *script;
	int code;
	const char *out, *err;
} COMMANDS[] = {
	{ "exit code 0", "true", 0, "", "" },
	{ "exit code 42", "exit 42", 42, "", "" },
	{ "streams apart", "echo out; echo err >&2", 0, "out\n", "err\n" },
	{ "no newline at the end", "printf x", 0, "x", "" },
	{ "any byte", "printf 'a\\000\\377b' | od -An -tx1", 0, " 61 00 ff 62\n", "" },
	{ "killed by a signal", "kill -9 $$", 137, "", "" },
	{ "pid 1 is ours", "tr '\\0' ' ' < /proc/1/comm | wc -l", 0, "1\n", "" },
	{ "its own session", "test $(ps -o sid= -p $$) = $$ && echo yes", 0, "yes\n", "" },
	{ "loopback is up", "cat /sys/class/net/lo/operstate", 0, "unknown\n", "" },
	{ "nothing but loopback", "ls /sys/class/net | grep -v '^lo$' | grep -c '^eth'", 1,
	  "0\n", "" },
	{ "host name", "uname -n", 0, "taproom\n", "" },
	{ "a home and a path", "echo $HOME; command -v ip >/dev/null && echo ip", 0,
	  "/root\nip\n", "" },
	{ "standard input is there and empty", "cat", 0, "", "" },
	{ "devices", "echo x > /dev/null; head -c 3 /dev/zero | wc -c; echo y > /dev/stdout", 0,
	  "3\ny\n", "" },
	{ "network namespaces", "ip netns add a && ip netns exec a ip link show lo | wc -l", 0,
	  "2\n", "" },
	{ "an orphan's output is waited for", "(sleep 0.1; echo late) & exit 3", 3, "late\n",
	  "" },
};

static void test_commands(struct bench *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(COMMANDS); i++) {
		const char *argv[] = { "sh", "-c", COMMANDS[i].script, NULL };
		struct machine_command c = { .argv = argv };

		if (bench_start(b, &c) == 0) {
			machine_input(b->m, STR_NONE, NULL);
			bench_wait_exit(b);
		}
		is_int(b->tap, bench_code(b), COMMANDS[i].code, COMMANDS[i].name);
		is_str(b->tap, bench_text(&b->out), COMMANDS[i].out, "- its output");
		is_str(b->tap, bench_text(&b->errs), COMMANDS[i].err, "- its errors");
	}
}

static void test_start(struct bench *b)
{
	static const char *const argv[] = { "sh", "-c", "pwd; echo \"$A:$HOME\"", NULL };
	static const char *const env[] = { "A=b c", "HOME=/elsewhere", NULL };
	static const char *const none[] = { "no-such-program", NULL };
	static const char *const both[] = { "sh", "-c", "echo 1; echo 2 >&2; echo 3", NULL };
	static const char *const tty[] = { "sh", "-c", "tty; stty size", NULL };

	bench_run(b, &(struct machine_command){ .argv = argv, .env = env, .dir = "/usr/bin" });
	is_str(b->tap, bench_text(&b->out), "/usr/bin\nb c:/elsewhere\n", "directory, environment");
	bench_run(b, &(struct machine_command){ .argv = none });
	is_int(b->tap, b->exit.status, -ENOENT, "a program that is not there");
	is_str(b->tap, b->exit_why, "start 'no-such-program': No such file or directory",
	       "- by its name");
	bench_run(b, &(struct machine_command){ .argv = argv, .dir = "/no/such" });
	is_int(b->tap, b->exit.status, -ENOENT, "a directory that is not there");
	is_str(b->tap, b->exit_why, "go to directory '/no/such': No such file or directory",
	       "- by its name");
	bench_run(b, &(struct machine_command){ .argv = both, .merge = true });
	is_str(b->tap, bench_text(&b->out), "1\n2\n3\n", "merged, in order");
	bench_run(b, &(struct machine_command){ .argv = tty, .terminal = true });
	ok(b->tap, strncmp(bench_text(&b->out), "/dev/pts/", 9) == 0, "a terminal");
	bench_run(b, &(struct machine_command){ .argv = tty, .terminal = true, .rows = 33,
						.columns = 77 });
	ok(b->tap, strstr(bench_text(&b->out), "33 77"), "- of the size that is asked for");
}

/* As many as find(1) gives a command, and a large word. */
static void test_arguments(struct bench *b)
{
	enum { N = 60000, WORD = 100000 };
	const char **argv = xcalloc(N + 5, sizeof(*argv));
	_free_ char *word = xcalloc(1, WORD + 1);
	struct machine_command c = { .argv = argv };
	struct err err = {};

	memset(word, 'w', WORD);
	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = "echo $# ${#0}";
	argv[3] = word;
	for (size_t i = 0; i < N; i++)
		argv[4 + i] = "argument";
	bench_run(b, &c);
	is_str(b->tap, bench_text(&b->out), "60000 100000\n", "60000 arguments, 600 kB");
	for (size_t i = 0; i < 20; i++)
		argv[4 + i] = word;
	ok(b->tap, machine_start(b->m, &c, &err) == -E2BIG, "2 MB of them: %s", err.text);
	free(argv);
}

/* As somebody else, and within limits. */
static void test_user(struct bench *b)
{
	static const char *const id[] = { "sh", "-c", "id -u; id -g; id -G; echo x >/dev/stdout",
					  NULL };
	static const char *const limits[] = {
		"sh", "-c", "ulimit -v; ulimit -n; ulimit -t; ulimit -c", NULL
	};
	static const uint32_t groups[] = { 12, 34 };
	static const struct machine_user user = { .uid = 1234, .gid = 567, .groups = groups,
						  .n_groups = 2 };

	bench_run(b, &(struct machine_command){ .argv = id, .user = &user });
	is_str(b->tap, bench_text(&b->out), "1234\n567\n567 12 34\nx\n", "as another user");
	bench_run(b, &(struct machine_command){
		.argv = limits,
		.limits = { .memory = 1ull << 30, .files = 99, .cpu_s = 17,
			    .core = MACHINE_UNLIMITED } });
	is_str(b->tap, bench_text(&b->out), "1048576\n99\n17\nunlimited\n", "within limits");
	bench_run(b, &(struct machine_command){ .argv = id, .user = &user,
						.limits = { .files = 1ull << 40 } });
	ok(b->tap, b->exit.status < 0 && strstr(b->exit_why, "limits"),
	   "a limit that can't be: %s", b->exit_why);
}

static void fetch(struct bench *b, const char *path, uint64_t max)
{
	struct err err = {};

	buf_clear(&b->file);
	b->fetches = 0;
	b->timed_out = false;
	b->fetch_status = machine_fetch(b->m, path, max, &err);
	if (b->fetch_status < 0)
		printf("# %s\n", err.text);
	while (b->fetch_status == 0 && !b->fetches && !b->deaths && !b->timed_out)
		bench_turn(b, BENCH_WAIT_MS);
}

static const struct {
	const char *path;
	uint64_t max;
	int status;
	const char *why;
} FETCHES[] = {
	{ "/tmp/no-such", 100, -ENOENT, "/tmp/no-such: No such file or directory" },
	{ "/tmp", 100, -EISDIR, "/tmp: Is a directory" },
	{ "/dev/zero", 100, -EINVAL, "/dev/zero: Invalid argument" },
	{ "/tmp/large", 1000, -EFBIG, "File too large" },
};

static void test_fetch(struct bench *b)
{
	struct err err = {};

	bench_shell(b, "head -c 3000000 /dev/zero | tr '\\0' q >/tmp/large; mkfifo /tmp/fifo");
	fetch(b, "/tmp/large", 3000000);
	ok(b->tap, b->fetch_status == 0 && b->file.n == 3000000 && b->file.p[2999999] == 'q',
	   "a file of 3 MB is fetched");
	fetch(b, "/proc/version", 4096);
	ok(b->tap, b->fetch_status == 0 && strstr(bench_text(&b->file), "Linux version"),
	   "and one whose size is said to be 0");
	fetch(b, "/tmp/fifo", 4096);
	is_int(b->tap, b->fetch_status, -EINVAL, "what would wait is none");
	for (size_t i = 0; i < ARRAY_SIZE(FETCHES); i++) {
		fetch(b, FETCHES[i].path, FETCHES[i].max);
		is_int(b->tap, b->fetch_status, FETCHES[i].status, FETCHES[i].path);
		is_str(b->tap, b->fetch_why, FETCHES[i].why, "- and says so");
		ok(b->tap, b->file.n <= FETCHES[i].max, "- not more than that");
	}
	is_int(b->tap, machine_fetch(b->m, "relative", 1, &err), -EINVAL, "no absolute path");
}

/* Who takes the output waits: so does the command, and nothing else. */
static void test_hold(struct bench *b)
{
	static const char *const flood[] = { "sh", "-c", "head -c 20000000 /dev/zero; echo end >&2",
					     NULL };
	static const char *const told[] = {
		"sh", "-c", "trap '' PIPE; read x; echo 1 2>/dev/null || echo refused >&2", NULL
	};
	uint64_t before;

	bench_start(b, &(struct machine_command){ .argv = flood });
	machine_hold(b->m, true);
	bench_turn(b, 2500);
	before = b->n_out;
	ok(b->tap, before <= 1 << 20 && !b->exits, "held: %u bytes came", (unsigned)before);
	ok(b->tap, b->beats > 0, "- and a beat");
	machine_hold(b->m, false);
	bench_wait_exit(b);
	is_int(b->tap, (int64_t)b->n_out, 20000000, "then all of it");
	is_str(b->tap, bench_text(&b->errs), "end\n", "- to its end");
	bench_start(b, &(struct machine_command){ .argv = told });
	machine_close(b->m, 1, NULL);
	machine_input(b->m, STR("go\n"), NULL);
	bench_wait_exit(b);
	is_str(b->tap, bench_text(&b->errs), "refused\n", "a closed output is closed to it");
}

static void test_large(struct bench *b)
{
	uint64_t want = 0;

	bench_shell(b, "head -c 10485760 /dev/zero | tr '\\0' a");
	for (unsigned i = 0; i < 10485760; i++)
		want += 'a';
	is_int(b->tap, (int64_t)b->n_out, 10485760, "10 MiB of output");
	ok(b->tap, b->sum == want && b->order, "- intact, its times never go back");
}

/* Also while a command says all it can. */
static void test_beat(struct bench *b)
{
	bench_shell(b, "timeout 4 cat /dev/zero");
	ok(b->tap, b->beats >= 2 && b->beats <= 6, "%u beats in 4 seconds of flood", b->beats);
	ok(b->tap, b->n_out > 1 << 20, "- of which %u MiB", (unsigned)(b->n_out >> 20));
	ok(b->tap, b->beat.uptime_ms > 0 && b->beat.memory_kb > 0 && b->beat.available_kb > 0 &&
		   b->beat.available_kb <= b->beat.memory_kb && b->beat.processes > 0,
	   "- they say how it is");
}

static void test_input(struct bench *b)
{
	static const char *const argv[] = { "wc", "-c", NULL };
	static const char *const slow[] = { "sleep", "1000", NULL };
	static const char *const closes[] = { "sh", "-c", "exec <&-; sleep 1; exit 5", NULL };
	_cleanup_(buf_done) struct buf chunk = {};
	unsigned sent = 0;
	int r = 0;

	for (unsigned i = 0; i < 65536; i++)
		buf_add(&chunk, "x", 1);
	if (bench_start(b, &(struct machine_command){ .argv = argv }) < 0)
		return;
	while (sent < 32 && !b->deaths && !b->timed_out) {
		r = machine_input(b->m, buf_str(&chunk), NULL);
		if (r == 0)
			sent++;
		else
			bench_turn(b, BENCH_WAIT_MS);
	}
	machine_input(b->m, STR_NONE, NULL);
	bench_wait_exit(b);
	is_str(b->tap, bench_text(&b->out), "2097152\n", "2 MiB of input");
	if (bench_start(b, &(struct machine_command){ .argv = slow }) < 0)
		return;
	for (sent = 0; sent < 100 && r == 0; sent++)
		r = machine_input(b->m, buf_str(&chunk), NULL);
	is_int(b->tap, r, -EAGAIN, "input that nobody reads has a limit");
	machine_signal(b->m, SIGTERM, NULL);
	bench_wait_exit(b);
	is_int(b->tap, bench_code(b), 128 + SIGTERM, "and a signal still gets through");
	if (bench_start(b, &(struct machine_command){ .argv = closes }) < 0)
		return;
	bench_turn(b, BENCH_WAIT_MS);
	is_int(b->tap, machine_input(b->m, STR("x"), NULL), -EPIPE, "an input that was closed");
	bench_wait_exit(b);
	is_int(b->tap, bench_code(b), 5, "- by one who goes on");
}

static void test_leftovers(struct bench *b)
{
	bench_shell(b, "setsid sleep 1234 >/dev/null 2>&1 & echo started");
	is_str(b->tap, bench_text(&b->out), "started\n", "a daemon is left behind");
	bench_shell(b, "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep 123[4]'");
	is_str(b->tap, bench_text(&b->out), "0\n", "- and gone before the next command");
	bench_shell(b, "ps -e -o stat= | grep -c Z");
	is_str(b->tap, bench_text(&b->out), "0\n", "no zombie");
}

static void test_busy(struct bench *b)
{
	static const char *const argv[] = { "sleep", "1000", NULL };
	struct machine_command c = { .argv = argv };

	bench_start(b, &c);
	is_int(b->tap, machine_start(b->m, &c, NULL), -EBUSY, "one command at a time");
	bench_turn(b, 100);
	ok(b->tap, b->timed_out, "a deadline is the caller's");
	machine_signal(b->m, SIGKILL, NULL);
	bench_wait_exit(b);
	is_int(b->tap, bench_code(b), 137, "- who kills it, and the machine goes on");
	bench_shell(b, "echo here");
	is_str(b->tap, bench_text(&b->out), "here\n", "- with the next");
}

/* Writes of the guest stay in the guest, except through a share. */
static void test_files(struct bench *b, const char *share)
{
	_free_ char *mine = path_join(b->work, "mine");
	_free_ char *given = path_join(share, "given");
	_free_ char *script = xasprintf("cat '%s' && echo guest > '%s' && cat '%s' && "
					"rm -rf /usr/bin/ls && echo shared > '%s'",
					mine, mine, mine, given);
	char *line = NULL;

	file_write(mine, STR("host\n"), 0600, NULL);
	bench_shell(b, script);
	is_str(b->tap, bench_text(&b->out), "host\nguest\n", "the host's files, writable");
	file_read_line(mine, &line, NULL);
	is_str(b->tap, line, "host", "- but nothing reaches the host");
	ok(b->tap, access("/usr/bin/ls", F_OK) == 0, "- not even a removal");
	free(line);
	line = NULL;
	file_read_line(given, &line, NULL);
	is_str(b->tap, line, "shared", "except through a share");
	free(line);
}

/*
 * The worst that a test does by accident, and what it does on purpose: the
 * whole tree removed, the host's files mounted again without the overlay. Each
 * file of the host's directory must be there afterwards.
 */
/* Not all of it: a hundred thousand files take a translated machine minutes. And
 * nothing of another file system than @like: what was shown of one holds there. */
static char *rm_script(const char *like)
{
	static const char *const DIRS[] = { "/etc", "/boot", "/srv", "/opt" };
	struct buf b = {};
	struct stat st, here;

	buf_printf(&b, "rm -rf");
	for (size_t i = 0; i < ARRAY_SIZE(DIRS) && stat(like, &here) == 0; i++)
		if (stat(DIRS[i], &st) == 0 && st.st_dev == here.st_dev)
			buf_printf(&b, " %s", DIRS[i]);
	buf_printf(&b, "; %s", stat("/etc", &st) == 0 && st.st_dev == here.st_dev
				       ? "test ! -e /etc/passwd && echo gone" : "echo gone");
	return buf_take(&b);
}

static void test_harmless(struct bench *b)
{
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *canary = NULL, *script = NULL, *again = NULL;

	dir_temp("/var/tmp", "taproom-contract-", &dir, NULL);
	canary = path_join(dir, "canary");
	file_write(canary, STR("alive\n"), 0666, NULL);
	chmod(dir, 0777);
	script = xasprintf("rm -rf '%s'; test ! -e '%s' && echo gone", dir, canary);
	bench_shell(b, script);
	is_str(b->tap, bench_text(&b->out), "gone\n", "rm -rf in the guest: a file is gone");
	/* More of it only where that did no harm. */
	if (!ok(b->tap, file_exists(canary), "- the host's is where it was"))
		return;
	free(script);
	script = rm_script(dir);
	bench_shell(b, script);
	is_str(b->tap, bench_text(&b->out), "gone\n", "rm -rf of /etc and others");
	ok(b->tap, file_exists("/etc/passwd"), "- the host's are where they were");
	again = xasprintf("mkdir /run/m && mount -t hostfs -o / none /run/m || "
			  "mount -t virtiofs taproom0 /run/m || exit 0; "
			  "mount -o remount,rw /run/m; "
			  "echo dead > '/run/m%s'; rm -rf '/run/m%s'; : > '/run/m%s/new'",
			  canary, dir, dir);
	bench_shell(b, again);
	free(script);
	script = NULL;
	file_read_line(canary, &script, NULL);
	is_str(b->tap, script, "alive", "- nor is there a way around the overlay");
	free(script);
	script = path_join(dir, "new");
	ok(b->tap, !file_exists(script), "- and nothing new");
}

static const struct {
	const char *name;
	enum machine_root root;
	bool written, reaches;
} ROOTS[] = {
	{ "root ro", MACHINE_ROOT_RO, false, false },
	{ "root rw", MACHINE_ROOT_RW, true, true },
};

static void test_roots(struct bench *b, const char *kind)
{
	/* Not in /tmp, which is the guest's own where the root is read-only. */
	_cleanup_(dir_removep) char *dir = NULL;
	_free_ char *script = NULL, *file = NULL, *modules = NULL;
	bool had;

	modules = path_join("/lib/modules", b->kernel.release ? b->kernel.release : "");
	had = file_exists(modules);
	dir_temp("/var/tmp", "taproom-contract-", &dir, NULL);
	file = path_join(dir, "file");
	script = xasprintf("test -d '%s' && echo x > '%s'", dir, file);
	for (size_t i = 0; i < ARRAY_SIZE(ROOTS); i++) {
		struct machine_config c = { .root = ROOTS[i].root };

		if (ok(b->tap, bench_boot(b, kind, &c), "%s boots", ROOTS[i].name)) {
			bench_shell(b, script);
			is_int(b->tap, bench_code(b) == 0, ROOTS[i].written, "- is written");
			is_int(b->tap, file_exists(file), ROOTS[i].reaches, "- reaches the host");
			bench_shell(b, "f=$(mktemp) && echo x > $f && echo x > /run/x && "
				       "cat $f && rm $f");
			is_str(b->tap, bench_text(&b->out), "x\n", "- has a /tmp and a /run");
			bench_end(b);
			is_int(b->tap, b->how, MACHINE_STOPPED, "- ends when asked");
		}
		b->m = machine_free(b->m);
	}
	is_int(b->tap, file_exists(modules), had, "no place for its modules is left on the host");
}

/* A guest that never gets up: told once, with what it said last. */
static void test_boot_fails(struct bench *b, const char *kind)
{
	static const char *const append[] = { "rdinit=/none", "root=none", NULL };
	static const char *const wrong[] = { "-none", NULL };

	ok(b->tap, !bench_boot(b, kind, &(struct machine_config){ .append = append }),
	   "a kernel without a first process");
	is_int(b->tap, b->deaths, 1, "- died once");
	is_int(b->tap, b->how, MACHINE_BOOT_FAILED, "- did not boot");
	ok(b->tap, strstr(b->why, "Kernel panic"), "- and says: %s", b->why);
	b->m = machine_free(b->m);
	if (strcmp(kind, "qemu") != 0)
		return;
	ok(b->tap, !bench_boot(b, kind, &(struct machine_config){ .qemu_opts = wrong }),
	   "a QEMU that does not start");
	ok(b->tap, strstr(b->why, "-none: invalid option") && !strstr(b->why, "CONFIG_"),
	   "- is not the kernel's fault: %s", b->why);
	b->m = machine_free(b->m);
}

static void test_panics(struct bench *b, const char *kind)
{
	static const char *const argv[] = {
		"sh", "-c", "echo before; read x; echo c > /proc/sysrq-trigger; sleep 60", NULL
	};

	if (!ok(b->tap, bench_boot(b, kind, &(struct machine_config){}), "boots"))
		return;
	/* What is still in a pipe dies with the kernel: wait for it. */
	bench_start(b, &(struct machine_command){ .argv = argv });
	for (unsigned i = 0; i < 600 && b->out.n == 0; i++)
		bench_turn(b, 100);
	machine_input(b->m, STR("go\n"), NULL);
	bench_wait_exit(b);
	is_int(b->tap, b->how, MACHINE_PANICKED, "a panic in a command");
	is_str(b->tap, bench_text(&b->out), "before\n", "- what it said before is there");
	ok(b->tap, strstr(b->why, "sysrq triggered crash"), "- and says: %s", b->why);
	ok(b->tap, strstr(bench_text(&b->console), "Call Trace"), "- the console has the rest");
	b->m = machine_free(b->m);
}

static void test_killed(struct bench *b)
{
	static const char *const argv[] = { "sleep", "1000", NULL };
	struct machine_facts facts;

	bench_start(b, &(struct machine_command){ .argv = argv });
	bench_turn(b, 300);
	machine_facts(b->m, &facts);
	kill((pid_t)facts.pid, SIGKILL);
	bench_wait_exit(b);
	is_int(b->tap, b->deaths, 1, "killed in a command: died");
	is_int(b->tap, b->how, MACHINE_KILLED, "- as killed");
	is_int(b->tap, b->exits, 0, "- and the command has no exit");
	is_int(b->tap, machine_start(b->m, &(struct machine_command){ .argv = argv }, NULL),
	       -ESHUTDOWN, "- nothing starts any more");
	bench_turn(b, 100);
	is_int(b->tap, b->deaths, 1, "- told once");
}

/* @of_group: of our process group only, which a terminal's Ctrl-C is for. */
static unsigned count_children(bool of_group)
{
	_free_ char *path = xasprintf("/proc/self/task/%d/children", (int)getpid());
	_cleanup_(buf_done) struct buf b = {};
	unsigned n = 0;

	file_read(path, 0, &b, NULL);
	for (const char *p = buf_str(&b).p; *p; p += strcspn(p, " "), p += *p == ' ')
		n += !of_group || getpgid(atoi(p)) == getpgrp();
	return n;
}

static unsigned count_entries(const char *dir)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void test_kind(struct tap *t, const struct machine_kind *kind,
		      const struct kernel *kernel, bool cold)
{
	struct bench b;
	struct machine_facts facts;
	struct machine_share share = { .rw = true };
	unsigned children = count_children(false), fds;
	_free_ char *shared = NULL;

	printf("# machine %s%s\n", kind->name, cold ? ", cold" : "");
	bench_init(&b, t, kernel);
	b.cold = cold;
	shared = path_join(b.work, "share");
	mkdir(shared, 0755);
	share.dir = shared;
	fds = count_entries("/proc/self/fd");
	if (ok(t, bench_boot(&b, kind->name,
		       &(struct machine_config){ .shares = &share, .n_shares = 1 }),
	       "%s boots", kind->name)) {
		machine_facts(b.m, &facts);
		printf("# ready after %d ms\n", (int)facts.boot_ms);
		ok(t, facts.release && facts.pid > 0, "facts");
		ok(t, count_children(false) > children && count_children(true) == 0,
		   "Ctrl-C is for us, who pass it on");
		ok(t, facts.ready == (facts.cold[0] == '\0') &&
			      facts.ready == (!cold && strcmp(kind->name, "qemu") == 0),
		   "from a ready machine, or not: %s", facts.cold);
		test_commands(&b);
		test_start(&b);
		test_arguments(&b);
		test_user(&b);
		test_fetch(&b);
		test_hold(&b);
		test_large(&b);
		test_beat(&b);
		test_input(&b);
		test_leftovers(&b);
		test_busy(&b);
		test_files(&b, shared);
		test_harmless(&b);
		bench_stop(&b);
		is_int(t, b.how, MACHINE_STOPPED, "stops when asked");
	}
	b.m = machine_free(b.m);
	if (ok(t, bench_boot(&b, kind->name, &(struct machine_config){}), "boots again"))
		test_killed(&b);
	b.m = machine_free(b.m);
	test_roots(&b, kind->name);
	if (strcmp(kind->name, "qemu") == 0)
		test_refused(&b, kind->name);
	if (kernel->image) {
		test_boot_fails(&b, kind->name);
		test_panics(&b, kind->name);
	}
	is_int(t, count_children(false), children, "no process is left");
	is_int(t, count_entries("/proc/self/fd"), fds, "no descriptor is left");
	is_int(t, count_entries(b.work), 4, "no file is left"); /* ., .., mine, share */
	bench_done(&b);
}

static bool asked(const char *name, int argc, char **argv)
{
	bool hit = argc < 2;

	for (int i = 1; i < argc; i++)
		hit |= strcmp(argv[i], name) == 0;
	return hit;
}

int main(int argc, char **argv)
{
	bool cold = argc > 1 && strcmp(argv[1], "cold") == 0;
	struct tap t = {};

	TAP_HEADER();
	for (unsigned i = 0; i < MACHINE_KINDS_N; i++) {
		const struct machine_kind *kind = &MACHINE_KINDS[i];
		struct kernel kernel = {};
		_cleanup_(buf_done) struct buf why = {};

		if (!asked(kind->name, argc - cold, argv + cold))
			continue;
		if (kind->probe("/tmp", &why) <= 0)
			ok(&t, true, "%s # SKIP %s", kind->name, why.p);
		else if (!bench_kernel(kind->name, &kernel, "/tmp"))
			ok(&t, true, "%s # SKIP no kernel in the cache; give TAPROOM_TEST_KERNEL "
			   "or TAPROOM_TEST_UML", kind->name);
		else
			test_kind(&t, kind, &kernel, cold);
		kernel_done(&kernel);
	}
	return tap_done(&t);
}
