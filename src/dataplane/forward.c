/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The hot path, see forward.h. The worker fills a burst and calls forward_burst(),
 * which runs in three passes:
 *
 *   flows   input port, source, table and port plan give each flow its set of ports;
 *   frames  TTL, partial checksum: each frame is rewritten once, in place;
 *   ports   each port gets its copies in order of arrival, whatever flow they are of.
 *
 * RFC 2365 5 and RFC 4007 5 for groups that stop at a boundary,
 * RFC 4605 4.2 for where a packet goes (through the table and the plan), RFC
 * 1812 5.2.1.3 and 5.3.1 for TTL and threshold, 4.2.2.7 for packets larger than the
 * link. Nothing here allocates, waits or calls the kernel. Pure.
 */

#include "dataplane/forward.h"

#include "base/cleanup.h"
#include "dataplane/rewrite.h"

#include <assert.h>
#include <errno.h>

#define CHUNK	    64 /* copies per tx_ops.send */
#define N_L2	    4096
#define FRAG_SPACE  (256 * 1024)
#define N_FRAGS_MAX 1400 /* 64 KiB at the smallest MTU of IPv4, 68 octets */

struct forward_flow {
	struct portset out;
	uint64_t l2_pass; /* l2 is valid when this is the pass */
	uint8_t *l2;	  /* link header for the port of the pass */
};

struct forward {
	unsigned thread;
	struct forward_counters counters;
	struct forward_flow flow[BURST_MAX];

	/* what has been handed over or waits for it; the scratch memory below is in use
	 * until the next flush */
	struct tx_msg msg[CHUNK];
	unsigned n_msg;
	bool unflushed;
	uint64_t pass; /* rises with each port and each flush */
	unsigned n_l2;
	size_t frag_used;
	uint16_t frag_len[N_FRAGS_MAX];
	uint8_t l2[N_L2][REWRITE_L2_LEN + 2];
	uint8_t frag[FRAG_SPACE];
};

/* one output port of the burst in work */
struct output {
	struct forward *fw;
	const struct burst *b;
	const struct tx_ops *tx;
	unsigned index;
	const struct plan_port *port;
};

int forward_new(unsigned thread, struct forward **ret)
{
	struct forward *fw = calloc(1, sizeof(*fw));

	if (!fw)
		return -ENOMEM;
	fw->thread = thread;
	*ret = fw;
	return 0;
}

struct forward *forward_free(struct forward *fw)
{
	free(fw);
	return NULL;
}

/* Counters */

struct forward_counters *forward_counters(struct forward *fw)
{
	return &fw->counters;
}

/* one writer, so no read-modify-write is needed */
static void count(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, old + n, memory_order_relaxed);
}

static void count_verdict(struct forward *fw, unsigned port, enum verdict v, unsigned n)
{
	count(&fw->counters.port[port].drop[v], n);
}

void forward_drop(struct forward *fw, unsigned port, enum verdict why)
{
	assert(why < _VERDICT_FRAME_N);
	count(&fw->counters.frames, 1);
	count_verdict(fw, port, why, 1);
}

void forward_count_tx(
	struct forward *fw, unsigned port, unsigned packets, uint64_t bytes)
{
	count(&fw->counters.port[port].tx_packets, packets);
	count(&fw->counters.port[port].tx_bytes, bytes);
}

void forward_count_tx_error(
	struct forward *fw, unsigned port, enum verdict why, unsigned n)
{
	assert(why >= _VERDICT_FRAME_N && why < _VERDICT_N);
	count_verdict(fw, port, why, n);
}

enum verdict forward_errno(int err)
{
	switch (err) {
	case ENETDOWN:
	case ENXIO:
	case ENODEV:
		return VERDICT_PORT_DOWN;
	case EAGAIN:
		return VERDICT_TX_FULL;
	case ENOBUFS:
		return VERDICT_TX_QUEUE;
	case EMSGSIZE:
		return VERDICT_TX_SIZE;
	default:
		return VERDICT_TX_ERROR;
	}
}

/* Flows */

static bool port_speaks(const struct plan_port *p, enum family family)
{
	return p->present && (family == FAMILY_IPV4 ? p->ipv4 : p->ipv6);
}

static void count_entry(
	struct fib_counter *c, const struct burst_flow *fl, uint64_t bytes)
{
	uint64_t src[2];

	memcpy(src, fl->src.b, sizeof(src));
	for (int i = 0; i < 2; i++)
		atomic_store_explicit(&c->last_src[i], src[i], memory_order_relaxed);
	atomic_store_explicit(&c->last_port, fl->port, memory_order_relaxed);
	count(&c->packets, fl->n);
	count(&c->bytes, bytes);
}

