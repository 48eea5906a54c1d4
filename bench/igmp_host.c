/* SPDX-License-Identifier: GPL-2.0-or-later */

/* bench_igmp: plays hosts of a LAN for the benchmark of the control plane. Sends IGMPv3
 * reports of one record each through a packet socket, for groups 239.1.0.0 + n; prints
 * JSON.
 *
 *   join    join each group once, at a rate
 *   leave   leave each group once, at a rate
 *   churn   for some seconds, at a rate: a number of hosts leave and join groups again,
 *           one after another
 *   watch   for some seconds: count the groups of which datagrams arrived
 *   zap     join a channel that is being sent, wait for its first datagram, leave it
 *           and wait for its last one; prints what the wire of this LAN saw between */

#include "datagram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH	    64
#define SECOND_NS   1000000000LL
#define TICK_NS	    500000
#define RCVBUF_SIZE (8 << 20)
#define SETTLED_NS  5000000 /* this time without a datagram ends a stream */
#define TO_IN	    3
#define TO_EX	    4

struct report {
	struct ethhdr eth;
	struct iphdr ip;
	uint32_t router_alert;
	uint8_t type, reserved;
	uint16_t check, reserved2, n_rec;
	uint8_t rec_type, aux;
	uint16_t n_src;
	uint32_t group;
} __attribute__((packed));

struct hosts {
	const char *interface;
	uint32_t source; /* of the first host, in host order */
	unsigned first, groups, hosts, count;
	unsigned host; /* number of the first host */
	double rate, seconds;
	double patience; /* zap: seconds to wait for the first datagram of a join */
	bool keep;	 /* zap: leave no channel, join the next one */

