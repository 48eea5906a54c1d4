/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Runs of datagrams, see coalesce.h. When the kernel cuts a super-frame, each piece
 * gets the first headers with its own length, identification and checksum
 * (inet_gso_segment, __udp_gso_segment). Datagrams that this would not restore exactly
 * are not joined. RFC 768 for the checksum that is 0, RFC 6864 for identifications, RFC
 * 6437 for flow labels.
 */

#include "dataplane/forward/coalesce.h"

#include "base/bytes.h"
#include "base/inet.h"
#include "dataplane/packet/rewrite.h"

/* Of a super-frame: the link header must also fit into the 64 KiB. */
#define IP_LEN_MAX 65500u
/* A device queue or backlog accepts a few hundred packets at once; more would be lost
 * without notice. This is also the most that the kernel lets a UDP socket send. */
#define SEGMENTS_MAX 64u
/* The most runs of a flow that can get further datagrams at the same time: one for
 * media, two for FEC, and a few spare ones. */
#define OPEN_MAX 8u
/* If identifications of a burst are further apart, rising ones cannot be told from
 * falling ones. */
#define ID_SPAN_MAX 0x7fffu

/* What may be done with the identifications of a flow. */
enum ids {
	IDS_UNKNOWN, /* not looked at yet */
	IDS_KEEP,
	IDS_DEAL, /* deal_ids() gives new ones */
};

/* one flow on its way into runs */
struct walk {
	struct coalesce *c;
	struct burst *b;
	const struct burst_flow *fl;
	enum coalesce_mode mode;
	enum ids ids;
	bool deal; /* some run needs deal_ids() */
	unsigned n_open, open_max;
	struct {
		uint32_t ports;
		struct run *run;
	} open[OPEN_MAX]; /* the oldest first */
};

void coalesce_clear(struct coalesce *c)
{
	c->n_runs = c->n_iov = 0;
}

/* Does not clear `open`, which is larger than all other members together. */
static void begin_walk(struct walk *w, struct coalesce *c, struct burst *b,
	const struct burst_flow *fl, enum coalesce_mode mode)
{
	w->c = c;
	w->b = b;
	w->fl = fl;
	w->mode = mode;
	w->ids = IDS_UNKNOWN;
	w->deal = false;
	w->n_open = 0;
	w->open_max = mode == COALESCE_ON ? OPEN_MAX : 1;
}

static uint32_t payload_len(const struct frame *f)
{
	return f->ip_len - f->l4_off - UDP_HLEN;
}

static uint16_t next_frame(const struct burst *b, uint16_t i)
{
	do {
		i = (uint16_t)b->frame[i].next;
	} while (i < BURST_MAX && b->frame[i].drop);
	return i;
}

static uint16_t first_frame(const struct burst *b, const struct burst_flow *fl)
{
	uint16_t i = (uint16_t)fl->first;

	return i < BURST_MAX && b->frame[i].drop ? next_frame(b, i) : i;
}

/* Does a UDP datagram without options have no checksum? The field is then 0. */
static bool has_no_checksum(const struct frame *f)
{
	return !f->csum_not_ready && get_u16be(f->ip + f->l4_off + 6) == 0;
}

/* Can the frame be part of a run, whatever its checksum is? If false, *ret_why has the
 * reason. */
static bool is_candidate(
	const struct frame *f, enum coalesce_mode mode, enum joined_end *ret_why)
{
	unsigned hlen = f->family == FAMILY_IPV4 ? IPV4_HLEN : IPV6_HLEN;

	*ret_why = mode == COALESCE_OFF ? JOINED_OFF : JOINED_KIND;
	if (mode == COALESCE_OFF || f->proto != PROTO_UDP || f->fragment ||
		f->gso_size || f->l4_off != hlen || f->ip_len <= hlen + UDP_HLEN ||
		get_u16be(f->ip + hlen + 4) != f->ip_len - hlen)
		return false;
	*ret_why = JOINED_CHECKSUM;
	return !has_no_checksum(f) || (f->family == FAMILY_IPV4 && mode == COALESCE_ON);
}

static bool checksum_good(struct frame *f)
{
	return f->csum_not_ready || f->csum_valid || has_no_checksum(f) ||
		rewrite_verify_checksum(f);
}

/* Identifications */

/* Is it a whole datagram that may have to be fragmented? Then its identification has to
 * differ from others. */
static bool has_id(const struct frame *f)
{
	return f->family == FAMILY_IPV4 && f->proto == PROTO_UDP &&
		!(f->ip[6] & IPV4_DF >> 8);
}

/*
 * May the datagrams of a flow get other identifications? A burst has all datagrams of
 * the flow that arrived meanwhile, whatever their ports, because a flow has one thread.
 * If the identifications rise from each datagram to the next, by any steps, there are
 * at least as many numbers from the first to the last as there are datagrams. These
 * numbers are assigned again in the order in which the datagrams leave. None is used
 * twice, and none is outside the range that the sender has used for this group, so the
 * bursts before and after have other numbers.
 */
