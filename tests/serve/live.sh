#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# live.sh TAPROOM: a run that goes on, seen through `taproom web`: by a page without
# JavaScript, by server-sent events, in a browser; and one whose process is killed.
# TAPROOM_TEST_STORE: of that history, which is empty.
# Prints TAP.
set -u
TAPROOM=$(realpath -e "${1:?usage: live.sh TAPROOM}") || exit 1
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lib.sh
. "$here/../e2e/lib.sh"
unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY

[ "$(id -u)" -eq 0 ] || skip_all "the host machine needs root"
for program in curl jq; do
	command -v $program >/dev/null || skip_all "$program is not installed"
done

mkdir "$dir/t" "$dir/state"
printf '#!/bin/sh\nexit 0\n' | tee "$dir/t/0" >"$dir/t/1"
# Wait for the word to go on.
for i in 2 3; do
	printf '#!/bin/sh\nuntil [ -e %s/state/go%s ]; do sleep 0.1; done\n' "$dir" "$i" >"$dir/t/$i"
done
chmod +x "$dir"/t/*
cat >"$dir/taproom.yaml" <<YAML
branch: live
run: {machines: [host], jobs: 1}
suites: [{name: t, kind: exec, dir: t}]
YAML
cd "$dir" || exit 1
export XDG_CONFIG_HOME="$dir"
[ -z "${TAPROOM_TEST_STORE:-}" ] || export TAPROOM_STORE="$TAPROOM_TEST_STORE"

start() {
	"$TAPROOM" run --share "$dir/state:rw" t/1 t/2 t/3 >out 2>err &
	run=$!
}
# until_says PATH TEXT: within 20 seconds the page says it.
# shellcheck disable=SC2317
until_says() {
	for _ in $(seq 200); do
		curl -s "$url/$1" >page
		grep -qF -e "$2" page && return
		sleep 0.1
	done
	grep -F -e progress -e verdict -e says page
	return 1
}
# shellcheck disable=SC2317
until_in() { # FILE TEXT
	for _ in $(seq 200); do
		grep -qF -e "$2" "$1" && return
		sleep 0.1
	done
	cat "$1"
	return 1
}
events() { # of an event stream: "id data" of those that are called so
	awk -v what="$2" '/^event: /{e=$2} /^id: /{id=$2} /^data: /{if (e == what) print id, substr($0, 7); id=""}' "$1"
}

"$TAPROOM" run t/0 >out 2>err
"$TAPROOM" web --listen 127.0.0.1:0 --json >where 2>log &
server=$!
for _ in $(seq 100); do
	[ -s where ] && break
	sleep 0.1
done
url=http://127.0.0.1:$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/p' where)

curl -sN --max-time 150 "$url/events" >all &
all=$!
ok "what runs is told to who listens" until_in all '"running":[]'
start
ok "the overview has a run that goes on, and how far it is" until_says "" '1 of 3 tests ended'
ok "what runs now, by its name" until_says "" '<li><code>t/2</code>, since <time'
has "as a bar" '<progress aria-label="How far run 2 is" max="3" value="1">' page
has "without a script it says what to do" "load the page again" page
ok "its page too" until_says run/2.html '1 of 3 tests ended'
is "the API says it" "$(curl -s "$url/api/v1/runs/2" | jq -c '[.state, .tests, .ended]')" '["running",3,1]'
is "- with what runs now" "$(curl -s "$url/api/v1/runs/2" |
	jq -c '.running[] | [.program, .suite, .name, .mode, .machine, (.begin | length)]')" \
	'[2,"t","2","normal","host",24]'
ok "so does who listens" until_in all '"running":[{"run":2,"state":"running","tests":3,"ended":1,"running":[{"program":2,'
curl -sN --max-time 100 -D head "$url/run/2/events" >one &
one=$!
ok "what ended before is told first" until_in one '"name":"1"'
has "as an event stream" "Content-Type: text/event-stream" head
has "that no proxy holds back" "X-Accel-Buffering: no" head
: >state/go2
ok "then what ends" until_in one '"program":2,"job":1,"suite":"t","name":"2","attempt":1,"mode":"normal","status"'
ok "and what runs then" until_in one '"running":[{"program":3,'

if command -v node >/dev/null && [ -d "$here/../browser/node_modules/playwright-core" ]; then
	node "$here/../browser/live.mjs" "$url" 2 "$dir/state/go3" >said 2>&1
	status=$?
	sed 's/^/# /' said
	is "a browser follows it without loading the page again" "$status" 0
else
	echo "# no browser: npm ci in tests/browser"
fi
: >state/go3
wait "$one"
is "it ends when the run does" "$?" 0
wait "$run"
run=""
is "each test once, as it ended" "$(events one program |
	sed 's/ .*"name":"\([^"]*\)".*/ \1/' | tr '\n' ',')" "1 1,2 2,3 3,"
is "and when nothing runs" "$(events one run | tail -n 1 | jq -r .running)" null
is "and how the run ended" "$(events one run | tail -n 1 |
	jq -r '"\(.state) \(.exit_code) \(.ended)"')" "done 0 3"
curl -sN --max-time 20 -H 'Last-Event-ID: 2' "$url/run/2/events" >again
is "who comes again misses none and gets none twice" "$(events again program | sed 's/ .*//')" 3
is "no run, no events" "$(curl -s -o /dev/null -w '%{http_code}' "$url/run/99/events")" 404

rm state/go*
start
ok "another begins" until_says "" 'How far run 3 is'
ok "and is in the test that took longest" until_says run/3.html '<li><code>t/'
curl -sN --max-time 60 "$url/run/3/events" >one &
one=$!
kill -9 "$run"
wait "$run" 2>/dev/null
run=""
wait "$one"
is "one that is killed ends for who listens" "$(events one run | tail -n 1 | jq -r .state)" lost
ok "and its page says what became of it" until_says run/3.html "ended without a word"
has "and what ran then" "<li><code>t/" page
is "and follows nothing" "$(grep -c data-events page)" 0
ok "no longer does it go on" until_in all '{"newest":3,"running":[]}'
curl -s "$url/metrics" >page
has "who listens is counted" "taproom_followers 1" page

kill "$server"
wait "$server"
is "the server stops, whoever listens" "$?" 0
server=""
wait "$all"
is "to whom it is an end" "$?" 0
finish
