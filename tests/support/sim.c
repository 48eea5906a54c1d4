/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The virtual network: clock, links and data. Each packet under way, each next deadline
 * of a node and each next packet of a stream is a timer. The clock jumps from timer to
 * timer.
 */

#include "sim.h"

#include "sim_wire.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS                                                                       \
	INT64_C(1000000) /* times near 0 would hide mistakes with MONO_UNSET           \
			  */

/* A copy of a message on its way to one port. */
struct sim_packet {
	struct sim_timer timer;
	struct sim_port *to;
	struct gm_mac from;
	size_t len;
	uint8_t bytes[];
};

struct sim *sim_new(enum family family, uint64_t seed)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	assert_non_null(sim);
	sim->scratch = malloc(sizeof(*sim->scratch));
	assert_non_null(sim->scratch);
	sim->family = family;
	sim->seed = seed;
	sim->now = mono_from_ms(START_MS);
	rng_seed(&sim->rng, seed);
	return sim;
}

static void packet_fire(struct sim *sim, struct sim_timer *t);

struct sim *sim_free(struct sim *sim)
{
	struct heap_node *first;

	while ((first = heap_first(&sim->timers))) {
		struct sim_timer *t = container_of(first, struct sim_timer, heap);

		heap_remove(&sim->timers, first);
		if (t->fire == packet_fire)
			free(container_of(t, struct sim_packet, timer));
	}
	heap_deinit(&sim->timers);
	while (sim->nodes) {
		struct sim_node *n = sim->nodes;

		sim->nodes = n->next;
		n->ops->free(n);
	}
	while (sim->links) {
		struct sim_link *link = sim->links;

		sim->links = link->next;
		free(link->seen);
		free(link);
	}
	for (unsigned i = 0; i < sim->n_streams; i++)
		free(sim->stream[i]);
	free(sim->scratch);
	free(sim);
	return NULL;
}

