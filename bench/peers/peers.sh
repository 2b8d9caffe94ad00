# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by bench/run and bench/constructs: which other readers are here.

: "${here:?the directory of bench}"

# Where kunit_parser.py is: KUNIT, or what tools/setup --bench has brought.
kunit_directory() {
	for dir in ${KUNIT:+"$KUNIT"} "${XDG_CACHE_HOME:-$HOME/.cache}"/taproom/bench/*/tools/testing/kunit; do
		[ -e "$dir/kunit_parser.py" ] && echo "$dir" && return
	done
	return 1
}

# Debian's python has Debian's modules; another may be first in PATH.
python() {
	for python in /usr/bin/python3 python3; do
		command -v "$python" && return
	done
	return 1
}

peer_command() { # peer_command PEER: prints its command; fails where it is not installed
	case $1 in
	tap-parser)
		[ -d "$here/peers/node_modules/tap-parser" ] && command -v node >/dev/null &&
			echo "node $here/peers/tap-parser.mjs" ;;
	TAP::Parser)
		perl -MTAP::Parser -e1 2>/dev/null && echo "perl $here/peers/tap-parser.pl" ;;
	tappy)
		"$(python)" -c 'import tap.parser' 2>/dev/null &&
			echo "$(python) $here/peers/tappy.py" ;;
	kunit.py)
		python=$(python) && dir=$(kunit_directory) &&
			echo "$python $here/peers/kunit.py $dir" ;;
	esac
}

peers() { # those that are here; the others are named on standard error
	for peer in tap-parser TAP::Parser tappy kunit.py; do
		if peer_command "$peer" >/dev/null; then
			echo "$peer"
		else
			echo "$peer is not installed: tools/setup --bench" >&2
		fi
	done
}
