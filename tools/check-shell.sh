#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every script of ours under shellcheck: what ends in .sh, or has no ending and
# begins as a script of sh does. Prints TAP.
cd "$(dirname "$0")/.." || exit 1

echo "TAP version 13"
if ! command -v shellcheck >/dev/null; then
	echo "1..0 # SKIP shellcheck is not installed"
	exit 0
fi
n=0
bad=0
for script in $(find .ci tools man src tests fuzz bench packaging -name node_modules -prune -o \
	-type f -print 2>/dev/null | sort); do
	case ${script##*/} in
	*.sh) ;;
	*.*) continue ;; # sources, tables, logs
	*) head -n 1 "$script" | grep -qaE '^#!.*\b(sh|bash|dash)\b' || continue ;;
	esac
	n=$((n + 1))
	if found=$(shellcheck -x "$script" 2>&1); then
		echo "ok $n - $script"
	else
		bad=$((bad + 1))
		echo "not ok $n - $script"
		printf '%s\n' "$found" | sed 's/^/# /'
	fi
done
echo "1..$n"
exit $((bad > 0))
