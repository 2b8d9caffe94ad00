/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/builtin.h"

/*
 * All that the MPTCP CI runs, in the order that finds failures first: what takes
 * seconds and says much, then what takes minutes. Under "slow" is what races with a
 * clock, as diag.sh does, which starts 250 processes and then counts what still lives,
 * or takes a quarter of an hour on a machine that is translated: not by default there.
 * The variants are what newer kernels have as programs of their own, and the groups of
 * mptcp_join.sh, which run when asked for: 'mptcp/mptcp_join-' + '*'.
 */
const char PLAN_BUILTIN[] =
	"suites:\n"
	"  - name: kunit\n"
	"    kind: kunit\n"
	"    target: MPTCP_KUNIT_TEST\n"
	"    tests:\n"
	"      - mptcp-crypto\n"
	"      - mptcp-token\n"
	"      - mptcp*\n"
	"  - name: mptcp\n"
	"    kind: kselftest\n"
	"    target: net/mptcp\n"
	"    tests:\n"
	"      - userspace_pm.sh\n"
	"      - mptcp_sockopt.sh\n"
	"      - pm_netlink.sh\n"
	"      - diag.sh\n"
	"      - mptcp_join.sh\n"
	"      - mptcp_connect.sh\n"
	"      - simult_flows.sh\n"
	"      - mptcp_connect_checksum.sh\n"
	"      - mptcp_connect_mmap.sh\n"
	"      - mptcp_connect_sendfile.sh\n"
	"      - '*.sh'\n"
	"    slow:\n"
	"      - diag.sh\n"
	"      - mptcp_join.sh\n"
	"      - mptcp_connect*\n"
	"      - simult_flows.sh\n"
	"    variants:\n"
	"      - name: mptcp_connect_checksum.sh\n"
	"        test: mptcp_connect.sh\n"
	"        args: -C\n"
	"        env: [MPTCP_LIB_KSFT_TEST=mptcp_connect_checksum]\n"
	"      - name: mptcp_connect_mmap.sh\n"
	"        test: mptcp_connect.sh\n"
	"        args: -m mmap\n"
	"        env: [MPTCP_LIB_KSFT_TEST=mptcp_connect_mmap]\n"
	"      - name: mptcp_connect_sendfile.sh\n"
	"        test: mptcp_connect.sh\n"
	"        args: -m sendfile\n"
	"        env: [MPTCP_LIB_KSFT_TEST=mptcp_connect_sendfile]\n"
	"      - name: mptcp_join-\n"
	"        test: mptcp_join.sh\n"
	"        args: '-'\n"
	"        each: f e s l t r a 6 4 M b p k S d m z F u I\n"
	"  - name: bpf\n"
	"    kind: bpf\n"
	"    target: mptcp\n"
	"    default_modes: [btf-*]\n";
