/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/place.h"

#include <string.h>

#include "base/mem.h"
#include "tap/fingerprint.h"

/* ---- task, CPU, taint ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What follows @word, if it is in the line. */
static bool behind(struct str line, struct str word, struct str *ret)
{
	ptrdiff_t at = str_find(line, word);

	if (at >= 0)
		*ret = str_from(line, (size_t)at + word.n);
	return at >= 0;
}

static bool number(struct str s, int64_t *ret)
{
	size_t n = 0;
	uint64_t v;

	while (n < s.n && n < 10 && is_digit(s.p[n]))
		n++;
	if (!n || !str_to_u64(str_n(s.p, n), &v))
		return false;
	*ret = (int64_t)v;
	return true;
}

static void keep(char *to, size_t size, struct str s)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;

	memcpy(to, s.p, n);
	to[n] = '\0';
}

static void set_task(struct gather *g, struct str s)
{
	if (!g->task[0] && s.n)
		keep(g->task, sizeof(g->task), s);
}

static void set_pid(struct gather *g, struct str s)
{
	if (g->pid < 0)
		number(s, &g->pid);
}

static void set_cpu(struct gather *g, struct str s)
{
	int64_t cpu;

	if (g->cpu < 0 && number(s, &cpu) && cpu < 1 << 20)
		g->cpu = (int)cpu;
}

/* "name/123", "name:123": names may have the separator themselves. */
static void set_pair(struct gather *g, struct str s, char separator)
{
	for (size_t i = s.n; i-- > 1;)
		if (s.p[i] == separator && i + 1 < s.n && is_digit(s.p[i + 1])) {
			set_task(g, str_n(s.p, i));
			set_pid(g, str_from(s, i + 1));
			return;
		}
}

static struct str until(struct str s, struct str end)
{
	ptrdiff_t at = str_find(s, end);

	return at < 0 ? s : str_n(s.p, (size_t)at);
}

/* "G        W  OE      6.12.1": single letters, up to the release. */
static void set_taint(struct gather *g, struct str s)
{
	size_t n = 0;

	if (g->taint[0])
		return;
	while (s.n && n + 2 < sizeof(g->taint)) {
		if (s.p[0] >= 'A' && s.p[0] <= 'Z') {
			if (n)
				g->taint[n++] = ' ';
			g->taint[n++] = s.p[0];
		} else if (s.p[0] != ' ') {
			break;
		}
		s = str_from(s, 1);
	}
	g->taint[n] = '\0';
}

/* "CPU: 0 UID: 0 PID: 61 Comm: bash Tainted: G        W          6.12.95 #1" */
static void on_info(struct gather *g, struct str line)
{
	struct str rest, name;

	if (behind(line, STR("CPU: "), &rest))
		set_cpu(g, rest);
	if (behind(line, STR("PID: "), &rest) || behind(line, STR("Pid: "), &rest))
		set_pid(g, rest);
	if (behind(line, STR("Comm: "), &rest) || behind(line, STR(", comm: "), &rest)) {
		name = until(until(until(rest, STR(" Not tainted")), STR(" Tainted: ")),
			     STR(" Kdump: "));
		set_task(g, name);
	}
	if (behind(line, STR(" Tainted: "), &rest))
		set_taint(g, rest);
}

static void on_task(struct gather *g, struct str line) /* "INFO: task ip:77 blocked for" */
{
	set_pair(g, until(str_from(line, strlen("INFO: task ")), STR(" blocked ")), ':');
}

static void on_stuck(struct gather *g, struct str line) /* "CPU#0 stuck for 26s! [x:12]" */
{
	struct str rest;

	if (behind(line, STR("CPU#"), &rest))
		set_cpu(g, rest);
	if (behind(line, STR("! ["), &rest))
		set_pair(g, until(rest, STR("]")), ':');
}

