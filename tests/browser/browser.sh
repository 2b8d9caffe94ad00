#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# browser.sh WEB-SEED: shows two exported sites to a browser.
skip() {
	echo "TAP version 13"
	echo "1..0 # SKIP $1"
	exit 0
}
command -v node >/dev/null || skip "no node: apt-get install nodejs"
[ -d "$(dirname "$0")/node_modules/playwright-core" ] ||
	skip "playwright-core is not installed: npm ci in tests/browser"

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
"$1" "$dir/site" 20 && "$1" "$dir/hostile" 3 hostile || exit 1
node "$(dirname "$0")/run.mjs" "$dir/site" "$dir/hostile"
