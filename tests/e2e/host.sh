#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The whole way with the host machine: plan, run, record, show, log, export;
# then the bad days. Real processes, a real store, no kernel of its own.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "the host machine needs root"
command -v jq >/dev/null || skip_all "jq is not installed"

cat >"$dir/taproom.yaml" <<YAML
branch: e2e
suites:
  - name: prog
    kind: exec
    dir: $e2e/programs
YAML
cd "$dir" || exit 1
run() { "$TAPROOM" run --machine host "$@" >"$dir/out" 2>"$dir/err"; }
# field RUN JQ-EXPRESSION
field() { "$TAPROOM" show "$1" --json | jq -r "$2"; }
status_of() { field "${2:-latest}" ".programs[] | select(.name == \"$1\") | .status"; }

# ---- a day like any other ----
run prog/passes.sh prog/plain.sh prog/skips.sh
is "all passed: exit code" "$?" 0
has "conclusion" "Success" "$dir/out"
is "two tests and their results" "$("$TAPROOM" runs --json | jq '.[0].counts.pass')" 3
is "skips are counted" "$("$TAPROOM" runs --json | jq '.[0].counts.skip')" 2
is "plain exit code 4 is a skip" "$(status_of skips.sh)" skip
is "every result has a log range" "$("$TAPROOM" runs --json |
	jq '[.[0].programs[].results[] | select(.log.from == null or .log.to < .log.from)] | length')" 0
"$TAPROOM" log latest prog/plain.sh >"$dir/log"
has "stdout is in the log" "to stdout" "$dir/log"
has "stderr too" "to stderr" "$dir/log"
"$TAPROOM" log latest prog/passes.sh/second >"$dir/log"
is "the log of one result" "$(grep -c 'ok 2 - second' "$dir/log")" 1
ok "and nothing else" test "$(grep -c 'ok 1' "$dir/log")" = 0

run prog/fails.sh prog/missing.sh prog/hostile.sh
is "a failure: exit code" "$?" 1
has "conclusion names it" "prog/fails.sh/bad" "$dir/out"
is "flaky is not a failure" "$("$TAPROOM" runs --json | jq '.[0].counts.flaky')" 1
is "planned and not seen" "$("$TAPROOM" runs --json | jq '.[0].counts.missing')" 2
run prog/fails.sh
has "what failed in the only run before is not flaky for that" "1 failing before" "$dir/out"

run prog/namespace.sh
is "a namespace fit for network tests" "$?" 0
ok "nothing reached the host" test ! -e /usr/taproom-e2e-was-here
ok "nor its namespaces" sh -c '! ip netns list | grep -q taproom-e2e'

run prog/garbage.sh
is "garbage and a flood" "$?" 0
is "the result after it is seen" "$("$TAPROOM" runs --json | jq '.[0].counts.pass')" 1

run prog/endless.sh prog/passes.sh --test-timeout 2s
is "a test without end: exit code" "$?" 1
is "is a timeout" "$(status_of endless.sh)" timeout
is "and the next one runs" "$(status_of passes.sh)" pass

# ---- reports and pages ----
for f in json junit tap text; do
	"$TAPROOM" report latest-3 --format "$f" >"$dir/report.$f"
	is "report as $f" "$?" 0
done
ok "json is json" jq -e . "$dir/report.json"
if command -v xmllint >/dev/null; then
	ok "junit is XML" xmllint --noout "$dir/report.junit"
fi
"$TAPROOM" export "$dir/site" >"$dir/out" 2>&1
is "export" "$?" 0
has "says which file to open" "index.html" "$dir/out"
ok "no script got out of a name" sh -c "! grep -rq '<script>alert' '$dir/site' --include=*.html"
ok "no link leaves the site" sh -c "! grep -rqE '(src|href)=.https?:' '$dir/site' --include=*.html"