static void on_by_task(struct gather *g, struct str line)
{
	struct str rest;

	if (behind(line, STR(" on cpu "), &rest))
		set_cpu(g, rest);
	if (!behind(line, STR(" by task "), &rest))
		return;
	if (is_digit(rest.n ? rest.p[0] : '\0') && !memchr(rest.p, '/', rest.n))
		set_pid(g, rest); /* KCSAN: "by task 123 on cpu 1:" */
	else
		set_pair(g, rest, '/');
}

static void on_warning(struct gather *g, struct str line) /* "... CPU#1: ip/77" of 6.19 */
{
	struct str rest;

	if (!behind(line, STR(", CPU#"), &rest))
		return;
	set_cpu(g, rest);
	if (behind(rest, STR(": "), &rest))
		set_pair(g, rest, '/');
}

static void on_atomic(struct gather *g, struct str line) /* "...: ip/77/0x00000002" */
{
	struct str rest = str_from(line, strlen("BUG: scheduling while atomic: "));

	set_pair(g, until(rest, STR("/0x")), '/');
}

static void on_leak(struct gather *g, struct str line) /* comm "x", pid 12, jiffies 4294 */
{
	struct str rest;

	if (!behind(line, STR("comm \""), &rest))
		return;
	set_task(g, until(rest, STR("\", pid")));
	if (behind(line, STR(", pid "), &rest))
		set_pid(g, rest);
}

static void on_cpu(struct gather *g, struct str line)
{
	struct str rest;

	if (behind(line, STR("LOCKUP on cpu "), &rest))
		set_cpu(g, rest);
}

static void on_killed(struct gather *g, struct str line)
{
	struct str rest;

	if (!behind(line, STR("Killed process "), &rest) || !behind(rest, STR(" ("), &rest))
		return;
	keep(g->victim, sizeof(g->victim), until(rest, STR(")")));
}

static void on_access(struct gather *g, struct str line)
{
	if (!g->access[0])
		g->access = line.p[0] == 'R' ? "Read" : "Write";
	on_by_task(g, line);
}

static void set_place(struct gather *g, struct str function)
{
	if (function.n > TRACE_NAME_MAX)
		return;
	memcpy(g->place, function.p, function.n);
	g->place_n = function.n;
}

void place_facts(struct gather *g, struct str line)
{
	static const struct {
		struct str text;
		bool inside;
		void (*fn)(struct gather *g, struct str line);
	} ROWS[] = {
		{ STR("Read of size "), false, on_access },
		{ STR("Write of size "), false, on_access },
		{ STR("Read at addr "), false, on_access },
		{ STR("Write at addr "), false, on_access },
		{ STR("CPU: "), false, on_info },
		{ STR("Pid: "), false, on_info },
		{ STR("WARNING: CPU: "), false, on_info },
		{ STR("WARNING: "), false, on_warning },
		{ STR("INFO: task "), false, on_task },
		{ STR("BUG: scheduling while atomic: "), false, on_atomic },
		{ STR("soft lockup"), true, on_stuck },
		{ STR("LOCKUP on cpu "), true, on_cpu },
		{ STR(" by task "), true, on_by_task },
		{ STR("  comm \""), true, on_leak },
		{ STR("Killed process "), true, on_killed },
	};
	static const struct str LOCKS[] = {
		STR("trying to acquire"), STR("trying to lock"), STR(" takes:"),
		STR("just changed the state of lock"), STR("trying to release lock"),
		STR("trying to contend lock"), STR("is freeing memory"), STR("locks still held"),
		STR("locks held by"), STR("lock held by"), STR("last function: "),
	};
	struct event_frame f;
	struct str rest;

	for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
		if (ROWS[i].inside ? str_find(line, ROWS[i].text) >= 0
				   : str_starts(line, ROWS[i].text))
			ROWS[i].fn(g, line);
	if (!g->kind || g->kind->place != SPLAT_LOCK || g->place_n)
		return;
	if (behind(line, STR("last function: "), &rest)) { /* of a workqueue */
		set_place(g, until(rest, STR(" ")));
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(LOCKS); i++)
		g->wants_lock |= str_find(line, LOCKS[i]) >= 0;
	if (g->wants_lock && trace_find(line, &f))
		set_place(g, f.function);
}

