#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The bytes of a file as a C initialiser.
set -e
od -An -v -tx1 "$1" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
