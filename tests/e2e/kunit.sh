#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel's unit tests in User Mode Linux: results, a crash told by its case's
# name, and what can't run with the option that brings it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

linux=${TAPROOM_TEST_UML:-}
[ -f "$linux" ] || skip_all "TAPROOM_TEST_UML names no kernel (taproom build --base tiny --machine uml makes one)"
for tool in jq nm readelf; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
nm "$linux" | grep -q ' mptcp_token_test_accept$' || skip_all "$linux has no MPTCP_KUNIT_TEST"
cd "$dir" || exit 1

"$TAPROOM" run kunit --kernel "$linux" --machine uml --list >list 2>err
is "listed before anything boots" "$(tr '\n' ' ' <list)" "kunit/mptcp-crypto kunit/mptcp-token "
"$TAPROOM" run kunit --kernel "$linux" --machine uml >out 2>err
is "they pass" "$?" 0
"$TAPROOM" runs --json >runs.json
is "cases are results" "$(jq -r '[.[0].programs[].results[] | select(.leaf) | .path | join("/")] |
	map(select(startswith("mptcp-token"))) | length' runs.json)" 4

# An invalid instruction where the case begins.
mkdir bad
cp "$linux" bad/linux
at=$(nm "$linux" | awk '$3 == "mptcp_token_test_accept" { print $1 }')
place=$(readelf -lW "$linux" | while read -r type offset address _ size _; do
	[ "$type" = LOAD ] && [ $((0x$at)) -ge $((address)) ] &&
		[ $((0x$at)) -lt $((address + size)) ] && echo $((0x$at - address + offset))
done)
printf '\017\013' | dd of=bad/linux bs=1 seek="$place" conv=notrunc 2>/dev/null
"$TAPROOM" run kunit --kernel bad/linux --machine uml >out 2>err
is "a crash" "$?" 3
"$TAPROOM" runs --json >runs.json
is "the case is named, what came before passed, what would follow is missing" \
	"$(jq -r '[.[0].programs[] | select(.name == "mptcp-token").results[] | select(.leaf) |
	(.path | last) + "=" + .status] | join(" ")' runs.json)" \
	"mptcp_token_test_req_basic=pass mptcp_token_test_msk_basic=pass mptcp_token_test_accept=crash mptcp_token_test_destroyed=missing"
is "the other suite ran all the same" "$(jq -r '.[0].programs[] | select(.name == "mptcp-crypto").status' runs.json)" pass
is "nobody tried it a second time" "$(jq '[.[0].programs[] | select(.name == "mptcp-token")] | length' runs.json)" 1

# A kernel that has none of it: Debian's.
echo "# CONFIG_KUNIT is not set" >bad/config
"$TAPROOM" run kunit --kernel bad/linux --machine uml >out 2>err
is "asked for where there is none" "$?" 2
has "with the option that mends it" "-e KUNIT -e KUNIT_DEBUGFS -e MPTCP_KUNIT_TEST" err
finish
