#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# No writable globals: looks into the objects of a build directory. Constant
# tables live in .rodata or .data.rel.ro. Prints TAP.
build=${1:?usage: check-globals.sh BUILD-DIRECTORY}

echo "TAP version 13"
# Sanitizers add symbols of their own (__odr_asan and friends).
found=$(find "$build/libtaproom.a.p" "$build/src/cmd" -name '*.o' -exec nm -A {} + 2>/dev/null |
	grep -E ' [bBdDcC] ' | grep -vE '(__odr_|__asan|__ubsan|\.L|\*\.)' |
	while read -r line; do
		object=${line%%:*}
		symbol=${line##* }
		section=$(objdump -t "$object" | awk -v s="$symbol" '$NF == s { for (i = 1; i <= NF; i++) if ($i ~ /^\.(data|bss|common)/) print $i }')
		case $section in
		.data.rel.ro*) ;;
		.data*|.bss*) echo "$object: $symbol" ;;
		esac
	done)
if [ -z "$found" ]; then
	echo "ok 1 - no writable globals"
else
	echo "not ok 1 - no writable globals"
	printf '%s\n' "$found" | sed 's/^/# /'
fi
echo "1..1"
[ -z "$found" ]
