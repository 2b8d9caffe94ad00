#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A real kernel in a real virtual machine: exec, run, and the bad days: a VMM
# that is killed, a kernel that panics, one that never boots.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "virtiofsd needs root"
command -v jq >/dev/null || skip_all "jq is not installed"
command -v qemu-system-x86_64 >/dev/null || skip_all "qemu-system-x86 is not installed"
command -v apt-get >/dev/null || skip_all "no apt-get to fetch a kernel with"

vm() { "$TAPROOM" exec --kernel debian "$@"; }
status_of() { "$TAPROOM" show latest --json | jq -r ".programs[] | select(.name == \"$1\") | .status"; }
# The VMM that a taproom started.
vmm_of() { pgrep -P "$1" -f qemu-system; }
wait_for() { # wait_for SECONDS COMMAND...
	i=$(($1 * 5))
	shift
	while [ "$i" -gt 0 ] && ! "$@" >"$dir/null" 2>&1; do
		sleep 0.2
		i=$((i - 1))
	done
}

# ---- exec ----
release=$(vm -- uname -r 2>"$dir/err")
is "a command in a fresh machine" "$?" 0
ok "runs on a kernel of its own ($release)" test "$release" != "$(uname -r)" -a -n "$release"
printf 'from outside\n' | vm -- sh -c 'cat; echo to-err >&2; exit 7' >"$dir/out" 2>"$dir/err"
is "its exit code" "$?" 7
is "its standard input and output" "$(cat "$dir/out")" "from outside"
has "its standard error, apart" "to-err" "$dir/err"
vm -- sh -c 'touch /etc/taproom-e2e && test -e /etc/taproom-e2e && ip link show lo | grep -q UP' \
	>"$dir/out" 2>&1
is "it may write anywhere, and lo is up" "$?" 0
ok "nothing reached the host" test ! -e /etc/taproom-e2e
vm --timeout 20s -- sleep 600 >"$dir/out" 2>&1
is "a command that takes too long" "$?" 124
vm -- sh -c 'echo c > /proc/sysrq-trigger; sleep 60' >"$dir/out" 2>"$dir/err"
is "a kernel that panics" "$?" 137
has "says so" "panic" "$dir/err"
vm --append rdinit=/nonexistent -- true >"$dir/out" 2>"$dir/err"
is "a guest that never gets up" "$?" 125
ok "says why" grep -qiE 'boot|panic|init' "$dir/err"
vm --kernel "$dir/taproom.yaml" -- true >"$dir/out" 2>"$dir/err"
is "no such kernel" "$?" 125
head -c 4096 /dev/urandom >"$dir/bzImage"
vm --kernel "$dir/bzImage" -- true >"$dir/out" 2>"$dir/err"
is "a file that is no kernel" "$?" 125
has "names it" "bzImage" "$dir/err"

# ---- run ----
cat >"$dir/taproom.yaml" <<YAML
branch: e2e
kernel: debian
suites:
  - name: prog
    kind: exec
    dir: $e2e/programs
YAML
cd "$dir" || exit 1

"$TAPROOM" run prog/panics.sh prog/passes.sh prog/namespace.sh --jobs 1 >"$dir/out" 2>"$dir/err"
is "a test that takes the kernel with it: exit code" "$?" 3
is "is a crash" "$(status_of panics.sh)" crash
is "what it printed before is kept" \
	"$("$TAPROOM" show latest --json | jq -r '.programs[].results[] | select(.path[-1] == "before") | .status')" pass
is "the next ones run in a new machine" "$(status_of passes.sh) $(status_of namespace.sh)" "pass pass"
has "the panic is a splat" "panic" "$dir/out"
"$TAPROOM" log latest --console >"$dir/log"
has "the console was kept" "sysrq" "$dir/log"

# Each kind of machine has its own default kernel, also as one of several.
sed -i '/^kernel:/d' "$dir/taproom.yaml"
"$TAPROOM" run prog/passes.sh --machine uml,host,qemu >"$dir/out" 2>"$dir/err"
is "on three kinds of machines" "$? $("$TAPROOM" show latest --json |
	jq -r '[.programs[].status] | join(" ")')" "0 pass pass pass"
