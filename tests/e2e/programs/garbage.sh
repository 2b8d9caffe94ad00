#!/bin/sh
# Bytes of every kind, and megabytes without a newline; then a result.
head -c 300000 /dev/urandom
head -c 3000000 /dev/zero | tr '\0' x
echo
echo "ok 1 - after the flood"
