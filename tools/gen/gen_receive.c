/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The receiver. Each group and port has its own socket, bound to both, with one
 * membership. So the limit of memberships per socket is never reached, and a source
 * filter holds for its socket. Joins use the protocol-independent options of RFC 3678
 * for both families.
 */

#include "tools/gen/gen_receive.h"

#include "base/cleanup.h"
#include "base/mono.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#define BATCH	     32
#define BUF_SIZE     65536
#define RECEIVE_BUF  (8 << 20)
#define WIRE_KEY     UINT32_MAX
#define AFTER_IDLE_S 3 /* end of --leave-after when nothing says otherwise */

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int ip_level(const struct gen_options *o)
{
	return addr_is_v4(&o->group) ? IPPROTO_IP : IPPROTO_IPV6;
}

static int source_request(int fd, const struct gen_options *o, int option,
	const struct addr *group, const struct addr *source)
{
	struct group_source_req req = {.gsr_interface = o->ifindex};

	gen_sockaddr(group, 0, 0, &req.gsr_group);
	gen_sockaddr(source, 0, 0, &req.gsr_source);
	return setsockopt(fd, ip_level(o), option, &req, sizeof(req));
}

static int join(int fd, const struct gen_options *o, const struct addr *group)
{
	struct group_req req = {.gr_interface = o->ifindex};

	for (size_t i = 0; i < o->n_include; i++)
		if (source_request(
			    fd, o, MCAST_JOIN_SOURCE_GROUP, group, &o->include[i]) < 0)
			return gen_fail("cannot join for this source");
	if (o->n_include)
		return 0;
	gen_sockaddr(group, 0, 0, &req.gr_group);
	if (setsockopt(fd, ip_level(o), MCAST_JOIN_GROUP, &req, sizeof(req)) < 0)
		return gen_fail("cannot join (no route? name the --interface)");
	for (size_t i = 0; i < o->n_exclude; i++)
		if (source_request(fd, o, MCAST_BLOCK_SOURCE, group, &o->exclude[i]) <
			0)
			return gen_fail("cannot exclude this source");
	return 0;
}

static int open_socket(struct receiver *r, uint32_t i)
{
	const struct gen_options *o = r->o;
	struct addr group = gen_group(o, i);
	struct sockaddr_storage ss;
	socklen_t len = gen_sockaddr(&group, gen_port(o, i), o->ifindex, &ss);
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = i};
	bool v4 = addr_is_v4(&group);
	int fd = socket(gen_af(&group), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return gen_fail("cannot open a socket");
	r->sock[i] = (struct receiver_socket){.fd = fd, .stream = i};
	r->n_sock = i + 1;
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
	if (set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUF) < 0)
		set_int(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUF);
	/* only what this socket itself has joined */
	set_int(fd, ip_level(o), v4 ? IP_MULTICAST_ALL : IPV6_MULTICAST_ALL, 0);
	if (bind(fd, (struct sockaddr *)&ss, len) < 0)
		return gen_fail("cannot bind to group and port");
	if (epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return gen_fail("epoll");
	return join(fd, o, &group);
}

static void raise_fd_limit(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = lim.rlim_max;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
}

static int receiver_init(struct receiver *r, const struct gen_options *o)
{
	*r = (struct receiver){.o = o, .epoll_fd = -1, .wire_fd = -1};
	gen_track_init(&r->track);
	r->sock = calloc(gen_n_streams(o), sizeof(*r->sock));
	r->msg = calloc(BATCH, sizeof(*r->msg));
	r->buf = malloc((size_t)BATCH * BUF_SIZE);
	if (!r->sock || !r->msg || !r->buf) {
		errno = ENOMEM;
		return gen_fail("start");
	}
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll_fd < 0)
		return gen_fail("epoll");
	raise_fd_limit();
	r->join_ns = gen_now_ns();
	for (uint32_t i = 0; i < gen_n_streams(o); i++) {
		int e = open_socket(r, i);

		if (e)
			return e;
	}
	r->joined_ns = gen_now_ns();
	return 0;
}

static void receiver_deinit(struct receiver *r)
{
	for (uint32_t i = 0; i < r->n_sock; i++)
		closep(&r->sock[i].fd);
	closep(&r->epoll_fd);
	closep(&r->wire_fd);
	gen_track_deinit(&r->track);
	free(r->sock);
	free(r->msg);
	free(r->buf);
}

static void note_drops(struct receiver_socket *s, struct msghdr *m)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
			memcpy(&s->n_drops, CMSG_DATA(c), sizeof(s->n_drops));
}

