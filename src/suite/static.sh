#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks one file of a kernel tree and tells it in KTAP: SOURCE OBJECTS FILE [SINCE].
# What is found is told as it was said, with its place first: file:line.
source=$1 objects=$2 file=$3 since=$4 n=0
export LC_ALL=C MAKEFLAGS=
said=$(mktemp) && found=$(mktemp) || exit 1
trap 'rm -f "$said" "$found"' EXIT

skip() {
	n=$((n + 1))
	echo "ok $n $1 # SKIP $2"
}

# NAME EXIT-CODE PATTERN: of lines that are findings.
tell() {
	n=$((n + 1))
	sed -i "s|^$source/||; s|^\(\.\./\)*||" "$said"
	grep -E "^[^ :]+:[0-9]+$3" "$said" | awk '!seen[$0]++' >"$found"
	sed 's/^/# /' "$said"
	if [ -s "$found" ]; then
		echo "not ok $n $1 # $(wc -l <"$found") found, first $(head -n 1 "$found" | tr '#' '_' | cut -c1-200)"
	elif [ "$2" -ne 0 ]; then
		echo "not ok $n $1 # exit code $2: $(tail -n 1 "$said" | tr '#' '_' | cut -c1-200)"
	else
		echo "ok $n $1"
	fi
}

build() {
	make -s --no-print-directory -C "$source" O="$objects" "$@" "${file%.c}.o" >"$said" 2>&1
}

# The kernel's semantic patches that can report, with their own options, as
# scripts/coccicheck has them; it can't be had for one file alone.
semantic() {
	: >"$said"
	grep -rl '^virtual report' scripts/coccinelle --include='*.cocci' | sort | while read -r patch; do
		if grep -q '^virtual context\|^virtual org' "$patch"; then
			options=$(sed -n 's|^///* *Options: *||p' "$patch" | head -n 1)
			# shellcheck disable=SC2086 # they are words
			timeout 60 spatch -D report --no-show-diff --very-quiet --cocci-file "$patch" \
				$options "$file" -I include -I arch/x86/include 2>/dev/null >>"$said"
		fi
	done
	return 0
}

echo "TAP version 13"
echo "1..4"
rm -f "$objects/${file%.c}.o"
build W=1
code=$?
if [ $code -ne 0 ] && grep -q "No rule to make target" "$said"; then
	for name in W=1 sparse; do
		skip $name "not part of this configuration"
	done
else
	tell W=1 $code '(:[0-9]+)?: (warning|error|fatal error)'
	if command -v sparse >/dev/null; then
		build C=2
		tell sparse $? ':[0-9]+: (warning|error)'
	else
		skip sparse "sparse is not installed"
	fi
fi

cd "$source" || exit 1
if ! command -v perl >/dev/null; then
	skip checkpatch "perl is not installed"
elif [ -n "$since" ]; then
	git diff "$since" -- "$file" | perl scripts/checkpatch.pl --terse --show-types --no-summary \
		--no-signoff --showfile - >"$said" 2>&1
	tell checkpatch $? ': (ERROR|WARNING|CHECK)'
else
	perl scripts/checkpatch.pl --terse --show-types --no-summary -f "$file" >"$said" 2>&1
	tell checkpatch $? ': (ERROR|WARNING|CHECK)'
fi

if [ $code -ne 0 ]; then
	skip coccicheck "the file does not compile"
elif command -v spatch >/dev/null; then
	semantic
	tell coccicheck $? ':[0-9]+-[0-9]+: '
else
	skip coccicheck "spatch is not installed: coccinelle"
fi
exit 0
