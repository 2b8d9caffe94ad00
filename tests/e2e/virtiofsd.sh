#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The host's files by the virtiofsd in Rust, which Debian 12 has not: the guest sees
# and may write what it would by QEMU's, and nothing of the server is left.
# A mount of ours, that nobody else sees.
if [ -z "${TAPROOM_TEST_MOUNTS:-}" ] && [ "$(id -u)" -eq 0 ] && command -v unshare >/dev/null; then
	TAPROOM_TEST_MOUNTS=1 exec unshare --mount --propagation private sh "$0"
fi
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "virtiofsd needs root"
for program in qemu-system-x86_64 unshare pgrep; do
	command -v "$program" >/dev/null || skip_all "no program '$program'"
done
[ -x "$cache/taproom/bench/virtiofsd/virtiofsd" ] ||
	skip_all "no virtiofsd in Rust: tools/setup --tests brings it"
# Found by where it is: others may run the same.
cp -r "$cache/taproom/bench/virtiofsd" "$dir/server"
export TAPROOM_VIRTIOFSD="$dir/server/virtiofsd"
"$TAPROOM" exec --kernel debian -- true >"$dir/out" 2>"$dir/err" || {
	grep -q "the host's files" "$dir/err" || skip_all "no kernel boots here"
}
servers() { pgrep -f "$dir/server/lib/virtiofsd.*--fd"; }
none_left() { # none_left NAME
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		servers >"$dir/left" || break
		sleep 0.2
	done
	is "$1" "$(cat "$dir/left")" ""
}
# Starts one that stays, and waits until its command runs; $run is its number.
stay() {
	rm -f "$dir/out"
	"$TAPROOM" exec --kernel debian "$@" -- sh -c 'echo up; exec sleep 60' >"$dir/out" 2>"$dir/err" &
	run=$!
	while ! grep -qs up "$dir/out" && kill -0 "$run" 2>/dev/null; do
		sleep 0.1
	done
}

"$TAPROOM" doctor >"$dir/out" 2>&1
has "doctor says which it is" "$TAPROOM_VIRTIOFSD, the one in Rust" "$dir/out"
host=$dir/host
mkdir -p "$host/kept" "$host/mounted" "$host/shared/mounted"
trap 'umount "$host/mounted" "$host/shared/mounted" 2>/dev/null; leave' EXIT
echo "kept" >"$host/kept/file"
for to in "$host/mounted" "$host/shared/mounted"; do
	mount -t tmpfs none "$to" && echo "on a mount" >"$to/file"
done
for how in --cold ""; do
	# shellcheck disable=SC2086,SC2016 # an option or none; the guest's
	"$TAPROOM" exec $how --kernel debian --share "$host/shared:rw" -- sh -c 'cat "$0/kept/file" \
		"$0/mounted/file" "$0/shared/mounted/file"; echo new >"$0/shared/new"; echo new \
		>"$0/shared/mounted/new"; rm -rf "$0/kept" "$0/mounted"/* /etc; ls "$0/mounted"' "$host" \
		>"$dir/out" 2>"$dir/err"
	what=${how:-from a ready machine}
	is "$what: the guest sees the host's files and mounts" "$(tr '\n' ' ' <"$dir/out")" \
		"kept on a mount on a mount "
	is "$what: what it removes is not the host's" \
		"$(cat "$host/kept/file" "$host/mounted/file" | tr '\n' ' ')" "kept on a mount "
	is "$what: what may come back does" \
		"$(cat "$host/shared/new" "$host/shared/mounted/new" | tr '\n' ' ')" "new new "
	rm -f "$host/shared/new" "$host/shared/mounted/new"
done
"$TAPROOM" exec --kernel debian --root rw -- sh -c "echo new >$host/mounted/new; echo \$?" >"$dir/out" 2>&1
is "a root that may be written" "$(cat "$dir/out" "$host/mounted/new" | tr '\n' ' ')" "0 new "
none_left "no server is left after these"

stay
kill -9 "$(servers | head -n 1)"
wait "$run"
has "a server that dies is named" "the server of the host's files ended" "$dir/err"
stay --root rw --share "$host/shared:rw"
is "one server per directory" "$(servers | wc -l)" 2
kill -9 "$run"
wait "$run" 2>/dev/null
run=
none_left "no server is left of a taproom that was killed"

cat >"$dir/broken" <<'SH'
#!/bin/sh
[ "$1" = --help ] && exec echo --shared-dir
echo "has no will to" >&2
exit 3
SH
chmod +x "$dir/broken"
for how in --cold ""; do
	# shellcheck disable=SC2086 # an option or none
	TAPROOM_VIRTIOFSD=$dir/broken "$TAPROOM" exec $how --kernel debian -- true >"$dir/out" 2>"$dir/err"
	is "${how:-from a ready machine}: a server that ends at once: exit code" "$?" 125
	has "with its words" "the server of the host's files ended: has no will to" "$dir/err"
done
TAPROOM_VIRTIOFSD=$dir/none "$TAPROOM" exec --kernel debian -- true >"$dir/out" 2>"$dir/err"
has "one that is not there is not replaced by another" "TAPROOM_VIRTIOFSD: no program '$dir/none'" "$dir/err"
TAPROOM_VIRTIOFSD=/bin/true "$TAPROOM" exec --kernel debian -- true >"$dir/out" 2>"$dir/err"
has "nor is what is none" "'/bin/true --help' is not what a virtiofsd says" "$dir/err"
finish
