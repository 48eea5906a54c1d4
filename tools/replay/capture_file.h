/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The packets of a capture file (pcap or pcapng, read by libpcap) without their link
 * headers. These may be Ethernet with or without VLAN tags, Linux cooked v1 and v2, raw
 * IP, or BSD loopback.
 */

#include "base/addr.h"
#include "base/mono.h"
#include "control/proto/gm_msg.h"

#include <stddef.h>

struct capture;

struct capture_packet {
	mono_t at;
	const void *ip; /* IP header, or NULL if it is not an IP packet */
	enum family family;
	size_t len;	    /* captured bytes from the IP header on */
	size_t wire_len;    /* bytes of the packet on the wire, as the file says */
	struct gm_mac from; /* sender in the link header, if it has one */
};

/* `path` may be "-" for standard input. Returns NULL with a text on failure. */
struct capture *capture_open(const char *path, char *error, size_t error_size);
struct capture *capture_close(struct capture *c);
/* Returns the present packet, which is valid until capture_next(), or NULL at the
 * end. */
const struct capture_packet *capture_peek(const struct capture *c);
void capture_next(struct capture *c);
