/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Limits the cost of one downstream, and of one host of it (R082). A group is charged
 * twice to the host that brought it: to its address, and to the station that the report
 * came from, because either can be forged. The addresses that this host's reports add
 * to the group are also charged. Addresses from other hosts are charged to nobody,
 * otherwise a stranger could make a neighbour look greedy.
 *
 * A full table still admits a host that has little: the newest group of the largest
 * holder ends. If nobody holds much, a host with next to nothing replaces a stranger:
 * of some groups picked at random, the youngest ends. While ten thousand forged hosts
 * with one group each come and go, the groups that were there before them stay. A
 * newcomer is admitted, but may have to leave like any other young one, because nothing
 * distinguishes it from them.
 *
 * The places for sources of one group are given to hosts in a similar way. Each source
 * remembers a hash of the host that brought it, but no host is counted: some sources
 * are picked at random, and the youngest of them ends. If many of them are from one
 * host, the youngest of that host ends. Limits are checked before something is created,
 * and counts are updated after each step. Pure.
 */

#include "base/cleanup.h"
#include "base/minmax.h"
#include "control/member/mgroup_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A host that holds no more than this, or no more than a 64th of everything, does not
 * hold much. The first to lose groups when forged hosts fill the table must not be a
 * repeater with a household. */
#define MUCH_GROUPS   64
#define MUCH_ADDR     4096
#define MUCH_PART     64
#define LITTLE_GROUPS 4 /* a host with fewer may replace a stranger */
#define LITTLE_ADDR   64
/* a host that holds this many times what the newcomer holds gives way to it */
#define FAR_MORE     4
#define STRANGERS    8	 /* groups that are compared */
#define STRANGERS_OF 256 /* a table for fewer groups keeps its groups */
#define EVICT_MAX    8	 /* for the addresses of one record */

/* Bytes that a group or an address costs, with its forwarding entry and its part of the
 * membership upstream, measured with full tables; and how many of them a port may
 * always have. */
#define GROUP_SIZE  1152
#define ADDR_SIZE   384
#define ROOM_GROUPS 256
#define ROOM_ADDR   4096
#define PICKED	    12 /* sources that are compared */
/* latest groups of a host that are searched for one that it has left */
#define OWN_LATEST  16
#define PICKED_OF   64 /* a group with room for fewer keeps its sources */
#define PICKED_MUCH 3  /* a host that brought this many of them has brought much */

static struct mgroup_owner *owner_find(
	const struct mgroup_db *db, const struct addr *key)
{
	return table_search(&db->owners, table_hash(&db->owners, key, sizeof(*key)),
		struct mgroup_owner, o, addr_eq(&o->key, key));
}

static struct mgroup_owner *owner_get(struct mgroup_db *db, const struct addr *key)
{
	struct mgroup_owner *o = owner_find(db, key);
	size_t n = db->owners.n + 1;

	if (o || heap_reserve(&db->by_groups, n) < 0 ||
		heap_reserve(&db->by_addr, n) < 0)
		return o;
	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	o->key = *key;
	if (table_insert(&db->owners, &o->node,
		    table_hash(&db->owners, key, sizeof(*key))) < 0) {
		free(o);
		return NULL;
	}
	return o;
}

/* Puts the owner in its places in the heaps that are ordered by holdings. */
static void rank_owner(struct mgroup_db *db, struct mgroup_owner *o)
{
	heap_set(&db->by_groups, &o->groups_rank, (mono_t){-(int64_t)o->n_groups});
	heap_set(&db->by_addr, &o->addr_rank, (mono_t){-(int64_t)o->n_addr});
}

static void owner_release(struct mgroup_db *db, struct mgroup_owner *o)
{
	if (o->n_groups > 0)
		return;
	heap_remove(&db->by_groups, &o->groups_rank);
	heap_remove(&db->by_addr, &o->addr_rank);
	table_remove(&db->owners, &o->node);
	free(o);
}

static bool sender_key(const struct gm_msg *msg, unsigned kind, struct addr *ret_key)
{
	static const struct gm_mac none;

	*ret_key = kind == MGROUP_ADDRESS ? msg->from : gm_station(&msg->mac);
	return kind == MGROUP_ADDRESS || !gm_mac_eq(&msg->mac, &none);
}

