/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/builtin.h"

/*
 * Under "tests" is the default choice: what says most in the least time on a
 * machine without hardware virtualisation. All others run when asked for:
 * 'mptcp' + '/' + '*'.
 */
const char PLAN_BUILTIN[] =
	"suites:\n"
	"  - name: mptcp\n"
	"    kind: kselftest\n"
	"    target: net/mptcp\n"
	"    tests:\n"
	"      - mptcp_sockopt.sh\n"
	"      - pm_netlink.sh\n";
