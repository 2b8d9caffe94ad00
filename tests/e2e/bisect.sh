#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# bisect, on a small history of the kernel's shape: its commits are really built and
# booted, as User Mode Linux where there is one, and its test is a kselftest of theirs
# that fails from a known commit on, always or in a fifth of its runs. One commit does
# not build, one does not boot, one side branch is merged.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "the host machine needs root"
for program in jq git make gcc; do
	command -v "$program" >/dev/null || skip_all "$program is not installed"
done
linux=${TAPROOM_TEST_UML:-$(find "$cache/taproom/debian" -path '*/user-mode-linux_*/boot/vmlinuz-*' |
	head -1)}
export XDG_CACHE_HOME="$dir/cache" XDG_CONFIG_HOME="$dir" GIT_CONFIG_GLOBAL="$dir/gitconfig"
git config --global user.name "A. Tester"
git config --global user.email tester@example.org
git config --global init.defaultBranch main
git config --global advice.detachedHead false
# Names of commits, by which git chooses between two, are always the same.
export GIT_AUTHOR_DATE="1767225600 +0000" GIT_COMMITTER_DATE="1767225600 +0000"

# ---- the history ----
tree=$dir/linux
tests=tools/testing/selftests/net/t
mkdir -p "$tree/scripts" "$tree/$tests" "$dir/state" "$dir/real" "$dir/cache"
[ -f "$linux" ] && cp "$linux" "$dir/real/linux"
cd "$tree" || exit 1
git init -q .
: >scripts/Kconfig.include
: >Kbuild
: >Kconfig
cat >Makefile <<'MAKE'
VERSION = 6
PATCHLEVEL = 99
SUBLEVEL = 1
defconfig allnoconfig:
	@cp $(KCONFIG_ALLCONFIG) $(O)/.config
olddefconfig:
linux bzImage: core.c
	@echo '  CC      core.o'
	@printf 'core.c:1:5: warning: a core\n    1 | int core;\n  ^~~~\n'
	@if grep -n '#error' core.c >&2; then echo 'core.c:1:2: error: no core' >&2; exit 1; fi
	@mkdir -p $(O)/include/config
	@cp ../../../../real/linux $(O)/linux
	@if grep -q dead core.c; then cp /bin/false $(O)/linux; fi
	@echo 6.99.1 >$(O)/include/config/kernel.release
headers:
	@mkdir -p $(O)/usr/include
MAKE
cat >tools/testing/selftests/Makefile <<'MAKE'
install:
	@if grep -n '#error' ../../../core.c >&2; then exit 1; fi
	@mkdir -p $(KSFT_INSTALL_PATH)/$(TARGETS)
	@cp $(TARGETS)/t.sh $(TARGETS)/bug $(KSFT_INSTALL_PATH)/$(TARGETS)
	@echo $(TARGETS):t.sh >$(KSFT_INSTALL_PATH)/kselftest-list.txt
MAKE
: >$tests/Makefile
: >$tests/config
# In 1000 runs it fails as often as "bug" says: by a hash of the run's number, so that it
# does the same in each run of this script.
cat >$tests/t.sh <<'SH'
#!/bin/sh
n=$(cat "$STATE/n")
echo $((n + 1)) >"$STATE/n"
[ -e "$STATE/hold" ] && [ "$n" -ge "$(cat $STATE/hold)" ] && sleep 100
hash=$(echo "run $n" | cksum | cut -d' ' -f1)
[ $((hash % 1000)) -ge "$(cat "$(dirname "$0")/bug")" ]
SH
chmod +x $tests/t.sh
echo 0 >$tests/bug
commit() {
	git add -A
	git commit -q -m "$1"
}
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	echo "int core = $i;" >core.c
	[ $i = 6 ] && echo "#error half done" >core.c
	[ $i = 7 ] && echo "int dead;" >core.c
	[ $i = 9 ] && echo 1000 >$tests/bug
	commit "core: step $i"
	[ $i = 9 ] && culprit=$(git rev-parse HEAD)
	git tag "c$i"
done
# A branch from before, with a merge on top.
git checkout -q -b side c3
echo "int side;" >side.c
commit "side: something else"
git checkout -q main
git merge -q --no-edit -m "merge side" side
# One that fails in a fifth of its runs, and one whose cause can't be told from the
# commit before it, which does not build.
git checkout -q -b rare c5
for i in 1 2 3 4 5 6 7 8; do
	echo "int rare = $i;" >rare.c
	[ $i = 6 ] && echo 200 >$tests/bug
	commit "rare: step $i"
	[ $i = 6 ] && rare=$(git rev-parse HEAD)
done
git checkout -q -b hidden c5
echo "#error half done" >core.c
commit "hidden: does not build"
hidden=$(git rev-parse HEAD)
echo "int core;" >core.c
echo 1000 >$tests/bug
commit "hidden: builds again"
git checkout -q main
echo "edited" >>core.c
state_of() {
	git status --porcelain
	cat core.c
	git rev-parse HEAD
	git branch --list
	git for-each-ref
	git stash list
}
before=$(state_of)
cat >"$dir/taproom.yaml" <<YAML
suites: [{name: t, kind: kselftest, target: net/t, env: [STATE=$dir/state]}]
modes: [{name: normal, base: tiny, config: [CONFIG_UML=y]}]
YAML
# Which runs fail by chance is the number's doing.
seed() { echo "$1" >"$dir/state/n"; }
bisect() {
	"$TAPROOM" bisect --config "$dir/taproom.yaml" --share "$dir/state:rw" --share "$dir/cache" \
		"$@" >"$dir/out" 2>"$dir/err"
}
seed 0

