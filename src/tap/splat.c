/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/splat.h"

#include "base/mem.h"

#define ALLOC "kmalloc,kcalloc,kzalloc,krealloc,vmalloc,kvmalloc,kmem,slab,alloc"
#define DEADLOCK "possible deadlock in %f"

/*
 * Texts: lib/{bug,list_debug,refcount,ref_tracker,ubsan}.c, kernel/panic.c,
 * mm/{kasan,kfence,kmsan}/report*.c, kernel/kcsan/report.c,
 * kernel/locking/{lockdep,spinlock_debug}.c, kernel/{watchdog,hung_task,workqueue}.c,
 * kernel/rcu/{tree_stall,tree_exp,tasks}.h, kernel/sched/core.c,
 * mm/{oom_kill,page_alloc,kmemleak,slub,memory}.c, net/core/dev.c,
 * arch/x86/kernel/{dumpstack,traps}.c, arch/x86/mm/{fault,extable}.c,
 * arch/arm64/{kernel/traps,mm/fault}.c, arch/um/kernel/{um_arch,sysrq,trap}.c, as of 6.12.
 */
static const struct splat_kind KINDS[] = {
	{ "panic", STR("Kernel panic - not syncing: Kernel mode fault at"),
	  .title = "kernel panic: Kernel mode fault in %f", .place = SPLAT_TRACE,
	  .flags = SPLAT_FATAL },
	{ "panic", STR("Kernel panic - not syncing: stack-protector: "),
	  .title = "kernel panic: stack is corrupted in %f", .place = SPLAT_TRACE,
	  .flags = SPLAT_FATAL, .skip = "stack_chk" },
	{ "panic", STR("Kernel panic - not syncing: corrupted stack end"),
	  .title = "kernel panic: corrupted stack end in %f", .place = SPLAT_STALL,
	  .flags = SPLAT_FATAL, .skip = "schedule" },
	{ "panic", STR("Kernel panic - not syncing: Attempted to kill init!"),
	  .title = "kernel panic: Attempted to kill init!", .flags = SPLAT_FATAL },
	{ "panic", STR("Kernel panic - not syncing: "), .title = "kernel panic: %r",
	  .flags = SPLAT_FATAL },
	{ "panic", STR("Kernel panic - not syncing"), .title = "kernel panic",
	  .flags = SPLAT_FATAL },
	{ "panic", STR("PANIC: early exception"), .title = "PANIC: early exception in %f",
	  .place = SPLAT_TRACE, .flags = SPLAT_BARE | SPLAT_FATAL },

	{ "kasan", STR("BUG: KASAN: double-free in "), .title = "KASAN: double-free in %f",
	  .place = SPLAT_TRACE, .skip = "kmem_,slab_,kfree,vunmap,vfree", .last = STR("=====") },
	{ "kasan", STR("BUG: KASAN: invalid-free in "), .title = "KASAN: invalid-free in %f",
	  .place = SPLAT_TRACE, .skip = "kmem_,slab_,kfree,vunmap,vfree", .last = STR("=====") },
	{ "kasan", STR("BUG: KASAN: double-free or invalid-free in "),
	  .title = "KASAN: invalid-free in %f", .place = SPLAT_TRACE,
	  .skip = "kmem_,slab_,kfree,vunmap,vfree", .last = STR("=====") },
	{ "kasan", STR("BUG: KASAN: "), .title = "KASAN: %b in %f", .place = SPLAT_TRACE,
	  .last = STR("=====") },
	{ "kfence", STR("BUG: KFENCE: "), .title = "KFENCE: %b in %f", .place = SPLAT_TRACE,
	  .flags = SPLAT_TRACE_NOW, .last = STR("=====") },
	{ "kmsan", STR("BUG: KMSAN: "), .title = "KMSAN: %b in %f", .place = SPLAT_TRACE,
	  .flags = SPLAT_TRACE_NOW, .last = STR("=====") },
	{ "kcsan", STR("BUG: KCSAN: "), .title = "KCSAN: %r", .flags = SPLAT_TRACE_NOW,
	  .last = STR("=====") },
	{ "ubsan", STR("UBSAN: "), .title = "UBSAN: %b in %f", .place = SPLAT_TRACE,
	  .skip = "ubsan,overflow", .last = STR("---[ end trace") },

	{ "refcount", STR("refcount_t: "), .title = "WARNING: refcount bug in %f",
	  .place = SPLAT_TRACE, .skip = "refcount,kobject_" },
	{ "list-corruption", STR("list_add corruption"), .title = "BUG: corrupted list in %f",
	  .place = SPLAT_TRACE, .flags = SPLAT_BEFORE_CUT, .skip = "list_" },
	{ "list-corruption", STR("list_add double add"), .title = "BUG: corrupted list in %f",
	  .place = SPLAT_TRACE, .flags = SPLAT_BEFORE_CUT, .skip = "list_" },
	{ "list-corruption", STR("list_del corruption"), .title = "BUG: corrupted list in %f",
	  .place = SPLAT_TRACE, .flags = SPLAT_BEFORE_CUT, .skip = "list_" },

	{ "lockdep", STR("WARNING: possible circular locking dependency"), .title = DEADLOCK,
	  .place = SPLAT_LOCK, .flags = SPLAT_TRACE_ENDS },
	{ "lockdep", STR("WARNING: possible recursive locking"), .title = DEADLOCK,
	  .place = SPLAT_LOCK, .flags = SPLAT_TRACE_ENDS },
	{ "lockdep", STR("WARNING: possible irq lock inversion"), .title = DEADLOCK,
	  .place = SPLAT_LOCK, .flags = SPLAT_TRACE_ENDS },
	{ "lockdep", STR("WARNING: "), .also = STR("-unsafe lock order detected"),
	  .title = DEADLOCK, .place = SPLAT_LOCK, .flags = SPLAT_TRACE_ENDS },
	{ "lockdep", STR("WARNING: inconsistent lock state"),
	  .title = "inconsistent lock state in %f", .place = SPLAT_LOCK,
	  .flags = SPLAT_TRACE_ENDS },
	{ "lockdep", STR("WARNING: bad unlock balance"),
	  .title = "WARNING: bad unlock balance in %f", .place = SPLAT_LOCK,
	  .flags = SPLAT_TRACE_ENDS },
	{ "lockdep", STR("WARNING: bad contention"), .title = "WARNING: bad contention in %f",
	  .place = SPLAT_LOCK, .flags = SPLAT_TRACE_ENDS },
	{ "lockdep", STR("WARNING: held lock freed"), .title = "WARNING: held lock freed in %f",
	  .place = SPLAT_LOCK, .flags = SPLAT_TRACE_ENDS },
	{ "lockdep", STR("WARNING: lock held when returning to user space"),
	  .title = "WARNING: lock held when returning to user space in %f",
	  .place = SPLAT_LOCK },
	{ "lockdep", STR("WARNING: "), .also = STR("still has locks held"),
	  .title = "WARNING: still has locks held in %f", .place = SPLAT_LOCK,
	  .flags = SPLAT_TRACE_ENDS },
	{ "lockdep", STR("WARNING: Nested lock was not taken"),
	  .title = "WARNING: Nested lock was not taken in %f", .place = SPLAT_TRACE,
	  .flags = SPLAT_TRACE_ENDS, .skip = "lock" },
	{ "lockdep", STR("WARNING: suspicious RCU usage"),
	  .title = "WARNING: suspicious RCU usage in %f", .place = SPLAT_TRACE,
	  .flags = SPLAT_TRACE_ENDS, .skip = "rcu," ALLOC },
	{ "lockdep", STR("WARNING: chain_key collision"), .title = "WARNING: chain_key collision" },
	{ "lockdep", STR("[ BUG: Invalid wait context ]"),
	  .title = "BUG: Invalid wait context in %f", .place = SPLAT_LOCK,
	  .flags = SPLAT_TRACE_ENDS },
	{ "lockdep", STR("INFO: trying to register non-static key"),
	  .title = "INFO: trying to register non-static key in %f", .place = SPLAT_TRACE,
	  .flags = SPLAT_TRACE_ENDS, .skip = "stack,lock,IRQ" },
	{ "lockdep", STR("BUG: MAX_LOCK"), .flags = SPLAT_TRACE_ENDS },
	{ "lockdep", STR("BUG: key "), .also = STR("has not been registered"),
	  .title = "BUG: key has not been registered in %f", .place = SPLAT_TRACE },

	{ "soft-lockup", STR("BUG: soft lockup"), .title = "BUG: soft lockup in %f",
	  .place = SPLAT_STALL, .flags = SPLAT_INSIDE | SPLAT_LOOSE },
	{ "hard-lockup", STR("Watchdog detected hard LOCKUP"), .title = "BUG: hard lockup in %f",
	  .place = SPLAT_STALL, .flags = SPLAT_INSIDE | SPLAT_LOOSE },
	{ "rcu-stall", STR("INFO: rcu_"), .also = STR("detected"),
	  .title = "INFO: rcu detected stall in %f", .place = SPLAT_STALL,
	  .flags = SPLAT_LOOSE, .skip = "apic_timer_interrupt,rcu" },
	{ "hung-task", STR("INFO: task "), .also = STR("blocked for more than"),
	  .title = "INFO: task hung in %f", .place = SPLAT_HUNG, .flags = SPLAT_LOOSE },
	{ "hung-task", STR("INFO: task "), .also = STR("blocked in I/O wait for more than"),
	  .title = "INFO: task hung in %f", .place = SPLAT_HUNG, .flags = SPLAT_LOOSE },

	{ "oom", STR(" invoked oom-killer: "), .title = "out of memory", .flags = SPLAT_INSIDE |
	  SPLAT_LOOSE, .last = STR("Killed process") },
	{ "page-alloc", STR(": page allocation failure: order:"),
	  .title = "page allocation failure in %f", .place = SPLAT_TRACE, .flags = SPLAT_INSIDE,
	  .skip = ALLOC },
	{ "kmemleak", STR("unreferenced object 0x"), .title = "memory leak in %f",
	  .place = SPLAT_TRACE, .flags = SPLAT_BARE | SPLAT_TRACE_ENDS,
	  .skip = "kmemleak,mmap,create_object,idr_get,list_lru_init,kasprintf,kvasprintf,"
		  "pcpu_create,strdup,strndup,memdup," ALLOC },
	{ "kmemleak", STR("BUG: memory leak"), .title = "memory leak in %f",
	  .place = SPLAT_TRACE, .flags = SPLAT_TRACE_ENDS,
	  .skip = "kmemleak,mmap,create_object,idr_get,list_lru_init,kasprintf,kvasprintf,"
		  "pcpu_create,strdup,strndup,memdup," ALLOC },
	{ "kmemleak", STR("kmemleak: "), .also = STR("new suspected memory leak"),
	  .title = "memory leak suspected by kmemleak", .flags = SPLAT_ONE_LINE },
	{ "netdev-unregister", STR("unregister_netdevice: waiting for "),
	  .title = "unregister_netdevice: waiting for DEV to become free",
	  .flags = SPLAT_TRACE_NOW | SPLAT_LOOSE },
	{ "ref-tracker", STR("ref_tracker: "), .also = STR(" users at"),
	  .title = "ref_tracker: leaked reference in %f", .place = SPLAT_TRACE,
	  .flags = SPLAT_TRACE_NOW, .skip = "ref_tracker,netdev_hold,netdev_tracker,dst_init,"
	  "netdev_get_by,get_net_track,sk_alloc," ALLOC },
	{ "ref-tracker", STR("ref_tracker: reference already released"),
	  .title = "ref_tracker: reference already released in %f", .place = SPLAT_TRACE,
	  .skip = "ref_tracker,netdev_put" },

	{ "double-fault", STR("traps: PANIC: double fault"), .title = "PANIC: double fault in %f",
	  .place = SPLAT_TRACE, .flags = SPLAT_FATAL },
	{ "double-fault", STR("PANIC: double fault"), .title = "PANIC: double fault in %f",
	  .place = SPLAT_TRACE, .flags = SPLAT_FATAL },
	{ "double-fault", STR("Oops: double fault"), .title = "PANIC: double fault in %f",
	  .place = SPLAT_TRACE, .flags = SPLAT_FATAL },
	{ "gpf", STR("general protection fault"), .also = STR(": "),
	  .title = "general protection fault in %f", .place = SPLAT_TRACE },
	{ "gpf", STR("Oops: general protection fault"),
	  .title = "general protection fault in %f", .place = SPLAT_TRACE },

	{ "list-corruption", STR("kernel BUG at lib/list_debug.c:"),
	  .title = "BUG: corrupted list in %f", .place = SPLAT_TRACE, .skip = "list_" },
	{ "bug", STR("kernel BUG at mm/usercopy.c:"), .title = "BUG: bad usercopy in %f",
	  .place = SPLAT_TRACE, .skip = "usercopy,__check" },
	{ "bug", STR("kernel BUG at "), .title = "kernel BUG in %f", .place = SPLAT_TRACE },
	{ "bug", STR("Kernel BUG at "), .title = "kernel BUG in %f", .place = SPLAT_TRACE },
	{ "bug", STR("BUG: failure at "), .title = "kernel BUG in %f", .place = SPLAT_TRACE },

	{ "oops", STR("BUG: kernel NULL pointer dereference"),
	  .title = "BUG: unable to handle kernel NULL pointer dereference in %f",
	  .place = SPLAT_TRACE },
	{ "oops", STR("BUG: unable to handle kernel NULL pointer dereference"),
	  .title = "BUG: unable to handle kernel NULL pointer dereference in %f",
	  .place = SPLAT_TRACE },
	{ "oops", STR("BUG: unable to handle "),
	  .title = "BUG: unable to handle kernel paging request in %f", .place = SPLAT_TRACE },
	{ "oops", STR("Unable to handle kernel NULL pointer dereference"),
	  .title = "BUG: unable to handle kernel NULL pointer dereference in %f",
	  .place = SPLAT_TRACE },
	{ "oops", STR("Unable to handle kernel "),
	  .title = "BUG: unable to handle kernel paging request in %f", .place = SPLAT_TRACE },
	{ "oops", STR("BUG: "), .also = STR("stack guard page was hit at"),
	  .title = "BUG: stack guard page was hit in %f", .place = SPLAT_TRACE },
	{ "oops", STR("Internal error: "), .also = STR(" [#"), .title = "%d in %f",
	  .place = SPLAT_TRACE },
	{ "oops", STR("Oops: "), .title = "%d in %f", .place = SPLAT_TRACE, .flags = SPLAT_WEAK },
	{ "oops", STR(" [#"), .also = STR(": 0"), .title = "%d in %f", .place = SPLAT_TRACE,
	  .flags = SPLAT_INSIDE | SPLAT_WEAK },

	{ "bug", STR("BUG: sleeping function called from invalid context"),
	  .title = "BUG: sleeping function called from invalid context in %f",
	  .place = SPLAT_TRACE, .flags = SPLAT_TRACE_ENDS },
	{ "bug", STR("BUG: scheduling while atomic"),
	  .title = "BUG: scheduling while atomic in %f", .place = SPLAT_TRACE,
	  .flags = SPLAT_TRACE_ENDS, .skip = "schedule,context_switch" },
	{ "bug", STR("BUG: using "), .also = STR("in preemptible"),
	  .title = "BUG: using %b in preemptible code in %f", .place = SPLAT_TRACE,
	  .flags = SPLAT_TRACE_ENDS, .skip = "preempt" },
	{ "bug", STR("BUG: spinlock "), .title = "BUG: spinlock %b in %f", .place = SPLAT_TRACE,
	  .flags = SPLAT_TRACE_ENDS, .skip = "spin_" },
	{ "bug", STR("BUG: rwlock "), .title = "BUG: rwlock %b in %f", .place = SPLAT_TRACE,
	  .flags = SPLAT_TRACE_ENDS, .skip = "raw_,_lock" },
	{ "bug", STR("BUG: workqueue lockup"), .title = "BUG: workqueue lockup",
	  .flags = SPLAT_LOOSE },
	{ "bug", STR("BUG: workqueue leaked"),
	  .title = "BUG: workqueue leaked atomic, lock or RCU in %f", .place = SPLAT_LOCK,
	  .flags = SPLAT_TRACE_ENDS },
	{ "bug", STR("BUG: Bad page state"), .title = "BUG: Bad page state in %f",
	  .place = SPLAT_TRACE, .flags = SPLAT_TRACE_ENDS,
	  .skip = "free_,page,folio,pcp," ALLOC },
	{ "bug", STR("BUG: Bad page map"), .title = "BUG: Bad page map",
	  .flags = SPLAT_TRACE_ENDS },
	{ "bug", STR("BUG: Bad page cache"), .title = "BUG: Bad page cache",
	  .flags = SPLAT_TRACE_ENDS },
	{ "bug", STR("BUG: Bad rss-counter state"), .title = "BUG: Bad rss-counter state",
	  .flags = SPLAT_ONE_LINE },
	{ "bug", STR("BUG: non-zero pgtables_bytes"),
	  .title = "BUG: non-zero pgtables_bytes on freeing mm", .flags = SPLAT_ONE_LINE },
	{ "bug", STR("BUG: Dentry "), .also = STR("still in use"),
	  .title = "BUG: Dentry still in use in %f", .place = SPLAT_TRACE,
	  .skip = "umount_check,d_walk" },
	{ "bug", STR("BUG: "), .title = "BUG: %r", .flags = SPLAT_WEAK },
	{ "bug", STR("BUG "), .also = STR("ainted"), .title = "BUG: slab corruption: %s in %f",
	  .place = SPLAT_TRACE, .skip = "object_err,check_bytes,check_object,check_slab,"
	  "check_pad,print_trailer,kfree,__slab_," ALLOC },

	{ "refcount", STR("WARNING: "), .also = STR("lib/refcount.c:"),
	  .title = "WARNING: refcount bug in %f", .place = SPLAT_TRACE,
	  .skip = "refcount,kobject_" },
	{ "list-corruption", STR("WARNING: "), .also = STR("lib/list_debug.c:"),
	  .title = "BUG: corrupted list in %f", .place = SPLAT_TRACE, .skip = "list_" },
	{ "ref-tracker", STR("WARNING: "), .also = STR("lib/ref_tracker.c:"),
	  .title = "WARNING: ref_tracker bug in %f", .place = SPLAT_TRACE, .skip = "ref_tracker" },
	{ "warning", STR("WARNING: "), .also = STR("lib/debugobjects.c:"),
	  .title = "WARNING: ODEBUG bug in %f", .place = SPLAT_TRACE,
	  .skip = "debug_,rcu,hrtimer_,timer_,work_,percpu_,kmem_,slab_,kfree,vunmap,vfree,"
		  "__free_,kobject_" },
	{ "warning", STR("WARNING: "), .also = STR("mm/usercopy.c:"),
	  .title = "WARNING: bad usercopy in %f", .place = SPLAT_TRACE,
	  .skip = "usercopy,__check" },
	{ "warning", STR("WARNING: "), .also = STR("lib/kobject.c:"),
	  .title = "WARNING: kobject bug in %f", .place = SPLAT_TRACE, .skip = "kobject_" },
	{ "warning", STR("WARNING: "), .also = STR("fs/proc/generic.c:"),
	  .title = "WARNING: proc registration bug in %f", .place = SPLAT_TRACE,
	  .skip = "proc_" },
	{ "lockdep", STR("WARNING: "), .also = STR("kernel/locking/lockdep.c:"),
	  .title = "WARNING: locking bug in %f", .place = SPLAT_TRACE,
	  .skip = "lock_sock,release_sock" },
	{ "warning", STR("WARNING: CPU: "), .title = "WARNING in %f", .place = SPLAT_TRACE },
	{ "warning", STR("WARNING: "), .also = STR("+0x"), .title = "WARNING in %f",
	  .place = SPLAT_TRACE },
};

