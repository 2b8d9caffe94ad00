/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/splat.h"

#include "base/mem.h"
#include "tap/parse.h"

/*
 * Texts: lib/bug.c, kernel/panic.c, mm/kasan/report.c, kernel/locking/lockdep.c,
 * kernel/watchdog.c, kernel/rcu/tree_stall.h, kernel/hung_task.c, mm/oom_kill.c,
 * arch/x86/kernel/{dumpstack,traps}.c, arch/um/kernel/um_arch.c, as of 6.12.
 */
static const struct splat_kind KINDS[] = {
	{ "panic", STR("Kernel panic - not syncing") },
	{ "kasan", STR("BUG: KASAN:"), .last = STR("=================") },
	{ "kfence", STR("BUG: KFENCE:"), .last = STR("=================") },
	{ "kmsan", STR("BUG: KMSAN:"), .last = STR("=====") },
	{ "kcsan", STR("BUG: KCSAN:"), .last = STR("=================") },
	{ "ubsan", STR("UBSAN: ") },
	{ "refcount", STR("refcount_t: ") },
	{ "list-corruption", STR("list_add corruption") },
	{ "list-corruption", STR("list_del corruption") },
	{ "lockdep", STR("WARNING: possible circular locking dependency") },
	{ "lockdep", STR("WARNING: possible recursive locking") },
	{ "lockdep", STR("WARNING: possible irq lock inversion") },
	{ "lockdep", STR("WARNING: inconsistent lock state") },
	{ "lockdep", STR("WARNING: bad unlock balance") },
	{ "lockdep", STR("WARNING: held lock freed") },
	{ "lockdep", STR("WARNING: lock held when returning to user space") },
	{ "lockdep", STR("WARNING: suspicious RCU usage") },
	{ "lockdep", STR("WARNING: Nested lock was not taken") },
	{ "lockdep", STR("INFO: trying to register non-static key") },
	{ "lockdep", STR("BUG: MAX_LOCKDEP_") },
	{ "soft-lockup", STR("watchdog: BUG: soft lockup"), .title = "BUG: soft lockup" },
	{ "soft-lockup", STR("BUG: soft lockup"), .title = "BUG: soft lockup" },
	{ "hard-lockup", STR("Watchdog detected hard LOCKUP"), true,
	  .title = "BUG: hard lockup" },
	{ "rcu-stall", STR("rcu: INFO: "), .also = STR("detected"), .title = "RCU stall" },
	{ "rcu-stall", STR("INFO: rcu_"), .also = STR("detected"), .title = "RCU stall" },
	{ "hung-task", STR("INFO: task "), .also = STR("blocked for more than"),
	  .title = "hung task" },
	{ "oom", STR("invoked oom-killer"), true, .title = "out of memory",
	  .last = STR("Out of memory: Killed process") },
	{ "page-alloc", STR("page allocation failure"), true,
	  .title = "page allocation failure" },
	{ "kmemleak", STR("kmemleak: "), .also = STR("new suspected memory leak"),
	  .title = "suspected memory leaks" },
	{ "netdev-unregister", STR("unregister_netdevice: waiting for") },
	{ "ref-tracker", STR("ref_tracker: "), .also = STR("has") },
	{ "double-fault", STR("traps: PANIC: double fault"), .title = "double fault" },
	{ "double-fault", STR("PANIC: double fault"), .title = "double fault" },
	{ "double-fault", STR("Oops: double fault"), .title = "double fault" },
	{ "gpf", STR("general protection fault"), .title = "general protection fault" },
	{ "gpf", STR("Oops: general protection fault"), .title = "general protection fault" },
	{ "bug", STR("kernel BUG at "), .title = "kernel BUG" },
	{ "bug", STR("BUG: failure at "), .title = "kernel BUG" },
	{ "oops", STR("BUG: kernel NULL pointer dereference"),
	  .title = "BUG: kernel NULL pointer dereference" },
	{ "oops", STR("BUG: unable to handle page fault"),
	  .title = "BUG: unable to handle page fault" },
	{ "oops", STR("BUG: unable to handle kernel"),
	  .title = "BUG: unable to handle page fault" },
	{ "oops", STR("Unable to handle kernel") },
	{ "oops", STR("Internal error: Oops") },
	{ "oops", STR("Oops: ") },
	{ "bug", STR("BUG: sleeping function called from invalid context"),
	  .title = "BUG: sleeping function called from invalid context" },
	{ "bug", STR("BUG: scheduling while atomic"), .title = "BUG: scheduling while atomic" },
	{ "bug", STR("BUG: Bad page state"), .title = "BUG: Bad page state" },
	{ "bug", STR("BUG: ") },
	{ "warning", STR("WARNING: CPU: "), .title = "WARNING" },
	{ "warning", STR("WARNING: "), .also = STR("+0x"), .title = "WARNING" },
};

