/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Packets of MPEG-TS: continuity, clocks, tables. A part of quality.h. */

#include "dataplane/quality/quality.h"

#define TS_SYNC	  0x47
#define TS_SIZE	  188u
#define TS_SIZE_R 204u /* with 16 bytes of Reed-Solomon code */

/* Returns the size of the packets of a datagram: 188 or 204, or 0 if it is not MPEG-TS.
 * A sync byte that was not captured is assumed to be right. */
unsigned ts_size(const uint8_t *p, size_t captured, size_t len);
/* Forgets everything. The age of the PAT counts from `at`. */
void ts_begin(struct quality *q, unsigned packet_size, mono_t at);
/* Continuity is not judged across this moment. */
static inline void ts_gap(struct quality *q)
{
	q->ts.epoch++;
}
/* Analyses all packets of a datagram that was captured as a whole. Returns false, after
 * ts_gap(), if it contains no packets: its length is wrong, or no sync byte is
 * right. */
bool ts_put(struct quality *q, const uint8_t *p, size_t len, mono_t at);
/* Packets could not be analysed, so the ages begin again. */
void ts_unseen(struct quality *q, mono_t at);
/* Does not compare the next packets with those before this moment. */
void ts_resume(struct quality *q, mono_t at);
/* Counts a PAT or PMT that is late at `now`. */
void ts_until(struct quality *q, mono_t now);
