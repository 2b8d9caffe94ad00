#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# push.sh TAPROOM FIXTURES: `taproom push` into a real `taproom web --push`: what
# arrives is what was sent, once; who may not is told so. Prints TAP.
set -u
TAPROOM=$(realpath "${1:?usage: push.sh TAPROOM FIXTURES}")
fixtures=$(realpath "$2")
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY TAPROOM_TOKEN
cd "$dir" || exit 1

push() { # the words, and the exit status
	"$TAPROOM" push "$@" --store a.db >said 2>&1
	status=$?
	echo "$(sed 's/([0-9.]* k\{0,1\}B)/(SIZE)/' said) $status"
}

if ! ldconfig -p 2>/dev/null | grep -q 'libcurl\(-gnutls\)\{0,1\}\.so\.4'; then
	skip_all "libcurl is not installed (libcurl3-gnutls)"
fi
"$TAPROOM" import mptcp-results "$fixtures/mptcp" --store a.db >/dev/null 2>&1
"$TAPROOM" import mptcp-results "$fixtures/mptcp/stable-6.1/normal.json" --store b.db >/dev/null 2>&1
token=$("$TAPROOM" token add all --branches '*' --tokens tokens)
some=$("$TAPROOM" token add some --branches 'stable*' --tokens tokens)
"$TAPROOM" web --listen 127.0.0.1:0 --push --tokens tokens --store b.db --json >where 2>log &
server=$!
for _ in $(seq 100); do
	[ -s where ] && break
	sleep 0.1
done
port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/p' where)
to=http://127.0.0.1:$port
id=$("$TAPROOM" runs --branch export --brief -n 1 --json --store a.db | jq -r '.[0].uid')

is "no token" "$(push "$id" --to "$to")" "taproom: no token: set TAPROOM_TOKEN, or give --token-file; \
'taproom token add' makes one where the run goes to 2"
export TAPROOM_TOKEN=nonsense
is "a token that is none" "$(push "$id" --to "$to" | sed 's/: 401.*4$/: 401 4/')" \
	"taproom: '$to' did not take the run: 401 4"
is "a token goes nowhere unencrypted" "$(push "$id" --to http://ci.example.org)" \
	"taproom: 'http://ci.example.org/api/v1/runs' would get the token unencrypted: use https:// 2"
is "no such address" "$(push "$id" --to ftp://x)" \
	"taproom: 'ftp://x/api/v1/runs' is no http:// or https:// address 2"
export TAPROOM_TOKEN="$some"
is "not of this branch" "$(push "$id" --to "$to" | sed 's/: 403.*4$/: 403 4/')" \
	"taproom: '$to' did not take the run: 403 4"
export TAPROOM_TOKEN="$token"
is "nobody there" "$(push "$id" --to http://127.0.0.1:1 | sed 's/: Fail.*4$/ 4/')" \
	"taproom: 'http://127.0.0.1:1/api/v1/runs' can't be reached 4"
is "no such run" "$(push nosuch --to "$to" | sed "s/.* //")" 2
is "and it says so" "$(tail -n 1 said | cut -c 1-24)" "taproom: no run 'nosuch'"
is "a run is taken" "$(push "$id" --to "$to")" "run $id is there now (SIZE) 0"
is "again it changes nothing" "$(push "$id" --to "$to/")" "run $id was there already 0"
"$TAPROOM" report "$id" -f events --store a.db >sent
"$TAPROOM" report "$id" -f events --store b.db >arrived
is "it is what was sent" "$(cmp sent arrived && wc -l <arrived | tr -d ' ')" "$(wc -l <sent | tr -d ' ')"
unset TAPROOM_TOKEN
echo "$token" >secret
is "a token from a file" "$(push "$id" --to "$to" --token-file secret --json)" \
	"{\"run\":\"$id\",\"known\":true} 0"
other=$("$TAPROOM" runs --branch export --brief -n 2 --json --store a.db | jq -r '.[1].uid')
"$TAPROOM" report "$other" -f json --store a.db >run.json
is "a report that was written" "$(push --file run.json --to "$to" --token-file secret)" \
	"run $other is there now (SIZE) 0"
"$TAPROOM" report "$other" -f json --store b.db | cmp - run.json && same=0 || same=$?
is "- is the same there" "$same" 0
gzip -k run.json
is "- compressed" "$(push --file run.json.gz --to "$to" --token-file secret)" \
	"run $other was there already 0"
is "events that were written" "$(push --file sent --to "$to" --token-file secret)" \
	"run $id was there already 0"
head -c 300 run.json >half.json
is "half of a report" "$(push --file half.json --to "$to" --token-file secret | sed 's/.*422, //')" \
	"'the run': it is no object, or its brackets don't match; nothing of it is taken 4"
is "no such file" "$(push --file nowhere --to "$to" --token-file secret | sed 's/.* //')" 2
is "a run and a file" "$(push "$id" --file sent --to "$to")" \
	"taproom: push takes a run or --file, not also '$id' 2"
"$TAPROOM" token revoke all --tokens tokens >/dev/null
is "one that was revoked" "$(push "$id" --to "$to" --token-file secret | sed 's/: 401.*4$/: 401 4/')" \
	"taproom: '$to' did not take the run: 401 4"
finish
