/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Kconfig: which options a kernel shall have. Fragments and words are merged, the
 * last word about an option counts; what they become is make's business, so that
 * afterwards the result is compared with what was wanted. Inside kernel/ only.
 *
 * Formats: Documentation/kbuild/kconfig.rst (fragments: "CONFIG_X=y",
 * "# CONFIG_X is not set"), scripts/config of the kernel (words: "-e X").
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define KCONFIG_OPTIONS_MAX 16384 /* a whole .config has some 5000 */
#define KCONFIG_NAME_MAX    128   /* bytes; of a value: 4096 */

struct kconfig_option {
	char *name;  /* "MPTCP_IPV6" */
	char *value; /* "y", "m", "n", "14", "\"text\""; as in .config */
	char *from;  /* who wants it: "tools/testing/selftests/net/mptcp/config" */
};

struct kconfig {
	struct kconfig_option *v; /* one per name, in the order of the last word */
	size_t n, cap;
};

/*
 * Adds the lines of a fragment; comments and blank lines are skipped. @builtin: =m
 * becomes =y, since a test wants the option there, and a machine without modules
 * is faster. -EINVAL for any other line, with its number.
 */
int kconfig_add(struct kconfig *k, struct str text, const char *from, bool builtin,
		struct err *err);
/*
 * Adds words as scripts/config has them: -e X, -d X, -m X, -u X, --set-val X V,
 * --set-str X V, and their long names; names with or without "CONFIG_". Words are
 * parted by blanks, of which quotes keep some. -EINVAL with what is wrong.
 */
int kconfig_add_words(struct kconfig *k, struct str words, const char *from, struct err *err);
const struct kconfig_option *kconfig_find(const struct kconfig *k, struct str name);
void kconfig_done(struct kconfig *k);

/* @base, a .config, with the options in their place: each once. */
void kconfig_merge(const struct kconfig *k, struct str base, struct buf *ret);
/* All of it as a fragment, sorted by name: the same for the same wishes. */
void kconfig_text(const struct kconfig *k, struct buf *ret);

/*
 * Compares with what make made of it. Calls @each for an option that did not
 * stick, with what it is instead. 'm' does for 'y' and 'y' for 'm': it is there.
 */
void kconfig_unstuck(const struct kconfig *k, struct str result,
		     void (*each)(void *ctx, const struct kconfig_option *want,
				  const char *got),
		     void *ctx);

/*
 * Why an option may not have stuck, as far as the Kconfig files of @source tell:
 * "no such option in this tree", "depends on X, which is n"; empty: unknown.
 * @result: the .config.
 */
void kconfig_why(const char *source, const char *name, const char *arch, struct str result,
		 struct buf *ret);
