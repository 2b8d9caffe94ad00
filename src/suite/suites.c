/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/mem.h"
#include "suite/kinds.h"

const struct suite_kind SUITE_KINDS[] = {
	{ .name = "kselftest", .needs_source = true, .list = kselftest_list },
	{ .name = "kunit", .needs_kunit = true, .list = kunit_list },
	{ .name = "packetdrill", .list = packetdrill_list },
	{ .name = "bpf", .needs_source = true, .list = bpf_list },
	{ .name = "static", .needs_source = true, .list = static_list },
	{ .name = "exec", .list = exec_list },
};
const unsigned SUITE_KINDS_N = ARRAY_SIZE(SUITE_KINDS);

const struct suite_kind *suite_kind_find(const char *name, struct err *err)
{
	struct buf list = {};

	for (unsigned i = 0; i < SUITE_KINDS_N; i++) {
		if (strcmp(SUITE_KINDS[i].name, name) == 0) {
			buf_done(&list);
			return &SUITE_KINDS[i];
		}
		buf_printf(&list, "%s%s", i ? ", " : "", SUITE_KINDS[i].name);
	}
	err_set(err, EINVAL, "no suite kind '%s'; there are %s", name, list.p);
	buf_done(&list);
	return NULL;
}
