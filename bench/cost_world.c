/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The router that the cost measurements use; see cost_world.h. */

#include "cost_world.h"

#include "control/proto/igmp.h"
#include "control/proto/mld.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <urcu-qsbr.h>

#define NO_CREDIT (-1)

static struct gm_scratch scratch;

void die_if(bool failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "bench_cost: %s\n", what);
	exit(1);
}

static int64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

/* ---- addresses ---- */

struct addr world_group(enum family family, unsigned n)
{
	struct addr v6 = {{0xff, 0x3e, [12] = 0x80, [13] = (uint8_t)(n >> 16),
		[14] = (uint8_t)(n >> 8), [15] = (uint8_t)n}};

	return family == FAMILY_IPV4
		? ADDR_V4(239, (uint8_t)(1 + (n >> 16)), (uint8_t)(n >> 8), (uint8_t)n)
		: v6;
}

struct addr world_source(enum family family, unsigned n)
{
	struct addr v6 = {{0x20, 0x01, 0x0d, 0xb8, [13] = (uint8_t)(n >> 16),
		[14] = (uint8_t)(n >> 8), [15] = (uint8_t)n}};

	return family == FAMILY_IPV4
		? ADDR_V4(10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n)
		: v6;
}

struct addr world_host(enum family family, unsigned lan, unsigned n)
{
	struct addr v6 = {{0xfe, 0x80, [14] = (uint8_t)lan, [15] = (uint8_t)n}};

	return family == FAMILY_IPV4 ? ADDR_V4(192, 168, (uint8_t)lan, (uint8_t)n) : v6;
}

/* ---- new, free ---- */

static int add_iface(struct world *w, const char *kind, unsigned number, unsigned net)
{
	struct iface i = {.ifindex = (int)net + 1,
		.arphrd = 1,
		.mtu = 1500,
		.up = true,
		.multicast = true};

	snprintf(i.name, sizeof(i.name), "%s%u", kind, number);
	die_if(iface_link(&w->ifaces, &i) != 1, "no interface");
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		struct iface_addr a = {.addr = world_host((enum family)f, net, 1)};

		a.subnet = prefix_from_addr(&a.addr, f == FAMILY_IPV4 ? 24 : 64);
		die_if(iface_addr_set(&w->ifaces, i.ifindex, &a) != 1, "no address");
	}
	return i.ifindex;
}

static void read_config(struct world *w, bool fast_leave, unsigned n_upstreams)
{
	char text[2048];
	int n = snprintf(text, sizeof(text), "%s", fast_leave ? "fast-leave\n" : "");

	for (unsigned i = 0; i < n_upstreams; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			"phyint wan%u upstream altnet 0.0.0.0/0\n", i);
	for (unsigned i = 0; i < WORLD_LANS; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			"phyint lan%u downstream\n", i);
	die_if(config_parse(text, (size_t)n, &w->cfg) != 0, "configuration");
}

struct world *world_new(bool fast_leave, unsigned n_upstreams)
{
	static const bool families[_FAMILY_N] = {true, true};
	struct world *w = calloc(1, sizeof(*w));
	int index[WORLD_LANS];

	die_if(!w, "no memory");
	w->now = mono_from_ms(1000000);
	read_config(w, fast_leave, n_upstreams);
	for (unsigned i = 0; i < n_upstreams; i++)
		add_iface(w, "wan", i, i);
	for (unsigned i = 0; i < WORLD_LANS; i++)
		index[i] = add_iface(w, "lan", i, 10 + i);
	rcu_register_thread();
	die_if(fib_new(1, 1, &w->fib) != 0, "no forwarding table");
	die_if(instances_new(families, 1, &w->instances) != 0 ||
			instances_sync(
				w->instances, w->now, w->cfg, &w->ifaces, &w->fx) != 0,
		"no router");
	for (unsigned i = 0; i < WORLD_LANS; i++)
		w->lan[i] = instances_port_by_index(w->instances, index[i])->port;
	world_pass(w, 100000); /* sends the start-up queries */
	world_count(w);
	return w;
}

struct world *world_free(struct world *w)
{
	instances_free(w->instances);
	config_free(w->cfg);
	iface_table_deinit(&w->ifaces);
	effects_deinit(&w->fx);
	fib_free(w->fib);
	rcu_unregister_thread();
	free(w);
	return NULL;
}

