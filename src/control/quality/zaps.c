/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Zaps, see zaps.h. Each has a mark, which the threads of the data plane answer with
 * the times of the datagrams after it. A later mark of the same group replaces an
 * earlier one. Events that the earlier zap still lacks had not happened when its mark
 * was replaced, so their times under the later mark are also right for the earlier zap.
 */

#include "control/quality/zaps.h"

#include "base/cleanup.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#define TAG_LAN 1
#define TAG_ZAP 2

const uint32_t zaps_bound_ms[ZAPS_BUCKETS - 1] = {
	10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000};

const char *zaps_wait_name(enum zaps_wait w)
{
	static const char names[_ZAPS_WAIT_N][8] = {
		[ZAPS_FIRST] = "first",
		[ZAPS_RANDOM] = "random",
		[ZAPS_LEAVE] = "leave",
	};

	return names[w];
}

void zaps_init(struct zaps *z, uint64_t seed)
{
	table_init(&z->by_group, seed);
}

void zaps_deinit(struct zaps *z)
{
	table_deinit(&z->by_group);
}

/* ---- histograms ---- */

static void count_time(struct zaps_times *t, int64_t ns)
{
	int64_t ms = ns > 0 ? ns / NS_PER_MS : 0;
	unsigned i = 0;

	while (i < ZAPS_BUCKETS - 1 && ms > zaps_bound_ms[i])
		i++;
	t->bucket[i]++;
	t->n++;
	t->sum_ms += (uint64_t)ms;
}

static void count_to(struct zaps_times *t, mono_t from, mono_t to)
{
	if (mono_is_set(to))
		count_time(t, to.ns - from.ns);
	else
		t->missed++;
}

/* ---- hosts that ask ---- */

static uint64_t hash_of_group(const struct zaps *z, const struct addr *group)
{
	return table_hash(&z->by_group, group->b, sizeof(group->b));
}

static struct zaps_asker *find_asker(const struct zaps *z, unsigned port,
	const struct addr *group, const struct addr *host)
{
	return table_search(&z->by_group, hash_of_group(z, group), struct zaps_asker, a,
		a->port == port && addr_eq(&a->group, group) &&
			addr_eq(&a->host, host));
}

static void unlink_asker(struct zaps *z, struct zaps_asker *a)
{
	*(a->newer ? &a->newer->older : &z->newest) = a->older;
	*(a->older ? &a->older->newer : &z->oldest) = a->newer;
	a->newer = a->older = NULL;
}

static void link_asker(struct zaps *z, struct zaps_asker *a)
{
	a->older = z->newest;
	*(z->newest ? &z->newest->newer : &z->oldest) = a;
	z->newest = a;
}

/* The place of the host whose last request is the oldest. */
static struct zaps_asker *add_asker(struct zaps *z, unsigned port,
	const struct addr *group, const struct addr *host)
{
	struct zaps_asker *a;

	if (z->n_askers < ZAPS_ASKERS) {
		a = &z->asker[z->n_askers++];
	} else {
		a = z->oldest;
		if (!a)
			return NULL;
		unlink_asker(z, a);
		if (a->used)
			table_remove(&z->by_group, &a->node);
	}
	*a = (struct zaps_asker){.group = *group, .host = *host, .port = (uint8_t)port};
	a->used = table_insert(&z->by_group, &a->node, hash_of_group(z, group)) == 0;
	link_asker(z, a);
	return a;
}

/* A member that asks again within a moment only repeats its report. */
static void note_ask(struct zaps *z, mono_t now, unsigned port,
	const struct addr *group, const struct addr *host, bool member)
{
	struct zaps_asker *a = find_asker(z, port, group, host);

	if (a && member && mono_before(now, mono_add_ms(a->at[0], ZAPS_REPEAT_MS)))
		return;
	if (!a)
		a = add_asker(z, port, group, host);
	if (!a)
		return;
	unlink_asker(z, a);
	link_asker(z, a);
	memmove(&a->at[1], &a->at[0], sizeof(a->at) - sizeof(a->at[0]));
	a->at[0] = now;
}

const struct zaps_asker *zaps_again(
	const struct zaps *z, mono_t now, const struct addr *group)
{
	return table_search(&z->by_group, hash_of_group(z, group), struct zaps_asker, a,
		addr_eq(&a->group, group) && mono_is_set(a->at[ZAPS_AGAIN]) &&
			mono_before(
				now, mono_add_ms(a->at[ZAPS_AGAIN], ZAPS_AGAIN_MS)));
}

/* ---- zaps ---- */

const struct zap *zaps_recent(const struct zaps *z, size_t i)
{
	if (i >= ZAPS_RECENT || i >= z->n)
		return NULL;
	return &z->recent[(z->n - 1 - i) % ZAPS_RECENT];
}

/* `waited` is false if the host has left. A first datagram that never came then does
 * not count as missed. */
