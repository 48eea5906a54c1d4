/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Prints a captured packet as one line, as tcpdump does. */

#include "base/pcapng.h"
#include "control/proto/gm_msg.h"

#include <jansson.h>
#include <stdio.h>

/* What a line says in addition to the contents of the packet. */
struct packet_text {
	const char *interface; /* printable */
	enum pcapng_link link;
	struct gm_scratch *scratch; /* for decoding */
};

void packet_text_print(
	const struct packet_text *t, const struct pcapng_packet *p, FILE *out);

/* Returns the same as a JSON object: a new reference, or NULL when out of memory. */
json_t *packet_text_json(const struct packet_text *t, const struct pcapng_packet *p);
