/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * netlink, mcsock and privdrop against the kernel, in a network namespace of this
 * process. The tests run the loop until a condition holds or patience ends.
 */

#include "base/bytes.h"
#include "control/proxy/iface.h"
#include "control/sys/mcsock.h"
#include "control/sys/netlink.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define PATIENCE_MS  20000
#define MAX_RECEIVED 64

struct packet {
	int ifindex;
	size_t len;
	uint8_t bytes[256];
};

struct fixture {
	struct loop *loop;
	struct netlink *netlink;
	struct iface_table table;
	mono_t deadline;
	bool quiet; /* success means that the deadline passes */
	unsigned n_changed, n_rounds;
	struct mcsock_rx *rx;
	struct mcsock *va, *vb;
	bool close_on_packet;
	struct packet received[MAX_RECEIVED];
	size_t n_received;
};

static mono_t deadline(void *ctx)
{
	struct fixture *f = ctx;

	return f->deadline;
}

static void tick(void *ctx, mono_t now)
{
	struct fixture *f = ctx;

	if (!f->quiet)
		fail_msg("the condition did not come true in %d ms", PATIENCE_MS);
	f->quiet = false;
	f->deadline = mono_add_ms(now, PATIENCE_MS);
}

static void round_end(void *ctx, mono_t now)
{
	struct fixture *f = ctx;

	f->n_rounds++;
}

/* Runs the loop until the condition holds. */
#define until(f, condition)                                                            \
	do {                                                                           \
		(f)->deadline = mono_add_ms(loop_now((f)->loop), PATIENCE_MS);         \
		while (!(condition))                                                   \
			assert_int_equal(loop_round((f)->loop), 0);                    \
	} while (0)

/* Runs the loop for a time and returns the number of rounds. */
static unsigned run_for(struct fixture *f, int64_t ms)
{
	f->n_rounds = 0;
	f->quiet = true;
	f->deadline = mono_add_ms(loop_now(f->loop), ms);
	while (f->quiet)
		assert_int_equal(loop_round(f->loop), 0);
	return f->n_rounds;
}

static void changed(void *ctx)
{
	struct fixture *f = ctx;

	f->n_changed++;
}

