/* SPDX-License-Identifier: GPL-2.0-or-later */

/* bench_frames: reads frames from its standard input and sends them over and over at a
 * rate, through a packet socket; prints JSON. Two bytes before each frame are its
 * length, high byte first. */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH	  64
#define SECOND_NS 1000000000LL
#define TICK_NS	  500000

struct frames {
	struct iovec *v;
	size_t n, cap;
	size_t next; /* the frame to send next */
	uint64_t n_sent, n_failed;
	int fd;
};

static void die(const char *what)
{
	fprintf(stderr, "bench_frames: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

static void sleep_until(int64_t ns)
{
	struct timespec t = {.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void more_room(struct frames *f)
{
	size_t cap = f->cap ? 2 * f->cap : 64;
	struct iovec *v = reallocarray(f->v, cap, sizeof(*v));

	if (!v)
		die("standard input");
	f->v = v;
	f->cap = cap;
}

static void read_frames(struct frames *f)
{
	uint8_t head[2];

	while (fread(head, sizeof(head), 1, stdin) == 1) {
		size_t len = (size_t)head[0] << 8 | head[1];
		struct iovec *frame;

		if (f->n == f->cap)
			more_room(f);
		frame = &f->v[f->n++];
		*frame = (struct iovec){malloc(len), len};
		if (!frame->iov_base || fread(frame->iov_base, len, 1, stdin) != 1)
			die("standard input");
	}
	if (f->n == 0) {
		errno = ENODATA;
		die("standard input");
	}
}

static void open_socket(struct frames *f, const char *interface)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};

	f->fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (!ll.sll_ifindex || f->fd < 0 ||
		bind(f->fd, (struct sockaddr *)&ll, sizeof(ll)) < 0)
		die(interface);
}

static void send_some(struct frames *f, unsigned n)
{
	struct mmsghdr m[BATCH] = {0};

	for (unsigned i = 0; i < n; i++) {
		m[i].msg_hdr.msg_iov = &f->v[f->next];
		m[i].msg_hdr.msg_iovlen = 1;
		f->next = (f->next + 1) % f->n;
	}
	for (unsigned done = 0; done < n;) {
		int r = sendmmsg(f->fd, m + done, n - done, 0);

		if (r > 0) {
			done += (unsigned)r;
			f->n_sent += (unsigned)r;
		} else if (errno != EINTR) {
			/* the queue is full: try again a little later */
			f->n_failed++;
			done++;
		}
	}
}

static void send_all(struct frames *f, double rate, double seconds)
{
	int64_t start = clock_ns(), end = start + (int64_t)(seconds * SECOND_NS);
	int64_t tick = start;
	uint64_t n = 0;

	for (int64_t now = start; now < end; now = clock_ns()) {
		uint64_t due = (uint64_t)((double)(now - start) * rate / SECOND_NS) + 1;

		while (n < due) {
			unsigned some = due - n < BATCH ? (unsigned)(due - n) : BATCH;

			send_some(f, some);
			n += some;
		}
		tick += TICK_NS;
		sleep_until(tick);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"interface", 1, NULL, 'i'},
		{"rate", 1, NULL, 'r'}, {"seconds", 1, NULL, 't'}, {0}};
	const char *interface = "eth0";
	double rate = 1000, seconds = 1, took;
	struct frames f = {0};
	int64_t start;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'i')
			interface = optarg;
		else if (c == 'r')
			rate = atof(optarg);
		else if (c == 't')
			seconds = atof(optarg);
		else
			return 1;
	}
	prctl(PR_SET_TIMERSLACK, 1);
	read_frames(&f);
	open_socket(&f, interface);
	start = clock_ns();
	send_all(&f, rate, seconds);
	took = (double)(clock_ns() - start) / SECOND_NS;
	printf("{\"sent\": %" PRIu64 ", \"failed\": %" PRIu64
	       ", \"seconds\": %.3f, \"rate\": %.0f}\n",
		f.n_sent, f.n_failed, took, (double)f.n_sent / took);
	return 0;
}
