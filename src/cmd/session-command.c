/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/session-command.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "base/units.h"

#define AT(field) .offset = offsetof(struct session_options, field)

const struct opt SESSION_OPTION_ROWS[] = {
	{ .type = OPT_TYPE_LIST, .name = "env", .arg = "NAME=VALUE", AT(env),
	  .help = "set a variable for the command, which does not get the host's environment" },
	{ .type = OPT_TYPE_STR, .name = "user", .arg = "USER[:GID]", AT(user),
	  .help = "run it as this user, by name or number [default: root]" },
	{ .type = OPT_TYPE_STR, .name = "cwd", .arg = "DIR", AT(cwd),
	  .help = "start it in this directory of the machine [default: the current one]" },
	{ .type = OPT_TYPE_LIST, .name = "limit", .arg = "NAME=VALUE", AT(limits),
	  .help = "limit it: memory=SIZE, files=N, cpu=TIME, core=SIZE; or unlimited" },
	{ .type = OPT_TYPE_STR, .name = "enter", .arg = "ID", AT(enter),
	  .help = "run it in a machine that 'taproom run --keep' left up; of the options "
		  "below only --timeout applies" },
	{ .type = OPT_TYPE_LIST, .name = "fetch", .arg = "PATH[:FILE]", AT(fetch),
	  .help = "when it has ended, copy the machine's PATH to FILE [default: its last "
		  "name, here]" },
	OPT_END,
};

static void env_add(struct session_command *c, const char *name, const char *value)
{
	size_t n = strlen(name) + strlen(value) + 2;
	char *pair = arena_alloc(&c->arena, n);

	snprintf(pair, n, "%s=%s", name, value);
	opt_list_add(&c->env, pair);
}

static bool env_has(const struct session_command *c, const char *key)
{
	for (size_t i = 0; i < c->env.n; i++)
		if (strncmp(c->env.v[i], key, strlen(key)) == 0)
			return true;
	return false;
}

/* ---- whose it is ---- */

static const struct passwd *user_find(const char *text, size_t n)
{
	_free_ char *name = xstrndup(text, n);
	uint64_t uid;

	if (str_to_u64(str_of(name), &uid) > 0 && uid < UINT32_MAX)
		return getpwuid((uid_t)uid);
	return getpwnam(name);
}

/* NAME or UID, then perhaps ":GID". */
static int user_set(struct session_command *c, const char *text, struct err *err)
{
	const char *colon = strchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	const struct passwd *p = user_find(text, n);
	int n_groups = SESSION_GROUPS_MAX;
	uint64_t uid, gid;

	if (!p && !(str_to_u64(str_n(text, n), &uid) > 0 && uid < UINT32_MAX && colon))
		return err_set(err, ENOENT, "--user: no user '%.*s'; one that has no name needs "
			       "a group: UID:GID", (int)n, text);
	if (colon && (str_to_u64(str_of(colon + 1), &gid) <= 0 || gid >= UINT32_MAX))
		return err_set(err, EINVAL, "--user '%s': '%s' is no group's number", text,
			       colon + 1);
	c->user.uid = p ? p->pw_uid : (uint32_t)uid;
	c->user.gid = colon ? (uint32_t)gid : p->pw_gid;
	c->user.groups = c->groups;
	c->command.user = &c->user;
	if (p && getgrouplist(p->pw_name, (gid_t)c->user.gid, c->groups, &n_groups) > 0)
		c->user.n_groups = (unsigned)n_groups;
	if (!p)
		return 0;
	env_add(c, "HOME", p->pw_dir);
	env_add(c, "USER", p->pw_name);
	env_add(c, "LOGNAME", p->pw_name);
	if (p->pw_shell[0] == '/')
		c->shell = arena_strndup(&c->arena, p->pw_shell, strlen(p->pw_shell));
	return 0;
}

/* ---- limits ---- */

static int limit_number(const char *name, struct str value, uint64_t *ret, struct err *err)
{
	int64_t ms = 0;
	int r;

	if (str_eq(value, STR("unlimited"))) {
		*ret = MACHINE_UNLIMITED;
		return 0;
	}
	r = strcmp(name, "cpu") == 0 ? duration_parse(value, &ms, err)
				     : size_parse(value, ret, err);
	if (r == 0 && strcmp(name, "cpu") == 0)
		*ret = (uint64_t)(ms + 999) / 1000;
	if (r == 0 && *ret == 0)
		r = err_set(err, EINVAL, "0 is no limit that a command could live with");
	return r < 0 ? err_wrap(err, r, "--limit %s", name) : 0;
}

static int limit_set(struct machine_limits *l, const char *text, struct err *err)
{
	const struct {
		const char *name;
		uint64_t *to;
	} rows[] = {
		{ "memory", &l->memory }, { "files", &l->files }, { "cpu", &l->cpu_s },
		{ "core", &l->core },
	};
	struct str rest = str_of(text), name = str_cut(&rest, '=');

	for (size_t i = 0; rest.p && i < ARRAY_SIZE(rows); i++)
		if (str_eq(name, str_of(rows[i].name)))
			return limit_number(rows[i].name, rest, rows[i].to, err);
	return err_set(err, EINVAL, "--limit '%s': write NAME=VALUE; names are memory, files, cpu "
		       "and core", text);
}

