/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/pages.h"

static const char STYLE[] = {
#include "web/style.css.inc"
};

static const char SCRIPT[] = {
#include "web/site.js.inc"
};

static const char LIVE[] = {
#include "web/live.js.inc"
};

static struct str asset(enum web_page_id page)
{
	return page == WEB_STYLE  ? str_n(STYLE, sizeof(STYLE)) :
	       page == WEB_SCRIPT ? str_n(SCRIPT, sizeof(SCRIPT)) :
				    str_n(LIVE, sizeof(LIVE));
}

uint32_t web_asset_hash(enum web_page_id page)
{
	return web_hash(asset(page));
}

int web_style(const struct web_site *site, const struct web_args *args, struct out *out,
	      struct err *err)
{
	out_str(out, asset(WEB_STYLE));
	return 0;
}

int web_script(const struct web_site *site, const struct web_args *args, struct out *out,
	       struct err *err)
{
	out_str(out, asset(WEB_SCRIPT));
	return 0;
}

int web_live_script(const struct web_site *site, const struct web_args *args, struct out *out,
		    struct err *err)
{
	out_str(out, asset(WEB_LIVE_SCRIPT));
	return 0;
}
