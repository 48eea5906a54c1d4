/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Group membership messages, independent of the family. The codecs (igmp, mld) convert
 * between bytes and these structures; the engine sees nothing else. MLD versions are
 * counted as their IGMP counterparts: MLDv1 is GM_V2, MLDv2 is GM_V3.
 *
 * A v1/v2 report or leave becomes a report of that version with one record, IS_EX({})
 * or TO_IN({}) (RFC 9776 7.3.2).
 */

#include "base/addr.h"
#include "base/addrset.h"

#include <string.h>

enum gm_version {
	GM_V1 = 1,
	GM_V2 = 2,
	GM_V3 = 3,
};
#define _GM_VERSION_N 4

/* the number in the protocol's name: IGMPv3 is 3, MLDv2 is 2 */
static inline unsigned gm_version_number(enum family family, enum gm_version version)
{
	return family == FAMILY_IPV4 ? version : version - 1u;
}

/* filter mode of a membership (RFC 9776 3.2); no legal value is 0 */
enum gm_mode {
	GM_INCLUDE = 1,
	GM_EXCLUDE = 2,
};

/* record types have the values of the wire (RFC 9776 4.2.13) */
enum gm_record_type {
	GM_IS_IN = 1,
	GM_IS_EX = 2,
	GM_TO_IN = 3,
	GM_TO_EX = 4,
	GM_ALLOW = 5,
	GM_BLOCK = 6,
};

struct gm_record {
	enum gm_record_type type;
	struct addr group;
	const struct addr *src; /* borrowed */
	size_t n_src;
};

struct gm_query {
	struct addr group;	/* unspecified for a general query */
	uint32_t max_resp_ms;	/* decoded; v1 queries say 10 s (RFC 2236 4) */
	uint8_t qrv;		/* 0 if the message has none */
	uint32_t qqi_ms;	/* 0 if the message has none */
	bool suppress;		/* S flag: suppress router-side processing */
	const struct addr *src; /* borrowed */
	size_t n_src;
	size_t n_left; /* sources left out by a limit of work */
};

enum gm_kind {
	GM_QUERY = 1,
	GM_REPORT = 2,
};

/* Faults of an accepted message that are counted by port. */
enum gm_odd {
	GM_ODD_NO_ROUTER_ALERT,
	GM_ODD_TTL,	  /* TTL other than 1 */
	GM_ODD_TRUNCATED, /* fewer records than announced */
	_GM_ODD_N,
};
const char *gm_odd_name(enum gm_odd odd); /* static: "no_router_alert", ... */

/* Facts about an accepted message that do not make it bad. */
enum {
	GM_NOTE_NO_ROUTER_ALERT = 1 << GM_ODD_NO_ROUTER_ALERT,
	GM_NOTE_TTL = 1 << GM_ODD_TTL,
	GM_NOTE_TRUNCATED = 1 << GM_ODD_TRUNCATED,
	GM_NOTE_UNKNOWN_RECORD = 1 << 3, /* a record of unknown type was skipped */
	GM_NOTE_BAD_GROUP = 1 << 4,    /* a record with an illegal group was skipped */
	GM_NOTE_BAD_SOURCE = 1 << 5,   /* illegal sources were left out of a list */
	GM_NOTE_UNICAST = 1 << 6,      /* sent to a unicast address */
	GM_NOTE_LINK_UNICAST = 1 << 7, /* the frame was sent to one station, so the
				        * others have not heard it */
};

/* An Ethernet address. All zero means that there is none, for example on PPP and TUN,
 * or in a capture without link headers. A stranger can also send from that address, so
 * it is compared like any other and never used as a wildcard. */
struct gm_mac {
	uint8_t byte[6];
};

static inline bool gm_mac_eq(const struct gm_mac *a, const struct gm_mac *b)
{
	return memcmp(a->byte, b->byte, sizeof(a->byte)) == 0;
}

/* A station as an address, for tables and notes that take either. It is a multicast
 * address of the reserved scope 0, which no host or group has. */
static inline struct addr gm_station(const struct gm_mac *mac)
{
	struct addr a = {{0xff}};

	memcpy(a.b + 10, mac->byte, sizeof(mac->byte));
	return a;
}

static inline bool gm_is_station(const struct addr *a)
{
	static const uint8_t prefix[10] = {0xff};

	return memcmp(a->b, prefix, sizeof(prefix)) == 0;
}