static void ip(const char *args)
{
	char command[256];

	snprintf(command, sizeof(command), "ip %s", args);
	if (system(command) != 0)
		fail_msg("%s", command);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct loop_ops ops = {
		.deadline = deadline, .tick = tick, .round_end = round_end, .ctx = f};
	struct netlink_ops nl_ops = {.changed = changed, .ctx = f};

	f->deadline = MONO_NEVER;
	assert_int_equal(loop_new(&ops, &f->loop), 0);
	assert_int_equal(mcsock_rx_new(1, &f->rx), 0);
	assert_int_equal(netlink_new(f->loop, &f->table, &nl_ops, &f->netlink), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	f->va = mcsock_close(f->va);
	f->vb = mcsock_close(f->vb);
	f->rx = mcsock_rx_free(f->rx);
	f->netlink = netlink_free(f->netlink);
	iface_table_deinit(&f->table);
	f->loop = loop_free(f->loop);
	free(f);
	if (system("ip link del va 2>/dev/null; ip link del vbr 2>/dev/null; true") !=
		0)
		return -1;
	return 0;
}

static const struct iface *named(const struct fixture *f, const char *name)
{
	return iface_by_name(&f->table, name);
}

static const struct iface_addr *address(
	const struct fixture *f, const char *name, const char *text)
{
	const struct iface *i = named(f, name);
	struct addr want = a(text);

	for (size_t n = 0; i && n < i->n_addr; n++) {
		if (addr_eq(&i->addr[n].addr, &want))
			return &i->addr[n];
	}
	return NULL;
}

static bool subnet_is(const struct iface_addr *ia, const char *text)
{
	char buf[PREFIX_STRLEN];

	return ia && strcmp(prefix_format(&ia->subnet, buf), text) == 0;
}

static bool is_up(const struct fixture *f, const char *name)
{
	const struct iface *i = named(f, name);

	return i && i->up;
}

static void first_dump_has_what_is_there(void **state)
{
	struct fixture *f = *state;
	const struct iface *lo = named(f, "lo");
	struct netlink_ops ops = {.changed = changed, .ctx = f};

	assert_non_null(lo);
	assert_true(lo->loopback);
	assert_int_equal(lo->arphrd, ARPHRD_LOOPBACK);
	assert_int_equal(f->n_changed, 0);

	f->netlink = netlink_free(f->netlink);
	iface_table_deinit(&f->table);
	f->table = (struct iface_table){0};
	ip("link add va address 02:00:00:00:00:0a mtu 1400 type veth peer name vb");
	ip("addr add 10.9.0.1/24 dev va");
	ip("addr add 2001:db8::1/64 dev va nodad");
	assert_int_equal(netlink_new(f->loop, &f->table, &ops, &f->netlink), 0);
	assert_non_null(named(f, "va"));
	assert_non_null(named(f, "vb"));
	assert_int_equal(named(f, "va")->mtu, 1400);
	assert_string_equal(named(f, "va")->kind, "veth");
	assert_int_equal(named(f, "va")->arphrd, ARPHRD_ETHER);
	assert_memory_equal(named(f, "va")->mac, "\x02\0\0\0\0\x0a", 6);
	assert_true(named(f, "va")->multicast);
	assert_false(named(f, "va")->up);
	assert_true(subnet_is(address(f, "va", "10.9.0.1"), "10.9.0.0/24"));
	assert_true(subnet_is(address(f, "va", "2001:db8::1"), "2001:db8::/64"));
	assert_int_equal(f->n_changed, 0);
}

static void follows_a_link_through_its_life(void **state)
{
	struct fixture *f = *state;
	int ifindex;

	ip("link add va type veth peer name vb");
	until(f, named(f, "va") && named(f, "vb"));
	assert_true(f->n_changed > 0);
	ifindex = named(f, "va")->ifindex;
	assert_string_equal(named(f, "va")->kind, "veth");
	assert_false(named(f, "va")->up);

	ip("link set va mtu 1400");
	until(f, named(f, "va")->mtu == 1400);
	ip("link set va address 02:00:00:00:00:0b");
	until(f, memcmp(named(f, "va")->mac, "\x02\0\0\0\0\x0b", 6) == 0);

	/* up includes the carrier, which a veth has when both ends are up */
	ip("link set va up");
	run_for(f, 1);
	assert_false(is_up(f, "va"));
	ip("link set vb up");
	until(f, is_up(f, "va") && is_up(f, "vb"));

	ip("link set va down");
	until(f, !is_up(f, "va") && !is_up(f, "vb"));
	ip("link set va name renamed");
	until(f, named(f, "renamed"));
	assert_null(named(f, "va"));
	assert_int_equal(named(f, "renamed")->ifindex, ifindex);
	assert_int_equal(named(f, "renamed")->mtu, 1400);

	ip("link del renamed");
	until(f, !named(f, "renamed") && !named(f, "vb"));
	assert_non_null(named(f, "lo"));
}

static void follows_addresses(void **state)
{
	struct fixture *f = *state;
	const struct iface_addr *ia;
	unsigned n_changed;

	ip("link add va type veth peer name vb");
	ip("link set va up");
	ip("link set vb up");
	ip("addr add 10.9.0.1/24 dev va");
	until(f, subnet_is(address(f, "va", "10.9.0.1"), "10.9.0.0/24"));
	ip("addr add 10.9.1.1 peer 10.9.1.2/32 dev va");
	until(f, subnet_is(address(f, "va", "10.9.1.1"), "10.9.1.2/32"));
	ip("addr add fe80::aa/64 dev va nodad");
	until(f, (ia = address(f, "va", "fe80::aa")) && !ia->tentative);

	/* duplicate address detection takes a second: both states are seen */
	ip("addr add 2001:db8::1/64 dev va");
	until(f, (ia = address(f, "va", "2001:db8::1")) && ia->tentative);
	until(f, (ia = address(f, "va", "2001:db8::1")) && !ia->tentative);

	n_changed = f->n_changed;
	ip("addr del 10.9.0.1/24 dev va");
	until(f, !address(f, "va", "10.9.0.1"));
	assert_true(f->n_changed > n_changed);
	assert_non_null(address(f, "va", "10.9.1.1"));
	assert_non_null(address(f, "va", "2001:db8::1"));
}

/* A port that leaves its bridge causes an RTM_DELLINK of family AF_BRIDGE. */
static void leaving_a_bridge_is_not_going_away(void **state)
{
	struct fixture *f = *state;

	ip("link add va type veth peer name vb");
	ip("addr add 10.9.0.1/24 dev va");
	ip("link add name vbr type bridge");
	ip("link set va master vbr");
	ip("link set va nomaster");
	ip("link set va mtu 1300"); /* this comes after the other events */
	until(f, named(f, "va") && named(f, "va")->mtu == 1300);
	assert_non_null(address(f, "va", "10.9.0.1"));
	assert_string_equal(named(f, "vbr")->kind, "bridge");
	ip("link del vbr");
	until(f, !named(f, "vbr"));
	assert_non_null(named(f, "va"));
}

static void resync_alone_changes_nothing(void **state)
{
	struct fixture *f = *state;

	ip("link add va type veth peer name vb");
	ip("addr add 10.9.0.1/24 dev va");
	until(f, address(f, "va", "10.9.0.1"));
	run_for(f, 5);
	f->n_changed = 0;
	assert_int_equal(netlink_resync(f->netlink), 0);
	assert_int_equal(netlink_resync(f->netlink), 0); /* while a dump is under way */
	run_for(f, 20);
	assert_int_equal(f->n_changed, 0);
	assert_non_null(address(f, "va", "10.9.0.1"));
	assert_int_equal(netlink_overruns(f->netlink), 0);
}

/* Thousands of events arrive while the socket is not read. Afterwards the table must be
 * right. */
static void overrun_is_repaired(void **state)
{
	struct fixture *f = *state;
	FILE *batch;

	ip("link add va type veth peer name vb");
	ip("link add name vbr type bridge");
	ip("addr add 10.9.0.1/24 dev va");
	ip("addr add 10.9.0.2/24 dev va");
	until(f, named(f, "vbr") && address(f, "va", "10.9.0.2"));

	batch = popen("ip -batch -", "w");
	assert_non_null(batch);
	for (int i = 0; i < 8000; i++)
		fprintf(batch, "link set va mtu %d\n", 1000 + i % 2);
	fprintf(batch,
		"link del vbr\n"
		"addr del 10.9.0.2/24 dev va\n"
		"addr add 10.9.0.3/24 dev va\n"
		"link set va mtu 1111\n");
	assert_int_equal(pclose(batch), 0);
	assert_non_null(named(f, "vbr"));

	until(f, named(f, "va")->mtu == 1111 && !named(f, "vbr"));
	assert_true(netlink_overruns(f->netlink) > 0);
	assert_non_null(address(f, "va", "10.9.0.1"));
	assert_null(address(f, "va", "10.9.0.2"));
	assert_non_null(address(f, "va", "10.9.0.3"));
	assert_non_null(named(f, "vb"));
	assert_non_null(named(f, "lo"));
}

static int packet_in(
	void *ctx, enum family family, const void *packet, size_t len, uint32_t work)
{
	struct fixture *f = ctx;
	struct packet *p = &f->received[f->n_received];

	assert_true(f->n_received < MAX_RECEIVED);
	p->ifindex = mcsock_rx_from(f->rx)->sll_ifindex;
	p->len = len;
	memcpy(p->bytes, packet, len < sizeof(p->bytes) ? len : sizeof(p->bytes));
	f->n_received++;
	if (f->close_on_packet) {
		f->va = mcsock_close(f->va);
		f->vb = mcsock_close(f->vb);
	}
	return 0;
}

/* How often this packet arrived on the interface, without messages of the kernel. */
static unsigned count(
	const struct fixture *f, int ifindex, const void *bytes, size_t len)
{
	unsigned n = 0;

	for (size_t i = 0; i < f->n_received; i++) {
		const struct packet *p = &f->received[i];

		n += p->ifindex == ifindex && p->len == len &&
			memcmp(p->bytes, bytes, len) == 0;
	}
	return n;
}

/* An IPv4 packet with eight bytes after the header; `tag` tells the packets apart. */
static void make_ipv4(uint8_t out[28], uint8_t protocol, uint8_t tag)
{
	struct wr w = wr_init(out, 28);
	uint16_t sum;

	wr_u32be(&w, 0x45c0001c);
	wr_u16be(&w, tag);
	wr_u16be(&w, 0);
	wr_u8(&w, 1);
	wr_u8(&w, protocol);
	wr_u16be(&w, 0);
	wr_u32be(&w, 0x0a090001);
	wr_u32be(&w, 0xef010203);
	sum = inet_fold(inet_sum(out, 20, 0));
	wr_u32be(&w, 0x16000000); /* v2 report */
	wr_u32be(&w, 0xef010203);
	out[10] = (uint8_t)(sum >> 8);
	out[11] = (uint8_t)sum;
}

/* An IPv6 packet from fe80::1 to ff02::16: ICMPv6, on request after a hop-by-hop
 * header. */
static size_t make_ipv6(uint8_t out[56], bool hop_by_hop, uint8_t type, uint8_t tag)
{
	struct wr w = wr_init(out, 56);
	uint8_t from[16] = {0xfe, 0x80, [15] = 1}, to[16] = {0xff, 2, [15] = 0x16};

	wr_u32be(&w, 0x60000000);
	wr_u16be(&w, hop_by_hop ? 16 : 8);
	wr_u8(&w, hop_by_hop ? 0 : 58);
	wr_u8(&w, 1);
	wr_bytes(&w, from, sizeof(from));
	wr_bytes(&w, to, sizeof(to));
	if (hop_by_hop) {
		wr_u32be(&w, 0x3a000502); /* Router Alert */
		wr_u32be(&w, 0x00000100);
	}
	wr_u8(&w, type);
	wr_u8(&w, tag);
	wr_u16be(&w, 0);
	wr_u32be(&w, 0);
	assert_false(w.bad);
	return wr_len(&w);
}

static void open_pair(struct fixture *f, enum family family)
{
	struct mcsock_ops ops = {.packet = packet_in, .ctx = f};

	ip("link add va address 02:00:00:00:00:0a type veth peer name vb");
	ip("link set va up");
	ip("link set vb up");
	until(f, is_up(f, "va") && is_up(f, "vb"));
	assert_int_equal(mcsock_open(f->loop, f->rx, -1, named(f, "va")->ifindex,
				 family, &ops, &f->va),
		0);
	assert_int_equal(mcsock_open(f->loop, f->rx, -1, named(f, "vb")->ifindex,
				 family, &ops, &f->vb),
		0);
}

static void igmp_crosses_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct addr group = a("239.1.2.3"), group6 = a("ff02::16"),
		    host = a("10.0.0.1");
	uint8_t udp[28], igmp[28], back[28];
	struct mcsock_stats stats;
	int va, vb;

	make_ipv4(udp, IPPROTO_UDP, 1);
	make_ipv4(igmp, IPPROTO_IGMP, 2);
	make_ipv4(back, IPPROTO_IGMP, 3);
	open_pair(f, FAMILY_IPV4);
	va = named(f, "va")->ifindex;
	vb = named(f, "vb")->ifindex;
	assert_int_equal(mcsock_send(f->va, udp, sizeof(udp), &group), 0);
	assert_int_equal(mcsock_send(f->va, igmp, sizeof(igmp), &group), 0);
	assert_int_equal(mcsock_send(f->vb, back, sizeof(back), &group), 0);
	until(f, count(f, vb, igmp, 28) && count(f, va, back, 28));
	assert_int_equal(count(f, vb, igmp, 28), 1);
	assert_int_equal(count(f, vb, udp, 28), 0);
	assert_int_equal(count(f, va, igmp, 28), 0); /* its own message */
	assert_int_equal(count(f, vb, back, 28), 0);

	mcsock_stats(f->va, &stats);
	assert_int_equal(stats.count[MCSOCK_COUNT_SENT], 2);
	assert_int_equal(stats.count[MCSOCK_COUNT_SEND_ERRORS], 0);
	assert_true(stats.count[MCSOCK_COUNT_RECEIVED] >= 1);
	assert_int_equal(stats.count[MCSOCK_COUNT_DROPPED], 0);

	assert_int_equal(mcsock_send(f->va, igmp, sizeof(igmp), &group6), -EINVAL);
	assert_int_equal(mcsock_send(f->va, igmp, sizeof(igmp), &host), -EINVAL);
}

