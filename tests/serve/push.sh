#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# push.sh TAPROOM FIXTURES: `taproom push` into a real `taproom web --push`: what
# arrives is what was sent, once; who may not is told so. Prints TAP.
set -u
taproom=$(realpath "${1:?usage: push.sh TAPROOM FIXTURES}")
fixtures=$(realpath "$2")
dir=$(mktemp -d) || exit 1
server=
finish() {
	[ -z "$server" ] || { kill "$server" && wait "$server"; }
	rm -rf "$dir"
}
trap finish EXIT
unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY TAPROOM_TOKEN
cd "$dir" || exit 1

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
push() { # the words, and the exit status
	"$taproom" push "$@" --store a.db >said 2>&1
	status=$?
	echo "$(sed 's/([0-9.]* k\{0,1\}B)/(SIZE)/' said) $status"
}

echo "TAP version 13"
if ! ldconfig -p 2>/dev/null | grep -q 'libcurl\(-gnutls\)\{0,1\}\.so\.4'; then
	echo "1..0 # SKIP libcurl is not installed (libcurl3-gnutls)"
	exit 0
fi
"$taproom" import mptcp-results "$fixtures/mptcp" --store a.db >/dev/null 2>&1
"$taproom" import mptcp-results "$fixtures/mptcp/stable-6.1/normal.json" --store b.db >/dev/null 2>&1
token=$("$taproom" token add all --branches '*' --tokens tokens)
some=$("$taproom" token add some --branches 'stable*' --tokens tokens)
"$taproom" web --listen 127.0.0.1:0 --push --tokens tokens --store b.db --json >where 2>log &
server=$!
for _ in $(seq 100); do
	[ -s where ] && break
	sleep 0.1
done
port=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/p' where)
to=http://127.0.0.1:$port
id=$("$taproom" runs --branch export --brief -n 1 --json --store a.db | jq -r '.[0].uid')

is "no token" "$(push "$id" --to "$to")" "taproom: no token: set TAPROOM_TOKEN, or give --token-file; \
'taproom token add' makes one where the run goes to 2"
export TAPROOM_TOKEN=nonsense
is "a token that is none" "$(push "$id" --to "$to" | sed 's/401.*4$/401 4/')" \
	"taproom: '$to' did not take the run: 401 4"
is "a token goes nowhere unencrypted" "$(push "$id" --to http://ci.example.org)" \
	"taproom: 'http://ci.example.org/api/v1/runs' would get the token unencrypted: use https:// 2"
is "no such address" "$(push "$id" --to ftp://x)" \
	"taproom: 'ftp://x/api/v1/runs' is no http:// or https:// address 2"
export TAPROOM_TOKEN="$some"
is "not of this branch" "$(push "$id" --to "$to" | sed 's/403.*4$/403 4/')" \
	"taproom: '$to' did not take the run: 403 4"
export TAPROOM_TOKEN="$token"
is "nobody there" "$(push "$id" --to http://127.0.0.1:1 | sed 's/: Fail.*4$/ 4/')" \
	"taproom: 'http://127.0.0.1:1/api/v1/runs' can't be reached 4"
is "no such run" "$(push nosuch --to "$to" | sed "s/.* //")" 2
is "and it says so" "$(tail -n 1 said | cut -c 1-24)" "taproom: no run 'nosuch'"
is "a run is taken" "$(push "$id" --to "$to")" "run $id is there now (SIZE) 0"
is "again it changes nothing" "$(push "$id" --to "$to/")" "run $id was there already 0"
"$taproom" report "$id" -f events --store a.db >sent
"$taproom" report "$id" -f events --store b.db >arrived
is "it is what was sent" "$(cmp sent arrived && wc -l <arrived | tr -d ' ')" "$(wc -l <sent | tr -d ' ')"
unset TAPROOM_TOKEN
echo "$token" >secret
is "a token from a file" "$(push "$id" --to "$to" --token-file secret --json)" \
	"{\"run\":\"$id\",\"known\":true} 0"
"$taproom" token revoke all --tokens tokens >/dev/null
is "one that was revoked" "$(push "$id" --to "$to" --token-file secret | sed 's/401.*4$/401 4/')" \
	"taproom: '$to' did not take the run: 401 4"
echo "1..$n"
[ $bad = 0 ]
