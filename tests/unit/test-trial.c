/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is tried once and remembered: a kvm, and the board of a cold boot. */
#include <stdio.h>

#include "base/file.h"
#include "base/mem.h"
#include "machine/board.h"
#include "tap.h"

/* By host boot, VMM and kernel: another of any of them is tried anew. */
static void test_accel(struct tap *t, const char *dir)
{
	static const struct {
		const char *vmm, *image;
		int learn; /* -1: nothing, 0, 1 */
		int want;
		bool trial;
		const char *says, *what;
	} rows[] = {
		{ "/vmm", "/image", -1, 1, true, "good", "before the first boot" },
		{ "/vmm", "/image", 1, 1, false, "good; a guest reached", "after a good one" },
		{ "/vmm", "/image", 0, 0, false, "did not boot this kernel: it hung", "a bad one" },
		{ "/vmm", "/image2", -1, 1, true, "good", "another kernel" },
		{ "/vmm2", "/image", -1, 1, true, "good", "another VMM" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct trial_pair pair = { rows[i].vmm, rows[i].image };
		struct accel a = { .name = "kvm", .why = "good" };
		int r;

		if (rows[i].learn >= 0)
			accel_learn(dir, &pair, rows[i].learn, "it hung");
		r = accel_tried(dir, &pair, &a);
		ok(t, r == rows[i].want && a.trial == rows[i].trial && strstr(a.why, rows[i].says),
		   "kvm, %s", rows[i].what);
	}
}

#define CAN "CONFIG_ACPI=y\nCONFIG_PCI_MMCONFIG=y\n"

/* A kernel that can have it, but for one thing. */
static const struct {
	const char *what;
	const char *config; /* of the kernel; NULL: unknown */
	enum machine_stage stage;
	bool no_tsc, kvm, kvm_trial, opts, failed, once, gdb;
	const char *board;
	bool trial;
} BOARDS[] = {
	{ "one that can", CAN, .board = "microvm", .trial = true },
	{ "to be kept", CAN, .stage = MACHINE_MAKE, .board = "pc" },
	{ "that was kept", CAN, .stage = MACHINE_READY, .board = "pc" },
	{ "an unknown .config", NULL, .board = "q35" },
	{ "no ACPI", "CONFIG_PCI_MMCONFIG=y\n", .board = "q35" },
	{ "no PCI_MMCONFIG", "CONFIG_ACPI=y\n", .board = "q35" },
	{ "a clock of unknown speed", CAN, .no_tsc = true, .board = "q35" },
	{ "the same on kvm", CAN, .no_tsc = true, .kvm = true, .board = "microvm", .trial = true },
	{ "a kvm that is on trial", CAN, .kvm = true, .kvm_trial = true, .board = "q35" },
	{ "options for a PC", CAN, .opts = true, .board = "q35" },
	{ "a trial that failed", CAN, .failed = true, .board = "q35" },
	{ "no second boot", CAN, .once = true, .board = "q35" },
	{ "a debugger", CAN, .gdb = true, .board = "q35" },
};

static void board_row(struct tap *t, const char *dir, size_t i)
{
	static const char *const none[] = { NULL }, *const some[] = { "-device", "sga", NULL };
	struct machine m = { .run = MACHINE_RUN_NONE, .accel_trial = BOARDS[i].kvm_trial,
			     .facts.accel = BOARDS[i].kvm ? "kvm" : "tcg" };
	struct qemu q = { .m = &m, .program = (char *)"/vmm", .guest.config = &m.config };
	const char *board;

	m.config = (struct machine_config){ .image = "/image", .cache_dir = dir,
					    .qemu_opts = BOARDS[i].opts ? some : none,
					    .once = BOARDS[i].once, .gdb = BOARDS[i].gdb };
	m.run.keep.stage = BOARDS[i].stage;
	m.board_failed = BOARDS[i].failed;
	q.tcg = !BOARDS[i].kvm;
	q.tsc_khz = BOARDS[i].no_tsc ? 0 : 2000000;
	if (BOARDS[i].config)
		buf_add_str(&q.guest.text, str_of(BOARDS[i].config));
	board = board_choose(&q);
	ok(t, str_starts(str_of(board), str_of(BOARDS[i].board)) &&
	      m.board_trial == BOARDS[i].trial,
	   "board, %s: %s", BOARDS[i].what, board);
	buf_done(&q.guest.text);
}

/* The board that the one that can gets, tried or not. */
static void board_after(struct tap *t, const char *dir, struct machine *m, const char *board,
			bool trial, const char *what)
{
	struct qemu q = { .m = m, .program = (char *)"/vmm", .tsc_khz = 2000000,
			  .guest.config = &m->config };
	const char *is;

	buf_add_str(&q.guest.text, STR(CAN));
	is = board_choose(&q);
	ok(t, str_starts(str_of(is), str_of(board)) && m->board_trial == trial, "board, %s: %s",
	   what, is);
	buf_done(&q.guest.text);
}

static void test_boards(struct tap *t, const char *dir)
{
	static const char *const none[] = { NULL };
	struct machine m = { .run = MACHINE_RUN_NONE, .facts.accel = "tcg" };

	for (size_t i = 0; i < ARRAY_SIZE(BOARDS); i++)
		board_row(t, dir, i);
	m.config = (struct machine_config){ .image = "/image", .cache_dir = dir,
					    .qemu_opts = none, .once = true, .gdb = true };
	m.board_trial = true;
	board_booted(&m, "/vmm");
	board_after(t, dir, &m, "microvm", false, "after a good trial, whoever asks");
	m.facts.accel = "kvm";
	m.config.once = m.config.gdb = false;
	board_after(t, dir, &m, "microvm", true, "on another accelerator it is tried anew");
	m.facts.accel = "tcg";
	m.board_trial = true;
	ok(t, board_again(&m, "it hung") && !board_again(&m, "it hung"),
	   "board, a trial that failed is followed by another boot, once");
	board_after(t, dir, &m, "q35", false, "that boot");
	board_booted(&m, "/vmm");
	m.board_failed = false;
	board_after(t, dir, &m, "q35", false, "after it, for the next machine");
}

int main(void)
{
	_cleanup_(dir_removep) char *dir = NULL;
	struct tap t = {};

	TAP_HEADER();
	dir_temp("/tmp", "taproom-trial-", &dir, NULL);
	test_accel(&t, dir);
	test_boards(&t, dir);
	return tap_done(&t);
}
