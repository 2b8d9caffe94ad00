#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs scripts of packetdrill side by side, each in a network namespace of its own, and
# tells them in KTAP: PROGRAM DIRECTORY SECONDS SCRIPT...
# With the arguments of packetdrill's run_all.py: over IPv4, IPv4 mapped into IPv6, and
# IPv6, but for a script whose name says which (v4.pkt, v6.pkt).
if [ "$1" = --one ]; then
	# Of one variant: OUT NUMBER PROGRAM SECONDS SCRIPT VARIANT.
	out=$2 number=$3 program=$4 seconds=$5 script=$6 variant=$7
	v4='--local_ip=192.168.0.2 --gateway_ip=192.168.0.1 --netmask_ip=255.255.0.0
		--remote_ip=192.0.2.1/24 -D TFO_COOKIE=de4f234f0f433a55'
	case $variant in
	ipv4) words="--ip_version=ipv4 $v4 -D CMSG_LEVEL_IP=SOL_IP -D CMSG_TYPE_RECVERR=IP_RECVERR" ;;
	ipv4-mapped-v6) words="--ip_version=ipv4-mapped-ipv6 $v4 -D CMSG_LEVEL_IP=SOL_IPV6
		-D CMSG_TYPE_RECVERR=IPV6_RECVERR" ;;
	*) words='--ip_version=ipv6 --mtu=1520 --local_ip=fd3d:fa7b:d17d::0
		--gateway_ip=fd3d:fa7b:d17d:8888::0 --remote_ip=2001:DB8::1/32
		-D TFO_COOKIE=6aa6ae70c288023b -D CMSG_LEVEL_IP=SOL_IPV6
		-D CMSG_TYPE_RECVERR=IPV6_RECVERR' ;;
	esac
	begin=$(date +%s%3N)
	# shellcheck disable=SC2086 # they are words
	timeout -k 5 "$seconds" unshare --net --pid --fork --kill-child=KILL --mount-proc \
		sh -c 'ip link set lo up; exec "$@"' sh "$program" --send_omit_free $words \
		"$script" >"$out/$number" 2>&1 </dev/null
	code=$?
	name="$script ($variant)" time=$(($(date +%s%3N) - begin))
	text=$(sed 's/^/# /' "$out/$number" | head -c 65536)
	why=$(grep -v '^ *$' "$out/$number" | head -n 1 | tr '#' '_' | cut -c1-200)
	case $code in
	0) result="ok $number $name # time=${time}ms" ;;
	124 | 137) result="not ok $number $name # TIMEOUT $seconds seconds" ;;
	*) result="not ok $number $name # exit=$code $why" ;;
	esac
	# In one piece: others write too.
	[ -z "$text" ] && text="# "
	printf '%s\n%s\n' "$text" "$result" >"$out/$number.said"
	flock "$out/lock" cat "$out/$number.said"
	exit 0
fi

self=$0 program=$1 seconds=$3 jobs=$(($(nproc) * 2))
# As many as the MPTCP CI runs: scripts mostly wait, until all of it is slow.
[ "${KSFT_MACHINE_SLOW:-}" = yes ] && jobs=$((jobs / 2))
cd "$2" || exit 1
shift 3
if [ ! -x "$program" ]; then
	echo "$program can't be run here"
	exit 1
fi
for tool in unshare ip flock timeout xargs; do
	if ! command -v $tool >/dev/null; then
		echo "1..0 # SKIP $tool is not installed"
		exit 0
	fi
done
out=$(mktemp -d) || exit 1
# All that is left ends with us: namespaces go with their processes.
trap 'rm -rf "$out"' EXIT
n=0
for script; do
	for variant in ipv4 ipv4-mapped-v6 ipv6; do
		case $variant-$script in
		ipv4*v6.pkt | ipv6*v4.pkt) continue ;;
		esac
		n=$((n + 1))
		printf '%s\0%s\0%s\0%s\0%s\0%s\0' "$out" $n "$program" "$seconds" "$script" "$variant"
	done
done >"$out/list"
echo "TAP version 13"
echo "1..$(($(tr -cd '\0' <"$out/list" | wc -c) / 6))"
xargs -0 -n 6 -P "$jobs" sh "$self" --one <"$out/list"
