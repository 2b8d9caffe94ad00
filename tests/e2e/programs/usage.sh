#!/bin/sh
# What a shell says of a script that it can't read.
exit 2
