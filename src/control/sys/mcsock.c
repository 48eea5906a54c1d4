/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Packet sockets for membership messages, see mcsock.h. With SOCK_DGRAM the kernel
 * removes and adds the link header, so Ethernet, PPP and TUN look alike and frames have
 * the interface's own source MAC. Frames tagged for another VLAN arrive as
 * PACKET_OTHERHOST, so the filter can drop them without auxiliary data.
 *
 * The filter accepts IGMP (RFC 9776 4) or the four MLD types (RFC 9777 5), also after
 * one hop-by-hop header, where the Router Alert option is; a further extension header
 * is left to the decoder. Or it accepts only queries. Destination addresses are not
 * checked, because IGMPv2 reports go to the group itself.
 */

#include "control/sys/mcsock.h"

#include "base/cleanup.h"
#include "base/inet.h"
#include "base/sys/packet_socket.h"
#include "base/sys/sockopt.h"
#include "control/proto/gm_peek.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define BATCH	      16 /* packets per system call */
#define ROUND_PACKETS 256
#define ROUND_WORK    2048 /* some milliseconds */
#define PACKET_SIZE   65536
#define RCVBUF_SIZE   (4 << 20)
#define SEND_PRIORITY 6 /* the highest band that needs no further capability */

#define AGAIN_MS 1000 /* after a filter could not be set for lack of memory */

struct mcsock_rx {
	/* the socket whose batch is being delivered, or NULL if it was closed
	 * meanwhile */
	const struct mcsock *current;
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_ll from[BATCH];
	struct admission *admission;
	unsigned delivered;  /* index of the packet that is being delivered */
	mono_t member_until; /* how long its sender has groups; MONO_UNSET if none */
	/* not a multiple of the size of a cache way, where all of them would compete */
	uint8_t packet[BATCH][PACKET_SIZE + 192];
};

struct mcsock {
	struct loop_fd fd;
	struct mcsock_rx *rx; /* borrowed */
	struct mcsock_ops ops;
	int ifindex;
	struct mcfilter filter;
	struct reassemble pieces;
	struct mcsock_stats stats;
};

int mcsock_rx_new(uint64_t seed, struct mcsock_rx **ret_rx)
{
	struct mcsock_rx *rx = calloc(1, sizeof(*rx));

	if (!rx)
		return -ENOMEM;
	if (admission_new(seed, &rx->admission) < 0) {
		free(rx);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < BATCH; i++) {
		rx->iov[i] = (struct iovec){
			.iov_base = rx->packet[i], .iov_len = PACKET_SIZE};
		rx->msg[i].msg_hdr.msg_iov = &rx->iov[i];
		rx->msg[i].msg_hdr.msg_iovlen = 1;
		rx->msg[i].msg_hdr.msg_name = &rx->from[i];
	}
	*ret_rx = rx;
	return 0;
}

struct mcsock_rx *mcsock_rx_free(struct mcsock_rx *rx)
{
	if (rx)
		admission_free(rx->admission);
	free(rx);
	return NULL;
}

const struct sockaddr_ll *mcsock_rx_from(const struct mcsock_rx *rx)
{
	return &rx->from[rx->delivered];
}

void mcsock_rx_member(struct mcsock_rx *rx, mono_t until)
{
	rx->member_until = until;
}

static void clear_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
}

static int mcsock_set_filter(int fd, const struct mcfilter *f)
{
	struct sock_filter code[MCFILTER_MAX];
	struct sock_fprog prog = {(unsigned short)mcfilter_program(f, code), code};

	return sockopt_set_filter(fd, &prog);
}

static struct admission_host host_of(const struct gm_mac *mac, const struct addr *from)
{
	return (struct admission_host){.mac = mac ? *mac : (struct gm_mac){{0}},
		.has_mac = mac != NULL,
		.from = *from};
}

static void call_later(const struct mcsock *s, mono_t at)
{
	if (s->ops.later)
		s->ops.later(s->ops.ctx, at);
}

static void sample_host(struct mcsock *s, const struct admission_host *who)
{
	mono_t now = loop_now(s->fd.loop);

	mcfilter_sample(&s->filter, now, who);
	if (mcsock_set_filter(s->fd.fd, &s->filter) < 0)
		return; /* the messages are still refused here */
	s->stats.count[MCSOCK_COUNT_SAMPLED]++;
	if (s->ops.sampled)
		s->ops.sampled(s->ops.ctx, who);
	call_later(s, mcfilter_deadline(&s->filter));
}