void world_count(struct world *w)
{
	w->n_packets = w->n_bytes = 0;
	w->packet_ns = w->tick_ns = w->longest_ns = 0;
	w->second_ns = w->in_second_ns = 0;
	w->second = w->now;
}

/* ---- effects ---- */

static void execute(struct world *w)
{
	static uint8_t buf[65535];

	effects_for_each (&w->fx, e) {
		int r = 0;

		switch (e->type) {
		case EFFECT_QUERY:
			r = (addr_is_v4(&e->query.q.group) ? igmp_encode_query
							   : mld_encode_query)(buf,
				sizeof(buf), e->query.version, &e->query.from,
				&e->query.q);
			break;
		case EFFECT_REPORT:
			r = (e->report.family == FAMILY_IPV4 ? igmp_encode_report
							     : mld_encode_report)(buf,
				sizeof(buf), e->report.version, &e->report.from,
				e->report.rec, e->report.n_rec);
			break;
		case EFFECT_FIB_SET:
			r = fib_set(w->fib, e->fib.instance, &e->fib.source,
				&e->fib.group, &e->fib.out);
			break;
		case EFFECT_FIB_DEL:
			fib_del(w->fib, e->fib.instance, &e->fib.source, &e->fib.group);
			break;
		case EFFECT_NOTE:
			break;
		}
		die_if(r < 0, "an effect cannot be executed");
	}
	effects_clear(&w->fx);
	rcu_quiescent_state();
}

/* ---- packets ---- */

size_t world_encode(enum family family, unsigned lan, unsigned host,
	const struct gm_record *rec, size_t n_rec, uint8_t packet[WORLD_BYTES])
{
	struct addr from = world_host(family, 10 + lan, 2 + host);
	int r = -1;

	while (n_rec > 0 && r < 0) {
		r = (family == FAMILY_IPV4 ? igmp_encode_report : mld_encode_report)(
			packet, WORLD_BYTES, GM_V3, &from, rec, n_rec);
		n_rec -= 1 + n_rec / 64;
	}
	return r < 0 ? 0 : (size_t)r;
}

static void receive(struct world *w, enum family family, unsigned port,
	const uint8_t *packet, size_t len)
{
	static const struct gm_rules lax;
	struct gm_msg msg;
	enum gm_bad bad;

	if (family == FAMILY_IPV4)
		bad = igmp_decode(packet, len, &lax, &scratch, &msg);
	else
		bad = mld_decode(packet, len, &lax, &scratch, &msg);
	die_if(bad != GM_OK, "a packet that is not a report");
	proxy_input(w->instances->instance[0].proxy, w->now, port, &msg, &w->fx);
	execute(w);
}

void world_packet(struct world *w, enum family family, unsigned lan,
	const uint8_t *packet, size_t len)
{
	struct proxy *p = w->instances->instance[0].proxy;
	int64_t from;

	if (len == 0)
		return;
	/* without credit, deferred work is not done (and counted) with the packet */
	p->credit = NO_CREDIT;
	p->credit_at = w->now;
	from = clock_ns();
	receive(w, family, w->lan[lan], packet, len);
	w->packet_ns += clock_ns() - from;
	w->n_packets++;
	w->n_bytes += len;
}

/* ---- time ---- */

static void tick(struct world *w)
{
	int64_t from = clock_ns(), ns;

	instances_tick(w->instances, w->now, &w->fx);
	execute(w);
	ns = clock_ns() - from;
	w->tick_ns += ns;
	if (ns > w->longest_ns)
		w->longest_ns = ns;
	if (w->now.ns - w->second.ns >= NS_PER_SEC) {
		w->second = w->now;
		w->in_second_ns = 0;
	}
	w->in_second_ns += ns;
	if (w->in_second_ns > w->second_ns)
		w->second_ns = w->in_second_ns;
}

void world_pass(struct world *w, int64_t ms)
{
	mono_t end = mono_add_ms(w->now, ms);

	for (;;) {
		mono_t at = instances_deadline(w->instances);

		if (mono_before(end, at))
			break;
		w->now = mono_max(w->now, at);
		tick(w);
	}
	w->now = end;
}
