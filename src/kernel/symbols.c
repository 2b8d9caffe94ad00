/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/symbols.h"

#include <stdlib.h>

#include "base/mem.h"
#include "kernel/debug-files.h"
#include "kernel/object.h"

#define ANSWERS_MAX 65536 /* that are kept; then all are forgotten */
#define HEADS       16384
#define OBJECTS_MAX 512   /* modules that a log may name: each may hold a descriptor */
#define PLACES_MAX  (OBJECT_SAME_MAX * LINES_FRAMES_MAX)
#define TELL_MAX    8     /* objects; the rest is counted */

/* Why a frame has no place. */
enum missing {
	MISSING_OBJECT, /* no file of it with debug info */
	MISSING_SYMBOL,
	MISSING_SIZE,   /* the function is another one than in the log */
	MISSING_LINE,
	MISSING_N,
};

static const char *const MISSING_WORDS[MISSING_N] = {
	[MISSING_SYMBOL] = "no function of that name in",
	[MISSING_SIZE] = "another size, so another build, in",
	[MISSING_LINE] = "no line for the address in",
};

/* The kernel or one module. */
struct owner {
	char *name; /* "": the kernel */
	struct object *object;
	struct err why; /* that there is none */
	uint64_t missing[MISSING_N];
};

struct answer {
	struct answer *next;
	struct str key;
	struct owner *owner;
	enum missing missing; /* counts when n is 0 */
	unsigned n;
	struct symbols_place *places;
};

struct symbols {
	struct debug_files files, booted;
	struct owner *owners[OBJECTS_MAX];
	size_t n;
	struct owner other; /* modules past OBJECTS_MAX */
	struct arena arena; /* of the answers */
	struct answer *heads[HEADS];
	unsigned n_answers;
	struct buf key;
};

/* ---- objects ---- */

static struct owner *owner_new(struct symbols *s, struct str name)
{
	struct owner *w = xcalloc(1, sizeof(*w));

	w->name = xstrndup(name.p ? name.p : "", name.n);
	s->owners[s->n++] = w;
	return w;
}

static void owner_free(struct owner *w)
{
	object_close(w->object);
	free(w->name);
	free(w);
}

int symbols_open(const struct symbols_from *from, struct symbols **ret, struct err *err)
{
	struct symbols *s = xcalloc(1, sizeof(*s));
	struct owner *kernel = owner_new(s, STR(""));
	int r = debug_files_find(from, &s->files, err);

	debug_files_booted(from, &s->booted);
	s->other.name = xstrdup("");
	err_set(&s->other.why, E2BIG, "more than %d modules are named", OBJECTS_MAX - 1);
	if (r == 0 && s->files.vmlinux) {
		r = object_open(s->files.vmlinux, &kernel->object, err);
		if (r == 0 && !object_has_lines(kernel->object))
			r = err_set(err, ENOENT,
				    "'%s' has no debug info; build it with CONFIG_DEBUG_INFO",
				    s->files.vmlinux);
	} else if (r == 0) {
		err_set(&kernel->why, ENOENT, "only module %s was given", s->files.module);
	}
	if (r < 0)
		s = symbols_close(s);
	*ret = s;
	return r;
}

struct symbols *symbols_close(struct symbols *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->n; i++)
		owner_free(s->owners[i]);
	free(s->other.name);
	debug_files_done(&s->files);
	debug_files_done(&s->booted);
	arena_done(&s->arena);
	buf_done(&s->key);
	free(s);
	return NULL;
}

const char *symbols_path(const struct symbols *s)
{
	return s->files.vmlinux ? s->files.vmlinux : s->files.modules[0].path;
}

static bool same_build_id(const struct object *o, struct str want)
{
	struct str own = str_of(object_build_id(o));

	/* One of them is not known, or the log's was cut. */
	return !own.n || !want.n || str_starts_nocase(own, want);
}

/* Whether the kernel that was booted loads the module from this very build. */
static bool as_booted(struct symbols *s, const struct owner *w, const struct object *o)
{
	const struct debug_module *m;
	struct object *booted;
	size_t n;
	bool same = true;

	m = debug_files_module(&s->booted, str_of(w->name), &n);
	if (n && object_open(m->path, &booted, NULL) == 0) {
		same = same_build_id(o, str_of(object_build_id(booted)));
		object_close(booted);
	}
	return same;
}

/* The first file of the module that has lines and is of the log's build. */
static void open_module(struct symbols *s, struct owner *w, struct str build_id)
{
	struct object *kernel = s->owners[0]->object;
	const struct debug_module *m;
	size_t n;

	m = debug_files_module(&s->files, str_of(w->name), &n);
	err_set(&w->why, ENOENT, "no file of it");
	for (size_t i = 0; i < n && !w->object; i++) {
		struct object *o;

		if (object_open(m[i].path, &o, &w->why) < 0)
			continue;
		if (!same_build_id(o, build_id))
			err_set(&w->why, ESTALE, "'%s' has another build id than the log's",
				m[i].path);
		else if (!as_booted(s, w, o))
			err_set(&w->why, ESTALE, "'%s' has another build id than '%s'", m[i].path,
				s->booted.dirs[0]);
		else if (!object_has_lines(o))
			err_set(&w->why, ENOENT, "'%s' has no debug info", m[i].path);
		else
			w->object = o;
		if (!w->object)
			object_close(o);
	}
	if (w->object && kernel)
		object_set_root(w->object, object_root(kernel));
}

static struct owner *owner_of(struct symbols *s, const struct symbols_query *q)
{
	struct owner *w;

