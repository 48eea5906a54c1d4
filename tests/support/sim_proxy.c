/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The proxy node: it runs the control core as the daemon does, with links of the
 * virtual network instead of sockets and a hash table instead of the data plane.
 */

#include "sim_proxy.h"

#include "control/proxy/portplan.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static struct sim_proxy *proxy_of(const struct sim_node *n)
{
	return container_of((struct sim_node *)(uintptr_t)n, struct sim_proxy, node);
}

const char *sim_config(const char *more, unsigned n_downstreams)
{
	static char buf[4096];
	int n = snprintf(buf, sizeof(buf),
		"%s\nphyint wan upstream\n altnet 0.0.0.0/0\n altnet ::/0\n", more);

	for (unsigned i = 1; i <= n_downstreams; i++)
		n += snprintf(buf + n, sizeof(buf) - (size_t)n,
			"phyint lan%u downstream\n", i);
	assert_true(n < (int)sizeof(buf));
	return buf;
}

static struct config *parse(const char *text)
{
	struct config *cfg = NULL;
	int r = config_parse(text, strlen(text), &cfg);

	for (size_t i = 0; r != 0 && cfg && i < cfg->n_message; i++)
		print_error("%u:%u: %s\n", cfg->message[i].line, cfg->message[i].column,
			cfg->message[i].text);
	assert_int_equal(r, 0);
	return cfg;
}

/* ---- forwarding table ---- */

static struct sim_fib_entry *find(
	const struct table *t, const struct addr *group, const struct addr *source)
{
	struct sim_fib_entry want = {.key = {*group, *source}};
	struct table_node *n =
		table_find(t, table_hash(t, &want.key, sizeof(want.key)));

	for (; n; n = table_next(n)) {
		struct sim_fib_entry *e = container_of(n, struct sim_fib_entry, node);

		if (memcmp(&e->key, &want.key, sizeof(want.key)) == 0)
			return e;
	}
	return NULL;
}

const struct sim_fib_entry *sim_proxy_entry(
	const struct sim_proxy *x, const struct addr *group, const struct addr *source)
{
	return find(&x->fib, group, source);
}

static void fib_set(struct sim_proxy *x, const struct effect *e)
{
	struct sim_fib_entry *entry = find(&x->fib, &e->fib.group, &e->fib.source);

	x->n_fib_changes++;
	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		assert_non_null(entry);
		entry->key.group = e->fib.group;
		entry->key.source = e->fib.source;
		assert_int_equal(
			table_insert(&x->fib, &entry->node,
				table_hash(&x->fib, &entry->key, sizeof(entry->key))),
			0);
	}
	entry->out = e->fib.out;
}

static void fib_del(struct sim_proxy *x, const struct effect *e)
{
	struct sim_fib_entry *entry = find(&x->fib, &e->fib.group, &e->fib.source);

	x->n_fib_changes++;
	assert_non_null(entry); /* only existing entries are deleted */
	table_remove(&x->fib, &entry->node);
	free(entry);
}

static void fib_clear(struct sim_proxy *x)
{
	table_for_each (&x->fib, node) {
		table_remove(&x->fib, node);
		free(container_of(node, struct sim_fib_entry, node));
	}
}

/* ---- effects ---- */

static struct sim_port *wire(struct sim_proxy *x, unsigned port)
{
	const struct proxy_port *pp = x->instances->port[port];

	for (unsigned i = 0; pp && i < x->node.n_ports; i++)
		if (strcmp(x->ifname[i], pp->name) == 0)
			return &x->node.port[i];
	return NULL;
}

static bool looks_for_others(const struct sim_proxy *x)
{
	for (unsigned i = 0; i < PORT_MAX; i++)
		if (x->instances->port[i] &&
			proxy_wants_sensor(x->instances->port[i], x->node.sim->family,
				x->node.sim->now))
			return true;
	return false;
}

static void execute(struct sim_proxy *x)
{
	assert_int_equal(x->fx.lost, 0);
	effects_for_each (&x->fx, e) {
		struct sim_port *port = NULL;

		if (e->type == EFFECT_QUERY || e->type == EFFECT_REPORT)
			port = wire(x, e->port);
		switch (e->type) {
		case EFFECT_QUERY:
			if (port)
				sim_send_query_as(port, &e->query.from,
					e->query.version, &e->query.q);
			break;
		case EFFECT_REPORT:
			if (port)
				sim_send_report_as(port, &e->report.from,
					e->report.version, e->report.rec,
					e->report.n_rec);
			break;
		case EFFECT_FIB_SET:
			fib_set(x, e);
			break;
		case EFFECT_FIB_DEL:
			fib_del(x, e);
			break;
		case EFFECT_NOTE:
			x->n_notes[e->note.note]++;
			break;
		}
	}
	effects_clear(&x->fx);
	if (x->decide_at.ns == MONO_NEVER.ns && looks_for_others(x))
		x->decide_at = mono_add_ms(x->node.sim->now, FORWARDER_INTERVAL_MS);
	sim_node_arm(&x->node);
}

