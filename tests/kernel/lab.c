/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Namespace, interfaces and packets for tests, see lab.h. */

#include "lab.h"

#include "base/bytes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define UDP_PROTO   17
#define DEADLINE_MS 60000

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -EIO : 0;
}

int lab_enter(void)
{
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	close(fd);
	/* neighbour discovery of our own stack would add traffic */
	(void)write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	lab_ip("link set lo up");
	return 0;
}

static int run_ip(const char *args)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd), "ip %s", args);
	return system(cmd);
}

void lab_ip(const char *fmt, ...)
{
	char args[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(args, sizeof(args), fmt, ap);
	va_end(ap);
	if (run_ip(args) != 0)
		fail_msg("ip %s", args);
}

/* `arg` is the name of a pair */
static bool is_running(void *arg)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool running = true;

	assert_true(fd >= 0);
	for (unsigned end = 0; end <= 1; end++) {
		struct ifreq ifr = {0};
		int n = snprintf(
			ifr.ifr_name, sizeof(ifr.ifr_name), "%s%u", (char *)arg, end);

		assert_in_range(n, 2, sizeof(ifr.ifr_name) - 1);
		assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &ifr), 0);
		running = running && ifr.ifr_flags & IFF_RUNNING;
	}
	close(fd);
	return running;
}

void lab_veth(const char *name)
{
	_cleanup_(freep) char *pair = strdup(name);

	assert_non_null(pair);
	lab_ip("link add %s0 type veth peer name %s1", name, name);
	lab_ip("link set %s0 mtu 9200 up", name);
	lab_ip("link set %s1 mtu 9200 up", name);
	/* The kernel notices the carrier a little later, and drops frames until then.
	 * It enables the queue under the lock that the last command waits for. */
	assert_true(lab_wait(is_running, pair));
	lab_ip("link set %s1 up", name);
}

void lab_delete(const char *name)
{
	if (if_nametoindex(name) != 0)
		lab_ip("link del %s", name);
}

int lab_ifindex(const char *name)
{
	unsigned i = if_nametoindex(name);

	assert_int_not_equal(i, 0);
	return (int)i;
}

void lab_mac(const char *name, uint8_t ret[6])
{
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	assert_int_equal(ioctl(fd, SIOCGIFHWADDR, &ifr), 0);
	memcpy(ret, ifr.ifr_hwaddr.sa_data, 6);
	close(fd);
}

int lab_socket(const char *name)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = lab_ifindex(name),
	};
	int size = 16 * 1024 * 1024, one = 1;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)), 0);
	assert_int_equal(
		setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)),
		0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sll, sizeof(sll)), 0);
	return fd;
}

/* Nobody reads the socket, and it also counts what it has no room for. */
int lab_counter(const char *name)
{
	int fd = lab_socket(name), size = 0;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	return fd;
}

uint32_t lab_arrived(int counter)
{
	struct tpacket_stats st = {0};
	socklen_t len = sizeof(st);

	assert_int_equal(
		getsockopt(counter, SOL_PACKET, PACKET_STATISTICS, &st, &len), 0);
	return st.tp_packets;
}

void lab_send(int fd, const void *frame, size_t len)
{
	assert_int_equal(send(fd, frame, len, 0), len);
}

void lab_stay(cpu_set_t *before)
{
	cpu_set_t here;

	assert_int_equal(sched_getaffinity(0, sizeof(*before), before), 0);
	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	assert_int_equal(sched_setaffinity(0, sizeof(here), &here), 0);
}

void lab_move(const cpu_set_t *before)
{
	assert_int_equal(sched_setaffinity(0, sizeof(*before), before), 0);
}

static bool is_multicast_udp(const uint8_t *ip, size_t len)
{
	if (len >= 20 && ip[0] >> 4 == 4)
		return ip[9] == UDP_PROTO && ip[16] >> 4 == 14;
	return len >= 40 && ip[0] >> 4 == 6 && ip[6] == UDP_PROTO && ip[24] == 0xff;
}

size_t lab_receive(int fd, void *buf, size_t size, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (poll(&p, 1, ms) > 0) {
		ssize_t n = recv(fd, buf, size, MSG_DONTWAIT);
		const uint8_t *b = buf;

		if (n > LAB_L2 && is_multicast_udp(b + LAB_L2, (size_t)n - LAB_L2))
			return (size_t)n;
	}
	return 0;
}

/* 16 bits of flags, then the protocol as the device was told by the sender */
static struct tun_pi tun_info(const uint8_t *ip)
{
	return (struct tun_pi){
		.proto = htons(ip[0] >> 4 == 4 ? ETH_P_IP : ETH_P_IPV6),
	};
}

void lab_send_tun(int fd, const void *packet, size_t len)
{
	struct tun_pi info = tun_info(packet);
	struct iovec iov[2] = {{&info, sizeof(info)}, {(void *)(uintptr_t)packet, len}};

	assert_int_equal(writev(fd, iov, 2), sizeof(info) + len);
}

