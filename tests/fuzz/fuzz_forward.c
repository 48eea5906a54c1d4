/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A burst through the hot path, twice: to ports that take only single datagrams, and to
 * ports with the properties in the input (partial checksums, super-frames, the first of
 * which they may refuse). A receiver that cuts and completes as Linux does must get the
 * same datagrams, byte for byte. The counters account for each frame.
 */

#include "receiver.h"

#include "fuzz.h"

#define PAYLOAD_MAX  2048
#define N_FRAMES_MAX 96
#define N_PIECES_MAX 400 /* datagrams in the frames of the burst */

/* the next frame; an instruction changes one property */
struct pattern {
	bool v6, df;
	uint8_t group, source, ttl, tos, proto;
	uint16_t payload, id, ports, fragment, gso_size;
	uint8_t checksum; /* see set_checksum() */
};

static struct plan_port *narrow;
static uint8_t payload[PAYLOAD_MAX];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const to[] = {"12", "13", "123", "4", ""};
	char group[16];

	setenv("CMOCKA_TEST_ABORT", "1", 1);
	fuzz_assert(setup(NULL) == 0);
	for (unsigned i = 0; i < PAYLOAD_MAX; i++)
		payload[i] = (uint8_t)(i * 7 + (i >> 8) + 1);
	for (unsigned i = 0; i < array_len(to); i++) {
		snprintf(group, sizeof(group), "239.0.0.%u", i);
		members(NULL, group, to[i]);
		snprintf(group, sizeof(group), "ff0e::%u", i);
		members(NULL, group, to[i]);
	}
	members("203.0.113.1", "239.0.0.0", "24");
	members("2001:db8::1", "ff0e::2", "");
	narrow = &plan->port[3];
	narrow->mtu = 300;
	plan->port[2].threshold = 16;
	plan->port[4].has_l2 = false;
	return 0;
}

/* 0 right and known to be, 1 right, 2 wrong, 3 missing, 4 partial */
static void set_checksum(struct packet *p, struct frame *f, unsigned how)
{
	bool udp = f->proto == 17 && f->l4_off && f->ip_len >= f->l4_off + 8u;

	f->csum_valid = false;
	if (!udp || f->gso_size)
		return;
	if (how % 5 < 2 && !f->fragment)
		f->csum_valid = rewrite_complete_checksum(f) && how % 5 == 0;
	if (how % 5 == 2)
		packet_put16(p, f->l4_off + 6u, 0x1234u + how);
	if (how % 5 == 3)
		packet_put16(p, f->l4_off + 6u, 0);
	if (how % 5 == 4 && rewrite_make_partial(f))
		f->csum_not_ready = true;
	if (f->csum_valid)
		f->csum_valid = rewrite_verify_checksum(f);
}

static void build(struct packet *p, const struct pattern *x)
{
	size_t l4 = x->v6 ? 40 : 20;
	uint8_t source = (uint8_t)(x->source % 3 + 1), group = x->group % 6;

	memset(p->b, 0, l4 + 8);
	if (x->v6) {
		static const uint8_t from[4] = {0x20, 0x01, 0x0d, 0xb8};

		p->b[0] = (uint8_t)(0x60 | x->tos >> 4);
		p->b[2] = x->tos;
		p->b[6] = x->proto;
		p->b[7] = x->ttl;
		memcpy(p->b + 8, from, sizeof(from));
		p->b[23] = source;
		p->b[24] = 0xff;
		p->b[25] = 0x0e;
		p->b[39] = group;
	} else {
		memcpy(p->b + 12, (uint8_t[]){203, 0, 113, source}, 4);
		memcpy(p->b + 16, (uint8_t[]){239, 0, 0, group}, 4);
		p->b[0] = 0x45;
		p->b[1] = x->tos;
		packet_put16(p, 4, x->id);
		packet_put16(p, 6, (x->df ? 0x4000 : 0) | (x->fragment & 0x3fff));
		p->b[8] = x->ttl;
		p->b[9] = x->proto;
	}
	memcpy(p->b + l4 + 8, payload, x->payload);
	p->len = l4 + 8 + x->payload;
	packet_put16(p, l4, x->ports);
	packet_put16(p, l4 + 2, 5000);
	packet_put16(p, l4 + 4, 8u + x->payload);
	if (x->v6)
		packet_put16(p, 4, 8u + x->payload);
	else
		packet_put16(p, 2, 28u + x->payload);
}

