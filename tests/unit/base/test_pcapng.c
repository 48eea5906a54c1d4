/* SPDX-License-Identifier: GPL-2.0-or-later */

/* pcapng: the bytes of each block, libpcap reading such a file, and the reader with
 * blocks that are whole, in pieces, or wrong. */

#include "base/pcapng.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint8_t block[4096];

static void assert_block(int len, const char *hex)
{
	char text[2 * sizeof(block) + 1], want[sizeof(text)], *to = want;

	assert_true(len > 0);
	for (int i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", block[i]);
	for (; *hex; hex++)
		if (*hex != ' ')
			*to++ = *hex;
	*to = '\0';
	assert_string_equal(text, want);
}

static void section_header(void **state)
{
	assert_block(pcapng_write_section(block, sizeof(block), "ringcast"),
		"0a0d0d0a 2c000000 4d3c2b1a 0100 0000 ffffffffffffffff"
		"0400 0800 72696e6763617374 0000 0000 2c000000");
}

static void interface_description(void **state)
{
	assert_block(
		pcapng_write_interface(block, sizeof(block), PCAPNG_ETHERNET, "lan1"),
		"01000000 28000000 0100 0000 00000400"
		"0200 0400 6c616e31 0900 0100 09000000 0000 0000 28000000");
	/* a name is padded, a link without header is raw IP */
	assert_block(
		pcapng_write_interface(block, sizeof(block), PCAPNG_RAW_IP, "ppp10"),
		"01000000 2c000000 6500 0000 00000400"
		"0200 0500 7070703130000000 0900 0100 09000000 0000 0000 2c000000");
}

static const struct pcapng_packet packet = {
	.interface = 1,
	.time_ns = UINT64_C(0x1122334455667788),
	.caplen = 5,
	.len = 60,
	.direction = PCAPNG_OUTBOUND,
	.reception = PCAPNG_MULTICAST,
	.data = "\x01\x02\x03\x04\x05",
};

static void enhanced_packet(void **state)
{
	assert_block(pcapng_write_packet(block, sizeof(block), &packet),
		"06000000 34000000 01000000 44332211 88776655 05000000 3c000000"
		"0102030405000000 0200 0400 0a000000 0000 0000 34000000");
}

static const struct pcapng_stats stats = {.interface = 2,
	.start_ns = UINT64_C(0x0000000100000002),
	.end_ns = UINT64_C(0x0000000300000004),
	.accepted = 10,
	.lost = 3,
	.delivered = 7};

static void interface_statistics(void **state)
{
	assert_block(pcapng_write_stats(block, sizeof(block), &stats),
		"05000000 58000000 02000000 03000000 04000000"
		"0200 0800 01000000 02000000 0300 0800 03000000 04000000"
		"0600 0800 0a00000000000000 0700 0800 0300000000000000"
		"0800 0800 0700000000000000 0000 0000 58000000");
}

static void too_small_a_buffer_is_refused(void **state)
{
	for (size_t n = 0; n < 0x34; n++)
		assert_int_equal(pcapng_write_packet(block, n, &packet), -EMSGSIZE);
	assert_int_equal(pcapng_write_packet(block, 0x34, &packet), 0x34);
	assert_int_equal(pcapng_write_section(block, 10, "x"), -EMSGSIZE);
}

/* Writes a file with every kind of block and returns its length. */
static size_t make_file(uint8_t *buf, size_t size)
{
	struct pcapng_packet p = packet;
	size_t n = 0;

	n += (size_t)pcapng_write_section(buf + n, size - n, "ringcast");
	n += (size_t)pcapng_write_interface(buf + n, size - n, PCAPNG_ETHERNET, "wan");
	n += (size_t)pcapng_write_interface(buf + n, size - n, PCAPNG_ETHERNET, "lan1");
	n += (size_t)pcapng_write_packet(buf + n, size - n, &p);
	p.interface = 0;
	p.direction = PCAPNG_INBOUND;
	n += (size_t)pcapng_write_packet(buf + n, size - n, &p);
	n += (size_t)pcapng_write_stats(buf + n, size - n, &stats);
	return n;
}

static void libpcap_reads_it(void **state)
{
	char error[PCAP_ERRBUF_SIZE], path[64];
	size_t n = make_file(block, sizeof(block));
	int fd = memfd_create("pcapng", MFD_CLOEXEC);
	struct pcap_pkthdr *h;
	const u_char *data;
	pcap_t *p;

	assert_int_equal(write(fd, block, n), n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	p = pcap_open_offline_with_tstamp_precision(
		path, PCAP_TSTAMP_PRECISION_NANO, error);
	if (!p)
		fail_msg("%s", error);
	assert_int_equal(pcap_datalink(p), DLT_EN10MB);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pcap_next_ex(p, &h, &data), 1);
		assert_int_equal(h->caplen, 5);
		assert_int_equal(h->len, 60);
		assert_int_equal(
			(uint64_t)h->ts.tv_sec * 1000000000 + (uint64_t)h->ts.tv_usec,
			packet.time_ns);
		assert_memory_equal(data, packet.data, 5);
	}
	assert_int_equal(pcap_next_ex(p, &h, &data), PCAP_ERROR_BREAK);
	pcap_close(p);
	close(fd);
}

