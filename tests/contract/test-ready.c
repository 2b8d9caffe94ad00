/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ready machines: that they are what a boot gives is test-machine.c's; here is
 * what is theirs alone. With the kernel of test-machine.c.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "base/units.h"
#include "bench.h"
#include "machine/snapshot.h"

/* A name that is nowhere in this program as it is in memory. */
#define SECRET_SCRIPT "printf '%s\\n' \"$WORD\" \"$0\"; cat"

static bool boot(struct bench *b, const struct machine_config *with, struct machine_facts *facts)
{
	bool up = bench_boot(b, "qemu", with);

	*facts = (struct machine_facts){ .cold = "" };
	if (up)
		machine_facts(b->m, facts);
	return up;
}

/* Starts, ready or not as @want has it. */
static bool starts(struct bench *b, const struct machine_config *with, bool want, const char *what)
{
	struct machine_facts f;
	bool up = boot(b, with, &f);

	return ok(b->tap, up && f.ready == want, "%s%s%s", what, f.cold[0] ? ": " : "", f.cold);
}

/* The n-th directory of those that are kept; NULL without. */
static char *kept(const char *cache, unsigned n)
{
	_free_ char *dir = path_join(cache, "ready");
	DIR *d = opendir(dir);
	char *found = NULL;
	struct dirent *e;

	while (d && !found && (e = readdir(d))) {
		_free_ char *path = path_join(dir, e->d_name);
		_free_ char *ram = path_join(path, "ram");

		if (e->d_name[0] != '.' && file_exists(ram) && n-- == 0)
			found = TAKE(path);
	}
	if (d)
		closedir(d);
	return found;
}

/* Of the file @name of the only one that is kept. */
static char *kept_file(const char *cache, const char *name)
{
	_free_ char *dir = kept(cache, 0);

	return path_join(dir ? dir : "/nowhere", name);
}

static bool holds(const char *path, const char *word)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = strlen(word), have = 0;
	bool hit = fd < 0;
	ssize_t got;
	char *chunk = xmalloc(1 << 20);

	while (!hit && (got = read(fd, chunk + have, (1 << 20) - have)) > 0) {
		have += (size_t)got;
		hit = memmem(chunk, have, word, n) != NULL;
		if (have > n) {
			memmove(chunk, chunk + have - n, n);
			have = n;
		}
	}
	free(chunk);
	return hit;
}

/* ---- made, and used ---- */

static void test_made(struct bench *b)
{
	static const char *const argv[] = { "sh", "-c", SECRET_SCRIPT, "secret-of-argv", NULL };
	static const char *const env[] = { "WORD=secret-of-env", NULL };
	static const char *const words[] = { "secret-of-argv", "secret-of-env", "secret-of-input",
					     "taproom-contract-" };
	static const char *const files[] = { "ram", "state", "console", "head" };
	struct machine_facts f;
	struct stat st = {};

	if (!ok(b->tap, boot(b, &(struct machine_config){}, &f), "the first start"))
		return;
	is_int(b->tap, f.ready, 1, "makes one and is started from it");
	ok(b->tap, strstr(bench_text(&b->console), "Linux version"),
	   "its console begins with the boot");
	bench_start(b, &(struct machine_command){ .argv = argv, .env = env });
	machine_input(b->m, STR("secret-of-input\n"), NULL);
	machine_input(b->m, STR_NONE, NULL);
	bench_wait_exit(b);
	is_str(b->tap, bench_text(&b->out), "secret-of-env\nsecret-of-argv\nsecret-of-input\n",
	       "a command with words of its own");
	bench_stop(b);
	b->m = machine_free(b->m);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_free_ char *path = kept_file(b->cache, files[i]);

		stat(path, &st);
		ok(b->tap, S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0600,
		   "nobody else reads '%s'", files[i]);
		for (size_t k = 0; k < ARRAY_SIZE(words); k++)
			ok(b->tap, !holds(path, words[k]), "- and it holds no '%s'", words[k]);
	}
}

