#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# exec as a part of a pipeline, and shell at a real terminal (tmux): job control,
# keys, size, exit code, and the terminal as it was at every end. In namespaces,
# which boot at once; the way of the bytes is the same in a virtual machine.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "the host machine needs root"

in_host() { "$TAPROOM" exec --machine host "$@"; }

# ---- exec ----
printf 'a\000\377b' | in_host -- sh -c 'cat; echo err >&2; exit 7' >"$dir/out" 2>"$dir/err"
is "exit code" "$?" 7
is "any byte" "$(od -An -tx1 "$dir/out")" " 61 00 ff 62"
is "errors apart" "$(cat "$dir/err")" err
head -c 20000000 /dev/urandom >"$dir/random"
# shellcheck disable=SC2094
in_host -- cat <"$dir/random" | cmp - "$dir/random"
is "20 MB from a file and back" "$?" 0
# shellcheck disable=SC2002
cat "$dir/random" | in_host -- cat | (sleep 1 && cmp - "$dir/random")
is "through pipes, whose reader is late" "$?" 0
in_host -- tar c -C "$e2e" . 2>"$dir/err" | tar t >"$dir/out"
has "tar in it, tar here" "./shell.sh" "$dir/out"
is "a reader that goes is told" "$(in_host -- sh -c 'yes; echo done >&2' 2>"$dir/err" | head -n 1)" y
is "to a command that goes on" "$(cat "$dir/err")" "done"
is "a writer hears that nobody reads" \
	"$({ yes && echo; echo $? >"$dir/code"; } | in_host -- sh -c 'exec <&-; sleep 1; exit 3'; cat "$dir/code")" 141
is "no standard input" "$(in_host -- wc -c <&-)" 0
in_host -- echo x >&-
is "no standard output" "$?" 0
for signal in INT TERM HUP USR1 USR2 QUIT WINCH; do
	# A script's background jobs ignore some, and so would the command.
	rm -f "$dir/out" # which says "ready" of the one before
	env --default-signal "$TAPROOM" exec --machine host --timeout 30s -- sh -c "trap 'echo $signal; exit 9' $signal; echo ready; while :; do sleep 0.05; done" \
		>"$dir/out" 2>"$dir/err" &
	pid=$!
	for _ in $(seq 600); do
		grep -qs ready "$dir/out" && break
		sleep 0.05
	done
	kill -s "$signal" "$pid"
	wait "$pid"
	is "SIG$signal is the command's" "$? $(tail -n 1 "$dir/out")" "9 $signal"
done
"$TAPROOM" exec --machine host -- sleep 1000 &
pid=$!
sleep 2
kill -TERM "$pid"
wait "$pid"
is "one that ends it" "$?" 143
is "as another user" "$(in_host --user nobody -- id -un)" nobody
is "with limits" "$(in_host --limit files=50 --limit core=0K -- true 2>&1)" \
	"taproom: --limit core: 0 is no limit that a command could live with"
is "with a limit" "$(in_host --limit files=50 -- sh -c 'ulimit -n')" 50
is "in a directory" "$(in_host --cwd /usr/lib -- pwd)" /usr/lib
own=$(mktemp -d /dev/shm/taproom.XXXXXX)
is "in one that the machine has not" "$(cd "$own" && in_host -- pwd 2>"$dir/err")" /
has "is told" "'$own' is not in the machine, whose /dev is its own" "$dir/err"
is "nothing of one that is shared" "$(cd "$own" && in_host --share .:rw -- sh -c 'pwd; echo x >y' 2>&1)" "$own"
is "what is written there is here" "$(cat "$own/y")" x
rm -r "$own"
mkdir "$dir/gone"
is "in one that is gone" \
	"$(cd "$dir/gone" && rmdir "$dir/gone" && in_host -- pwd 2>"$dir/err")" /
is "is told" "$(cat "$dir/err")" "warning: the current directory is gone: the command starts in /"
in_host --fetch "/tmp/result:$dir/fetched" --cwd /tmp -- sh -c 'echo kept >result'
is "a file that comes back" "$? $(cat "$dir/fetched")" "0 kept"
in_host --fetch "/no/such:$dir/none" -- true 2>"$dir/err"
is "one that is not there" "$?" 125
has "is named" "/no/such: No such file" "$dir/err"
ok "and leaves nothing" test ! -e "$dir/none"
"$TAPROOM" shell --machine host </dev/null >"$dir/out" 2>"$dir/err"
is "a shell without a terminal" "$?" 125
has "says what to do" "taproom exec" "$dir/err"

# An option that would say nothing.
for option in "uml-time inf" "accel kvm" "append quiet" "qemu-opt -S"; do
	# shellcheck disable=SC2086
	in_host --$option -- true 2>"$dir/err"
	is "--$option: exit code" "$?" 125
	has "- is for another machine" "--${option% *} is for --machine" "$dir/err"
