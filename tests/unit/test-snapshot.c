/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines that are kept: found again as they were, or not at all. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "machine/pages.h"
#include "machine/snapshot.h"
#include "tap.h"

#define RAM     (16u << 20)
#define CONSOLE "[    0.000000] Linux version\n"

static int anonymous(uint64_t size)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		abort();
	return fd;
}

/* Memory with something in its first, a middle and its last page. */
static int memory(void)
{
	int fd = anonymous(RAM);

	if (pwrite(fd, "first", 5, 0) != 5 || pwrite(fd, "middle", 6, 5 * 4096 + 100) != 6 ||
	    pwrite(fd, "last", 4, RAM - 4) != 4)
		abort();
	return fd;
}

static int save_state(const char *cache, struct str key, const char *bytes)
{
	_cleanup_(closep) int ram = memory(), state = anonymous(0), lock = -1;
	struct snapshot_parts p = { ram, state, RAM, STR(CONSOLE) };

	if (write(state, bytes, strlen(bytes)) != (ssize_t)strlen(bytes))
		abort();
	if (snapshot_lock(cache, &lock, NULL) != 1)
		return -EBUSY;
	return snapshot_save(cache, key, &p, NULL);
}

static int save(const char *cache, struct str key)
{
	return save_state(cache, key, "devices");
}

/* Found and whole: 1, as snapshot_open() and snapshot_check() have it. */
static int find(const char *cache, struct str key, int copy_to)
{
	struct snapshot s;
	int r = snapshot_open(cache, key, &s, NULL);

	if (r > 0 && snapshot_check(cache, key, &s, copy_to, NULL) < 0)
		r = -EBADMSG;
	snapshot_done(&s);
	return r;
}

static bool same(int a, int b)
{
	char *x = mmap(NULL, RAM, PROT_READ, MAP_SHARED, a, 0);
	char *y = mmap(NULL, RAM, PROT_READ, MAP_SHARED, b, 0);
	bool r = x != MAP_FAILED && y != MAP_FAILED && memcmp(x, y, RAM) == 0;

	munmap(x, RAM);
	munmap(y, RAM);
	return r;
}

/* Where the file @name of the one with that key is. */
static char *file_of(const char *cache, struct str key, const char *name)
{
	return xasprintf("%s/ready/%016llx/%s", cache,
			 (unsigned long long)str_hash(key, STR_HASH_INIT), name);
}

static void test_found(struct tap *t, const char *cache)
{
	static const struct str key = STR("qemu 7.2\nimage a\n");
	_free_ char *path = file_of(cache, key, "ram");
	_cleanup_(closep) int want = memory(), copy = anonymous(RAM);
	struct snapshot s = SNAPSHOT_NONE;
	struct stat st = {};
	char state[16] = "";
	uint64_t bytes;
	unsigned n;

	is_int(t, find(cache, key, -1), 0, "none yet");
	is_int(t, save(cache, key), 0, "kept");
	is_int(t, snapshot_open(cache, key, &s, NULL), 1, "found");
	is_int(t, snapshot_check(cache, key, &s, copy, NULL), 0, "- whole");
	fstat(copy, &st); /* before a look at it fills its holes */
	ok(t, (uint64_t)st.st_blocks * 512 < RAM / 2, "- its copy has holes");
	ok(t, same(want, s.ram) && same(want, copy), "- the memory is the same, and its copy");
	is_int(t, (int64_t)s.bytes, 3 * 4096, "- and what it held");
	ok(t, pread(s.state, state, sizeof(state), 0) == 7 && strcmp(state, "devices") == 0,
	   "- and its devices");
	is_str(t, buf_str(&s.console).p, CONSOLE, "- and what it had said");
	snapshot_done(&s);
	stat(path, &st);
	is_int(t, st.st_mode & 07777, 0600, "nobody else reads it");
	ok(t, (uint64_t)st.st_blocks * 512 < RAM / 2, "it has holes");
	snapshot_usage(cache, &n, &bytes);
	ok(t, n == 1 && bytes >= 3 * 4096 && bytes < RAM, "its use of the disk is told");
	is_int(t, find(cache, STR("qemu 7.3\nimage a\n"), -1), 0, "not that of another QEMU");
	is_int(t, save_state(cache, key, "others"), 0, "replaced");
	is_int(t, find(cache, key, -1), 1, "- by a whole one");
}

