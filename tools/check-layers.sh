#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The rooms' doors, as a test: which room includes which, who may speak SQL,
# HTML, print, exit, start processes. Prints TAP.
cd "$(dirname "$0")/.." || exit 1

n=0
bad=0
result() { # result NAME OFFENDING-LINES
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		bad=$((bad + 1))
		echo "not ok $n - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
	fi
}

# room: the rooms (or single headers) whose headers it may include
allowed() {
	case $1 in
	base) echo "base" ;;
	tap) echo "tap base" ;;
	stat) echo "stat base tap" ;;
	plan) echo "plan base" ;;
	kernel) echo "kernel base plan" ;;
	machine) echo "machine base plan guest/proto.h" ;;
	guest) echo "guest" ;;
	suite) echo "suite base plan tap" ;;
	run) echo "run base plan tap kernel machine suite" ;;
	store) echo "store base tap plan" ;;
	judge) echo "judge base tap stat store" ;;
	import) echo "import base tap" ;;
	report) echo "report base tap stat plan" ;;
	notify) echo "notify base report" ;;
	web) echo "web base tap stat store judge" ;;
	serve) echo "serve base tap store import web" ;;
	cmd) echo "cmd base tap stat plan kernel machine suite run store judge import report notify web serve" ;;
	esac
}

echo "TAP version 13"
for dir in src/*/; do
	room=$(basename "$dir")
	ok=$(allowed "$room")
	pattern=$(for a in $ok; do
		case $a in
		*.h) printf '%s|' "$a" ;;
		*) printf '%s/|' "$a" ;;
		esac
	done | sed 's/|$//; s/\./\\./g')
	lines=$(grep -rnE '^#include "' "$dir" | grep -vE "#include \"($pattern)")
	[ -n "$ok" ] || lines="no row for room '$room'"
	result "$room includes only: $ok" "$lines"
done

result "SQL only in store/, and to read testclutch's database" \
	"$(grep -rnE '"(SELECT|INSERT|UPDATE|DELETE|CREATE TABLE|PRAGMA) |sqlite3' src --include='*.[ch]' | grep -vE '^src/(store/|import/testclutch\.c)')"
result "HTML only in web/" \
	"$(grep -rnE '"</?(html|div|table|span|td|tr|p|a)[ >]' src --include='*.[ch]' | grep -v '^src/web/')"
result "printing and exit only in cmd/ and in the guest" \
	"$(grep -rnwE 'printf|puts|putchar|perror|fprintf|exit' src --include='*.c' |
		grep -vE '^src/(cmd|guest)/' | grep -vE '^[^:]*:[0-9]+:[[:space:]]*(/?\*|//)' |
		grep -E '\b(printf|puts|putchar|perror|fprintf|exit)\(')"
result "processes only through base/proc" \
	"$(grep -rnE '\b(fork|vfork|posix_spawnp?|popen|system|execvp?e?|execlp?)\(' src --include='*.c' |
		grep -vE '^src/(base/proc\.c|guest/)')"
result "no sleeping" \
	"$(grep -rnE '\b(sleep|usleep|nanosleep)\(' src --include='*.c')"

# ARCHITECTURE.md's table names every room, and no other; what it says a room
# may include is what the test above allows ("all" and "-" are its words).
table=$(sed -n 's/^| \([a-z]*\) | .* | \([^|]*\) | [^|]* |$/\1: \2/p' ARCHITECTURE.md | grep -v '^room:')
rooms=$(for dir in src/*/; do basename "$dir"; done | sort)
result "ARCHITECTURE.md's rooms are the tree's" \
	"$(echo "$table" | sed 's/:.*//' | sort | { echo "$rooms" | diff - /dev/fd/3; } 3<&0)"
result "ARCHITECTURE.md's doors are the tested ones" \
	"$(echo "$table" | while IFS=: read -r room doors; do
		want=$(allowed "$room")
		want=${want#"$room"}
		doors=${doors# }
		case $doors in
		all) continue ;;
		- | "its own") doors= ;;
		esac
		[ "$(echo "$doors" | xargs -n1 | sort | xargs)" = "$(echo "$want" | xargs -n1 | sort | xargs)" ] ||
			echo "$room: '$doors' there, '$want' here"
	done)"
echo "1..$n"
exit $((bad > 0))
