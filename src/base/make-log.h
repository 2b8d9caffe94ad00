/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "base/str.h"

/* What a failed make said, in one line: its first error, else its last line. */
struct str make_log_error(struct str log);
