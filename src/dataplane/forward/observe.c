/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * See observe.h. The copies of the burst have just been sent, so the payload is often
 * still in the cache. The rest is prefetched while the previous datagram is analysed.
 * Only the head of each MPEG-TS packet is read.
 */

#include "dataplane/forward/observe.h"

#include "base/bytes.h"
#include "base/inet.h"
#include "dataplane/packet/latency.h"

#define AHEAD	4   /* flows */
#define HEADS	7   /* of TS packets in a datagram */
#define TS_SIZE 188 /* between them */

static bool has_outputs(const struct replicate_job *job, unsigned flow)
{
	return !portset_empty(&job->flow[flow].out);
}

static void prefetch_heads(const struct burst_frame *bf)
{
	const uint8_t *p = bf->f.ip + bf->f.l4_off + UDP_HLEN;

	for (unsigned i = 0; i < HEADS; i++)
		__builtin_prefetch(p + (size_t)i * TS_SIZE);
}

static void observe_fragment(const struct frame *f, struct quality_watch *w, int64_t at)
{
	bool first = f->l4_off && f->ip_len >= f->l4_off + UDP_HLEN;

	quality_watch_fragment(
		w, first, first ? get_u16be(f->ip + f->l4_off + 2) : 0, at);
}

static void observe_frame(const struct frame *f, struct quality_watch *w)
{
	const uint8_t *udp = f->ip + f->l4_off;
	int64_t at = (int64_t)latency_stamp_ns(f->stamp);
	size_t len, size;
	uint16_t dport;

	if (f->proto != PROTO_UDP)
		return;
	if (f->fragment) {
		observe_fragment(f, w, at);
		return;
	}
	if (f->ip_len < f->l4_off + UDP_HLEN)
		return;
	len = f->ip_len - f->l4_off - UDP_HLEN;
	/* bytes of the packet after the datagram do not belong to it */
	if (!f->gso_size && get_u16be(udp + 4) >= UDP_HLEN &&
		get_u16be(udp + 4) - UDP_HLEN < len)
		len = get_u16be(udp + 4) - UDP_HLEN;
	dport = get_u16be(udp + 2);
	size = f->gso_size ? f->gso_size : len;
	for (udp += UDP_HLEN; len > size; udp += size, len -= size)
		quality_watch_datagram(w, dport, udp, size, at);
	quality_watch_datagram(w, dport, udp, len, at);
}

void observe_flow(
	const struct replicate_job *job, unsigned flow, struct quality_watch *w)
{
	const struct burst *b = job->burst;
	const struct burst_flow *fl = &b->flow[flow];

	if (!has_outputs(job, flow))
		return;
	quality_watch_flow(w, fl->port, &fl->src, &fl->group);
	for (unsigned i = fl->first; i < BURST_MAX; i = b->frame[i].next) {
		if (b->frame[i].next < BURST_MAX)
			prefetch_heads(&b->frame[b->frame[i].next]);
		observe_frame(&b->frame[i].f, w);
	}
}

void observe_burst(const struct replicate_job *job, struct quality_watch *w)
{
	const struct burst *b = job->burst;

	for (unsigned i = 0; i < b->n_flows; i++) {
		unsigned next = i + AHEAD;

		if (next < b->n_flows && has_outputs(job, next)) {
			quality_watch_expect(w, b->flow[next].port, &b->flow[next].src,
				&b->flow[next].group);
			prefetch_heads(&b->frame[b->flow[next].first]);
		}
		observe_flow(job, i, w);
	}
}
