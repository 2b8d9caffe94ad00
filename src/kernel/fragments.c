/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/fragments.h"

#include "base/file.h"
#include "base/mem.h"
#include "kernel/counters.h"

#define FRAGMENT_MAX (256u << 10)
#define BUILTIN      "builtin:"

static const char MACHINE[] = {
#include "kernel/machine.config.inc"
};
static const char MACHINE_UM[] = {
#include "kernel/machine-um.config.inc"
};
static const char MACHINE_X86_64[] = {
#include "kernel/machine-x86_64.config.inc"
};
static const char MPTCP[] = {
#include "kernel/mptcp.config.inc"
};
static const char NORMAL[] = {
#include "kernel/normal.config.inc"
};
static const char NORMAL_X86_64[] = {
#include "kernel/normal-x86_64.config.inc"
};
static const char TINY[] = {
#include "kernel/tiny.config.inc"
};
static const char TINY_UM[] = {
#include "kernel/tiny-um.config.inc"
};
static const char TINY_X86_64[] = {
#include "kernel/tiny-x86_64.config.inc"
};
static const char DEBUG[] = {
#include "kernel/debug.config.inc"
};
static const char DEBUG_UM[] = {
#include "kernel/debug-um.config.inc"
};
static const char BTF[] = {
#include "kernel/btf.config.inc"
};

#define ROW(name_, text_) { name_, { text_, sizeof(text_) } }

static const struct fragment {
	const char *name;
	struct str text;
} FRAGMENTS[] = {
	ROW("machine", MACHINE),
	ROW("machine-um", MACHINE_UM),
	ROW("machine-x86_64", MACHINE_X86_64),
	ROW("mptcp", MPTCP),
	ROW("normal", NORMAL),
	ROW("normal-x86_64", NORMAL_X86_64),
	ROW("tiny", TINY),
	ROW("tiny-um", TINY_UM),
	ROW("tiny-x86_64", TINY_X86_64),
	ROW("debug", DEBUG),
	ROW("debug-um", DEBUG_UM),
	ROW("btf", BTF),
};

struct str fragment_builtin(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(FRAGMENTS); i++)
		if (strcmp(FRAGMENTS[i].name, name) == 0)
			return FRAGMENTS[i].text;
	return STR_NONE;
}

/* NAME and NAME-<arch>: one of them at least. */
static int add_builtin(struct kconfig *k, const char *name, const char *arch, struct err *err)
{
	_free_ char *own = xasprintf("%s-%s", name, arch);
	_free_ char *from = xasprintf(BUILTIN "%s", name);
	struct str both = fragment_builtin(name), ours = fragment_builtin(own);
	int r;

	if (!both.p && !ours.p)
		return err_set(err, ENOENT, "no fragment '%s': there are builtin:machine, tiny, "
			       "mptcp, normal, debug and btf", from);
	r = kconfig_add(k, both, from, true, err);
	return r < 0 ? r : kconfig_add(k, ours, from, true, err);
}

static int add_file(struct kconfig *k, const char *path, const char *from, bool builtin,
		    struct err *err)
{
	_cleanup_(buf_done) struct buf text = {};
	int r = file_read(path, FRAGMENT_MAX, &text, err);

	return r < 0 ? r : kconfig_add(k, buf_str(&text), from, builtin, err);
}

/* See counters.h. */
static int add_counters(struct kconfig *k, const char *from, struct err *err)
{
	return kconfig_add_words(k, STR("-e DEBUG_FS -e GCOV_KERNEL"), from, err);
}

static int add_entry(struct kconfig *k, const struct kernel_order *o, const char *source,
		     const char *entry, struct err *err)
{
	_free_ char *from = NULL, *path = NULL;

	if (str_starts(str_of(entry), STR(BUILTIN)))
		return add_builtin(k, entry + strlen(BUILTIN), o->arch, err);
	from = xasprintf("mode '%s'", o->mode);
	if (str_starts(str_of(entry), STR(COUNTERS_ENTRY)))
		return add_counters(k, entry, err);
	if (entry[0] == '-')
		return kconfig_add_words(k, str_of(entry), from, err);
	if (str_starts(str_of(entry), STR("CONFIG_")) || entry[0] == '#')
		return kconfig_add(k, str_of(entry), from, false, err);
	path = entry[0] == '/' ? xstrdup(entry) : path_join(source, entry);
	return add_file(k, path, entry, false, err);
}

/* A target may lack the file, and have one of the architecture's. */
static int add_target(struct kconfig *k, const char *source, const char *target,
		      const char *arch, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < 2 && r == 0; i++) {
		_free_ char *below = xasprintf("tools/testing/selftests/%s/config%s%s", target,
					       i ? "." : "", i ? arch : "");
		_free_ char *path = path_join(source, below);

		if (file_exists(path))
			r = add_file(k, path, below, true, err);
	}
	return r;
}

int fragments_read(const struct kernel_order *o, const char *source, struct kconfig *ret,
		   struct err *err)
{
	static const char guest[] = "kernel/configs/kvm_guest.config";
	_free_ char *path = path_join(source, guest);
	struct kconfig k = {};
	int r = 0;

	/* Older trees have it elsewhere; the machine's own needs follow anyway. */
	if (strcmp(o->arch, "x86_64") == 0 && strcmp(o->base, "defconfig") == 0 &&
	    file_exists(path))
		r = add_file(&k, path, guest, false, err);
	if (strcmp(o->base, "tiny") == 0)
		r = add_builtin(&k, "tiny", o->arch, err);
	if (r == 0)
		r = add_builtin(&k, "machine", o->arch, err);
	for (size_t i = 0; r == 0 && o->targets && o->targets[i]; i++)
		r = add_target(&k, source, o->targets[i], o->arch, err);
	for (size_t i = 0; r == 0 && o->config && o->config[i]; i++)
		r = add_entry(&k, o, source, o->config[i], err);
	if (r == 0 && o->coverage && o->coverage[0])
		r = add_counters(&k, "--coverage", err);
	for (size_t i = 0; r == 0 && o->words && o->words[i]; i++)
		r = kconfig_add_words(&k, str_of(o->words[i]), "--config", err);
	if (r < 0) {
		kconfig_done(&k);
		return r;
	}
	*ret = k;
	return 0;
}