/* What rcu: and watchdog: and the like say is theirs, with or without. */
static struct str without_prefix(struct str line)
{
	static const struct str PREFIXES[] = { STR("rcu: "), STR("watchdog: "),
					       STR("NMI watchdog: "), STR("kmemleak: u"),
					       STR("stackdepot: ") };

	for (size_t i = 0; i < ARRAY_SIZE(PREFIXES); i++) {
		size_t n = PREFIXES[i].n;

		if (str_starts(line, PREFIXES[i]))
			return str_from(line, PREFIXES[i].p[n - 1] == ' ' ? n : n - 1);
	}
	return line;
}

const struct splat_kind *splat_headline(struct str line)
{
	line = without_prefix(line);
	for (size_t i = 0; i < ARRAY_SIZE(KINDS); i++) {
		const struct splat_kind *k = &KINDS[i];
		bool inside = k->flags & SPLAT_INSIDE;

		if (inside ? str_find(line, k->text) < 0 : !str_starts(line, k->text))
			continue;
		if (!k->also.n || str_find(line, k->also) >= 0)
			return k;
	}
	return NULL;
}

static bool starts_with_one_of(struct str line, const char *const *words)
{
	for (; *words; words++)
		if (str_starts(line, str_of(*words)))
			return true;
	return false;
}