uint64_t sim_seed(uint64_t otherwise)
{
	const char *s = getenv("RINGCAST_SEED");
	uint64_t seed = s ? strtoull(s, NULL, 0) : otherwise;

	printf("RINGCAST_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	return seed;
}

/* ---- time ---- */

void sim_timer_add(struct sim *sim, struct sim_timer *t)
{
	assert_int_equal(heap_reserve(&sim->timers, sim->timers.n + 64), 0);
	heap_set(&sim->timers, &t->heap, MONO_NEVER);
}

void sim_timer_set(struct sim *sim, struct sim_timer *t, mono_t at)
{
	heap_set(&sim->timers, &t->heap, at);
}

mono_t sim_random_after(struct sim *sim, uint32_t ms)
{
	uint64_t ns = (uint64_t)(ms ? ms : 1) * (uint64_t)NS_PER_MS;

	return mono_add_ns(sim->now, 1 + (int64_t)rng_below(&sim->rng, ns));
}

/* Runs one event that is due by `until`. Returns false if there is none. */
static bool step(struct sim *sim, mono_t until)
{
	struct heap_node *first = heap_first(&sim->timers);
	struct sim_timer *t;

	if (!first || mono_before(until, first->at))
		return false;
	t = container_of(first, struct sim_timer, heap);
	sim->now = mono_max(sim->now, first->at);
	t->fire(sim, t);
	return true;
}

static void run_until(struct sim *sim, mono_t until)
{
	while (step(sim, until))
		;
	sim->now = until;
}

void sim_run(struct sim *sim, int64_t ms)
{
	run_until(sim, mono_add_ms(sim->now, ms));
}

void sim_run_to(struct sim *sim, int64_t ms)
{
	mono_t until = mono_from_ms(START_MS + ms);

	assert_false(mono_before(until, sim->now));
	run_until(sim, until);
}

int64_t sim_ms(const struct sim *sim)
{
	return sim->now.ns / NS_PER_MS - START_MS;
}

bool sim_run_until(struct sim *sim, bool (*holds)(void *arg), void *arg, int64_t max_ms)
{
	mono_t until = mono_add_ms(sim->now, max_ms);

	while (!holds(arg))
		if (!step(sim, until)) {
			sim->now = until;
			return holds(arg);
		}
	return true;
}

/* ---- nodes ---- */

static void node_fire(struct sim *sim, struct sim_timer *t)
{
	struct sim_node *n = container_of(t, struct sim_node, timer);

	if (!n->dead)
		n->ops->tick(n);
	sim_node_arm(n);
}

void sim_node_init(struct sim *sim, struct sim_node *n, const struct sim_node_ops *ops,
	const char *name)
{
	n->sim = sim;
	n->ops = ops;
	n->name = name;
	n->next = sim->nodes;
	sim->nodes = n;
	n->timer.fire = node_fire;
	sim_timer_add(sim, &n->timer);
}

struct sim_port *sim_attach(
	struct sim_node *n, struct sim_link *link, const struct addr *own)
{
	struct sim_port *p = &n->port[n->n_ports];

	assert_true(n->n_ports < SIM_MAX_PORTS && link->n_ports < SIM_MAX_ON_LINK);
	*p = (struct sim_port){n, link, n->n_ports++, *own, {{0}}, true};
	/* Different for each port of a link, and never zero. */
	p->mac.byte[0] = 2;
	p->mac.byte[5] = (uint8_t)link->n_ports;
	link->port[link->n_ports++] = p;
	return p;
}

void sim_node_arm(struct sim_node *n)
{
	mono_t at = n->dead ? MONO_NEVER : n->ops->deadline(n);

	sim_timer_set(n->sim, &n->timer, mono_max(at, n->sim->now));
}

/* ---- addresses ---- */

struct addr sim_station(const struct sim *sim, const struct sim_link *link, unsigned n)
{
	struct addr v6 = {
		{0xfe, 0x80, [14] = (uint8_t)link->number, [15] = (uint8_t)n}};

	return sim->family == FAMILY_IPV4
		? ADDR_V4(10, 0, (uint8_t)link->number, (uint8_t)n)
		: v6;
}

struct addr sim_sender(const struct sim *sim, const struct sim_link *link, unsigned n)
{
	struct addr v6 = {{0x20, 0x01, 0x0d,
		0xb8, [7] = (uint8_t)link->number, [15] = (uint8_t)n}};

	return sim->family == FAMILY_IPV4 ? sim_station(sim, link, n) : v6;
}

struct addr sim_source(const struct sim *sim, unsigned n)
{
	struct addr v6 = {{0x20, 0x01, 0x0d, 0xb8, 0, 0, 2, 0, [15] = (uint8_t)n}};

	return sim->family == FAMILY_IPV4 ? ADDR_V4(10, 200, 0, (uint8_t)n) : v6;
}

struct addr sim_group(const struct sim *sim, unsigned n)
{
	struct addr v6 = {{0xff, 0x0e, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n}};

	return sim->family == FAMILY_IPV4
		? ADDR_V4(239, 1, (uint8_t)(n >> 8), (uint8_t)n)
		: v6;
}

struct addr sim_ssm(const struct sim *sim, unsigned n)
{
	struct addr v6 = {
		{0xff, 0x3e, [12] = 0x80, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n}};

	return sim->family == FAMILY_IPV4
		? ADDR_V4(232, 1, (uint8_t)(n >> 8), (uint8_t)n)
		: v6;
}

/* ---- links ---- */

struct sim_link *sim_link_new(struct sim *sim, uint32_t delay_ms)
{
	struct sim_link *link = calloc(1, sizeof(*link));

	assert_non_null(link);
	link->sim = sim;
	link->next = sim->links;
	sim->links = link;
	link->number = ++sim->n_links;
	link->delay_ms = delay_ms;
	link->mtu = 1500;
	return link;
}

static void packet_fire(struct sim *sim, struct sim_timer *t)
{
	struct sim_packet *p = container_of(t, struct sim_packet, timer);
	struct sim_node *n = p->to->node;
	struct gm_msg msg;

	heap_remove(&sim->timers, &t->heap);
	if (p->to->up && !n->dead) {
		assert_true(sim_wire_decode(
			sim->family, p->bytes, p->len, sim->scratch, &msg));
		msg.mac = p->from;
		n->ops->input(n, p->to->index, &msg);
		sim_node_arm(n);
	}
	free(p);
}

static void deliver(const struct sim_port *from, struct sim_port *to,
	const uint8_t *bytes, size_t len, mono_t at)
{
	struct sim *sim = from->node->sim;
	struct sim_packet *p = malloc(sizeof(*p) + len);

	assert_non_null(p);
	*p = (struct sim_packet){
		.timer.fire = packet_fire, .to = to, .from = from->mac, .len = len};
	memcpy(p->bytes, bytes, len);
	sim_timer_add(sim, &p->timer);
	sim_timer_set(sim, &p->timer, at);
}

static bool roll(struct sim *sim, unsigned per_mille)
{
	return per_mille && rng_below(&sim->rng, 1000) < per_mille;
}

static void note_seen(struct sim_link *link, const struct sim_seen *seen)
{
	if (link->n_seen == link->cap_seen) {
		link->cap_seen = link->cap_seen ? 2 * link->cap_seen : 64;
		link->seen = realloc(link->seen, link->cap_seen * sizeof(*link->seen));
		assert_non_null(link->seen);
	}
	link->seen[link->n_seen++] = *seen;
}

static void note_message(struct sim_port *from, const struct gm_msg *msg, size_t bytes)
{
	struct sim_link *link = from->link;
	struct sim_seen seen = {
		.at = link->sim->now,
		.node = from->node,
		.kind = msg->kind,
		.version = msg->version,
		.group = msg->query.group,
		.from = msg->from,
		.n_src = msg->query.n_src,
		.bytes = bytes,
		.message = ++link->n_messages,
		.suppress = msg->query.suppress,
	};

	for (size_t i = 0; i < msg->query.n_src && i < array_len(seen.src); i++)
		seen.src[i] = msg->query.src[i];
	if (msg->kind == GM_QUERY)
		note_seen(link, &seen);
	for (size_t i = 0; i < msg->n_rec; i++) {
		seen.type = msg->rec[i].type;
		seen.group = msg->rec[i].group;
		seen.n_src = msg->rec[i].n_src;
		for (size_t k = 0; k < seen.n_src && k < array_len(seen.src); k++)
			seen.src[k] = msg->rec[i].src[k];
		note_seen(link, &seen);
	}
}

static void send_bytes(struct sim_port *from, const uint8_t *bytes, size_t len)
{
	struct sim_link *link = from->link;
	struct sim *sim = link->sim;
	struct gm_msg msg;

	if (!from->up || from->node->dead)
		return;
	/* strict receivers must accept all messages */
	assert_true(sim_wire_decode(sim->family, bytes, len, sim->scratch, &msg));
	note_message(from, &msg, len);
	link->last_at = mono_max(
		mono_add_ns(link->last_at, 1), mono_add_ms(sim->now, link->delay_ms));
	for (unsigned i = 0; i < link->n_ports; i++) {
		struct sim_port *to = link->port[i];

		if (to == from || roll(sim, link->loss) ||
			(link->drop && link->drop(link->drop_arg, to, &msg)))
			continue;
		deliver(from, to, bytes, len, link->last_at);
		if (roll(sim, link->duplicate))
			deliver(from, to, bytes, len, link->last_at);
	}
}

void sim_send_query_as(struct sim_port *from, const struct addr *as,
	enum gm_version version, const struct gm_query *q)
{
	static uint8_t buf[65536];

	send_bytes(from, buf, sim_wire_query(buf, sizeof(buf), version, as, q));
}

void sim_send_report_as(struct sim_port *from, const struct addr *as,
	enum gm_version version, const struct gm_record *rec, size_t n_rec)
{
	static uint8_t buf[65536];

	send_bytes(
		from, buf, sim_wire_report(buf, sizeof(buf), version, as, rec, n_rec));
}

void sim_send_query(
	struct sim_port *from, enum gm_version version, const struct gm_query *q)
{
	sim_send_query_as(from, &from->own, version, q);
}

void sim_send_report(struct sim_port *from, enum gm_version version,
	const struct gm_record *rec, size_t n_rec)
{
	sim_send_report_as(from, &from->own, version, rec, n_rec);
}

/* ---- what was sent ---- */

void sim_mark(struct sim *sim)
{
	for (struct sim_link *link = sim->links; link; link = link->next)
		link->mark = link->n_seen;
}

static bool matches(const struct sim_seen *s, const struct sim_match *m)
{
	return (!m->node || s->node == m->node) &&
		(!m->not_node || s->node != m->not_node) &&
		(!m->kind || s->kind == m->kind) &&
		(!m->version || s->version == m->version) &&
		(!m->type || (s->kind == GM_REPORT && s->type == m->type)) &&
		(!m->group || addr_eq(&s->group, m->group)) &&
		(!m->general || addr_is_any(&s->group));
}

size_t sim_count(const struct sim_link *link, const struct sim_match *m)
{
	size_t n = 0;

	for (size_t i = link->mark; i < link->n_seen; i++)
		n += matches(&link->seen[i], m);
	return n;
}

const struct sim_seen *sim_last(const struct sim_link *link, const struct sim_match *m)
{
	for (size_t i = link->n_seen; i-- > link->mark;)
		if (matches(&link->seen[i], m))
			return &link->seen[i];
	return NULL;
}

static void print_seen(const struct sim_link *link, const struct sim_seen *s)
{
	static const char *const types[] = {
		"query", "is_in", "is_ex", "to_in", "to_ex", "allow", "block"};
	char from[ADDR_STRLEN], group[ADDR_STRLEN], src[ADDR_STRLEN];

	print_message("%9lld.%03lld link %u %s %s v%d %s %s %zu sources",
		(long long)(s->at.ns / NS_PER_MS - START_MS),
		(long long)(s->at.ns / 1000 % 1000), link->number, s->node->name,
		addr_format(&s->from, from), (int)s->version, types[s->type],
		addr_format(&s->group, group), s->n_src);
	for (size_t i = 0; i < s->n_src && i < array_len(s->src); i++)
		print_message(" %s", addr_format(&s->src[i], src));
	print_message("\n");
}

void sim_print(const struct sim *sim, const struct addr *group)
{
	for (const struct sim_link *link = sim->links; link; link = link->next)
		for (size_t i = link->mark; i < link->n_seen; i++)
			if (addr_is_any(&link->seen[i].group) ||
				addr_eq(&link->seen[i].group, group))
				print_seen(link, &link->seen[i]);
}

/* ---- data ---- */

void sim_data_send(struct sim_port *from, const struct sim_data *d)
{
	struct sim_link *link = from->link;
	struct sim_data copy = *d;

	assert_true(d->hops < 8); /* otherwise a loop */
	if (!from->up || from->node->dead)
		return;
	copy.hops++;
	copy.from = from->mac;
	link->n_data[d->stream]++;
	link->data_at[d->stream] = link->sim->now;
	for (unsigned i = 0; i < link->n_ports; i++) {
		struct sim_port *to = link->port[i];

		if (to != from && to->up && !to->node->dead)
			to->node->ops->data(to->node, to->index, &copy);
	}
}

static void stream_fire(struct sim *sim, struct sim_timer *t)
{
	struct sim_stream *s = container_of(t, struct sim_stream, timer);
	struct sim_node *n = s->from->node;
	struct sim_data d = {
		.stream = s->number, .src = s->src, .group = s->group, .seq = ++s->seq};

	sim_timer_set(sim, t, mono_add_ns(sim->now, s->period_ns));
	if (s->paused)
		s->seq--;
	else if (!n->ops->wanted || n->ops->wanted(n, &s->src, &s->group))
		sim_data_send(s->from, &d);
}

struct sim_stream *sim_stream_new(struct sim_port *from, const struct addr *src,
	const struct addr *group, int64_t period_ms)
{
	struct sim *sim = from->node->sim;
	struct sim_stream *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_true(sim->n_streams < SIM_MAX_STREAMS);
	*s = (struct sim_stream){.sim = sim,
		.timer.fire = stream_fire,
		.number = sim->n_streams,
		.src = *src,
		.group = *group,
		.from = from,
		.period_ns = period_ms * NS_PER_MS};
	sim->stream[sim->n_streams++] = s;
	sim_timer_add(sim, &s->timer);
	sim_timer_set(sim, &s->timer, mono_add_ns(sim->now, s->period_ns));
	return s;
}
