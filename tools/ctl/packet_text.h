/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A captured packet as one line, in the manner of tcpdump. */

#include "base/pcapng.h"
#include "control/proto/gm_msg.h"

#include <jansson.h>
#include <stdio.h>

/* what a line says besides the contents of the packet */
struct packet_text {
	const char *interface;
	enum pcapng_link link;
	struct gm_scratch *scratch; /* for decoding */
};

void packet_text_print(
	const struct packet_text *t, const struct pcapng_packet *p, FILE *out);

/* The same as an object; a new reference, NULL when out of memory. */
json_t *packet_text_json(const struct packet_text *t, const struct pcapng_packet *p);
