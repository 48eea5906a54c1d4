/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Live upgrade of the data plane: the threads stop, the receive sockets go to another
 * process, which continues where this one has stopped. For the control thread.
 *
 * The kernel keeps filling the rings meanwhile. That is enough for TPACKET_V2, where a
 * ring of 8 MiB holds 4096 frames. TPACKET_V3 hands over a block whenever its timer
 * fires, even with only a frame or two in it, so a slow stream fills the 64 blocks of
 * such a ring in as many periods: 512 ms by default, 64 ms with `latency balanced`.
 * Therefore each set of TPACKET_V3 rings gets an additional TPACKET_V2 ring for the
 * gap, as a further member of their fanout group, and the group's program is replaced
 * by one that sends every frame there. The kernel replaces it between two frames and
 * waits until the old one no longer runs, so nothing is lost or doubled.
 *
 *   before      flows are spread over the rings 0 to n-1
 *   pause       everything goes to ring n; threads stop
 *   resume      the rings 0 to n-1 are emptied; threads start, and wait; ring n is
 *               emptied; flows are spread again; what has come to ring n until
 *               then; the threads begin
 *
 * A single ring is in no group before its first gap. When it joins one, the kernel
 * removes it from the list of receivers and adds the group a few hundred nanoseconds
 * later. The group and the additional ring then stay for the next upgrade. If this
 * process closed the additional ring, it would remain a member as long as another
 * process has it open, and the next ring would get another number.
 */

#include "base/cleanup.h"
#include "dataplane/thread/dataplane_priv.h"
#include "dataplane/thread/sharing.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#define DRAIN_TURNS 256 /* while frames still arrive */

#define TAG_PORT 1
#define TAG_SET	 2

struct handed_ring {
	int fd;
	struct ring_rx_place at;
};

struct handed_set {
	unsigned n;
	uint64_t left; /* frames that the kernel has counted and no thread has taken */
	struct handed_ring ring[SHARING_MAX], gap;
};

struct handed {
	struct handed *next;
	char name[IFNAMSIZ];
	int ifindex;
	bool has_l2;
	struct dataplane_port_stats stats;
	struct handed_set set[_FAMILY_N];
};

/* ---- pausing ---- */

static struct ring_rx_mode gap_mode(const struct dataplane *dp)
{
	struct ring_rx_mode m = dp->receive;

	m.kind = RING_RX_FRAMES;
	return m;
}

/* A failure is ignored, because the TPACKET_V3 rings alone also bridge a short gap. */
static void open_gap(struct dataplane *dp, struct socket_set *s)
{
	struct ring_rx_params params = dataplane_ring_params(dp, s);
	struct ring_rx_mode mode = gap_mode(dp);
	struct ring_rx *first = s->thread[0].ring;
	int r;

	r = ring_rx_gather(first, params.family);
	/* the program's result must not depend on the number of members */
	if (r == 0)
		r = ring_rx_spread(first, params.family, s->n);
	if (r < 0)
		return;
	params.mode = &mode;
	params.fanout = ring_rx_fanout(first);
	(void)ring_rx_open(&params, &s->gap);
}

/* The receive sets of all ports, one after the other; NULL at the end. */
static struct socket_set *next_set(const struct dataplane *dp, unsigned *pos)
{
	enum { PER_PORT = _SET_N - SET_IPV4 };

	for (unsigned i = *pos; i < PORT_MAX * PER_PORT; i++) {
		struct socket_set *s =
			dp->port[i / PER_PORT].set[SET_IPV4 + i % PER_PORT];

		if (!s)
			continue;
		*pos = i + 1;
		return s;
	}
	return NULL;
}

#define for_each_set(dp, pos, s)                                                       \
	for (unsigned pos = 0, _once = 1; _once; _once = 0)                            \
		for (struct socket_set * s; ((s) = next_set(dp, &(pos)));)

void dataplane_pause(struct dataplane *dp)
{
	if (dp->paused)
		return;
	for_each_set (dp, pos, s) {
		if (dp->receive.kind == RING_RX_BLOCKS && !s->gap)
			open_gap(dp, s);
		if (s->gap)
			(void)ring_rx_divert(s->thread[0].ring, s->n);
	}
	dataplane_stop_threads(dp);
	for (unsigned i = 0; i < dp->n; i++)
		if (worker_quality(dp->worker[i]))
			quality_watch_flush(worker_quality(dp->worker[i]));
	dp->paused = true;
}

