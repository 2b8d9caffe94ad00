#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# check-man.sh TAPROOM: what the program says of itself against its man pages:
# commands, options with their letters and values, configuration keys, exit
# statuses. Also what --help promises: 80 columns, standard output, exit 0.
# Prints TAP.
taproom=$(realpath "${1:?usage: check-man.sh TAPROOM}")
cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

n=0
bad=0
result() { # result NAME WHAT-IS-WRONG
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		bad=$((bad + 1))
		echo "not ok $n - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
	fi
}

# "-x, --name ARG" of each option, sorted.
help_options() { sed -nE 's/^  (-., |    )(--[a-z-]+( [^ ]+)?)( .*)?$/\1\2/p' "$1" | sed 's/^ *//' | sort; }
# A line of it alone, and what it means below.
page_options() {
	awk 'head != "" && /^\t/ { print head } { head = /^\*-/ ? $0 : "" }' "$1" |
		sed 's/[*_\\]//g' | grep -vxE -- '-h, --help|--version' | sort
}
# Every "--name" in the page, wherever it stands.
page_words() { grep -oE -- '--[a-z][a-z-]*' "$1" | grep -vxE -- '--(help|version)' | sort -u; }
# "Exit status: 0 all passed, 1 a test failed ...": its numbers.
help_statuses() {
	awk '/^Exit status:/ { on = 1 } /^$/ { on = 0 } on' "$1" | grep -oE '\b[0-9]+\b'
}
# Lines of one file that the other lacks.
lacks() { comm -23 "$2" "$3" | sed "s/^/$1: /"; }

check_help() { # check_help WORDS...: its output is in $dir/help
	"$taproom" "$@" --help >"$dir/help" 2>"$dir/err"
	code=$?
	problem=
	[ "$code" -eq 0 ] || problem="exit status $code"
	[ ! -s "$dir/err" ] || problem="$problem; words on standard error"
	[ -s "$dir/help" ] || problem="$problem; nothing on standard output"
	width=$(wc -L <"$dir/help")
	[ "$width" -le 80 ] || problem="$problem; $width columns"
	cat -s "$dir/help" | cmp -s - "$dir/help" || problem="$problem; two blank lines"
	! sed -n '/^Options:/,$p' "$dir/help" | grep -q '^      .*[a-z]\.$' ||
		problem="$problem; an option with a full stop"
	result "taproom${*:+ $*} --help: exit 0, standard output, 80 columns" "${problem#; }"
}

check_sections() { # check_sections PAGE SECTION...
	page=$1
	shift
	for section; do
		grep -qx "# $section" "$dir/page" || echo "$page has no section $section"
	done
}

check_command() {
	command=$1
	source=man/taproom-$command.1.scd
	check_help "$command"
	[ -e "$source" ] || {
		result "$command has a page" "no $source"
		return
	}
	man/page.sh "$source" >"$dir/page"
	help_options "$dir/help" >"$dir/in-help"
	page_options "$dir/page" >"$dir/in-page"
	page_words "$dir/page" >"$dir/words"
	grep -oE -- '--[a-z-]+' "$dir/in-help" | sort -u >"$dir/names"
	result "$command's page and --help have the same options" "$(
		[ -s "$dir/in-help" ] || echo "--help lists no option"
		lacks "not in the page" "$dir/in-help" "$dir/in-page"
		lacks "not in --help" "$dir/in-page" "$dir/in-help"
		lacks "no such option" "$dir/words" "$dir/names"
	)"
	result "$command's page has its sections and exit statuses" "$(
		check_sections "$source" NAME SYNOPSIS DESCRIPTION OPTIONS "EXIT STATUS" FILES \
			EXAMPLES "SEE ALSO"
		head -1 "$dir/page" | grep -qx "taproom-$command(1)" || echo "its first line is odd"
		grep -q "^taproom-$command - " "$dir/page" || echo "NAME does not name it"
		grep -qF "*taproom $command*" "$dir/page" || echo "SYNOPSIS does not show it"
		help_statuses "$dir/help" | while read -r code; do
			grep -qx "\*$code\*" "$dir/page" || echo "no exit status $code"
		done
	)"
}

