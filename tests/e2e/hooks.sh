#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Hooks: commands around the tests, on the host and in the machine; what they are told,
# where their output is, and what becomes of the tests when one fails.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "the host machine needs root"
command -v jq >/dev/null || skip_all "jq is not installed"

mkdir "$dir/t" "$dir/state"
for test in a b; do
	printf '#!/bin/sh\necho %s >>%s/state/did\n' "$test" "$dir" >"$dir/t/$test"
done
chmod +x "$dir"/t/*
export XDG_CONFIG_HOME="$dir"
cd "$dir" || exit 1
# configure HOOK...: a configuration with these lines under hooks.
configure() {
	printf 'suites: [{name: t, kind: exec, dir: t}]\nhooks:\n' >taproom.yaml
	printf '  %s\n' "$@" >>taproom.yaml
	: >state/did
}
run() { "$TAPROOM" run --machine host --jobs 1 --share "$dir/state:rw" "$@" >out 2>err; }
did() { tr '\n' ' ' <state/did; }
status_of() { "$TAPROOM" show latest --json | jq -r ".programs[] | select(.name == \"$1\") | .status"; }

configure "prepare: echo prepare \$TAPROOM_MODE >>state/did; echo on the host" \
	"pre: echo pre \$TAPROOM_HOOK \$TAPROOM_MODE \$TAPROOM_MACHINE >>state/did; echo made ready" \
	"post: echo post >>state/did; test -n \"\$TAPROOM_RUN\""
run
is "around the tests: exit code" "$?" 0
is "each once, in order, and told what it is for" "$(did)" \
	"prepare normal pre pre normal host a b post "
has "what it says on the host is seen" "on the host" err
"$TAPROOM" log latest hooks/pre >its-log
has "what it says in the machine is a log" "made ready" its-log
is "and its end in the history" "$(status_of post)" pass
: >state/did
run t/b
is "with a selector too" "$(did)" "prepare normal pre pre normal host b post "
: >state/did
run --list
is "a list runs none" "$(did)" ""

configure "prepare: exit 3" "pre: echo pre >>state/did"
run
is "prepare fails: exit code" "$?" 4
has "says so" "hook 'prepare' failed, exit code 3" err
is "nothing ran" "$(did)" ""

configure "pre: exit 5" "post: echo post >>state/did"
run
is "pre fails: exit code" "$?" 4
is "is an error" "$(status_of pre)" error
is "so are the tests" "$(status_of a) $(status_of b)" "error error"
is "none of them ran" "$(did)" ""
"$TAPROOM" show latest >out
has "and why" "hooks/pre failed before it" out

configure "post: exit 1"
run
is "post fails: exit code" "$?" 1
is "the tests' results stay" "$(status_of a) $(status_of post)" "pass fail"

configure "run: echo instead >>state/did; echo '1..1'; echo 'ok 1 - own'"
run
is "in the tests' place: exit code" "$?" 0
is "none of them ran" "$(did)" "instead "
is "its results are results" "$("$TAPROOM" show latest --json |
	jq -r '.programs[] | .name, .results[].path[0]' | tr '\n' ' ')" "run own "
: >state/did
run t/a
is "but who names tests has them" "$(did)" "a "

configure "pre: sleep 60"
run --test-timeout 1s
is "one that hangs ends at its deadline" "$(status_of pre) $(status_of a)" "timeout error"

configure "pre: echo pre >>state/did; sleep 60"
"$TAPROOM" run --machine host --share "$dir/state:rw" >out 2>err &
pid=$!
for _ in $(seq 600); do
	grep -q pre state/did && break
	sleep 0.1
done
kill -INT $pid
wait $pid
is "Ctrl-C ends it" "$?" 130

configure "prepair: true"
run
is "a word that is none: exit code" "$?" 2
has "says so" "did you mean 'prepare'" err
finish
