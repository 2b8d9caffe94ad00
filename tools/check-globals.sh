#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# check-globals.sh BUILD-DIRECTORY: no writable globals, function-local statics
# among them. Looks into the objects of our own code, the guest's too: constant
# tables live in .rodata or .data.rel.ro. Prints TAP.
build=${1:?usage: check-globals.sh BUILD-DIRECTORY}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

echo "TAP version 13"
command -v objdump >/dev/null || skip_all "objdump is not installed (binutils)"

n=0
bad=0
for part in 'libtaproom.*.p' src/cmd/taproom.p src/guest/taproom-guest.p; do
	objects=$(find "$build" -path "$build/$part/*.o" | sort)
	n=$((n + 1))
	if [ -z "$objects" ]; then
		bad=$((bad + 1))
		echo "not ok $n - no writable globals in $part"
		echo "# no objects there: is '$build' a build directory?"
		continue
	fi
	# Before the link there is nothing to see in them.
	# shellcheck disable=SC2086
	if objdump -h $objects | grep -q '\.gnu\.lto_'; then
		echo "ok $n - no writable globals in $part # SKIP link-time optimisation"
		continue
	fi
	# Sanitizers add symbols of their own (__odr_asan and friends). Columns:
	# address, flags, section, size, name; flags have blanks.
	# shellcheck disable=SC2086
	found=$(objdump -t $objects | awk '
		/file format/ { sub(/: .*/, ""); object = $0; next }
		/ d  \./ { next } # the section itself
		$NF ~ /^(__odr_|__asan|__ubsan|\.L|\*\.)/ { next }
		/ \.data\.rel\.ro/ { next }
		/ \.(data|bss|tdata|tbss)/ || /\*COM\*/ { print object ": " $NF }')
	if [ -z "$found" ]; then
		echo "ok $n - no writable globals in $part"
	else
		bad=$((bad + 1))
		echo "not ok $n - no writable globals in $part"
		printf '%s\n' "$found" | sed 's/^/# /'
	fi
done
echo "1..$n"
exit $((bad > 0))
