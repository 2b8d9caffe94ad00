#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# page.sh FILE [SCDOC]: a page as scdoc reads it, with the options that pages
# share in their place ("@common@" stands for common.scdi, "@machine@" for
# machine.scdi, "@session@" for session.scdi, "@decoding@" for decoding.scdi, "@known@" for
# known.scdi); or, made by SCDOC, as man reads it.
dir=$(dirname "$0")

text=$(sed \
	-e "/^@common@\$/{" -e "r $dir/common.scdi" -e "d" -e "}" \
	-e "/^@decoding@\$/{" -e "r $dir/decoding.scdi" -e "d" -e "}" \
	-e "/^@known@\$/{" -e "r $dir/known.scdi" -e "d" -e "}" \
	-e "/^@session@\$/{" -e "r $dir/session.scdi" -e "d" -e "}" \
	-e "/^@machine@\$/{" -e "r $dir/machine.scdi" -e "d" -e "}" "$1") || exit 1
if [ -z "$2" ]; then
	printf '%s\n' "$text"
	exit
fi
page=$(printf '%s\n' "$text" | "$2") || exit 1
# groff's .TH turns hyphenation on again, and paths and options bear none.
printf '%s\n' "$page" | sed '/^\.TH /a\
.nh'
