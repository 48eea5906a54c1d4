/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The sender. Datagram k is due at start + k / rate. The schedule is absolute, so the
 * rate stays exact even if a single sleep is too long. Sleeps are not shorter than
 * TICK; the datagrams that became due during a sleep leave with one sendmmsg.
 */

#include "tools/gen/gen.h"
#include "tools/gen/gen_payload.h"

#include "base/cleanup.h"
#include "base/mono.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#define BATCH	 64
#define TICK_NS	 100000
#define SLICE_NS 50000000 /* a signal between check and sleep is noticed after this */

struct sender {
	const struct gen_options *o;
	int fd;
	uint32_t first_stream; /* number of stream 0 in the stamp */
	struct sockaddr_storage *to;
	uint64_t *seq; /* next one of each stream */
	socklen_t to_len;
	uint8_t *buf;
	uint64_t n_tried, n_sent, n_errors;
	int last_error;
	int64_t start_ns, end_ns;
};

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int open_v4(int fd, const struct gen_options *o)
{
	struct ip_mreqn mreq = {.imr_ifindex = (int)o->ifindex};

	if (o->has_source)
		memcpy(&mreq.imr_address, addr_v4_bytes(&o->source), 4);
	if ((o->ifindex || o->has_source) &&
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &mreq, sizeof(mreq)) < 0)
		return gen_fail("cannot send on this interface");
	if (set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL, o->ttl) < 0 ||
		set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1) < 0)
		return gen_fail("cannot set the TTL");
	return 0;
}

static int open_v6(int fd, const struct gen_options *o)
{
	if (o->ifindex &&
		set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)o->ifindex) < 0)
		return gen_fail("cannot send on this interface");
	if (set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, o->ttl) < 0 ||
		set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1) < 0)
		return gen_fail("cannot set the hop limit");
	return 0;
}

static int sender_open(struct sender *s)
{
	const struct gen_options *o = s->o;
	struct sockaddr_storage from;
	socklen_t len;
	int r;

	s->fd = socket(gen_af(&o->group), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return gen_fail("cannot open a socket");
	r = addr_is_v4(&o->group) ? open_v4(s->fd, o) : open_v6(s->fd, o);
	if (r)
		return r;
	if (o->has_source) {
		len = gen_sockaddr(&o->source, 0,
			addr_is_link_local(&o->source) ? o->ifindex : 0, &from);
		if (bind(s->fd, (struct sockaddr *)&from, len) < 0)
			return gen_fail("cannot send from the address of --source");
	}
	return 0;
}

static int sender_init(struct sender *s, const struct gen_options *o)
{
	uint32_t n = gen_n_streams(o);
	uint16_t run;

	*s = (struct sender){.o = o, .fd = -1};
	s->to = calloc(n, sizeof(*s->to));
	s->seq = calloc(n, sizeof(*s->seq));
	s->buf = calloc(BATCH, o->size);
	if (!s->to || !s->seq || !s->buf) {
		errno = ENOMEM;
		return gen_fail("start");
	}
	/* lets a receiver tell a restarted sender from a step back in the sequence */
	if (getrandom(&run, sizeof(run), 0) != sizeof(run))
		return gen_fail("cannot get a random number");
	s->first_stream = (uint32_t)(run | 1) << 16;
	for (uint32_t i = 0; i < n; i++) {
		struct addr group = gen_group(o, i);

		s->to_len = gen_sockaddr(&group, gen_port(o, i), o->ifindex, &s->to[i]);
	}
	return sender_open(s);
}

static void sender_deinit(struct sender *s)
{
	closep(&s->fd);
	free(s->to);
	free(s->seq);
	free(s->buf);
}

static int64_t due_ns(const struct sender *s, uint64_t k)
{
	return s->start_ns + (int64_t)((double)k * 1e9 / s->o->rate);
}

/* how many datagrams are due now; 0 after a sleep that ended too early */
static unsigned wait_for_due(const struct sender *s)
{
	uint64_t due = BATCH;
	int64_t now = gen_now_ns(), wake;
	struct timespec ts;

	if (s->o->rate > 0) {
		uint64_t until_now =
			(uint64_t)((double)(now - s->start_ns) * s->o->rate / 1e9) + 1;

		due = until_now > s->n_tried ? until_now - s->n_tried : 0;
		if (due == 0) {
			wake = due_ns(s, s->n_tried) + 1;
			if (wake < now + TICK_NS)
				wake = now + TICK_NS;
			if (wake > now + SLICE_NS)
				wake = now + SLICE_NS;
			if (s->end_ns && wake > s->end_ns)
				wake = s->end_ns;
			ts.tv_sec = wake / NS_PER_SEC;
			ts.tv_nsec = wake % NS_PER_SEC;
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
			return 0;
		}
	}
	if (s->o->count && due > s->o->count - s->n_tried)
		due = s->o->count - s->n_tried;
	return due < BATCH ? (unsigned)due : BATCH;
}

static void send_batch(struct sender *s, unsigned n)
{
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	int64_t now = gen_now_ns();
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t k = (uint32_t)((s->n_tried + i) % gen_n_streams(s->o));
		uint8_t *buf = s->buf + (size_t)i * s->o->size;
		struct gen_stamp stamp = {
			.stream = s->first_stream + k,
			.seq = s->seq[k]++,
			.sent_ns = now,
		};

		gen_payload_write(buf, s->o->size, s->o->ts, &stamp);
		iov[i] = (struct iovec){buf, s->o->size};
		msg[i].msg_hdr = (struct msghdr){.msg_name = &s->to[k],
			.msg_namelen = s->to_len,
			.msg_iov = &iov[i],
			.msg_iovlen = 1};
	}
	while (done < n) {
		int r = sendmmsg(s->fd, msg + done, n - done, 0);

		if (r > 0) {
			done += (unsigned)r;
			s->n_sent += (unsigned)r;
		} else if (errno != EINTR) {
			/* this one is skipped on purpose, so that its number is missing
			 * at the receiver */
			s->last_error = errno;
			s->n_errors++;
			done++;
		}
	}
	s->n_tried += n;
}

