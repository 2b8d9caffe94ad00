#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# browser.sh WEB-SEED TAPROOM: shows exported sites and two servers to a browser.
skip() {
	echo "TAP version 13"
	echo "1..0 # SKIP $1"
	exit 0
}
command -v node >/dev/null || skip "no node: apt-get install nodejs"
[ -d "$(dirname "$0")/node_modules/playwright-core" ] ||
	skip "playwright-core is not installed: npm ci in tests/browser"

here=$(dirname "$0")
seed=$1
taproom=$(realpath "$2") || exit 1
dir=$(mktemp -d) || exit 1
servers=
cleanup() {
	# shellcheck disable=SC2086 # each is one
	[ -z "$servers" ] || kill $servers
	rm -rf "$dir"
}
trap cleanup EXIT
serve() { # name: of its store; sets url
	(cd "$dir" && exec "$taproom" web --listen 127.0.0.1:0 --json \
		--store "$dir/$1.d/history.db") >"$dir/$1.url" &
	servers="$servers $!"
	i=0
	until url=$(grep -o 'http://[^"]*[^"/]' "$dir/$1.url"); do
		i=$((i + 1))
		[ $i -lt 300 ] || exit 1
		sleep 0.1
	done
}
mkdir "$dir/site.d" "$dir/hostile.d" "$dir/live.d"
"$seed" "$dir/site" 20 "$dir/site.d" && "$seed" "$dir/hostile" 3 "$dir/hostile.d" hostile &&
	"$seed" "" 110 "$dir/live.d" || exit 1
# A long past, of which few runs have pages.
"$taproom" export --compress --runs 3 --quiet --store "$dir/live.d/history.db" "$dir/long" || exit 1
# Of several machines.
"$taproom" import --quiet kcidb "$here/../import/kcidb.json" --store "$dir/others.db" >/dev/null 2>&1
"$taproom" import --quiet nipa "$here/../import/nipa-all.json" --store "$dir/others.db" >/dev/null 2>&1
"$taproom" export --quiet --store "$dir/others.db" "$dir/others" || exit 1
# The same branches and modes on two machines, on one of them long ago; and a branch that
# seldom runs, with a test of its own.
mkdir "$dir/machines.d"
again() { # RUN MACHINE [SED]
	"$taproom" report "$1" --format events --store "$dir/live.d/history.db" |
		sed -e "s/\"machine\":\"qemu\"/\"machine\":\"$2\"/" -e "${3:-}" >"$dir/events" &&
		"$taproom" import --quiet events "$dir/events" --store "$dir/machines.d/history.db" >/dev/null || exit 1
}
for run in 1 2 3 4 5 40; do again $run uml; done
for run in $(seq 85 104); do again "$run" qemu; done
for run in 7 8 9; do
	again $run qemu 's/"branch":"[^"]*"/"branch":"weekly"/; s/simult_flows/weekly_flows/g'
done
"$taproom" export --quiet --store "$dir/machines.d/history.db" "$dir/machines" || exit 1
serve live
live=$url
serve machines
machines=$url
serve hostile
node "$here/run.mjs" "$dir/site" "$dir/hostile" "$live" "$url" "$dir/long" "$dir/others" "$dir/machines" "$machines"