size_t lab_receive_tun(int fd, void *buf, size_t size, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct tun_pi info;
	struct iovec iov[2] = {{&info, sizeof(info)}, {buf, size}};

	while (poll(&p, 1, ms) > 0) {
		ssize_t n = readv(fd, iov, 2) - (ssize_t)sizeof(info);

		if (n <= 0 || !is_multicast_udp(buf, (size_t)n))
			continue;
		assert_int_equal(info.proto, tun_info(buf).proto);
		return (size_t)n;
	}
	return 0;
}

static uint16_t udp_sum(const uint8_t *ip, size_t hlen, size_t len)
{
	bool v4 = ip[0] >> 4 == 4;
	uint8_t tail[4] = {
		0, UDP_PROTO, (uint8_t)((len - hlen) >> 8), (uint8_t)(len - hlen)};
	uint32_t sum = v4 ? inet_sum(ip + 12, 8, 0) : inet_sum(ip + 8, 32, 0);

	return inet_fold(inet_sum(ip + hlen, len - hlen, inet_sum(tail, 4, sum)));
}

bool lab_udp_ok(const uint8_t *ip, size_t len)
{
	size_t hlen = ip[0] >> 4 == 4 ? 20 : 40;

	return (ip[hlen + 6] | ip[hlen + 7]) != 0 && udp_sum(ip, hlen, len) == 0;
}

static void udp_header(uint8_t *ip, size_t hlen, const struct lab_packet *p)
{
	struct wr w = wr_init(ip + hlen, 8 + p->payload);

	wr_u16be(&w, 4000);
	wr_u16be(&w, 5000);
	wr_u16be(&w, (uint16_t)(8 + p->payload));
	wr_u16be(&w, 0);
	wr_u32be(&w, p->number);
	for (size_t i = 4; i < p->payload; i++)
		wr_u8(&w, (uint8_t)(i * 7 + p->number));
}

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

size_t lab_build(uint8_t *out, const struct lab_packet *p)
{
	struct addr src = a(p->src), group = a(p->group);
	bool v4 = addr_is_v4(&group);
	size_t hlen = v4 ? 20 : 40, len = hlen + 8 + p->payload;

	memset(out, 0, hlen);
	if (v4) {
		out[0] = 0x45;
		put16(out + 2, (uint16_t)len);
		put16(out + 4, (uint16_t)p->number);
		out[6] = 0x40;
		out[8] = p->ttl;
		out[9] = UDP_PROTO;
		memcpy(out + 12, addr_v4_bytes(&src), 4);
		memcpy(out + 16, addr_v4_bytes(&group), 4);
		put16(out + 10, inet_fold(inet_sum(out, hlen, 0)));
	} else {
		out[0] = 0x60;
		put16(out + 4, (uint16_t)(len - hlen));
		out[6] = UDP_PROTO;
		out[7] = p->ttl;
		memcpy(out + 8, src.b, 16);
		memcpy(out + 24, group.b, 16);
	}
	udp_header(out, hlen, p);
	put16(out + hlen + 6, udp_sum(out, hlen, len));
	return len;
}

size_t lab_frame(uint8_t *out, const struct lab_packet *p, const uint8_t src_mac[6])
{
	size_t len = lab_build(out + LAB_L2, p);
	const uint8_t *ip = out + LAB_L2;

	if (ip[0] >> 4 == 4) {
		memcpy(out, "\x01\x00\x5e", 3);
		out[3] = ip[17] & 0x7f;
		memcpy(out + 4, ip + 18, 2);
		put16(out + 12, ETHERTYPE_IP);
	} else {
		memcpy(out, "\x33\x33", 2);
		memcpy(out + 2, ip + 36, 4);
		put16(out + 12, ETHERTYPE_IPV6);
	}
	memcpy(out + 6, src_mac, 6);
	return LAB_L2 + len;
}

uint32_t lab_number(const uint8_t *ip)
{
	const uint8_t *p = ip + (ip[0] >> 4 == 4 ? 28 : 48);

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool lab_wait(bool (*done)(void *arg), void *arg)
{
	int64_t end = now_ms() + DEADLINE_MS;

	while (!done(arg)) {
		if (now_ms() > end)
			return false;
		poll(NULL, 0, 1);
	}
	return true;
}

int lab_udp_sender(const char *name, const char *src)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct ip_mreqn out = {.imr_ifindex = lab_ifindex(name)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ttl = 9, off = 0;

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, src, &from.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof(out)), 0);
	assert_int_equal(
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl)), 0);
	assert_int_equal(
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof(off)), 0);
	return fd;
}

bool lab_udp_send(
	int fd, const char *group, const void *payload, size_t len, uint16_t segment)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(5000)};
	int size = segment;

	if (segment &&
		setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)) < 0)
		return false;
	assert_int_equal(inet_pton(AF_INET, group, &to.sin_addr), 1);
	assert_int_equal(
		sendto(fd, payload, len, 0, (struct sockaddr *)&to, sizeof(to)), len);
	return true;
}