/* ---- other forwarders ---- */

static struct forwarder_count received(void *ctx, const struct proxy_port *pp,
	const struct addr *group, const struct addr *source)
{
	const struct sim_fib_entry *e = sim_proxy_entry(ctx, group, source);

	return e ? e->received : (struct forwarder_count){0};
}

static void decide(struct sim_proxy *x)
{
	const struct proxy_counts counts = {.received = received, .ctx = x};

	x->decide_at = MONO_NEVER;
	for (unsigned i = 0; i < PORT_MAX; i++)
		if (x->instances->port[i] &&
			proxy_wants_sensor(x->instances->port[i], x->node.sim->family,
				x->node.sim->now))
			proxy_forwarder_decide(x->instances->port[i], x->node.sim->now,
				x->node.sim->family, &counts, &x->fx);
}

#define DATAGRAM_BYTES 1344 /* RTP with seven TS packets */

/* Counts the packet as the port's sensor and the forwarding table do. */
static void see(struct sim_proxy *x, unsigned port, const struct sim_data *d)
{
	struct addr any = addr_any(addr_family(&d->group));
	struct sim_fib_entry *e = find(&x->fib, &d->group, &d->src);
	struct proxy_port *pp = NULL;

	for (unsigned i = 0; i < PORT_MAX && !pp; i++)
		if (x->instances->port[i] &&
			strcmp(x->instances->port[i]->name, x->ifname[port]) == 0)
			pp = x->instances->port[i];
	if (!pp)
		return;
	if (!e)
		e = find(&x->fib, &d->group, &any);
	if (pp->role == CONFIG_ROLE_UPSTREAM && e)
		e->received = (struct forwarder_count){
			e->received.packets + 1, e->received.bytes + DATAGRAM_BYTES};
	if (proxy_wants_sensor(pp, x->node.sim->family, x->node.sim->now)) {
		proxy_copy(pp, x->node.sim->now,
			&(struct proxy_copy){d->group, d->src, d->from, DATAGRAM_BYTES},
			&x->fx);
		execute(x);
	}
}

/* ---- the node ---- */

static void node_input(struct sim_node *n, unsigned port, const struct gm_msg *msg)
{
	struct sim_proxy *x = proxy_of(n);

	(void)sim_proxy_input(x, x->ifname[port], msg);
}

static void node_data(struct sim_node *n, unsigned port, const struct sim_data *d)
{
	struct sim_proxy *x = proxy_of(n);
	struct portset out = sim_proxy_route(x, x->ifname[port], &d->src, &d->group);

	see(x, port, d);

	portset_for_each (&out, i) {
		struct sim_port *to = wire(x, i);

		if (to)
			sim_data_send(to, d);
	}
}

static mono_t node_deadline(const struct sim_node *n)
{
	return mono_min(
		instances_deadline(proxy_of(n)->instances), proxy_of(n)->decide_at);
}

static void node_tick(struct sim_node *n)
{
	struct sim_proxy *x = proxy_of(n);

	/* a deadline that stays due would keep the daemon awake */
	if (x->ticked.ns != n->sim->now.ns)
		x->n_ticks = 0;
	x->ticked = n->sim->now;
	assert_true(++x->n_ticks < 100);
	instances_tick(x->instances, n->sim->now, &x->fx);
	if (mono_due(x->decide_at, n->sim->now))
		decide(x);
	execute(x);
}

static void node_free(struct sim_node *n)
{
	struct sim_proxy *x = proxy_of(n);

	instances_free(x->instances);
	config_free(x->cfg);
	iface_table_deinit(&x->ifaces);
	effects_deinit(&x->fx);
	fib_clear(x);
	table_deinit(&x->fib);
	plan_free(x->plan);
	free(x);
}

static const struct sim_node_ops ops = {
	.input = node_input,
	.data = node_data,
	.deadline = node_deadline,
	.tick = node_tick,
	.free = node_free,
};

struct sim_proxy *sim_proxy_new(struct sim *sim, const char *name, const char *config)
{
	struct sim_proxy *x = calloc(1, sizeof(*x));
	bool family[_FAMILY_N] = {false};

