/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The kernel's filter passes a part of a flooding host's messages, and all of other
 * hosts (R082). It identifies hosts by MAC and IP address on a TAP device, by IP
 * address on a TUN device, in both families. Frames that are written to the device
 * "arrive" there.
 */

#include "control/sys/mcsock.h"

#include "base/bytes.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define RATE  10u
#define BURST 20u   /* messages in two seconds */
#define MANY  1000u /* refused before the kernel filters; then half pass */

#define LOUD  1
#define QUIET 2

struct fixture {
	struct loop *loop;
	struct mcsock_rx *rx;
	struct mcsock *sock;
	struct admission_port port;
	struct admission_limit limit;
	enum family family;
	bool tap;
	int fd;
	unsigned n_heard[3]; /* by host */
	unsigned n_sampled;
	struct admission_host who;
	mono_t until;
};

static bool is_from(
	const struct fixture *f, const uint8_t *packet, size_t len, int host)
{
	size_t last = f->family == FAMILY_IPV4 ? 27 : len - 1;

	return packet[last] == host;
}

static int packet_in(
	void *ctx, enum family family, const void *packet, size_t len, uint32_t work)
{
	struct fixture *f = ctx;

	for (int host = LOUD; host <= QUIET; host++)
		f->n_heard[host] += is_from(f, packet, len, host);
	return 0;
}

static void sampled(void *ctx, const struct admission_host *who)
{
	struct fixture *f = ctx;

	f->who = *who;
	f->n_sampled++;
}

static void later(void *ctx, mono_t at)
{
	struct fixture *f = ctx;

	f->until = at;
}

static mono_t deadline(void *ctx)
{
	return MONO_NEVER;
}

/* The last byte identifies the host in both cases. On a TAP device hosts differ only in
 * their MAC address. */
static void speak(const struct fixture *f, uint8_t host)
{
	uint8_t frame[128], from6[16] = {0xfe, 0x80, [15] = 9},
			    to6[16] = {0xff, 2, [15] = 0x16};
	uint8_t from = f->tap ? 9 : host;
	struct wr w = wr_init(frame, sizeof(frame));

	if (f->tap) {
		wr_u16be(&w, f->family == FAMILY_IPV4 ? 0x0100 : 0x3333);
		wr_u32be(&w, f->family == FAMILY_IPV4 ? 0x5e000016 : 0x00000016);
		wr_u32be(&w, 0x02000000);
		wr_u16be(&w, host);
		wr_u16be(&w, f->family == FAMILY_IPV4 ? ETH_P_IP : ETH_P_IPV6);
	}
	if (f->family == FAMILY_IPV4) {
		wr_u32be(&w, 0x4500001c);
		wr_u32be(&w, 0);
		wr_u32be(&w, 0x01020000);
		wr_u32be(&w, 0x0a000000u | from);
		wr_u32be(&w, 0xe0000016);
		wr_u32be(&w, 0x16000000);
	} else {
		from6[15] = from;
		wr_u32be(&w, 0x60000000);
		wr_u32be(&w, 0x00083a01);
		wr_bytes(&w, from6, sizeof(from6));
		wr_bytes(&w, to6, sizeof(to6));
		wr_u32be(&w, 0x8f000000);
	}
	wr_u32be(&w, host);
	assert_false(w.bad);
	assert_int_equal(write(f->fd, frame, wr_len(&w)), wr_len(&w));
}

static void open_device(struct fixture *f)
{
	struct ifreq ifr = {.ifr_name = "tt", .ifr_flags = IFF_NO_PI};
	struct mcsock_ops ops = {.packet = packet_in,
		.sampled = sampled,
		.later = later,
		.ctx = f,
		.admission = &f->port,
		.limit = &f->limit};

	ifr.ifr_flags |= f->tap ? IFF_TAP : IFF_TUN;
	f->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (f->fd < 0)
		skip();
	assert_int_equal(ioctl(f->fd, TUNSETIFF, &ifr), 0);
	assert_int_equal(system("ip link set tt up"), 0);
	assert_int_equal(mcsock_open(f->loop, f->rx, -1, (int)if_nametoindex("tt"),
				 f->family, &ops, &f->sock),
		0);
}

