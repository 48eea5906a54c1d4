/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Feeds several routers with the same frames and compares their output byte by byte.
 * test_identity.py builds the routers and runs this. The first one is the reference.
 *
 *   identity COUNT SEED LANS ROUTER:MODE ...
 *
 * LANS is one MTU:THRESHOLD for each LAN, with commas. Router r is reached through
 * interface r-wan, its LANs end at r-lan1, r-lan2 ... MODE "exact" requires all bytes,
 * in order. MODE "on" permits what `coalesce on` may change: another identification of
 * an IPv4 datagram of UDP, a right checksum where there was none, and another order
 * among datagrams of different ports.
 *
 * Frames are sent in batches. The next batch waits until everything has come out of all
 * routers, so no queue overflows even on a slow machine. Code of this file cuts
 * super-frames as the kernel does and completes partial checksums. Datagrams of a flow
 * on a LAN are compared in order, so a lost, doubled or overtaken one is also a
 * difference.
 */

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/inet.h"
#include "identity_gen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define ROUTERS_MAX 4
#define LANS_MAX    8
#define BATCH_MAX   256 /* datagrams; the kernel's backlog holds 1000 packets */
#define AT_ONCE	    32	/* messages per system call */
#define PATIENCE_MS 20000
#define BUFFER	    (16 * 1024 * 1024)
#define DATAGRAM    2048

/* a datagram that waits for the same one from the other routers */
struct datagram {
	struct datagram *next;
	unsigned len;
	uint8_t ip[];
};

struct queue {
	struct datagram *first, **end;
};

struct sink {
	int fd;
	uint64_t bytes, datagrams;  /* bytes after the IP header */
	uint64_t super_frames, cut; /* cut: datagrams from super-frames */
	struct queue flow[GEN_FLOWS];
};

struct router {
	const char *name;
	bool exact;
	int fd;
	struct sink sink[LANS_MAX];
};

struct lan {
	unsigned mtu, threshold;
	uint64_t due; /* bytes after the IP header */
	uint64_t equal[GEN_FLOWS];
};

static struct router router[ROUTERS_MAX];
static struct lan lan[LANS_MAX];
static unsigned n_routers, n_lans;
static uint64_t n_sent, n_sent_joined; /* in super-frames */
static uint8_t bytes[AT_ONCE][GEN_FRAME_MAX];

_printf_(1, 2) _Noreturn static void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	exit(1);
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* Comparison */

static void print_packet(const char *who, const struct datagram *d)
{
	printf("%s: %u bytes", who, d->len);
	for (unsigned i = 0; i < d->len && i < 96; i++)
		printf("%s%02x", i % 4 ? "" : " ", d->ip[i]);
	printf("%s\n", d->len > 96 ? " ..." : "");
}

static bool is_udp4(const struct datagram *d)
{
	return d->ip[0] >> 4 == 4 && d->ip[9] == IPPROTO_UDP;
}

static bool is_fragment(const struct datagram *d)
{
	return d->ip[0] >> 4 == 4 && (get16(d->ip + 6) & 0x3fff) != 0;
}

static uint16_t udp_sum(const struct datagram *d)
{
	unsigned len = d->len - 20;

	return inet_fold(
		inet_sum(d->ip + 20, len, inet_sum(d->ip + 12, 8, IPPROTO_UDP + len)));
}

/* Compares the bytes from the UDP checksum on. b may have a checksum where a has
 * none. */
static bool is_equal_behind_ports(const struct datagram *a, const struct datagram *b)
{
	bool filled = a->ip[0] == 0x45 && !is_fragment(a) && a->len > 28 &&
		get16(a->ip + 26) == 0 && get16(b->ip + 26) != 0;

	if (!filled)
		return a->len < 26 || memcmp(a->ip + 26, b->ip + 26, a->len - 26) == 0;
	return udp_sum(b) == 0 && memcmp(a->ip + 28, b->ip + 28, a->len - 28) == 0;
}

