/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The hot path, see forward.h. A burst is decided on in two passes:
 *
 *   flows   input port, source, table and port plan give each flow its set of ports;
 *   frames  TTL, partial checksum: each frame is rewritten once, in place; runs of
 *           frames that may leave as one are found (coalesce.c).
 *
 * RFC 2365 5 and RFC 4007 5 for groups that stop at a boundary, RFC 4605 4.2 for the
 * ports that get a packet (by table and plan), RFC 1812 5.2.1.3 for TTL. Nothing here
 * allocates, waits or calls the kernel. Pure.
 */

#include "dataplane/forward/forward.h"

#include "base/cleanup.h"
#include "base/minmax.h"
#include "dataplane/packet/rewrite.h"

#include <assert.h>
#include <errno.h>

int forward_new(struct forward **ret)
{
	struct forward *fw = calloc(1, sizeof(*fw));
	int r;

	if (!fw)
		return -ENOMEM;
	r = replicate_new(&fw->counters, &fw->refusals, &fw->replicator);
	if (r < 0) {
		free(fw);
		return r;
	}
	fw->coalesce = COALESCE_ON;
	*ret = fw;
	return 0;
}

struct forward *forward_free(struct forward *fw)
{
	if (fw)
		replicate_free(fw->replicator);
	free(fw);
	return NULL;
}

/* Counters */

void forward_drop(struct forward *fw, unsigned port, enum verdict why,
	const struct frame_meta *meta)
{
	struct refusal r = {.port = port, .why = why, .n = 1, .at = meta->stamp};

	assert(why < _VERDICT_FRAME_N);
	counter_add(&fw->counters.count[THREAD_COUNT_FRAMES], 1);
	counter_add_verdict(&fw->counters, port, why, 1);
	if (why != VERDICT_CONTROL && frame_peek(meta, &r.from, &r.group))
		refusals_note(&fw->refusals, &r);
}

/* Flows */

static bool port_speaks(const struct plan_port *p, enum family family)
{
	return p->present && (family == FAMILY_IPV4 ? p->ipv4 : p->ipv6);
}

/* Removes the ports where the group must not leave. Returns true if that has emptied
 * the set. */
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

/* The output ports of all flows of one input that have the same set in the table. In
 * most bursts, a flow has the same route as the flow before it. */
struct route {
	unsigned port; /* input; PORT_MAX before the first flow */
	enum family family;
	const struct fib_outset *members; /* or NULL if the table has no such group */
	enum verdict why;		  /* VERDICT_FORWARDED: see `out` */
	struct portset out;
	uint16_t n_ports;
	bool filtered; /* some port may refuse a group */
};

static void find_ports(struct route *r, const struct plan *plan)
{
	const struct plan_port *in = &plan->port[r->port];
	const struct portset *members = r->members ? &r->members->ports : NULL;
	struct portset out = in->always;

	portset_del(&out, r->port);
	r->why = VERDICT_FORWARDED;
	if (!members && portset_empty(&out))
		r->why = VERDICT_NO_GROUP;
	else if (members && portset_empty(members) && portset_empty(&out))
		r->why = VERDICT_SOURCE_FILTERED;
	if (members)
		portset_or(&out, members);
	portset_del(&out, r->port); /* never back (RFC 4605 4.2) */
	portset_intersect(&out, &in->allowed);
	r->filtered = false;
	portset_for_each (&out, port) {
		const struct plan_port *p = &plan->port[port];

		if (!port_speaks(p, r->family))
			portset_del(&out, port);
		else if (plan_may_refuse(&p->out, r->family))
			r->filtered = true;
	}
	r->out = out;
	r->n_ports = (uint16_t)portset_count(&out);
}

/* Ports of a flow whose source is accepted. */
static enum verdict find_outputs(const struct burst_flow *fl, const struct plan *plan,
	const struct fib_outset *members, struct route *r, struct replicate_flow *ret)
{
	enum family family = addr_family(&fl->group);

	if (r->port != fl->port || r->members != members || r->family != family) {
		r->port = fl->port;
		r->members = members;
		r->family = family;
		find_ports(r, plan);
	}
	if (r->why != VERDICT_FORWARDED)
		return r->why;
	ret->out = r->out;
	ret->n_ports = r->n_ports;
	if (r->filtered) {
		if (filter_outputs(plan, &fl->group, &ret->out))
			return VERDICT_ACL;
		ret->n_ports = (uint16_t)portset_count(&ret->out);
	}
	return ret->n_ports == 0 ? VERDICT_EMPTY_OUTPUT : VERDICT_FORWARDED;
}

/* Where a flow goes: VERDICT_FORWARDED and the set, or why it goes nowhere. */
static enum verdict route_flow(struct forward *fw, const struct burst *b,
	const struct burst_flow *fl, const struct plan *plan, struct fib *fib,
	struct route *route)
{
	struct replicate_flow *ff = &fw->flow[fl - b->flow];
	const struct plan_port *in = &plan->port[fl->port];
	struct forward_port_counters *pc = &fw->counters.port[fl->port];
	const struct fib_query *q = &fw->query[fl - b->flow];
	uint64_t bytes = 0;