	int fd, ifindex;
	unsigned char mac[6];
	uint64_t n_sent, n_failed;
	struct report report[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr mmsg[BATCH];
};

static void die(const char *what)
{
	fprintf(stderr, "bench_igmp: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

static void sleep_until(int64_t ns)
{
	struct timespec t = {.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static uint16_t checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t sum = 0;

	for (; len > 1; p += 2, len -= 2)
		sum += (uint32_t)p[0] << 8 | p[1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* Hosts have addresses in a /24, and MAC addresses of their own. */
static void host_mac(const struct hosts *h, unsigned host, uint8_t mac[6])
{
	memcpy(mac, h->mac, sizeof(h->mac));
	mac[4] ^= (uint8_t)((host + 1) >> 8);
	mac[5] ^= (uint8_t)(host + 1);
}

static void make_report(const struct hosts *h, struct report *r, unsigned host,
	unsigned group, int type)
{
	static const uint8_t to[] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x16};

	host += h->host;
	*r = (struct report){
		.ip = {.version = 4,
			.ihl = 6,
			.tos = 0xc0,
			.ttl = 1,
			.protocol = IPPROTO_IGMP,
			.tot_len = htons(sizeof(*r) - sizeof(r->eth)),
			.saddr = htonl(h->source + host % 250),
			.daddr = htonl(0xe0000016)},
		.router_alert = htonl(0x94040000),
		.type = 0x22,
		.n_rec = htons(1),
		.rec_type = (uint8_t)type,
		.group = htonl(BENCH_NET + h->first + group),
	};
	memcpy(r->eth.h_dest, to, sizeof(to));
	host_mac(h, host, r->eth.h_source);
	r->eth.h_proto = htons(ETH_P_IP);
	r->ip.check = checksum(&r->ip, sizeof(r->ip) + sizeof(r->router_alert));
	r->check = checksum(&r->type, sizeof(*r) - offsetof(struct report, type));
}

static void send_batch(struct hosts *h, unsigned n)
{
	for (unsigned done = 0; done < n;) {
		int r = sendmmsg(h->fd, h->mmsg + done, n - done, 0);

		if (r > 0) {
			done += (unsigned)r;
			h->n_sent += (unsigned)r;
		} else if (errno != EINTR) {
			/* the queue is full: try again a little later */
			h->n_failed++;
			done++;
		}
	}
}

/* Sends `total` reports at the rate. `make` makes each from its number. */
static void send_paced(struct hosts *h, uint64_t total,
	void (*make)(const struct hosts *h, struct report *r, uint64_t n))
{
	int64_t start = clock_ns(CLOCK_MONOTONIC), tick = start;
	uint64_t n = 0;

	while (n < total) {
		uint64_t due = (uint64_t)((double)(clock_ns(CLOCK_MONOTONIC) - start) *
				       h->rate / (double)SECOND_NS) +
			1;

		while (n < due && n < total) {
			unsigned batch = 0;

			for (; batch < BATCH && n < due && n < total; batch++)
				make(h, &h->report[batch], n++);
			send_batch(h, batch);
		}
		tick += TICK_NS;
		sleep_until(tick);
	}
}

static void make_join(const struct hosts *h, struct report *r, uint64_t n)
{
	make_report(h, r, (unsigned)(n % h->hosts), (unsigned)n, TO_EX);
}

static void make_leave(const struct hosts *h, struct report *r, uint64_t n)
{
	make_report(h, r, (unsigned)(n % h->hosts), (unsigned)n, TO_IN);
}

/* Each group in turn is left and joined again by its host. */
static void make_churn(const struct hosts *h, struct report *r, uint64_t n)
{
	unsigned group = (unsigned)(n / 2 % h->groups);

	make_report(h, r, group % h->hosts, group, n % 2 ? TO_EX : TO_IN);
}

/* ---- zap ---- */

struct seen {
	bool report;
	uint32_t group; /* of a datagram, relative to the first group */
	int64_t ns;
};

static int open_capture(const struct hosts *h)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = h->ifindex};
	struct packet_mreq mreq = {
		.mr_ifindex = h->ifindex, .mr_type = PACKET_MR_ALLMULTI};
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0), on = 1, size = RCVBUF_SIZE;

	if (fd < 0 || bind(fd, (struct sockaddr *)&ll, sizeof(ll)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof(mreq)) <
			0)
		die(h->interface);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static int64_t stamp_of(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec t;

			memcpy(&t, CMSG_DATA(c), sizeof(t));
			return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
		}
	return 0;
}

static bool is_ours(const struct hosts *h, const struct sockaddr_ll *from)
{
	uint8_t mac[6];

	host_mac(h, h->host, mac);
	return memcmp(from->sll_addr, mac, sizeof(mac)) == 0;
}

/* Finds the next relevant frame. Returns false after `until` (CLOCK_MONOTONIC). */
static bool next_frame(const struct hosts *h, int fd, int64_t until, struct seen *ret)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = until - clock_ns(CLOCK_MONOTONIC);
		struct timespec wait = {left / SECOND_NS, left % SECOND_NS};
		struct sockaddr_ll from = {0};
		char control[64] __attribute__((aligned(8)));
		struct iphdr ip;
		struct iovec iov = {&ip, sizeof(ip)};
		struct msghdr msg = {.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};

		if (left <= 0 || ppoll(&p, 1, &wait, NULL) == 0)
			return false;
		if (recvmsg(fd, &msg, MSG_DONTWAIT) < (ssize_t)sizeof(ip) ||
			from.sll_protocol != htons(ETH_P_IP))
			continue;
		ret->ns = stamp_of(&msg);
		ret->report = ip.protocol == IPPROTO_IGMP &&
			from.sll_pkttype == PACKET_OUTGOING && is_ours(h, &from);
		ret->group = ntohl(ip.daddr) - BENCH_NET - h->first;
		if (ret->report ||
			(ip.protocol == IPPROTO_UDP &&
				from.sll_pkttype != PACKET_OUTGOING))
			return true;
	}
}