const bool SPLAT_FIRST[256] = {
	['['] = true, ['<'] = true, ['K'] = true, ['B'] = true, ['U'] = true, ['r'] = true,
	['l'] = true, ['W'] = true, ['I'] = true, ['w'] = true, ['k'] = true, ['u'] = true,
	['t'] = true, ['P'] = true, ['O'] = true, ['g'] = true, ['-'] = true, ['\0'] = true,
	['\x1b'] = true,
};

const struct splat_kind *splat_headline(struct str line)
{
	for (size_t i = 0; i < ARRAY_SIZE(KINDS); i++) {
		const struct splat_kind *k = &KINDS[i];

		if (k->inside ? str_find(line, k->text) < 0 : !str_starts(line, k->text))
			continue;
		if (!k->also.n || str_find(line, k->also) >= 0)
			return k;
	}
	return NULL;
}

static bool is_symbol(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
	       c == '.';
}

struct str splat_function(struct str line)
{
	ptrdiff_t at = str_find(line, STR("+0x"));
	size_t from, end;

	if (at < 0) { /* UML's "BUG: failure at file.c:105/lkdtm_BUG()!" */
		at = str_find(line, STR("()!"));
		if (at < 0)
			return STR("");
	}
	from = end = (size_t)at;
	while (from && is_symbol(line.p[from - 1]))
		from--;
	/* "foo.isra.0", "foo.constprop.0": compilers' names for a copy. */
	for (size_t i = from + 1; i < end; i++)
		if (line.p[i] == '.')
			end = i;
	return str_n(line.p + from, end - from);
}

bool splat_is_reporter(struct str f)
{
	static const struct str NAMES[] = {
		STR("_printk"), STR("vprintk"), STR("show_stack"), STR("dump_stack"),
		STR("dump_stack_lvl"), STR("dump_stack_print_info"), STR("panic"),
		STR("vpanic"),
		STR("__warn"), STR("warn_slowpath_fmt"), STR("report_bug"), STR("handle_bug"),
		STR("exc_invalid_op"), STR("asm_exc_invalid_op"), STR("exc_page_fault"),
		STR("asm_exc_page_fault"), STR("asm_exc_debug"), STR("__die"), STR("die"),
		STR("page_fault_oops"), STR("print_report"), STR("kasan_report"),
		STR("print_address_description"), STR("check_panic_on_warn"),
		STR("sched_show_task"),
		STR("oops_end"), STR("do_user_addr_fault"), STR("dump_header"),
		STR("um_set_signals"), STR("segv"), STR("segv_handler"),
		STR("sig_handler_common"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
		if (str_eq(f, NAMES[i]))
			return true;
	return false;
}

/* Without "+0x12/0x34". */
static void add_without_offsets(struct buf *b, struct str s)
{
	while (s.n) {
		ptrdiff_t at = str_find(s, STR("+0x"));
		size_t n = at < 0 ? s.n : (size_t)at;

		buf_add(b, s.p, n);
		s = str_from(s, n);
		while (s.n && s.p[0] != ' ' && s.p[0] != ',' && s.p[0] != ')')
			s = str_from(s, 1);
	}
}

void splat_title(struct buf *b, const struct splat_kind *kind, struct str line,
		 struct str function)
{
	struct buf plain = {};
	struct str own = splat_function(line);

	if (str_starts(line, STR("BUG: K"))) /* KASAN and its family */
		line = str_from(line, 5);
	if (kind->title)
		buf_add_str(b, str_of(kind->title));
	else {
		add_without_offsets(&plain, line);
		tap_key_append(b, buf_str(&plain));
	}
	if (own.n)
		function = own;
	if (function.n && (kind->title || !own.n) && strcmp(kind->kind, "panic") != 0)
		buf_printf(b, " in %.*s", STR_FMT(function));
	buf_done(&plain);
}