static void tell_limited(const struct mcsock *s, const struct admission_message *m,
	enum admission_cause cause, bool query, size_t left)
{
	if (s->ops.limited)
		s->ops.limited(s->ops.ctx,
			&(struct mcsock_limited){&m->host, cause, query, left});
}

/* The work granted to the message, or 0 if it is refused. */
static struct admission_verdict admit_message(
	struct mcsock *s, const struct admission_message *m)
{
	struct admission_verdict v = {.work = m->work};

	if (!s->ops.admission)
		return v;
	v = admission_input(s->rx->admission, loop_now(s->fd.loop), s->ops.admission,
		s->ops.limit, m);
	if (v.loud)
		sample_host(s, &m->host);
	if (v.work)
		return v;
	s->stats.count[MCSOCK_COUNT_LIMITED]++;
	tell_limited(s, m, v.cause, false, 0);
	return v;
}

/* The message was used except for this many records (sources of a query). */
static void note_cut(struct mcsock *s, const struct admission_message *m,
	enum admission_cause cause, bool query, size_t left)
{
	if (!query)
		s->stats.count[MCSOCK_COUNT_RECORDS_LIMITED] += left;
	if (cause == ADMISSION_NOTHING)
		return;
	admission_cut(s->ops.admission, loop_now(s->fd.loop), cause, &m->host);
	tell_limited(s, m, cause, query, left);
}

mono_t mcsock_tick(struct mcsock *s, mono_t now)
{
	mono_t at = reassemble_tick(&s->pieces, now);

	if (mcfilter_expire(&s->filter, now) &&
		mcsock_set_filter(s->fd.fd, &s->filter) < 0)
		return mono_min(at, mono_add_ms(now, AGAIN_MS));
	return mono_min(at, mcfilter_deadline(&s->filter));
}

/* Handles a packet from the sender of packet rx->delivered; returns the work that was
 * granted to it. */
static uint32_t deliver_whole(
	struct mcsock *s, const struct gm_mac *mac, const uint8_t *packet, size_t len)
{
	struct mcsock_rx *rx = s->rx;
	const struct admission_port *admission = s->ops.admission;
	mono_t now = loop_now(s->fd.loop);
	struct admission_message m = {.bytes = packet, .len = len};
	struct admission_verdict v;
	struct gm_peek peek;
	int left;

	if (gm_peek(s->filter.family, packet, len, &peek)) {
		m.bytes = peek.message;
		m.len = peek.len;
	}
	m.host = host_of(mac, &peek.from);
	m.work = peek.work;
	v = admit_message(s, &m);
	if (!v.work) {
		s->stats.count[MCSOCK_COUNT_RECORDS_LIMITED] += peek.records;
		return 0;
	}
	rx->member_until = MONO_UNSET;
	left = s->ops.packet(s->ops.ctx, s->filter.family, packet, len, v.work);
	if (left < 0)
		admission_bad(rx->admission);
	else if (mono_is_set(rx->member_until) && admission)
		admission_member(
			rx->admission, now, admission, &m, v.work, rx->member_until);
	if (left > 0 && rx->current == s) /* otherwise it may be closed */
		note_cut(s, &m, v.cause, peek.query, (size_t)left);
	return v.work;
}

/* A fragment costs as much as a small message, and the message what it would have cost
 * in one piece. */
static uint32_t deliver_piece(struct mcsock *s, const struct gm_mac *mac,
	struct reassemble_piece *piece, const uint8_t *packet, size_t len)
{
	_cleanup_(freep) uint8_t *whole = NULL;
	struct admission_message m = {.bytes = packet, .len = len, .work = 1};
	mono_t now = loop_now(s->fd.loop);
	enum reassemble_result result;
	size_t whole_len;

	piece->host = m.host = host_of(mac, &piece->host.from);
	if (!admit_message(s, &m).work)
		return 0;
	result = reassemble_add(&s->pieces, now, piece, &whole, &whole_len);
	if (result == REASSEMBLE_WHOLE)
		return 1 + deliver_whole(s, mac, whole, whole_len);
	if (result == REASSEMBLE_WAIT)
		call_later(s, reassemble_tick(&s->pieces, now));
	else if (result != REASSEMBLE_REPEATED && s->ops.fragment)
		s->ops.fragment(s->ops.ctx, &piece->host, result);
	return 1;
}