static void say(struct hosts *h, unsigned channel, int type)
{
	make_report(h, &h->report[0], 0, channel, type);
	send_batch(h, 1);
}

/* Returns nanoseconds from the report to the first datagram, negative if none came. */
static int64_t join_delay(struct hosts *h, int fd, unsigned channel)
{
	int64_t until, start = 0;
	struct seen s;

	/* drop the frames of earlier zaps */
	while (next_frame(h, fd, clock_ns(CLOCK_MONOTONIC) + 1000, &s))
		;
	say(h, channel, TO_EX);
	until = clock_ns(CLOCK_MONOTONIC) + (int64_t)(h->patience * SECOND_NS);
	while (next_frame(h, fd, until, &s)) {
		if (s.report && !start)
			start = s.ns;
		else if (!s.report && start && s.group == channel)
			return s.ns - start;
	}
	return -1;
}

static int64_t leave_delay(struct hosts *h, int fd, unsigned channel)
{
	int64_t until, start = 0, last = 0;
	struct seen s;

	say(h, channel, TO_IN);
	until = clock_ns(CLOCK_MONOTONIC) + SETTLED_NS;
	while (next_frame(h, fd, until, &s)) {
		if (s.report && !start)
			start = s.ns;
		else if (!s.report && s.group == channel) {
			last = s.ns;
			until = clock_ns(CLOCK_MONOTONIC) + SETTLED_NS;
		}
	}
	return last > start ? last - start : 0;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void print_delays(const char *name, int64_t *v, size_t n)
{
	if (n == 0)
		return;
	qsort(v, n, sizeof(*v), by_value);
	printf(", \"%s_us\": {\"n\": %zu, \"min\": %.1f, \"p50\": %.1f, \"p99\": %.1f, "
	       "\"max\": %.1f}",
		name, n, (double)v[0] / 1e3, (double)v[n / 2] / 1e3,
		(double)v[n * 99 / 100] / 1e3, (double)v[n - 1] / 1e3);
}

static void zap(struct hosts *h)
{
	int fd = open_capture(h);
	int64_t *join = calloc(h->count, sizeof(*join));
	int64_t *leave = calloc(h->count, sizeof(*leave));
	size_t n_join = 0, n_leave = 0;
	unsigned channel = 0;

	if (!join || !leave)
		die("zap");
	srandom(1);
	for (unsigned i = 0; i < h->count; i++) {
		int64_t ns;

		channel = h->keep
			? i
			: (channel + 1 + (unsigned)random() % (h->groups - 1)) %
				h->groups;
		/* at any phase of the stream */
		sleep_until(clock_ns(CLOCK_MONOTONIC) + random() % 2000000);
		ns = join_delay(h, fd, channel);
		if (ns >= 0)
			join[n_join++] = ns;
		if (!h->keep)
			leave[n_leave++] = leave_delay(h, fd, channel);
	}
	printf("{\"zaps\": %u, \"never\": %zu", h->count, h->count - n_join);
	print_delays("join", join, n_join);
	print_delays("leave", leave, n_leave);
	printf("}\n");
	free(join);
	free(leave);
}

/* ---- watch ---- */

static void watch(const struct hosts *h)
{
	int64_t until =
		clock_ns(CLOCK_MONOTONIC) + (int64_t)(h->seconds * (double)SECOND_NS);
	uint8_t *seen = calloc(h->groups, 1);
	int fd = open_capture(h);
	uint64_t n = 0;
	unsigned n_groups = 0;
	struct seen s;

	if (!seen)
		die("watch");
	/* the caller waits for this line before it sends */
	printf("ready\n");
	fflush(stdout);
	while (next_frame(h, fd, until, &s)) {
		if (s.report || s.group >= h->groups)
			continue;
		n++;
		n_groups += !seen[s.group];
		seen[s.group] = 1;
	}
	printf("{\"groups\": %u, \"datagrams\": %" PRIu64 "}\n", n_groups, n);
	free(seen);
}

/* ---- start ---- */

static void open_sender(struct hosts *h)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET};
	socklen_t len = sizeof(ll);

	h->ifindex = ll.sll_ifindex = (int)if_nametoindex(h->interface);
	h->fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (!h->ifindex || h->fd < 0 ||
		bind(h->fd, (struct sockaddr *)&ll, sizeof(ll)) < 0 ||
		getsockname(h->fd, (struct sockaddr *)&ll, &len) < 0)
		die(h->interface);
	memcpy(h->mac, ll.sll_addr, sizeof(h->mac));
	for (unsigned i = 0; i < BATCH; i++) {
		h->iov[i] = (struct iovec){&h->report[i], sizeof(h->report[i])};
		h->mmsg[i].msg_hdr.msg_iov = &h->iov[i];
		h->mmsg[i].msg_hdr.msg_iovlen = 1;
	}
}