bool splat_is_consequence(struct str line)
{
	static const struct str HEAD = STR("Kernel panic - not syncing: ");
	static const char *const WORDS[] = {
		"Fatal exception", "kernel: panic_on_warn", "panic_on_warn", "panic_on_taint",
		"KASAN: panic_on_warn", "KFENCE: panic_on_warn", "KMSAN: panic_on_warn",
		"KCSAN: panic_on_warn", "UBSAN: panic_on_warn", "kmsan.panic", "kasan.fault",
		"hung_task: blocked tasks", "softlockup: hung tasks", "Hard LOCKUP", "RCU Stall",
		"BUG!", "Out of memory", "System is deadlocked on memory", "Oops",
		"Attempted to kill init!", "Aiee, killing interrupt handler!",
		"Machine halted", "scheduling while atomic", "Fatal hardware error", NULL,
	};

	return str_starts(line, HEAD) && starts_with_one_of(str_from(line, HEAD.n), WORDS);
}

bool splat_is_tail(struct str line)
{
	static const char *const WORDS[] = {
		"RIP: ", "Code: ", "RSP: ", "RAX: ", "RDX: ", "RBP: ", "R10: ", "R13: ", "FS: ",
		"CS: ", "CR2: ", "PKRU: ", "DR0: ", "DR3: ", "EIP: ", "EAX: ", "ESI: ", "DS: ",
		"note: ", "Kernel Offset: ", "Disabling lock debugging", "Rebooting in ",
		"---[ end ", "Fixing recursive fault", "Modules linked in:", "irq event stamp:",
		"hardirqs last ", "softirqs last ", "oom_reaper: ", " </", "SMP: stopping",
		"Shutting down cpus", "Dumping ftrace", "Sending NMI", NULL,
	};

	return starts_with_one_of(line, WORDS) || splat_is_consequence(line);
}

