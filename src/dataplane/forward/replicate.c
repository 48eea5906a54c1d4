/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Copies for one port, see replicate.h. RFC 1812 4.2.2.7 for packets larger than the
 * link, 5.3.1 for the threshold. A port that refuses its first super-frame gets the
 * same datagrams one by one: nothing is lost, nothing is sent twice.
 */

#include "dataplane/forward/replicate.h"

#include "base/inet.h"
#include "dataplane/packet/rewrite.h"
#include "dataplane/packet/vnet.h"

#include <errno.h>
#include <stdlib.h>

#define CHUNK	    64 /* messages per tx_ops.send */
#define N_HEADS	    4096
#define N_IOV	    (3 * N_HEADS)
#define IOV_MAX_MSG (2 + 64) /* heads and the datagrams of a super-frame */
#define FRAG_SPACE  (256 * 1024)
#define N_FRAGS_MAX 1400 /* 64 KiB at the smallest MTU of IPv4, 68 bytes */

_Static_assert(N_IOV >= CHUNK * IOV_MAX_MSG, "a chunk of super-frames fits");

struct replicator {
	struct forward_counters *counters;
	struct refusals *refusals;
	struct tx_msg msg[CHUNK];
	unsigned n_msg;
	/* some messages were handed over, or wait to be, so all are in use until the
	 * next flush */
	bool unflushed;
	unsigned n_heads, n_iov;
	size_t frag_used;
	uint16_t frag_len[N_FRAGS_MAX];
	struct iovec iov[N_IOV];
	uint8_t head[N_HEADS][VNET_LEN + REWRITE_L2_LEN];
	uint8_t frag[FRAG_SPACE];
};

/* one output port of the current job */
struct output {
	struct replicator *c;
	const struct replicate_job *job;
	const struct tx_ops *tx;
	unsigned index;
	const struct plan_port *port;
	unsigned caps;
	/* head of a plain IPv4 datagram, without the MAC of its group */
	uint8_t head[VNET_LEN + REWRITE_L2_LEN];
	unsigned vnet_len, l2_len;
};

int replicate_new(struct forward_counters *counters, struct refusals *refusals,
	struct replicator **ret)
{
	struct replicator *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->counters = counters;
	c->refusals = refusals;
	*ret = c;
	return 0;
}

struct replicator *replicate_free(struct replicator *c)
{
	free(c);
	return NULL;
}

/* Memory for headers may be used again. Memory for fragments is taken before they are
 * handed over, so take_space() has its own check of the end. */
static void reset_heads(struct replicator *c)
{
	c->n_heads = c->n_iov = 0;
}

static void flush_sent(struct replicator *c, const struct tx_ops *tx)
{
	if (c->unflushed)
		tx->flush(tx->ctx);
	c->unflushed = false;
	reset_heads(c);
}

/* Returns false if the port has refused the only message, a super-frame. */
static bool send_chunk(struct output *o)
{
	struct replicator *c = o->c;
	unsigned n = c->n_msg;
	bool taken;

	if (n == 0)
		return true;
	c->n_msg = 0;
	c->unflushed = true;
	taken = o->tx->send(o->tx->ctx, o->index, c->msg, n);
	if (o->tx->copied)
		reset_heads(c);
	return taken;
}

void replicate_flush(struct replicator *c, const struct tx_ops *tx)
{
	flush_sent(c, tx);
	c->frag_used = 0;
}

/* Counts `n` datagrams of a frame as not sent to the port. */
static void refuse_copies(
	struct output *o, const struct frame *f, enum verdict why, unsigned n)
{
	counter_add_verdict(o->c->counters, o->index, why, n);
	refusals_note(o->c->refusals,
		&(struct refusal){.port = o->index,
			.why = why,
			.group = f->group,
			.from = f->src,
			.n = n,
			.at = f->stamp});
}

static void add_piece(struct replicator *c, struct tx_msg *m, void *base, size_t len)
{
	c->iov[c->n_iov++] = (struct iovec){base, len};
	m->n_iov++;
}

/* Prepares the common part of the port's heads. Called again when its capabilities have
 * changed. */
static void prepare_heads(struct output *o)
{
	o->vnet_len = o->caps & TX_VNET ? VNET_LEN : 0;
	o->l2_len = o->port->has_l2 ? REWRITE_L2_LEN : 0;
	memset(o->head, 0, sizeof(o->head));
	if (o->l2_len)
		rewrite_l2(o->head + o->vnet_len, &ADDR_V4(0, 0, 0, 0), o->port->mac);
}

static void send_and_flush(struct output *o)
{
	send_chunk(o);
	flush_sent(o->c, o->tx);
}

/* Completes a head where it differs from that of a plain IPv4 datagram, except for the
 * MAC of its group. */
