#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A run that was interrupted, by Ctrl-C or kill -9, goes on where it was: what was
# recorded does not run again, nothing is lost, and it is one run.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "the host machine needs root"
command -v jq >/dev/null || skip_all "jq is not installed"

mkdir "$dir/t" "$dir/state"
# Each notes that it ran; two waits, but only the first time.
for i in 1 3 4; do
	printf '#!/bin/sh\necho %s >>%s/state/ran\n' "$i" "$dir" >"$dir/t/$i"
done
cat >"$dir/t/2" <<SH
#!/bin/sh
echo 2 >>$dir/state/ran
[ -e $dir/state/waited ] && exit 0
: >$dir/state/waited
sleep 60
SH
chmod +x "$dir"/t/*
cat >"$dir/taproom.yaml" <<YAML
branch: e2e
run: {machines: [host], jobs: 1}
suites: [{name: t, kind: exec, dir: t}]
YAML
cd "$dir" || exit 1
export XDG_CONFIG_HOME="$dir"
latest() { "$TAPROOM" show latest --json | jq -r "$1"; }
# shellcheck disable=SC2317 # called by stop_when
waits() { [ -e "$dir/state/waited" ]; }
# shellcheck disable=SC2317 # called by stop_when
waits_again() { [ -e "$dir/state/again" ]; }
# shellcheck disable=SC2317 # called by stop_when
waits_behind_failure() { waits_again && latest '.programs[].exit' | grep -qx 1; }
# stop_when SIGNAL CONDITION RUN-ARGUMENT...: begins a run, and ends it when the condition
# holds, a command. Its exit code.
stop_when() {
	signal=$1 condition=$2
	shift 2
	"$TAPROOM" run --share "$dir/state:rw" "$@" >"$dir/out" 2>"$dir/err" &
	pid=$!
	for _ in $(seq 600); do
		"$condition" && break
		sleep 0.1
	done
	kill "-$signal" "$pid"
	wait "$pid" 2>"$dir/null"
}

"$TAPROOM" run --resume >"$dir/out" 2>"$dir/err"
is "nothing to go on with" "$?" 2
has "says so" "none of the last runs was interrupted" "$dir/err"
for signal in INT KILL; do
	rm -f "$dir/state/waited" "$dir/state/ran"
	stop_when "$signal" waits t
	before=$("$TAPROOM" runs --json --brief | jq length)
	cd / || exit 1
	"$TAPROOM" run --resume >"$dir/out" 2>"$dir/err"
	is "after SIG$signal it goes on, from anywhere: exit code" "$?" 0
	cd "$dir" || exit 1
	# Which ran before it is the history's to say: two waits in any place.
	is "says how much is done and left, four in all" \
		"$(sed -n 's/.* goes on: \([0-9]*\) tests* done, \([0-9]*\) left/\1 \2/p' \
			"$dir/err" | { read -r a b; echo $((a + b)); })" 4
	is "each ran once, the one that was interrupted again" \
		"$(sort "$dir/state/ran" | tr '\n' ' ')" "1 2 2 3 4 "
	is "it is the same run" "$("$TAPROOM" runs --json --brief | jq length)" "$before"
	is "which is done" "$("$TAPROOM" runs --json --brief | jq -r '.[0].state')" "done"
	is "with all its tests" "$(latest '.counts.pass')" 4
	has "told of all" "Success" "$dir/out"
	"$TAPROOM" run --resume latest >"$dir/out" 2>"$dir/err"
	is "it does not go on twice" "$?" 4
done
"$TAPROOM" store check >"$dir/out" 2>&1
is "the store is clean" "$?" 0

# A round of --repeat that was interrupted: those behind it follow.
rm -f "$dir/state/ran" "$dir/state/waited"
: >"$dir/state/waited"
rm t/2
cat >t/2 <<SH
#!/bin/sh
[ "\$(grep -c 2 $dir/state/ran)" -eq 1 ] && [ ! -e $dir/state/again ] && : >$dir/state/again && sleep 60
echo 2 >>$dir/state/ran
SH
chmod +x t/2
stop_when INT waits_again --repeat 4 t/2
is "the second of four rounds is interrupted" "$?" 130
has "it says how to go on" "taproom run --resume goes on with it" "$dir/err"
"$TAPROOM" run --resume >"$dir/out" 2>"$dir/err"
is "it goes on" "$?" 0
is "and so do the two behind it" "$(grep -c 2 "$dir/state/ran")" 4
has "which are told together" "Over 2 runs" "$dir/out"
is "each says which it is" "$("$TAPROOM" runs --json --brief | jq -r '.[0:4][].title' | tr '\n' ';')" \
	"t/2, round 4;t/2, round 3;t/2, round 2;t/2, round 1;"

# Of several trees it is the one that was interrupted that goes on, with its rounds.
cat >trees.yaml <<YAML
trees:
  - {name: a, kernel: host, branch: tree-a}
  - {name: b, kernel: host, branch: tree-b}
run: {machines: [host], jobs: 1}
suites: [{name: t, kind: exec, dir: t}]
YAML
rm -f "$dir/state/ran" "$dir/state/again"
echo 2 >"$dir/state/ran"
stop_when INT waits_again --config trees.yaml --repeat 2 t/2
"$TAPROOM" run --resume >"$dir/out" 2>"$dir/err"
is "of two trees the one that was interrupted goes on" "$?" 0
is "in both of its rounds, and no other" "$("$TAPROOM" runs --json --brief |
	jq -r '.[0:3][] | "\(.branch) \(.title)"' | tr '\n' ';')" "tree-a t/2, round 2;tree-a t/2, round 1;e2e t/2, round 4;"

# A failure that a rule excuses by a line of its log is excused after the interruption too.
cat >known.yaml <<YAML
run: {machines: [host], jobs: 2}
suites: [{name: t, kind: exec, dir: t}]
known: [{test: t/1, pattern: 'the pump is slow', reason: slow pump}]
YAML
rm -f "$dir/state/again"
echo 2 >"$dir/state/ran"
printf '#!/bin/sh\necho the pump is slow\nexit 1\n' >t/1
stop_when INT waits_behind_failure --config known.yaml t/1 t/2
"$TAPROOM" run --resume >"$dir/out" 2>"$dir/err"
is "a known failure of the first part is known when the run goes on: exit code" "$?" 0
has "and told so" "1 known issue" "$dir/out"
finish
