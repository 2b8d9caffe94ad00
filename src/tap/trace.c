/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap/trace.h"

#include <inttypes.h>

#include "base/mem.h"

static bool is_symbol(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
	       c == '.' || c == '$';
}

static size_t hex(struct str s, uint64_t *ret)
{
	size_t i;

	*ret = 0;
	for (i = 0; i < s.n && i < 16; i++) {
		char c = s.p[i] | 0x20;

		if (c >= '0' && c <= '9')
			*ret = *ret << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*ret = *ret << 4 | (uint64_t)(c - 'a' + 10);
		else
			break;
	}
	return i;
}

/* "[mptcp]", "[mptcp 0123456789abcdef]" (with a build id), not "[inline]" and
 * not "[#1]". Behind it may be arm64's "(P)". */
static struct str module_in(struct str rest)
{
	ptrdiff_t at = str_find(rest, STR("["));
	size_t n = 0;

	if (at < 0)
		return STR("");
	rest = str_from(rest, (size_t)at + 1);
	while (n < rest.n && (is_symbol(rest.p[n]) || rest.p[n] == '-'))
		n++;
	if (!n || n == rest.n || (rest.p[n] != ']' && rest.p[n] != ' ') ||
	    str_eq(str_n(rest.p, n), STR("inline")))
		return STR("");
	return str_n(rest.p, n);
}

/* The symbol that ends before @end. */
static struct str symbol_before(struct str line, size_t end)
{
	size_t from = end;

	while (from && is_symbol(line.p[from - 1]))
		from--;
	if (end - from > TRACE_NAME_MAX)
		end = from + TRACE_NAME_MAX;
	return str_n(line.p + from, end - from);
}

int trace_find(struct str line, struct event_frame *ret)
{
	struct event_frame f = {};
	struct str rest = line;
	ptrdiff_t at;

	while ((at = str_find(rest, STR("+0x"))) >= 0) {
		size_t plus = (size_t)(rest.p - line.p) + (size_t)at, n;

		rest = str_from(rest, (size_t)at + 3);
		f.function = symbol_before(line, plus);
		n = hex(rest, &f.offset);
		if (!f.function.n || !n)
			continue;
		rest = str_from(rest, n);
		if (str_starts(rest, STR("/0x"))) {
			rest = str_from(rest, 3);
			rest = str_from(rest, hex(rest, &f.size));
		}
		f.module = module_in(rest);
		f.unsure = f.function.p - line.p >= 2 && f.function.p[-1] == ' ' &&
			   f.function.p[-2] == '?';
		*ret = f;
		return 1;
	}
	return 0;
}

/* " mptcp_foo net/mptcp/x.c:12 [inline]" */
static int inlined(struct str line, struct event_frame *ret)
{
	struct str function;

	if (!str_ends(line, STR(" [inline]")))
		return 0;
	line = str_trim(line);
	function = str_cut(&line, ' ');
	if (!function.n || function.n > TRACE_NAME_MAX || !line.p)
		return 0;
	for (size_t i = 0; i < function.n; i++)
		if (!is_symbol(function.p[i]))
			return 0;
	*ret = (struct event_frame){ .function = function, .inlined = true };
	return 1;
}

int trace_frame(struct str line, struct event_frame *ret)
{
	struct event_frame f;
	size_t i = 0;

	if (inlined(line, ret))
		return 1;
	/* From the line's start to the name: blanks, addresses, "?". */
	if (!line.n || (line.p[0] != ' ' && line.p[0] != '\t' && line.p[0] != '[') ||
	    !trace_find(line, &f) || !f.size)
		return 0;
	for (; line.p + i < f.function.p; i++) {
		uint64_t address;
		size_t n;

		if (strchr(" \t[]<>?", line.p[i]))
			continue;
		n = hex(str_from(line, i), &address);
		if (!n || line.p + i + n >= f.function.p)
			return 0;
		i += n - 1;
	}
	*ret = f;
	return 1;
}

/* What follows "f+0x1/0x2 [module]". */
static struct str behind(struct str line, const struct event_frame *f)
{
	struct str rest = str_from(line, (size_t)(f->function.p - line.p) + f->function.n);
	uint64_t number;

	rest = str_from(rest, strlen("+0x"));
	rest = str_from(rest, hex(rest, &number) + strlen("/0x"));
	rest = str_from(rest, hex(rest, &number));
	if (f->module.n && str_starts(rest, STR(" [")))
		str_cut(&rest, ']');
	return rest.p ? rest : STR("");
}

bool trace_place(struct str line, struct str *ret)
{
	struct event_frame f;
	struct str rest;

	if (!trace_find(line, &f) || !f.size)
		return false;
	rest = behind(line, &f);
	if (!str_starts(rest, STR(" (")))
		return false;
	rest = str_from(rest, 2);
	*ret = str_cut(&rest, ')');
	return rest.p && memchr(ret->p, ':', ret->n);
}

bool trace_bare(struct str text)
{
	while (text.p) {
		struct str line = str_cut(&text, '\n'), place;
		struct event_frame f;

		if (trace_find(line, &f) && f.size && !trace_place(line, &place))
			return true;
	}
	return false;
}

struct str trace_plain(struct str f)
{
	for (size_t i = 1; i < f.n; i++)
		if (f.p[i] == '.')
			return str_n(f.p, i);
	return f;
}

/* A name ends with '*' where all that begin so are meant. */
static bool is_one_of(struct str f, const char *const *names)
{
	f = trace_plain(f);
	for (; *names; names++) {
		size_t n = strcspn(*names, "*");

		if (f.n >= n && memcmp(f.p, *names, n) == 0 && (f.n == n || (*names)[n]))
			return true;
	}
	return false;
}