static void finish_head(
	struct output *o, uint8_t *head, const struct frame *f, uint16_t gso_size)
{
	if (o->vnet_len && gso_size)
		vnet_super_frame(head, o->l2_len, f, gso_size);
	else if (o->vnet_len && f->csum_not_ready)
		vnet_partial(head, o->l2_len, f);
	if (o->l2_len && f->family != FAMILY_IPV4)
		rewrite_l2(head + o->vnet_len, &f->group, o->port->mac);
}

/* Begins a message of at most n_iov pieces. The first piece is its head (vnet header,
 * link header, or both), unless the port has none. */
static inline __attribute__((always_inline)) struct tx_msg *begin_message(
	struct output *o, const struct frame *f, unsigned n_iov, uint16_t gso_size)
{
	struct replicator *c = o->c;
	struct tx_msg *m;
	uint8_t *head;

	if (c->n_msg == CHUNK)
		send_chunk(o);
	if (c->n_heads == N_HEADS || c->n_iov + n_iov + 1 > N_IOV)
		send_and_flush(o);
	m = &c->msg[c->n_msg++];
	*m = (struct tx_msg){
		.iov = &c->iov[c->n_iov],
		.family = f->family,
		.n_packets = 1,
	};
	if (o->vnet_len + o->l2_len == 0)
		return m;
	head = c->head[c->n_heads++];
	add_piece(c, m, head, o->vnet_len + o->l2_len);
	memcpy(head, o->head, sizeof(o->head));
	if (gso_size || f->csum_not_ready || f->family != FAMILY_IPV4)
		finish_head(o, head, f, gso_size);
	if (o->l2_len)
		addr_group_mac(&f->group, head + o->vnet_len);
	return m;
}

/* Header and packet stay where they are until the next flush. */
static void push_packet(
	struct output *o, const struct frame *f, uint8_t *packet, uint32_t len)
{
	struct tx_msg *m = begin_message(o, f, 1, 0);

	add_piece(o->c, m, packet, len);
	m->bytes = len;
}

static void push_super_frame(struct output *o, const struct frame *f,
	const struct run *r, unsigned n_packets)
{
	struct replicator *c = o->c;
	struct tx_msg *m = begin_message(o, f, r->n_iov, r->gso_size);

	memcpy(&c->iov[c->n_iov], r->iov, r->n_iov * sizeof(r->iov[0]));
	c->n_iov += r->n_iov;
	m->n_iov += r->n_iov;
	m->super_frame = true;
	m->n_packets = (uint16_t)n_packets;
	m->bytes = r->bytes;
}

/* Space for bytes that belong to this message alone; may flush. NULL if `len` is more
 * than the whole space. */
static uint8_t *take_space(struct output *o, size_t len)
{
	struct replicator *c = o->c;

	if (len > FRAG_SPACE)
		return NULL;
	if (len > FRAG_SPACE - c->frag_used) {
		send_chunk(o);
		replicate_flush(c, o->tx);
	}
	c->frag_used += len;
	return c->frag + c->frag_used - len;
}

static enum verdict push_fragments(struct output *o, const struct frame *f)
{
	struct replicator *c = o->c;
	/* each fragment has a header of its own and eight bytes of data at least */
	size_t most = f->ip_len + (size_t)f->ip_hlen * N_FRAGS_MAX;
	uint8_t *out = take_space(o, most);
	uint32_t used = 0;
	int n;

	if (!out)
		return VERDICT_FRAG_FAILED;
	n = rewrite_fragment(f, o->port->mtu, out, most, c->frag_len, N_FRAGS_MAX);
	if (n < 0) {
		c->frag_used -= most;
		return VERDICT_FRAG_FAILED;
	}
	for (int i = 0; i < n; i++)
		used += c->frag_len[i];
	c->frag_used -= most - used;
	counter_add_port(c->counters, o->index, PORT_COUNT_FRAGMENTS, (uint64_t)n - 1);
	for (int i = 0; i < n; i++) {
		push_packet(o, f, out, c->frag_len[i]);
		out += c->frag_len[i];
	}
	return VERDICT_FORWARDED;
}

static enum verdict push_datagram(struct output *o, const struct frame *f)
{
	if (f->ip_len <= o->port->mtu) {
		push_packet(o, f, f->ip, f->ip_len);
		return VERDICT_FORWARDED;
	}
	return f->df ? VERDICT_MTU_DF : push_fragments(o, f);
}

/* Sends a received super-frame to a port that takes none. */
static void push_pieces(struct output *o, const struct frame *f)
{
	unsigned n = frame_n_packets(f);

	for (unsigned i = 0; i < n; i++) {
		uint8_t *out = take_space(o, rewrite_piece_len(f, i));
		struct frame piece;
		enum verdict v = VERDICT_FRAG_FAILED;

		if (out) {
			rewrite_piece(f, i, out, &piece);
			v = push_datagram(o, &piece);
		}
		if (v != VERDICT_FORWARDED)
			refuse_copies(o, f, v, 1);
	}
}

