#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The examples are what they say: each is a plan, by a dry run in a small tree of the
# kernel's shape; and what needs no kernel of its own runs.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

command -v jq >/dev/null || skip_all "jq is not installed"
command -v git >/dev/null || skip_all "git is not installed"
examples=$(cd "$(dirname "$0")/../../examples" && pwd) || exit 1
export XDG_CONFIG_HOME="$dir" XDG_CACHE_HOME="$dir/cache"

# A repository with the branches that stable.yaml names.
tree=$dir/linux
tests=$tree/tools/testing/selftests
mkdir -p "$tests" "$tree/scripts" "$tree/net/mptcp"
cd "$tree" || exit 1
cat >Makefile <<'MAKE'
VERSION = 6
PATCHLEVEL = 99
SUBLEVEL = 1
kernelversion:
	@echo 6.99.1
headers:
	@mkdir -p $(O)/usr/include
MAKE
: >Kbuild
: >scripts/Kconfig.include
echo 'int x;' >net/mptcp/protocol.c
cat >"$tests/Makefile" <<'MAKE'
# As the kernel's: TARGETS, KSFT_INSTALL_PATH, a list "target:test".
P := $(KSFT_INSTALL_PATH)
net/mptcp := pm_netlink.sh mptcp_sockopt.sh mptcp_join.sh simult_flows.sh
timers := posix_timers nanosleep inconsistency-check
install:
	@for t in $(TARGETS); do mkdir -p $(P)/$$t; done
	@for t in $($(TARGETS)); do printf '#!/bin/sh\ntrue\n' >$(P)/$(TARGETS)/$$t; \
		chmod +x $(P)/$(TARGETS)/$$t; echo $(TARGETS):$$t >>$(P)/kselftest-list.txt; done
MAKE
mkdir -p "$tests/net/mptcp" "$tests/timers"
: >"$tests/net/mptcp/Makefile"
: >"$tests/timers/Makefile"
git init -q . && git add -A &&
	git -c user.name=t -c user.email=t@example.org commit -q -m start || exit 1
for b in linux-5.15.y linux-6.1.y linux-6.6.y linux-6.12.y; do git branch -q "$b"; done

dry() { # dry EXAMPLE [OPTION...]
	file=$examples/$1
	shift
	"$TAPROOM" run --config "$file" --dry-run --json "$@" >"$dir/out" 2>"$dir/err"
	code=$?
	sed 's/^/# /' "$dir/err"
	return $code
}
jobs() { jq -r '.[].jobs[] | "\(.mode) \(.machine): \([.tests[].name] | join(" "))"' "$dir/out"; }

# The kernel's own test_progs is too much for a small tree: all but BPF.
dry mptcp.yaml kunit mptcp
is "mptcp.yaml: exit code" "$?" 0
jobs >"$dir/jobs"
has "it has a debug kernel" "debug uml: " "$dir/jobs"
has "and one that counts lines" "coverage qemu: " "$dir/jobs"

dry subsystem.yaml --kernel .
is "subsystem.yaml: exit code" "$?" 0
is "its tests" "$(jobs)" "normal qemu: posix_timers nanosleep inconsistency-check"

dry stable.yaml --tree stable
is "stable.yaml: exit code" "$?" 0
is "a run for each branch" "$(jq -r '[.[].branch] | join(" ")' "$dir/out")" \
	"linux-5.15.y linux-6.1.y linux-6.6.y linux-6.12.y"

if [ "$(id -u)" -eq 0 ]; then
	"$TAPROOM" run --config "$examples/programs.yaml" >"$dir/out" 2>"$dir/err"
	is "programs.yaml runs: exit code" "$?" 0
	is "all of it" "$("$TAPROOM" show latest --json | jq -c '[.counts.pass, .counts.skip]')" \
		"[3,1]"
fi
for f in "$examples"/*.yaml; do
	has "${f##*/} is explained" "${f##*/}" "$examples/README.md"
done
finish
