/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The port plan, see plan.h. Built and freed by control, read by the data-plane threads
 * without locks; nothing in it changes after publication. Pure.
 */

#include "dataplane/plan.h"

#include <errno.h>
#include <stdlib.h>

struct plan *plan_new(void)
{
	return calloc(1, sizeof(struct plan));
}

struct plan *plan_free(struct plan *p)
{
	if (!p)
		return NULL;
	for (unsigned i = 0; i < PORT_MAX; i++)
		free(p->port[i].source);
	free(p);
	return NULL;
}

/* Longest first; of two equal prefixes the accepting one, so that an altnet can name
 * exactly the subnet of another port. */
static int by_preference(const void *va, const void *vb)
{
	const struct plan_source *a = va, *b = vb;

	if (a->prefix.len != b->prefix.len)
		return a->prefix.len > b->prefix.len ? -1 : 1;
	if (a->accept != b->accept)
		return a->accept ? -1 : 1;
	return addr_cmp(&a->prefix.addr, &b->prefix.addr);
}

int plan_set_sources(struct plan_port *port, const struct plan_source *v, size_t n)
{
	struct plan_source *copy = NULL;

	if (n > 0) {
		copy = calloc(n, sizeof(struct plan_source));
		if (!copy)
			return -ENOMEM;
		memcpy(copy, v, n * sizeof(struct plan_source));
		qsort(copy, n, sizeof(struct plan_source), by_preference);
	}
	free(port->source);
	port->source = copy;
	port->n_source = n;
	return 0;
}

bool plan_source_ok(const struct plan_port *port, const struct addr *source)
{
	for (size_t i = 0; i < port->n_source; i++)
		if (prefix_contains(&port->source[i].prefix, source))
			return port->source[i].accept;
	return false;
}

unsigned plan_port_by_mac(const struct plan *p, const uint8_t mac[6])
{
	for (unsigned i = 0; i < PORT_MAX; i++)
		if (p->port[i].present && p->port[i].has_l2 &&
			memcmp(p->port[i].mac, mac, 6) == 0)
			return i;
	return PORT_MAX;
}