bool trace_reports(struct str f)
{
	static const char *const NAMES[] = {
		"_printk", "vprintk*", "printk", "show_stack*", "show_regs*", "__show_regs",
		"dump_stack*", "__dump_stack", "dump_backtrace*", "show_trace_log_lvl",
		"panic", "vpanic", "nmi_panic", "__warn", "__warn_printk", "warn_slowpath_*",
		"report_bug", "__report_bug", "fixup_bug*", "handle_bug", "exc_invalid_op",
		"asm_exc_invalid_op", "do_error_trap", "do_trap", "invalid_op",
		"exc_page_fault", "asm_exc_page_fault", "page_fault_oops", "no_context",
		"kernelmode_fixup_or_oops", "bad_area_nosemaphore", "__bad_area_nosemaphore",
		"do_user_addr_fault", "exc_general_protection", "asm_exc_general_protection",
		"exc_debug", "asm_exc_debug", "asm_exc_double_fault", "exc_double_fault",
		"die", "__die*", "die_addr", "die_kernel_fault", "oops_begin", "oops_end",
		"print_report", "print_address_description*", "kasan_report*", "__kasan_report",
		"kasan_check_range", "check_region_inline", "__asan_*", "__hwasan_*", "kasan_*",
		"end_report", "kfence_report_error", "kfence_handle_page_fault",
		"kmsan_report", "kmsan_print_origin", "__msan_*", "kcsan_*", "__tsan_*",
		"ubsan_epilogue", "__ubsan_*", "ubsan_*", "check_panic_on_warn",
		"check_data_corruption", "print_bad_irq_dependency", "print_circular_bug*",
		"print_deadlock_bug", "print_usage_bug*", "print_irq_inversion_bug",
		"print_unlock_imbalance_bug", "print_lock_invalid_wait_context",
		"check_noncircular", "check_prev_add", "check_prevs_add", "validate_chain",
		"mark_lock*", "mark_usage", "__lock_acquire", "lock_acquire*", "lock_release*",
		"lockdep_rcu_suspicious", "debug_check_no_locks_*", "register_lock_class",
		"__might_resched", "__might_sleep", "___might_sleep", "__schedule_bug",
		"bad_page*", "print_bad_pte", "check_preemption_disabled",
		"debug_smp_processor_id", "__this_cpu_preempt_check",
		"sched_show_task", "show_state_filter", "dump_header", "warn_alloc",
		"watchdog_timer_fn", "watchdog_overflow_callback", "watchdog_hardlockup_check",
		"nmi_cpu_backtrace*", "nmi_trigger_cpumask_backtrace",
		"arch_trigger_cpumask_backtrace*", "rcu_dump_cpu_stacks",
		"refcount_warn_saturate", "object_err", "slab_err*", "slab_bug", "slab_fix",
		"um_set_signals", "segv", "segv_handler", "sig_handler_common*",
		"bug_handler", "call_break_hook", "brk_handler", "do_debug_exception",
		"el1_dbg", "el1h_64_sync*", "el1_abort", "do_mem_abort", "do_translation_fault",
		"do_page_fault", "__do_kernel_fault", "arm64_notify_die", "handle_exception",
		"do_trap_break", "fault_in_kernel_space", NULL,
	};

	return is_one_of(f, NAMES);
}

bool trace_enters(struct str f)
{
	static const char *const NAMES[] = {
		"do_syscall_64", "x64_sys_call", "ia32_sys_call", "entry_SYSCALL_*",
		"entry_SYSENTER_*", "do_fast_syscall_*", "__do_fast_syscall_*",
		"do_int80_*", "ret_from_fork*", "secondary_startup_64*", "start_kernel",
		"x86_64_start_*", "common_startup_64", "start_secondary",
		"handle_syscall", "userspace", "fork_handler", "new_thread_handler",
		"el0_svc*", "do_el0_svc", "invoke_syscall", "el0t_64_sync*", "el1h_64_irq*",
		"do_trap_ecall_u", "system_call*", "asm_sysvec_*", "asm_common_interrupt",
		"apic_timer_interrupt", NULL,
	};

	return is_one_of(f, NAMES);
}

void trace_print(const struct event_frame *frames, unsigned n, struct buf *ret)
{
	for (unsigned i = 0; i < n; i++) {
		const struct event_frame *f = &frames[i];

		buf_printf(ret, " %s%.*s", f->unsure ? "? " : "", STR_FMT(f->function));
		if (f->size)
			buf_printf(ret, "+0x%" PRIx64 "/0x%" PRIx64, f->offset, f->size);
		if (f->module.n)
			buf_printf(ret, " [%.*s]", STR_FMT(f->module));
		if (f->inlined)
			buf_printf(ret, " [inline]");
		buf_printf(ret, "\n");
	}
}

unsigned trace_read(struct str text, struct event_frame ret[static EVENT_FRAMES_MAX])
{
	unsigned n = 0;

	while (text.p && n < EVENT_FRAMES_MAX)
		n += (unsigned)trace_frame(str_cut(&text, '\n'), &ret[n]);
	return n;
}

void trace_clear(struct trace *t)
{
	t->n = 0;
	t->used = 0;
}

static struct str keep(struct trace *t, struct str s)
{
	char *to = t->names + t->used;

	memcpy(to, s.p, s.n);
	t->used += s.n;
	return str_n(to, s.n);
}

void trace_add(struct trace *t, const struct event_frame *frame)
{
	struct event_frame *to = &t->frames[t->n];

	if (t->n == EVENT_FRAMES_MAX ||
	    sizeof(t->names) - t->used < frame->function.n + frame->module.n)
		return;
	*to = *frame;
	to->function = keep(t, frame->function);
	to->module = frame->module.n ? keep(t, frame->module) : STR("");
	t->n++;
}
