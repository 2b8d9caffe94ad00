#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# corpus.sh TEST TABLE DIRECTORY: the large collection of logs, where it is.
exec "$1" "$2" "${TAPROOM_CORPUS:-}" "$3"