	assert_non_null(x);
	x->decide_at = MONO_NEVER;
	family[sim->family] = true;
	assert_int_equal(instances_new(family, rng_next(&sim->rng), &x->instances), 0);
	table_init(&x->fib, 1);
	x->cfg = parse(config);
	sim_node_init(sim, &x->node, &ops, name);
	return x;
}

/* ---- interfaces ---- */

static struct prefix subnet(const struct sim *sim, const struct addr *own)
{
	return prefix_from_addr(own, sim->family == FAMILY_IPV4 ? 24 : 64);
}

static void set_addresses(
	struct sim_proxy *x, int ifindex, struct sim_link *link, unsigned n)
{
	struct sim *sim = x->node.sim;
	struct addr v[2] = {sim_station(sim, link, n), sim_sender(sim, link, n)};

	for (size_t i = 0; i < array_len(v); i++) {
		struct iface_addr ia = {v[i], subnet(sim, &v[i]), false};

		assert_true(iface_addr_set(&x->ifaces, ifindex, &ia) >= 0);
	}
}

struct sim_port *sim_proxy_attach(
	struct sim_proxy *x, const char *ifname, struct sim_link *link, unsigned n)
{
	struct sim *sim = x->node.sim;
	struct addr own = n ? sim_station(sim, link, n) : addr_any(sim->family);
	struct sim_port *port = sim_attach(&x->node, link, &own);
	struct iface i = {
		.ifindex = (int)port->index + 1,
		.mac = {2, (uint8_t)link->number, [5] = (uint8_t)n},
		.arphrd = 1,
		.mtu = link->mtu,
		.up = true,
		.multicast = true,
	};

	snprintf(i.name, sizeof(i.name), "%s", ifname);
	memcpy(x->ifname[port->index], i.name, sizeof(i.name));
	memcpy(port->mac.byte, i.mac, sizeof(i.mac));
	assert_int_equal(iface_link(&x->ifaces, &i), 1);
	if (n)
		set_addresses(x, i.ifindex, link, n);
	return port;
}

void sim_proxy_sync(struct sim_proxy *x)
{
	mono_t now = x->node.sim->now;

	instances_release(x->instances, now, x->cfg, &x->ifaces, &x->fx);
	execute(x); /* sends the last messages of ports that disappear */
	assert_int_equal(
		instances_sync(x->instances, now, x->cfg, &x->ifaces, &x->fx), 0);
	plan_free(x->plan);
	x->plan = portplan_build(x->instances, &x->ifaces);
	assert_non_null(x->plan);
	if (mono_due(instances_deadline(x->instances), now))
		instances_tick(x->instances, now, &x->fx);
	execute(x);
}

void sim_proxy_reload(struct sim_proxy *x, const char *config)
{
	struct config *old = x->cfg;

	x->cfg = parse(config);
	sim_proxy_sync(x);
	config_free(old);
}

void sim_proxy_export(const struct sim_proxy *x, struct state_out *out)
{
	state_out_init(out, x->node.sim->now, x->node.sim->now);
	instances_export(x->instances, out);
	assert_int_equal(state_out_seal(out), 0);
}

/* Makes new instances from configuration and interfaces, and returns the old ones.
 * `seed` is for their delays. */
static struct instances *begin_anew(struct sim_proxy *x, uint64_t seed)
{
	struct instances *old = x->instances;

	assert_int_equal(instances_new(old->family, seed, &x->instances), 0);
	assert_int_equal(instances_sync(x->instances, x->node.sim->now, x->cfg,
				 &x->ifaces, &x->fx),
		0);
	return old;
}

static int import_state(struct sim_proxy *x, const void *state, size_t len)
{
	mono_t now = x->node.sim->now;
	struct instances *old = begin_anew(x, rng_next(&x->instances->rng));
	struct state_in in;
	int r;

	effects_clear(&x->fx);
	assert_int_equal(state_in_init(&in, state, len, now, 0), STATE_OK);
	r = instances_import(x->instances, now, &in, &x->fx);
	if (r < 0) {
		effects_clear(&x->fx);
		instances_free(begin_anew(x, rng_next(&old->rng)));
	}
	instances_free(old);
	fib_clear(x);
	return r;
}

void sim_proxy_upgrade(struct sim_proxy *x)
{
	struct state_out out;

	sim_proxy_export(x, &out);
	assert_int_equal(import_state(x, out.buf, out.n), 0);
	effects_for_each (&x->fx, e) {
		char line[256];

		effect_format(e, line, sizeof(line));
		if (e->type == EFFECT_QUERY || e->type == EFFECT_REPORT)
			fail_msg("an upgrade says: %s", line);
	}
	execute(x);
	state_out_deinit(&out);
}

