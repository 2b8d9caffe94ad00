/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/known.h"

#include "web/history.h"
#include "web/splat.h"

bool web_known_find(const struct web_site *site, const struct judge_series *s,
		    struct web_excuse *ret)
{
	return site->rules && site->rules->find(site->rules->ctx, s, ret);
}

bool web_known_find_test(const struct web_site *site, uint64_t test, struct str mode,
			 struct web_excuse *ret)
{
	const struct web_test *t = site->rules ? web_tests_find(&site->history->tests, test) : NULL;

	for (size_t i = 0; t && i < t->n_parts; i++)
		if (str_eq(t->parts[i]->lane->axis->mode, mode) &&
		    web_known_find(site, t->parts[i], ret))
			return true;
	return false;
}

void html_known_pill(struct web_html *h, const struct web_excuse *e)
{
	struct out *o = h->out;

	out_lit(o, " <span class=\"mode known\" title=\"");
	out_html(o, e->say.reason);
	if (e->say.owner.n) {
		out_lit(o, " (");
		out_html(o, e->say.owner);
		out_lit(o, ")");
	}
	out_str(o, e->some ? STR("\">known in part</span>") : STR("\">known</span>"));
}

void html_known(struct web_html *h, const struct web_excuse *e)
{
	out_str(h->out, e->some ? STR("<b>Known in part:</b> ") : STR("<b>Known:</b> "));
	splat_excuse(h, &e->say);
}
