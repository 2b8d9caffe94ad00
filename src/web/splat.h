/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Splat: what one kernel splat says, on the page of a run and on that of its
 * fingerprint.
 */
#include "web/pages.h"

/* Whose it was, where: "task ip, pid 412, CPU 0, taint G W; the kernel died of it". */
void splat_about(struct web_html *h, const struct event_splat *s);
/* Its lines. */
void splat_text(struct web_html *h, const struct event_splat *s);
/* The rule that excuses it: reason, owner, last day, and a link where it is one. */
void splat_excuse(struct web_html *h, const struct event_excuse *e);