static void finish_zap(struct zaps *z, struct zap *zap, bool waited)
{
	struct zaps_times *lan = z->lan[zap->port];

	zap->done = true;
	z->n_pending--;
	if (waited || mono_is_set(zap->first))
		count_to(&lan[ZAPS_FIRST], zap->asked, zap->first);
	/* not a failure, because many encoders never set the indicator */
	if (mono_is_set(zap->random))
		count_to(&lan[ZAPS_RANDOM], zap->asked, zap->random);
}

/* The unfinished zaps of a group, or of all groups if `group` is NULL, the last one
 * first. */
static const struct zap *find_pending(
	const struct zaps *z, const struct addr *group, size_t *at, unsigned *left)
{
	while (*left > 0) {
		const struct zap *zap = zaps_recent(z, (*at)++);

		if (!zap)
			return NULL;
		if (zap->done)
			continue;
		--*left;
		if (!group || addr_eq(&zap->group, group))
			return zap;
	}
	return NULL;
}

static struct zap *next_pending(
	struct zaps *z, const struct addr *group, size_t *at, unsigned *left)
{
	const struct zap *zap = find_pending(z, group, at, left);

	return zap ? &z->recent[zap - z->recent] : NULL;
}

/* The unfinished zap of a host, or NULL. */
static struct zap *waiting(struct zaps *z, unsigned port, const struct addr *group,
	const struct addr *host)
{
	unsigned left = z->n_pending;
	struct zap *zap;
	size_t at = 0;

	while ((zap = next_pending(z, group, &at, &left)))
		if (zap->port == port && addr_eq(&zap->host, host))
			return zap;
	return NULL;
}

uint32_t zaps_ask(struct zaps *z, mono_t now, unsigned port, const struct addr *group,
	const struct addr *host, bool member, bool change)
{
	struct zap *zap;

	/* each report of a host that cannot be tracked looks like one of a new host */
	if ((member && !change) || (!member && waiting(z, port, group, host)))
		return 0;
	note_ask(z, now, port, group, host, member);
	if (member)
		return 0;
	zap = &z->recent[z->n % ZAPS_RECENT];
	if (z->n >= ZAPS_RECENT && !zap->done)
		finish_zap(z, zap, true);
	z->n++;
	z->n_pending++;
	z->mark = z->mark == UINT32_MAX ? 1 : z->mark + 1;
	*zap = (struct zap){.group = *group,
		.host = *host,
		.port = (uint8_t)port,
		.mark = z->mark,
		.asked = now};
	return z->mark;
}

bool zaps_is_pending(const struct zaps *z, const struct addr *group)
{
	unsigned left = z->n_pending;
	size_t at = 0;

	return find_pending(z, group, &at, &left);
}

void zaps_sent(struct zaps *z, mono_t now, const struct addr *group)
{
	unsigned left = z->n_pending;
	struct zap *zap;
	size_t at = 0;

	while ((zap = next_pending(z, group, &at, &left)))
		if (!mono_is_set(zap->sent))
			zap->sent = now;
}

/* The earlier one of several streams of a group counts. */
static void take_earlier(mono_t *t, mono_t new, mono_t asked)
{
	if (!mono_is_set(new) || mono_before(new, asked))
		return;
	if (!mono_is_set(*t) || mono_before(new, *t))
		*t = new;
}

void zaps_see(struct zaps *z, const struct quality_view *v)
{
	unsigned left = z->n_pending;
	struct zap *zap;
	size_t at = 0;

	while ((zap = next_pending(z, &v->stream.group, &at, &left))) {
		/* marks count up, and begin again at 1 */
		if (v->mark == 0 || (int32_t)(v->mark - zap->mark) < 0)
			continue;
		take_earlier(&zap->first, v->mark_first, zap->asked);
		take_earlier(&zap->pat, v->mark_pat, zap->asked);
		take_earlier(&zap->random, v->mark_random, zap->asked);
		if (mono_is_set(zap->random))
			finish_zap(z, zap, true);
	}
}

void zaps_tick(struct zaps *z, mono_t now)
{
	unsigned left = z->n_pending;
	struct zap *zap;
	size_t at = 0;

	while ((zap = next_pending(z, NULL, &at, &left)))
		if (mono_due(mono_add_ms(zap->asked, ZAPS_WAIT_MS), now))
			finish_zap(z, zap, true);
}

/* ---- leaves ---- */

void zaps_leave(struct zaps *z, mono_t now, unsigned port, const struct addr *group,
	const struct addr *host)
{
	struct zap *zap = waiting(z, port, group, host);
	unsigned i = z->next_leave;

	if (zap)
		finish_zap(z, zap, false);
	z->leave[i].group = *group;
	z->leave[i].port = (uint8_t)port;
	z->leave[i].at = now;
	z->next_leave = (i + 1) % ZAPS_LEAVES;
}