/* ---- where, and with what ---- */

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static bool is_shared(const struct opt_list *shares, const char *path)
{
	bool yes = false;

	for (size_t i = 0; i < shares->n && !yes; i++) {
		struct str word = str_of(shares->v[i]);
		_free_ char *dir = xstrndup(word.p, word.n - (str_ends(word, STR(":rw")) ? 3 : 0));
		_free_ char *real = realpath(dir, NULL);

		yes = real && is_below(path, real);
	}
	return yes;
}

/* Our directory is the command's too, where the guest shows the host's files. */
static const char *guest_dir(const struct session_order *order, const char *cwd)
{
	static const char *const own[] = { "/run", "/proc", "/sys", "/dev" };
	const struct log *log = &order->cmd->log;

	if (!cwd[0]) {
		log_warn(log, "the current directory is gone: the command starts in /");
		return "/";
	}
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (is_below(cwd, own[i]) &&
		    (order->options->enter || !is_shared(&order->machine->shares, cwd))) {
			log_warn(log, "'%s' is not in the machine, whose %s is its own: the "
				 "command starts in /; --share . shows it", cwd, own[i]);
			return "/";
		}
	return cwd;
}

/* What a terminal's user brings along; all else is the guest's own. */
static void terminal_env(struct session_command *c)
{
	static const char *const names[] = { "TERM", "COLORTERM", "LANG", "LANGUAGE", "LC_ALL",
					     "LC_CTYPE", "LC_MESSAGES", "TZ", "NO_COLOR" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value)
			env_add(c, names[i], value);
	}
}

/* The program, its directory without what is in it, and the files that it is given. */
static void needed(struct session_command *c)
{
	const char *const *v = c->command.argv;
	const char *dir = c->command.dir;

	for (size_t i = 0; v[i]; i++) {
		_free_ char *here = v[i][0] == '/' ? xstrdup(v[i]) : path_join(dir, v[i]);
		_free_ char *program = i || strchr(v[i], '/') ? NULL : proc_find(v[i]);
		const char *path = program ? program : here;
		struct stat st;

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
			opt_list_add(&c->needed, arena_strndup(&c->arena, path, strlen(path)));
	}
	if (access(dir, F_OK) == 0) {
		char *way = arena_alloc(&c->arena, strlen(dir) + 2);

		snprintf(way, strlen(dir) + 2, "%s/", dir);
		opt_list_add(&c->needed, way);
	}
	opt_list_add(&c->needed, NULL);
}

int session_command_make(struct session_command *c, const struct session_order *order,
			 const char *cwd, struct err *err)
{
	const struct session_options *o = order->options;
	const char *shell = getenv("SHELL");
	int r = 0;

	if (o->cwd && o->cwd[0] != '/')
		return err_set(err, EINVAL, "--cwd '%s': an absolute path is needed", o->cwd);
	c->shell = shell && shell[0] == '/' && access(shell, X_OK) == 0 ? shell : "/bin/sh";
	c->command.terminal = order->terminal;
	c->command.dir = o->cwd ? o->cwd : guest_dir(order, cwd);
	if (order->terminal)
		terminal_env(c);
	if (o->user)
		r = user_set(c, o->user, err);
	for (size_t i = 0; r == 0 && i < o->limits.n; i++)
		r = limit_set(&c->command.limits, o->limits.v[i], err);
	if (r < 0)
		return r;
	if (order->terminal)
		env_add(c, "SHELL", c->shell);
	c->argv[0] = c->shell;
	c->command.argv = order->argv ? order->argv : c->argv;
	needed(c);
	for (size_t i = 0; i < o->env.n; i++) {
		if (!strchr(o->env.v[i], '=') || o->env.v[i][0] == '=')
			return err_set(err, EINVAL, "--env '%s': write NAME=VALUE", o->env.v[i]);
		opt_list_add(&c->env, o->env.v[i]);
	}
	return 0;
}

/* Every shell starts with PS1; bash's own files may set another, so there our
 * words are put before theirs, once, by what it runs before its first prompt. */
static void prompt_env(struct session_command *c, const char *release)
{
	_free_ char *words = xasprintf("(%s) ", release);
	_free_ char *ps1 = xasprintf("%s%s", words, c->user.uid ? "$ " : "# ");
	_free_ char *bash = xasprintf("case $PS1 in '%s'*) ;; *) PS1='%s'$PS1 ;; esac; "
				      "unset PROMPT_COMMAND", words, words);

	if (env_has(c, "PS1="))
		return;
	env_add(c, "PS1", ps1);
	if (!env_has(c, "PROMPT_COMMAND="))
		env_add(c, "PROMPT_COMMAND", bash);
}

void session_command_ready(struct session_command *c, const char *release)
{
	/* Words of the guest's, and a shell's prompt: nothing it could read. */
	if (c->command.terminal && !strpbrk(release, "'\\$`!"))
		prompt_env(c, release);
	opt_list_add(&c->env, NULL);
	c->command.env = c->env.v;
}

void session_command_done(struct session_command *c)
{
	opt_list_done(&c->env);
	opt_list_done(&c->needed);
	arena_done(&c->arena);
}