static void reader_finds_what_was_written(void **state)
{
	size_t n = make_file(block, sizeof(block)), at = 0;
	static const uint32_t types[] = {PCAPNG_SECTION, PCAPNG_INTERFACE,
		PCAPNG_INTERFACE, PCAPNG_PACKET, PCAPNG_PACKET, PCAPNG_STATS};
	struct pcapng_block b;

	for (size_t i = 0; i < array_len(types); i++) {
		assert_int_equal(pcapng_read(block + at, n - at, &b), 1);
		assert_int_equal(b.type, types[i]);
		/* every shorter prefix is incomplete */
		for (size_t k = 0; k < b.size; k++) {
			struct pcapng_block other;

			assert_int_equal(pcapng_read(block + at, k, &other), 0);
		}
		if (i == 2) {
			assert_string_equal(b.interface.name, "lan1");
			assert_int_equal(b.interface.link, PCAPNG_ETHERNET);
		} else if (i == 3) {
			assert_int_equal(b.packet.interface, 1);
			assert_int_equal(b.packet.time_ns, packet.time_ns);
			assert_int_equal(b.packet.caplen, 5);
			assert_int_equal(b.packet.len, 60);
			assert_int_equal(b.packet.direction, PCAPNG_OUTBOUND);
			assert_int_equal(b.packet.reception, PCAPNG_MULTICAST);
			assert_memory_equal(b.packet.data, packet.data, 5);
		} else if (i == 5) {
			assert_memory_equal(&b.stats, &stats, sizeof(stats));
		}
		at += b.size;
	}
	assert_int_equal(at, n);
}

static void reader_refuses_nonsense(void **state)
{
	struct pcapng_block b;
	int n = pcapng_write_packet(block, sizeof(block), &packet);

	block[20] = 0xff; /* caplen beyond the block */
	assert_int_equal(pcapng_read(block, (size_t)n, &b), -EBADMSG);
	n = pcapng_write_packet(block, sizeof(block), &packet);
	block[n - 1] = 1; /* the length at the end differs */
	assert_int_equal(pcapng_read(block, (size_t)n, &b), -EBADMSG);
	memcpy(block, "\x06\0\0\0\x0d\0\0\0", 8);
	assert_int_equal(pcapng_read(block, 8, &b), -EBADMSG);
	memcpy(block, "\x06\0\0\0\0\0\0\x7f", 8);
	assert_int_equal(pcapng_read(block, 8, &b), -EBADMSG);
	n = pcapng_write_section(block, sizeof(block), "x");
	block[8] = 0x1a; /* big-endian */
	assert_int_equal(pcapng_read(block, (size_t)n, &b), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(section_header),
		cmocka_unit_test(interface_description),
		cmocka_unit_test(enhanced_packet),
		cmocka_unit_test(interface_statistics),
		cmocka_unit_test(too_small_a_buffer_is_refused),
		cmocka_unit_test(libpcap_reads_it),
		cmocka_unit_test(reader_finds_what_was_written),
		cmocka_unit_test(reader_refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
