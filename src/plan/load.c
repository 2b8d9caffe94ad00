/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"
#include "plan/builtin.h"
#include "plan/ignore.h"
#include "plan/keep.h"
#include "plan/known.h"
#include "plan/matrix.h"
#include "plan/mistake.h"
#include "plan/modes.h"
#include "plan/place.h"
#include "plan/plan.h"
#include "plan/schema.h"
#include "plan/variants.h"

#define FILE_MAX  (1u << 20)

/*
 * Sense: what the schema can't say.
 */
static int check_suite(const struct plan *p, unsigned i, struct str text, const char *path,
		       struct err *err)
{
	const struct plan_suite *s = &p->suites[i];
	struct place at = place_of(text, "suites", i, s->name ? "name" : NULL);
	int64_t ms;
	int r;

	if (!s->name)
		return err_set(err, EINVAL, "%s:%zu:%zu: a suite has no name", path, at.line,
			       at.column);
	if (s->name[strcspn(s->name, "/:! \t*?[")])
		return err_set(err, EINVAL, "%s:%zu:%zu: suite '%s': a name has no blanks and none "
			       "of \"/:!*?[\"", path, at.line, at.column, s->name);
	for (unsigned j = 0; j < i; j++)
		if (strcmp(s->name, p->suites[j].name) == 0)
			return err_set(err, EINVAL, "%s:%zu:%zu: two suites are called '%s'", path,
				       at.line, at.column, s->name);
	if (!s->kind)
		return err_set(err, EINVAL, "%s:%zu:%zu: suite '%s' has no kind, such as "
			       "'kselftest'", path, at.line, at.column, s->name);
	at = place_of(text, "suites", i, "env");
	for (unsigned j = 0; j < s->env_count; j++)
		if (strcspn(s->env[j], "=") == 0 || !strchr(s->env[j], '='))
			return err_set(err, EINVAL, "%s:%zu:%zu: suite '%s': env '%s' is not "
				       "NAME=VALUE", path, at.line, at.column, s->name, s->env[j]);
	at = place_of(text, "suites", i, "variants");
	_free_ char *where = xasprintf("%s:%zu:%zu", path, at.line, at.column);

	r = variants_check(s, where, err);
	if (r < 0)
		return r;
	at = place_of(text, "suites", i, "timeout");
	r = s->timeout ? duration_parse(str_of(s->timeout), &ms, err) : 0;
	return r < 0 ? err_wrap(err, r, "%s:%zu:%zu: suite '%s': timeout", path, at.line, at.column,
				s->name) : 0;
}

static int check(struct plan *p, struct str text, const char *path, struct err *err)
{
	int r = 0;

	if (!p->suites_count)
		return err_set(err, EINVAL, "%s:1:1: it has no suites", path);
	for (unsigned i = 0; i < p->suites_count && r == 0; i++)
		r = check_suite(p, i, text, path, err);
	return r;
}

/* "./own.config" of a mode, too. */
static void anchor_configs(struct plan_mode *m, const char *base)
{
	for (unsigned i = 0; i < m->config_count; i++) {
		char *given = m->config[i];

		if (!str_starts(str_of(given), STR("./")) && !str_starts(str_of(given), STR("../")))
			continue;
		m->config[i] = path_join(base, given);
		free(given);
	}
}

static void anchor(char **path, const char *base)
{
	char *given = *path;

	if (!given || given[0] == '/')
		return;
	*path = path_join(base, given);
	free(given);
}

/* Paths are meant as seen from the file. */
static void anchor_dirs(struct plan *p)
{
	_free_ char *base = path_dir(p->path);

	for (unsigned i = 0; i < p->modes_count; i++)
		anchor_configs(&p->modes[i], base);
	for (unsigned i = 0; i < p->suites_count; i++) {
		anchor(&p->suites[i].dir, base);
		anchor(&p->suites[i].program, base);
	}
}

static const cyaml_config_t *config_for(struct mistake *m, cyaml_config_t *c)
{
	*c = (cyaml_config_t){
		.log_fn = mistake_on_log,
		.log_ctx = m,
		.log_level = CYAML_LOG_WARNING,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
	};
	return c;
}

int plan_parse(struct str text, const char *path, struct plan **ret, struct err *err)
{
	const char *name = path ? path : "configuration";
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct mistake m = {};
	cyaml_config_t c;
	int r;

	if (text.n > FILE_MAX)
		return err_set(err, EFBIG, "%s: larger than %u bytes", name, FILE_MAX);
	r = mistake_check_syntax(name, text, err);
	if (r < 0)
		return r;
	if (cyaml_load_data((const uint8_t *)text.p, text.n, config_for(&m, &c), &PLAN_SCHEMA,
			    (void **)&p, NULL) != CYAML_OK)
		return mistake_tell(name, text, &m, err);
	if (!p)
		return err_set(err, EINVAL, "%s: it is empty", name);
	r = check(p, text, name, err);
	if (r == 0)
		r = ignore_check(p, text, name, err);
	if (r == 0)
		r = known_check(p, text, name, err);
	if (r == 0)
		r = keep_check(p, text, name, err);
	if (r == 0)
		r = modes_check(p, text, name, err);
	if (r == 0)
		r = matrix_check(p, text, name, err);
	if (r < 0)
		return r;
	if (path) {
		p->path = xstrdup(path);
		anchor_dirs(p);
	}
	*ret = TAKE(p);
	return 0;
}

struct plan *plan_free(struct plan *p)
{
	struct mistake m = {};
	cyaml_config_t c;

	if (p) {
		free(p->path);
		cyaml_free(config_for(&m, &c), &PLAN_SCHEMA, p, 0);
	}
	return NULL;
}

void plan_freep(struct plan **p)
{
	*p = plan_free(*p);
}

/*
 * Looking for the file.
 */
static int load_file(const char *path, struct plan **ret, struct err *err)
{
	struct buf text = {};
	int r = file_read(path, FILE_MAX, &text, err);

	if (r == 0)
		r = plan_parse(buf_str(&text), path, ret, err);
	buf_done(&text);
	return r;
}

/* taproom.yaml in @dir or above it; NULL when there is none. */
static char *find_upwards(const char *dir)
{
	char *at = realpath(dir, NULL);

	while (at) {
		_free_ char *path = path_join(at, PLAN_FILE);
		char *slash = strrchr(at, '/');

		if (file_exists(path)) {
			free(at);
			return TAKE(path);
		}
		if (!slash || !slash[1])
			break;
		slash[slash == at] = '\0';
	}
	free(at);
	return NULL;
}

static char *find_user(void)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	_free_ char *path = NULL;

	if (xdg && xdg[0] == '/')
		path = path_join(xdg, "taproom/" PLAN_FILE);
	else if (home && home[0] == '/')
		path = path_join(home, ".config/taproom/" PLAN_FILE);
	return path && file_exists(path) ? TAKE(path) : NULL;
}

int plan_load(const char *path, const char *dir, struct plan **ret, struct err *err)
{
	_free_ char *found = NULL;

	/* Suites' directories count from the file, wherever it is called from. */
	if (path)
		found = realpath(path, NULL);
	if (path && !found)
		return err_sys(err, errno, "configuration '%s'", path);
	if (!found)
		found = find_upwards(dir);
	if (!found)
		found = find_user();
	return found ? load_file(found, ret, err)
		     : plan_parse(str_of(PLAN_BUILTIN), NULL, ret, err);
}
