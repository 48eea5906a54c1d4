/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Puts together membership messages that arrive in IP fragments (RFC 791 2.3, RFC 8200
 * 4.5). Hosts do not need fragments, because RFC 9776 4.2.16 and RFC 9777 5.2.15 tell
 * them to split a report at the MTU. But no RFC forbids fragments (RFC 6980 does so
 * only for Neighbor Discovery), kernels send and reassemble them, and other routers
 * read them.
 *
 * One object serves an interface and a family. A message is identified by its sender
 * (link-layer and IP address), its destination and its identification; its protocol is
 * IGMP or ICMPv6. Fragments that contradict each other end their message (RFC 5722).
 * Strangers choose all of these values, so everything is bounded. If a sender begins
 * many messages, it loses its own messages before those of others. Pure.
 */

#include "base/mono.h"
#include "control/proto/admission.h"

#define REASSEMBLE_MESSAGES  8	   /* unfinished messages at once */
#define REASSEMBLE_OF_SENDER 2	   /* of these, from the same MAC (or address) */
#define REASSEMBLE_SIZE	     16384 /* bytes of a message, without IP headers */
#define REASSEMBLE_MS	     5000 /* from the first fragment that arrives to the last */
#define REASSEMBLE_HEADERS   128  /* bytes of IP headers with their options */

enum reassemble_result {
	REASSEMBLE_WAIT,     /* it was stored; other fragments are missing */
	REASSEMBLE_WHOLE,    /* the message is complete */
	REASSEMBLE_REPEATED, /* the same bytes again; nothing has changed */
	REASSEMBLE_OVERLAP,  /* it contradicts another one: the message is refused */
	REASSEMBLE_LARGE,    /* the message is larger than REASSEMBLE_SIZE */
	REASSEMBLE_MEMORY,
	/* the following are never returned; they count unfinished messages */
	REASSEMBLE_TIMEOUT,
	REASSEMBLE_ROOM, /* dropped in favour of a newer message */
	_REASSEMBLE_N,
};

/* "wait", "whole", "repeated", ... */
const char *reassemble_name(enum reassemble_result result);

struct reassemble_piece {
	struct admission_host host;
	struct addr to;
	uint32_t id;
	bool last;
	const uint8_t *data; /* borrowed from the packet */
	size_t offset, len;
	const uint8_t *header; /* borrowed: everything before the fragment header */
	size_t header_len;
};

struct reassemble_message {
	bool used;
	struct admission_host host;
	struct addr to;
	uint32_t id;
	uint64_t number; /* grows with each message that begins */
	mono_t until;
	/* owned; NULL if the message was refused, so that its later fragments are also
	 * refused */
	uint8_t *packet;
	size_t header_len; /* 0 if the first fragment is missing */
	size_t top;	   /* end of the data that has come */
	size_t end;	   /* length of the data, or 0 if not known */
	size_t n_units;
	/* a bit for each unit of eight octets that has come */
	uint64_t unit[REASSEMBLE_SIZE / 8 / 64];
};

/* All zero when it is empty. */
struct reassemble {
	struct reassemble_message message[REASSEMBLE_MESSAGES];
	uint64_t n_begun;
	uint64_t n[_REASSEMBLE_N]; /* fragments or messages, by result */
};

void reassemble_deinit(struct reassemble *r);

/* Returns true if the packet is a fragment that a membership message may have. The
 * decoder accepts or refuses everything else, including a fragment that no message can
 * have. The caller sets ret->host.mac and has_mac. */
bool reassemble_parse(enum family family, const uint8_t *packet, size_t len,
	struct reassemble_piece *ret);

/* Adds a fragment. With REASSEMBLE_WHOLE, *ret_packet is the packet as if it had never
 * been fragmented, and *ret_len is its length. The caller frees it. */
enum reassemble_result reassemble_add(struct reassemble *r, mono_t now,
	const struct reassemble_piece *piece, uint8_t **ret_packet, size_t *ret_len);

/* Drops messages that were not completed in time. Returns when to call it next. */
mono_t reassemble_tick(struct reassemble *r, mono_t now);
