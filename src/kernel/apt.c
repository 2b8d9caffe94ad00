/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/apt.h"

#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"
#include "kernel/tool.h"

#define LISTS_FRESH_MS (24 * 60 * 60 * 1000ll)
#define OUTPUT_MAX     (8u << 20)
#define SPACE_SPARE    (64u << 20)
#define SPACE_LISTS    (64u << 20)

/*
 * Read after the system's own configuration, so proxies and pins stay. What
 * would reach out of our directory goes: hooks of other packages, lists that
 * only they want, the dpkg database. Dir::Cache::pkgcache because container
 * images switch it off, which costs 0.6 s at each question.
 */
static const char CONFIG[] =
	"#clear APT::Update;\n"
	"#clear DPkg;\n"
	"#clear Acquire::IndexTargets;\n"
	"#clear APT::Architectures;\n"
	"Acquire::IndexTargets::deb::Packages {\n"
	"  MetaKey \"$(COMPONENT)/binary-$(ARCHITECTURE)/Packages\";\n"
	"  flatMetaKey \"Packages\";\n"
	"  ShortDescription \"Packages\";\n"
	"  Description \"$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Packages\";\n"
	"  flatDescription \"$(RELEASE) Packages\";\n"
	"  Optional \"0\";\n"
	"};\n"
	"APT::Update::Error-Mode \"any\";\n"
	"Acquire::Languages \"none\";\n"
	"Acquire::Retries \"2\";\n"
	"Acquire::http::Timeout \"30\";\n"
	"Acquire::https::Timeout \"30\";\n"
	"APT::Architecture \"amd64\";\n"
	"APT::Architectures { \"amd64\"; };\n"
	"APT::Sandbox::User \"root\";\n"
	"Dir::Cache::pkgcache \"pkgcache.bin\";\n"
	"Dir::Cache::srcpkgcache \"srcpkgcache.bin\";\n";

static void read_sources(struct apt_sources *s, const char *path)
{
	struct buf text = {};

	if (file_read(path, 0, &text, NULL) == 0)
		apt_sources_parse(s, buf_str(&text), str_ends(str_of(path), STR(".sources")));
	buf_done(&text);
}

static char *host_codename(void)
{
	struct buf text = {};
	struct str rest, value;
	char *name = NULL;

	if (file_read("/etc/os-release", 0, &text, NULL) == 0) {
		for (rest = buf_str(&text); rest.n && !name;) {
			value = str_cut(&rest, '\n');
			if (str_eq(str_cut(&value, '='), STR("VERSION_CODENAME")))
				name = xstrndup(value.p, value.n);
		}
	}
	buf_done(&text);
	return name ? name : xstrdup("sid");
}

