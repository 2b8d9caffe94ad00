#!/bin/sh
# What a network test needs of its machine.
echo "1..4"
ip link show dev lo | grep -q UP && echo "ok 1 - lo is up" || echo "not ok 1 - lo is up"
ip netns add taproom-e2e && echo "ok 2 - netns" || echo "not ok 2 - netns"
touch /usr/taproom-e2e-was-here && echo "ok 3 - may write" || echo "not ok 3 - may write"
[ "$(id -u)" = 0 ] && echo "ok 4 - is root" || echo "not ok 4 - is root"