static bool is_equal(const struct datagram *a, const struct datagram *b, bool exact)
{
	if (a->len != b->len)
		return false;
	if (exact || !is_udp4(a))
		return memcmp(a->ip, b->ip, a->len) == 0;
	return memcmp(a->ip, b->ip, 4) == 0 && memcmp(a->ip + 6, b->ip + 6, 4) == 0 &&
		memcmp(a->ip + 12, b->ip + 12, (a->len < 26 ? a->len : 26) - 12) == 0 &&
		is_equal_behind_ports(a, b) &&
		inet_fold(inet_sum(b->ip, (b->ip[0] & 0x0fu) * 4u, 0)) == 0;
}

static const uint8_t *ports(const struct datagram *d)
{
	return d->ip[0] >> 4 == 4 ? d->ip + 20 : d->ip + 40;
}

/* Whether two UDP datagrams without options may change their order. The port of a
 * fragment is unknown here. */
static bool may_change_places(const struct datagram *a, const struct datagram *b)
{
	bool udp = a->ip[0] == 0x45 ? is_udp4(a) && is_udp4(b) && b->ip[0] == 0x45
				    : a->ip[0] >> 4 == 6 && a->ip[6] == IPPROTO_UDP &&
			b->ip[6] == IPPROTO_UDP;

	return udp &&
		(is_fragment(a) || is_fragment(b) ||
			memcmp(ports(a), ports(b), 4) != 0);
}

static _Noreturn void differ(
	unsigned l, unsigned flow, const struct router *r, const struct datagram *got)
{
	const struct datagram *want = router[0].sink[l].flow[flow].first;
	unsigned at = 0;

	while (at < want->len && at < got->len && want->ip[at] == got->ip[at])
		at++;
	print_packet(router[0].name, want);
	print_packet(r->name, got);
	fail("lan%u, flow %u: datagram %ju differs from byte %u on", l + 1, flow,
		(uintmax_t)lan[l].equal[flow], at);
}

static void drop(struct queue *q, struct datagram **at)
{
	struct datagram *d = *at;

	*at = d->next;
	if (!*at)
		q->end = at;
	free(d);
}

/* The same datagram as the reference's first, or NULL if it has not arrived yet. */
static struct datagram **find(unsigned l, unsigned flow, struct router *r)
{
	const struct datagram *want = router[0].sink[l].flow[flow].first;
	struct datagram **d = &r->sink[l].flow[flow].first;

	for (; *d; d = &(*d)->next) {
		if (is_equal(want, *d, r->exact))
			return d;
		if (r->exact || !may_change_places(want, *d))
			differ(l, flow, r, *d);
	}
	return NULL;
}

/* Compares the datagrams of a flow that all routers have. */
static void match(unsigned l, unsigned flow)
{
	while (router[0].sink[l].flow[flow].first) {
		struct datagram **equal[ROUTERS_MAX];

		for (unsigned r = 1; r < n_routers; r++) {
			equal[r] = find(l, flow, &router[r]);
			if (!equal[r])
				return;
		}
		equal[0] = &router[0].sink[l].flow[flow].first;
		for (unsigned r = 0; r < n_routers; r++)
			drop(&router[r].sink[l].flow[flow], equal[r]);
		lan[l].equal[flow]++;
	}
}

/* Reception */

static struct datagram *append(struct queue *q, unsigned len)
{
	struct datagram *d = malloc(sizeof(*d) + len);

	if (!d)
		fail("out of memory");
	d->next = NULL;
	d->len = len;
	*q->end = d;
	q->end = &d->next;
	return d;
}

static void take(struct router *r, unsigned l, unsigned flow, const uint8_t *head,
	size_t head_len, const uint8_t *rest, size_t rest_len)
{
	struct sink *s = &r->sink[l];
	struct datagram *d = append(&s->flow[flow], (unsigned)(head_len + rest_len));

	memcpy(d->ip, head, head_len);
	memcpy(d->ip + head_len, rest, rest_len);
	s->bytes += d->len - (d->ip[0] >> 4 == 4 ? (d->ip[0] & 0x0fu) * 4u : 40);
	s->datagrams++;
	match(l, flow);
}

