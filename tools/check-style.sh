#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# House style that a machine can see: banned functions, file sizes, line
# widths, licence lines, unfinished words, tabs. Prints TAP.
cd "$(dirname "$0")/.." || exit 1

FILE_MAX=600
LINE_MAX=100

n=0
bad=0
result() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		bad=$((bad + 1))
		echo "not ok $n - $1"
		printf '%s\n' "$2" | head -20 | sed 's/^/# /'
	fi
}
sources() { find src tests fuzz bench -name '*.[chS]' 2>/dev/null | sort; }

echo "TAP version 13"
result "no unbounded or locale-bound string functions" \
	"$(sources | xargs grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|atof|alloca|mktemp|tmpnam|strtok)\(' |
		grep -v '^tests/')"
result "no file over $FILE_MAX lines" \
	"$(sources | xargs wc -l | awk -v max=$FILE_MAX '$2 != "total" && $1 > max { print $1, $2 }')"
# shellcheck disable=SC2016
result "no line over $LINE_MAX columns" \
	"$(sources | xargs awk -v max=$LINE_MAX '{
		n = split($0, part, "\t")
		width = 0
		for (i = 1; i < n; i++) {
			width += length(part[i])
			width += 8 - width % 8
		}
		width += length(part[n])
		if (width > max)
			print FILENAME ":" FNR ": " width
	}')"
result "a licence line first in every source file" \
	"$(sources | xargs awk 'FNR == 1 && !/SPDX-License-Identifier: GPL-2.0-or-later/ { print FILENAME }')"
result "nothing unfinished" \
	"$(grep -rnE '\b(TODO|FIXME|XXX|HACK)\b' src tools man docs Makefile meson.build --include='*' 2>/dev/null |
		grep -vE 'tools/check-style.sh' | grep -vE '^src/(tap|report)/.*TODO' | grep -vE '^(man|docs)/.*TODO')"
result "no trailing blanks" \
	"$(grep -rnIE '[[:blank:]]+$' src tests/unit tools Makefile meson.build ./*.md 2>/dev/null)"
result "every header guards itself" \
	"$(find src -name '*.h' | while read -r f; do grep -q '^#pragma once' "$f" || echo "$f"; done)"
echo "1..$n"
exit $((bad > 0))
