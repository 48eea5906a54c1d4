/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Places that users share, see places.h. There are few places, so everything is counted
 * each time. */

#include "base/places.h"

static unsigned count_of(const struct place *v, size_t n, uid_t uid)
{
	unsigned count = 0;

	for (size_t i = 0; i < n; i++)
		count += v[i].uid == uid;
	return count;
}

static unsigned count_others(const struct place *v, size_t n)
{
	unsigned count = 0;

	for (size_t i = 0; i < n; i++)
		count += !v[i].root;
	return count;
}

const struct place *places_greediest(const struct place *v, size_t n)
{
	const struct place *found = NULL;
	unsigned most = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned count = v[i].root ? 0 : count_of(v, n, v[i].uid);

		if (count > most ||
			(found && count == most && v[i].since < found->since)) {
			found = &v[i];
			most = count;
		}
	}
	return found;
}

enum place_found places_find(const struct places *p, const struct place *v, size_t n,
	uid_t uid, bool root, const struct place **ret_victim)
{
	unsigned own = count_of(v, n, uid);
	const struct place *victim;

	if (!root && own >= p->per_user)
		return PLACE_USER_MAX;
	if (n < p->max && (root || count_others(v, n) < p->max - p->kept))
		return PLACE_FREE;
	victim = places_greediest(v, n);
	if (!victim || (!root && count_of(v, n, victim->uid) < own + 2))
		return PLACE_FULL;
	*ret_victim = victim;
	return PLACE_MADE;
}
