#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest that can't see the host's files, because who starts it is not root and its
# kernel has no 9p: what is needed is packed into its initramfs.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "to become another user needs root"
for program in jq setpriv qemu-system-x86_64 apt-get; do
	command -v "$program" >/dev/null || skip_all "no program '$program'"
done
"$TAPROOM" exec -v --kernel debian -- true >"$dir/out" 2>"$dir/err" || skip_all "no kernel boots here"
image=$(sed -n 's/^kernel [^:]*: //p' "$dir/err" | head -1)
grep -qx "CONFIG_9P_FS=[ym]" "$(echo "$image" | sed 's/vmlinuz/config/')" &&
	skip_all "Debian's kernel for virtual machines has 9p now"

# Where nobody may go: the program, the kernel, a cache, some tests.
cp -r "${image%/boot/*}" "$dir/kernel"
image=$dir/kernel/boot/${image##*/}
cp "$TAPROOM" "$dir/taproom"
# A build for tests has its own library.
ldd "$TAPROOM" | sed -n 's/.*libtaproom.so => \(\/[^ ]*\).*/\1/p' | xargs -r cp -t "$dir"
mkdir "$dir/home" "$dir/t" "$dir/more" "$dir/away"
echo "from the library" >"$dir/t/lib"
cat >"$dir/t/one.sh" <<'SH'
#!/usr/bin/env bash
cat "$(dirname "$0")/lib" && modprobe dummy && ip link add d0 type dummy &&
	ip netns add ns && ip netns exec ns ip link | grep -q LOOPBACK && unshare -m true
SH
printf '#!/bin/sh\nexit 1\n' >"$dir/t/two.sh"
echo "shared" >"$dir/more/file"
echo "not shared" >"$dir/away/file"
ln -s ../away "$dir/more/link"
ln -s loop "$dir/more/loop"
cat >"$dir/taproom.yaml" <<YAML
branch: e2e
kernel: $image
run: {machines: [qemu], jobs: 1}
suites: [{name: t, kind: exec, dir: $dir/t}]
YAML
chmod +x "$dir"/t/*.sh
chmod -R a+rX "$dir"
chown nobody "$dir/home"
cd "$dir" || exit 1
by_nobody() {
	setpriv --reuid nobody --regid nogroup --clear-groups env "HOME=$dir/home" \
		"XDG_CACHE_HOME=$dir/home" "LD_LIBRARY_PATH=$dir" "TAPROOM_STORE=$dir/home/history.db" NO_COLOR=1 \
		"$dir/taproom" "$@"
}
vm() { by_nobody exec --kernel "$image" "$@"; }

# shellcheck disable=SC2016 # the guest's
vm -v -- sh -c 'id -u; pwd; cat "$0"' t/lib >"$dir/out" 2>"$dir/err"
is "a command of who is not root: exit code" "$?" 0
is "is root there, in our directory, with the file that it is given" \
	"$(tr '\n' ' ' <"$dir/out")" "0 $dir from the library "
has "says why it boots" "what it needs of the host's files is packed" "$dir/err"
vm --share "$dir/more" -- sh -c "cat $dir/more/file; ls $dir/more; cat $dir/more/link/file" \
	>"$dir/out" 2>"$dir/err"
is "a share comes with all that is in it, but not where its links lead" \
	"$(tr '\n' ' ' <"$dir/out")" "shared file link loop "
vm -- rm -rf --no-preserve-root / >"$dir/out" 2>&1
ok "what it removes is not the host's" test -e "$dir/t/lib" -a -e "$dir/more/file"
vm -- ./away/none >"$dir/out" 2>"$dir/err"
is "what was not packed is not found" "$?" 127
has "says why" "(virtiofsd needs root, and it has no 9p), but only what was packed" "$dir/err"
vm --share "$dir/home:rw" -- true >"$dir/out" 2>"$dir/err"
is "what must come back can't be packed" "$?" 125
has "says what to do" "use sudo" "$dir/err"
by_nobody run >"$dir/out" 2>"$dir/err"
is "tests run in it" "$?" 1
is "with their directory, programs and modules" "$(by_nobody show latest --json |
	jq -r '[.programs[] | "\(.name) \(.status)"] | sort | join(", ")')" "one.sh pass, two.sh fail"
finish