/* Of a register: "RAX: ffff888007a1c000", "CS:  0010 DS: 0000", "CPU: 0". */
static bool is_value(struct str s)
{
	size_t n = 0;

	s = str_trim(s);
	while (n < s.n && strchr("0123456789abcdef", s.p[n]))
		n++;
	return n >= 4 || (n && s.p[0] <= '9');
}

bool splat_is_foreign(struct str line)
{
	/* With a colon behind the first word, and yet of a splat. */
	static const char *const OWN[] = {
		"Code: ", "Call ", "Tainted: ", "Workqueue: ", "Stack: ", "Comm: ", "Pid: ",
		"Normal: ", "DMA: ", "DMA32: ", "HighMem: ", "Movable: ", "Hardware ", "Oops: ",
		"kmemleak: ", "ref_tracker: ", "rcu: ", "watchdog: ", "task:", "note: ",
		"traps: ", "pc : ", "lr : ", "sp : ", "pstate: ", "epc : ", "page: ", "flags: ",
		"head: ", "raw: ", "page_owner ", "oom_reaper: ", "Kernel Offset: ", "WARNING: ",
		"BUG: ", "INFO: ", "KASAN: ", "UBSAN: ", "PANIC: ", "Modules ", "CFI ", "badaddr: ",
		"status: ", "cause: ", "Mem-Info:", "Workqueue ", "RCU ", "Sched ", "Showing ",
		"nodemask=", "oom-kill:", "cpuset=", NULL,
	};
	bool upper = true;
	size_t i = 0;

	while (i < line.n && ((line.p[i] >= '0' && line.p[i] <= '9') || line.p[i] == '_' ||
			      line.p[i] == '-' || line.p[i] == '.' ||
			      ((line.p[i] | 0x20) >= 'a' && (line.p[i] | 0x20) <= 'z')))
		upper &= line.p[i++] < 'a';
	if (i < 2 || i + 2 >= line.n || line.p[i] != ':' || line.p[i + 1] != ' ' ||
	    (i <= 4 && upper && is_value(str_from(line, i + 1))))
		return false;
	return !starts_with_one_of(line, OWN);
}

const struct splat_prelude *splat_prelude(struct str line)
{
	static const struct splat_prelude ROWS[] = {
		{ STR("------------[ cut here ]"), .reach = 8, .sure = true },
		{ STR("===================="), .reach = 3 },
		{ STR("Pid: "), .reach = 20 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		if (str_starts(line, ROWS[i].text))
			return &ROWS[i];
	return NULL;
}