/* Does the group stop at some port: none is left of those that should have it. */
static bool filter_outputs(
	const struct plan *plan, const struct addr *group, struct portset *out)
{
	bool refused = false;

	portset_for_each (out, port)
		if (!plan_group_ok(&plan->port[port].out, group)) {
			portset_del(out, port);
			refused = true;
		}
	return refused && portset_empty(out);
}

/* Ports of a flow whose source is accepted. */
static enum verdict find_outputs(const struct burst_flow *fl, const struct plan *plan,
	const struct portset *members, struct portset *ret)
{
	const struct plan_port *in = &plan->port[fl->port];
	struct portset out = in->always;

	portset_del(&out, fl->port);
	if (!members && portset_empty(&out))
		return VERDICT_NO_GROUP;
	if (members && portset_empty(members) && portset_empty(&out))
		return VERDICT_SOURCE_FILTERED;
	if (members)
		portset_or(&out, members);
	portset_del(&out, fl->port); /* never back (RFC 4605 4.2) */
	for (unsigned i = 0; i < array_len(out.w); i++)
		out.w[i] &= in->allowed.w[i];
	portset_for_each (&out, port)
		if (!port_speaks(&plan->port[port], addr_family(&fl->group)))
			portset_del(&out, port);
	if (filter_outputs(plan, &fl->group, &out))
		return VERDICT_ACL;
	*ret = out;
	return portset_empty(&out) ? VERDICT_EMPTY_OUTPUT : VERDICT_FORWARDED;
}

/* Where a flow goes: VERDICT_FORWARDED and the set, or why it goes nowhere. */
static enum verdict route_flow(struct forward *fw, const struct burst *b,
	const struct burst_flow *fl, const struct plan *plan, struct fib *fib)
{
	struct forward_flow *ff = &fw->flow[fl - b->flow];
	const struct plan_port *in = &plan->port[fl->port];
	struct forward_port_counters *pc = &fw->counters.port[fl->port];
	const struct fib_outset *set = NULL;
	struct fib_entry *e;
	uint64_t bytes = 0;

	if (!in->receive || !port_speaks(in, addr_family(&fl->group)))
		return VERDICT_WRONG_INPUT;
	if (plan_is_own(plan, &fl->src))
		return VERDICT_MARTIAN_SOURCE;
	e = fib_lookup(fib, in->instance, &fl->src, &fl->group, &set);
	if (!plan_source_ok(in, &fl->src)) {
		if (e)
			count(&fib_counter(e, fw->thread)->wrong, fl->n);
		return VERDICT_WRONG_INPUT;
	}
	if (!plan_group_ok(&in->in, &fl->group))
		return VERDICT_ACL;
	for (unsigned i = fl->first; i < BURST_MAX; i = b->frame[i].next)
		bytes += b->frame[i].f.ip_len;
	count(&pc->rx_packets, fl->n);
	count(&pc->rx_bytes, bytes);
	if (e)
		count_entry(fib_counter(e, fw->thread), fl, bytes);
	return find_outputs(fl, plan, set ? &set->ports : NULL, &ff->out);
}

/* Frames */

static enum verdict rewrite_frame(struct frame *f, enum verdict flow)
{
	if (flow != VERDICT_FORWARDED && flow != VERDICT_EMPTY_OUTPUT)
		return flow;
	if (f->ttl <= 1)
		return VERDICT_TTL_EXPIRED;
	if (flow != VERDICT_FORWARDED)
		return flow;
	if (f->csum_not_ready && !rewrite_complete_checksum(f))
		return VERDICT_CHECKSUM_UNFIXABLE;
	rewrite_ttl(f);
	return VERDICT_FORWARDED;
}

/* Decide on all frames of a flow; true when at least one is to be sent. */
static bool rewrite_flow(struct forward *fw, struct burst *b,
	const struct burst_flow *fl, enum verdict flow)
{
	unsigned n[_VERDICT_FRAME_N] = {0};

	for (unsigned i = fl->first; i < BURST_MAX; i = b->frame[i].next) {
		struct burst_frame *bf = &b->frame[i];
		enum verdict v = rewrite_frame(&bf->f, flow);

		bf->drop = v != VERDICT_FORWARDED;
		n[v]++;
	}
	for (unsigned v = 0; v < _VERDICT_FRAME_N; v++)
		if (n[v])
			count_verdict(fw, fl->port, v, n[v]);
	return n[VERDICT_FORWARDED] > 0;
}

/* Ports */

static void send_chunk(struct output *o)
{
	struct forward *fw = o->fw;

	if (fw->n_msg == 0)
		return;
	o->tx->send(o->tx->ctx, o->index, fw->msg, fw->n_msg);
	fw->n_msg = 0;
	fw->unflushed = true;
}

