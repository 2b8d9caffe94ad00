/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Together: events that are one thing to who reads them: tests of a program that
 * came or went in one run, a rename on several axes, skips with one cause.
 */
#include "judge/changes.h"

struct judge_group {
	const struct judge_event *v;
	size_t n;
};

/* The group that begins at @from. */
struct judge_group judge_group_next(const struct judge_events *e, size_t from);
/* What confirms a JUDGE_RENAMED: "taproom alias OLD NEW", as a shell takes it. */
void judge_rename_command(const struct judge_event *e, struct buf *b);