# ---- one that always fails, on kernels of their own ----
if [ -f "$dir/real/linux" ]; then
	bisect c1 main t/t --machine uml --root ro --rate 1
	is "a test that always fails, on kernels that boot: exit code" "$?" 0
	has "the commit" "$culprit" "$dir/out"
	has "its subject" "core: step 9" "$dir/out"
	has "its author" "A. Tester <tester@example.org>" "$dir/out"
		bisect c5 c8 t/t --machine uml --root ro --least 50%
	is "nothing to find: exit code" "$?" 1
	has "says so" "Nothing to bisect: BAD" "$dir/out"
	bisect c1 c7 t/t --machine uml --root ro
	is "BAD does not boot: exit code" "$?" 1
	has "says so" "can't be tested: no-boot" "$dir/out"
	bisect c1 c6 t/t --machine uml --root ro
	is "BAD does not build: exit code" "$?" 1
	has "says so" "error: no core" "$dir/out"
	bisect c1 c9 t/t --machine uml --root ro --rate 1 --json
	is "what does not boot is skipped" "$(jq -r '.commits[] | select(.verdict == "skipped") |
		.reason' "$dir/out" | grep -o no-boot)" no-boot
	is "the commit, as JSON" "$(jq -r '.result, .at.commit' "$dir/out" | tr '\n' ' ')" \
		"found $culprit "
else
	echo "# no User Mode Linux: TAPROOM_TEST_UML names none, the cache has none"
fi

# ---- the same without kernels of their own: its tests are the commit's all the same ----
bisect c1 c12 t/t --machine host --error 20%
is "its rate is measured: exit code" "$?" 0
has "the commit" "$culprit" "$dir/out"
has "and how it was seen" "BAD fails in 100 %" "$dir/out"
is "all runs are in the history" "$("$TAPROOM" runs --json --brief | jq -r '.[0].title')" \
	"bisect c1..c12 t/t"
bisect --machine host --rate 1 --json c1 hidden t/t
is "one that can't be told: exit code" "$?" 0
is "its runs can be made again" "$("$TAPROOM" runs --json --brief | jq -r '.[0].command' |
	sed 's/git:.*//; s/.*state:rw/DIR/')" "DIR --share $dir/cache --machine host t/t --kernel "
is "is a range" "$(jq -r '.result, .range[1], (.range | length)' "$dir/out" | tr '\n' ' ')" \
	"found $hidden 2 "
bisect c10 c12 t/t --machine host --rate 1
is "fails on GOOD: exit code" "$?" 1
has "says so" "It fails on GOOD too" "$dir/out"
bisect c2 rare t/t --machine host --error 20% --rate 20%
is "a fifth of the runs fails: exit code" "$?" 0
has "the commit" "$rare" "$dir/out"
bisect c8 c12 t/t --machine host --error 40%
has "the rate is the history's too" "The history has" "$dir/out"
has "and the commit the same" "$culprit" "$dir/out"
bisect c8 hidden t/t --machine host --rate 1
is "GOOD is no ancestor: exit code" "$?" 0
has "says so" "GOOD is no ancestor of BAD: their merge base" "$dir/out"

# ---- words that are wrong ----
bisect main c1 t/t --machine host
is "the wrong way around: exit code" "$?" 2
has "says so" "BAD comes before GOOD" "$dir/err"
bisect c1 nowhere t/t --machine host
has "no such commit" "git knows no commit 'nowhere'" "$dir/err"
bisect c1 c2
is "no test: exit code" "$?" 2
bisect c1 c12 t/u --machine host
has "no such test" "t/u" "$dir/out"
XDG_CACHE_HOME="$dir/empty" "$TAPROOM" run t/u --kernel git:c1 --mode normal --machine uml >"$dir/out" 2>"$dir/err"
is "nor for a run: exit code" "$?" 2
has "names the nearest" "no test 't/u'; did you mean 't/t.sh'" "$dir/err"
is "before a kernel is built" "$(find "$dir/empty" -name linux | wc -l)" 0

# ---- interrupted: goes on where it was ----
seed 0
bisect c1 c12 t/t --machine host --rate 100% --json
is "without an interruption: exit code" "$?" 0
cp "$dir/out" "$dir/whole"
for signal in INT KILL; do
	seed 0
	echo 3 >"$dir/state/hold"
	bisect c1 c12 t/t --machine host --rate 100% --json &
	shell=$!
	for _ in $(seq 600); do
		[ "$(cat "$dir/state/n")" -gt 3 ] && break
		sleep 0.1
	done
	pid=$(cat /proc/$shell/task/$shell/children)
	# shellcheck disable=SC2086
	kill "-$signal" $pid
	wait "$shell" 2>"$dir/null"
	rm "$dir/state/hold"
	(cd / && "$TAPROOM" bisect --resume --json >"$dir/out" 2>"$dir/err")
	is "after SIG$signal it goes on, from anywhere: exit code" "$?" 0
	has "says so" "going on after 3 runs" "$dir/err"
	is "each commit was run as often as without" \
		"$(jq -c '[.at.commit, (.commits[] | [.commit, .runs, .failures, .verdict])]' "$dir/out")" \
		"$(jq -c '[.at.commit, (.commits[] | [.commit, .runs, .failures, .verdict])]' "$dir/whole")"
done
ok "nothing of it reached the checkout" test "$(state_of)" = "$before"
ok "nor is a bisection of git's begun" sh -c '! git bisect log'
is "a build's steps are what kbuild says it does, not what compilers say" \
	"$(find "$dir/cache" -name '*.took' -exec cut -d' ' -f1 {} \; | sort -u)" 1
finish