static void push_frame(struct output *o, const struct frame *f)
{
	enum verdict v;

	if (f->gso_size) {
		push_pieces(o, f);
		return;
	}
	v = push_datagram(o, f);
	if (v != VERDICT_FORWARDED)
		refuse_copies(o, f, v, 1);
}

/* The largest datagram of a run: only the last may be smaller. */
static uint32_t largest(const struct frame *f)
{
	return f->gso_size ? rewrite_piece_len(f, 0) : f->ip_len;
}

static unsigned n_packets(const struct run *r, const struct frame *f)
{
	return f->gso_size ? frame_n_packets(f) : r->n;
}

/* The first super-frame that a port ever gets is sent alone. Returns false if the port
 * takes no super-frames. */
static bool send_super_frame(
	struct output *o, const struct frame *f, const struct run *r)
{
	bool untried = o->caps & TX_UNTRIED, taken = true;

	if (untried)
		send_chunk(o);
	push_super_frame(o, f, r, n_packets(r, f));
	if (untried) {
		taken = send_chunk(o);
		o->caps = o->tx->caps(o->tx->ctx, o->index);
		prepare_heads(o);
	}
	return taken;
}

static void send_run(struct output *o, const struct run *r)
{
	const struct burst *b = o->job->burst;
	const struct frame *f = &b->frame[r->first].f;

	if (f->ttl <= o->port->threshold) {
		refuse_copies(o, f, VERDICT_TTL_THRESHOLD, n_packets(r, f));
		return;
	}
	if (r->gso_size && (o->caps & TX_SUPER_FRAME) && largest(f) <= o->port->mtu &&
		send_super_frame(o, f, r))
		return;
	for (unsigned i = r->first; i < BURST_MAX; i = o->job->runs->next[i])
		push_frame(o, &b->frame[i].f);
}

/* A frame that leaves on an interface never reaches the programs of this host that have
 * joined the group there, so these programs get a separate packet. With a TTL of 0 the
 * kernel delivers it locally and sends nothing. */
static void give_packet(struct output *o, const struct frame *f)
{
	bool v4 = f->family == FAMILY_IPV4;
	size_t hlen = v4 ? f->ip_hlen : IPV6_HLEN;
	uint8_t head[60];
	struct iovec iov[2] = {
		{head, hlen},
		{f->ip + hlen, f->ip_len - hlen},
	};

	memcpy(head, f->ip, hlen);
	head[v4 ? 8 : 7] = 0; /* the kernel makes the checksum of the header */
	o->tx->local(o->tx->local_ctx, o->port->ifindex, f->family, iov);
}

static void give_frame(struct output *o, const struct frame *f)
{
	for (unsigned i = 0; f->gso_size && i < frame_n_packets(f); i++) {
		uint8_t *out = take_space(o, rewrite_piece_len(f, i));
		struct frame piece;

		if (!out)
			return;
		rewrite_piece(f, i, out, &piece);
		give_packet(o, &piece);
	}
	if (!f->gso_size)
		give_packet(o, f);
}

static void serve_programs(struct output *o)
{
	const struct burst *b = o->job->burst;

	for (unsigned i = 0; i < b->n_flows; i++) {
		if (!portset_has(&o->job->flow[i].out, o->index) ||
			!plan_is_local(o->port, &b->flow[i].group))
			continue;
		for (unsigned k = b->flow[i].first; k < BURST_MAX; k = b->frame[k].next)
			if (!b->frame[k].drop)
				give_frame(o, &b->frame[k].f);
	}
}

void replicate_serve(struct replicator *c, const struct replicate_job *job,
	unsigned port, const struct tx_ops *tx)
{
	struct output o = {
		.c = c,
		.job = job,
		.tx = tx,
		.index = port,
		.port = &job->plan->port[port],
		.caps = tx->caps(tx->ctx, port),
	};

	prepare_heads(&o);
	for (unsigned i = 0; i < job->burst->n_flows; i++) {
		const struct replicate_flow *fl = &job->flow[i];

		if (!portset_has(&fl->out, port))
			continue;
		for (unsigned k = 0; k < fl->n_runs; k++)
			send_run(&o, &job->runs->run[fl->first_run + k]);
	}
	send_chunk(&o);
	if (o.port->n_local && tx->local)
		serve_programs(&o);
}

void replicate_serve_all(
	struct replicator *c, const struct replicate_job *job, const struct tx_ops *tx)
{
	portset_for_each (&job->ports, i)
		replicate_serve(c, job, i, tx);
	replicate_flush(c, tx);
}