	if (!in->receive || !port_speaks(in, addr_family(&fl->group)))
		return VERDICT_WRONG_INPUT;
	if (plan_is_own(plan, &fl->src))
		return VERDICT_MARTIAN_SOURCE;
	if (!plan_source_ok(in, &fl->src)) {
		if (q->entry)
			fib_count_wrong(q->entry, fl->n);
		return VERDICT_WRONG_INPUT;
	}
	if (plan_may_refuse(&in->in, addr_family(&fl->group)) &&
		!plan_group_ok(&in->in, &fl->group))
		return VERDICT_ACL;
	for (unsigned i = fl->first; i < BURST_MAX; i = b->frame[i].next)
		bytes += b->frame[i].f.ip_len;
	counter_add(&pc->count[PORT_COUNT_RX_PACKETS], fl->n);
	counter_add(&pc->count[PORT_COUNT_RX_BYTES], bytes);
	if (q->entry)
		fib_count(fib, q->entry, fl->n, bytes, &fl->src, fl->port,
			latency_stamp_s(b->frame[fl->last].f.stamp));
	return find_outputs(fl, plan, q->out, route, ff);
}

/* Frames */

/* What the ports of a burst have in common. */
struct needs {
	bool whole_checksums; /* some port cannot finish a partial one */
	uint32_t mtu;	      /* the smallest: larger packets may be fragmented */
	bool super_frames;    /* some port takes them */
};

static enum verdict fix_checksum(struct frame *f, const struct needs *needs)
{
	if (f->gso_size)
		return rewrite_make_partial(f) ? VERDICT_FORWARDED
					       : VERDICT_CHECKSUM_UNFIXABLE;
	if (!f->csum_not_ready)
		return VERDICT_FORWARDED;
	if (!needs->whole_checksums && f->ip_len <= needs->mtu &&
		rewrite_partial_offset(f))
		return VERDICT_FORWARDED;
	return rewrite_complete_checksum(f) ? VERDICT_FORWARDED
					    : VERDICT_CHECKSUM_UNFIXABLE;
}

static enum verdict rewrite_frame(
	struct frame *f, enum verdict flow, const struct needs *needs)
{
	enum verdict v;

	if (flow != VERDICT_FORWARDED && flow != VERDICT_EMPTY_OUTPUT)
		return flow;
	if (f->ttl <= 1)
		return VERDICT_TTL_EXPIRED;
	if (flow != VERDICT_FORWARDED)
		return flow;
	v = fix_checksum(f, needs);
	if (v == VERDICT_FORWARDED)
		rewrite_ttl(f);
	return v;
}

/* `n` frames of a flow, one after the other, have the same verdict. Records those that
 * go nowhere, unless no member wants them. */
static void note_verdict(struct forward *fw, const struct burst *b,
	const struct burst_flow *fl, enum verdict why, unsigned n)
{
	if (n == 0)
		return;
	counter_add_verdict(&fw->counters, fl->port, why, n);
	if (why == VERDICT_FORWARDED || why == VERDICT_NO_GROUP)
		return;
	refusals_note(&fw->refusals,
		&(struct refusal){.port = fl->port,
			.why = why,
			.group = fl->group,
			.from = fl->src,
			.n = n,
			.at = b->frame[fl->last].f.stamp});
}

/* Decides on all frames of a flow; returns the number of datagrams for each port. */
static unsigned rewrite_flow(struct forward *fw, struct burst *b,
	const struct burst_flow *fl, enum verdict flow, const struct needs *needs)
{
	enum verdict last = VERDICT_FORWARDED;
	unsigned n = 0, n_datagrams = 0;

	for (unsigned i = fl->first; i < BURST_MAX; i = b->frame[i].next) {
		struct burst_frame *bf = &b->frame[i];
		enum verdict v = rewrite_frame(&bf->f, flow, needs);

		bf->drop = v != VERDICT_FORWARDED;
		if (!bf->drop)
			n_datagrams += frame_n_packets(&bf->f);
		if (v != last) {
			note_verdict(fw, b, fl, last, n);
			n = 0;
		}
		last = v;
		n++;
	}
	note_verdict(fw, b, fl, last, n);
	return n_datagrams;
}

static struct needs needs_of(
	const struct portset *ports, const struct plan *plan, const struct tx_ops *tx)
{
	struct needs needs = {.mtu = UINT32_MAX};

	portset_for_each (ports, i) {
		unsigned caps = tx->caps(tx->ctx, i);

		if (!(caps & TX_VNET))
			needs.whole_checksums = true;
		if (caps & TX_SUPER_FRAME)
			needs.super_frames = true;
		needs.mtu = min(needs.mtu, plan->port[i].mtu);
	}
	return needs;
}