/* What two that started as one must not have in common. */
static const struct {
	const char *name, *script;
	bool differs;
} IDENTITY[] = {
	{ "random numbers", "head -c 16 /dev/urandom | od -An -tx1", true },
	{ "the id of the boot", "cat /proc/sys/kernel/random/boot_id", true },
	{ "the network's address", "cat /sys/class/net/eth0/address", true },
	{ "the kernel's random numbers", "cat /proc/sys/kernel/random/uuid", true },
	{ "the host's name", "uname -n", false },
	{ "the host's machine id", "cat /etc/machine-id", false },
};

static void test_identity(struct bench *b)
{
	struct buf first[ARRAY_SIZE(IDENTITY)] = {};

	for (unsigned turn = 0; turn < 2; turn++) {
		int64_t wall;

		if (!starts(b, &(struct machine_config){ .net = true }, true,
			    "one more, with a network"))
			break;
		ok(b->tap, strstr(bench_text(&b->console), "Linux version"), "its console too");
		bench_shell(b, "date +%s");
		wall = strtoll(bench_text(&b->out), NULL, 10);
		ok(b->tap, llabs(wall - (int64_t)time(NULL)) <= 3, "its clock is right: %d s off",
		   (int)(wall - (int64_t)time(NULL)));
		for (size_t i = 0; i < ARRAY_SIZE(IDENTITY); i++) {
			bench_shell(b, IDENTITY[i].script);
			if (turn == 0)
				buf_add_str(&first[i], buf_str(&b->out));
			else
				ok(b->tap, b->out.n && (strcmp(bench_text(&b->out),
							       buf_str(&first[i]).p) != 0) ==
							       IDENTITY[i].differs,
				   "%s %s", IDENTITY[i].name,
				   IDENTITY[i].differs ? "- others" : "- the same");
		}
		bench_shell(b, "ip -4 -o addr show eth0 | grep -c 10.0.2.15; "
			       "ip route show default | grep -c 10.0.2.2");
		is_str(b->tap, bench_text(&b->out), "1\n1\n", "eth0 is up");
		bench_stop(b);
		b->m = machine_free(b->m);
		buf_clear(&b->console);
	}
	for (size_t i = 0; i < ARRAY_SIZE(IDENTITY); i++)
		buf_done(&first[i]);
}

