#!/bin/sh
# Never ends, and does not listen.
trap '' TERM INT
echo "ok 1 - before the end of time"
while :; do sleep 1; done