"$TAPROOM" run prog/passes.sh --machine uml,host --kernel debian >"$dir/out" 2>"$dir/err"
is "a kernel that is not for one of them" "$?" 4
has "is told" "is no User Mode Linux; give --machine qemu" "$dir/out"
is "by its end once" "$(grep -c 'no-boot: no-boot' "$dir/out")" 0
echo "kernel: debian" >>"$dir/taproom.yaml"

# A disk too small for its console.
mkdir "$dir/small"
# shellcheck disable=SC2016 # the inner shell's
unshare --mount sh -c 'mount -t tmpfs -o size=16k none "$1" && "$TAPROOM" run prog/passes.sh \
	--jobs 1 --out "$1"' sh "$dir/small" >"$dir/out" 2>"$dir/err"
is "a disk that is full of its console: the job's end" \
	"$("$TAPROOM" show latest --json | jq -r '.jobs[0] | .end + ": " + .reason')" \
	"host-disk: its console could not be written: No space left on device"
has "is told when it happens" "and is incomplete: No space left on device" "$dir/err"

# What the kernel complains of, with and without a rule that excuses it.
cat >"$dir/kmsg.yaml" <<YAML
branch: e2e
kernel: debian
suites:
  - name: kmsg
    kind: exec
    tests:
      - |-
        echo '<2>WARNING: CPU: 0 PID: 1 at a.c:1 taproom_known+0x1/0x2' >/dev/kmsg
YAML
"$TAPROOM" run kmsg --config "$dir/kmsg.yaml" --jobs 1 >"$dir/out" 2>"$dir/err"
is "a splat while a test passes: exit code" "$?" 3
cat >>"$dir/kmsg.yaml" <<YAML
ignore:
  - pattern: WARNING in taproom_known
    reason: said by the test itself
YAML
"$TAPROOM" run kmsg --config "$dir/kmsg.yaml" --jobs 1 >"$dir/out" 2>"$dir/err"
is "a splat that a rule excuses: exit code" "$?" 0
has "is told all the same" "ignored: said by the" "$dir/out"
is "and kept with the rule" \
	"$("$TAPROOM" show latest --json | jq -r '.splats[0].ignored.reason')" "said by the test itself"

"$TAPROOM" run prog/endless.sh prog/passes.sh prog/plain.sh --jobs 1 --out "$dir/logs" \
	>"$dir/out" 2>"$dir/err" &
pid=$!
# It has begun when its log holds its first line. Not in the work directory:
# the cache may hold one of a run that was killed.
wait_for 60 grep -rq 'end of time' "$dir/logs"
vmm=$(vmm_of "$pid")
ok "a test runs, and its QEMU is found" test -n "$vmm"
kill -KILL "${vmm:-$pid}"
# By nobody's fault of its own: it is started once more, after the others.
# shellcheck disable=SC2317
another() { test "$(vmm_of "$pid")" != "$vmm" && grep -q 'end of time' "$dir"/logs/004-*; }
wait_for 90 another
ok "and started once more" another
kill -KILL "$(vmm_of "$pid")"
wait "$pid"
is "QEMU killed mid-test: exit code" "$?" 3
is "that test is a crash, twice" "$(status_of endless.sh | tr '\n' ' ')" "crash crash "
is "the others have results" "$(status_of passes.sh) $(status_of plain.sh)" "pass pass"

"$TAPROOM" run prog/endless.sh --jobs 1 >"$dir/out" 2>"$dir/err" &
pid=$!
wait_for 60 vmm_of "$pid"
vmm=$(vmm_of "$pid")
ok "a machine is there" test -n "$vmm"
kill -KILL "$pid"
wait "$pid" 2>"$dir/null"
wait_for 5 sh -c "! kill -0 $vmm"
ok "a killed taproom takes its machine along" sh -c "! kill -0 $vmm 2>/dev/null"
finish