/* What is done to one of its files. @cut: to this size; else a bit at @flip. */
static const struct {
	const char *name, *file;
	off_t cut, flip;
	bool gone;
} DAMAGE[] = {
	{ "memory cut short", "ram", RAM / 2, 0, false },
	{ "memory cut to no page", "ram", 100, 0, false },
	{ "memory that is empty", "ram", 0, 0, false },
	{ "memory that has grown", "ram", RAM + 4096, 0, false },
	{ "a bit of memory", "ram", -1, 3, false },
	{ "a bit of the last page", "ram", -1, RAM - 2, false },
	{ "a bit where there was nothing", "ram", -1, 9 * 4096, false },
	{ "no memory", "ram", -1, 0, true },
	{ "state cut short", "state", 3, 0, false },
	{ "state that is empty", "state", 0, 0, false },
	{ "state that has grown by zeroes", "state", 8, 0, false },
	{ "a bit of the state", "state", -1, 6, false },
	{ "no state", "state", -1, 0, true },
	{ "a bit of the console", "console", -1, 6, false },
	{ "no console", "console", -1, 0, true },
	{ "head cut short", "head", 20, 0, false },
	{ "head that is empty", "head", 0, 0, false },
	{ "a head of a newer form", "head", -1, 14, false },
	{ "a bit of a sum", "head", -1, 24, false },
	{ "a bit of the key", "head", -1, 130, false },
	{ "no head", "head", -1, 0, true },
};

static void test_damaged(struct tap *t, const char *cache)
{
	static const struct str key =
		STR("qemu 7.2\nimage b, and all of the other facts that a machine depends on\n");

	for (size_t i = 0; i < ARRAY_SIZE(DAMAGE); i++) {
		_free_ char *path = file_of(cache, key, DAMAGE[i].file);
		_cleanup_(closep) int fd = -1, copy = anonymous(RAM);
		char byte = 0;

		is_int(t, save(cache, key), 0, "kept");
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (DAMAGE[i].gone) {
			unlink(path);
		} else if (DAMAGE[i].cut >= 0) {
			is_int(t, ftruncate(fd, DAMAGE[i].cut), 0, "- cut");
		} else {
			is_int(t, pread(fd, &byte, 1, DAMAGE[i].flip), 1, "- read");
			byte ^= 4;
			is_int(t, pwrite(fd, &byte, 1, DAMAGE[i].flip), 1, "- changed");
		}
		is_int(t, find(cache, key, i % 2 ? copy : -1), -EBADMSG, DAMAGE[i].name);
		is_int(t, find(cache, key, -1), 0, "- and it is gone");
	}
}

static void test_foreign(struct tap *t, const char *cache)
{
	static const struct str a = STR("facts a\n"), b = STR("facts b\n");
	_free_ char *head_a = file_of(cache, a, "head"), *head_b = file_of(cache, b, "head");
	_free_ char *of_a = path_dir(head_a), *of_b = path_dir(head_b);

	save(cache, a);
	is_int(t, rename(of_a, of_b), 0, "one that was made for other facts");
	is_int(t, find(cache, b, -1), -EBADMSG, "- is not taken");
	dir_make(of_b, NULL);
	is_int(t, find(cache, b, -1), -EBADMSG, "an empty directory is none");
	is_int(t, find(cache, b, -1), 0, "- and it is gone");
}

