#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A KVM that the speed probe trusts and that boots nothing: with a QEMU before
# the real one that aborts, or hangs, when it is asked for kvm.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "virtiofsd needs root"
[ -w /dev/kvm ] || skip_all "no /dev/kvm"
real=$(command -v qemu-system-x86_64) || skip_all "qemu-system-x86 is not installed"
command -v apt-get >/dev/null || skip_all "no apt-get to fetch a kernel with"

# What others fetched is used; what is learnt here stays here.
mkdir -p "$dir/cache/taproom" "$dir/bin" "$cache/taproom/debian" "$cache/taproom/vmlinux"
for shared in debian vmlinux; do
	ln -s "$cache/taproom/$shared" "$dir/cache/taproom/$shared"
done
export XDG_CACHE_HOME="$dir/cache"
export PATH="$dir/bin:$PATH"

# kvm DOES: what the QEMU in front does with kvm; the probe is good.
kvm() {
	cat >"$dir/bin/qemu-system-x86_64" <<-SH
		#!/bin/sh
		case "\$*" in *accel=kvm*) echo x >>"$dir/tried"; $1 ;; esac
		exec $real "\$@"
	SH
	chmod +x "$dir/bin/qemu-system-x86_64"
	rm -f "$dir/tried" "$dir"/cache/taproom/kvm-trial-*
	echo "$(cat /proc/sys/kernel/random/boot_id) 1 it is fast" >"$dir/cache/taproom/kvm-probe"
}
vm() { "$TAPROOM" exec --kernel debian "$@" >"$dir/out" 2>"$dir/err"; }
tried() { wc -l <"$dir/tried"; }

kvm 'echo "kvm_put_msrs: failed" >&2; kill -ABRT $$'
vm -v -- true
is "QEMU aborts on kvm: the machine boots all the same" "$?" 0
is "kvm was tried once" "$(tried)" 1
has "and says what was wrong" "kvm_put_msrs" "$dir/err"
vm -v -- true
is "the next one" "$?" 0
is "does not try again" "$(tried)" 1
has "and says why" "kvm did not boot this kernel" "$dir/err"
vm --accel kvm -- true
is "--accel kvm fails" "$?" 125
has "with the reason" "kvm did not boot this kernel" "$dir/err"

kvm 'exec sleep 1000'
begin=$(date +%s%N)
vm --accel kvm -- true
code=$?
took=$((($(date +%s%N) - begin) / 1000000))
is "a kvm that hangs, asked for: fails" "$code" 125
ok "in less than 10 s, the boot's deadline is 60 ($took ms)" test "$took" -lt 10000
has "with the reason" "kvm did not boot this kernel: not ready after" "$dir/err"
vm -v -- true
is "a kvm that hangs: the machine boots all the same" "$?" 0
is "after one more try" "$(tried)" 2
vm -- true
is "the next one" "$?" 0
is "does not wait for it" "$(tried)" 2
finish