static void parse(struct hosts *h, int argc, char **argv)
{
	static const struct option options[] = {{"interface", 1, NULL, 'i'},
		{"source", 1, NULL, 's'}, {"first", 1, NULL, 'f'},
		{"groups", 1, NULL, 'g'}, {"hosts", 1, NULL, 'h'},
		{"host", 1, NULL, 'n'}, {"count", 1, NULL, 'c'}, {"rate", 1, NULL, 'r'},
		{"seconds", 1, NULL, 't'}, {"patience", 1, NULL, 'p'},
		{"keep", 0, NULL, 'k'}, {0}};
	struct in_addr a;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'i')
			h->interface = optarg;
		else if (c == 's' && inet_aton(optarg, &a))
			h->source = ntohl(a.s_addr);
		else if (c == 'f')
			h->first = (unsigned)atoi(optarg);
		else if (c == 'g')
			h->groups = (unsigned)atoi(optarg);
		else if (c == 'h')
			h->hosts = (unsigned)atoi(optarg);
		else if (c == 'n')
			h->host = (unsigned)atoi(optarg);
		else if (c == 'c')
			h->count = (unsigned)atoi(optarg);
		else if (c == 'r')
			h->rate = atof(optarg);
		else if (c == 't')
			h->seconds = atof(optarg);
		else if (c == 'p')
			h->patience = atof(optarg);
		else if (c == 'k')
			h->keep = true;
		else
			exit(1);
	}
}

int main(int argc, char **argv)
{
	static struct hosts h = {.interface = "eth0",
		.source = 0x0a000102,
		.groups = 1,
		.hosts = 1,
		.count = 1,
		.rate = 1000,
		.seconds = 1,
		.patience = 10};
	const char *mode;
	int64_t start;
	double took;

	parse(&h, argc, argv);
	mode = optind < argc ? argv[optind] : "";
	prctl(PR_SET_TIMERSLACK, 1);
	open_sender(&h);
	if (strcmp(mode, "zap") == 0 && (h.groups > 1 || h.keep)) {
		zap(&h);
		return 0;
	}
	if (strcmp(mode, "watch") == 0) {
		watch(&h);
		return 0;
	}
	start = clock_ns(CLOCK_MONOTONIC);
	if (strcmp(mode, "join") == 0)
		send_paced(&h, h.groups, make_join);
	else if (strcmp(mode, "leave") == 0)
		send_paced(&h, h.groups, make_leave);
	else if (strcmp(mode, "churn") == 0)
		send_paced(&h, (uint64_t)(h.rate * h.seconds), make_churn);
	else
		return 1;
	took = (double)(clock_ns(CLOCK_MONOTONIC) - start) / (double)SECOND_NS;
	printf("{\"sent\": %" PRIu64 ", \"failed\": %" PRIu64
	       ", \"seconds\": %.3f, \"rate\": %.0f}\n",
		h.n_sent, h.n_failed, took, (double)h.n_sent / took);
	return 0;
}