static void test_makers(struct tap *t, const char *cache)
{
	_free_ char *left = xasprintf("%s/ready/.new-left", cache);
	_free_ char *part = path_join(left, "ram");
	_cleanup_(closep) int lock = -1, other = -1, ram = anonymous(SNAPSHOT_BYTES_MAX + RAM);
	struct snapshot_parts p = { ram, ram, SNAPSHOT_BYTES_MAX + RAM, STR_NONE };
	static const char full[4096] = "full";

	dir_make(left, NULL);
	close(open(part, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	is_int(t, snapshot_lock(cache, &lock, NULL), 1, "one may make one");
	ok(t, !file_exists(left), "- and what a maker left that was killed is removed");
	is_int(t, snapshot_lock(cache, &other, NULL), 0, "- and no other meanwhile");
	p.state = p.ram;
	is_int(t, snapshot_save(cache, STR("x\n"), &p, NULL), -EFBIG,
	       "nothing but holes for memory: its state is as large, and that is too much");
	is_int(t, pwrite(ram, full, sizeof(full), 0), sizeof(full), "a page of memory");
	p.size = 4095;
	ok(t, snapshot_save(cache, STR("x\n"), &p, NULL) < 0, "memory of no whole pages is none");
	is_int(t, find(cache, STR("x\n"), -1), 0, "- and there is nothing of it");
}

static void test_bounds(struct tap *t, const char *cache)
{
	char key[32];
	uint64_t bytes;
	unsigned n;

	for (unsigned i = 0; i < SNAPSHOT_MAX + 2; i++) {
		snprintf(key, sizeof(key), "number %u\n", i);
		save(cache, str_of(key));
		if (i > 1)
			snapshot_worked(cache, STR("number 1\n"));
	}
	snapshot_usage(cache, &n, &bytes);
	is_int(t, n, SNAPSHOT_MAX, "so many are kept");
	is_int(t, find(cache, STR("number 0\n"), -1), 0, "the one used least lately goes");
	is_int(t, find(cache, STR("number 1\n"), -1), 1, "one that is used stays");
	is_int(t, find(cache, str_of(key), -1), 1, "the last one stays");
}

static void test_refused(struct tap *t, const char *cache)
{
	const struct timespec long_ago[2] = { { time(NULL) - 4000, 0 }, { time(NULL) - 4000, 0 } };
	_free_ char *refused = file_of(cache, STR("bad\n"), "refused");
	_cleanup_(closep) int lock = -1;
	struct snapshot s;
	struct err err = {};

	save(cache, STR("good\n"));
	save(cache, STR("bad\n"));
	snapshot_worked(cache, STR("good\n"));
	is_int(t, snapshot_lock(cache, &lock, NULL), 1, "the lock");
	is_int(t, snapshot_failed(cache, STR("good\n"), "no reason"), 0,
	       "one that worked and fails is removed");
	is_int(t, find(cache, STR("good\n"), -1), 0, "- and may be made again");
	is_int(t, snapshot_failed(cache, STR("bad\n"), "QEMU said no"), 1,
	       "one that never worked is not tried again");
	is_int(t, snapshot_open(cache, STR("bad\n"), &s, &err), -ENOTSUP, "- but refused");
	snapshot_done(&s);
	is_str(t, err.text, "QEMU said no", "- with the reason");
	utimensat(AT_FDCWD, refused, long_ago, 0);
	is_int(t, find(cache, STR("bad\n"), -1), 0, "- nor for ever");
	for (unsigned i = 0; i < 40; i++) {
		char key[32];

		snprintf(key, sizeof(key), "refused %u\n", i);
		snapshot_refuse(cache, str_of(key), "no");
	}
	is_int(t, find(cache, STR("refused 0\n"), -1), 0, "so many refusals are kept, no more");
	is_int(t, find(cache, STR("refused 39\n"), -1), -ENOTSUP, "- but the last ones");
}

int main(void)
{
	_cleanup_(dir_removep) char *cache = NULL;
	struct tap t = {};

	TAP_HEADER();
	if (dir_temp("/tmp", "taproom-snapshot-", &cache, NULL) < 0)
		return 1;
	test_found(&t, cache);
	test_damaged(&t, cache);
	test_foreign(&t, cache);
	test_makers(&t, cache);
	test_bounds(&t, cache);
	test_refused(&t, cache);
	return tap_done(&t);
}
