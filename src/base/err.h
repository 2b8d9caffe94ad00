/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Errors: a number for the program, a sentence for the person.
 *
 * Functions return int: < 0 is -errno, 0 is done / no / end, 1 is yes / one
 * item. The last parameter is a `struct err *` on the caller's stack, filled
 * only when the function fails. Callers branch on the number; cmd/ prints the
 * sentence once. The sentence says what, where, and what to do.
 *
 * A NULL err is allowed everywhere: the caller does not want the sentence.
 */
#include <errno.h>
#include <stdarg.h>

#define ERR_TEXT_MAX 512

struct err {
	int code; /* errno value, positive; 0 when nothing failed */
	char text[ERR_TEXT_MAX];
};

/* Sets the sentence. @code is a positive errno value. Returns -code. */
int err_set(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As err_set(), and appends ": " and the system's words for @code. */
int err_sys(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Puts "fmt: " before the sentence that is there: "boot qemu: no file 'x'".
 * Returns @r (negative) unchanged, so that `return err_wrap(err, r, ...)` reads.
 */
int err_wrap(struct err *err, int r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
