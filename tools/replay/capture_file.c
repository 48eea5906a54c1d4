/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Capture files for the replay tool, see capture_file.h. */

#include "tools/replay/capture_file.h"

#include "base/bytes.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct capture {
	pcap_t *pcap;
	int link_type;
	bool more;
	struct capture_packet packet;
};

static bool is_ethertype(unsigned type, enum family *ret_family)
{
	*ret_family = type == 0x86dd ? FAMILY_IPV6 : FAMILY_IPV4;
	return type == 0x0800 || type == 0x86dd;
}

static bool is_version(unsigned version, enum family *ret_family)
{
	*ret_family = version == 6 ? FAMILY_IPV6 : FAMILY_IPV4;
	return version == 4 || version == 6;
}

/* The family in either byte order. IPv4 is 2 everywhere; IPv6 has another number on
 * each system. */
static bool is_address_family(const uint8_t *p, enum family *ret_family)
{
	unsigned word = p[0] ? p[0] : p[3];

	*ret_family = word == 2 ? FAMILY_IPV4 : FAMILY_IPV6;
	return word == 2 || word == 10 || word == 24 || word == 28 || word == 30;
}

/* bytes before the IP header, or -1 if it is not an IP packet */
static int link_length(
	int link_type, const uint8_t *p, size_t len, enum family *ret_family)
{
	size_t type_at;

	switch (link_type) {
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return len && is_version(p[0] >> 4, ret_family) ? 0 : -1;
	case DLT_NULL:
	case DLT_LOOP:
		return len >= 4 && is_address_family(p, ret_family) ? 4 : -1;
	case DLT_LINUX_SLL:
		return len >= 16 && is_ethertype(get_u16be(p + 14), ret_family) ? 16 : -1;
	case DLT_LINUX_SLL2:
		return len >= 20 && is_ethertype(get_u16be(p), ret_family) ? 20 : -1;
	case DLT_EN10MB:
		type_at = 12;
		while (type_at + 2 <= len &&
			(get_u16be(p + type_at) == 0x8100 ||
				get_u16be(p + type_at) == 0x88a8))
			type_at += 4;
		if (type_at + 2 > len ||
			!is_ethertype(get_u16be(p + type_at), ret_family))
			return -1;
		return (int)type_at + 2;
	default:
		return -1;
	}
}

/* The sender of a packet whose link header is complete. */
static struct gm_mac link_sender(int link_type, const uint8_t *p)
{
	struct gm_mac mac = {0};
	size_t at = 0; /* 0 if there is no sender, because no header begins with it */

	if (link_type == DLT_EN10MB)
		at = 6;
	else if (link_type == DLT_LINUX_SLL && get_u16be(p + 4) == sizeof(mac.byte))
		at = 6;
	else if (link_type == DLT_LINUX_SLL2 && p[11] == sizeof(mac.byte))
		at = 12;
	if (at)
		memcpy(mac.byte, p + at, sizeof(mac.byte));
	return mac;
}

/* pcapng can hold times that do not fit into mono_t. libpcap cuts them off if time_t
 * has 32 bits; that leaves times until 2106. */
static int64_t sane_seconds(time_t t)
{
	int64_t s = sizeof(t) == sizeof(uint32_t) ? (int64_t)(uint32_t)t : (int64_t)t;

	return s < 0 ? 0 : s > UINT32_MAX ? UINT32_MAX : s;
}

void capture_next(struct capture *c)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	int skip;

	c->more = pcap_next_ex(c->pcap, &h, &data) == 1;
	if (!c->more)
		return;
	skip = link_length(c->link_type, data, h->caplen, &c->packet.family);
	c->packet.at = mono_add_ns(mono_from_ms(sane_seconds(h->ts.tv_sec) * 1000),
		(int64_t)h->ts.tv_usec); /* opened with nanosecond precision */
	c->packet.ip = skip < 0 ? NULL : data + skip;
	if (skip >= 0)
		c->packet.from = link_sender(c->link_type, data);
	c->packet.len = skip < 0 ? 0 : h->caplen - (size_t)skip;
	c->packet.wire_len =
		c->packet.len + (h->len > h->caplen ? h->len - h->caplen : 0);
}

struct capture *capture_open(const char *path, char *error, size_t error_size)
{
	char why[PCAP_ERRBUF_SIZE] = "out of memory";
	struct capture *c = calloc(1, sizeof(*c));

	if (c)
		c->pcap = pcap_open_offline_with_tstamp_precision(
			path, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!c || !c->pcap) {
		snprintf(error, error_size, "%s", why);
		free(c);
		return NULL;
	}
	c->link_type = pcap_datalink(c->pcap);
	capture_next(c);
	return c;
}

struct capture *capture_close(struct capture *c)
{
	if (c) {
		pcap_close(c->pcap);
		free(c);
	}
	return NULL;
}

const struct capture_packet *capture_peek(const struct capture *c)
{
	return c->more ? &c->packet : NULL;
}