done
in_host --kernel debian -- true 2>"$dir/err"
is "a kernel beside the running one" "$? $(cat "$dir/err")" \
	"125 taproom: --machine host has the running kernel: leave --kernel out"

# ---- shell ----
command -v tmux >/dev/null || {
	echo "# tmux is not installed: shell is not tested at a terminal"
	finish
}
trap 'tmux -S "$dir/tmux" kill-server 2>/dev/null; rm -rf "$dir"' EXIT
# Whoever started us may have told us to ignore some signals.
tm() { env --default-signal tmux -S "$dir/tmux" -f /dev/null "$@"; }
screen() { tm capture-pane -p -J; }
keys() { tm send-keys "$@"; }
shows() { # shows NAME TEXT: within two minutes
	for _ in $(seq 600); do
		screen >"$dir/screen"
		grep -qF -e "$2" "$dir/screen" && break
		sleep 0.2
	done
	has "$1" "$2" "$dir/screen"
}
modes() { stty -F "$(tm display -p '#{pane_tty}')" -a | tr ';' '\n' | grep -v '^ *\(rows\|columns\)'; }
# What the user's files set must not hide the kernel.
printf "PS1='mine> '\n" >"$dir/.bashrc"
SHELL=/bin/bash
export SHELL
tm new-session -d -x 80 -y 24 "env PS1='outside> ' sh"
shows "a terminal" "outside> "
before=$(modes)
enter="$TAPROOM shell --machine host"
keys "$enter --env HOME=$dir" Enter
shows "the prompt tells the kernel, and is the user's" "($(uname -r)) mine> "
# shellcheck disable=SC2016
keys 'tty; echo "$TERM:$0"' Enter
shows "a terminal of its own" "/dev/pts/0"
shows "of our kind, and our shell" "$(tm show -gv default-terminal):/bin/bash"
keys 'stty size' Enter
shows "of our size" "24 80"
tm resize-window -x 100 -y 30
keys 'sleep 1; stty size' Enter
shows "and its changes" "30 100"
keys 'sleep 1000' Enter
sleep 1
keys C-z
shows "Ctrl-Z stops a job" "Stopped"
keys 'jobs; fg' Enter
sleep 1
keys C-c
keys 'echo "code $?"' Enter
shows "Ctrl-C ends it" "code 130"
keys 'cat' Enter
keys 'typed' Enter C-d
keys 'echo "after $?"' Enter
shows "Ctrl-D ends its input" "after 0"
if command -v less >/dev/null; then
	keys 'seq 1000 | less' Enter
	shows "a program that takes the screen" "29"
	keys G
	shows "and moves in it" "1000"
	keys q
fi
keys 'exit 42' Enter
shows "back" "outside> "
keys 'echo "code=$?"' Enter
shows "its exit code" "code=42"
is "the terminal is as it was" "$(modes)" "$before"
keys clear Enter
# What is typed before would go to the one that ends.
ended() {
	for _ in $(seq 600); do
		kill -0 "$1" 2>/dev/null || break
		sleep 0.1
	done
}
keys "$enter -- sh -c 'echo be''gun; sleep 1000'" Enter
shows "a command instead" "begun"
pid=$(pgrep -f "^$enter" | head -n 1)
keys C-c
ended "$pid"
keys 'echo "code=$?"' Enter
shows "ended by Ctrl-C" "code=130"
is "the terminal is as it was" "$(modes)" "$before"
keys clear Enter
keys "$enter -- sh -c 'stty raw -isig; echo de''af; sleep 1000'" Enter
shows "one that takes no keys" "deaf"
keys 'C-]' 'C-]' 'C-]'
shows "is left" "left by Ctrl-]"
is "the terminal is as it was" "$(modes)" "$before"
for pair in TERM:143 HUP:129 INT:130; do
	signal=${pair%:*}
	keys clear Enter
	keys "$enter -- sh -c 'trap \"\" INT; echo $signal=\$((40 + 2)); sleep 1000'" Enter
	shows "before SIG$signal" "$signal=42"
	pid=$(pgrep -f "^$enter" | head -n 1)
	kill -s "$signal" "$pid"
	ended "$pid"
	keys '' 'echo "code=$?"' Enter
	shows "SIG$signal ends it" "code=${pair#*:}"
	is "the terminal is as it was" "$(modes)" "$before"
done
keys clear Enter
keys "$enter -- sh -c 'echo alone=\$((40 + 2)); sleep 1000'" Enter
shows "before its machine dies" "alone=42"
pid=$(pgrep -f "^$enter" | head -n 1)
kill -KILL "$(pgrep -P "$pid" | head -n 1)"
shows "a machine that dies" "the machine died"
ended "$pid"
keys 'echo "code=$?"' Enter
shows "is told" "code=137"
is "the terminal is as it was" "$(modes)" "$before"
finish