/* ---- resuming ---- */

static void add_input(
	struct worker_config *cfg, const struct socket_set *s, struct ring_rx *ring)
{
	cfg->input[cfg->n_inputs++] =
		(struct worker_input){.port = s->port, .ring = ring};
}

/* The transmitter of thread 0, and room for all rings. */
static struct worker_config *drain_config(const struct dataplane *dp)
{
	struct worker_config *cfg;
	size_t n_rings = 0;

	for_each_set (dp, pos, s)
		n_rings += s->n;
	cfg = calloc(1, sizeof(*cfg) + n_rings * sizeof(cfg->input[0]));
	if (!cfg)
		return NULL;
	cfg->plan = dp->current->plan;
	for (unsigned i = 0; i < PORT_MAX; i++)
		if (dp->port[i].set[SET_TX])
			cfg->tx[i] = dp->port[i].set[SET_TX]->thread[0].tx;
	return cfg;
}

/* Reads the frames that the threads did not read. */
static void drain_before(
	struct dataplane *dp, struct worker *w, struct worker_config *cfg)
{
	cfg->n_inputs = 0;
	for_each_set (dp, pos, s)
		for (unsigned t = 0; s->gap && t < s->n; t++)
			add_input(cfg, s, s->thread[t].ring);
	worker_drain(w, cfg, UINT_MAX);
	for_each_set (dp, pos, s)
		for (unsigned t = 0; s->gap && t < s->n; t++)
			ring_rx_hold(s->thread[t].ring, true);
}

/* Reads the frames of the gap, and then gives the set back to the threads. Each of
 * these switches waits for a grace period of the kernel, while frames fill their rings,
 * so sets are not done all at once. */
static void drain_gap(struct dataplane *dp, struct worker *w, struct worker_config *cfg,
	struct socket_set *s)
{
	cfg->n_inputs = 0;
	add_input(cfg, s, s->gap);
	worker_drain(w, cfg, DRAIN_TURNS);
	(void)ring_rx_spread(s->thread[0].ring, set_family(s->kind), s->n);
	worker_drain(w, cfg, UINT_MAX);
	for (unsigned t = 0; t < s->n; t++) {
		ring_rx_hold(s->thread[t].ring, false);
		worker_apply(dp->worker[t], dp->current->cfg[t]);
	}
}

static void add_each(_Atomic uint64_t *to, _Atomic uint64_t *from, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		counter_add(&to[i], from[i]);
}

static void add_worker_counters(
	struct forward_counters *to, struct forward_counters *from)
{
	add_each(to->count, from->count, _THREAD_COUNT_N);
	add_each(to->run_end, from->run_end, _JOINED_N);
	for (unsigned i = 0; i < PORT_MAX; i++) {
		add_each(to->port[i].count, from->port[i].count, _PORT_COUNT_THREAD_N);
		add_each(to->port[i].drop, from->port[i].drop, _VERDICT_N);
	}
}

/* Frames of a flow are read in order: the ring of its thread, the gap, the ring again.
 * Runs in the control thread. The threads are started in the middle, because starting
 * them takes longer than a TPACKET_V3 ring can buffer. */
static int drain_and_start(struct dataplane *dp)
{
	struct worker_params params = {.fib = dp->params.fib,
		.sharing = dp->params.sharing,
		.local = dp->params.local,
		.coalesce = dp->params.coalesce,
		.idle = true,
		.owner = dp->worker,
		.n_owners = dp->n};
	struct worker_config *cfg = drain_config(dp);
	struct worker *w = NULL;
	int r = cfg ? worker_new(&params, &w) : -ENOMEM;

	if (r == 0)
		drain_before(dp, w, cfg);
	for (unsigned i = 0; i < dp->n && r == 0; i++) {
		worker_apply(dp->worker[i], dp->current->cfg[i]);
		r = worker_start(dp->worker[i]);
	}
	for_each_set (dp, pos, s) {
		if (s->gap && w)
			drain_gap(dp, w, cfg, s);
	}
	if (w)
		add_worker_counters(&dp->drained, worker_counters(w));
	worker_free(w);
	free(cfg);
	return r;
}

