/* SPDX-License-Identifier: GPL-2.0-or-later */

/* captures over a real control socket, with fake ports and a fake data plane. */

#include "control/daemon/captures.h"
#include "ctl_fixture.h"

#include <linux/if_packet.h>

#define N_PORTS 4

struct fixture {
	struct ctl_fixture server;
	struct captures *tap;
	struct captures_port port[N_PORTS]; /* a port without name does not exist */
	struct sample_spec *spec;
	struct sample sample[8]; /* samples still to deliver */
	unsigned n_samples;
	uint64_t lost;
	uint8_t got[65536];
	size_t n_got, at; /* start of the next block */
};

static bool port(void *ctx, unsigned number, struct captures_port *ret)
{
	struct fixture *f = ctx;

	if (number >= N_PORTS || !f->port[number].name)
		return false;
	*ret = f->port[number];
	return true;
}

static void set_spec(void *ctx, struct sample_spec *spec)
{
	struct fixture *f = ctx;

	sample_spec_free(f->spec);
	f->spec = spec;
}

static bool samples(void *ctx, void (*fn)(void *arg, const struct sample *s), void *arg)
{
	struct fixture *f = ctx;

	for (unsigned i = 0; i < f->n_samples; i++)
		fn(arg, &f->sample[i]);
	f->n_samples = 0;
	return false;
}

static uint64_t samples_lost(void *ctx, unsigned want, unsigned number)
{
	struct fixture *f = ctx;

	assert_true(number < PORT_MAX); /* ports above carry no data */
	return number == 0 ? f->lost : 0;
}

static json_t *cmd_capture(void *ctx, const char *args, struct ctl_stream **ret)
{
	struct fixture *f = ctx;

	return captures_open(f->tap, args, ret);
}