static void send_raw(int ifindex, const void *frame, size_t len)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_ifindex = ifindex};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
		sendto(fd, frame, len, 0, (struct sockaddr *)&ll, sizeof(ll)), len);
	close(fd);
}

static void mld_crosses_and_nothing_else(void **state)
{
	static const struct {
		bool hop_by_hop;
		uint8_t type;
		bool arrives;
	} c[] = {
		{true, 129, false}, {true, 130, true}, {true, 131, true},
		{true, 132, true}, {true, 133, false}, {true, 143, true},
		{true, 142, false}, {true, 144, false}, {false, 135, false},
		{false, 128, false},
		{false, 143, true}, /* last, so all others have arrived before it */
	};
	struct fixture *f = *state;
	struct addr group = a("ff02::16");
	uint8_t packet[56];
	uint8_t frame[14 + 56] = {2, 0, 0, 0, 0, 0x99, 2, 0, 0, 0, 0, 0x0a, 0x86, 0xdd};
	size_t len = 0;
	int vb;

	open_pair(f, FAMILY_IPV6);
	vb = named(f, "vb")->ifindex;
	/* right except for its MAC, which is that of another station */
	len = make_ipv6(frame + 14, true, 143, 99);
	send_raw(named(f, "va")->ifindex, frame, 14 + len);
	for (size_t i = 0; i < array_len(c); i++) {
		len = make_ipv6(packet, c[i].hop_by_hop, c[i].type, (uint8_t)i);
		assert_int_equal(mcsock_send(f->va, packet, len, &group), 0);
	}
	until(f, count(f, vb, packet, len));
	assert_int_equal(count(f, vb, frame + 14, 56), 0);
	for (size_t i = 0; i < array_len(c); i++) {
		len = make_ipv6(packet, c[i].hop_by_hop, c[i].type, (uint8_t)i);
		assert_int_equal(count(f, vb, packet, len), c[i].arrives);
	}
}