/* The owner that is the sender's address or station, or NULL if it holds nothing. */
static struct mgroup_owner *owner_of_sender(const struct mgroup_db *db,
	const struct gm_msg *msg, unsigned kind, struct addr *ret_key)
{
	return sender_key(msg, kind, ret_key) ? owner_find(db, ret_key) : NULL;
}

/* The groups that the sender certainly holds: the smaller count of its address and its
 * station. A stranger that uses one of the two adds only to that count. */
static uint32_t own_groups(const struct mgroup_db *db, const struct gm_msg *msg)
{
	uint32_t n = UINT32_MAX;

	for (unsigned k = 0; k < MGROUP_OWNERS; k++) {
		const struct mgroup_owner *o;
		struct addr key;

		if (!sender_key(msg, k, &key))
			continue;
		o = owner_find(db, &key);
		n = o ? min(o->n_groups, n) : 0;
	}
	return n;
}

/* The groups or addresses that the sender may hold: the larger count of its address and
 * its station. */
static void holdings(const struct mgroup_db *db, const struct gm_msg *msg,
	uint32_t *ret_groups, size_t *ret_addr)
{
	*ret_groups = 0;
	*ret_addr = 0;
	for (unsigned k = 0; k < MGROUP_OWNERS; k++) {
		struct addr key;
		const struct mgroup_owner *o = owner_of_sender(db, msg, k, &key);

		*ret_groups = max(*ret_groups, o ? o->n_groups : 0);
		*ret_addr = max(*ret_addr, o ? o->n_addr : 0);
	}
}

/* ---- charging ---- */

int mgroup_charge(
	struct mgroup_db *db, struct mgroup *g, unsigned kind, const struct addr *key)
{
	struct mgroup_owned *own = &g->owned[kind];
	struct mgroup_owner *o = owner_get(db, key);

	if (!o)
		return -ENOMEM;
	o->n_groups++;
	*own = (struct mgroup_owned){.owner = o, .older = o->newest};
	if (o->newest)
		o->newest->owned[kind].newer = g;
	o->newest = g;
	rank_owner(db, o);
	return 0;
}

