/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * See joined.h. Written by the hot path once per stream and burst, read by "explain".
 * The slots of a group are found by its hash. A reader that meets the writer looks
 * again a few times, then goes on without the slot.
 *
 * The fields are stored with release and loaded with acquire, so that whoever has seen
 * a new field also sees that `turn` has changed.
 */

#include "base/joined.h"

#include <stdbool.h>
#include <string.h>

#define TRIES 4

static const char *const names[_JOINED_N] = {
	[JOINED_LAST] = "last",
	[JOINED_SIZE] = "size",
	[JOINED_FULL] = "full",
	[JOINED_HEADER] = "header",
	[JOINED_ID] = "id",
	[JOINED_CHECKSUM] = "checksum",
	[JOINED_KIND] = "kind",
	[JOINED_PORTS] = "ports",
	[JOINED_OFF] = "off",
};

const char *joined_end_name(enum joined_end e)
{
	return names[e];
}

static unsigned set_of(const struct addr *group)
{
	uint64_t w[2], h;

	memcpy(w, group->b, sizeof(w));
	h = (w[0] * UINT64_C(0x9e3779b97f4a7c15)) ^ w[1];
	h = (h ^ h >> 32) * UINT64_C(0xff51afd7ed558ccd);
	return (unsigned)(h >> 40) % JOINED_SETS;
}

/* These two pairs pair with each other. */
static uint64_t get(const _Atomic uint64_t *field)
{
	return atomic_load_explicit(field, memory_order_acquire);
}

static void put(_Atomic uint64_t *field, uint64_t value)
{
	atomic_store_explicit(field, value, memory_order_release);
}

static uint32_t get32(const _Atomic uint32_t *field)
{
	return atomic_load_explicit(field, memory_order_acquire);
}

static void put32(_Atomic uint32_t *field, uint32_t value)
{
	atomic_store_explicit(field, value, memory_order_release);
}

static bool is_addr(const _Atomic uint64_t field[2], const struct addr *a)
{
	uint64_t w[2];

	memcpy(w, a->b, sizeof(w));
	return get(&field[0]) == w[0] && get(&field[1]) == w[1];
}

static void put_addr(_Atomic uint64_t field[2], const struct addr *a)
{
	uint64_t w[2];

	memcpy(w, a->b, sizeof(w));
	put(&field[0], w[0]);
	put(&field[1], w[1]);
}

/* The slot of the stream, else the one that makes room; *ret_new: it is the latter. */
static struct joined_slot *slot_of(struct joined *j, const struct addr *group,
	const struct addr *from, bool *ret_new)
{
	struct joined_slot *set = j->slot[set_of(group)], *oldest = set;

	*ret_new = false;
	for (unsigned i = 0; i < JOINED_WAYS; i++) {
		if (get(&set[i].at) != 0 && is_addr(set[i].group, group) &&
			is_addr(set[i].from, from))
			return &set[i];
		if (get(&set[i].at) < get(&oldest->at))
			oldest = &set[i];
	}
	*ret_new = true;
	return oldest;
}

static void add(_Atomic uint32_t *field, uint32_t n, bool fresh, bool fade)
{
	uint32_t old = fresh ? 0 : get32(field);

	put32(field, (fade ? old / 2 : old) + n);
}

void joined_note(struct joined *j, const struct addr *group, const struct addr *from,
	const struct joined_counts *n, uint64_t at)
{
	bool fresh, fade;
	struct joined_slot *s = slot_of(j, group, from, &fresh);
	uint32_t turn = atomic_load_explicit(&s->turn, memory_order_relaxed);

	fade = !fresh && get32(&s->messages) >= JOINED_FADE;
	atomic_store_explicit(&s->turn, turn + 1, memory_order_relaxed);
	if (fresh) {
		put_addr(s->group, group);
		put_addr(s->from, from);
	}
	add(&s->datagrams, n->datagrams, fresh, fade);
	add(&s->messages, n->messages, fresh, fade);
	for (unsigned i = 0; i < _JOINED_N; i++)
		if (n->end[i] || fresh || fade)
			add(&s->end[i], n->end[i], fresh, fade);
	put(&s->at, at);
	/* pairs with the acquire in read_slot() */
	atomic_store_explicit(&s->turn, turn + 2, memory_order_release);
}

/* False: it is another stream's, or it changes all the time. */
static bool read_slot(const struct joined_slot *s, const struct addr *group,
	const struct addr *from, struct joined_counts *ret)
{
	for (unsigned i = 0; i < TRIES; i++) {
		/* pairs with the release in joined_note() */
		uint32_t turn = atomic_load_explicit(&s->turn, memory_order_acquire);
		bool is_it = get(&s->at) != 0 && is_addr(s->group, group) &&
			(!from || is_addr(s->from, from));

		ret->datagrams = get32(&s->datagrams);
		ret->messages = get32(&s->messages);
		for (unsigned k = 0; k < _JOINED_N; k++)
			ret->end[k] = get32(&s->end[k]);
		if (turn % 2 == 0 &&
			atomic_load_explicit(&s->turn, memory_order_relaxed) == turn)
			return is_it;
	}
	return false;
}

void joined_sum(const struct joined *j, const struct addr *group,
	const struct addr *from, struct joined_counts *sum)
{
	const struct joined_slot *set = j->slot[set_of(group)];
	struct joined_counts n;

	for (unsigned i = 0; i < JOINED_WAYS; i++) {
		if (!read_slot(&set[i], group, from, &n))
			continue;
		sum->datagrams += n.datagrams;
		sum->messages += n.messages;
		for (unsigned k = 0; k < _JOINED_N; k++)
			sum->end[k] += n.end[k];
	}
}
