#!/bin/sh
echo "TAP version 13"
echo "1..3"
echo "ok 1 - first # time=12ms"
echo "ok 2 - second"
echo "ok 3 - third # SKIP no such device"
