#!/bin/sh
# Bytes of every kind, the same each time (random ones may say "ok"), and megabytes without
# a newline; then a result.
seq 300000 | gzip -n | head -c 300000
head -c 3000000 /dev/zero | tr '\0' x
echo
echo "ok 1 - after the flood"