/* An IGMP packet with that tag after a link header and a VLAN tag (none if
 * negative). */
static void send_frame(int ifindex, const uint8_t to[6], int vlan, uint8_t tag)
{
	static const uint8_t from[6] = {2, 0, 0, 0, 0, 0x0a};
	uint8_t frame[64], packet[28];
	struct wr w = wr_init(frame, sizeof(frame));

	make_ipv4(packet, IPPROTO_IGMP, tag);
	wr_bytes(&w, to, 6);
	wr_bytes(&w, from, 6);
	if (vlan >= 0) {
		wr_u16be(&w, ETH_P_8021Q);
		wr_u16be(&w, (uint16_t)vlan);
	}
	wr_u16be(&w, ETH_P_IP);
	wr_bytes(&w, packet, sizeof(packet));
	send_raw(ifindex, frame, wr_len(&w));
}

static void frames_for_others_are_refused(void **state)
{
	static const uint8_t group_mac[6] = {1, 0, 0x5e, 1, 2, 3};
	static const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 0x99};
	struct fixture *f = *state;
	uint8_t packet[4][28];
	int va, vb;

	open_pair(f, FAMILY_IPV4);
	va = named(f, "va")->ifindex;
	vb = named(f, "vb")->ifindex;
	for (uint8_t i = 0; i < 4; i++)
		make_ipv4(packet[i], IPPROTO_IGMP, i);
	send_frame(va, other_mac, -1, 0);
	send_frame(va, group_mac, 7, 1); /* a VLAN other than this interface */
	send_frame(va, group_mac, 0, 2); /* a priority tag belongs to this interface */
	send_frame(va, group_mac, -1, 3);
	until(f, count(f, vb, packet[3], 28));
	assert_int_equal(count(f, vb, packet[0], 28), 0);
	assert_int_equal(count(f, vb, packet[1], 28), 0);
	assert_int_equal(count(f, vb, packet[2], 28), 1);
	assert_int_equal(count(f, vb, packet[3], 28), 1);
}