/* ---- the function ---- */

static bool is_symbol(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '.';
}

void place_in_headline(struct gather *g, struct str line)
{
	ptrdiff_t at = str_find(line, STR("()!"));
	struct event_frame f;
	size_t from;

	if (trace_find(line, &f)) {
		set_place(g, f.function);
	} else if (at >= 0) { /* UML's "BUG: failure at file.c:105/lkdtm_BUG()!" */
		for (from = (size_t)at; from && is_symbol(line.p[from - 1]); from--)
			;
		set_place(g, str_n(line.p + from, (size_t)at - from));
	}
}

/* Found in the middle of what they were given: their caller is the place. */
static bool is_helper(struct str f)
{
	static const char *const NAMES[] = {
		"memcpy*", "__memcpy*", "memset*", "__memset*", "memmove*", "__memmove*",
		"memcmp", "memchr*", "memscan", "str*", "_copy_to_user", "_copy_from_user",
		"copy_to_user*", "copy_from_user*", "__get_user*", "__put_user*", "__might_fault",
		"__list_add*", "__list_del*", "list_add*", "list_del*", "list_move*",
		"list_splice*", "list_replace*", "_raw_spin_*", "_raw_read_*", "_raw_write_*",
		"do_raw_spin_*", "spin_bug", "spin_dump", "queued_spin_*",
		"native_queued_spin_*", "__pv_queued_spin_*", "rwlock_bug", "mutex_lock*",
		"__mutex_lock*", "mutex_unlock", "__mutex_unlock*", "mutex_trylock*",
		"down_read*", "down_write*", "__down*", "up_read", "up_write", "refcount_*",
		"__refcount_*", "read_word_at_a_time", "string_nocheck", "string", "pointer",
		"vsnprintf", "snprintf", "vscnprintf", "scnprintf", "kasprintf", "kvasprintf*",
		"debug_object_*", "debug_print_object", "__debug_object_*", "debug_check_no_*",
		"lock_sock_nested", "instrument_*", "arch_atomic*", "atomic_*", "rcu_read_lock*",
		"_dev_*", "__dev_printk", "__schedule", "schedule", "__switch_to*", NULL,
	};

	for (const char *const *name = NAMES; *name; name++) {
		size_t n = strcspn(*name, "*");

		if (f.n >= n && memcmp(f.p, *name, n) == 0 && (f.n == n || (*name)[n]))
			return true;
	}
	return false;
}

static bool is_place(const struct gather *g, struct str function)
{
	struct str name = trace_plain(function);

	return name.n && !trace_reports(name) && !is_helper(name) &&
	       !fingerprint_skips(name, g->kind->skip);
}

static struct str first_place(const struct gather *g, unsigned from)
{
	struct str named = str_n(g->place, g->place_n);

	if (is_place(g, named))
		return named;
	for (unsigned i = from; i < g->trace.n; i++) {
		const struct event_frame *f = &g->trace.frames[i];

		if (!f->unsure && !f->inlined && !trace_enters(f->function) &&
		    is_place(g, f->function))
			return f->function;
	}
	return named;
}

static bool begins(struct str f, const char *const *names)
{
	for (; *names; names++)
		if (str_starts(f, str_of(*names)))
			return true;
	return false;
}

/* Below the last interrupt: that is how the watchdog came in. */
static unsigned below_interrupts(const struct trace *t)
{
	static const char *const IRQS[] = { "asm_sysvec_", "apic_timer_interrupt",
					    "asm_common_interrupt", "el1h_64_irq",
					    "call_on_irq_stack", "asm_exc_nmi", "end_repeat_nmi",
					    "ret_from_intr", NULL };

	for (unsigned i = t->n; i-- > 0;)
		if (begins(t->frames[i].function, IRQS))
			return i + 1 < t->n ? i + 1 : 0;
	return 0;
}

/*
 * A loop is caught somewhere in it. What tells one from another is what the
 * system call, the work or the packet was about: the function before a general
 * one that only dispatches.
 */