static void complete_checksum(uint8_t *from, size_t len, unsigned offset)
{
	uint16_t csum = inet_fold(inet_sum(from, len, 0));

	put16(from + offset, csum ? csum : 0xffff);
}

/* Makes one datagram of a super-frame as inet_gso_segment() and __udp_gso_segment() of
 * Linux do. */
static size_t make_head(uint8_t *out, const uint8_t *ip, size_t l4_off, unsigned i,
	const uint8_t *payload, size_t n)
{
	uint8_t *udp = out + l4_off, tail[4] = {0, IPPROTO_UDP};
	bool v4 = ip[0] >> 4 == 4;
	uint32_t sum;

	memcpy(out, ip, l4_off + 8);
	put16(udp + 4, (unsigned)(8 + n));
	put16(udp + 6, 0);
	put16(tail + 2, (unsigned)(8 + n));
	sum = v4 ? inet_sum(ip + 12, 8, 0) : inet_sum(ip + 8, 32, 0);
	sum = inet_sum(payload, n, inet_sum(udp, 8, inet_sum(tail, 4, sum)));
	put16(udp + 6, inet_fold(sum) ? inet_fold(sum) : 0xffff);
	if (v4) {
		put16(out + 2, (unsigned)(l4_off + 8 + n));
		put16(out + 4, get16(ip + 4) + i);
		put16(out + 10, 0);
		put16(out + 10, inet_fold(inet_sum(out, l4_off, 0)));
	} else {
		put16(out + 4, (unsigned)(l4_off + 8 + n - 40));
	}
	return l4_off + 8;
}

static void cut(struct router *r, unsigned l, unsigned flow, const uint8_t *ip,
	size_t len, const struct virtio_net_hdr *h)
{
	size_t l4_off = h->csum_start - GEN_L2, left = len - l4_off - 8;
	const uint8_t *payload = ip + l4_off + 8;
	uint8_t head[100];

	if (l4_off + 8 > sizeof(head) || l4_off + 8 >= len)
		fail("%s-lan%u: super-frame with headers of %zu bytes", r->name, l + 1,
			l4_off + 8);
	r->sink[l].super_frames++;
	for (unsigned i = 0; left > 0; i++) {
		size_t n = left < h->gso_size ? left : h->gso_size;
		size_t head_len = make_head(head, ip, l4_off, i, payload, n);

		take(r, l, flow, head, head_len, payload, n);
		payload += n;
		left -= n;
		r->sink[l].cut++;
	}
}

static size_t ip_len(const uint8_t *ip, size_t len)
{
	size_t n = ip[0] >> 4 == 4 ? get16(ip + 2) : 40 + get16(ip + 4);

	return n < len ? n : len;
}