/* the frame has the interface's own MAC and the group's */
static void link_header_is_right(void **state)
{
	static const uint8_t want[14] = {
		1, 0, 0x5e, 0x7f, 2, 3, 2, 0, 0, 0, 0, 0x0a, 0x08, 0};
	struct fixture *f = *state;
	struct addr group = a("239.255.2.3");
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};
	uint8_t packet[28], frame[64];
	ssize_t n;
	int fd;

	make_ipv4(packet, IPPROTO_IGMP, 77);
	open_pair(f, FAMILY_IPV4);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	ll.sll_ifindex = named(f, "vb")->ifindex;
	assert_int_equal(bind(fd, (struct sockaddr *)&ll, sizeof(ll)), 0);
	assert_int_equal(mcsock_send(f->va, packet, sizeof(packet), &group), 0);
	do {
		n = recv(fd, frame, sizeof(frame), 0);
		assert_true(n > 0);
	} while (n != 14 + 28 || memcmp(frame + 14, packet, 28) != 0);
	assert_memory_equal(frame, want, sizeof(want));
	close(fd);
}

static void survives_down_and_up(void **state)
{
	struct fixture *f = *state;
	struct addr group = a("239.1.2.3");
	uint8_t first[28], second[28];
	int r, vb;

	make_ipv4(first, IPPROTO_IGMP, 1);
	make_ipv4(second, IPPROTO_IGMP, 2);
	open_pair(f, FAMILY_IPV4);
	vb = named(f, "vb")->ifindex;

	ip("link set va down");
	ip("link set vb down");
	until(f, !is_up(f, "va") && !is_up(f, "vb"));
	assert_int_equal(mcsock_send(f->va, first, 28, &group), -ENETDOWN);
	assert_true(run_for(f, 20) < 10); /* the loop must not spin */

	ip("link set va up");
	ip("link set vb up");
	until(f, is_up(f, "va") && is_up(f, "vb"));
	assert_int_equal(mcsock_send(f->va, second, 28, &group), 0);
	until(f, count(f, vb, second, 28));
	assert_int_equal(count(f, vb, first, 28), 0);

	/* down and up before the loop runs: sending must not report the old error */
	ip("link set va down");
	ip("link set va up");
	assert_int_not_equal(mcsock_send(f->va, second, 28, &group), -ENETDOWN);

	ip("link del va");
	until(f, !named(f, "va") && !named(f, "vb"));
	r = mcsock_send(f->va, first, 28, &group);
	assert_true(r == -ENXIO || r == -ENODEV || r == -ENETDOWN);
	assert_true(run_for(f, 20) < 10);
}

