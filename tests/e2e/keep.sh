#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# run --keep: the machine stays when the run is over, is entered from elsewhere, and
# goes by Ctrl-C, by itself when it is left alone, and with a launcher that is killed.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "the host machine needs root"

cat >"$dir/taproom.yaml" <<YAML
branch: e2e
suites:
  - name: k
    kind: exec
    tests:
      - echo left >/run/mark; exit 3
YAML
cd "$dir" || exit 1
keeps() { # keeps OPTION...: a run in the background; its machine's $id
	rm -f "$dir/run-err" # which names the one before
	"$TAPROOM" run --machine host --keep "$@" >"$dir/run" 2>"$dir/run-err" &
	run=$!
	for _ in $(seq 600); do
		id=$(sed -n 's/.*taproom shell --enter //p' "$dir/run-err" 2>"$dir/null")
		[ -n "$id" ] && break
		sleep 0.1
	done
}
# shellcheck disable=SC2317
gone() { for _ in $(seq 600); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.1; done; return 1; }
children() { cat "/proc/$1/task/$1/children"; }
job() { find "$cache/taproom/work/${id%-*}" -maxdepth 1 -name "job-${id##*-}"; }

keeps
ok "it is told how the machine is entered: $id" test -n "$id"
has "the run is over by then" "is kept: taproom show" "$dir/run-err"
machine=$(children "$run")
"$TAPROOM" exec --enter "$id" -- sh -c 'cat /run/mark; echo err >&2; exit 7' >"$dir/out" 2>"$dir/err"
is "a command in it: exit code" "$?" 7
is "finds what its test left" "$(cat "$dir/out")" left
is "errors apart" "$(cat "$dir/err")" err
is "input to a command in it" "$(echo in | "$TAPROOM" exec --enter "$id" -- cat)" in
"$TAPROOM" exec --enter "$id" -- sh -c 'echo begun; sleep 100' >"$dir/out" 2>&1 &
inside=$!
for _ in $(seq 600); do grep -q begun "$dir/out" && break; sleep 0.1; done
"$TAPROOM" exec --enter "$id" -- true 2>"$dir/err"
is "while somebody is inside" "$?" 125
has "nobody else comes" "somebody is in this machine already" "$dir/err"
"$TAPROOM" exec --enter none-1 -- true 2>"$dir/err"
is "a machine that is none" "$?" 125
has "those that are, are named" "$id" "$dir/err"
kill -INT "$run"
wait "$run"
is "Ctrl-C ends it; the exit code is the run's" "$?" 1
run=
wait "$inside"
is "who is inside is told" "$?" 137
has "by whom" "ended by who kept it" "$dir/out"
# shellcheck disable=SC2086
ok "its processes are gone" gone $machine
is "its files too" "$(job 2>/dev/null)" ""

keeps --keep-timeout 1s
wait "$run"
is "one that is left alone ends by itself" "$?" 1
run=
has "and says so" "nobody was in it for 1.0 s" "$dir/run-err"

keeps
machine=$(children "$run")
kill -KILL "$run"
wait "$run" 2>/dev/null
run=
# shellcheck disable=SC2086
ok "a killed launcher takes it along" gone $machine
# By ours, or by anybody's who shares this cache.
"$TAPROOM" exec --machine host -- true
is "its files are swept by the next start" "$(job 2>/dev/null)" ""
finish
