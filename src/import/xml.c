/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import/xml.h"

#include <expat.h>
#include <limits.h>

#include "base/mem.h"
#include "import/import.h"

#define CHUNK (1 << 20)

struct reading {
	const struct xml_reader *reader;
	XML_Parser parser;
	struct buf text;    /* of the innermost element since its last child */
	unsigned depth;
	int result;
	struct err *err;
};

const char *xml_attribute(const char *const *attributes, const char *name)
{
	for (; attributes[0]; attributes += 2)
		if (strcmp(attributes[0], name) == 0)
			return attributes[1];
	return NULL;
}

static void refuse(struct reading *x, int r)
{
	if (!x->result)
		x->result = r;
	XML_StopParser(x->parser, XML_FALSE);
}

static void XMLCALL on_begin(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct reading *x = ctx;
	int r;

	buf_clear(&x->text);
	if (x->result)
		return;
	if (++x->depth > IMPORT_DEPTH_MAX) {
		refuse(x, err_set(x->err, EFBIG, "elements are nested deeper than %d",
				  IMPORT_DEPTH_MAX));
		return;
	}
	r = x->reader->begin(x->reader->ctx, name, (const char *const *)attributes, x->err);
	if (r)
		refuse(x, r);
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
	struct reading *x = ctx;
	int r;

	if (x->result)
		return;
	x->depth--;
	r = x->reader->end(x->reader->ctx, name, buf_str(&x->text), x->err);
	buf_clear(&x->text);
	if (r)
		refuse(x, r);
}

static void XMLCALL on_text(void *ctx, const XML_Char *s, int n)
{
	struct reading *x = ctx;
	size_t room = XML_TEXT_MAX - x->text.n;

	buf_add(&x->text, s, (size_t)n < room ? (size_t)n : room);
}

static void XMLCALL on_entity(void *ctx, const XML_Char *name, int is_parameter,
			      const XML_Char *value, int n, const XML_Char *base,
			      const XML_Char *system, const XML_Char *public,
			      const XML_Char *notation)
{
	struct reading *x = ctx;

	refuse(x, err_set(x->err, EINVAL, "it declares an entity, which is not allowed here"));
}

int xml_read(const struct xml_reader *reader, struct str document, struct err *err)
{
	struct reading x = { .reader = reader, .parser = XML_ParserCreate(NULL), .err = err };
	bool more = true;

	XML_SetUserData(x.parser, &x);
	XML_SetElementHandler(x.parser, on_begin, on_end);
	XML_SetCharacterDataHandler(x.parser, on_text);
	XML_SetEntityDeclHandler(x.parser, on_entity);
	while (more && !x.result) {
		size_t n = document.n < CHUNK ? document.n : CHUNK;

		more = n < document.n;
		if (XML_Parse(x.parser, document.p ? document.p : "", (int)n, !more) ==
		    XML_STATUS_ERROR && !x.result)
			x.result = err_set(err, EBADMSG, "line %lu: %s",
					   (unsigned long)XML_GetCurrentLineNumber(x.parser),
					   XML_ErrorString(XML_GetErrorCode(x.parser)));
		document = str_from(document, n);
	}
	XML_ParserFree(x.parser);
	buf_done(&x.text);
	return x.result;
}
