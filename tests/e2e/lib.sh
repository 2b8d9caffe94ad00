# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# For the end-to-end scripts: TAP, a private home, and our program under test.
# Source it after setting nothing; $TAPROOM names the program.
: "${TAPROOM:?set TAPROOM to the program under test}"
# shellcheck disable=SC2034
e2e=$(cd "$(dirname "$0")" && pwd)
# Kernels and built tests are shared with the user's own cache: they are big,
# and found by version. Everything else is private.
cache=${TAPROOM_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}}
dir=$(mktemp -d) || exit 1
# Process numbers of what runs in the background, and ends with the script.
server="" proxy="" run=""
# shellcheck disable=SC2317
leave() {
	for p in $run $proxy $server; do
		kill "$p" && wait "$p"
	done 2>/dev/null
	rm -rf "$dir"
}
trap leave EXIT
export HOME="$dir" XDG_CACHE_HOME="$cache" TAPROOM_STORE="$dir/history.db" NO_COLOR=1
n=0
bad=0

# ok NAME CONDITION...: runs the condition; what it says is shown if it fails.
ok() {
	name=$1
	shift
	n=$((n + 1))
	if "$@" >"$dir/said" 2>&1; then
		echo "ok $n - $name"
	else
		bad=$((bad + 1))
		echo "not ok $n - $name"
		echo "# failed: $*"
		head -n 20 "$dir/said" | sed 's/^/# /'
	fi
}

is() { # is NAME GOT WANT
	n=$((n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n - $1"
	else
		bad=$((bad + 1))
		echo "not ok $n - $1"
		printf '%s\n' "$2" | sed 's/^/#  got: /'
		printf '%s\n' "$3" | sed 's/^/# want: /'
	fi
}

has() { # has NAME TEXT FILE
	n=$((n + 1))
	if grep -qF -e "$2" "$3"; then
		echo "ok $n - $1"
	else
		bad=$((bad + 1))
		echo "not ok $n - $1"
		echo "# no '$2' in:"
		head -20 "$3" | sed 's/^/# /'
	fi
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

finish() {
	echo "1..$n"
	exit $((bad > 0))
}

echo "TAP version 13"