/* Counters continue from those of the old process. */
static void add_counters(struct dataplane *dp, unsigned port, const struct handed *h)
{
	struct forward_port_counters *c = &dp->drained.port[port];
	const uint64_t *count = h->stats.count;
	uint64_t due = count[PORT_COUNT_TX_PACKETS] - count[PORT_COUNT_FRAGMENTS];

	for (unsigned i = 0; i < _PORT_COUNT_THREAD_N; i++)
		counter_add(&c->count[i], count[i]);
	for (unsigned i = _PORT_COUNT_THREAD_N; i < _PORT_COUNT_N; i++)
		atomic_fetch_add(&dp->port[port].count[i], count[i]);
	for (unsigned v = 0; v < _VERDICT_N; v++) {
		counter_add(&c->drop[v], h->stats.verdict[v]);
		if (v >= _VERDICT_FRAME_N)
			due += h->stats.verdict[v];
	}
	/* of the ports that are still there */
	counter_add(&dp->drained.count[THREAD_COUNT_DUE], due);
}

static void take_counters(struct dataplane *dp)
{
	const struct plan *plan = dp->current->plan;

	for (const struct handed *h = dp->handed; h; h = h->next)
		for (unsigned i = 0; i < PORT_MAX; i++)
			if (strcmp(plan->port[i].name, h->name) == 0)
				add_counters(dp, i, h);
}

int dataplane_resume(struct dataplane *dp)
{
	int r;

	if (!dp->paused)
		return 0;
	take_counters(dp);
	dataplane_forget_handed(dp);
	r = drain_and_start(dp);
	dp->paused = dp->given = false;
	return r;
}

/* ---- handing over ---- */

static void ring_name(char buf[64], enum family family, int thread, unsigned port)
{
	unsigned version = family == FAMILY_IPV4 ? 4 : 6;

	if (thread < 0)
		snprintf(buf, 64, "gap%u-%u", version, port);
	else
		snprintf(buf, 64, "ring%u-%u-%d", version, port, thread);
}

static void put_ring(struct state_out *o, const struct ring_rx *ring)
{
	struct ring_rx_place at;

	ring_rx_place(ring, &at);
	state_put_u32(o, at.slot_size);
	state_put_u32(o, at.n_slots);
	state_put_u32(o, at.next);
}

static uint64_t taken(const struct socket_set *s)
{
	uint64_t n = s->gap ? ring_rx_taken(s->gap) : 0;

	for (unsigned t = 0; t < s->n; t++)
		n += ring_rx_taken(s->thread[t].ring);
	return n;
}

static void export_set(const struct socket_set *s, struct state_out *o,
	dataplane_give_fn *give, void *ctx)
{
	size_t begun = state_begin(o, TAG_SET);
	enum family family = set_family(s->kind);
	char name[64];

	state_put_u8(o, (uint8_t)family);
	state_put_u64(o, s->n_received - taken(s));
	state_put_u32(o, s->n);
	for (unsigned t = 0; t < s->n; t++) {
		put_ring(o, s->thread[t].ring);
		ring_name(name, family, (int)t, s->port);
		give(ctx, name, ring_rx_fd(s->thread[t].ring));
	}
	state_put_u8(o, s->gap != NULL);
	if (s->gap) {
		put_ring(o, s->gap);
		ring_name(name, family, -1, s->port);
		give(ctx, name, ring_rx_fd(s->gap));
	}
	state_end(o, begun);
}

static void put_rings_of_port(struct dataplane *dp, unsigned port,
	const struct plan_port *p, struct state_out *o)
{
	struct dataplane_port_stats st;

	dataplane_port_stats(dp, port, &st);
	state_put_text(o, p->name);
	state_put_u32(o, port);
	state_put_u32(o, (uint32_t)p->ifindex);
	state_put_u8(o, p->has_l2);
	state_put_counts(o, st.count, _PORT_COUNT_N);
	state_put_counts(o, st.verdict, _VERDICT_N);
}