/* Handles one packet of the batch; returns the work that was granted to it. */
static uint32_t deliver(struct mcsock *s, unsigned i)
{
	struct mcsock_rx *rx = s->rx;
	const uint8_t *packet = rx->packet[i];
	const struct gm_mac *mac = rx->from[i].sll_halen == ETH_ALEN
		? (const struct gm_mac *)rx->from[i].sll_addr
		: NULL;
	struct reassemble_piece piece;
	size_t len = rx->msg[i].msg_len;

	if (len > PACKET_SIZE) {
		s->stats.count[MCSOCK_COUNT_TRUNCATED]++;
		return 0;
	}
	if (rx->from[i].sll_pkttype == PACKET_OUTGOING) {
		s->ops.own(s->ops.ctx, s->filter.family, packet, len);
		return 1;
	}
	s->stats.count[MCSOCK_COUNT_RECEIVED]++;
	rx->delivered = i;
	if (reassemble_parse(s->filter.family, packet, len, &piece))
		return deliver_piece(s, mac, &piece, packet, len);
	return deliver_whole(s, mac, packet, len);
}

/* Reads one batch; returns the number of packets, and the work that was granted to
 * them. */
static int read_batch(struct mcsock *s, uint32_t *work)
{
	struct mcsock_rx *rx = s->rx;
	int n;

	for (unsigned i = 0; i < BATCH; i++)
		rx->msg[i].msg_hdr.msg_namelen = sizeof(rx->from[i]);
	/* an interface that goes down leaves one error; the next read removes it */
	n = recvmmsg(s->fd.fd, rx->msg, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		s->stats.count[MCSOCK_COUNT_RECEIVE_ERRORS]++;
	for (int i = 0; i < n && rx->current; i++)
		*work += deliver(s, (unsigned)i);
	return n;
}

/* Does bounded work per round, so that a flood on one port does not delay the
 * others. */
static void mcsock_readable(struct loop_fd *f, uint32_t events)
{
	struct mcsock *s = container_of(f, struct mcsock, fd);
	struct mcsock_rx *rx = s->rx;
	struct loop *loop = f->loop;
	uint32_t work = 0;
	int n = BATCH;

	rx->current = s;
	for (unsigned i = 0; rx->current && n == BATCH && i < ROUND_PACKETS / BATCH &&
		work < ROUND_WORK;
		i++)
		n = read_batch(s, &work);
	rx->current = NULL;
	if (n == BATCH)
		loop_hurry(loop);
}

static uint16_t ethertype_be16(enum family family)
{
	return htons(family == FAMILY_IPV4 ? ETH_P_IP : ETH_P_IPV6);
}

/* The kernel shows outgoing frames only to sockets of all protocols, and never to the
 * socket that has sent them. */
static uint16_t bound_be16(const struct mcfilter *f)
{
	return f->own ? htons(ETH_P_ALL) : ethertype_be16(f->family);
}

static int set_options(int fd, bool own)
{
	int r = sockopt_set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, RCVBUF_SIZE);

	if (r < 0)
		return r;
	/* both are optional improvements, because the filter refuses own frames
	 * anyway */
	(void)sockopt_set(fd, SOL_SOCKET, SO_PRIORITY, SEND_PRIORITY);
	if (!own)
		(void)sockopt_set(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
	return 0;
}

/* Binds the socket, which was created without a protocol, last, so that nothing arrives
 * before the filter is in place. */
static int set_up_socket(int fd, int ifindex, const struct mcfilter *filter)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
		.sll_protocol = bound_be16(filter),
		.sll_ifindex = ifindex};
	struct packet_mreq mreq = {
		.mr_ifindex = ifindex, .mr_type = PACKET_MR_ALLMULTI};
	int r;

	r = mcsock_set_filter(fd, filter);
	if (r < 0)
		return r;
	r = set_options(fd, filter->own);
	if (r < 0)
		return r;
	if (bind(fd, (const struct sockaddr *)&ll, sizeof(ll)) < 0)
		return -errno;
	if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof(mreq)) < 0)
		return -errno;
	/* binding to an interface that is down succeeds and leaves ENETDOWN behind */
	clear_error(fd);
	return 0;
}

/* On failure the caller still owns the descriptor. */
static int watch(struct loop *loop, struct mcsock_rx *rx, int fd, int ifindex,
	const struct mcfilter *filter, const struct mcsock_ops *ops,
	struct mcsock **ret_sock)
{
	struct mcsock *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->rx = rx;
	s->ops = *ops;
	s->ifindex = ifindex;
	s->filter = *filter;
	s->fd.fd = fd;
	s->fd.fn = mcsock_readable;
	r = loop_add(loop, &s->fd);
	if (r < 0) {
		free(s);
		return r;
	}
	*ret_sock = s;
	return 0;
}

/* Is it such a socket? Gives it the filter. */
static bool mcsock_fits(int fd, int ifindex, const struct mcfilter *filter)
{
	return fd >= 0 &&
		packet_socket_check(fd, SOCK_DGRAM, ifindex, bound_be16(filter)) == 0 &&
		mcsock_set_filter(fd, filter) == 0;
}