static const struct ctl_command commands[] = {
	{"capture", .stream = cmd_capture},
	{NULL, NULL},
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct captures_ops ops = {.port = port,
		.sample = set_spec,
		.samples = samples,
		.samples_lost = samples_lost,
		.ctx = f};

	f->port[0] = (struct captures_port){"wan", true, true, {2, 0, 0, 0, 0, 1}};
	f->port[1] = (struct captures_port){"lan1", true, true, {2, 0, 0, 0, 0, 2}};
	f->port[2] = (struct captures_port){"ppp0", true, false, {0}};
	assert_int_equal(captures_new(&ops, &f->tap), 0);
	ctl_fixture_init(&f->server, commands, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ctl_fixture_deinit(&f->server);
	assert_false(captures_is_active(f->tap));
	captures_free(f->tap);
	assert_null(f->spec);
	free(f);
	return 0;
}

static int capture(struct fixture *f, const char *request)
{
	int fd = client(&f->server);

	say(fd, request);
	assert_string_equal(hear(&f->server, fd), "{\"capture\":\"pcapng\"}");
	f->n_got = f->at = 0;
	return fd;
}

static struct pcapng_block next(struct fixture *f, int fd, enum pcapng_type type)
{
	struct pcapng_block b;
	int r;

	while ((r = pcapng_read(f->got + f->at, f->n_got - f->at, &b)) == 0) {
		ssize_t n = recv(
			fd, f->got + f->n_got, sizeof(f->got) - f->n_got, MSG_DONTWAIT);

		assert_int_not_equal(n, 0);
		if (n > 0)
			f->n_got += (size_t)n;
		else
			assert_int_equal(loop_round(f->server.loop), 0);
	}
	assert_int_equal(r, 1);
	assert_int_equal(b.type, type);
	f->at += b.size;
	return b;
}

static void expect_interface(
	struct fixture *f, int fd, enum pcapng_link link, const char *name)
{
	struct pcapng_block b = next(f, fd, PCAPNG_INTERFACE);

	assert_string_equal(b.interface.name, name);
	assert_int_equal(b.interface.link, link);
}

static void expect_beginning(struct fixture *f, int fd)
{
	next(f, fd, PCAPNG_SECTION);
	expect_interface(f, fd, PCAPNG_ETHERNET, "wan");
	expect_interface(f, fd, PCAPNG_ETHERNET, "lan1");
	expect_interface(f, fd, PCAPNG_RAW_IP, "ppp0");
}

/* 10.0.1.2 > 239.129.2.3 */
static const uint8_t ipv4[24] = {0x46, 0, 0, 24, 0, 0, 0, 0, 1, 2, 0, 0, 10, 0, 1, 2,
	239, 129, 2, 3, 0x94, 4, 0, 0};

static struct captures_message message(unsigned number, enum pcapng_direction direction)
{
	return (struct captures_message){.number = number,
		.direction = direction,
		.reception = PCAPNG_MULTICAST,
		.family = FAMILY_IPV4,
		.from_mac = {2, 0, 0, 0, 0, 9},
		.packet = ipv4,
		.len = sizeof(ipv4)};
}

static void expect_frame(struct fixture *f, int fd, uint32_t interface,
	enum pcapng_direction direction, const char *l2)
{
	struct pcapng_block b = next(f, fd, PCAPNG_PACKET);
	const uint8_t *p = b.packet.data;
	size_t n = l2 ? 14 : 0;

	assert_int_equal(b.packet.interface, interface);
	assert_int_equal(b.packet.direction, direction);
	assert_int_equal(b.packet.caplen, n + sizeof(ipv4));
	assert_int_equal(b.packet.len, n + sizeof(ipv4));
	if (l2)
		assert_memory_equal(p, l2, 14);
	assert_memory_equal(p + n, ipv4, sizeof(ipv4));
}

static void messages_get_the_header_of_their_link(void **state)
{
	struct fixture *f = *state;
	struct captures_message m;
	int fd;

	assert_false(captures_is_active(f->tap));
	fd = capture(f, "capture\n");
	assert_true(captures_is_active(f->tap));
	expect_beginning(f, fd);
	m = message(1, PCAPNG_INBOUND);
	captures_message(f->tap, &m);
	/* RFC 1112 6.4: the low 23 bits of the group */
	expect_frame(f, fd, 1, PCAPNG_INBOUND,
		"\x01\x00\x5e\x01\x02\x03\x02\0\0\0\0\x09\x08\x00");
	m.reception = PCAPNG_UNICAST;
	captures_message(f->tap, &m);
	expect_frame(
		f, fd, 1, PCAPNG_INBOUND, "\x02\0\0\0\0\x02\x02\0\0\0\0\x09\x08\x00");
	m.reception = PCAPNG_BROADCAST;
	captures_message(f->tap, &m);
	expect_frame(f, fd, 1, PCAPNG_INBOUND,
		"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x09\x08\x00");
	m = message(0, PCAPNG_OUTBOUND);
	captures_message(f->tap, &m);
	expect_frame(f, fd, 0, PCAPNG_OUTBOUND,
		"\x01\x00\x5e\x01\x02\x03\x02\0\0\0\0\x01\x08\x00");
	m = message(2, PCAPNG_INBOUND);
	captures_message(f->tap, &m);
	expect_frame(f, fd, 2, PCAPNG_INBOUND, NULL);
	close(fd);
}

/* A message is captured before it is checked. The frame says which protocol it is of,
 * whatever the version in the IP header is. */
static void the_version_of_a_message_may_be_wrong(void **state)
{
	struct fixture *f = *state;
	int fd = capture(f, "capture interface=lan1\n");
	struct captures_message m = message(1, PCAPNG_INBOUND);
	uint8_t *packet = malloc(sizeof(ipv4)); /* a sanitizer sees what follows it */
	struct pcapng_block b;

	assert_non_null(packet);
	memcpy(packet, ipv4, sizeof(ipv4));
	packet[0] = 0x65;
	m.packet = packet;
	captures_message(f->tap, &m);
	free(packet);
	next(f, fd, PCAPNG_SECTION);
	expect_interface(f, fd, PCAPNG_ETHERNET, "lan1");
	b = next(f, fd, PCAPNG_PACKET);
	assert_memory_equal(
		b.packet.data, "\x01\x00\x5e\x01\x02\x03\x02\0\0\0\0\x09\x08\x00", 14);
	close(fd);
}

static void statistics_come_last(void **state)
{
	struct fixture *f = *state;
	int fd = capture(f, "capture interface=lan1\n");
	struct captures_message m = message(1, PCAPNG_INBOUND);
	struct pcapng_block b;

	next(f, fd, PCAPNG_SECTION);
	expect_interface(f, fd, PCAPNG_ETHERNET, "lan1");
	captures_message(f->tap, &m);
	m.number = 0; /* the capture does not include this port */
	captures_message(f->tap, &m);
	shutdown(fd, SHUT_WR);
	next(f, fd, PCAPNG_PACKET);
	b = next(f, fd, PCAPNG_STATS);
	assert_int_equal(b.stats.interface, 0);
	assert_int_equal(b.stats.accepted, 1);
	assert_int_equal(b.stats.lost, 0);
	assert_int_equal(b.stats.delivered, 1);
	assert_true(b.stats.start_ns <= b.stats.end_ns);
	assert_null(hear(&f->server, fd));
	close(fd);
}

static void slow_client_loses_and_is_told(void **state)
{
	struct fixture *f = *state;
	int fd = capture(f, "capture interface=lan1\n");
	struct captures_message m = message(1, PCAPNG_INBOUND);
	static uint8_t large[60000];
	uint32_t n = 0;
	struct pcapng_block b;

	memcpy(large, ipv4, sizeof(ipv4));
	m.packet = large;
	m.len = sizeof(large);
	for (; n < 2 * CTL_MAX_STREAM_PENDING / sizeof(large); n++)
		captures_message(f->tap, &m);
	next(f, fd, PCAPNG_SECTION);
	next(f, fd, PCAPNG_INTERFACE);
	shutdown(fd, SHUT_WR);
	for (;;) {
		f->n_got -= f->at;
		memmove(f->got, f->got + f->at, f->n_got);
		f->at = 0;
		while (pcapng_read(f->got, f->n_got, &b) == 0) {
			ssize_t got = recv(fd, f->got + f->n_got,
				sizeof(f->got) - f->n_got, MSG_DONTWAIT);

			if (got > 0)
				f->n_got += (size_t)got;
			else
				assert_int_equal(loop_round(f->server.loop), 0);
		}
		f->at = b.size;
		if (b.type == PCAPNG_STATS)
			break;
	}
	assert_int_equal(b.stats.accepted, n);
	assert_true(b.stats.lost > 0 && b.stats.lost < n);
	assert_int_equal(b.stats.delivered, n - b.stats.lost);
	close(fd);
}

static void port_that_changes_is_described_again(void **state)
{
	struct fixture *f = *state;
	int fd = capture(f, "capture\n");
	struct captures_message m = message(1, PCAPNG_INBOUND);

	expect_beginning(f, fd);
	f->port[1].name = "lan9";
	captures_message(f->tap, &m);
	expect_interface(f, fd, PCAPNG_ETHERNET, "lan9");
	assert_int_equal(next(f, fd, PCAPNG_PACKET).packet.interface, 3);
	f->port[3] = (struct captures_port){"lan2", true, true, {0}};
	m.number = 3;
	captures_message(f->tap, &m);
	expect_interface(f, fd, PCAPNG_ETHERNET, "lan2");
	assert_int_equal(next(f, fd, PCAPNG_PACKET).packet.interface, 4);
	close(fd);
}

/* Filter programs for either kind of link: every frame passes, or none. */
#define ALL  "0006000000000001"
#define NONE "0006000000000000"

static void filter_decides_on_messages(void **state)
{
	struct fixture *f = *state;
	int fd = capture(f, "capture ethernet=" NONE " raw=" ALL "\n");
	struct captures_message m = message(1, PCAPNG_INBOUND);

	expect_beginning(f, fd);
	captures_message(f->tap, &m);
	m.number = 2;
	captures_message(f->tap, &m);
	assert_int_equal(next(f, fd, PCAPNG_PACKET).packet.interface, 2);
	close(fd);
}

static void put_sample(struct fixture *f, const uint32_t *id, uint32_t caplen)
{
	static const uint8_t bytes[1500];

	f->sample[f->n_samples++] = (struct sample){.time_ns = 77,
		.has_l2 = true,
		.pkttype = PACKET_MULTICAST,
		.caplen = caplen,
		.len = 1400,
		.id = id,
		.data = bytes};
}

static void data_frames_are_asked_for(void **state)
{
	struct fixture *f = *state;
	uint32_t id[SAMPLE_WANTS_MAX] = {0}, old[SAMPLE_WANTS_MAX] = {0};
	struct captures_message m = message(0, PCAPNG_OUTBOUND);
	struct pcapng_block b;
	int fd;

	assert_int_equal(captures_deadline(f->tap).ns, MONO_NEVER.ns);
	f->lost = 5; /* lost before the capture began */
	fd = capture(f, "capture sample=10 snaplen=100 interface=wan interface=ppp0\n");
	assert_non_null(f->spec);
	id[0] = f->spec->want[0].id;
	old[0] = id[0] + 1;
	assert_int_not_equal(id[0], 0);
	assert_int_equal(f->spec->want[0].one_of, 10);
	assert_int_equal(f->spec->want[0].snaplen, 100);
	assert_true(portset_has(&f->spec->want[0].ports, 0));
	assert_false(portset_has(&f->spec->want[0].ports, 1));
	assert_true(portset_has(&f->spec->want[0].ports, 2));
	next(f, fd, PCAPNG_SECTION);
	expect_interface(f, fd, PCAPNG_ETHERNET, "wan");
	expect_interface(f, fd, PCAPNG_RAW_IP, "ppp0");

	put_sample(f, id, 256); /* snaplen of another capture is larger */
	put_sample(f, old, 256);
	captures_tick(f->tap, loop_now(f->server.loop));
	assert_true(mono_before(loop_now(f->server.loop), captures_deadline(f->tap)));
	b = next(f, fd, PCAPNG_PACKET);
	assert_int_equal(b.packet.caplen, 100);
	assert_int_equal(b.packet.len, 1400);
	assert_int_equal(b.packet.time_ns, 77);
	assert_int_equal(b.packet.direction, PCAPNG_INBOUND);
	/* frames that arrived earlier precede the message */
	put_sample(f, id, 64);
	captures_message(f->tap, &m);
	assert_int_equal(next(f, fd, PCAPNG_PACKET).packet.caplen, 64);
	assert_int_equal(next(f, fd, PCAPNG_PACKET).packet.direction, PCAPNG_OUTBOUND);

	f->lost = 9;
	put_sample(f, id, 65);
	shutdown(fd, SHUT_WR);
	assert_int_equal(next(f, fd, PCAPNG_PACKET).packet.caplen, 65);
	b = next(f, fd, PCAPNG_STATS);
	assert_int_equal(b.stats.lost, 4);
	assert_int_equal(b.stats.accepted, 8);
	assert_int_equal(b.stats.delivered, 4);
	next(f, fd, PCAPNG_STATS);
	assert_null(hear(&f->server, fd));
	assert_null(f->spec);
	close(fd);
}

static void ports_are_asked_for_again_when_they_change(void **state)
{
	struct fixture *f = *state;
	int fd = capture(f, "capture data interface=lan1\n");

	f->port[3] = f->port[1];
	f->port[1].name = NULL;
	captures_ports_changed(f->tap);
	assert_true(portset_has(&f->spec->want[0].ports, 3));
	assert_false(portset_has(&f->spec->want[0].ports, 1));
	close(fd);
}

static void requests_that_are_refused(void **state)
{
	static const struct {
		const char *request, *why;
	} c[] = {
		{"capture what\n", "unknown word 'what'"},
		{"capture sample=0\n", "sample is a number"},
		{"capture sample=4294967296\n", "sample is a number"},
		{"capture snaplen=63\n", "snaplen is a number from 64"},
		{"capture interface=eth9\n",
			"interface eth9 does not belong to this daemon"},
		{"capture interface=\n", "does not belong to this daemon"},
		{"capture ethernet=12\n", "the filter is not a program"},
		{"capture ethernet=" ALL "\n", "a filter has two programs"},
		{"capture raw=" ALL " raw=" ALL "\n", "more than one filter"},
	};
	struct fixture *f = *state;
	int fd = client(&f->server);

	for (size_t i = 0; i < array_len(c); i++) {
		const char *reply;

		say(fd, c[i].request);
		reply = hear(&f->server, fd);
		if (!strstr(reply, c[i].why))
			fail_msg("%s: %s", c[i].request, reply);
	}
	assert_false(captures_is_active(f->tap));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			messages_get_the_header_of_their_link, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_version_of_a_message_may_be_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(statistics_come_last, setup, teardown),
		cmocka_unit_test_setup_teardown(
			slow_client_loses_and_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			port_that_changes_is_described_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			filter_decides_on_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(
			data_frames_are_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(
			ports_are_asked_for_again_when_they_change, setup, teardown),
		cmocka_unit_test_setup_teardown(
			requests_that_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
