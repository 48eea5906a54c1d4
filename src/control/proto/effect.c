/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The list of effects, see effect.h. Record and source arrays live in chunks that are
 * freed together when the list is cleared. Appending reports no failure, because the
 * core could do nothing about one. A loss is counted, and the owner asks for a
 * resynchronisation. Pure.
 */

#include "control/proto/effect.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/minmax.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK_SIZE 16384 /* one chunk of this size survives a clear */
#define KEEP_CAP   1024	 /* a list of up to this many effects also does */

struct effect_chunk {
	struct effect_chunk *next;
	size_t size, used;
	_Alignas(max_align_t) unsigned char data[];
};

static void free_chunks(struct effect_chunk *c)
{
	while (c) {
		struct effect_chunk *next = c->next;

		free(c);
		c = next;
	}
}

void effects_deinit(struct effects *fx)
{
	free_chunks(fx->arena);
	free(fx->v);
	*fx = (struct effects){0};
}

void effects_clear(struct effects *fx)
{
	struct effect_chunk *keep = fx->arena;

	/* both may have grown in a storm, and a daemon runs for years */
	if (keep) {
		free_chunks(keep->next);
		keep->next = NULL;
		keep->used = 0;
		if (keep->size > CHUNK_SIZE) {
			free(keep);
			fx->arena = NULL;
		}
	}
	if (fx->cap > KEEP_CAP) {
		free(fx->v);
		fx->v = NULL;
		fx->cap = 0;
	}
	fx->n = 0;
	fx->lost = 0;
}

/* memory that lives until the list is cleared, or NULL if there is none */
static void *arena_alloc(struct effects *fx, size_t size)
{
	struct effect_chunk *c = fx->arena;
	void *p;

	size = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (!c || c->size - c->used < size) {
		size_t chunk = max(size, CHUNK_SIZE);

		c = malloc(sizeof(*c) + chunk);
		if (!c)
			return NULL;
		c->size = chunk;
		c->used = 0;
		c->next = fx->arena;
		fx->arena = c;
	}
	p = c->data + c->used;
	c->used += size;
	return p;
}

/* makes *v a copy in the arena; false if there is no memory */
static bool arena_copy_addrs(struct effects *fx, const struct addr **v, size_t n)
{
	struct addr *copy;

	if (n == 0) {
		*v = NULL;
		return true;
	}
	copy = arena_alloc(fx, n * sizeof(**v));
	if (!copy)
		return false;
	memcpy(copy, *v, n * sizeof(**v));
	*v = copy;
	return true;
}

static void effect_append(struct effects *fx, const struct effect *e)
{
	if (array_reserve(fx->v, fx->cap, fx->n + 1, 16) < 0)
		fx->lost++;
	else
		fx->v[fx->n++] = *e;
}

void effects_query(struct effects *fx, unsigned port, enum gm_version version,
	const struct addr *from, const struct gm_query *q)
{
	struct effect e = {.type = EFFECT_QUERY, .port = port};

	e.query.version = version;
	e.query.from = *from;
	e.query.q = *q;
	if (!arena_copy_addrs(fx, &e.query.q.src, q->n_src)) {
		fx->lost++;
		return;
	}
	effect_append(fx, &e);
}

void effects_report(struct effects *fx, unsigned port, enum gm_version version,
	enum family family, const struct addr *from, const struct gm_record *rec,
	size_t n_rec, uint32_t delay_ms)
{
	struct effect e = {.type = EFFECT_REPORT, .port = port};
	struct gm_record *copy = arena_alloc(fx, n_rec * sizeof(*rec));

	if (!copy) {
		fx->lost++;
		return;
	}
	for (size_t i = 0; i < n_rec; i++) {
		copy[i] = rec[i];
		if (!arena_copy_addrs(fx, &copy[i].src, rec[i].n_src)) {
			fx->lost++;
			return;
		}
	}
	e.report.version = version;
	e.report.family = family;
	e.report.from = *from;
	e.report.rec = copy;
	e.report.n_rec = n_rec;
	e.report.delay_ms = delay_ms;
	effect_append(fx, &e);
}

