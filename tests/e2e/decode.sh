#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Splats of a run are told with the places in the source where the debug info of its
# kernel is at hand: a real User Mode Linux, in whose log a test writes a splat, and
# beside it a "vmlinux" of a few lines.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

linux=${TAPROOM_TEST_UML:-$(find "$cache/taproom/debian" -path '*/user-mode-linux_*/boot/vmlinuz-*' \
	2>/dev/null | head -1)}
[ -f "$linux" ] || skip_all "no User Mode Linux: TAPROOM_TEST_UML names none, the cache has none"
for tool in jq gcc nm objdump; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
export XDG_CACHE_HOME="$dir/cache"
mkdir "$dir/kernel" "$dir/t"
cp "$linux" "$dir/kernel/linux"
cd "$dir" || exit 1

cat >seen.c <<'C'
int called(int x) { return x * 3; }
int seen(int x)
{
	return called(x) + 1; /* the place */
}
void _start(void) { seen(2); }
C
gcc -g -O0 -nostdlib -static -fno-pie -no-pie -fcf-protection=none -o vmlinux seen.c 2>gcc.err ||
	skip_all "gcc makes no program without a library"
# shellcheck disable=SC2046 # two numbers
set -- $(nm -n vmlinux | sed -n '/ seen$/{N;s/ .*\n/ /;s/ [A-Z].*//p;}')
size=$(printf '0x%x' $((0x$2 - 0x$1)))
# Somewhere behind the call, in the same line.
call=$(objdump -d vmlinux --disassemble=seen | sed -n '/call.*<called>/{n;s/^ *\([0-9a-f]*\):.*/\1/p;}')
frame="seen+$(printf '0x%x' $((0x$call - 0x$1)))/$size"
cat >taproom.yaml <<YAML
suites:
  - {name: splat, kind: exec, dir: $dir/t}
YAML
cat >t/warns.sh <<SH
#!/bin/sh
say() { echo "<4>\$1" >/dev/kmsg; }
say '------------[ cut here ]------------'
say 'WARNING: CPU: 0 PID: 23 at seen.c:1 $frame'
say 'Call Trace:'
say ' $frame'
say ' gone+0x1/0x2 [gone]'
say '---[ end trace 0000000000000000 ]---'
SH
chmod +x t/warns.sh
# Debian's has no overlays: what is in /tmp is shared.
run() { "$TAPROOM" run --kernel kernel/linux --machine uml --root ro --share t "$@" >out 2>err; }
splat() { "$TAPROOM" show latest --json | jq -r ".splats[0].$1"; }

run
is "no debug info: exit code" "$?" 3
is "nothing is said about it" "$(grep -c decoded err)" 0
is "the splat is as it was heard" "$(splat text | grep -c "$frame\$")" 2
facts() { "$TAPROOM" show latest --json | jq -c ".splats[0] | [.title, .fingerprint, .line, .lines, .kind, (.frames | map(.function))]"; }
facts >before
has "the title" "WARNING in seen" before
"$TAPROOM" log latest --console | sed 's/^\[[^]]*\] *//' >console

mv vmlinux kernel/
run --json
is "the same with debug info: exit code" "$?" 3
is "its frames have their places" "$(splat text | grep -c "$frame (seen.c:4)")" 2
is "but for what has none" "$(splat text | grep -c 'gone+0x1/0x2 \[gone\]$')" 1
jq -r '.splats[0].text' out >told
ok "the run's own document says the same" sh -c "'$TAPROOM' show latest --json | jq -r '.splats[0].text' | cmp - told"
facts >after
ok "title, fingerprint and lines stay" cmp before after
"$TAPROOM" log latest --console | sed 's/^\[[^]]*\] *//' >again
is "so does the console" "$(grep -c "seen+" again) $(grep -c 'seen.c:4' again)" "2 0"
"$TAPROOM" export site >out 2>&1
ok "the page shows the places" grep -q '<b class="place">seen.c:4</b>' site/run/2.html

touch -d '+1 hour' kernel/vmlinux
run
is "built since: exit code" "$?" 3
is "nothing is decoded, in one line" "$(grep -c 'not decoded.*was built while' err) $(splat text | grep -c seen.c:4)" "1 0"
head -c 3000 kernel/vmlinux >half
cat half >kernel/vmlinux
touch -d '-1 hour' kernel/vmlinux
run
is "damaged: exit code" "$?" 3
is "one line at most" "$(grep -c 'not decoded' err) $(splat text | grep -c seen.c:4)" "1 0"
finish