# "KEY(name, ...": the rows of the schema.
schema_keys() { sed -nE 's/^\t(TEXT|LIST|MAPPING)\(([a-z_]+),.*/\2/p' src/plan/schema.c | sort -u; }

echo "TAP version 13"
check_help
commands=$(sed -n '/^Commands:$/,/^$/s/^  \([a-z]\{1,\}\) .*/\1/p' "$dir/help")
result "--help lists commands" "$([ -n "$commands" ] || echo "none")"
for command in $commands; do
	check_command "$command"
done

for source in man/taproom-*.1.scd; do
	name=${source#man/taproom-}
	name=${name%.1.scd}
	echo "$commands" | grep -qx "$name" || echo "$source: no such command"
done >"$dir/wrong"
result "every page has its command" "$(cat "$dir/wrong")"

man/page.sh man/taproom.1.scd >"$dir/page"
page_options "$dir/page" >"$dir/in-page"
# What the last command has under this heading, every command has.
sed -n '/^Common:$/,/^$/p' "$dir/help" >"$dir/common"
help_options "$dir/common" >"$dir/in-help"
result "taproom(1) lists commands, common options, exit statuses and files" "$(
	check_sections man/taproom.1.scd NAME SYNOPSIS DESCRIPTION COMMANDS OPTIONS \
		"EXIT STATUS" ENVIRONMENT FILES EXAMPLES "SEE ALSO"
	for command in $commands; do
		grep -qx "\*taproom-$command\*(1)" "$dir/page" || echo "no taproom-$command(1)"
	done
	[ -s "$dir/in-help" ] || echo "no option in --help is under 'Common:'"
	lacks "not in the page" "$dir/in-help" "$dir/in-page"
	lacks "not common" "$dir/in-page" "$dir/in-help"
	sed -nE 's/^\tEXIT_[A-Z]+ = ([0-9]+),$/\1/p' src/cmd/cmd.h | while read -r code; do
		grep -qx "\*$code\*" "$dir/page" || echo "no exit status $code"
	done
	for file in taproom.yaml history.db .cache/taproom; do
		sed -n '/^# FILES/,/^# /p' "$dir/page" | grep -qF "$file" || echo "no file $file"
	done
)"

man/page.sh man/taproom.yaml.5.scd >"$dir/page"
schema_keys >"$dir/in-code"
grep -E '^\*[a-z_]+\*(, \*[a-z_]+\*)*$' "$dir/page" | grep -oE '[a-z_]+' | sort -u >"$dir/in-page"
result "taproom.yaml(5) has the keys of the schema, and no others" "$(
	[ -s "$dir/in-code" ] || echo "no keys found in src/plan/schema.c"
	lacks "not in the page" "$dir/in-code" "$dir/in-page"
	lacks "not in the schema" "$dir/in-page" "$dir/in-code"
)"

for source in man/*.scd; do
	page=$(basename "$source" .scd)
	grep -qF "'${page%.*}': '${page##*.}'" man/meson.build || echo "$page is not in man/meson.build"
done >"$dir/wrong"
result "every page is installed" "$(cat "$dir/wrong")"

if command -v scdoc >/dev/null; then
	for source in man/*.scd; do
		man/page.sh "$source" scdoc 2>&1 >"$dir/out" | sed "s|^|$source: |"
		[ -s "$dir/out" ] || echo "$source: no page is made of it"
	done >"$dir/wrong"
	result "scdoc makes every page" "$(cat "$dir/wrong")"
else
	n=$((n + 1))
	echo "ok $n - scdoc makes every page # SKIP scdoc is not installed"
fi
echo "1..$n"
exit $((bad > 0))