static void take_datagram(struct receiver *r, struct receiver_socket *s,
	const struct sockaddr_storage *from, const uint8_t *buf, size_t len,
	int64_t now)
{
	struct gen_stream_key key;
	struct gen_stamp stamp;
	char group[ADDR_STRLEN], source[ADDR_STRLEN];

	/* the key is hashed whole */
	memset(&key, 0, sizeof(key));
	key.source = gen_addr_of(from, &key.source_port);
	key.group = gen_group(r->o, s->stream);
	key.port = gen_port(r->o, s->stream);
	if (!r->first_ns)
		r->first_ns = now;
	r->last_ns = now;
	r->n_received++;
	gen_track_datagram(&r->track, &key, buf, len, now);
	if (!r->o->print_latency ||
		gen_payload_read(buf, len, &stamp) != GEN_PAYLOAD_GOOD)
		return;
	printf("%s %u %s %llu %.3f ms\n", addr_format(&key.group, group), key.port,
		addr_format(&key.source, source), (unsigned long long)stamp.seq,
		(double)(now - stamp.sent_ns) / 1e6);
}

static bool enough(const struct receiver *r)
{
	return r->o->expect && r->n_received >= r->o->expect;
}

static void receive_from(struct receiver *r, struct receiver_socket *s)
{
	struct sockaddr_storage from[BATCH];
	struct iovec iov[BATCH];
	char control[BATCH][CMSG_SPACE(sizeof(uint32_t))];
	int64_t now;
	int n;

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){r->buf + (size_t)i * BUF_SIZE, BUF_SIZE};
		r->msg[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
			.msg_namelen = sizeof(from[i]),
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
			.msg_control = control[i],
			.msg_controllen = sizeof(control[i])};
	}
	n = recvmmsg(s->fd, r->msg, BATCH, MSG_DONTWAIT, NULL);
	now = gen_now_ns();
	for (int i = 0; i < n && !enough(r); i++) {
		note_drops(s, &r->msg[i].msg_hdr);
		take_datagram(r, s, &from[i], iov[i].iov_base, r->msg[i].msg_len, now);
	}
}

/* closing a socket leaves its group */
static int leave(struct receiver *r)
{
	int e = gen_wire_open(r);
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = WIRE_KEY};

	if (e)
		return e;
	if (epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, r->wire_fd, &ev) < 0)
		return gen_fail("epoll");
	for (uint32_t i = 0; i < r->n_sock; i++) {
		closep(&r->sock[i].fd);
		r->sock[i].fd = -1;
	}
	r->leave_ns = r->last_after_ns = gen_now_ns();
	return 0;
}

static int64_t after(int64_t start_ns, double seconds)
{
	return start_ns + (int64_t)(seconds * 1e9);
}

/* When the next time limit expires; *ret_end says whether the run ends then. */
static int64_t next_deadline(const struct receiver *r, bool *ret_end)
{
	const struct gen_options *o = r->o;
	int64_t at = MONO_NEVER.ns, idle = MONO_NEVER.ns;

	*ret_end = true;
	if (o->seconds > 0)
		at = after(r->join_ns, o->seconds);
	if (r->leave_ns)
		idle = after(r->last_after_ns,
			o->idle_exit > 0 ? o->idle_exit : AFTER_IDLE_S);
	else if (o->idle_exit > 0 && r->last_ns)
		idle = after(r->last_ns, o->idle_exit);
	if (idle < at)
		at = idle;
	if (o->leave_after > 0 && !r->leave_ns &&
		after(r->join_ns, o->leave_after) < at) {
		*ret_end = false;
		at = after(r->join_ns, o->leave_after);
	}
	return at;
}

static int wait_timeout(int64_t at)
{
	int64_t left;

	if (at == MONO_NEVER.ns)
		return -1;
	left = mono_ms_until((mono_t){at}, (mono_t){gen_now_ns()});
	return left > 60000 ? 60000 : (int)left;
}

static int run(struct receiver *r)
{
	struct epoll_event ev[64];
	sigset_t waiting;
	int e;

	/* the signals are blocked outside of the wait */
	sigprocmask(SIG_SETMASK, NULL, &waiting);
	sigdelset(&waiting, SIGINT);
	sigdelset(&waiting, SIGTERM);
	while (!gen_stop && !enough(r)) {
		bool end;
		int64_t at = next_deadline(r, &end);
		int n;

		if (at <= gen_now_ns()) {
			if (end)
				return 0;
			e = leave(r);
			if (e)
				return e;
			continue;
		}
		n = epoll_pwait(
			r->epoll_fd, ev, array_len(ev), wait_timeout(at), &waiting);
		for (int i = 0; i < n; i++) {
			if (ev[i].data.u32 == WIRE_KEY)
				gen_wire_read(r);
			else
				receive_from(r, &r->sock[ev[i].data.u32]);
		}
	}
	return 0;
}

int gen_receive(const struct gen_options *o)
{
	_cleanup_(receiver_deinit) struct receiver r;
	sigset_t block;
	int e;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, NULL);

	e = receiver_init(&r, o);
	if (e)
		return e;
	fprintf(stderr, "joined\n");
	e = run(&r);
	if (e)
		return e;
	gen_print_receiver(&r, (double)(gen_now_ns() - r.join_ns) / 1e9);
	return o->expect && !enough(&r) ? GEN_EXIT_UNMET : GEN_EXIT_OK;
}
