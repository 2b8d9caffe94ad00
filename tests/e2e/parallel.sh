#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Several machines at once, whose launchers are killed: nothing is shared, and
# nothing is left after the next start. And a test that takes its machine along.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "machines need root"
command -v jq >/dev/null || skip_all "jq is not installed"

cat >"$dir/taproom.yaml" <<YAML
branch: e2e
kernel: debian
suites:
  - name: p
    kind: exec
    tests:
      - sh -c 'echo one; sleep 300'
      - sh -c 'echo two; sleep 300'
      - sh -c 'echo three; sleep 300'
      - sh -c 'echo four; sleep 300'
      - sh -c 'echo passes'
YAML
cat >"$dir/reboot.yaml" <<YAML
branch: e2e
suites:
  - name: r
    kind: exec
    tests:
      - reboot -f
      - echo passes
YAML
cd "$dir" || exit 1
work=$cache/taproom/work
children() { cat "/proc/$1/task/$1/children" 2>"$dir/null"; }
works() { find "$work" -mindepth 1 -maxdepth 1 -newer "$dir/taproom.yaml" | sort; }
wait_for() { # wait_for SECONDS COMMAND...
	i=$(($1 * 5))
	shift
	while [ "$i" -gt 0 ] && ! "$@" >"$dir/null" 2>&1; do
		sleep 0.2
		i=$((i - 1))
	done
}
# shellcheck disable=SC2317
begun() { test "$(cat "$1"/*.log 2>"$dir/null" | grep -cE '^(one|two|three|four)$')" -ge "$2"; }
# shellcheck disable=SC2317
gone() { for p in "$@"; do ! kill -0 "$p" 2>"$dir/null" || return 1; done; }

# ---- four machines of one kind, two of the other, at once ----
"$TAPROOM" run p --machine host --jobs 4 --out "$dir/host" >"$dir/out1" 2>&1 &
host=$!
qemu=
want=4
if command -v qemu-system-x86_64 >"$dir/null" && ls -d "$cache"/taproom/debian/linux-image-* >"$dir/null" 2>&1; then
	"$TAPROOM" run p --machine qemu --jobs 2 --memory 256M --out "$dir/qemu" >"$dir/out2" 2>&1 &
	qemu=$!
	want=6
fi
wait_for 30 begun "$dir/host" 4
[ -z "$qemu" ] || wait_for 90 begun "$dir/qemu" 2
ok "all of them run at the same time" begun "$dir/host" 4
[ -z "$qemu" ] || ok "the virtual ones too" begun "$dir/qemu" 2
pids="$(children "$host") $([ -z "$qemu" ] || children "$qemu")"
# shellcheck disable=SC2086
set -- $pids
ok "$# processes make $want machines" test "$#" -ge "$want"
nets=$(for p in "$@"; do readlink "/proc/$p/ns/net"; done | sort | uniq -c | awk '$1 > 1' | wc -l)
ok "no two host machines share a network" test "$nets" -le 1
left=$(works)
ok "they have work directories" test -n "$left"
# shellcheck disable=SC2086
kill -KILL $host $qemu
wait 2>"$dir/null"
wait_for 10 gone "$@"
ok "their launchers are killed: so are they" gone "$@"
"$TAPROOM" exec --machine host -- true
for w in $left; do
	ok "the next start removes ${w##*/}" test ! -e "$w"
done
ok "no mount is left" sh -c "! grep -q '$work' /proc/self/mountinfo"

# ---- one that takes its machine along, again and again ----
"$TAPROOM" run r --machine host --jobs 1 --repeat 3 --config reboot.yaml >"$dir/out" 2>"$dir/err"
is "a test that reboots its machine: exit code" "$?" 3
reasons=$(for r in latest-2 latest-1 latest; do
	"$TAPROOM" show "$r" --json | jq -r '.programs[] | select(.name == "reboot -f") | .reason'
done)
is "twice it is tried, then no more" "$(echo "$reasons" | cut -d: -f1 | tr '\n' ' ')" \
	"powered-off powered-off not started again "
is "the job says how it ended" \
	"$("$TAPROOM" show latest-2 --json | jq -r '.jobs[0]["end"]')" powered-off
is "the others run all the same" "$("$TAPROOM" show latest --json |
	jq -r '.programs[] | select(.name == "echo passes") | .status')" pass

# ---- one that says nothing ----
"$TAPROOM" run p --machine host --jobs 4 --silent-timeout 2s >"$dir/out" 2>"$dir/err"
is "tests that say nothing: exit code" "$?" 1
is "are silent" "$("$TAPROOM" show latest --json |
	jq -r '[.programs[] | select(.status == "timeout" and (.reason | startswith("silent: ")))] | length')" 4
finish
