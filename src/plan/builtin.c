/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/builtin.h"

/*
 * Under "tests" is the default choice: what says most in the least time on a
 * machine without hardware virtualisation: no test here races with a clock (as
 * diag.sh does, which starts 250 processes and then counts what still lives).
 * All others run when asked for: 'mptcp' + '/' + '*'.
 */
const char PLAN_BUILTIN[] =
	"suites:\n"
	"  - name: mptcp\n"
	"    kind: kselftest\n"
	"    target: net/mptcp\n"
	"    tests:\n"
	"      - userspace_pm.sh\n"
	"      - mptcp_sockopt.sh\n"
	"      - pm_netlink.sh\n";
