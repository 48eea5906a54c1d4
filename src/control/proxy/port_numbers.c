/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "control/proxy/port_numbers.h"

/* Is `a` a better choice than `b` for a new name? One that no name ever had comes
 * first, then the one that has been free longest. */
static bool is_older(const struct port_numbers *v, unsigned a, unsigned b)
{
	bool a_new = !*v->name[a], b_new = !*v->name[b];

	if (a_new || b_new)
		return a_new && !b_new;
	return v->n_freed - v->freed[a] > v->n_freed - v->freed[b];
}

static unsigned choose_number(const struct port_numbers *v, const char *name)
{
	unsigned best = PORT_MAX;

	for (unsigned i = 0; i < PORT_MAX; i++) {
		if (portset_has(&v->taken, i))
			continue;
		if (strncmp(v->name[i], name, IFNAMSIZ) == 0)
			return i;
		if (best == PORT_MAX || is_older(v, i, best))
			best = i;
	}
	return best;
}

unsigned port_numbers_take(struct port_numbers *v, const char *name)
{
	unsigned port = choose_number(v, name);

	if (port == PORT_MAX)
		return port;
	portset_add(&v->taken, port);
	memset(v->name[port], 0, IFNAMSIZ);
	memcpy(v->name[port], name, strnlen(name, IFNAMSIZ - 1));
	return port;
}

void port_numbers_free(struct port_numbers *v, unsigned port)
{
	portset_del(&v->taken, port);
	v->freed[port] = ++v->n_freed;
}
