/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The verdict on a received frame or on one copy of it. A verdict is also the index of
 * a counter. Names never change. balance.h says how the sums of these counters are
 * related.
 */

enum verdict {
	VERDICT_FORWARDED, /* replicated to at least one port */
	/* frames that were not forwarded, in the order of the checks */
	VERDICT_TRUNCATED,     /* larger than the ring slot (R184) */
	VERDICT_OTHERHOST,     /* for another station */
	VERDICT_OWN_MAC,       /* our own transmission came back (R143, R180) */
	VERDICT_VLAN_MISMATCH, /* tagged for a VLAN that is not this interface (R181) */
	VERDICT_BAD_VERSION,   /* IP version does not fit the protocol */
	VERDICT_BAD_IHL,       /* header length impossible */
	VERDICT_BAD_LENGTH,    /* total length outside the frame */
	VERDICT_BAD_CHECKSUM,  /* IPv4 header checksum wrong (R158) */
	VERDICT_NOT_MULTICAST, /* destination is not multicast (R169) */
	VERDICT_LINK_LOCAL_GROUP,   /* 224.0.0.0/24, ff01, ff02 (R159, R160) */
	VERDICT_CONTROL,	    /* IGMP, MLD, PIM and the like (R175) */
	VERDICT_MARTIAN_SOURCE,	    /* impossible or link-local source (R162 to R164) */
	VERDICT_SOURCE_ROUTE,	    /* IPv4 source-route option (R170) */
	VERDICT_SUPERFRAME,	    /* longer than the link's MTU (R183) */
	VERDICT_WRONG_INPUT,	    /* source not allowed on this interface (R174) */
	VERDICT_ACL,		    /* boundary or group filter (R161) */
	VERDICT_NO_GROUP,	    /* no host has joined the group (R178) */
	VERDICT_SOURCE_FILTERED,    /* group joined, but not from this source (R153) */
	VERDICT_TTL_EXPIRED,	    /* TTL or hop limit <= 1 (R155) */
	VERDICT_EMPTY_OUTPUT,	    /* no member is on another port that accepts it */
	VERDICT_CHECKSUM_UNFIXABLE, /* partial checksum that cannot be completed */
	_VERDICT_FRAME_N,

	/* single copies that were not sent; the first one because its TTL is not above
	 * the threshold of the port (R156) */
	VERDICT_TTL_THRESHOLD = _VERDICT_FRAME_N,
	VERDICT_MTU_DF,	     /* larger than the port's MTU, must not be fragmented */
	VERDICT_FRAG_FAILED, /* could not be fragmented */
	VERDICT_PORT_DOWN,   /* ENETDOWN, ENXIO, ENODEV, or marked down */
	VERDICT_TX_FULL,     /* EAGAIN: socket buffer full */
	VERDICT_TX_QUEUE,    /* ENOBUFS: dropped by device or queue */
	VERDICT_TX_SIZE,     /* EMSGSIZE */
	VERDICT_TX_ERROR,    /* any other error */
	_VERDICT_N,
};

/* Returns "forwarded", "truncated", ...; static. */
const char *verdict_name(enum verdict v);
/* Returns the verdict on a copy that could not be sent, from the errno. */
enum verdict verdict_of_errno(int err);