static void receive_frame(struct router *r, unsigned l, uint8_t *p, size_t len)
{
	uint8_t *ip = p + GEN_VNET + GEN_L2;
	struct virtio_net_hdr h;
	unsigned flow;

	if (len < GEN_VNET + GEN_L2 + 20)
		return;
	len -= GEN_VNET + GEN_L2;
	flow = gen_flow(ip, len);
	if (flow == GEN_FLOWS)
		return; /* queries */
	memcpy(&h, p, GEN_VNET);
	if (h.gso_type == VIRTIO_NET_HDR_GSO_UDP_L4) {
		cut(r, l, flow, ip, len, &h);
		return;
	}
	if (h.gso_type != VIRTIO_NET_HDR_GSO_NONE)
		fail("%s-lan%u: gso_type %u", r->name, l + 1, h.gso_type);
	len = ip_len(ip, len);
	if (h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		complete_checksum(ip + h.csum_start - GEN_L2,
			len + GEN_L2 - h.csum_start, h.csum_offset);
	take(r, l, flow, ip, len, NULL, 0);
}

static bool receive_some(struct router *r, unsigned l)
{
	struct mmsghdr m[AT_ONCE] = {0};
	struct iovec iov[AT_ONCE];
	int n;

	for (unsigned i = 0; i < AT_ONCE; i++) {
		iov[i] = (struct iovec){bytes[i], sizeof(bytes[i])};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	n = recvmmsg(r->sink[l].fd, m, AT_ONCE, MSG_DONTWAIT, NULL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		fail("%s-lan%u: recvmmsg: %s", r->name, l + 1, strerror(errno));
	for (int i = 0; i < n; i++)
		receive_frame(r, l, bytes[i], m[i].msg_len);
	return n > 0;
}

static bool is_all_there(void)
{
	for (unsigned r = 0; r < n_routers; r++)
		for (unsigned l = 0; l < n_lans; l++)
			if (router[r].sink[l].bytes < lan[l].due)
				return false;
	return true;
}

static void wait_readable(void)
{
	struct pollfd p[ROUTERS_MAX * LANS_MAX];
	nfds_t n = 0;

	for (unsigned r = 0; r < n_routers; r++)
		for (unsigned l = 0; l < n_lans; l++)
			p[n++] = (struct pollfd){router[r].sink[l].fd, POLLIN, 0};
	if (poll(p, n, PATIENCE_MS) > 0)
		return;
	for (unsigned r = 0; r < n_routers; r++)
		for (unsigned l = 0; l < n_lans; l++)
			printf("%s-lan%u: %ju bytes of %ju\n", router[r].name, l + 1,
				(uintmax_t)router[r].sink[l].bytes,
				(uintmax_t)lan[l].due);
	fail("nothing comes any more");
}

static void receive_all(void)
{
	while (!is_all_there()) {
		bool any = false;

		for (unsigned r = 0; r < n_routers; r++)
			for (unsigned l = 0; l < n_lans; l++)
				any |= receive_some(&router[r], l);
		if (!any)
			wait_readable();
	}
}

/* Sending */

static void send_all(const struct gen_frame *f, unsigned n)
{
	struct mmsghdr m[AT_ONCE] = {0};
	struct iovec iov[AT_ONCE];

	for (unsigned i = 0; i < n; i++) {
		iov[i] = (struct iovec){f[i].bytes, f[i].len};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
		for (unsigned l = 0; l < n_lans; l++)
			lan[l].due += gen_due(&f[i], lan[l].mtu, lan[l].threshold);
	}
	for (unsigned r = 0; r < n_routers; r++)
		for (unsigned done = 0; done < n;) {
			int k = sendmmsg(router[r].fd, m + done, n - done, 0);

			if (k < 0)
				fail("%s-wan: sendmmsg: %s", router[r].name,
					strerror(errno));
			done += (unsigned)k;
		}
}

/* Sends up to `most` datagrams, and the rest of a super-frame. */
static void send_batch(struct gen *g, unsigned most)
{
	struct gen_frame f[AT_ONCE];
	unsigned sent = 0;

	while (sent < most) {
		unsigned n = 0;

		while (n < AT_ONCE && sent < most) {
			gen_next(g, bytes[n], &f[n]);
			sent += f[n].n_packets;
			n_sent_joined += f[n].n_packets > 1 ? f[n].n_packets : 0;
			n++;
		}
		send_all(f, n);
	}
	n_sent += sent;
}

/* Sends one more datagram per flow, so that a duplicate of the last one is found. */
static void send_last(struct gen *g)
{
	struct gen_frame f;

	for (unsigned flow = 0; flow < GEN_FLOWS; flow++) {
		gen_last(g, flow, bytes[0], &f);
		send_all(&f, 1);
	}
}

/* Start and end */

static int open_socket(const char *name, const char *suffix, unsigned protocol)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1, size = BUFFER;
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons((uint16_t)protocol),
	};
	char ifname[IFNAMSIZ];

	if (fd < 0)
		fail("packet socket: %s", strerror(errno));
	snprintf(ifname, sizeof(ifname), "%s-%s", name, suffix);
	sll.sll_ifindex = (int)if_nametoindex(ifname);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) < 0 ||
		bind(fd, (struct sockaddr *)&sll, sizeof(sll)) < 0)
		fail("%s: %s", ifname, strerror(errno));
	return fd;
}

