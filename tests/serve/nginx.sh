#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# nginx.sh TAPROOM EXAMPLE FIXTURES: the example of a proxy, with a real nginx in front of
# a real `taproom web`. Prints TAP.
set -u
TAPROOM=$(realpath -e "${1:?usage: nginx.sh TAPROOM EXAMPLE FIXTURES}") || exit 1
example=$(realpath "$2")
fixtures=$(realpath "$3")
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY
PATH=$PATH:/usr/sbin
for program in nginx curl; do
	command -v $program >/dev/null || skip_all "$program is not installed"
done
cd "$dir" || exit 1
chmod 755 "$dir"

"$TAPROOM" import mptcp-results "$fixtures/mptcp" >/dev/null 2>&1
"$TAPROOM" web --listen "unix:$dir/web.sock" >where 2>log &
server=$!
mkdir run
{
	echo "daemon off; pid $dir/nginx.pid; error_log $dir/error.log; worker_processes 1;"
	[ "$(id -u)" -ne 0 ] || echo "user root;"
	echo "events {}"
	echo "http { access_log off;"
	for what in client_body proxy fastcgi uwsgi scgi; do
		echo "${what}_temp_path $dir/run/$what;"
	done
	sed "s#unix:/run/taproom/web.sock#unix:$dir/web.sock#; s#listen 80;#listen unix:$dir/proxy.sock;#" "$example"
	echo "}"
} >nginx.conf
for _ in $(seq 100); do
	[ -S web.sock ] && break
	sleep 0.1
done
nginx -c "$dir/nginx.conf" -p "$dir" >nginx.log 2>&1 &
proxy=$!
for _ in $(seq 100); do
	[ -S proxy.sock ] && break
	sleep 0.1
done
get() { # PATH [curl options]
	path=$1
	shift
	curl -s --max-time 20 --unix-socket "$dir/proxy.sock" "$@" "http://ci.example.org$path"
}

get /ci/ -D head >page
has "the first page, below a path" "<h1>Overview</h1>" page
has "its links are from where it is" 'href="flakes.html' page
first=$(sed -n 's/.*href="run\/\([0-9]*\)\.html".*/\1/p' page | head -n 1)
is "which leads on" "$(get "/ci/run/$first.html" -o page -w '%{http_code}')" 200
has "and back" 'href="../index.html"' page
get /ci/ -H 'Accept-Encoding: zstd' -D head -o page
has "encoded by the server" "Content-Encoding: zstd" head
tag=$(sed -n 's/^ETag: *\([^ \r]*\).*/\1/p' head)
is "what did not change is not sent again" \
	"$(get /ci/ -H 'Accept-Encoding: zstd' -H "If-None-Match: $tag" -o page -w '%{http_code}')" 304
is "what moved stays below the path" "$(get /ci/flakes/branch/export.html -o page -w '%{redirect_url}')" \
	"http://ci.example.org/ci/flakes.html?branch=export"
is "the API" "$(get /ci/api/v1/overview -o page -w '%{http_code} %{content_type}')" "200 application/json"
get /ci/events -N --max-time 3 >events
has "events come while they are open" 'event: runs' events
is "up and out is nowhere" "$(get '/ci/..%2f..%2fetc/passwd' --path-as-is -o page -w '%{http_code}' | cut -c 1)" 4
finish