/* Make the scratch memory free again. */
static void flush(struct forward *fw, const struct tx_ops *tx)
{
	if (fw->unflushed)
		tx->flush(tx->ctx);
	fw->unflushed = false;
	fw->n_l2 = 0;
	fw->frag_used = 0;
	fw->pass++;
}

/* Link header of a flow on this port, NULL on links without one. May flush. */
static uint8_t *link_header(struct output *o, unsigned flow)
{
	struct forward *fw = o->fw;
	struct forward_flow *ff = &fw->flow[flow];

	if (!o->port->has_l2 || ff->l2_pass == fw->pass)
		return o->port->has_l2 ? ff->l2 : NULL;
	if (fw->n_l2 == N_L2) {
		send_chunk(o);
		flush(fw, o->tx);
	}
	ff->l2 = fw->l2[fw->n_l2++];
	ff->l2_pass = fw->pass;
	rewrite_l2(ff->l2, &o->b->flow[flow].group, o->port->mac);
	return ff->l2;
}

/* Header and packet stay where they are until the next flush. */
static void push(
	struct output *o, enum family family, uint8_t *l2, uint8_t *packet, size_t len)
{
	struct forward *fw = o->fw;
	struct tx_msg *m;

	if (fw->n_msg == CHUNK)
		send_chunk(o);
	m = &fw->msg[fw->n_msg++];
	m->family = family;
	m->n_iov = 0;
	if (l2)
		m->iov[m->n_iov++] = (struct iovec){l2, REWRITE_L2_LEN};
	m->iov[m->n_iov++] = (struct iovec){packet, len};
}

static int cut(struct output *o, const struct frame *f)
{
	struct forward *fw = o->fw;

	return rewrite_fragment(f, o->port->mtu, fw->frag + fw->frag_used,
		FRAG_SPACE - fw->frag_used, fw->frag_len, N_FRAGS_MAX);
}

static enum verdict push_fragments(struct output *o, const struct burst_frame *bf)
{
	struct forward *fw = o->fw;
	uint8_t *l2 = link_header(o, bf->flow);
	int n = cut(o, &bf->f);

	if (n < 0 && fw->frag_used > 0) {
		send_chunk(o);
		flush(fw, o->tx);
		l2 = link_header(o, bf->flow);
		n = cut(o, &bf->f);
	}
	if (n < 0)
		return VERDICT_FRAG_FAILED;
	for (int i = 0; i < n; i++) {
		push(o, bf->f.family, l2, fw->frag + fw->frag_used, fw->frag_len[i]);
		fw->frag_used += fw->frag_len[i];
	}
	return VERDICT_FORWARDED;
}

static enum verdict push_copy(struct output *o, const struct burst_frame *bf)
{
	const struct frame *f = &bf->f;

	if (f->ttl <= o->port->threshold)
		return VERDICT_TTL_THRESHOLD;
	if (f->ip_len <= o->port->mtu) {
		push(o, f->family, link_header(o, bf->flow), f->ip, f->ip_len);
		return VERDICT_FORWARDED;
	}
	if (f->df)
		return VERDICT_MTU_DF;
	return push_fragments(o, bf);
}

static void serve_port(struct output *o)
{
	struct forward *fw = o->fw;

	fw->pass++;
	for (unsigned i = 0; i < o->b->n_frames; i++) {
		const struct burst_frame *bf = &o->b->frame[i];
		enum verdict v;

		if (bf->drop || !portset_has(&fw->flow[bf->flow].out, o->index))
			continue;
		v = push_copy(o, bf);
		if (v != VERDICT_FORWARDED)
			count_verdict(fw, o->index, v, 1);
	}
	send_chunk(o);
}

void forward_burst(struct forward *fw, struct burst *b, const struct plan *plan,
	struct fib *fib, const struct tx_ops *tx)
{
	struct portset ports = {0};

	if (b->n_frames == 0)
		return;
	for (unsigned i = 0; i < b->n_flows; i++) {
		const struct burst_flow *fl = &b->flow[i];
		enum verdict v = route_flow(fw, b, fl, plan, fib);

		if (rewrite_flow(fw, b, fl, v))
			portset_or(&ports, &fw->flow[i].out);
	}
	portset_for_each (&ports, i) {
		struct output o = {
			.fw = fw,
			.b = b,
			.tx = tx,
			.index = i,
			.port = &plan->port[i],
		};

		serve_port(&o);
	}
	flush(fw, tx);
	count(&fw->counters.frames, b->n_frames);
	count(&fw->counters.bursts, 1);
	burst_clear(b);
}