	for (size_t i = 0; i < s->n; i++)
		if (str_eq(str_of(s->owners[i]->name), q->module))
			return s->owners[i];
	if (s->n == OBJECTS_MAX)
		return &s->other;
	w = owner_new(s, q->module);
	open_module(s, w, q->build_id);
	return w;
}

static void forget(struct symbols *s)
{
	arena_reset(&s->arena);
	memset(s->heads, 0, sizeof(s->heads));
	s->n_answers = 0;
}

void symbols_check_build_id(struct symbols *s, struct str build_id)
{
	struct owner *kernel = s->owners[0];

	if (!kernel->object || same_build_id(kernel->object, build_id))
		return;
	err_set(&kernel->why, ESTALE, "'%s' has another build id than the log's",
		s->files.vmlinux);
	kernel->object = object_close(kernel->object);
	forget(s); /* what came from the wrong one */
}

/* ---- answers ---- */

static unsigned add_places(const struct lines_frame *f, unsigned n, bool or,
			   struct symbols_place *ret)
{
	for (unsigned i = 0; i < n; i++)
		ret[i] = (struct symbols_place){
			.how = i ? SYMBOLS_INLINED_BY : or ? SYMBOLS_OR : SYMBOLS_HERE,
			.function = f[i].function,
			.file = f[i].file,
			.line = f[i].line,
		};
	return n;
}

/*
 * A return address is behind the call, perhaps in the next line or, after a
 * function that never returns, in the next function: the call is just before.
 * At offset 0 nothing was called yet. "__pfx_foo+0x10/0x10" is foo itself, whose
 * padding is named so (objtool --prefix).
 */
static uint64_t address_in(const struct symbols_query *q, uint64_t symbol)
{
	bool back = !q->exact && q->offset > 0 &&
		    !(q->offset == q->size && str_starts(q->function, STR("__pfx_")));

	return symbol + q->offset - back;
}

static void find_answer(struct symbols *s, const struct symbols_query *q, struct answer *a)
{
	struct symbols_place places[PLACES_MAX];
	struct lines_frame frames[LINES_FRAMES_MAX];
	uint64_t at[OBJECT_SAME_MAX];
	struct object *o = a->owner->object;
	int n;

	a->missing = MISSING_OBJECT;
	if (!o)
		return;
	n = object_symbol(o, q->function, q->size, at);
	if (n <= 0 || q->offset > q->size) {
		a->missing = n == 0 ? MISSING_SYMBOL : MISSING_SIZE;
		return;
	}
	a->missing = MISSING_LINE;
	for (int i = 0; i < n; i++) {
		unsigned found = object_lines(o, address_in(q, at[i]), &s->arena, frames);

		a->n += add_places(frames, found, a->n > 0, places + a->n);
	}
	if (a->n) {
		a->places = arena_alloc(&s->arena, a->n * sizeof(*a->places));
		memcpy(a->places, places, a->n * sizeof(*a->places));
	}
}

/* What an answer is kept under: all of the query, each part with an end. */
static struct str key_of(struct symbols *s, const struct symbols_query *q)
{
	const struct str parts[] = { q->module, q->build_id, q->function };
	const uint64_t numbers[] = { q->offset, q->size, q->exact };

	buf_clear(&s->key);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		buf_add_str(&s->key, parts[i]);
		buf_add(&s->key, "", 1);
	}
	buf_add(&s->key, numbers, sizeof(numbers));
	return buf_str(&s->key);
}

static struct answer *answer_to(struct symbols *s, const struct symbols_query *q)
{
	struct str key = key_of(s, q);
	struct answer **head = &s->heads[str_hash(key, STR_HASH_INIT) % HEADS], *a;

	for (a = *head; a; a = a->next)
		if (str_eq(a->key, key))
			return a;
	if (s->n_answers == ANSWERS_MAX)
		forget(s);
	a = arena_alloc(&s->arena, sizeof(*a));
	a->key = str_n(arena_strndup(&s->arena, key.p, key.n), key.n);
	a->owner = owner_of(s, q);
	find_answer(s, q, a);
	a->next = *head;
	*head = a;
	s->n_answers++;
	return a;
}

unsigned symbols_look_up(struct symbols *s, const struct symbols_query *q,
			 const struct symbols_place **ret)
{
	struct answer *a = answer_to(s, q);

	if (!a->n)
		a->owner->missing[a->missing]++;
	*ret = a->places;
	return a->n;
}

/* ---- what is missing ---- */

static void tell_owner(const struct owner *w, const struct log *log)
{
	_free_ char *of = w->name[0] ? xasprintf("module %s", w->name) : xstrdup("the kernel");

	for (unsigned i = 0; i < MISSING_N; i++) {
		unsigned long long n = w->missing[i];

		if (n == 0)
			continue;
		if (w->object)
			log_warn(log, "%llu frame%s of %s not decoded: %s '%s'", n,
				 n == 1 ? "" : "s", of, MISSING_WORDS[i],
				 object_path(w->object));
		else
			log_warn(log, "%llu frame%s of %s not decoded: %s", n,
				 n == 1 ? "" : "s", of, w->why.text);
	}
}

static uint64_t missing_of(const struct owner *w)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < MISSING_N; i++)
		n += w->missing[i];
	return n;
}

void symbols_tell_missing(const struct symbols *s, const struct log *log)
{
	uint64_t rest = missing_of(&s->other);
	unsigned told = 0, untold = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct owner *w = s->owners[i];
		uint64_t n = missing_of(w);

		if (n && told < TELL_MAX) {
			tell_owner(w, log);
			told++;
		} else if (n) {
			rest += n;
			untold++;
		}
	}
	if (rest)
		log_warn(log, "%llu frames of %u%s more modules not decoded",
			 (unsigned long long)rest, untold, s->n == OBJECTS_MAX ? " or" : "");
}
