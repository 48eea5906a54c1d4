/* SPDX-License-Identifier: GPL-2.0-or-later */

/* packet_text: one line per packet, as text and as JSON. It never reads beyond the
 * bytes of the packet. */

#include "control/proto/igmp.h"
#include "control/proto/mld.h"
#include "test.h"
#include "tools/ctl/packet_text.h"

#include <string.h>

static struct gm_scratch scratch;
static uint8_t frame[2048];
static struct pcapng_packet packet;
static struct packet_text text = {
	.interface = "lan1", .link = PCAPNG_ETHERNET, .scratch = &scratch};

/* an IP packet of `len` bytes follows the link header */
static void set_packet(bool ipv6, int len)
{
	assert_true(len > 0);
	memset(frame, 0, 12);
	frame[12] = ipv6 ? 0x86 : 0x08;
	frame[13] = ipv6 ? 0xdd : 0x00;
	packet = (struct pcapng_packet){.time_ns = UINT64_C(1700000000123456789),
		.caplen = 14 + (uint32_t)len,
		.len = 14 + (uint32_t)len,
		.direction = PCAPNG_INBOUND,
		.data = frame};
}

static void expect(const char *want)
{
	char *line = NULL;
	size_t n;
	FILE *out = open_memstream(&line, &n);

	packet_text_print(&text, &packet, out);
	fclose(out);
	/* the hour depends on the time zone */
	assert_memory_equal(line + 2, ":13:20.123456 ", 14);
	assert_string_equal(line + 16, want);
	free(line);
}

static void expect_json(const char *want)
{
	json_t *o = packet_text_json(&text, &packet);
	char *line = json_dumps(o, JSON_COMPACT);

	assert_string_equal(line, want);
	free(line);
	json_decref(o);
}

static void query(enum gm_version version, const char *group, const char *source)
{
	struct addr from = a("10.0.1.1"), src = a(source ? source : "0.0.0.0");
	struct gm_query q = {.group = a(group),
		.max_resp_ms = 1500,
		.qrv = 2,
		.qqi_ms = 125000,
		.src = &src,
		.n_src = source != NULL};

	set_packet(false,
		igmp_encode_query(frame + 14, sizeof(frame) - 14, version, &from, &q));
}

static void report(enum gm_version version, const struct gm_record *rec, size_t n)
{
	struct addr from = a("10.0.1.2");

	set_packet(false,
		igmp_encode_report(
			frame + 14, sizeof(frame) - 14, version, &from, rec, n));
}

static void queries(void **state)
{
	query(GM_V3, "0.0.0.0", NULL);
	expect("lan1 in  10.0.1.1 > 224.0.0.1: igmp v3 query [max resp 1.5 s, "
	       "robustness 2, interval 125 s]\n");
	query(GM_V3, "232.1.2.3", "10.9.9.9");
	packet.direction = PCAPNG_OUTBOUND;
	expect("lan1 out 10.0.1.1 > 232.1.2.3: igmp v3 query 232.1.2.3 {10.9.9.9} "
	       "[max resp 1.5 s, robustness 2, interval 125 s]\n");
	expect_json("{\"time_ns\":1700000000123456789,\"interface\":\"lan1\","
		    "\"direction\":\"out\",\"length\":54,\"source\":\"10.0.1.1\","
		    "\"destination\":\"232.1.2.3\",\"ttl\":1,\"protocol\":\"igmp\","
		    "\"version\":3,\"type\":\"query\",\"group\":\"232.1.2.3\","
		    "\"sources\":[\"10.9.9.9\"],\"max_response_ms\":1500,"
		    "\"robustness\":2,\"query_interval_ms\":125000,"
		    "\"suppress\":false}");
	query(GM_V2, "239.1.2.3", NULL);
	expect("lan1 in  10.0.1.1 > 239.1.2.3: igmp v2 query 239.1.2.3 [max resp "
	       "1.5 s]\n");
}

static void reports(void **state)
{
	struct addr src[] = {a("10.9.9.8"), a("10.9.9.9")};
	struct gm_record rec[] = {
		{.type = GM_TO_EX, .group = a("239.1.2.3")},
		{.type = GM_ALLOW, .group = a("232.1.2.3"), .src = src, .n_src = 2},
	};

	report(GM_V3, rec, 1);
	expect("lan1 in  10.0.1.2 > 224.0.0.22: igmp v3 report, 1 record [239.1.2.3 "
	       "to_ex {}]\n");
	report(GM_V3, rec, 2);
	expect("lan1 in  10.0.1.2 > 224.0.0.22: igmp v3 report, 2 records [239.1.2.3 "
	       "to_ex {}] [232.1.2.3 allow {10.9.9.8 10.9.9.9}]\n");
	report(GM_V2, rec, 1);
	expect("lan1 in  10.0.1.2 > 239.1.2.3: igmp v2 report 239.1.2.3\n");
	rec[0].type = GM_TO_IN;
	report(GM_V2, rec, 1);
	expect("lan1 in  10.0.1.2 > 224.0.0.2: igmp v2 leave 239.1.2.3\n");
	expect_json("{\"time_ns\":1700000000123456789,\"interface\":\"lan1\","
		    "\"direction\":\"in\",\"length\":46,\"source\":\"10.0.1.2\","
		    "\"destination\":\"224.0.0.2\",\"ttl\":1,\"protocol\":\"igmp\","
		    "\"version\":2,\"type\":\"leave\",\"records\":[{\"group\":"
		    "\"239.1.2.3\",\"type\":\"to_in\",\"sources\":[]}]}");
}