/* Sources for a suite that the system doesn't follow, from the mirror it uses. */
static int write_suite(struct apt *a, const char *path, struct err *err)
{
	_free_ char *codename = host_codename();
	struct apt_sources s = {};
	struct buf text = {};
	glob_t found;
	int r = 0;

	read_sources(&s, "/etc/apt/sources.list");
	if (glob("/etc/apt/sources.list.d/*", 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			read_sources(&s, found.gl_pathv[i]);
		globfree(&found);
	}
	if (!apt_sources_derive(&s, codename, a->suite, &text))
		r = err_set(err, ENOENT,
			    "no mirror for '%s' in /etc/apt/sources.list*: 'debian:%s' takes "
			    "its mirror from there", codename, a->suite);
	else
		r = file_write(path, buf_str(&text), 0644, err);
	buf_done(&text);
	apt_sources_done(&s);
	return r;
}

static int write_config(struct apt *a, struct err *err)
{
	_free_ char *status = path_join(a->dir, "status");
	_free_ char *sources = path_join(a->dir, "suite.sources");
	struct buf text = {};
	int r = 0;

	buf_add_str(&text, str_of(CONFIG));
	buf_printf(&text, "Dir::State \"%s/state\";\n", a->dir);
	buf_printf(&text, "Dir::State::lists \"%s/state/lists\";\n", a->dir);
	buf_printf(&text, "Dir::State::status \"%s\";\n", status);
	buf_printf(&text, "Dir::Cache \"%s/cache\";\n", a->dir);
	buf_printf(&text, "Dir::Log \"%s\";\n", a->dir);
	if (a->suite) {
		buf_printf(&text, "Dir::Etc::sourcelist \"%s\";\n", sources);
		buf_printf(&text, "Dir::Etc::sourceparts \"/dev/null\";\n");
		buf_printf(&text, "Dir::Etc::preferences \"/dev/null\";\n");
		buf_printf(&text, "Dir::Etc::preferencesparts \"/dev/null\";\n");
		r = write_suite(a, sources, err);
	}
	if (r == 0)
		r = file_write(status, STR_NONE, 0644, err);
	if (r == 0)
		r = file_write(a->conf, buf_str(&text), 0644, err);
	buf_done(&text);
	return r;
}

int apt_open(struct apt *a, const char *parent, const char *suite, const struct log *log,
	     struct err *err)
{
	static const char *const dirs[] = { "state/lists/partial", "cache/archives/partial" };
	int r = 0;

	*a = (struct apt){ .dir = path_join(parent, suite ? suite : "system"), .log = log };
	a->suite = xstrdup(suite);
	a->conf = path_join(a->dir, "apt.conf");
	if (strchr(a->dir, '"'))
		return err_set(err, EINVAL, "the cache's path '%s' has a quote in it", parent);
	for (size_t i = 0; i < ARRAY_SIZE(dirs) && r == 0; i++) {
		_free_ char *dir = path_join(a->dir, dirs[i]);

		r = dir_make(dir, err);
	}
	return r < 0 ? r : write_config(a, err);
}

void apt_done(struct apt *a)
{
	free(a->dir);
	free(a->suite);
	free(a->conf);
	*a = (struct apt){};
}

static int check_space(const char *dir, const char *what, uint64_t bytes, struct err *err)
{
	char text[2][UNIT_TEXT_MAX];
	uint64_t there;
	int r = dir_free_space(dir, &there, err);

	if (r < 0 || there >= bytes + SPACE_SPARE)
		return r;
	return err_set(err, ENOSPC,
		       "no space in '%s': %s needs %s, %s are free; make room or set "
		       "XDG_CACHE_HOME to another disk", dir, what,
		       size_text(bytes + SPACE_SPARE, text[0]), size_text(there, text[1]));
}

int apt_update(struct apt *a, bool force, struct err *err)
{
	const char *const argv[] = { "apt-get", "-c", a->conf, "-q", "update", NULL };
	_free_ char *stamp = path_join(a->dir, "updated");
	char text[UNIT_TEXT_MAX];
	int64_t start = clock_mono_ms();
	struct stat st;
	bool had = stat(stamp, &st) == 0;
	struct err *why = &a->trouble;
	int r;

	if (a->updated ||
	    (!force && had && clock_wall_ms() - st.st_mtime * 1000ll < LISTS_FRESH_MS))
		return 0;
	r = check_space(a->dir, "a list of packages", SPACE_LISTS, err);
	if (r < 0)
		return r;
	log_info(a->log, "reading Debian package lists%s%s", a->suite ? " of " : "",
		 a->suite ? a->suite : "");
	r = tool_run(argv, NULL, NULL, why);
	a->updated = true;
	/* One dead third-party source makes apt-get fail though Debian's own lists
	 * are there; whether the package is in them shows next. */
	if (r == -EIO) {
		log_debug(a->log, "package lists: %s", why->text);
		return 0;
	}
	if (r < 0)
		return err_set(err, -r, "%s; 'debian' kernels need apt-get and dpkg-deb",
			       why->text);
	log_debug(a->log, "package lists read in %s",
		  duration_text(clock_mono_ms() - start, text));
	return file_write(stamp, STR_NONE, 0644, err);
}

int apt_names(struct apt *a, const char *prefix, struct buf *ret, struct err *err)
{
	const char *const argv[] = { "apt-cache", "-c", a->conf, "pkgnames", prefix, NULL };

	return tool_run(argv, NULL, ret, err);
}

int apt_show(struct apt *a, const char *package, struct buf *ret, struct err *err)
{
	const char *const argv[] = { "apt-cache", "-c", a->conf, "show", package, NULL };
	struct buf said = {};
	int r;

	if (!ret->max)
		ret->max = OUTPUT_MAX;
	/* An unknown package is exit code 100 and a line; here it is no records. */
	r = tool_exit_code(argv, NULL, ret, &said, err);
	buf_done(&said);
	return r < 0 ? r : 0;
}

int apt_unpack(struct apt *a, const char *package, const char *version, const char *dir,
	       struct err *err)
{
	_free_ char *what = xasprintf("%s=%s", package, version);
	_free_ char *pattern = path_join(dir, "*.deb"), *tree = path_join(dir, "tree");
	const char *const fetch[] = { "apt-get", "-c", a->conf, "-q", "download", what, NULL };
	const char *unpack[] = { "dpkg-deb", "-x", NULL, tree, NULL };
	char text[UNIT_TEXT_MAX];
	struct apt_record rec;
	struct buf show = {};
	glob_t found;
	int r = apt_show(a, package, &show, err);

	if (r == 0 && !apt_record_find(buf_str(&show), version, &rec))
		r = err_set(err, ENOENT, "no package %s in the lists", what);
	if (r == 0)
		r = check_space(dir, package, rec.size + rec.installed, err);
	if (r == 0) {
		log_info(a->log, "fetching %s %s, %s", package, version,
			 size_text(rec.size, text));
		r = tool_run(fetch, dir, NULL, err);
	}
	buf_done(&show);
	if (r < 0)
		return r;
	if (glob(pattern, 0, NULL, &found) != 0)
		return err_set(err, EIO, "apt-get brought no file for %s", what);
	unpack[2] = found.gl_pathv[0];
	r = tool_run(unpack, NULL, NULL, err);
	unlink(found.gl_pathv[0]);
	globfree(&found);
	return r;
}