static void opens_on_an_interface_that_is_down(void **state)
{
	struct fixture *f = *state;
	struct mcsock_ops ops = {.packet = packet_in, .ctx = f};
	struct addr group = a("239.1.2.3");
	uint8_t packet[28];
	struct mcsock *none = NULL;

	ip("link add va type veth peer name vb");
	until(f, named(f, "va") && named(f, "vb"));
	assert_int_equal(mcsock_open(f->loop, f->rx, -1, named(f, "vb")->ifindex,
				 FAMILY_IPV4, &ops, &f->vb),
		0);
	assert_int_equal(mcsock_open(f->loop, f->rx, -1, named(f, "va")->ifindex,
				 FAMILY_IPV4, &ops, &f->va),
		0);
	ip("link set va up");
	ip("link set vb up");
	until(f, is_up(f, "va") && is_up(f, "vb"));
	make_ipv4(packet, IPPROTO_IGMP, 1);
	assert_int_equal(mcsock_send(f->va, packet, 28, &group), 0);
	until(f, count(f, named(f, "vb")->ifindex, packet, 28));

	assert_int_equal(
		mcsock_open(f->loop, f->rx, -1, 99999, FAMILY_IPV4, &ops, &none),
		-ENODEV);
	assert_null(none);
}

/* On links without a link header, packets pass unchanged in both directions. */
static void tun_has_no_link_header(void **state)
{
	struct fixture *f = *state;
	struct mcsock_ops ops = {.packet = packet_in, .ctx = f};
	struct ifreq ifr = {.ifr_name = "va", .ifr_flags = IFF_TUN | IFF_NO_PI};
	struct addr group = a("239.1.2.3");
	uint8_t out[28], in[28], buf[2048];
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		skip();
	make_ipv4(out, IPPROTO_IGMP, 1);
	make_ipv4(in, IPPROTO_IGMP, 2);
	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	ip("link set va up");
	until(f, is_up(f, "va"));
	assert_int_equal(named(f, "va")->arphrd, ARPHRD_NONE);
	assert_string_equal(named(f, "va")->kind, "tun");
	assert_true(named(f, "va")->pointopoint);
	assert_int_equal(mcsock_open(f->loop, f->rx, -1, named(f, "va")->ifindex,
				 FAMILY_IPV4, &ops, &f->va),
		0);
	assert_int_equal(mcsock_send(f->va, out, 28, &group), 0);
	do {
		n = read(fd, buf, sizeof(buf));
		assert_true(n > 0);
	} while (n != 28 || memcmp(buf, out, 28) != 0);
	assert_int_equal(write(fd, in, 28), 28);
	until(f, count(f, named(f, "va")->ifindex, in, 28));
	assert_int_equal(count(f, named(f, "va")->ifindex, out, 28), 0);
	close(fd);
}