/* Two of its seconds are as many of ours: it was told how fast its counter is. */
static void test_clock(struct bench *b)
{
	int64_t begin, end, guest;

	/* Until it is a second old the kernel calls it "tsc-early". */
	bench_shell(b, "cut -c -3 "
		       "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	is_str(b->tap, bench_text(&b->out), "tsc\n", "- its clock is the counter");
	begin = clock_mono_ms();
	bench_shell(b, "read a _ < /proc/uptime; sleep 2; read b _ < /proc/uptime; "
		       "echo $a $b | tr -d . | { read x y; expr $y - $x; }");
	end = clock_mono_ms();
	guest = 10 * strtoll(bench_text(&b->out), NULL, 10);
	ok(b->tap, guest >= 1990 && guest <= end - begin + 20, "- which goes right: %d of %d ms",
	   (int)guest, (int)(end - begin));
}

static void test_refused(struct bench *b)
{
	static const char *const more[] = { "-name", "mine", NULL };
	static const struct {
		const char *name;
		struct machine_config c;
	} rows[] = {
		{ "--cold", { .cold = true } },
		{ "--gdb", { .gdb = true } },
		{ "--qemu-opt", { .qemu_opts = more } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		starts(b, &rows[i].c, false, rows[i].name);
		test_clock(b);
		b->m = machine_free(b->m);
	}
}

/* ---- broken ---- */

static void flip(const char *path, off_t at)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	char c = 0;

	if (pread(fd, &c, 1, at) != 1)
		printf("# nothing to flip in %s\n", path);
	c ^= 1;
	(void)!pwrite(fd, &c, 1, at);
}

static void test_damaged(struct bench *b)
{
	static const char *const files[] = { "ram", "state", "head" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_free_ char *path = kept_file(b->cache, files[i]);
		_cleanup_(buf_done) struct buf out = {};

		/* Of a page that held something, for the memory. */
		flip(path, strcmp(files[i], "ram") == 0 ? 0x100000 * 16 : 20);
		starts(b, &(struct machine_config){}, false, files[i]);
		bench_shell(b, "echo alive");
		is_str(b->tap, bench_text(&b->out), "alive\n", "- and works");
		b->m = machine_free(b->m);
		starts(b, &(struct machine_config){}, true, "- and the next one is ready again");
		b->m = machine_free(b->m);
	}
}

/* Whole, as far as its sums go, and nothing that QEMU takes. */
static void test_foreign(struct bench *b)
{
	_free_ char *path = kept_file(b->cache, "head"), *used = kept_file(b->cache, "worked");
	_cleanup_(closep) int ram = memfd_create("ram", 0), state = memfd_create("state", 0);
	_cleanup_(closep) int lock = -1;
	_cleanup_(buf_done) struct buf head = {};
	struct snapshot_parts p = { ram, state, 1 << 30, STR_NONE };
	struct str key;

	is_int(b->tap, file_read(path, 0, &head, NULL), 0, "the facts of one that is good");
	key = buf_str(&head);
	for (int i = 0; i < 4; i++)
		str_cut(&key, '\n');
	if (write(state, "QEVM, or not", 12) != 12 || ftruncate(ram, 1 << 30) < 0 ||
	    pwrite(ram, "x", 1, 0) != 1)
		return;
	snapshot_lock(b->cache, &lock, NULL);
	is_int(b->tap, snapshot_save(b->cache, key, &p, NULL), 0, "are written to one that is not");
	closep(&lock);
	lock = -1;
	ok(b->tap, !file_exists(used), "- which never worked");
	starts(b, &(struct machine_config){}, false, "it boots");
	bench_shell(b, "echo alive");
	is_str(b->tap, bench_text(&b->out), "alive\n", "- and works");
	b->m = machine_free(b->m);
	starts(b, &(struct machine_config){}, false,
	       "what does not work is not tried again and again");
	b->m = machine_free(b->m);
	path[strlen(path) - 5] = '\0';
	dir_remove(path, NULL);
}

/* ---- several ---- */

enum { STARTED = 1, WAS_READY = 2 };

/* A launcher of its own, as one of several. Its exit code says how it went. */
static pid_t launch(struct bench *b)
{
	pid_t pid = fork();
	struct machine_facts f;
	struct tap quiet = {};
	struct bench own;
	int code = 0;

	if (pid)
		return pid;
	bench_init(&own, &quiet, &b->kernel);
	dir_removep(&own.cache);
	own.cache = xstrdup(b->cache);
	if (boot(&own, &(struct machine_config){}, &f)) {
		bench_shell(&own, "exit 42");
		code = (bench_code(&own) == 42 ? STARTED : 0) | (f.ready ? WAS_READY : 0);
	}
	own.m = machine_free(own.m);
	own.cache[0] = '\0';
	dir_removep(&own.work);
	_exit(code);
}

static int ended(pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_several(struct bench *b)
{
	pid_t one = launch(b), two = launch(b);
	int a = ended(one), c = ended(two);

	ok(b->tap, a & c & STARTED, "two at once without one: both start");
	ok(b->tap, (a | c) & WAS_READY, "- one of them makes it");
	one = launch(b);
	two = launch(b);
	is_int(b->tap, ended(one), STARTED | WAS_READY, "two at once with one: the first");
	is_int(b->tap, ended(two), STARTED | WAS_READY, "- and the second");
	starts(b, &(struct machine_config){}, true, "and it is still good");
	b->m = machine_free(b->m);
}

/* Anything that begins so in the directory of those that are kept? */
static bool has_entry(const char *cache, const char *prefix)
{
	_free_ char *dir = path_join(cache, "ready");
	DIR *d = opendir(dir);
	struct dirent *e;
	bool hit = false;

	while (d && !hit && (e = readdir(d)))
		hit = strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	if (d)
		closedir(d);
	return hit;
}

static void test_maker_killed(struct bench *b)
{
	static const char *const prefixes[] = { "lock", ".new-" };
	static const char *const names[] = { "its boot", "its writing" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		_free_ char *before = NULL, *after = NULL, *dir = path_join(b->cache, "ready");
		pid_t maker;

		dir_remove(dir, NULL);
		maker = launch(b);
		for (unsigned k = 0; k < 60000 && !has_entry(b->cache, prefixes[i]); k++)
			usleep(500);
		if (i == 0)
			usleep(200000);
		kill(maker, SIGKILL);
		ended(maker);
		before = kept(b->cache, 0);
		ok(b->tap, !before, "a maker is killed in %s: there is none", names[i]);
		starts(b, &(struct machine_config){}, true, "- the next one makes it");
		b->m = machine_free(b->m);
		ok(b->tap, !has_entry(b->cache, ".new-"), "- and nothing is left of the other");
	}
}

/* As full as can be, but for @left files. */
static void fill(const char *dir, unsigned left)
{
	for (unsigned i = 0;; i++) {
		_free_ char *path = xasprintf("%s/full-%u", dir, i);
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0) {
			while (left && i > left) {
				_free_ char *last = xasprintf("%s/full-%u", dir, i - left--);

				unlink(last);
			}
			return;
		}
		closep(&fd);
	}
}

/* A disk that has room when it is looked at, and none for the last of its files. */
static void test_disk_full(struct bench *b)
{
	_free_ char *dir = path_join(b->work, "disk"), *one = NULL;
	struct machine_facts f;
	char *cache = b->cache;
	bool up;

	dir_make(dir, NULL);
	if (mount("none", dir, "tmpfs", 0, "size=4g,nr_inodes=200") < 0) {
		ok(b->tap, true, "a disk that fills # SKIP no tmpfs can be mounted");
		return;
	}
	b->cache = dir;
	starts(b, &(struct machine_config){ .cold = true }, false, "cold, to fill the cache");
	b->m = machine_free(b->m);
	/* Of the ready machine's directory, its lock, .new-, ram and state. */
	fill(dir, 4);
	up = boot(b, &(struct machine_config){}, &f);
	ok(b->tap, up && !f.ready && strstr(f.cold, "No space left on device"),
	   "a disk that is full before all is written: a cold boot, %s", f.cold);
	b->m = machine_free(b->m);
	one = kept(b->cache, 0);
	ok(b->tap, !one && !has_entry(b->cache, ".new-"), "- and nothing is left of it");
	for (unsigned i = 0; i < 200; i++) {
		_free_ char *path = xasprintf("%s/full-%u", dir, i);

		unlink(path);
	}
	starts(b, &(struct machine_config){}, true, "- with room again it is made");
	b->m = machine_free(b->m);
	b->cache = cache;
	umount2(dir, MNT_DETACH);
}

int main(int argc, char **argv)
{
	struct tap t = {};
	struct kernel kernel = {};
	struct bench b;
	bool root = geteuid() == 0;

	TAP_HEADER();
	if (!root || !bench_kernel("qemu", &kernel, "/tmp")) {
		ok(&t, true, "ready # SKIP %s", root ? "no kernel in the cache" : "needs root");
		return tap_done(&t);
	}
	bench_init(&b, &t, &kernel);
	if (argc > 1 && strcmp(argv[1], "disk") == 0) {
		test_disk_full(&b);
		bench_done(&b);
		kernel_done(&kernel);
		return tap_done(&t);
	}
	test_made(&b);
	test_identity(&b);
	test_refused(&b);
	test_damaged(&b);
	test_foreign(&b);
	test_maker_killed(&b);
	b.m = machine_free(b.m);
	{
		_free_ char *dir = path_join(b.cache, "ready");

		dir_remove(dir, NULL);
	}
	test_several(&b);
	test_disk_full(&b);
	bench_done(&b);
	kernel_done(&kernel);
	return tap_done(&t);
}
