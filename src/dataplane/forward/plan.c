/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The port plan, see plan.h. The data-plane threads read it without locks, so nothing
 * in it changes after publication. Pure.
 */

#include "dataplane/forward/plan.h"

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
	for (unsigned i = 0; i < PORT_MAX; i++) {
		free(p->port[i].source);
		free(p->port[i].local);
		free(p->port[i].in.rule);
		free(p->port[i].out.rule);
	}
	free(p->own);
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

/* Makes `*v` a copy of an array, sorted unless `by` is NULL, and frees what it pointed
 * to. 0, or -ENOMEM with nothing changed. */
static int set_array(void *v, size_t *n_v, const void *from, size_t n, size_t size,
	int (*by)(const void *, const void *))
{
	void *old, *copy = n > 0 ? calloc(n, size) : NULL;

	if (n > 0 && !copy)
		return -ENOMEM;
	if (n > 0)
		memcpy(copy, from, n * size);
	if (n > 0 && by)
		qsort(copy, n, size, by);
	memcpy(&old, v, sizeof(old)); /* a pointer of any type */
	free(old);
	memcpy(v, &copy, sizeof(copy));
	*n_v = n;
	return 0;
}

int plan_set_sources(struct plan_port *port, const struct plan_source *v, size_t n)
{
	return set_array(
		&port->source, &port->n_source, v, n, sizeof(*v), by_preference);
}

int plan_set_rules(struct plan_filter *f, const struct plan_rule *v, size_t n)
{
	return set_array(&f->rule, &f->n_rule, v, n, sizeof(*v), NULL);
}

bool plan_group_ok(const struct plan_filter *f, const struct addr *group)
{
	if (!addr_is_v4(group) && addr_scope(group) <= f->scope)
		return false;
	for (size_t i = f->n_rule; i > 0; i--)
		if (prefix_contains(&f->rule[i - 1].groups, group))
			return f->rule[i - 1].allow;
	return !f->refuse_others;
}

static int by_address(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

int plan_set_own(struct plan *p, const struct addr *v, size_t n)
{
	return set_array(&p->own, &p->n_own, v, n, sizeof(*v), by_address);
}

bool plan_is_own(const struct plan *p, const struct addr *source)
{
	return p->n_own &&
		bsearch(source, p->own, p->n_own, sizeof(*p->own), by_address);
}

int plan_set_local(struct plan_port *port, const struct addr *v, size_t n)
{
	return set_array(&port->local, &port->n_local, v, n, sizeof(*v), by_address);
}

bool plan_is_local(const struct plan_port *port, const struct addr *group)
{
	return port->n_local &&
		bsearch(group, port->local, port->n_local, sizeof(*group), by_address);
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