/* Looks up all flows in one call, so that their waits for memory overlap. */
static void look_up_flows(struct forward *fw, const struct burst *b,
	const struct plan *plan, struct fib *fib)
{
	for (unsigned i = 0; i < b->n_flows; i++)
		fw->query[i] = (struct fib_query){
			.source = &b->flow[i].src,
			.group = &b->flow[i].group,
			.instance = plan->port[b->flow[i].port].instance,
		};
	fib_lookup_burst(fib, fw->query, b->n_flows);
}

/* Routes all flows; the result is the set of ports that get something. */
static struct portset route_flows(struct forward *fw, const struct burst *b,
	const struct plan *plan, struct fib *fib, enum verdict *ret_verdict)
{
	struct route route = {.port = PORT_MAX};
	struct portset ports = {0};

	look_up_flows(fw, b, plan, fib);
	for (unsigned i = 0; i < b->n_flows; i++) {
		fw->flow[i].n_runs = 0;
		ret_verdict[i] = route_flow(fw, b, &b->flow[i], plan, fib, &route);
		if (ret_verdict[i] == VERDICT_FORWARDED)
			portset_or(&ports, &fw->flow[i].out);
		else
			fw->flow[i].out = (struct portset){0};
	}
	return ports;
}

/* Frames of a flow are in the order of their arrival. */
static void note_stamps(
	struct forward *fw, const struct burst *b, const struct burst_flow *fl)
{
	uint64_t first = b->frame[fl->first].f.stamp, last = b->frame[fl->last].f.stamp;

	fw->oldest = min(fw->oldest, first);
	fw->newest = max(fw->newest, last);
}

bool forward_stamps(
	const struct forward *fw, uint64_t *ret_oldest, uint64_t *ret_newest)
{
	*ret_oldest = fw->oldest;
	*ret_newest = fw->newest;
	return fw->newest > 0;
}

/* Records how a flow was joined into runs, and adds that to the sums of the burst. A
 * received super-frame counts as its datagrams. */
static void note_runs(struct forward *fw, const struct burst *b,
	const struct burst_flow *fl, unsigned n_datagrams, struct joined_counts *sum)
{
	const struct replicate_flow *ff = &fw->flow[fl - b->flow];
	struct joined_counts n = {.datagrams = n_datagrams, .messages = ff->n_runs};

	for (unsigned i = 0; i < ff->n_runs; i++) {
		enum joined_end end = fw->runs.run[ff->first_run + i].end;

		n.end[end]++;
		sum->end[end]++;
	}
	sum->datagrams += n.datagrams;
	sum->messages += n.messages;
	joined_note(
		&fw->joined, &fl->group, &fl->src, &n, b->frame[fl->last].f.stamp | 1);
}

static void count_runs(struct forward_counters *c, const struct joined_counts *sum)
{
	counter_add(&c->count[THREAD_COUNT_JOINABLE], sum->datagrams);
	counter_add(&c->count[THREAD_COUNT_JOINED], sum->messages);
	for (unsigned e = 0; e < _JOINED_N; e++)
		counter_add(&c->run_end[e], sum->end[e]);
}

/* Rewrites the frames of all flows. Returns how many copies are due. */
static uint64_t rewrite_flows(struct forward *fw, struct burst *b,
	const enum verdict *verdict, const struct needs *needs)
{
	enum coalesce_mode mode = needs->super_frames ? fw->coalesce : COALESCE_OFF;
	const unsigned n_flows = b->n_flows; /* rewriting changes frames only */
	struct joined_counts joined = {0};
	uint64_t due = 0;

	coalesce_clear(&fw->runs);
	for (unsigned i = 0; i < n_flows; i++) {
		struct replicate_flow *fl = &fw->flow[i];
		unsigned n = rewrite_flow(fw, b, &b->flow[i], verdict[i], needs);

		if (n == 0)
			continue;
		due += (uint64_t)n * fl->n_ports;
		note_stamps(fw, b, &b->flow[i]);
		fl->first_run = (uint16_t)fw->runs.n_runs;
		fl->n_runs = (uint16_t)coalesce_flow(&fw->runs, b, &b->flow[i], mode);
		note_runs(fw, b, &b->flow[i], n, &joined);
	}
	count_runs(&fw->counters, &joined);
	counter_add(&fw->counters.count[THREAD_COUNT_DUE], due);
	return due;
}

void forward_burst(struct forward *fw, struct burst *b, const struct plan *plan,
	struct fib *fib, const struct tx_ops *tx, struct replicate_job *ret_job)
{
	enum verdict verdict[BURST_MAX];
	struct needs needs;

	*ret_job = (struct replicate_job){
		.burst = b, .runs = &fw->runs, .flow = fw->flow, .plan = plan};
	fw->oldest = UINT64_MAX;
	fw->newest = 0;
	if (b->n_frames == 0)
		return;
	ret_job->ports = route_flows(fw, b, plan, fib, verdict);
	needs = needs_of(&ret_job->ports, plan, tx);
	ret_job->due = rewrite_flows(fw, b, verdict, &needs);
	counter_add(&fw->counters.count[THREAD_COUNT_FRAMES], b->n_frames);
	counter_add(&fw->counters.count[THREAD_COUNT_BURSTS], 1);
}
