/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Membership messages that arrive in IP fragments (RFC 791 2.3, RFC 8200 4.5), put
 * together again. Hosts have no need of them: RFC 9776 4.2.16 and RFC 9777 5.2.15 tell
 * them to cut a report at the MTU. But nothing forbids them (RFC 6980 does so for
 * Neighbor Discovery alone), kernels send and reassemble them, and other routers read
 * them.
 *
 * One object serves an interface and a family. A message is known by who sends it
 * (link-layer and IP address), by its destination and by its identification; its
 * protocol is IGMP or ICMPv6. Fragments that contradict each other end their message
 * (RFC 5722). Strangers choose all of it, so everything is bounded, and a sender that
 * begins many messages loses its own before those of others. Pure.
 */

#include "base/mono.h"
#include "control/proto/flood.h"

#define REASSEMBLE_MESSAGES  8	   /* unfinished ones at once */
#define REASSEMBLE_OF_SENDER 2	   /* of these, with the same MAC (or address) */
#define REASSEMBLE_SIZE	     16384 /* octets of a message, without IP headers */
#define REASSEMBLE_MS	     5000 /* from the first fragment that arrives to the last */
#define REASSEMBLE_HEADERS   128  /* octets of IP headers with their options */

enum reassemble_result {
	REASSEMBLE_WAIT,     /* taken, others are missing */
	REASSEMBLE_WHOLE,    /* the message is complete */
	REASSEMBLE_REPEATED, /* the same octets once more; nothing has changed */
	REASSEMBLE_OVERLAP,  /* contradicts another fragment: the message is refused */
	REASSEMBLE_LARGE,    /* the message is larger than REASSEMBLE_SIZE */
	REASSEMBLE_MEMORY,
	/* the following are never returned: what became of unfinished messages */
	REASSEMBLE_TIMEOUT,
	REASSEMBLE_ROOM, /* ended for the sake of a newer one */
	_REASSEMBLE_N,
};

/* "wait", "whole", "repeated", ... */
const char *reassemble_name(enum reassemble_result result);

struct reassemble_piece {
	struct flood_host host;
	struct addr to;
	uint32_t id;
	bool last;
	const uint8_t *data; /* borrowed from the packet */
	size_t offset, len;
	const uint8_t
		*header; /* borrowed: all that is in front of the fragment header */
	size_t header_len;
};

struct reassemble_message {
	bool used;
	struct flood_host host;
	struct addr to;
	uint32_t id;
	uint64_t number; /* in the order in which they began */
	mono_t until;
	uint8_t *packet;   /* NULL: refused, and so is what may still come of it */
	size_t header_len; /* 0: the first fragment is missing */
	size_t top, end;   /* largest octet seen; length, 0: not known */
	size_t n_units;
	uint64_t unit[REASSEMBLE_SIZE / 8 / 64]; /* which eight octets are there */
};

/* zero is an empty one */
struct reassemble {
	struct reassemble_message message[REASSEMBLE_MESSAGES];
	uint64_t n_begun;
	uint64_t n[_REASSEMBLE_N]; /* fragments or messages, by result */
};

void reassemble_deinit(struct reassemble *r);

/* True: the packet is a fragment that a membership message may have. Everything else,
 * also a fragment that no message can have, is for the decoder to accept or refuse.
 * host.mac is left to the caller. */
bool reassemble_parse(enum family family, const uint8_t *packet, size_t len,
	struct reassemble_piece *ret);

/* With REASSEMBLE_WHOLE *ret_packet is the packet as if it had never been cut, to be
 * freed by the caller, and *ret_len its length. */
enum reassemble_result reassemble_add(struct reassemble *r, mono_t now,
	const struct reassemble_piece *piece, uint8_t **ret_packet, size_t *ret_len);

/* Forget what was not completed in time; when to call it next. */
mono_t reassemble_tick(struct reassemble *r, mono_t now);