int sim_proxy_take_over(struct sim_proxy *x, const void *state, size_t len)
{
	int r = import_state(x, state, len);

	execute(x);
	return r;
}

static struct sim_port *port_named(struct sim_proxy *x, const char *ifname)
{
	for (unsigned i = 0; i < x->node.n_ports; i++)
		if (strcmp(x->ifname[i], ifname) == 0)
			return &x->node.port[i];
	fail_msg("no interface %s", ifname);
	return NULL;
}

void sim_proxy_link(struct sim_proxy *x, const char *ifname, bool up)
{
	struct iface i = *iface_by_name(&x->ifaces, ifname);

	i.up = up;
	port_named(x, ifname)->up = up;
	assert_int_equal(iface_link(&x->ifaces, &i), 1);
	sim_proxy_sync(x);
}

void sim_proxy_readdress(struct sim_proxy *x, const char *ifname, unsigned n)
{
	struct iface *i = iface_by_name(&x->ifaces, ifname);
	struct sim_port *port = port_named(x, ifname);

	while (i->n_addr)
		assert_int_equal(
			iface_addr_del(&x->ifaces, i->ifindex, &i->addr[0]), 1);
	set_addresses(x, i->ifindex, port->link, n);
	port->own = sim_station(x->node.sim, port->link, n);
	sim_proxy_sync(x);
}

void sim_proxy_stop(struct sim_proxy *x)
{
	instances_shutdown(x->instances, x->node.sim->now, &x->fx);
	execute(x);
	sim_proxy_crash(x);
}

void sim_proxy_crash(struct sim_proxy *x)
{
	x->node.dead = true;
	sim_node_arm(&x->node);
}

/* ---- for tests ---- */

struct proxy_port *sim_proxy_port(const struct sim_proxy *x, const char *ifname)
{
	for (unsigned i = 0; i < PORT_MAX; i++)
		if (x->instances->port[i] &&
			strcmp(x->instances->port[i]->name, ifname) == 0)
			return x->instances->port[i];
	return NULL;
}

enum gm_bad sim_proxy_input(
	struct sim_proxy *x, const char *ifname, const struct gm_msg *msg)
{
	const struct proxy_port *pp = sim_proxy_port(x, ifname);
	enum gm_bad bad;

	if (!pp)
		return GM_BAD_ROLE;
	bad = proxy_input(pp->proxy, x->node.sim->now, pp->port, msg, &x->fx);
	execute(x);
	return bad;
}

void sim_proxy_doubt(struct sim_proxy *x, const char *ifname, const struct addr *group)
{
	struct proxy_port *pp = sim_proxy_port(x, ifname);
	struct mgroup *g = pp ? mgroup_find(&pp->groups, group) : NULL;

	if (pp && pp->role == CONFIG_ROLE_DOWNSTREAM && g)
		(void)mgroup_doubt(&pp->groups, g, x->node.sim->now, &x->fx);
	execute(x);
}

struct portset sim_proxy_route(const struct sim_proxy *x, const char *in_ifname,
	const struct addr *src, const struct addr *group)
{
	const struct proxy_port *pp = sim_proxy_port(x, in_ifname);
	const struct sim_fib_entry *e = find(&x->fib, group, src);
	struct addr any = addr_any(addr_family(group));
	const struct plan_port *in = pp ? &x->plan->port[pp->port] : NULL;
	struct portset out = {0};

	if (!in || !in->present || !in->receive || !plan_source_ok(in, src))
		return out;
	if (!e)
		e = find(&x->fib, group, &any);
	if (e)
		out = e->out;
	portset_or(&out, &in->always);
	portset_del(&out, pp->port);
	for (unsigned i = 0; i < array_len(out.w); i++)
		out.w[i] &= in->allowed.w[i];
	portset_for_each (&out, port)
		if (!x->plan->port[port].present)
			portset_del(&out, port);
	return out;
}

bool sim_proxy_forwards(const struct sim_proxy *x, const char *in, const char *out,
	const struct addr *src, const struct addr *group)
{
	const struct proxy_port *pp = sim_proxy_port(x, out);
	struct portset set = sim_proxy_route(x, in, src, group);

	return pp && portset_has(&set, pp->port);
}

const struct upstream_group *sim_proxy_reported(
	const struct sim_proxy *x, const char *upstream, const struct addr *group)
{
	const struct proxy_port *pp = sim_proxy_port(x, upstream);

	assert_non_null(pp);
	return upstream_find(&pp->upstream, group);
}
