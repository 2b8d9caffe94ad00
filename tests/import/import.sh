#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# import.sh TAPROOM FIXTURES DATA: `taproom import` into a history: twice changes
# nothing, a git checkout's whole past, the large data where it is. Prints TAP.
set -u
taproom=$(realpath "${1:?usage: import.sh TAPROOM FIXTURES DATA}")
fixtures=$(realpath "$2")
data=$3
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
TAPROOM_STORE=$dir/history.db
export TAPROOM_STORE GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null

n=0
bad=0
is() { # is NAME GOT WANT
	n=$((n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n - $1"
	else
		bad=$((bad + 1))
		printf 'not ok %d - %s\n#  got: %s\n# want: %s\n' "$n" "$1" "$2" "$3"
	fi
}
skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}
# "runs known damaged", and the exit status
import() {
	"$taproom" import "$@" --json 2>"$dir/errors" >"$dir/json"
	status=$?
	jq -r '"\(.runs) \(.known) \(.damaged)"' "$dir/json" | tr -d '\n'
	echo " $status"
}
runs() { "$taproom" runs -n 0 --brief --json | jq -c "$1"; }

echo "TAP version 13"
is "records of the MPTCP CI" "$(import mptcp-results "$fixtures/mptcp")" "21 0 1 1"
is "the damaged one is named" "$(cat "$dir/errors")" \
	"warning: '$fixtures/mptcp/export/debug.json', record 0: it is empty"
is "again: nothing is new" "$(import mptcp-results "$fixtures/mptcp")" "0 21 1 1"
is "one file of it" "$(import mptcp-results "$fixtures/mptcp/stable-6.1/normal.json")" "0 2 0 0"
is "what was not published is not a pass" \
	"$(runs '[.[] | select(.uid == "mptcp-export-debug-8345662680")][0].counts | {pass, fail}')" \
	'{"pass":1,"fail":0}'
is "nor is it told how long it took, which nobody knows" "$("$taproom" show latest | head -1 |
	grep -c ', took ')" 0
# A rate of it is of the runs that came to their end, and says that it is a bound.
"$taproom" flakes --since 9999d --json >"$dir/flakes"
is "rates have the runs behind them" "$(jq '[.flakes[] | select(.program != "completed")] |
	length > 0 and all(.at_least and .n > .failed)' "$dir/flakes")" true
is "and no run is said to have passed" "$(jq '[.flakes[] | select(.program != "completed") |
	.runs[] | select(. == "pass")] | length' "$dir/flakes")" 0
name=$(jq -r '[.flakes[] | select(.path != "")][0] | "\(.suite)/\(.program)/\(.path)"' "$dir/flakes")
"$taproom" history "$name" >"$dir/history"
is "one test's history says so, too" "$(grep -c 'a rate is at least this' "$dir/history")" 1

"$taproom" diff 1..10 11..21 --json >"$dir/diff"
is "nor told as one, or as absent, beside a failure" "$(jq -c '[.differences[] |
	select(.program != "completed") | .a.did, .b.did] | unique' "$dir/diff")" \
	'["fail","skip","unknown"]'
is "and the runs that may have passed are counted" "$(jq '[.differences[] |
	select(.what == "fails" and .b.n != 11)] | length' "$dir/diff")" 0