static struct str stall_place(const struct gather *g)
{
	static const char *const ANCHORS[] = {
		"process_one_work", "do_syscall_", "do_fast_syscall_", "__netif_receive_skb",
		"netif_receive_skb", "do_softirq", "__do_softirq", "handle_softirqs",
		"call_timer_fn", "__run_timers", "expire_timers", "run_timer_softirq",
		"run_ksoftirqd", "smpboot_thread_fn", "kthread", "start_secondary",
		"cpu_startup_entry", "ret_from_fork", "vfs_write", "vfs_read", "vfs_iter_",
		"do_iter_", "vfs_ioctl", "blkdev_ioctl", "call_read_iter", "call_write_iter",
		"mmap_region", "do_mmap", "do_dentry_open", "vfs_open", "sock_sendmsg",
		"__sock_sendmsg", "inet_sendmsg", "inet6_sendmsg", "inet_recvmsg",
		"inet6_recvmsg", "inet_release", "inet6_release", "sock_recvmsg",
		"sock_release", "__sock_release",
		"__sys_setsockopt", "do_sock_setsockopt", "kernel_setsockopt",
		"sock_common_setsockopt", "__sys_listen", "sk_common_release", "sock_mmap",
		"__sys_accept", "sock_do_ioctl", "sock_ioctl", "nfnetlink_rcv_msg",
		"genl_family_rcv_msg_doit", "rtnetlink_rcv_msg", "__do_fault", "handle_mm_fault",
		"do_page_fault", "__fput", "task_work_run", "exit_to_user", "syscall_exit_to_user",
		"x64_sys_call", "el0_svc", "invoke_syscall", "handle_syscall", NULL,
	};
	static const char *const HEADS[] = { "__x64_sys_", "__ia32_sys_", "__arm64_sys_",
					     "__do_sys_", "__se_sys_" };
	unsigned from = below_interrupts(&g->trace);
	struct str prev = STR("");

	for (unsigned i = from; i < g->trace.n; i++) {
		const struct event_frame *f = &g->trace.frames[i];

		if (f->unsure || f->inlined)
			continue;
		if (begins(f->function, ANCHORS) && prev.n) {
			for (size_t k = 0; k < ARRAY_SIZE(HEADS); k++)
				if (str_starts(prev, str_of(HEADS[k])))
					return str_from(prev, strlen(HEADS[k]) - strlen("sys_"));
			return prev;
		}
		if (!trace_reports(f->function) && !trace_enters(f->function))
			prev = f->function;
	}
	return first_place(g, from);
}

/* Who waits; waits for RCU and for the network's lock are one each. */
static struct str hung_place(const struct gather *g)
{
	static const char *const RCU[] = { "synchronize_rcu", "synchronize_srcu",
					   "synchronize_net", "synchronize_sched", NULL };
	static const char WAITS[] = "sched,_lock,_slowlock,down,completion,kthread,wait,"
				    "synchronize,context_switch,__switch_to,cancel_delayed_work";

	for (unsigned i = 0; i < g->trace.n; i++) {
		struct str f = g->trace.frames[i].function;

		if (g->trace.frames[i].unsure)
			continue;
		if (begins(f, RCU))
			return STR("synchronize_rcu");
		if (str_starts(f, STR("rtnl_lock")))
			return f;
	}
	for (unsigned i = 0; i < g->trace.n; i++) {
		const struct event_frame *f = &g->trace.frames[i];

		if (!f->unsure && !f->inlined && !trace_enters(f->function) &&
		    !fingerprint_skips(trace_plain(f->function), WAITS))
			return f->function;
	}
	return STR("");
}

struct str place_find(const struct gather *g)
{
	switch (g->kind->place) {
	case SPLAT_LOCK:
	case SPLAT_TRACE: return first_place(g, 0);
	case SPLAT_STALL: return stall_place(g);
	case SPLAT_HUNG: return hung_place(g);
	case SPLAT_NOWHERE: break;
	}
	return STR("");
}
