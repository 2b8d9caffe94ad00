#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Suites of packetdrill's scripts. Debian has no packetdrill: in its place is a program
# that takes its arguments, and passes, fails, hangs or leaves processes behind as its
# script says, in its words. What is tested is all around it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "the host machine needs root"
for program in jq ip unshare flock; do
	command -v "$program" >/dev/null || skip_all "$program is not installed"
done

mkdir -p "$dir/scripts/dss" "$dir/scripts/addr" "$dir/scripts/slow" "$dir/state"
export XDG_CONFIG_HOME="$dir" XDG_CACHE_HOME="$dir/cache"
cd "$dir" || exit 1
cat >packetdrill <<SH
#!/bin/sh
for script; do :; done
echo "\$script \$*" >>$dir/state/calls
echo "\$script \$(readlink /proc/self/ns/net)" >>$dir/state/nets
case \$(cat "\$script") in
pass) exit 0 ;;
fail) echo "\$script:3: error handling packet: live packet field tcp_data_offset: expected: 5 vs actual: 6" >&2
	exit 1 ;;
hang) exec sleep 4211 ;;
orphan) setsid sleep 4212 & exit 0 ;;
esac
SH
chmod +x packetdrill
echo pass >scripts/dss/both.pkt
echo pass >scripts/dss/only_v4.pkt
echo pass >scripts/dss/only_v6.pkt
echo fail >scripts/dss/wrong.pkt
echo orphan >scripts/addr/leaves.pkt
echo pass >"scripts/addr/with space.pkt"
echo hang >scripts/slow/hangs_v6.pkt
cat >taproom.yaml <<'YAML'
suites:
  - {name: pd, kind: packetdrill, dir: scripts, program: packetdrill}
  - {name: none, kind: packetdrill, dir: scripts, program: /nowhere/packetdrill}
YAML
run() { "$TAPROOM" run --machine host --share "$dir/state:rw" "$@" >out 2>err; }
results() {
	"$TAPROOM" show latest --json | jq -r ".programs[] | select(.name == \"$1\") | .results[] |
		\"\(.path[0]) \(.status)\"" | sort
}

run pd --list
is "each directory is a test" "$(tr '\n' ' ' <out)" "pd/addr pd/dss pd/slow "
run pd/dss pd/addr
is "one script fails: exit code" "$?" 1
is "each script, over each version of IP" "$(results dss)" "both.pkt (ipv4) pass
both.pkt (ipv4-mapped-v6) pass
both.pkt (ipv6) pass
only_v4.pkt (ipv4) pass
only_v4.pkt (ipv4-mapped-v6) pass
only_v6.pkt (ipv6) pass
wrong.pkt (ipv4) fail
wrong.pkt (ipv4-mapped-v6) fail
wrong.pkt (ipv6) fail"
is "a name with a blank" "$(results addr | grep -c '^with space.pkt .* pass')" 3
"$TAPROOM" log latest "pd/dss/wrong.pkt (ipv6)" >its-log
has "the log of one is its own words" "error handling packet: live packet field" its-log
has "called as run_all.py does" "--send_omit_free --ip_version=ipv6 --mtu=1520" state/calls
is "in network namespaces of their own" "$(grep -cF "$(readlink /proc/self/ns/net)" state/nets)" 0
ok "no process is left" sh -c '! pgrep -f "sleep 421[2]"'

run pd/slow --test-timeout 3s
is "one that hangs: exit code" "$?" 1
is "what did not end is told" "$(results slow | grep -c pass)" 0
ok "and is gone" sh -c '! pgrep -f "sleep 421[1]"'

run none/dss
is "no packetdrill there: exit code" "$?" 2
has "says so" "there is no program '/nowhere/packetdrill'" err
finish
