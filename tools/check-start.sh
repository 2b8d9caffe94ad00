#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# check-start.sh PROGRAM: what it waits for before it begins. Libraries that
# base/library.h loads when they are needed must not come back. Prints TAP.
program=${1:?usage: check-start.sh PROGRAM}

echo "TAP version 13"
command -v objdump >/dev/null || {
	echo "1..0 # SKIP objdump is not installed (binutils)"
	exit 0
}
needed=$(objdump -p "$program" | sed -n 's/^ *NEEDED *//p')
n=0
bad=0
for library in libpq libkmod libdw libelf; do
	n=$((n + 1))
	if echo "$needed" | grep -q "^$library\."; then
		bad=$((bad + 1))
		echo "not ok $n - starts without $library"
	else
		echo "ok $n - starts without $library"
	fi
done
echo "1..$n"
exit $((bad > 0))