void effects_fib_set(struct effects *fx, unsigned instance, const struct addr *group,
	const struct addr *source, const struct portset *out)
{
	struct effect e = {.type = EFFECT_FIB_SET};

	e.fib.instance = instance;
	e.fib.group = *group;
	e.fib.source = *source;
	e.fib.out = *out;
	effect_append(fx, &e);
}

void effects_fib_del(struct effects *fx, unsigned instance, const struct addr *group,
	const struct addr *source)
{
	struct effect e = {.type = EFFECT_FIB_DEL};

	e.fib.instance = instance;
	e.fib.group = *group;
	e.fib.source = *source;
	effect_append(fx, &e);
}

void effects_note(struct effects *fx, unsigned port, enum note note,
	const struct addr *group, const struct addr *peer, uint32_t value)
{
	struct effect e = {.type = EFFECT_NOTE, .port = port};

	e.note.note = note;
	e.note.group = group ? *group : addr_any(FAMILY_IPV6);
	e.note.peer = peer ? *peer : addr_any(FAMILY_IPV6);
	e.note.value = value;
	effect_append(fx, &e);
}

void effects_note_forwarder(struct effects *fx, unsigned port, enum note note,
	const struct addr *group, const struct addr *peer, const struct gm_mac *mac)
{
	size_t n = fx->n;

	effects_note(fx, port, note, group, peer, 0);
	if (fx->n > n)
		fx->v[n].note.mac = *mac;
}

/* text of any length into a buffer of `size` bytes; counts like snprintf */
struct text {
	char *buf;
	size_t size, len;
};

static _printf_(2, 3) void effect_put(struct text *t, const char *format, ...)
{
	size_t used = min(t->len, t->size);
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->size ? t->buf + used : NULL, t->size - used, format, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n;
}

static void put_addr(struct text *t, const char *before, const struct addr *a)
{
	char buf[ADDR_STRLEN];

	effect_put(t, "%s%s", before, gm_format_host(a, buf));
}

static void put_addrs(struct text *t, const struct addr *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_addr(t, i ? "," : "", &v[i]);
}

static void put_version(
	struct text *t, const char *what, enum family family, enum gm_version version)
{
	effect_put(t, "%s %sv%u", what, family == FAMILY_IPV4 ? "" : "mld",
		gm_version_number(family, version));
}

static void put_query(struct text *t, const struct effect *e)
{
	const struct gm_query *q = &e->query.q;

	effect_put(t, "port %u ", e->port);
	put_version(t, "query", addr_family(&q->group), e->query.version);
	effect_put(t, " ");
	if (addr_is_any(&q->group))
		effect_put(t, "general");
	else
		put_addr(t, "", &q->group);
	if (q->suppress)
		effect_put(t, " s");
	effect_put(t, " max-resp %u", q->max_resp_ms);
	if (q->qrv)
		effect_put(t, " qrv %u", q->qrv);
	if (q->qqi_ms)
		effect_put(t, " qqi %u", q->qqi_ms);
	if (!addr_is_any(&e->query.from))
		put_addr(t, " from ", &e->query.from);
	if (q->n_src) {
		effect_put(t, " sources ");
		put_addrs(t, q->src, q->n_src);
	}
}

static void put_report(struct text *t, const struct effect *e)
{
	static const char types[][8] = {
		[GM_IS_IN] = "is_in",
		[GM_IS_EX] = "is_ex",
		[GM_TO_IN] = "to_in",
		[GM_TO_EX] = "to_ex",
		[GM_ALLOW] = "allow",
		[GM_BLOCK] = "block",
	};

	effect_put(t, "port %u ", e->port);
	put_version(t, "report", e->report.family, e->report.version);
	put_addr(t, " from ", &e->report.from);
	for (size_t i = 0; i < e->report.n_rec; i++) {
		const struct gm_record *rec = &e->report.rec[i];

		effect_put(t, " %s", types[rec->type]);
		put_addr(t, " ", &rec->group);
		effect_put(t, " {");
		put_addrs(t, rec->src, rec->n_src);
		effect_put(t, "}");
	}
	if (e->report.delay_ms)
		effect_put(t, " after %u", e->report.delay_ms);
}