static enum ids look_at_ids(const struct walk *w)
{
	uint32_t span = 0;
	uint16_t before = 0;
	bool any = false;

	for (uint16_t i = first_frame(w->b, w->fl); i < BURST_MAX;
		i = next_frame(w->b, i)) {
		const struct frame *f = &w->b->frame[i].f;

		/* frames with the same number may be outside of this burst */
		if (f->proto == PROTO_UDP && (f->fragment || f->gso_size))
			return IDS_KEEP;
		if (!has_id(f))
			continue;
		if (any) {
			uint16_t step = (uint16_t)(get_u16be(f->ip + 4) - before);

			span += step;
			if (step == 0 || span > ID_SPAN_MAX)
				return IDS_KEEP;
		}
		any = true;
		before = get_u16be(f->ip + 4);
	}
	return IDS_DEAL;
}

static bool may_deal(struct walk *w)
{
	if (w->ids == IDS_UNKNOWN)
		w->ids = look_at_ids(w);
	return w->ids == IDS_DEAL;
}

static void set_id(struct frame *f, uint16_t id)
{
	uint16_t old = get_u16be(f->ip + 4);

	put_u16be(f->ip + 4, id);
	put_u16be(f->ip + 10, rewrite_csum16(get_u16be(f->ip + 10), old, id));
}

/* All datagrams of the flow, including those that leave alone, because these must also
 * differ. */
static void deal_ids(struct walk *w, unsigned first_run)
{
	uint16_t id = 0, i;
	bool any = false;

	for (i = first_frame(w->b, w->fl); i < BURST_MAX && !any;
		i = next_frame(w->b, i))
		if (has_id(&w->b->frame[i].f)) {
			id = get_u16be(w->b->frame[i].f.ip + 4);
			any = true;
		}
	for (unsigned r = first_run; r < w->c->n_runs; r++)
		for (i = w->c->run[r].first; i < BURST_MAX; i = w->c->next[i])
			if (has_id(&w->b->frame[i].f))
				set_id(&w->b->frame[i].f, id++);
}

/* Runs */

static bool ids_follow(struct walk *w, const uint8_t *a, const uint8_t *b)
{
	if ((uint16_t)(get_u16be(a + 4) + 1) == get_u16be(b + 4))
		return true;
	return w->mode == COALESCE_ON && ((a[6] & IPV4_DF >> 8) || may_deal(w));
}

static bool headers_follow(const struct frame *a, const struct frame *b)
{
	if (a->family == FAMILY_IPV4)
		/* version, length of header, TOS; flags, offset, TTL, protocol */
		return memcmp(a->ip, b->ip, 2) == 0 &&
			memcmp(a->ip + 6, b->ip + 6, 4) == 0;
	/* version, traffic class, flow label; next header, hop limit */
	return memcmp(a->ip, b->ip, 4) == 0 && memcmp(a->ip + 6, b->ip + 6, 2) == 0;
}

/* Returns _JOINED_N if f, a candidate of the same addresses and ports, may be the next
 * one of the run, else why it is not. */
static enum joined_end why_not(struct walk *w, const struct run *r, struct frame *f)
{
	struct frame *first = &w->b->frame[r->first].f;
	const struct frame *last = &w->b->frame[r->last].f;
	uint32_t size = payload_len(first);

	if (payload_len(last) != size || payload_len(f) > size)
		return JOINED_SIZE;
	if (r->n == SEGMENTS_MAX || r->bytes + payload_len(f) > IP_LEN_MAX)
		return JOINED_FULL;
	if (!headers_follow(last, f))
		return JOINED_HEADER;
	if (f->family == FAMILY_IPV4 && !ids_follow(w, last->ip, f->ip))
		return JOINED_ID;
	/* a datagram that leaves alone does not have to be verified */
	if ((r->n == 1 && !checksum_good(first)) || !checksum_good(f))
		return JOINED_CHECKSUM;
	return _JOINED_N;
}

/* `bytes` is the length of the packet until all are there, see fill_run(). */
static struct run *begin_run(
	struct coalesce *c, const struct burst *b, uint16_t i, enum joined_end end)
{
	struct run *r = &c->run[c->n_runs++];

	*r = (struct run){.first = i,
		.last = i,
		.n = 1,
		.bytes = b->frame[i].f.ip_len,
		.end = end};
	c->next[i] = BURST_MAX;
	return r;
}

static void extend_run(struct walk *w, struct run *r, uint16_t i)
{
	const struct frame *last = &w->b->frame[r->last].f, *f = &w->b->frame[i].f;

	if (has_id(f) &&
		(uint16_t)(get_u16be(last->ip + 4) + 1) != get_u16be(f->ip + 4))
		w->deal = true;
	w->c->next[r->last] = i;
	w->c->next[i] = BURST_MAX;
	r->last = i;
	r->n++;
	r->bytes += payload_len(f);
}