int mcsock_open(struct loop *loop, struct mcsock_rx *rx, int handed, int ifindex,
	enum family family, const struct mcsock_ops *ops, struct mcsock **ret_sock)
{
	const struct mcfilter filter = {
		.family = family, .own = ops->own != NULL, .queries = ops->queries};
	_cleanup_(closep) int fd = handed;
	int r = 0;

	if (!mcsock_fits(fd, ifindex, &filter)) {
		closep(&fd);
		fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		r = fd < 0 ? -errno : set_up_socket(fd, ifindex, &filter);
	}
	if (r == 0)
		r = watch(loop, rx, fd, ifindex, &filter, ops, ret_sock);
	if (r == 0)
		take_fd(&fd);
	return r;
}

int mcsock_fd(const struct mcsock *s)
{
	return s->fd.fd;
}

int mcsock_copy(const struct mcsock *s, struct mcsock **ret_sock)
{
	struct mcsock *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	copy->rx = s->rx;
	copy->ifindex = s->ifindex;
	copy->filter = s->filter;
	copy->fd.fd = fcntl(s->fd.fd, F_DUPFD_CLOEXEC, 0);
	if (copy->fd.fd < 0) {
		free(copy);
		return -errno;
	}
	*ret_sock = copy;
	return 0;
}

struct mcsock *mcsock_close(struct mcsock *s)
{
	if (!s)
		return NULL;
	if (s->rx->current == s)
		s->rx->current = NULL;
	loop_del(&s->fd);
	close(s->fd.fd);
	reassemble_deinit(&s->pieces);
	free(s);
	return NULL;
}

bool mcsock_is_on(const struct mcsock *s)
{
	return packet_socket_is_on(s->fd.fd, s->ifindex);
}

int mcsock_send(
	struct mcsock *s, const void *packet, size_t len, const struct addr *group)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
		.sll_protocol = ethertype_be16(s->filter.family),
		.sll_ifindex = s->ifindex,
		.sll_halen = ETH_ALEN};
	ssize_t n = -1;

	if (!addr_is_multicast(group) || addr_family(group) != s->filter.family)
		return -EINVAL;
	addr_group_mac(group, ll.sll_addr);
	/* the first ENETDOWN may be an old error of the socket */
	for (int i = 0; i < 2; i++) {
		n = sendto(s->fd.fd, packet, len, MSG_DONTWAIT | MSG_NOSIGNAL,
			(const struct sockaddr *)&ll, sizeof(ll));
		if (n >= 0 || errno != ENETDOWN)
			break;
	}
	if (n < 0) {
		s->stats.count[MCSOCK_COUNT_SEND_ERRORS]++;
		return -errno;
	}
	s->stats.count[MCSOCK_COUNT_SENT]++;
	return 0;
}

const char *mcsock_count_name(enum mcsock_count c)
{
	static const char name[_MCSOCK_COUNT_N][16] = {
		[MCSOCK_COUNT_RECEIVED] = "received",
		[MCSOCK_COUNT_SENT] = "sent",
		[MCSOCK_COUNT_SEND_ERRORS] = "send_errors",
		[MCSOCK_COUNT_RECEIVE_ERRORS] = "receive_errors",
		[MCSOCK_COUNT_DROPPED] = "dropped",
		[MCSOCK_COUNT_LIMITED] = "limited",
		[MCSOCK_COUNT_RECORDS_LIMITED] = "records_limited",
		[MCSOCK_COUNT_SAMPLED] = "hosts_sampled",
	};

	return (unsigned)c < _MCSOCK_COUNT_N ? name[c] : NULL;
}

void mcsock_stats(struct mcsock *s, struct mcsock_stats *ret_stats)
{
	struct tpacket_stats st;
	socklen_t len = sizeof(st);

	/* the kernel's counters restart at every read */
	if (getsockopt(s->fd.fd, SOL_PACKET, PACKET_STATISTICS, &st, &len) == 0)
		s->stats.count[MCSOCK_COUNT_DROPPED] += st.tp_drops;
	memcpy(s->stats.fragment, s->pieces.n, sizeof(s->stats.fragment));
	*ret_stats = s->stats;
}

void mcsock_queue(const struct mcsock *s, uint32_t *ret_used, uint32_t *ret_limit)
{
	packet_socket_memory(s->fd.fd, SK_MEMINFO_RMEM_ALLOC, SK_MEMINFO_RCVBUF,
		ret_used, ret_limit);
}