void dataplane_export(
	struct dataplane *dp, struct state_out *o, dataplane_give_fn *give, void *ctx)
{
	const struct plan *plan = dp->current->plan;
	struct dataplane_stats st;

	dataplane_stats(dp, &st);
	state_put_u32(o, dp->ring_size);
	state_put_u8(o, (uint8_t)dp->receive.kind);
	state_put_u8(o, (uint8_t)dp->receive.retire_ms);
	state_put_u8(o, dp->receive.offload);
	state_put_u32(o, dp->n);
	state_put_counts(o, st.count, _THREAD_COUNT_KEPT_N);
	for (unsigned i = 0; i < PORT_MAX; i++) {
		size_t begun;

		if (!*plan->port[i].name)
			continue;
		begun = state_begin(o, TAG_PORT);
		put_rings_of_port(dp, i, &plan->port[i], o);
		for (enum set_kind k = SET_IPV4; k < _SET_N; k++)
			if (dp->port[i].set[k])
				export_set(dp->port[i].set[k], o, give, ctx);
		state_end(o, begun);
	}
	dp->given = true;
}

/* ---- taking over ---- */

static void close_set(struct handed_set *hs)
{
	for (unsigned t = 0; t < hs->n; t++)
		closep(&hs->ring[t].fd);
	closep(&hs->gap.fd);
	hs->n = 0;
	hs->gap.fd = -1;
}

static struct handed *handed_free(struct handed *h)
{
	for (enum family f = 0; h && f < _FAMILY_N; f++)
		close_set(&h->set[f]);
	free(h);
	return NULL;
}

void dataplane_forget_handed(struct dataplane *dp)
{
	while (dp->handed) {
		struct handed *h = dp->handed;

		dp->handed = h->next;
		handed_free(h);
	}
}

static void get_ring(struct state_in *in, struct handed_ring *r)
{
	r->at.slot_size = state_get_u32(in);
	r->at.n_slots = state_get_u32(in);
	r->at.next = state_get_u32(in);
	r->fd = -1;
}

static void get_set(struct state_in *in, struct handed *h, unsigned port,
	dataplane_take_fn *take, void *ctx)
{
	unsigned f = state_get_u8(in);
	struct handed_set *hs = &h->set[f < _FAMILY_N ? f : 0];
	uint64_t left = state_get_u64(in);
	unsigned n = state_get_up_to(in, SHARING_MAX);
	char name[64];

	if (f >= _FAMILY_N || hs->n)
		state_set_bad(in);
	if (state_is_bad(in))
		return;
	hs->left = left;
	for (hs->n = 0; hs->n < n; hs->n++) {
		struct handed_ring *r = &hs->ring[hs->n];

		get_ring(in, r);
		ring_name(name, (enum family)f, (int)hs->n, port);
		r->fd = take(ctx, name);
	}
	if (!state_get_bool(in))
		return;
	get_ring(in, &hs->gap);
	ring_name(name, (enum family)f, -1, port);
	hs->gap.fd = take(ctx, name);
}

static unsigned dataplane_upgrade_get_port(struct state_in *in, struct handed *h)
{
	unsigned port;

	state_get_text(in, h->name, sizeof(h->name));
	port = state_get_up_to(in, PORT_MAX - 1);
	h->ifindex = (int)state_get_u32(in);
	h->has_l2 = state_get_bool(in);
	state_get_counts(in, h->stats.count, _PORT_COUNT_N);
	state_get_counts(in, h->stats.verdict, _VERDICT_N);
	return port;
}

static int import_port(
	struct dataplane *dp, struct state_in *in, dataplane_take_fn *take, void *ctx)
{
	struct handed *h = calloc(1, sizeof(*h));
	struct state_in section;
	unsigned port;
	uint32_t tag;

	if (!h)
		return -ENOMEM;
	for (enum family f = 0; f < _FAMILY_N; f++)
		h->set[f].gap.fd = -1;
	h->next = dp->handed;
	dp->handed = h;
	port = dataplane_upgrade_get_port(in, h);
	while (state_get_section(in, &tag, &section)) {
		if (tag == TAG_SET)
			get_set(&section, h, port, take, ctx);
		if (state_is_bad(&section))
			return -EINVAL;
	}
	return state_is_bad(in) ? -EINVAL : 0;
}