/* "02:00:00:00:00:66". Returns buf. */
const char *gm_format_mac(const struct gm_mac *mac, char buf[ADDR_STRLEN]);
/* An address, or a station as its MAC address. Returns buf. */
const char *gm_format_host(const struct addr *a, char buf[ADDR_STRLEN]);

struct gm_msg {
	enum gm_kind kind;
	enum family family;
	enum gm_version version;
	struct addr from, to;
	struct gm_mac mac; /* of the sender; filled in by the receiver of the frame */
	unsigned notes;
	struct gm_query query;
	const struct gm_record *rec; /* borrowed from the gm_scratch of the decoder */
	size_t n_rec;
	size_t n_left; /* records of the report left out by a limit of work */
};

/* Why a message was not accepted: the index of a counter array. 0 means accepted. */
enum gm_bad {
	GM_OK,
	GM_BAD_SHORT,	     /* a header is cut off or a length points outside */
	GM_BAD_HEADER,	     /* version or header length impossible, wrong protocol */
	GM_BAD_FRAGMENT,     /* membership messages are never read from fragments */
	GM_BAD_CHECKSUM,     /* IP header or message checksum */
	GM_BAD_LENGTH,	     /* no version has such a length, or too many sources */
	GM_BAD_TYPE,	     /* not a membership message (ignored, RFC 9776 7.1) */
	GM_BAD_GROUP,	     /* query or v1/v2 report for no legal group */
	GM_BAD_DESTINATION,  /* destination that does not fit the message */
	GM_BAD_TTL,	     /* strict: TTL or hop limit is not 1 */
	GM_BAD_ROUTER_ALERT, /* strict: Router Alert option missing */
	GM_BAD_SOURCE,	     /* sender is not a host address (or not link-local, MLD) */
	/* the following are found by the proxy, not by a decoder */
	GM_BAD_FOREIGN,	 /* sender is in no subnet or altnet of the port */
	GM_BAD_OWN,	 /* our own message came back */
	GM_BAD_ROLE,	 /* report on an upstream, or query on a port that ignores it */
	GM_BAD_FAMILY,	 /* family switched off on this interface */
	GM_BAD_FILTERED, /* every record was refused by policy */
	GM_BAD_LIMIT,	 /* a limit refused it */
	GM_BAD_MEMORY,	 /* there was no memory for it */
	_GM_BAD_N,
};

/* Returns "short", "header", ...: static names for statistics, which never change. */
const char *gm_bad_name(enum gm_bad bad);

/* What a decoder requires. */
struct gm_rules {
	/* drop messages without the option (R005, R028, R029) */
	bool require_router_alert;
	bool require_ttl_1; /* drop IGMP whose TTL is not 1 (R006); MLD always does */
	uint32_t max_work;  /* see gm_peek.h; 0 means no limit */
};

/* The memory into which a decoder puts records and sources. A thread needs one, because
 * each message overwrites it. It is large enough for the largest IP packet. */
#define GM_MAX_RECORDS (65536 / 8)
#define GM_MAX_SOURCES (65536 / 4)

struct gm_scratch {
	struct gm_record rec[GM_MAX_RECORDS];
	struct addr src[GM_MAX_SOURCES];
};

/* Return how many sources fit into one query, and how many bytes of records fit into
 * one report, of the current version at an MTU in bytes; 0 if the MTU is too small. */
size_t gm_query_max_sources(enum family family, uint32_t mtu);
size_t gm_report_space(enum family family, uint32_t mtu);
/* Returns the bytes of one record in a report. */
size_t gm_record_bytes(enum family family, size_t n_src);
/* Returns the destination in the IP header of a packet, for the link layer. The packet
 * has the whole header, 20 or 40 bytes. */
struct addr gm_packet_destination(enum family family, const void *packet);

/* A membership as RFC 4605 3.2 and 9776 3.2 write it: (mode, source list). The legal
 * "no membership" is INCLUDE({}). */
struct gm_filter {
	enum gm_mode mode;
	struct addrset src;
};

static inline bool gm_filter_is_none(const struct gm_filter *f)
{
	return f->mode == GM_INCLUDE && f->src.n == 0;
}

static inline bool gm_filter_eq(const struct gm_filter *a, const struct gm_filter *b)
{
	return a->mode == b->mode && addrset_eq(&a->src, &b->src);
}

/* What the engine must know of a link to send and split messages. */
struct gm_link {
	unsigned port;
	uint32_t mtu; /* bytes of the largest IP packet */
	/* source address of our messages; unspecified if there is none yet */
	struct addr own[_FAMILY_N];
};