static void may_be_closed_while_it_delivers(void **state)
{
	struct fixture *f = *state;
	struct addr group = a("239.1.2.3");
	uint8_t packet[28];

	open_pair(f, FAMILY_IPV4);
	for (uint8_t i = 0; i < 10; i++) {
		make_ipv4(packet, IPPROTO_IGMP, i);
		assert_int_equal(mcsock_send(f->va, packet, 28, &group), 0);
	}
	f->n_received = 0;
	f->close_on_packet = true;
	until(f, f->n_received > 0);
	run_for(f, 5);
	assert_int_equal(f->n_received, 1);
}

#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(first_dump_has_what_is_there),
		t(follows_a_link_through_its_life),
		t(follows_addresses),
		t(leaving_a_bridge_is_not_going_away),
		t(resync_alone_changes_nothing),
		t(overrun_is_repaired),
		t(igmp_crosses_and_nothing_else),
		t(mld_crosses_and_nothing_else),
		t(frames_for_others_are_refused),
		t(link_header_is_right),
		t(survives_down_and_up),
		t(opens_on_an_interface_that_is_down),
		t(tun_has_no_link_header),
		t(may_be_closed_while_it_delivers),
	};

	if (unshare(CLONE_NEWNET) < 0) {
		printf("skipped: no network namespace: %s\n", strerror(errno));
		return 77;
	}
	if (geteuid() != 0 || system("ip link >/dev/null 2>&1") != 0) {
		printf("skipped: needs root and the ip command\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
