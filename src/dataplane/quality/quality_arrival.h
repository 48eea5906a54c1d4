/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The arrival of datagrams: gaps, outages, seconds, delay factor. A part of
 * quality.h. */

#include "dataplane/quality/quality.h"

/* Call it for each datagram before anything else. Sets arrival.last to the time of the
 * datagram. Returns true if this has completed a second. */
bool quality_arrived(struct quality *q, mono_t at);
/* Call it for each datagram when its bytes of media are known. */
void quality_arrival_media(struct quality *q, size_t media);