static void close_all(struct walk *w, enum joined_end why)
{
	for (unsigned i = 0; i < w->n_open; i++)
		w->open[i].run->end = why;
	w->n_open = 0;
}

static void close_one(struct walk *w, unsigned k, enum joined_end why)
{
	w->open[k].run->end = why;
	w->n_open--;
	memmove(&w->open[k], &w->open[k + 1], (w->n_open - k) * sizeof(w->open[0]));
}

static void place_frame(struct walk *w, uint16_t i)
{
	struct frame *f = &w->b->frame[i].f;
	enum joined_end why;
	uint32_t ports;

	if (!is_candidate(f, w->mode, &why)) {
		close_all(w, why);
		begin_run(w->c, w->b, i, why);
		return;
	}
	memcpy(&ports, f->ip + f->l4_off, sizeof(ports));
	for (unsigned k = 0; k < w->n_open; k++) {
		if (w->open[k].ports != ports)
			continue;
		why = why_not(w, w->open[k].run, f);
		if (why == _JOINED_N) {
			extend_run(w, w->open[k].run, i);
			return;
		}
		close_one(w, k, why);
		break;
	}
	if (w->n_open == w->open_max)
		close_one(w, 0, JOINED_PORTS);
	w->open[w->n_open].ports = ports;
	w->open[w->n_open++].run = begin_run(w->c, w->b, i, JOINED_LAST);
}

/* Messages */

static void make_head(uint8_t *head, const struct frame *f, uint32_t payload)
{
	unsigned hlen = f->l4_off;
	uint8_t *udp = head + hlen;
	unsigned udp_len = UDP_HLEN + payload;

	memcpy(head, f->ip, hlen + UDP_HLEN);
	if (f->family == FAMILY_IPV4) {
		put_u16be(head + 2, hlen + udp_len);
		put_u16be(head + 10, 0);
		put_u16be(head + 10, inet_fold(inet_sum(head, hlen, 0)));
	} else {
		put_u16be(head + 4, udp_len);
	}
	put_u16be(udp + 4, udp_len);
	/* of the pseudo header; the kernel or device that cuts completes it */
	put_u16be(udp + 6, (uint16_t)~inet_fold(rewrite_pseudo_sum(f, udp_len)));
}

static void add_iov(struct coalesce *c, struct run *r, void *base, size_t len)
{
	c->iov[c->n_iov++] = (struct iovec){base, len};
	r->n_iov++;
}

static void fill_run(struct coalesce *c, const struct burst *b, struct run *r)
{
	const struct frame *f = &b->frame[r->first].f;
	uint8_t *head = c->head[r - c->run];
	unsigned head_len = f->l4_off + UDP_HLEN;
	uint32_t payload = 0;

	r->iov = &c->iov[c->n_iov];
	r->bytes = f->ip_len;
	if (r->n == 1) {
		r->gso_size = f->gso_size; /* came as a super-frame */
		r->bytes += (frame_n_packets(f) - 1) * head_len;
		add_iov(c, r, f->ip, f->ip_len);
		return;
	}
	r->bytes = 0;
	r->gso_size = (uint16_t)payload_len(f);
	add_iov(c, r, head, head_len);
	for (uint16_t i = r->first; i < BURST_MAX; i = c->next[i]) {
		const struct frame *p = &b->frame[i].f;

		add_iov(c, r, p->ip + head_len, payload_len(p));
		payload += payload_len(p);
		r->bytes += p->ip_len;
	}
	make_head(head, f, payload);
}

/* A datagram that came alone, as most of television does. */
static unsigned coalesce_one(
	struct coalesce *c, const struct burst *b, uint16_t i, enum coalesce_mode mode)
{
	enum joined_end why;

	if (b->frame[i].drop)
		return 0;
	if (is_candidate(&b->frame[i].f, mode, &why))
		why = JOINED_LAST;
	fill_run(c, b, begin_run(c, b, i, why));
	return 1;
}

unsigned coalesce_flow(struct coalesce *c, struct burst *b, const struct burst_flow *fl,
	enum coalesce_mode mode)
{
	unsigned before = c->n_runs;
	struct walk w;

	if (fl->n == 1)
		return coalesce_one(c, b, (uint16_t)fl->first, mode);
	begin_walk(&w, c, b, fl, mode);
	for (uint16_t i = first_frame(b, fl); i < BURST_MAX; i = next_frame(b, i))
		place_frame(&w, i);
	close_all(&w, JOINED_LAST);
	if (w.deal)
		deal_ids(&w, before);
	for (unsigned r = before; r < c->n_runs; r++)
		fill_run(c, b, &c->run[r]);
	return c->n_runs - before;
}