# ---- a selector that fits nothing ----
run prog/pases.sh
is "a selector that matches nothing" "$?" 2
has "suggests a near name" "prog/passes.sh" "$dir/err"
run porg
is "a suite that is none" "$?" 2
has "suggests the suite" "prog" "$dir/err"
printf 'suites:\n  - name: own\n    kind: kselftest\n    target: net\n' >"$dir/kselftest.yaml"
run --config kselftest.yaml porg
is "nor does it need a kernel's source for that" "$?" 2
has "says what it is" "no test matches 'porg'" "$dir/err"

run '!prog'
is "selectors that leave nothing" "$?" 2
has "says so" "no test is left" "$dir/err"

# ---- a plain program's exit code, a configuration named from elsewhere ----
mkdir "$dir/elsewhere"
cd "$dir/elsewhere" || exit 1
run --config ../taproom.yaml prog/usage.sh
is "exit code 2 of a plain program" "$?" 1
is "is a failure" "$(status_of usage.sh)" fail
"$TAPROOM" show latest >"$dir/log"
has "and 'again' knows where it was called" "cd $dir/elsewhere && taproom run" "$dir/log"
cd "$dir" || exit 1

# ---- a full disk ----
mkdir "$dir/small"
# shellcheck disable=SC2016 # the inner shell's
unshare --mount sh -c 'mount -t tmpfs -o size=200k none "$1/small" && "$TAPROOM" run \
	--machine host --store "$1/small/h.db" prog/passes.sh' sh "$dir" >"$dir/out" 2>"$dir/err"
is "a store on a disk that is full" "$?" 4
has "says so" "h.db': No space left on device" "$dir/err"

# ---- bad stores ----
echo "this is no database" >"$dir/bad.db"
run prog/passes.sh --store "$dir/bad.db"
is "a store that is none" "$?" 4
has "says so" "bad.db" "$dir/err"
is "and leaves it alone" "$(cat "$dir/bad.db")" "this is no database"
cp "$dir/history.db" "$dir/newer.db"
if command -v sqlite3 >/dev/null; then
	sqlite3 "$dir/newer.db" 'PRAGMA user_version = 9999'
	run prog/passes.sh --store "$dir/newer.db"
	is "a store of a newer version" "$?" 4
	has "says so" "newer" "$dir/err"
fi

# ---- no room for a log ----
mkdir "$dir/full"
if mount -t tmpfs -o nr_inodes=2 tmpfs "$dir/full" 2>"$dir/null"; then
	run prog/passes.sh --out "$dir/full" # the console takes the last inode
	is "a log that can't be made" "$?" 4
	is "is told of its test" "$(status_of passes.sh)" error
	umount "$dir/full"
fi

# ---- Ctrl-C and kill -9 ----
before=$("$TAPROOM" runs --json --brief | jq length)
rm -f "$dir/out"
"$TAPROOM" run --machine host --jobs 2 prog/passes.sh prog/endless.sh >"$dir/out" 2>"$dir/err" &
pid=$!
for _ in $(seq 600); do
	grep -qs "passes.sh" "$dir/out" && break
	sleep 0.1
done
kill -INT "$pid"
wait "$pid"
is "Ctrl-C ends it" "$?" 130
has "and what did not run is told" "after 1 of 2 tests" "$dir/out"
is "the run is kept" "$("$TAPROOM" runs --json --brief | jq length)" $((before + 1))
is "as stopped" "$("$TAPROOM" runs --json --brief | jq -r '.[0].state')" stopped
is "what finished is kept" "$(status_of passes.sh)" pass

rm -f "$dir/out"
"$TAPROOM" run --machine host --jobs 2 prog/passes.sh prog/endless.sh >"$dir/out" 2>"$dir/err" &
pid=$!
for _ in $(seq 600); do
	grep -qs "passes.sh" "$dir/out" && break
	sleep 0.1
done
kill -KILL "$pid"
wait "$pid" 2>"$dir/null"
is "after kill -9 the run is kept" "$("$TAPROOM" runs --json --brief | jq length)" $((before + 2))
is "as lost" "$("$TAPROOM" runs --json --brief | jq -r '.[0].state')" lost
is "with what finished" "$(status_of passes.sh)" pass
sleep 0.5
ok "no process is left" sh -c "! pgrep -f 'programs/[e]ndless.sh'"
finish