static void mld(void **state)
{
	struct gm_record rec = {.type = GM_TO_IN, .group = a("ff15::1")};
	struct addr from = a("fe80::2");

	set_packet(true,
		mld_encode_report(
			frame + 14, sizeof(frame) - 14, GM_V3, &from, &rec, 1));
	expect("lan1 in  fe80::2 > ff02::16: mld v2 report, 1 record [ff15::1 to_in "
	       "{}]\n");
	set_packet(true,
		mld_encode_report(
			frame + 14, sizeof(frame) - 14, GM_V2, &from, &rec, 1));
	expect("lan1 in  fe80::2 > ff02::2: mld v1 done ff15::1\n");
}

static void what_the_daemon_would_refuse(void **state)
{
	query(GM_V3, "0.0.0.0", NULL);
	frame[14 + 24 + 2] ^= 1; /* part of the checksum */
	expect("lan1 in  10.0.1.1 > 224.0.0.1: igmp, bad: checksum\n");
	expect_json("{\"time_ns\":1700000000123456789,\"interface\":\"lan1\","
		    "\"direction\":\"in\",\"length\":50,\"source\":\"10.0.1.1\","
		    "\"destination\":\"224.0.0.1\",\"ttl\":1,\"protocol\":\"igmp\","
		    "\"bad\":\"checksum\"}");
}

static void data_frames(void **state)
{
	static const uint8_t udp[] = {0x45, 0, 0x05, 0x40, 0, 0, 0, 0, 8, 17, 0, 0, 10,
		0, 0, 1, 239, 1, 2, 3, 0x13, 0x88, 0x13, 0x89, 0x05, 0x2c, 0, 0};

	memcpy(frame + 14, udp, sizeof(udp));
	set_packet(false, sizeof(udp));
	expect("lan1 in  10.0.0.1.5000 > 239.1.2.3.5001: UDP, length 1316, ttl 8\n");
	expect_json("{\"time_ns\":1700000000123456789,\"interface\":\"lan1\","
		    "\"direction\":\"in\",\"length\":42,\"source\":\"10.0.0.1\","
		    "\"destination\":\"239.1.2.3\",\"ttl\":8,\"protocol\":\"udp\","
		    "\"source_port\":5000,\"destination_port\":5001}");
	/* after a VLAN tag, and without link header */
	memcpy(frame + 18, udp, sizeof(udp));
	set_packet(false, sizeof(udp) + 4);
	memcpy(frame + 12, "\x81\x00\x00\x64\x08\x00", 6);
	expect("lan1 in  10.0.0.1.5000 > 239.1.2.3.5001: UDP, length 1316, ttl 8\n");
	text.link = PCAPNG_RAW_IP;
	packet.data = udp;
	packet.caplen = sizeof(udp);
	expect("lan1 in  10.0.0.1.5000 > 239.1.2.3.5001: UDP, length 1316, ttl 8\n");
	text.link = PCAPNG_ETHERNET;
	/* a later fragment has no ports */
	memcpy(frame + 14, udp, sizeof(udp));
	frame[14 + 7] = 10;
	set_packet(false, sizeof(udp));
	expect("lan1 in  10.0.0.1 > 239.1.2.3: protocol 17, length 1324, ttl 8\n");
	memset(frame + 12, 0, 2);
	expect("lan1 in  no IP packet, 42 bytes\n");
}

/* all prefixes of some packets, in memory of exactly that size */
static void reads_no_further_than_captured(void **state)
{
	char *line = NULL;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	for (int round = 0; round < 3; round++) {
		if (round == 0)
			query(GM_V3, "232.1.2.3", "10.9.9.9");
		else if (round == 1)
			mld(state);
		else
			data_frames(state);
		set_packet(round == 1, 80);
		for (uint32_t n = 0; n < 94; n++) {
			uint8_t *copy = malloc(n ? n : 1);

			memcpy(copy, frame, n);
			packet.data = copy;
			packet.caplen = n;
			packet_text_print(&text, &packet, out);
			json_decref(packet_text_json(&text, &packet));
			free(copy);
		}
	}
	fclose(out);
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries),
		cmocka_unit_test(reports),
		cmocka_unit_test(mld),
		cmocka_unit_test(what_the_daemon_would_refuse),
		cmocka_unit_test(data_frames),
		cmocka_unit_test(reads_no_further_than_captured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
