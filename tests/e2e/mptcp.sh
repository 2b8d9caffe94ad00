#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What taproom is for: real MPTCP selftests, built from the Debian kernel's
# source, on that kernel, in a virtual machine.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "virtiofsd needs root"
command -v jq >/dev/null || skip_all "jq is not installed"
command -v qemu-system-x86_64 >/dev/null || skip_all "qemu-system-x86 is not installed"
command -v apt-get >/dev/null || skip_all "no apt-get to fetch a kernel with"
cd "$dir" || exit 1

"$TAPROOM" run --kernel debian --list >"$dir/list" 2>"$dir/err"
is "the tests are listed before anything runs" "$?" 0
has "pm_netlink is one of them" "mptcp/pm_netlink.sh" "$dir/list"

"$TAPROOM" run --kernel debian mptcp/pm_netlink mptcp/mptcp_sockopt >"$dir/out" 2>"$dir/err"
is "two real selftests pass" "$?" 0
"$TAPROOM" runs --json >"$dir/runs"
ok "with more than 30 results" \
	test "$(jq '[.[0].programs[].results[] | select(.leaf)] | length' "$dir/runs")" -gt 30
is "each with a status and a log range" \
	"$(jq '[.[0].programs[].results[] | select(.status == null or .log.from < 1 or .log.to < .log.from)] | length' "$dir/runs")" 0
is "on the kernel that was asked for" "$(jq -r '.[0].kernel | test("^6\\.|^7\\.")' "$dir/runs")" true
first=$(jq -r '.[0].programs[] | select(.name == "pm_netlink.sh") | .results[0].path | join("/")' "$dir/runs")
"$TAPROOM" log latest "mptcp/pm_netlink.sh/$first" >"$dir/log"
is "the log of one subtest: what it told, and its result" \
	"$(grep -cE '^01 .*OK' "$dir/log") $(grep -cE '^ok 1 ' "$dir/log") $(wc -l <"$dir/log")" "1 1 2"
"$TAPROOM" export "$dir/site" >"$dir/out"
is "export" "$?" 0
finish