int mgroup_charge_sender(
	struct mgroup_db *db, struct mgroup *g, const struct gm_msg *msg)
{
	for (unsigned k = 0; k < MGROUP_OWNERS; k++) {
		struct addr key;
		int r = sender_key(msg, k, &key) ? mgroup_charge(db, g, k, &key) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

void mgroup_release(struct mgroup_db *db, struct mgroup *g)
{
	for (unsigned k = 0; k < MGROUP_OWNERS; k++) {
		struct mgroup_owned *own = &g->owned[k];
		struct mgroup_owner *o = own->owner;

		if (!o)
			continue;
		if (own->newer)
			own->newer->owned[k].older = own->older;
		else
			o->newest = own->older;
		if (own->older)
			own->older->owned[k].newer = own->newer;
		o->n_groups--;
		o->n_addr -= g->n_charged;
		*own = (struct mgroup_owned){0};
		rank_owner(db, o);
		owner_release(db, o);
	}
	db->n_addr -= g->n_counted;
	g->n_counted = g->n_charged = 0;
}

bool mgroup_brought(const struct mgroup *g, const struct gm_msg *msg)
{
	for (unsigned k = 0; k < MGROUP_OWNERS; k++) {
		const struct mgroup_owner *o = g->owned[k].owner;
		struct addr key;

		if (o && sender_key(msg, k, &key) && addr_eq(&o->key, &key))
			return true;
	}
	return false;
}

static void charge_addresses(struct mgroup_db *db, struct mgroup *g, size_t n)
{
	for (unsigned k = 0; k < MGROUP_OWNERS && n != g->n_charged; k++) {
		struct mgroup_owner *o = g->owned[k].owner;

		if (!o)
			continue;
		o->n_addr = o->n_addr - g->n_charged + n;
		rank_owner(db, o);
	}
	g->n_charged = n;
}

void mgroup_count(struct mgroup_db *db, struct mgroup *g, bool brought)
{
	size_t n = g->n_src + g->n_host + g->n_named, charged = g->n_charged;

	if (n == g->n_counted)
		return;
	if (brought && n > g->n_counted)
		charged += n - g->n_counted;
	db->n_addr = db->n_addr - g->n_counted + n;
	g->n_counted = n;
	charge_addresses(db, g, min(charged, n));
}

void mgroup_uncharge(struct mgroup_db *db, struct mgroup *g, size_t n)
{
	if (n < g->n_charged)
		charge_addresses(db, g, n);
}

/* ---- what is refused ---- */

void mgroup_struck(struct mgroup_db *db, mono_t now, enum note note,
	const struct addr *group, const struct addr *who, uint32_t limit,
	struct effects *fx)
{
	if (note == NOTE_GROUP_EVICTED)
		db->n_evicted++;
	else
		db->n_refused++;
	db->struck = (struct mgroup_struck){note, *who, limit, now};
	effects_note(fx, db->port, note, group, who, limit);
}

void mgroup_struck_format(const struct mgroup_struck *s, char *buf, size_t size)
{
	static const struct {
		enum note note;
		const char *limit, *advice;
	} text[] = {
		{NOTE_GROUP_LIMIT, "max-groups", "raise it if all of them are wanted"},
		{NOTE_GROUP_MEMORY, "the memory for groups of a LAN",
			"lower max-groups-per-host, or use a machine with more "
			"memory"},
		{NOTE_SOURCE_LIMIT, "max-sources",
			"raise it if all of them are wanted"},
		{NOTE_HOST_QUOTA, "max-groups-per-host",
			"raise it if that is a router with many hosts behind it"},
		{NOTE_ADDRESS_LIMIT, "the limit of all addresses",
			"lower max-sources or max-groups-per-host"},
		{NOTE_ADDRESS_SHARE, "the limit of addresses of one host",
			"find out what it does with so many sources"},
		{NOTE_GROUP_EVICTED, "max-groups",
			"its groups end to make room for hosts with less; raise "
			"max-groups, or lower max-groups-per-host"},
	};
	char who[ADDR_STRLEN];

	for (size_t i = 0; i < array_len(text); i++)
		if (text[i].note == s->note)
			snprintf(buf, size, "%s (%u) was met by %s: %s", text[i].limit,
				s->limit, gm_format_host(&s->who, who), text[i].advice);
}

/* The group ends as if its last member had left; mgroup_tick() reports it. */
static void mgroup_limit_end(struct mgroup_db *db, mono_t now, struct mgroup *g)
{
	mgroup_empty(db, g);
	g->leaving = true;
	db->n_leaving++;
	heap_set(&db->timers, &g->timer, now);
}

/* Were all members known, and have all of them left? Then the group remains only while
 * a query asks for others. */
static bool is_left(const struct mgroup_db *db, const struct mgroup *g, mono_t now)
{
	return g->n_host == 0 && !g->leaving && !mono_before(now, g->untracked_until) &&
		db->role[addr_family(&g->group)].querier &&
		mgroup_version(g, now) == GM_V3;
}

/* For a host that changes channels faster than the LAN can be asked: of the groups that
 * it brought last, one that it has left ends at once. */
static bool end_one_of(
	struct mgroup_db *db, mono_t now, const struct mgroup_owner *o, unsigned kind)
{
	struct mgroup *g = o->newest;

	for (unsigned i = 0; g && i < OWN_LATEST; i++, g = g->owned[kind].older)
		if (is_left(db, g, now)) {
			mgroup_limit_end(db, now, g);
			return true;
		}
	return false;
}

bool mgroup_within_quota(struct mgroup_db *db, mono_t now, const struct addr *group,
	const struct gm_msg *msg, struct effects *fx)
{
	uint32_t limit = db->params.max_groups_per_host;

	for (unsigned k = 0; limit && k < MGROUP_OWNERS; k++) {
		struct addr key;
		const struct mgroup_owner *o = owner_of_sender(db, msg, k, &key);

		if (o && o->n_groups >= limit && !end_one_of(db, now, o, k)) {
			mgroup_struck(db, now, NOTE_HOST_QUOTA, group, &key, limit, fx);
			return false;
		}
	}
	return true;
}

size_t mgroup_address_share(const struct mgroup_db *db)
{
	return db->max_addr / 8;
}

bool mgroup_within_share(const struct mgroup_db *db, const struct gm_msg *msg)
{
	uint32_t groups;
	size_t addr;

	holdings(db, msg, &groups, &addr);
	return addr < mgroup_address_share(db);
}

/* ---- groups that end in favour of others ---- */

static void evict_group(struct mgroup_db *db, mono_t now, struct mgroup *g,
	uint32_t limit, struct effects *fx)
{
	const struct mgroup_owner *o = g->owned[MGROUP_STATION].owner
		? g->owned[MGROUP_STATION].owner
		: g->owned[MGROUP_ADDRESS].owner;
	struct addr who = o ? o->key : g->last_reporter;

	mgroup_struck(db, now, NOTE_GROUP_EVICTED, &g->group, &who, limit, fx);
	mgroup_limit_end(db, now, g);
}

static struct mgroup *newest_of(const struct mgroup_owner *o, const struct mgroup *but)
{
	for (unsigned k = 0; k < MGROUP_OWNERS; k++) {
		struct mgroup *g = o->newest;

		if (!g || g->owned[k].owner != o)
			continue;
		return g == but ? g->owned[k].older : g;
	}
	return NULL;
}

/* Does `a` go first, if one of two groups of strangers must go? */
static bool goes_first(const struct mgroup *a, const struct mgroup *b, bool for_addr)
{
	size_t much_a = a->n_counted / 256, much_b = b->n_counted / 256;

	if (for_addr && much_a != much_b)
		return much_a > much_b;
	return mono_before(b->since, a->since);
}

static struct mgroup *any_group(struct mgroup_db *db)
{
	uint64_t bucket = rng_below(&db->rng, db->groups.n_buckets);
	struct table_node *n = table_from(&db->groups, (size_t)bucket);

	return n ? container_of(n, struct mgroup, node) : NULL;
}

/* The least that the host that brought it holds: the smaller count of station and
 * address. */
static uint32_t held_by_owner(const struct mgroup *g)
{
	uint32_t n = UINT32_MAX;

	for (unsigned k = 0; k < MGROUP_OWNERS; k++)
		if (g->owned[k].owner && g->owned[k].owner->n_groups < n)
			n = g->owned[k].owner->n_groups;
	return n == UINT32_MAX ? 0 : n;
}

/* Picks some groups at random; returns the one that goes first of those whose owner
 * holds at least `least`, or NULL if there is none. */
static struct mgroup *stranger(
	struct mgroup_db *db, const struct mgroup *but, uint64_t least, bool for_addr)
{
	struct mgroup *best = NULL;

	for (unsigned i = 0; db->groups.n >= STRANGERS_OF && i < STRANGERS; i++) {
		struct mgroup *g = any_group(db);

		if (g && g != but && !g->leaving && held_by_owner(g) >= least &&
			(!best || goes_first(g, best, for_addr)))
			best = g;
	}
	return best;
}

/* The group that ends in favour of the sender, if `most` is the largest holder. */
static struct mgroup *gives_way(
	struct mgroup_db *db, const struct gm_msg *msg, struct mgroup_owner *most)
{
	uint32_t groups, own = own_groups(db, msg);
	size_t addr;

	holdings(db, msg, &groups, &addr);
	if (most->n_groups > max(mgroup_max_groups(db) / MUCH_PART, MUCH_GROUPS))
		return groups + 1 < most->n_groups ? newest_of(most, NULL) : NULL;
	/* a sender that holds next to nothing may replace any other */
	return stranger(db, NULL,
		own < LITTLE_GROUPS ? 0 : (uint64_t)FAR_MORE * (own + 1), false);
}

/* The sender has left a group that is still there. */
static bool ends_own(struct mgroup_db *db, mono_t now, const struct gm_msg *msg)
{
	for (unsigned k = 0; k < MGROUP_OWNERS; k++) {
		struct addr key;
		const struct mgroup_owner *o = owner_of_sender(db, msg, k, &key);

		if (o && end_one_of(db, now, o, k))
			return true;
	}
	return false;
}

void mgroup_set_memory(struct mgroup_db *db, uint64_t bytes)
{
	uint64_t groups = bytes / 2 / GROUP_SIZE, addr = bytes / 2 / ADDR_SIZE;

	db->room_groups = 0;
	db->max_addr = MGROUP_MAX_ADDRESSES;
	if (bytes == 0)
		return;
	if (groups < UINT32_MAX)
		db->room_groups = (uint32_t)max(groups, ROOM_GROUPS);
	if (addr < db->max_addr)
		db->max_addr = max(addr, ROOM_ADDR);
}

static bool is_memory_less(const struct mgroup_db *db)
{
	uint32_t max = db->params.max_groups, room = db->room_groups;

	return room && (!max || room < max);
}

uint32_t mgroup_max_groups(const struct mgroup_db *db)
{
	return is_memory_less(db) ? db->room_groups : db->params.max_groups;
}

enum note mgroup_limit_note(const struct mgroup_db *db)
{
	return is_memory_less(db) ? NOTE_GROUP_MEMORY : NOTE_GROUP_LIMIT;
}

bool mgroup_room_for_group(
	struct mgroup_db *db, mono_t now, const struct gm_msg *msg, struct effects *fx)
{
	struct heap_node *first = heap_first(&db->by_groups);
	uint32_t limit = mgroup_max_groups(db);
	struct mgroup *g = NULL;

	if (!limit || db->groups.n - db->n_leaving < limit || ends_own(db, now, msg))
		return true;
	if (first)
		g = gives_way(
			db, msg, container_of(first, struct mgroup_owner, groups_rank));
	if (g)
		evict_group(db, now, g, limit, fx);
	return g != NULL;
}

void mgroup_room_for_addresses(struct mgroup_db *db, mono_t now,
	const struct mgroup *but, const struct gm_msg *msg, size_t n,
	struct effects *fx)
{
	size_t addr, much = max(db->max_addr / MUCH_PART, MUCH_ADDR);
	uint32_t groups;

	if (db->n_addr + n <= db->max_addr)
		return;
	holdings(db, msg, &groups, &addr);
	for (unsigned i = 0; i < EVICT_MAX && db->n_addr + n > db->max_addr; i++) {
		struct heap_node *first = heap_first(&db->by_addr);
		struct mgroup *g = NULL;
		struct mgroup_owner *o;

		if (!first)
			return;
		o = container_of(first, struct mgroup_owner, addr_rank);
		if (o->n_addr > much && addr + n < o->n_addr)
			g = newest_of(o, but);
		else if (o->n_addr <= much && addr < LITTLE_ADDR)
			g = stranger(db, but, 0, true);
		if (!g)
			return;
		evict_group(db, now, g, (uint32_t)db->max_addr, fx);
	}
}

/* ---- sources of one group ---- */

uint16_t mgroup_sender_tag(const struct mgroup_db *db, const struct gm_msg *msg)
{
	uint8_t key[sizeof(msg->from) + sizeof(msg->mac)];

	memcpy(key, &msg->from, sizeof(msg->from));
	memcpy(key + sizeof(msg->from), &msg->mac, sizeof(msg->mac));
	return (uint16_t)(table_hash(&db->owners, key, sizeof(key)) | 1);
}

/* The youngest source brought by `by`, or by anyone if that is 0, but never one of
 * `sender`. */
static size_t youngest(
	const struct mgroup *g, const size_t *picked, uint16_t by, uint16_t sender)
{
	size_t best = SIZE_MAX;

	for (unsigned i = 0; i < PICKED; i++) {
		const struct mgroup_source *s = &g->src[picked[i]];

		if (s->by != sender && (!by || s->by == by) &&
			(best == SIZE_MAX || s->since > g->src[best].since))
			best = picked[i];
	}
	return best;
}

size_t mgroup_source_gives_way(struct mgroup_db *db, const struct mgroup *g)
{
	size_t picked[PICKED];
	unsigned own = 0, most = 0;
	uint16_t by = 0;

	if (g->n_src < PICKED_OF)
		return SIZE_MAX;
	for (unsigned i = 0; i < PICKED; i++) {
		uint16_t tag;
		unsigned n = 1;

		picked[i] = (size_t)rng_below(&db->rng, g->n_src);
		tag = g->src[picked[i]].by;
		own += tag == db->by;
		for (unsigned k = 0; k < i; k++)
			n += g->src[picked[k]].by == tag;
		if (tag && tag != db->by && n > most) {
			most = n;
			by = tag;
		}
	}
	if (most >= PICKED_MUCH && most > 2 * own)
		return youngest(g, picked, by, db->by);
	return own ? SIZE_MAX : youngest(g, picked, 0, db->by);
}
