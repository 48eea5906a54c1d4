/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Packets of a capture file (pcap or pcapng, by libpcap), with the link header taken
 * off: Ethernet with or without VLAN tags, Linux cooked v1 and v2, raw IP, BSD
 * loopback.
 */

#include "base/addr.h"
#include "base/mono.h"
#include "control/proto/gm_msg.h"

#include <stddef.h>

struct capture;

struct capture_packet {
	mono_t at;
	const void *ip; /* IP header, or NULL if it is not an IP packet; valid until
			   capture_next */
	enum family family;
	size_t len;	    /* captured bytes from there */
	size_t wire_len;    /* and how many there were, as the file says */
	struct gm_mac from; /* sender in the link header, if it has one */
};

/* Returns NULL and a text on failure; "-" is standard input. */
struct capture *capture_open(const char *path, char *error, size_t error_size);
struct capture *capture_close(struct capture *c); /* takes and returns NULL */
const struct capture_packet *capture_peek(const struct capture *c); /* NULL means end */
void capture_next(struct capture *c);
