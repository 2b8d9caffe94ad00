#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The plan and its scheduler: several modes in one run, what is left out and added,
# expected times, retries, deadlines. On the host machine, whose modes are names.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "the host machine needs root"
command -v jq >/dev/null || skip_all "jq is not installed"

mkdir "$dir/t"
program() { # program NAME LINE...
	name=$1
	shift
	{
		echo "#!/bin/sh"
		printf '%s\n' "$@"
	} >"$dir/t/$name"
	chmod +x "$dir/t/$name"
}
program one 'true'
program two 'true'
# Fails once.
mkdir "$dir/state"
program flaky "[ -e $dir/state/seen ] || { : >$dir/state/seen; exit 1; }"
program bad 'sleep 0.5' 'exit 1'
program btf 'true'
cat >"$dir/taproom.yaml" <<YAML
branch: e2e
run:
  modes: [normal, debug]
  machines: [host]
  tests: [t/one, t/two, btf]
  exclude:
    - {mode: debug, tests: [t/two]}
  include:
    - {mode: btf-debug, tests: [t/one]}
suites:
  - name: t
    kind: exec
    dir: t
  - name: btf
    kind: exec
    dir: t
    tests: [btf]
    modes: [btf-*]
YAML
cd "$dir" || exit 1
export XDG_CONFIG_HOME="$dir"
run() { "$TAPROOM" run "$@" >"$dir/out" 2>"$dir/err"; }
latest() { "$TAPROOM" show latest --json | jq -r "$1"; }

# ---- the matrix ----
"$TAPROOM" run -n >"$dir/out" 2>"$dir/err"
is "a dry run: exit code" "$?" 0
has "knows no time yet" "expected time unknown" "$dir/out"
ok "and makes no history" test ! -e "$dir/history.db"
"$TAPROOM" run -n --json >"$dir/json"
is "jobs and tests" "$(jq -r '.[0].jobs[] | "\(.mode) \(.machine) \([.tests[].name] | join(","))"' \
	"$dir/json")" "normal host one,two
debug host one
btf-debug host one"
is "none is known" "$(jq -c '[.[0].jobs[].unknown]' "$dir/json")" "[2,1,1]"
run -j 2
is "all of it is one run: exit code" "$?" 0
is "four tests ran" "$(latest '.counts.pass')" 4
is "in three modes" "$(latest '[.jobs[].mode] | unique | join(" ")')" "btf-debug debug normal"
is "and not the one that is excluded" \
	"$(latest '[.programs[] | select(.name == "two")] | length')" 1
has "each says in which mode" "t/two (normal, host)" "$dir/out"
"$TAPROOM" run -n --json >"$dir/json"
is "the time is known now" "$(jq -c '[.[0].jobs[].unknown]' "$dir/json")" "[0,0,0]"
ok "and a number" jq -e '.[0].expected_ms > 0' "$dir/json"
"$TAPROOM" run -n -v >"$dir/out"
has "with -v test by test" "  t/two " "$dir/out"
run --mode debug t/two
is "a selector goes before 'exclude'" "$(latest '.counts.pass')" 1
run --mode normal btf
is "a suite that runs in other modes alone" "$?" 2
has "leaves nothing" "no test is left" "$dir/err"
run --mode btf-normal btf
is "where it runs it does" "$(latest '.programs[].name')" btf
is "--list tells each test once" "$("$TAPROOM" run -l | sort | tr '\n' ' ')" "t/one t/two "
run --machine host,vax
is "a machine that is none" "$?" 2

# ---- trees ----
cat >"$dir/trees.yaml" <<YAML
trees:
  - {name: a, kernel: host, branch: tree-a}
  - {name: b, kernel: host, branch: tree-b}
run: {machines: [host], tests: [t/one]}
suites: [{name: t, kind: exec, dir: t}]
YAML
run --config trees.yaml
is "two trees are two runs" "$("$TAPROOM" runs --json --brief | jq -r '[.[0,1].branch] | join(" ")')" \
	"tree-b tree-a"
run --config trees.yaml --tree b,a
is "in the order that was asked for" \
	"$("$TAPROOM" runs --json --brief | jq -r '[.[0,1].branch] | join(" ")')" "tree-a tree-b"
run --config trees.yaml --tree c
is "a tree that is none" "$?" 2
has "says which there are" "there are a, b" "$dir/err"

# ---- retries ----
run --mode normal --retries 2 --share "$dir/state:rw" t/flaky
is "one that fails once: exit code" "$?" 0
is "has two attempts" "$(latest '[.programs[] | "\(.attempt) \(.status)"] | join(" ")')" \
	"1 fail 2 pass"
is "in machines of their own" "$(latest '[.programs[].job] | unique | length')" 2
is "counts once" "$(latest '.counts.pass')" 1
"$TAPROOM" flakes --json >"$dir/json" 2>"$dir/err"
ok "is told as flaky" jq -e '[.. | objects | select(.program? == "flaky" or .test? == "t/flaky")] | length > 0' "$dir/json"
run --mode normal --retries 1 t/bad t/one
is "one that always fails: exit code" "$?" 1
is "was tried twice" "$(latest '[.programs[] | select(.name == "bad") | .attempt] | join(" ")')" "1 2"
run --mode normal --fail-fast -j 1 t/bad t/one t/two
is "--fail-fast: exit code" "$?" 1
is "the others were skipped, with the reason" "$(latest '[.programs[] | select(.status == "skip"
	and (.reason | contains("another test had failed")))] | length')" 2

# ---- a deadline that is shared ----
program hang 'sleep 60'
run --mode normal -j 1 --job-timeout 4s --retries 0 t/hang t/one t/two
is "a test that hangs takes its share: exit code" "$?" 1
is "it is a timeout" "$(latest '.programs[] | select(.name == "hang") | .status')" timeout
has "by its share" "its share of the job's time" "$dir/out"
is "the others had theirs" "$(latest '.counts.pass')" 2
program hang2 'sleep 60'
run --mode normal -j 1 --job-timeout 1s --test-timeout 30s t/hang t/hang2
ok "a job whose time is over ends" test "$(latest '[.programs[].status] | unique | join(" ")')" = "timeout"

# ---- again and again ----
run --mode normal --repeat 3 --share "$dir/state:rw" t/flaky t/one
has "so many runs" "Over 3 runs:" "$dir/out"
has "a test that never failed, with what is known of its rate" \
	"2 tests never failed: 0 % of 3 [0-54]" "$dir/out"
has "each run says how often they failed so far" "run 3/3, 0 failed: 0 % of 2" "$dir/err"
rm "$dir/state/seen"
run --mode normal --until-fail --repeat 9 --share "$dir/state:rw" t/one t/flaky
is "--until-fail ends at the first failure" "$?" 1
has "it is told" "failed 1: 100 % of 1" "$dir/out"
run --mode normal --until-sure 20% --repeat 9 t/bad
has "one that always fails is sure soon" "failed 3: 100 % of 3 [46-100], surely more than 20 %" \
	"$dir/out"
run --mode normal --until-sure 90% --repeat 9 t/one
has "so is one that never does" "surely less than 90 %" "$dir/out"
run --mode normal --until-sure 110% t/one
is "a rate that is none" "$?" 2
finish