static void put_fib_key(struct text *t, const struct effect *e)
{
	effect_put(t, "fib %u ", e->fib.instance);
	if (addr_is_any(&e->fib.source))
		effect_put(t, "*");
	else
		put_addr(t, "", &e->fib.source);
	put_addr(t, " ", &e->fib.group);
}

static void put_fib_set(struct text *t, const struct effect *e)
{
	const char *comma = "";

	put_fib_key(t, e);
	effect_put(t, " -> ");
	portset_for_each (&e->fib.out, port) {
		effect_put(t, "%s%u", comma, port);
		comma = ",";
	}
	if (portset_empty(&e->fib.out))
		effect_put(t, "{}");
}

static void put_note(struct text *t, const struct effect *e)
{
	char name[32];

	snprintf(name, sizeof(name), "%s", note_name(e->note.note));
	for (char *c = name; *c; c++)
		if (*c == '_')
			*c = '-';
	effect_put(t, "port %u note %s", e->port, name);
	if (!addr_is_any(&e->note.group))
		put_addr(t, " ", &e->note.group);
	if (!addr_is_any(&e->note.peer))
		put_addr(t, " peer ", &e->note.peer);
	effect_put(t, " value %u", e->note.value);
}

int effect_format(const struct effect *e, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size = size};

	if (size)
		buf[0] = '\0';
	switch (e->type) {
	case EFFECT_QUERY:
		put_query(&t, e);
		break;
	case EFFECT_REPORT:
		put_report(&t, e);
		break;
	case EFFECT_FIB_SET:
		put_fib_set(&t, e);
		break;
	case EFFECT_FIB_DEL:
		put_fib_key(&t, e);
		effect_put(&t, " del");
		break;
	case EFFECT_NOTE:
		put_note(&t, e);
		break;
	}
	return (int)t.len;
}

const char *note_name(enum note note)
{
	static const char name[_NOTE_N][20] = {
		[NOTE_QUERIER_WON] = "querier_won",
		[NOTE_QUERIER_LOST] = "querier_lost",
		[NOTE_QUERIER_UNICAST] = "querier_unicast",
		[NOTE_OLDER_QUERIER] = "older_querier",
		[NOTE_GROUP_NEW] = "group_new",
		[NOTE_GROUP_GONE] = "group_gone",
		[NOTE_GROUP_LIMIT] = "group_limit",
		[NOTE_GROUP_MEMORY] = "group_memory",
		[NOTE_SOURCE_LIMIT] = "source_limit",
		[NOTE_HOST_QUOTA] = "host_quota",
		[NOTE_ADDRESS_LIMIT] = "address_limit",
		[NOTE_ADDRESS_SHARE] = "address_share",
		[NOTE_GROUP_EVICTED] = "group_evicted",
		[NOTE_SOURCE_EVICTED] = "source_evicted",
		[NOTE_HOST_LIMIT] = "host_limit",
		[NOTE_GROUP_DENIED] = "group_denied",
		[NOTE_SSM_REFUSED] = "ssm_refused",
		[NOTE_SSM_QUERY] = "ssm_query",
		[NOTE_HOST_VERSION] = "host_version",
		[NOTE_REPORT_FOREIGN] = "report_foreign",
		[NOTE_QUERIER_FOREIGN] = "querier_foreign",
		[NOTE_OWN_FRAMES] = "own_frames",
		[NOTE_FORWARDER_STOPPED] = "forwarder_stopped",
		[NOTE_FORWARDER_RESUMED] = "forwarder_resumed",
	};

	return note > 0 && note < _NOTE_N ? name[note] : "unknown";
}