rm -rf "$TAPROOM_STORE" "$TAPROOM_STORE"-* "$TAPROOM_STORE".d
for f in junit-surefire.xml junit-pytest.xml nipa-nipa-result.json nipa-nipa-all.json kcidb-kcidb.json; do
	format=${f%%-*}
	first=$(import "$format" "$fixtures/${f#*-}")
	is "$f: again" "$(import "$format" "$fixtures/${f#*-}" | cut -d' ' -f1,2)" \
		"0 $(echo "$first" | cut -d' ' -f1)"
done
is "a log" "$(import tap "$fixtures/../golden/fail.log" --branch main)" "1 0 0 0"
is "a log again" "$(import tap "$fixtures/../golden/fail.log" --branch main)" "0 1 0 0"
is "its verdict is parse's" "$(runs '.[] | select(.uid | startswith("tap-")).exit_code')" 1
"$taproom" log latest >"$dir/log" 2>/dev/null
is "its log is kept" "$(cmp "$dir/log" "$fixtures/../golden/fail.log" && echo same)" same
import junit /dev/null >"$dir/code"
is "no XML is damage" "$(cat "$dir/code")" "0 0 1 1"
is "no such file" "$("$taproom" import nipa "$dir/none" >/dev/null 2>&1; echo $?)" 4
is "no such format" "$("$taproom" import nip x 2>&1 >/dev/null; echo $?)" \
	"taproom: no format 'nip' to import: it is mptcp-results, tap, junit, nipa, kcidb, testclutch, events or json
2"

# A past in which the array moved on: 130 runs, 100 of them in the last commit,
# one of them published again with another result, one file without an end.
if command -v git >/dev/null; then
	rm -rf "$TAPROOM_STORE" "$TAPROOM_STORE"-* "$TAPROOM_STORE".d
	mkdir -p "$dir/results/export"
	git init -q "$dir/results"
	commit() { # commit FIRST LAST FIFTY
		jq -n --argjson from "$1" --argjson to "$2" --arg fifty "$3" \
			'[range($from; $to + 1) | {run_id: tostring, tag: "export/20260131T0\(. / 60 | floor)\(. % 60 + 100 | tostring[1:])07",
			  results: (if . == 50 then {x: {"1": {result: $fifty, name: "a"}}} else {} end)}]' \
			>"$dir/results/export/debug.json"
		git -C "$dir/results" add -A
		git -C "$dir/results" -c user.name=t -c user.email=t@example.org commit -qm "to $2"
	}
	commit 1 100 fail
	commit 11 110 fail
	commit 31 130 flaky
	# What the repository's own configuration may start is not started.
	printf '#!/bin/sh\ntouch %s/started\n' "$dir" >"$dir/evil"
	chmod +x "$dir/evil"
	git -C "$dir/results" config core.fsmonitor "$dir/evil"
	git -C "$dir/results" config core.pager "$dir/evil"
	git -C "$dir/results" config gpg.program "$dir/evil"
	git -C "$dir/results" config log.showSignature true
	is "a checkout's past" "$(import mptcp-results "$dir/results")" "130 0 0 0"
	is "nothing of its own is started" "$(ls "$dir/started" 2>/dev/null)" ""
	is "a run that was published again" \
		"$(runs '[.[] | select(.uid == "mptcp-export-debug-50")][0].counts.flaky')" 1
	is "in the order of time" "$(runs '[.[].begin] == ([.[].begin] | sort | reverse)')" true
	git clone -q --bare "$dir/results" "$dir/bare.git"
	is "the bare repository knows no more" "$(import mptcp-results "$dir/bare.git")" "0 130 0 0"
else
	skip "a checkout's past" "git is not installed"
fi

if [ -d "$data" ]; then
	rm -rf "$TAPROOM_STORE" "$TAPROOM_STORE"-* "$TAPROOM_STORE".d
	first=$(import mptcp-results "$data")
	records=$(cat "$data"/*/*.json | jq -s 'map(length) | add')
	empty=$(cat "$data"/*/*.json | jq -s '[.[][] | select(. == {})] | length')
	is "years of results" "$first" "$((records - empty)) 0 $empty 1"
	is "years of results, again" "$(import mptcp-results "$data")" "0 $((records - empty)) $empty 1"
	is "every failure is there" \
		"$(runs '[.[].counts.flaky] | add')" \
		"$(cat "$data"/*/*.json | jq -s '[.[][].results // {} | to_entries[] | .key as $p | .value[] |
		  select(.result == "flaky" and (.name | ltrimstr("test: ")) != $p)] | length')"
	# It failed in 11 of the newest 1000 runs, and before: where it is not told, it passed,
	# or did not run.
	is "a rate of the newest runs knows what was before" "$("$taproom" flakes --json | jq -c \
		'[.flakes[] | select(.key == "diag: ....chk sndbuf server/client") | .n > 20] | unique')" \
		'[true]'
else
	skip "years of results" "not here: $data"
fi
echo "1..$n"
exit $((bad > 0))
