#!/bin/sh
# No TAP: its exit code is its result.
echo "to stdout"
echo "to stderr" >&2
exit 0