/* Number of datagrams in it, or 0 if the frame is invalid. */
static unsigned add_frame(const struct pattern *x, const uint8_t *patch)
{
	struct packet *p = next_packet();
	struct frame_meta m;
	struct frame f;

	build(p, x);
	if (patch)
		p->b[patch[0] % 60] = patch[1];
	if (p->b[0] >> 4 == 4 && (p->b[0] & 15u) >= 5)
		packet_seal(p);
	m = packet_meta(p);
	m.gso_size = x->gso_size;
	m.gso_udp = true;
	m.csum_valid = false;
	if (frame_parse(&m, 1500, &f) != VERDICT_FORWARDED)
		return 0;
	set_checksum(p, &f, x->checksum);
	burst_add(&burst, 0, &f);
	return frame_n_packets(&f);
}

static void change(struct pattern *x, struct rd *r, unsigned what)
{
	switch (what) {
	case 6:
		x->payload = (uint16_t)(rd_u16be(r) % 1473);
		break;
	case 7:
		x->id = rd_u16be(r);
		break;
	case 8:
		x->df = !x->df;
		break;
	case 9:
		x->ttl = rd_u8(r);
		break;
	case 10:
		x->tos = rd_u8(r);
		break;
	case 11:
		x->ports = rd_u8(r);
		x->proto = x->ports % 16 ? 17 : 6;
		break;
	case 12:
		x->group = rd_u8(r);
		x->source = x->group / 8;
		x->v6 = x->group >= 128;
		break;
	case 13:
		x->fragment = rd_u16be(r);
		break;
	case 14:
		x->gso_size = (uint16_t)(rd_u16be(r) % 1473);
		x->payload = (uint16_t)(rd_u16be(r) % PAYLOAD_MAX);
		if (x->gso_size && x->gso_size < 64)
			x->gso_size = 64;
		break;
	case 15:
		x->checksum = rd_u8(r);
		break;
	default:
		break;
	}
}

static void fill_burst(struct rd r)
{
	struct pattern x = {.ttl = 64, .payload = 40, .df = true, .proto = 17};
	unsigned n = 0, pieces = 0;

	n_pool = 0;
	while (fuzz_more(&r) && n < N_FRAMES_MAX && pieces < N_PIECES_MAX) {
		unsigned what = rd_u8(&r);
		const uint8_t *patch = NULL;

		if (what % 16 == 5)
			patch = rd_take(&r, 2);
		else
			change(&x, &r, what % 16);
		for (unsigned k = 0; k <= what / 16 && n < N_FRAMES_MAX; k++, n++) {
			pieces += add_frame(&x, patch);
			x.id++;
		}
	}
}

/* everything arrives on port 0 and leaves on 1 to 4 */
static uint64_t n_frames(const struct forward_counters *c)
{
	uint64_t n = 0;

	for (unsigned v = 0; v < _VERDICT_FRAME_N; v++)
		n += atomic_load(&c->port[0].drop[v]);
	return n;
}

static uint64_t n_refused(const struct forward_counters *c)
{
	uint64_t n = 0;

	for (unsigned i = 1; i <= 4; i++)
		for (unsigned v = _VERDICT_FRAME_N; v < _VERDICT_N; v++)
			n += atomic_load(&c->port[i].drop[v]);
	return n;
}

/* Every frame has one verdict. Returns the number of refused copies. */
static uint64_t send_burst(void)
{
	struct forward_counters *c = &fw->counters;
	uint64_t frames = n_frames(c), refused = n_refused(c);
	unsigned n = burst.n_frames;

	forward_and_send(fw, &burst, plan, fib, &to_receiver);
	fuzz_assert(burst.n_frames == 0);
	fuzz_assert(n_frames(c) - frames == n);
	return n_refused(c) - refused;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum coalesce_mode modes[] = {
		COALESCE_ON, COALESCE_EXACT, COALESCE_OFF};
	static const unsigned caps[] = {SUPER, SUPER | TX_UNTRIED, TX_VNET};
	static struct receiver single;
	struct rd r = rd_init(data, size);
	enum coalesce_mode mode = modes[fuzz_below(&r, array_len(modes))];
	unsigned how = rd_u8(&r);
	uint64_t refused;

	narrow->mtu = how & 16 ? 1500 : 300;
	fw->coalesce = mode;
	got.caps = 0;
	fill_burst(r);
	refused = send_burst();
	set_aside(&single);
	got.caps = caps[how % array_len(caps)];
	got.refuse = how & 32;
	fill_burst(r);
	fuzz_assert(send_burst() == refused);
	assert_same_datagrams(&single, &got, mode == COALESCE_EXACT);
	forget();
	got.refuse = false;
	return 0;
}