static void print_summary(const struct sender *s, double seconds)
{
	const struct gen_options *o = s->o;
	double rate = seconds > 0 ? (double)s->n_sent / seconds : 0;
	char group[ADDR_STRLEN];
	json_t *j;

	addr_format(&o->group, group);
	if (!o->json) {
		printf("sent %llu datagrams of %u bytes to %s port %u (%u groups, %u ports) "
		       "in %.3f s, %.1f per second, %llu errors\n",
			(unsigned long long)s->n_sent, o->size, group, o->port,
			o->n_groups, o->n_ports, seconds, rate,
			(unsigned long long)s->n_errors);
		return;
	}
	j = json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:b, s:I, s:I, s:f, s:f, s:f}",
		"role", "sender", "group", group, "port", o->port, "groups",
		(int)o->n_groups, "ports", (int)o->n_ports, "size", (int)o->size, "ts",
		o->ts, "sent", (json_int_t)s->n_sent, "errors", (json_int_t)s->n_errors,
		"seconds", seconds, "rate", rate, "rate_wanted", o->rate);
	json_dumpf(j, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(j);
}

int gen_send(const struct gen_options *o)
{
	_cleanup_(sender_deinit) struct sender s;
	int64_t stopped;
	int r = sender_init(&s, o);

	if (r)
		return r;
	s.start_ns = gen_now_ns();
	if (o->seconds > 0)
		s.end_ns = s.start_ns + (int64_t)(o->seconds * 1e9);
	while (!gen_stop && (!o->count || s.n_tried < o->count)) {
		unsigned n;

		if (s.end_ns && gen_now_ns() >= s.end_ns)
			break;
		n = wait_for_due(&s);
		if (n)
			send_batch(&s, n);
		if (s.n_errors && !s.n_sent) {
			errno = s.last_error;
			return gen_fail("cannot send (no route? name the --interface)");
		}
	}
	stopped = gen_now_ns();
	print_summary(&s, (double)(stopped - s.start_ns) / 1e9);
	return GEN_EXIT_OK;
}
