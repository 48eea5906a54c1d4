/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "control/proxy/streams.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

struct stream {
	struct table_node node;
	struct addr source, group;
	unsigned instance, pass;
};

void streams_init(struct streams *s, uint64_t seed)
{
	table_init(&s->table, seed);
}

void streams_deinit(struct streams *s)
{
	table_for_each (&s->table, n)
		free(container_of(n, struct stream, node));
	table_deinit(&s->table);
}

static uint64_t hash_of_entry(const struct streams *s, unsigned instance,
	const struct addr *source, const struct addr *group)
{
	uint8_t key[sizeof(instance) + sizeof(source->b) + sizeof(group->b)];

	memcpy(key, &instance, sizeof(instance));
	memcpy(key + sizeof(instance), source->b, sizeof(source->b));
	memcpy(key + sizeof(instance) + sizeof(source->b), group->b, sizeof(group->b));
	return table_hash(&s->table, key, sizeof(key));
}

static void end(struct streams *s, struct stream *st)
{
	table_remove(&s->table, &st->node);
	free(st);
}

/* Returns false if there is no room or memory; the stream is then not reported. */
static bool streams_begin(struct streams *s, uint64_t hash, unsigned instance,
	const struct addr *source, const struct addr *group)
{
	struct stream *st;

	if (s->table.n >= STREAMS_MAX)
		return false;
	st = malloc(sizeof(*st));
	if (!st)
		return false;
	*st = (struct stream){.source = *source,
		.group = *group,
		.instance = instance,
		.pass = s->pass};
	if (table_insert(&s->table, &st->node, hash) < 0) {
		free(st);
		return false;
	}
	return true;
}

enum streams_event streams_see(struct streams *s, unsigned instance,
	const struct addr *source, const struct addr *group, int32_t age_s)
{
	uint64_t hash = hash_of_entry(s, instance, source, group);
	struct stream *st = table_search(&s->table, hash, struct stream, x,
		x->instance == instance && addr_eq(&x->source, source) &&
			addr_eq(&x->group, group));

	if (st && age_s < STREAMS_END_S) {
		st->pass = s->pass;
		return STREAMS_NOTHING;
	}
	if (st) {
		end(s, st);
		return STREAMS_ENDED;
	}
	if (age_s < 0 || age_s >= STREAMS_END_S)
		return STREAMS_NOTHING;
	return streams_begin(s, hash, instance, source, group) ? STREAMS_BEGAN
							       : STREAMS_NOTHING;
}

void streams_end(struct streams *s)
{
	table_for_each (&s->table, n) {
		struct stream *st = container_of(n, struct stream, node);

		if (st->pass != s->pass)
			end(s, st);
	}
	s->pass++;
}