static void open_router(struct router *r, char *arg)
{
	char suffix[16], *colon = strchr(arg, ':');

	if (!colon)
		fail("%s: no mode", arg);
	*colon = '\0';
	r->name = arg;
	r->exact = strcmp(colon + 1, "exact") == 0;
	r->fd = open_socket(arg, "wan", 0);
	for (unsigned l = 0; l < n_lans; l++) {
		snprintf(suffix, sizeof(suffix), "lan%u", l + 1);
		r->sink[l].fd = open_socket(arg, suffix, ETH_P_ALL);
		for (unsigned i = 0; i < GEN_FLOWS; i++)
			r->sink[l].flow[i].end = &r->sink[l].flow[i].first;
	}
}

static void parse_lans(char *arg)
{
	for (char *s = strtok(arg, ","); s && n_lans < LANS_MAX; s = strtok(NULL, ","))
		if (sscanf(s, "%u:%u", &lan[n_lans].mtu, &lan[n_lans].threshold) == 2)
			n_lans++;
}

/* Whether the kernel takes super-frames from a packet socket (6.2). This one goes to a
 * group without members. */
static bool knows_super_frames(void)
{
	struct gen *g = gen_new(1, true);
	struct gen_frame f;
	bool taken;

	if (!g)
		fail("out of memory");
	do {
		gen_next(g, bytes[0], &f);
	} while (f.n_packets == 1 || f.flow % 2 == 1);
	bytes[0][GEN_VNET + GEN_L2 + 18] = 1;
	taken = send(router[0].fd, f.bytes, f.len, 0) == (ssize_t)f.len;
	gen_free(g);
	return taken;
}

/* Reports datagrams that not all routers have. */
static void fail_if_left(unsigned l, unsigned flow)
{
	bool any = false;

	for (unsigned r = 0; r < n_routers; r++) {
		const struct datagram *d = router[r].sink[l].flow[flow].first;

		if (d)
			print_packet(router[r].name, d);
		any |= d != NULL;
	}
	if (any)
		fail("lan%u: flow %u: without equals", l + 1, flow);
}

static void report(void)
{
	uint64_t equal = 0;

	for (unsigned l = 0; l < n_lans; l++)
		for (unsigned flow = 0; flow < GEN_FLOWS; flow++) {
			equal += lan[l].equal[flow];
			fail_if_left(l, flow);
		}
	for (unsigned r = 0; r < n_routers; r++)
		for (unsigned l = 0; l < n_lans; l++)
			printf("%s-lan%u %ju datagrams %ju in %ju super-frames\n",
				router[r].name, l + 1,
				(uintmax_t)router[r].sink[l].datagrams,
				(uintmax_t)router[r].sink[l].cut,
				(uintmax_t)router[r].sink[l].super_frames);
	printf("sent %ju datagrams, %ju of them in super-frames; each of %u routers "
	       "delivered %ju\n",
		(uintmax_t)n_sent, (uintmax_t)n_sent_joined, n_routers,
		(uintmax_t)equal);
}

int main(int argc, char **argv)
{
	uint64_t count, seed;
	struct rng rng;
	struct gen *g;

	if (argc < 5 || argc > 4 + ROUTERS_MAX)
		fail("usage: identity COUNT SEED LANS ROUTER:MODE ...");
	count = strtoull(argv[1], NULL, 10);
	seed = strtoull(argv[2], NULL, 10);
	parse_lans(argv[3]);
	for (int i = 4; i < argc; i++)
		open_router(&router[n_routers++], argv[i]);
	rng_seed(&rng, seed);
	g = gen_new(seed, knows_super_frames());
	if (!g)
		fail("out of memory");
	while (n_sent < count) {
		send_batch(g, 1 + (unsigned)rng_below(&rng, BATCH_MAX));
		receive_all();
	}
	send_last(g);
	receive_all();
	report();
	gen_free(g);
	return 0;
}
