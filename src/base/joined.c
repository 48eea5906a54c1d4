/* SPDX-License-Identifier: GPL-2.0-or-later */

/* See joined.h. A stream is written once per burst. The slots of a group are found by
 * its hash. A reader that meets the writer retries a few times, then skips the slot. */

#include "base/joined.h"

#include "base/slot.h"

#include <stdbool.h>

#define TRIES 4

static const char names[_JOINED_N][12] = {
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

/* pairs with the release in put32() */
static uint32_t get32(const _Atomic uint32_t *field)
{
	return atomic_load_explicit(field, memory_order_acquire);
}

/* pairs with the acquire in get32() */
static void put32(_Atomic uint32_t *field, uint32_t value)
{
	atomic_store_explicit(field, value, memory_order_release);
}

/* The slot of the stream, else the one to replace; *ret_new says which. */
static struct joined_slot *slot_of(struct joined *j, const struct addr *group,
	const struct addr *from, bool *ret_new)
{
	struct joined_slot *set = j->slot[slot_set(group, JOINED_SETS)], *oldest = set;

	*ret_new = false;
	for (unsigned i = 0; i < JOINED_WAYS; i++) {
		if (slot_get(&set[i].at) != 0 && slot_has_addr(set[i].group, group) &&
			slot_has_addr(set[i].from, from))
			return &set[i];
		if (slot_get(&set[i].at) < slot_get(&oldest->at))
			oldest = &set[i];
	}
	*ret_new = true;
	return oldest;
}

static void add_field(_Atomic uint32_t *field, uint32_t n, bool fresh, bool fade)
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
	uint32_t left = n->messages; /* messages whose reason was not noted yet */

	fade = !fresh && get32(&s->messages) >= JOINED_FADE;
	atomic_store_explicit(&s->turn, turn + 1, memory_order_relaxed);
	if (fresh) {
		slot_put_addr(s->group, group);
		slot_put_addr(s->from, from);
	}
	add_field(&s->datagrams, n->datagrams, fresh, fade);
	add_field(&s->messages, n->messages, fresh, fade);
	for (unsigned i = 0; i < _JOINED_N && (left > 0 || fresh || fade); i++) {
		if (n->end[i] || fresh || fade)
			add_field(&s->end[i], n->end[i], fresh, fade);
		left -= n->end[i];
	}
	slot_put(&s->at, at);
	/* pairs with the acquire in read_joined() */
	atomic_store_explicit(&s->turn, turn + 2, memory_order_release);
}

/* Returns false if the slot belongs to another stream, or changes all the time. */
static bool read_joined(const struct joined_slot *s, const struct addr *group,
	const struct addr *from, struct joined_counts *ret)
{
	for (unsigned i = 0; i < TRIES; i++) {
		/* pairs with the release in joined_note() */
		uint32_t turn = atomic_load_explicit(&s->turn, memory_order_acquire);
		bool is_it = slot_get(&s->at) != 0 && slot_has_addr(s->group, group) &&
			(!from || slot_has_addr(s->from, from));

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
	const struct joined_slot *set = j->slot[slot_set(group, JOINED_SETS)];
	struct joined_counts n;

	for (unsigned i = 0; i < JOINED_WAYS; i++) {
		if (!read_joined(&set[i], group, from, &n))
			continue;
		sum->datagrams += n.datagrams;
		sum->messages += n.messages;
		for (unsigned k = 0; k < _JOINED_N; k++)
			sum->end[k] += n.end[k];
	}
}