/* Rings that were made with other parameters would not match the configuration. */
static const char *compare_rings(const struct dataplane *dp, struct state_in *in)
{
	bool size = state_get_u32(in) == dp->ring_size;
	bool kind = state_get_u8(in) == (uint8_t)dp->receive.kind;
	bool timer = state_get_u8(in) == (uint8_t)dp->receive.retire_ms;
	bool offload = state_get_bool(in) == dp->receive.offload;
	bool threads = state_get_u32(in) == dp->n;

	if (!size)
		return "ring-size has changed";
	if (!kind || !timer)
		return "latency has changed";
	if (!offload)
		return "receive-offload has changed";
	return threads ? "" : "the number of threads has changed";
}

static void import_totals(struct dataplane *dp, struct state_in *in)
{
	uint64_t count[_THREAD_COUNT_KEPT_N] = {0};

	state_get_counts(in, count, _THREAD_COUNT_KEPT_N);
	for (unsigned i = 0; i < _THREAD_COUNT_KEPT_N; i++)
		counter_add(&dp->drained.count[i], count[i]);
}

int dataplane_import(struct dataplane *dp, struct state_in *in, dataplane_take_fn *take,
	void *ctx, const char **ret_why)
{
	struct state_in section;
	uint32_t tag;
	int r = 0;

	dataplane_stop_threads(dp);
	dp->paused = true;
	*ret_why = compare_rings(dp, in);
	import_totals(dp, in);
	while (r == 0 && state_get_section(in, &tag, &section))
		if (tag == TAG_PORT)
			r = import_port(dp, &section, take, ctx);
	if (r == 0 && state_is_bad(in))
		r = -EINVAL;
	for (struct handed *h = dp->handed; h && (r < 0 || **ret_why); h = h->next)
		for (enum family f = 0; f < _FAMILY_N; f++)
			close_set(&h->set[f]);
	return r;
}

static int adopt_ring(const struct ring_rx_params *params, struct handed_ring *hr,
	struct ring_rx **ret)
{
	int r = hr->fd < 0 ? -ENOENT : ring_rx_adopt(hr->fd, params, &hr->at, ret);

	if (r == 0)
		hr->fd = -1;
	return r;
}

static int adopt_set(struct dataplane *dp, struct socket_set *s, struct handed_set *hs)
{
	struct ring_rx_params params = dataplane_ring_params(dp, s);
	struct ring_rx_mode mode = gap_mode(dp);
	int r = hs->n == dp->n ? 0 : -EINVAL;

	s->n_received = hs->left;
	for (unsigned t = 0; t < dp->n && r == 0; t++) {
		r = adopt_ring(&params, &hs->ring[t], &s->thread[t].ring);
		if (r < 0)
			break;
		s->n++;
		r = worker_watch(dp->worker[t], s->thread[t].ring);
	}
	if (r < 0)
		return r;
	if (hs->gap.fd < 0) {
		/* If the additional ring was not handed over, the others must get its
		 * frames. */
		if (ring_rx_fanout(s->thread[0].ring) != RING_RX_NO_FANOUT)
			(void)ring_rx_spread(s->thread[0].ring, params.family, s->n);
		return 0;
	}
	params.mode = &mode;
	return adopt_ring(&params, &hs->gap, &s->gap);
}

bool dataplane_adopt(
	struct dataplane *dp, const struct plan_port *p, struct socket_set *s)
{
	struct handed *h = dp->handed;

	while (h &&
		(strcmp(h->name, p->name) != 0 || h->ifindex != p->ifindex ||
			h->has_l2 != p->has_l2))
		h = h->next;
	if (!h || h->set[set_family(s->kind)].n == 0)
		return false;
	if (adopt_set(dp, s, &h->set[set_family(s->kind)]) == 0) {
		dp->n_adopted += s->n;
		return true;
	}
	/* a set is taken as a whole or not at all */
	for (unsigned t = 0; t < s->n; t++)
		ring_rx_close(s->thread[t].ring);
	s->n = 0;
	s->gap = ring_rx_close(s->gap);
	return false;
}

unsigned dataplane_n_adopted(const struct dataplane *dp)
{
	return dp->n_adopted;
}