/* Writes until `host` was heard `n` times, so its messages have come through. */
static void speak_until_heard(struct fixture *f, uint8_t host, unsigned n)
{
	while (f->n_heard[host] < n) {
		speak(f, host);
		assert_int_equal(loop_round(f->loop), 0);
	}
}

static void check(struct fixture *f)
{
	struct mcsock_stats before, after;
	const unsigned n = MANY;

	open_device(f);
	while (f->n_sampled == 0) {
		speak(f, LOUD);
		assert_int_equal(loop_round(f->loop), 0);
	}
	assert_true(f->n_heard[LOUD] >= BURST);
	assert_int_equal(f->who.has_mac, f->tap);
	assert_int_equal(f->tap ? f->who.mac.byte[5] : f->who.from.b[15], LOUD);
	mcsock_stats(f->sock, &before);
	assert_true(before.count[MCSOCK_COUNT_LIMITED] >= MANY);
	assert_int_equal(before.count[MCSOCK_COUNT_SAMPLED], 1);

	/* a part of its messages is received, and all of the other host's */
	for (unsigned i = 0; i < n; i++) {
		speak(f, LOUD);
		if (i % 100 == 0)
			speak_until_heard(f, QUIET, i / 100 + 1);
	}
	speak_until_heard(f, QUIET, n / 100 + 1);
	mcsock_stats(f->sock, &after);
	printf("%u of %u messages let through\n",
		(unsigned)(after.count[MCSOCK_COUNT_RECEIVED] -
			before.count[MCSOCK_COUNT_RECEIVED]) -
			n / 100 - 1,
		n);
	assert_true(after.count[MCSOCK_COUNT_RECEIVED] >
		before.count[MCSOCK_COUNT_RECEIVED] + n / 100 + 1);
	assert_true(after.count[MCSOCK_COUNT_RECEIVED] <
		before.count[MCSOCK_COUNT_RECEIVED] + n * 3 / 4);

	/* still sampled, and not later */
	assert_int_equal(mcsock_tick(f->sock, loop_now(f->loop)).ns, f->until.ns);
	assert_true(mono_before(f->until, mcsock_tick(f->sock, f->until)));
	mcsock_stats(f->sock, &before);
	for (unsigned i = 0; i < 100; i++) {
		speak(f, LOUD);
		assert_int_equal(loop_round(f->loop), 0);
	}
	mcsock_stats(f->sock, &after);
	assert_int_equal(after.count[MCSOCK_COUNT_RECEIVED],
		before.count[MCSOCK_COUNT_RECEIVED] + 100);
}

static void r082_loud_host_is_sampled(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		struct fixture f = {.family = i % 2 ? FAMILY_IPV6 : FAMILY_IPV4,
			.tap = i >= 2,
			.limit = {.host_rate = RATE, .loud_rate = MANY}};
		struct loop_ops ops = {.deadline = deadline, .ctx = &f};

		assert_int_equal(loop_new(&ops, &f.loop), 0);
		assert_int_equal(mcsock_rx_new(i, &f.rx), 0);
		check(&f);
		mcsock_close(f.sock);
		mcsock_rx_free(f.rx);
		loop_free(f.loop);
		close(f.fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r082_loud_host_is_sampled),
	};

	if (unshare(CLONE_NEWNET) < 0) {
		printf("skipped: no network namespace: %s\n", strerror(errno));
		return 77;
	}
	if (geteuid() != 0 || system("ip link >/dev/null 2>&1") != 0) {
		printf("skipped: needs root and the ip command\n");
		return 77;
	}
	if (access("/dev/net/tun", R_OK | W_OK) < 0) {
		printf("skipped: no TUN devices: %s\n", strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