bool zaps_is_leaving(const struct zaps *z, unsigned port, const struct addr *group)
{
	for (unsigned i = 0; i < ZAPS_LEAVES; i++)
		if (mono_is_set(z->leave[i].at) && z->leave[i].port == port &&
			addr_eq(&z->leave[i].group, group))
			return true;
	return false;
}

void zaps_gone(struct zaps *z, mono_t now, unsigned port, const struct addr *group,
	mono_t last)
{
	mono_t left = MONO_UNSET;

	/* only the last host's leave counts */
	for (unsigned i = 0; i < ZAPS_LEAVES; i++) {
		if (!mono_is_set(z->leave[i].at) || z->leave[i].port != port ||
			!addr_eq(&z->leave[i].group, group))
			continue;
		left = mono_max(left, z->leave[i].at);
		z->leave[i].at = MONO_UNSET;
	}
	if (!mono_is_set(left) || !mono_is_set(last))
		return;
	count_time(&z->lan[port][ZAPS_LEAVE], mono_min(last, now).ns - left.ns);
}

/* ---- state ---- */

static void export_lan(const struct zaps_times lan[_ZAPS_WAIT_N], const char *name,
	struct state_out *o)
{
	size_t at = state_begin(o, TAG_LAN);

	state_put_text(o, name);
	for (unsigned w = 0; w < _ZAPS_WAIT_N; w++) {
		const uint64_t sums[] = {lan[w].n, lan[w].missed, lan[w].sum_ms};

		state_put_counts(o, sums, array_len(sums));
		state_put_counts(o, lan[w].bucket, ZAPS_BUCKETS);
	}
	state_end(o, at);
}

static void export_zap(const struct zap *zap, const char *name, struct state_out *o)
{
	size_t at = state_begin(o, TAG_ZAP);
	const uint64_t times[] = {(uint64_t)zap->asked.ns, (uint64_t)zap->sent.ns,
		(uint64_t)zap->first.ns, (uint64_t)zap->pat.ns,
		(uint64_t)zap->random.ns};

	state_put_text(o, name);
	state_put_addr(o, &zap->group);
	state_put_addr(o, &zap->host);
	state_put_counts(o, times, array_len(times));
	state_end(o, at);
}

void zaps_export(const struct zaps *z, struct state_out *o,
	const char *(*name)(void *ctx, unsigned port), void *ctx)
{
	for (unsigned p = 0; p < PORT_MAX; p++) {
		bool used = z->lan[p][ZAPS_FIRST].n || z->lan[p][ZAPS_FIRST].missed ||
			z->lan[p][ZAPS_LEAVE].n;
		const char *port = used ? name(ctx, p) : NULL;

		if (port)
			export_lan(z->lan[p], port, o);
	}
	for (size_t i = ZAPS_RECENT; i-- > 0;) {
		const struct zap *zap = zaps_recent(z, i);
		const char *port = zap && zap->done ? name(ctx, zap->port) : NULL;

		if (port)
			export_zap(zap, port, o);
	}
}

static void import_lan(struct zaps *z, struct state_in *in, int port)
{
	for (unsigned w = 0; w < _ZAPS_WAIT_N; w++) {
		struct zaps_times t = {0};
		uint64_t sums[3] = {0};

		state_get_counts(in, sums, array_len(sums));
		state_get_counts(in, t.bucket, ZAPS_BUCKETS);
		t.n = sums[0];
		t.missed = sums[1];
		t.sum_ms = sums[2];
		if (port >= 0 && !state_is_bad(in))
			z->lan[port][w] = t;
	}
}

static void import_zap(struct zaps *z, mono_t now, struct state_in *in, int port)
{
	struct zap zap = {.done = true};
	mono_t *const to[] = {&zap.asked, &zap.sent, &zap.first, &zap.pat, &zap.random};
	uint64_t times[5] = {0};

	zap.group = state_get_addr(in);
	zap.host = state_get_addr(in);
	state_get_counts(in, times, array_len(times));
	for (size_t i = 0; i < array_len(to); i++) {
		if (times[i] > (uint64_t)now.ns)
			state_set_bad(in);
		else
			to[i]->ns = (int64_t)times[i];
	}
	if (port < 0 || state_is_bad(in))
		return;
	zap.port = (uint8_t)port;
	z->recent[z->n++ % ZAPS_RECENT] = zap;
}

int zaps_import(struct zaps *z, mono_t now, struct state_in *in,
	int (*port)(void *ctx, const char *name), void *ctx)
{
	struct state_in section;
	uint32_t tag;

	while (state_get_section(in, &tag, &section)) {
		char name[IFNAMSIZ];
		int n;

		if (tag != TAG_LAN && tag != TAG_ZAP)
			continue;
		state_get_text(&section, name, sizeof(name));
		n = state_is_bad(&section) ? -1 : port(ctx, name);
		if (tag == TAG_LAN)
			import_lan(z, &section, n);
		else
			import_zap(z, now, &section, n);
		if (state_is_bad(&section))
			return -EINVAL;
	}
	return state_is_bad(in) ? -EINVAL : 0;
}
